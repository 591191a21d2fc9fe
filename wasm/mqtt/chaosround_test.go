package mqtt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// chaosRound is a client of a [chaosBroker], with messages in both directions.
type chaosRound struct {
	t       *testing.T
	ctx     context.Context // ends after a minute of fake time, when something hangs
	broker  *chaosBroker
	options func() Options // for a new client; consecutive clients may share its values
	offline bool           // the client is made by New, without waiting for a connection

	mu        sync.Mutex
	connected chan struct{}        // closed at the next Connected
	received  map[string]int       // by payload
	outcomes  map[string]error     // by payload
	sent      map[string]bool      // by payload: completely written
	wanted    map[string]byte      // the subscriptions: QoS by topic filter
	hold      func() time.Duration // how long a batch is held before Done
}

func newChaosRound(t *testing.T, b *chaosBroker) *chaosRound {
	ctx, cancel := context.WithTimeout(background, time.Minute)
	t.Cleanup(cancel)
	r := &chaosRound{
		t: t, ctx: ctx, broker: b, connected: make(chan struct{}),
		received: map[string]int{}, outcomes: map[string]error{}, sent: map[string]bool{}, wanted: map[string]byte{},
		hold: func() time.Duration { return 0 },
	}
	r.options = func() Options {
		return Options{
			URL: "pipe", Dial: b.dial, ClientID: "test", ReconnectMin: time.Millisecond, SessionExpiry: 1000 * time.Second,
			OnEvent: r.event, OnPacket: r.packet,
		}
	}
	return r
}

func (r *chaosRound) packet(p Packet) {
	if p.Sent && p.Bytes[0]>>4 == wire.TypePublish {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.sent[string(p.Bytes[bytes.LastIndexByte(p.Bytes, 0)+1:])] = true // there are no properties, and payloads are text
	}
}

func (r *chaosRound) event(ev Event) {
	if _, up := ev.(Connected); up {
		r.mu.Lock()
		defer r.mu.Unlock()
		close(r.connected)
		r.connected = make(chan struct{})
	}
}

// connect makes a client and receives its messages. stop disconnects it.
func (r *chaosRound) connect() (c *Client, stop func()) {
	connect := Connect
	if r.offline {
		connect = New
	}
	c, err := connect(r.ctx, r.options())
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
			time.Sleep(hold) // of fake time
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

// publish retries until the message is accepted: without a connection it may be
// refused, which means it was not sent.
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

// chaosFilters are the filters that clients choose from at random.
var chaosFilters = []string{"from/0", "from/1", "from/2", "from/3", "from/+", "from/#", "$share/g/from/1"}

// changeSubscriptions subscribes and unsubscribes at random, n times, and records the
// wanted result. It abandons some calls early.
func (r *chaosRound) changeSubscriptions(c *Client, rng *rand.Rand, filters []string, n int) {
	for range n {
		time.Sleep(time.Duration(rng.IntN(3)) * time.Millisecond)
		ctx, cancel := r.ctx, context.CancelFunc(func() {})
		if rng.IntN(4) == 0 {
			ctx, cancel = context.WithTimeout(r.ctx, time.Duration(rng.IntN(3)+1)*time.Millisecond)
		}
		var subs []Subscription
		var some []string
		for _, i := range rng.Perm(len(filters))[:1+rng.IntN(min(3, len(filters)))] {
			subs = append(subs, Subscription{Filter: filters[i], QoS: byte(rng.IntN(3))})
			some = append(some, filters[i])
		}
		if rng.IntN(3) > 0 {
			if rng.IntN(6) == 0 {
				subs = append(subs, Subscription{Filter: refusedFilter})
			}
			result, err := c.Subscribe(ctx, subs, SubscribeOptions{})
			r.mu.Lock()
			for i, reason := range result.ReasonCodes {
				if err == nil && reason <= 2 {
					r.wanted[subs[i].Filter] = subs[i].QoS
				}
			}
			r.mu.Unlock()
		} else { // takes effect whatever its outcome
			_, _ = c.Unsubscribe(ctx, some, nil)
			r.mu.Lock()
			for _, filter := range some {
				delete(r.wanted, filter)
			}
			r.mu.Unlock()
		}
		cancel()
	}
}

// checkSubscriptions waits until the broker has the wanted subscriptions, and checks
// that it keeps them.
func (r *chaosRound) checkSubscriptions() {
	r.mu.Lock()
	wanted := maps.Clone(r.wanted)
	r.mu.Unlock()
	for !maps.Equal(r.broker.subscribed(), wanted) && r.ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(time.Second)
	if got := r.broker.subscribed(); !maps.Equal(got, wanted) {
		r.t.Errorf("the broker has the subscriptions %v, want %v", got, wanted)
	}
}

// suspend suspends and resumes the client n times.
func (r *chaosRound) suspend(c *Client, rng *rand.Rand, n int) {
	for range n {
		time.Sleep(time.Duration(rng.IntN(5)) * time.Millisecond)
		if err := c.Suspend(r.ctx); err != nil {
			r.t.Errorf("suspend: %v", err)
		}
		if rng.IntN(2) == 0 {
			c.Wake() // no effect
		}
		time.Sleep(time.Duration(rng.IntN(5)) * time.Millisecond)
		c.Resume()
	}
}

func codeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// exchange publishes n messages at each QoS in each direction, and returns when
// everything is settled.
func (r *chaosRound) exchange(c *Client, n, together int, qos ...byte) {
	r.exchangeOf(c, n, together, qos, func(i int, qos byte) string { return fmt.Sprintf("%d/%d", qos, i) }, nil)
}

// exchangeOf is exchange with the given payloads, and with a pause before each of the
// broker's messages; nil: none.
func (r *chaosRound) exchangeOf(c *Client, n, together int, qos []byte, payload func(i int, qos byte) string, pause func()) {
	var publishing sync.WaitGroup
	for w := range together {
		publishing.Go(func() {
			for i := w; i < n; i += together {
				for _, qos := range qos {
					r.publish(c, qos, payload(i, qos))
				}
			}
		})
	}
	for i := range n {
		for _, qos := range qos {
			if pause != nil {
				pause()
			}
			r.broker.publish(fmt.Sprintf("from/%d", i%4), qos, fmt.Sprintf("%d/%d", qos, i))
		}
	}
	publishing.Wait()
	select {
	case <-r.broker.pending.idle():
	case <-r.ctx.Done():
		r.t.Error("the broker waits for ever for acknowledgements")
	}
}

// check checks what arrived. keeps says that no session was lost; honest says that the
// broker neither lied about a session nor lost a CONNACK that reported a lost one.
func (r *chaosRound) check(keeps, honest bool) {
	b, unsent := r.broker, 0
	b.mu.Lock() // the broker may not have noticed the end yet
	defer b.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	for payload, err := range r.outcomes {
		qos, passedOn := payload[0]-'0', b.passedOn[payload]
		switch code := codeOf(err); {
		case code == "":
		case code == SessionLost && qos > 0 && !keeps:
		case code == Network && qos == 0:
		case code == Unsupported && qos > b.least.qos:
		case code == PacketTooLarge && b.least.packet > 0 && len(payload)+20 > b.least.packet:
		default:
			r.t.Errorf("publish %.9s: %v", payload, err)
		}
		if err == nil && passedOn == 0 && qos > 0 {
			r.t.Errorf("publish %.9s: lost, although it succeeded", payload)
		}
		if code := codeOf(err); (code == SessionLost || code == Network) && !r.sent[payload] {
			unsent++
		}
		if passedOn > 1 && (qos == 0 || honest && qos == 2) {
			r.t.Errorf("publish %.9s: arrived %d times", payload, passedOn)
		}
	}
	if cut := len(b.conns); unsent > cut { // a cut may go through the middle of a message
		r.t.Errorf("%d messages failed with %d connections, and were never sent", unsent, cut)
	}
	for payload, received := range r.received {
		if qos, ok := b.queued[payload]; !ok {
			r.t.Errorf("receive %s: nobody sent it", payload)
		} else if received > 1 && (qos == 0 || honest && qos == 2) {
			r.t.Errorf("receive %s: handed out %d times", payload, received)
		}
	}
	for payload, qos := range b.queued {
		received := r.received[payload]
		if honest && b.acked[payload] && received == 0 {
			r.t.Errorf("receive %s: lost, although it was acknowledged", payload)
		}
		if keeps && qos > 0 && received == 0 {
			r.t.Errorf("receive %s: lost", payload)
		}
	}
}
