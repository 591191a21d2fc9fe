package mqtt

import (
	"context"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// chaosBroker is a broker for one client. It keeps a session in memory over
// many connections, repeats what was not acknowledged, and counts what it
// passes on. It is honest but for the faults that it is told, one for each
// connection; when they are used up, all goes well.
type chaosBroker struct {
	t              *testing.T
	receiveMaximum uint16 // its own; 0: none stated
	late           bool   // passes QoS 2 messages on when they are released, not when they come (4.3.3)
	tolerant       bool   // of a client that finds fault with it, as it should with a liar
	running        sync.WaitGroup

	mu       sync.Mutex
	rng      *rand.Rand
	faults   []fault
	conns    []*chaosConn
	refusing bool // connections, of which there were too many
	session  *brokerSession
	passedOn map[string]int  // by payload: what came from the client
	acked    map[string]bool // by payload: what the client acknowledged
	pending  pending         // messages for the client that are neither acknowledged nor forgotten
}

// brokerSession is the session state of a server (4.1).
type brokerSession struct {
	in     map[uint16]string // payloads of QoS 2 messages that are not released
	seen   map[string]bool   // payloads that came in it
	out    []*brokerMessage  // what goes to the client, in order
	lastID uint16
}

type brokerMessage struct {
	id       uint16 // 0: not sent yet
	qos      byte
	payload  string
	released bool // PUBREC came
}

// fault is what goes wrong on one connection. The zero value is nothing.
type fault struct {
	// The connection is cut when so many bytes came from the client, or from
	// the broker; 0 is never. They count from CONNECT on, or from CONNACK on
	// the first connection, and where afterConnack says so.
	fromClient, fromBroker int
	discard                bool // what is on its way is lost too, as with a reset
	fate                   sessionFate
	duplicate              bool          // some acknowledgements are sent twice
	reorder                bool          // packets of different types overtake each other
	delay                  time.Duration // at most so long before each packet
}

// afterConnack: a broker that forgot the session, and whose CONNACK with that
// news is lost, answers the next CONNECT that there is a session: the new one.
// No client can tell, and the protocol has no cure. So a cut comes later.
func (f *fault) afterConnack() bool { return f.fate != remembered }

type sessionFate int

const (
	remembered    sessionFate = iota
	forgotten                 // and said so
	saysForgotten             // although it is not
	saysKept                  // although it is forgotten
)

// mostConnections is far more than the faults of a round can cause.
const mostConnections = 100

func newChaosBroker(t *testing.T, rng *rand.Rand, faults ...fault) *chaosBroker {
	b := &chaosBroker{
		t: t, rng: rng, faults: faults, session: newBrokerSession(),
		passedOn: map[string]int{}, acked: map[string]bool{},
	}
	t.Cleanup(b.running.Wait)
	return b
}

func newBrokerSession() *brokerSession {
	return &brokerSession{in: map[uint16]string{}, seen: map[string]bool{}}
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
	ours, theirs := bufferedPipe()
	c := &chaosConn{broker: b, client: &cutConn{Conn: ours}, conn: &cutConn{Conn: theirs}, inFlight: map[uint16]bool{}}
	c.changed = sync.NewCond(&b.mu)
	c.first = len(b.conns) == 0
	if len(b.faults) > 0 {
		c.fault, b.faults = b.faults[0], b.faults[1:]
	}
	if c.first {
		c.fault.fate = remembered // there is no session yet
	} else if !c.fault.afterConnack() {
		c.client.arm(c.fault.fromClient, c.fault.discard)
		c.conn.arm(c.fault.fromBroker, c.fault.discard)
	}
	b.conns = append(b.conns, c)
	b.running.Go(c.read)
	b.running.Go(c.write)
	return c.client, nil
}

// publish queues a message for the client.
func (b *chaosBroker) publish(qos byte, payload string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending.add()
	b.session.out = append(b.session.out, &brokerMessage{qos: qos, payload: payload})
	b.current().sendMessages()
}

// current is the newest connection. The caller holds mu, as with all below and
// all of chaosConn that don't take it.
func (b *chaosBroker) current() *chaosConn { return b.conns[len(b.conns)-1] }

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
	frame, idAt := (&Message{Topic: "from", QoS: m.qos, Payload: []byte(m.payload)}).encode()
	frame[idAt], frame[idAt+1] = byte(m.id>>8), byte(m.id)
	if again {
		frame[0] |= 8
	}
	return frame
}
