package mqtt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
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

// TestCuts cuts connections at random in all exchanges in both directions. In most
// rounds the client also uses QoS 0, subscribes and unsubscribes, publishes without a
// connection, suspends and resumes, and the broker changes its limits between
// connections, or forgets a session and loses the CONNACK that says so. MQTT_SEED
// replays a run; MQTT_ROUNDS sets its length.
func TestCuts(t *testing.T) {
	rounds := uint64(2000)
	if runtime.GOOS == "js" {
		rounds = 200
	}
	seed, rounds := mqtttest.Environment(t, "MQTT_SEED", uint64(rand.Uint32())), mqtttest.Environment(t, "MQTT_ROUNDS", rounds)
	t.Logf("MQTT_SEED=%d MQTT_ROUNDS=%d", seed, rounds)
	uses := map[string]int{}
	done := 0
	for ; done < int(rounds) && !t.Failed(); done++ {
		synctest.Test(t, func(t *testing.T) {
			plan := newChaosPlan(seed)
			plan.run(t)
			if t.Failed() {
				t.Logf("again with MQTT_SEED=%d MQTT_ROUNDS=1: %v", seed, plan.uses())
			}
			for _, what := range plan.uses() {
				uses[what]++
			}
		})
		seed++
	}
	t.Logf("of %d rounds used: %v", done, uses)
	for _, what := range chaosUses {
		if done >= 100 && uses[what] < done/10 || what == "" && uses[what] > done/2 {
			t.Errorf("%d rounds of %d use %s", uses[what], done, what)
		}
	}
}

// chaosPlan is what a round consists of, besides messages of QoS 1 and 2 and cuts.
type chaosPlan struct {
	seed   uint64
	rng    *rand.Rand
	fates  []sessionFate
	expiry time.Duration

	qos0, subscriptions, suspends, limits bool
	silent                                bool // a session is forgotten, and the CONNACK that says so is lost
	queue                                 OfflinePolicy
	unborn                                bool // the client starts without a connection
	burst                                 bool // many messages at once
}

func newChaosPlan(seed uint64) *chaosPlan {
	rng := rand.New(rand.NewPCG(seed, 0))
	coin := func() bool { return rng.IntN(2) == 0 }
	p := &chaosPlan{seed: seed, rng: rng, expiry: 1000 * time.Second}
	switch rng.IntN(5) {
	case 0:
		p.fates = []sessionFate{remembered}
	case 1:
		p.fates = []sessionFate{remembered, forgotten}
	case 2: // the client asks for no session
		p.fates, p.expiry = []sessionFate{remembered}, 0
	case 3:
		p.fates = []sessionFate{remembered, forgotten, saysForgotten, saysKept}
	case 4:
		p.fates, p.silent = []sessionFate{remembered, forgotten}, true
	}
	if !p.silent && rng.IntN(4) == 0 {
		return p
	}
	p.qos0, p.suspends, p.limits = coin(), coin(), coin()
	p.subscriptions = p.silent || coin()
	p.queue, p.unborn, p.burst = OfflinePolicy(rng.IntN(3)), coin(), rng.IntN(3) == 0
	return p
}

// chaosUses are the features that rounds use; "" means none of the others.
var chaosUses = []string{"", "QoS 0", "subscriptions", "the queue", "New", "Suspend", "changing limits", "lost news of a lost session"}

func (p *chaosPlan) uses() (list []string) {
	for i, use := range []bool{
		!p.qos0 && !p.subscriptions && p.queue == OfflineNothing && !p.unborn && !p.suspends && !p.limits && !p.silent,
		p.qos0, p.subscriptions, p.queue != OfflineNothing, p.unborn, p.suspends, p.limits, p.silent,
	} {
		if use {
			list = append(list, chaosUses[i])
		}
	}
	return list
}

func (p *chaosPlan) run(t *testing.T) {
	rng := p.rng
	faults := make([]fault, 1+rng.IntN(5))
	for i := range faults {
		faults[i] = randomFault(rng, p.fates)
		faults[i].silent = p.silent
	}
	lies := len(p.fates) > 2
	b := newChaosBroker(t, rand.New(rand.NewPCG(p.seed, 1)), faults...)
	b.tolerant, b.filters, b.patient = lies, p.subscriptions, p.unborn
	receiveMaximum := uint16(rng.IntN(4))
	b.late = !lies && !p.silent && rng.IntN(2) == 0
	b.limits = func() brokerLimits {
		l := brokerLimits{receiveMaximum: receiveMaximum, qos: 2}
		if p.limits {
			l = brokerLimits{receiveMaximum: uint16(b.rng.IntN(4)), qos: byte(min(2, b.rng.IntN(6)))}
			if b.rng.IntN(3) == 0 {
				l.packet = 64
			}
		}
		return l
	}
	r := newChaosRound(t, b)
	r.offline = p.unborn
	r.hold = func() time.Duration { return time.Duration(b.intN(3)) * time.Millisecond }
	own, batch := uint16(rng.IntN(4)), rng.IntN(4) // 0: the default
	options := r.options
	r.options = func() Options {
		o := options()
		o.SessionExpiry, o.ReceiveMaximum, o.Queue.Offline, o.SubscribeBatchSize = p.expiry, own, p.queue, batch
		return o
	}
	n, together := 1+rng.IntN(6), 1+rng.IntN(4)
	if p.burst {
		n = 5 + rng.IntN(15)
		together = n
	}
	r.mu.Lock()
	connected := r.connected
	r.mu.Unlock()
	c, stop := r.connect()

	var beside sync.WaitGroup
	if p.subscriptions {
		for i, filters := range [][]string{chaosFilters[:3], chaosFilters[3:]} {
			rng := rand.New(rand.NewPCG(p.seed, uint64(2+i)))
			beside.Go(func() { r.changeSubscriptions(c, rng, filters, 1+rng.IntN(6)) })
		}
	}
	if p.suspends {
		rng := rand.New(rand.NewPCG(p.seed, 4))
		beside.Go(func() { r.suspend(c, rng, 1+rng.IntN(3)) })
	}
	qos := []byte{1, 2}
	if p.qos0 {
		qos = []byte{0, 1, 2}
	}
	payload := func(i int, qos byte) string {
		text := fmt.Sprintf("%d/%d", qos, i)
		if p.limits && i%3 == 0 {
			text += strings.Repeat(" ", 64)
		}
		return text
	}
	r.exchangeOf(c, n, together, qos, payload, func() {
		<-connected // the broker has no session to send to before
		time.Sleep(time.Duration(b.intN(3)) * time.Millisecond)
	})
	beside.Wait()
	if p.subscriptions && !lies {
		r.checkSubscriptions()
	}
	stop()
	r.check(len(p.fates) == 1 && p.expiry > 0, !lies && !p.silent)
}

// intN returns a random number below n.
func (b *chaosBroker) intN(n int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rng.IntN(n)
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

// TestCutAtEveryByte cuts an exchange of QoS 1 and 2 in both directions after each
// byte, and then the resumption after a cut, too.
func TestCutAtEveryByte(t *testing.T) {
	run := func(faults ...fault) (connections []*chaosConn) {
		synctest.Test(t, func(t *testing.T) {
			b := newChaosBroker(t, rand.New(rand.NewPCG(0, 0)), faults...)
			r := newChaosRound(t, b)
			c, stop := r.connect()
			r.exchange(c, 1, 1, 1, 2)
			stop()
			r.check(true, true)
			if t.Failed() {
				t.Logf("faults %+v", faults)
			}
			connections = b.conns
		})
		return connections
	}
	// everyByte runs with these faults and a cut after each byte of the last
	// connection.
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
