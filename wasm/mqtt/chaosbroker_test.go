package mqtt

import (
	"context"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
)

// chaosBroker is a broker for one client. It keeps a session in memory across
// connections, resends what was not acknowledged, and counts what it forwards. It
// follows the protocol except for its faults, one for each connection; after the last
// one it makes none.
type chaosBroker struct {
	t        *testing.T
	limits   func() brokerLimits // of the next connection
	late     bool                // forwards QoS 2 messages on PUBREL, not on PUBLISH (4.3.3)
	tolerant bool                // does not report client errors, which a broker that lies provokes
	filters  bool                // sends the client only what it subscribed to; otherwise everything
	patient  bool                // the client's first connection may be cut before CONNACK, too
	running  sync.WaitGroup

	mu       sync.Mutex
	rng      *rand.Rand
	faults   []fault
	conns    []*chaosConn
	refusing bool // no more connections: there were too many
	session  *brokerSession
	passedOn map[string]int  // by payload: messages from the client
	order    []string        // their payloads, as each came first
	queued   map[string]byte // by payload: messages for the client, with their QoS
	acked    map[string]bool // by payload: messages that the client acknowledged
	pending  pending         // messages for the client, neither acknowledged nor discarded
	least    brokerLimits    // the lowest of all connections
}

// brokerSession is the session state of a server (4.1).
type brokerSession struct {
	filters map[string]granted // by topic filter
	in      map[uint16]string  // payloads of unreleased QoS 2 messages
	seen    map[string]bool    // payloads received in this session
	out     []*brokerMessage   // messages for the client, in order
	lastID  uint16
}

// granted is a subscription.
type granted struct {
	asked packets.SubOptions
	qos   byte // granted
}

// refusedFilter is a topic filter that the broker refuses.
const refusedFilter = "from/no"

// brokerLimits are the limits that a broker states in CONNACK.
type brokerLimits struct {
	receiveMaximum uint16 // 0: not stated
	qos            byte   // 2: not stated
	packet         int    // bytes; 0: not stated
}

func (l *brokerLimits) properties() (b []byte) {
	if n := l.receiveMaximum; n > 0 {
		b = append(b, 0x21, byte(n>>8), byte(n))
	}
	if l.qos < 2 {
		b = append(b, 0x24, l.qos)
	}
	if n := l.packet; n > 0 {
		b = append(b, 0x27, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return b
}

type brokerMessage struct {
	topic    string
	id       uint16 // 0: not sent yet
	qos      byte
	payload  string
	released bool // PUBREC has arrived
}

// fault is what goes wrong on one connection. The zero value is no fault.
type fault struct {
	// The connection is cut after this many bytes from the client, or from the broker;
	// 0: never. They count from CONNECT, or from CONNACK if afterConnack says so.
	fromClient, fromBroker int
	discard                bool // data in transit is lost, too, as with a reset
	fate                   sessionFate
	silent                 bool          // the CONNACK that reports a forgotten session may be lost
	duplicate              bool          // some acknowledgements are sent twice
	reorder                bool          // packets of different types may overtake each other
	delay                  time.Duration // at most, before each packet
}

type sessionFate int

const (
	remembered    sessionFate = iota
	forgotten                 // and CONNACK says so
	saysForgotten             // although it is kept
	saysKept                  // although it is forgotten
)

// mostConnections is far more than the faults of a round can cause.
const mostConnections = 100

func newChaosBroker(t *testing.T, rng *rand.Rand, faults ...fault) *chaosBroker {
	b := &chaosBroker{
		t: t, rng: rng, faults: faults, session: newBrokerSession(),
		limits:   func() brokerLimits { return brokerLimits{qos: 2} },
		passedOn: map[string]int{}, queued: map[string]byte{}, acked: map[string]bool{}, least: brokerLimits{qos: 2},
	}
	t.Cleanup(b.running.Wait)
	return b
}

func newBrokerSession() *brokerSession {
	return &brokerSession{filters: map[string]granted{}, in: map[uint16]string{}, seen: map[string]bool{}}
}

func (b *chaosBroker) dial(context.Context, string) (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.conns) == mostConnections {
		if !b.refusing {
			b.t.Error("the client connects again and again, and gets no further")
		}
		b.refusing = true
		return nil, net.ErrClosed
	}
	ours, theirs := mqtttest.Pipe()
	c := &chaosConn{
		broker: b, client: &cutConn{Conn: ours}, conn: &cutConn{Conn: theirs}, inFlight: map[uint16]bool{}, limits: b.limits(),
	}
	c.changed = sync.NewCond(&b.mu)
	c.first = len(b.conns) == 0
	if len(b.faults) > 0 {
		c.fault, b.faults = b.faults[0], b.faults[1:]
	}
	if c.first {
		c.fault.fate = remembered // there is no session yet
	}
	if !c.afterConnack() {
		c.client.arm(c.fault.fromClient, c.fault.discard)
		c.conn.arm(c.fault.fromBroker, c.fault.discard)
	}
	b.conns = append(b.conns, c)
	b.running.Go(c.read)
	b.running.Go(c.write)
	return c.client, nil
}

// publish queues a message for the client. At QoS 0 it is sent now, or never.
func (b *chaosBroker) publish(topic string, qos byte, payload string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.filters {
		most, match := byte(0), false
		for filter, g := range b.session.filters {
			if matches(filter, topic) {
				most, match = max(most, g.qos), true
			}
		}
		if !match {
			return
		}
		qos = min(qos, most) // [MQTT-3.8.4-8]
	}
	m := &brokerMessage{topic: topic, qos: qos, payload: payload}
	if qos == 0 {
		if c := b.current(); c.up && !c.closed {
			b.queued[payload] = 0
			c.send(m.frame(false))
		}
		return
	}
	b.queued[payload] = qos
	b.pending.add()
	b.session.out = append(b.session.out, m)
	b.current().sendMessages()
}

// subscribed returns the client's subscriptions, with the QoS it asked for.
func (b *chaosBroker) subscribed() map[string]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := map[string]byte{}
	for filter, g := range b.session.filters {
		list[filter] = g.asked.QoS
	}
	return list
}

// current returns the newest connection. The caller holds mu, as for all methods below,
// and for those of chaosConn that do not lock it.
func (b *chaosBroker) current() *chaosConn { return b.conns[len(b.conns)-1] }

// passOn forwards a message from the client.
func (b *chaosBroker) passOn(payload string) {
	if b.passedOn[payload] == 0 {
		b.order = append(b.order, payload)
	}
	b.passedOn[payload]++
}

func (b *chaosBroker) forget() {
	for range b.session.out {
		b.pending.done()
	}
	b.session = newBrokerSession()
}

// done ends the exchange of a message for the client.
func (b *chaosBroker) done(m *brokerMessage) {
	b.acked[m.payload] = true
	b.session.out = slices.DeleteFunc(b.session.out, func(o *brokerMessage) bool { return o == m })
	b.pending.done()
	b.current().sendMessages()
}

func (s *brokerSession) message(id uint16) *brokerMessage {
	for _, m := range s.out {
		if m.id == id {
			return m
		}
	}
	return nil
}

func (m *brokerMessage) frame(again bool) []byte {
	frame, idAt := (&Message{Topic: m.topic, QoS: m.qos, Payload: []byte(m.payload)}).encode()
	if m.qos > 0 {
		frame[idAt], frame[idAt+1] = byte(m.id>>8), byte(m.id)
	}
	if again {
		frame[0] |= 8
	}
	return frame
}
