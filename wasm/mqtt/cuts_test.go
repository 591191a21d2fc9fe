package mqtt

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
)

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

// Messages of one client arrive first in the order of its calls, whatever is cut, and
// whatever Receive Maximum each connection has [MQTT-4.6.0-1].
func TestCutsKeepOrder(t *testing.T) {
	seed, rounds := mqtttest.Environment(t, "MQTT_SEED", uint64(rand.Uint32())), mqtttest.Environment(t, "MQTT_ROUNDS", 300)
	t.Logf("MQTT_SEED=%d MQTT_ROUNDS=%d", seed, rounds)
	before := firstPacketID
	defer func() { firstPacketID = before }()
	firstPacketID = func() uint16 { return 65530 } // identifiers wrap
	for range rounds {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 5))
			faults := make([]fault, 1+rng.IntN(8))
			for i := range faults {
				faults[i] = randomFault(rng, []sessionFate{remembered})
			}
			b := newChaosBroker(t, rand.New(rand.NewPCG(seed, 1)), faults...)
			b.patient = true
			b.limits = func() brokerLimits { return brokerLimits{receiveMaximum: uint16(b.rng.IntN(4)), qos: 2} }
			r := newChaosRound(t, b)
			r.offline = true
			options := r.options
			r.options = func() Options {
				o := options()
				o.Queue.Offline, o.AutoTopicAlias = OfflineAll, rng.IntN(2) == 0
				return o
			}
			c, stop := r.connect()
			var called []string
			var tokens []*Token
			for i := range 5 + rng.IntN(30) {
				payload := fmt.Sprint(i, strings.Repeat(" ", rng.IntN(60)))
				called = append(called, payload)
				tokens = append(tokens, c.PublishAsync(&Message{Topic: "to/all", QoS: byte(1 + rng.IntN(2)), Payload: []byte(payload)}, PublishOptions{}))
				if rng.IntN(3) == 0 {
					time.Sleep(time.Duration(rng.IntN(3)) * time.Millisecond) // of fake time
				}
			}
			for i, token := range tokens {
				if _, err := token.Wait(r.ctx); err != nil {
					t.Errorf("publish %s: %v", called[i], err)
				}
			}
			stop()
			b.mu.Lock()
			defer b.mu.Unlock()
			if !slices.Equal(b.order, called) {
				t.Errorf("arrived %q, with MQTT_SEED=%d MQTT_ROUNDS=1", b.order, seed)
			}
		})
		if t.Failed() {
			return
		}
		seed++
	}
}
