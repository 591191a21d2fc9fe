package mqtt

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// chaosRound is one client at a [chaosBroker], with messages in both directions.
type chaosRound struct {
	t       *testing.T
	ctx     context.Context // ends after a minute on the bubble's clock: somebody waits for ever
	broker  *chaosBroker
	options func() Options // of a new client; clients that follow each other may share what it gives them

	mu        sync.Mutex
	connected chan struct{}        // closed at the next Connected
	received  map[string]int       // by payload
	outcomes  map[string]error     // by payload
	hold      func() time.Duration // how long a batch is held before Done
}

func newChaosRound(t *testing.T, b *chaosBroker) *chaosRound {
	ctx, cancel := context.WithTimeout(background, time.Minute)
	t.Cleanup(cancel)
	r := &chaosRound{
		t: t, ctx: ctx, broker: b, connected: make(chan struct{}),
		received: map[string]int{}, outcomes: map[string]error{},
		hold: func() time.Duration { return 0 },
	}
	r.options = func() Options {
		return Options{URL: "pipe", Dial: b.dial, ClientID: "test", ReconnectMin: time.Millisecond, SessionExpiry: 1000 * time.Second, OnEvent: r.event}
	}
	return r
}

func (r *chaosRound) event(ev Event) {
	if _, up := ev.(Connected); up {
		r.mu.Lock()
		defer r.mu.Unlock()
		close(r.connected)
		r.connected = make(chan struct{})
	}
}

// connect makes a client, and takes what it receives. stop disconnects it.
func (r *chaosRound) connect() (c *Client, stop func()) {
	c, err := Connect(r.ctx, r.options())
	if err != nil {
		r.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			batch, err := c.Receive(background)
			if err != nil {
				return
			}
			r.mu.Lock()
			for m := range batch.Messages() {
				r.received[string(m.Payload)]++
			}
			hold := r.hold()
			r.mu.Unlock()
			time.Sleep(hold) // on the bubble's clock
			batch.Done()
		}
	}()
	return c, func() {
		if err := c.Disconnect(r.ctx, DisconnectOptions{}); err != nil {
			r.t.Errorf("disconnect: %v", err)
		}
		<-done
	}
}

// publish publishes until the message is taken: while there is no connection
// it is refused, and was not sent.
func (r *chaosRound) publish(c *Client, qos byte, payload string) {
	for {
		r.mu.Lock()
		connected := r.connected
		r.mu.Unlock()
		_, err := c.Publish(r.ctx, Message{Topic: "to", QoS: qos, Payload: []byte(payload)})
		if codeOf(err) == NotConnected {
			select {
			case <-connected:
				continue
			case <-c.Done():
			case <-r.ctx.Done():
			}
		}
		r.mu.Lock()
		r.outcomes[payload] = err
		r.mu.Unlock()
		return
	}
}

func codeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// exchange publishes n messages of each QoS in each direction, and returns when
// everything is settled.
func (r *chaosRound) exchange(c *Client, n, together int) {
	var publishing sync.WaitGroup
	for w := range together {
		publishing.Go(func() {
			for i := w; i < n; i += together {
				for qos := byte(1); qos <= 2; qos++ {
					r.publish(c, qos, fmt.Sprintf("%d/%d", qos, i))
				}
			}
		})
	}
	for i := range n {
		for qos := byte(1); qos <= 2; qos++ {
			r.broker.publish(qos, fmt.Sprintf("%d/%d", qos, i))
		}
	}
	publishing.Wait()
	select {
	case <-r.broker.pending.idle():
	case <-r.ctx.Done():
		r.t.Error("the broker waits for ever for acknowledgements")
	}
}

// check looks at what arrived. keeps says that no session was lost, honest that
// the broker did not lie about one.
func (r *chaosRound) check(n int, keeps, honest bool) {
	for i := range n {
		for qos := byte(1); qos <= 2; qos++ {
			payload := fmt.Sprintf("%d/%d", qos, i)
			err, passedOn := r.outcomes[payload], r.broker.passedOn[payload]
			if err != nil && (keeps || codeOf(err) != SessionLost) {
				r.t.Errorf("publish %s: %v", payload, err)
			}
			if err == nil && passedOn == 0 {
				r.t.Errorf("publish %s: lost, although it succeeded", payload)
			}
			if honest && qos == 2 && passedOn > 1 {
				r.t.Errorf("publish %s: arrived %d times", payload, passedOn)
			}
			received := r.received[payload]
			if honest && r.broker.acked[payload] && received == 0 {
				r.t.Errorf("receive %s: lost, although it was acknowledged", payload)
			}
			if keeps && received == 0 {
				r.t.Errorf("receive %s: lost", payload)
			}
			if honest && qos == 2 && received > 1 {
				r.t.Errorf("receive %s: handed out %d times", payload, received)
			}
		}
	}
}

// environment reads a number that replays a run.
func environment(t *testing.T, name string, otherwise uint64) uint64 {
	text, ok := os.LookupEnv(name)
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestCuts cuts connections at random, at all QoS 1 and 2 exchanges in both
// directions. MQTT_SEED replays a run, MQTT_ROUNDS says how long it is.
func TestCuts(t *testing.T) {
	rounds := uint64(2000)
	if runtime.GOOS == "js" {
		rounds = 200
	}
	seed, rounds := environment(t, "MQTT_SEED", uint64(rand.Uint32())), environment(t, "MQTT_ROUNDS", rounds)
	t.Logf("MQTT_SEED=%d MQTT_ROUNDS=%d", seed, rounds)
	for seed := seed; rounds > 0 && !t.Failed(); rounds-- {
		synctest.Test(t, func(t *testing.T) {
			randomRound(t, seed)
			if t.Failed() {
				t.Logf("again with MQTT_SEED=%d MQTT_ROUNDS=1", seed)
			}
		})
		seed++
	}
}

func randomRound(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0))
	mode := []struct {
		fates  []sessionFate
		expiry time.Duration
	}{
		{[]sessionFate{remembered}, 1000 * time.Second},
		{[]sessionFate{remembered, forgotten}, 1000 * time.Second},
		{[]sessionFate{remembered}, 0}, // the client asks for no session
		{[]sessionFate{remembered, forgotten, saysForgotten, saysKept}, 1000 * time.Second},
	}[rng.IntN(4)]
	faults := make([]fault, 1+rng.IntN(5))
	for i := range faults {
		faults[i] = randomFault(rng, mode.fates)
	}
	lies := len(mode.fates) > 2
	b := newChaosBroker(t, rand.New(rand.NewPCG(seed, 1)), faults...)
	b.tolerant = lies
	b.receiveMaximum = uint16(rng.IntN(4))
	b.late = !lies && rng.IntN(2) == 0
	r := newChaosRound(t, b)
	r.hold = func() time.Duration { return time.Duration(rng.IntN(3)) * time.Millisecond }
	receiveMaximum := uint16(rng.IntN(4))
	options := r.options
	r.options = func() Options {
		o := options()
		o.SessionExpiry, o.ReceiveMaximum = mode.expiry, receiveMaximum
		return o
	}
	n, together := 1+rng.IntN(6), 1+rng.IntN(4)
	c, stop := r.connect()
	r.exchange(c, n, together)
	stop()
	r.check(n, len(mode.fates) == 1 && mode.expiry > 0, !lies)
}

func randomFault(rng *rand.Rand, fates []sessionFate) fault {
	coin := func() bool { return rng.IntN(2) == 0 }
	f := fault{fate: fates[rng.IntN(len(fates))], discard: coin(), duplicate: coin(), reorder: coin()}
	if coin() {
		f.fromClient = 1 + rng.IntN(250)
	} else {
		f.fromBroker = 1 + rng.IntN(250)
	}
	if coin() {
		f.delay = 2 * time.Millisecond
	}
	return f
}

// TestCutAtEveryByte cuts a QoS 2 exchange in both directions after each of its
// bytes, and the resumption after a cut as well.
func TestCutAtEveryByte(t *testing.T) {
	run := func(faults ...fault) (connections []*chaosConn) {
		synctest.Test(t, func(t *testing.T) {
			b := newChaosBroker(t, rand.New(rand.NewPCG(0, 0)), faults...)
			r := newChaosRound(t, b)
			c, stop := r.connect()
			r.exchange(c, 1, 1)
			stop()
			r.check(1, true, true)
			if t.Failed() {
				t.Logf("faults %+v", faults)
			}
			connections = b.conns
		})
		return connections
	}
	// everyByte runs with a cut after each byte of the last connection that
	// these faults lead to.
	everyByte := func(before ...fault) {
		whole := run(before...)
		last := whole[len(whole)-1]
		for _, discard := range []bool{false, true} {
			for n := range last.client.written {
				run(append(before[:len(before):len(before)], fault{fromClient: n + 1, discard: discard})...)
			}
			for n := range last.conn.written {
				run(append(before[:len(before):len(before)], fault{fromBroker: n + 1, discard: discard})...)
			}
		}
	}
	everyByte()
	for _, first := range []fault{
		{fromClient: 1}, {fromClient: 12}, {fromClient: 24}, {fromClient: 30},
		{fromBroker: 1}, {fromBroker: 14}, {fromBroker: 28}, {fromBroker: 36},
	} {
		everyByte(first)
	}
}
