package mqtt

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
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

// current is the newest connection. The caller holds mu, as with all below
// that don't take it.
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

// chaosConn is one connection of the client.
type chaosConn struct {
	broker       *chaosBroker
	client, conn *cutConn // the two ends
	fault        fault
	first        bool
	up           bool // CONNACK is sent
	closed       bool
	maximum      int // the client's Receive Maximum
	inFlight     map[uint16]bool
	queue        [][]byte
	changed      *sync.Cond
}

// read handles what comes until the connection ends.
func (c *chaosConn) read() {
	for {
		p, err := packets.ReadPacket(c.conn)
		c.broker.mu.Lock()
		if c != c.broker.current() && err == nil {
			err = net.ErrClosed // taken over by a newer connection (3.1.4)
		}
		if err != nil {
			_ = c.conn.Close()
			c.closed = true
			c.changed.Broadcast()
			c.broker.mu.Unlock()
			return
		}
		c.handle(p)
		c.broker.mu.Unlock()
	}
}

// write sends what is queued, later and in another order if the fault says so.
func (c *chaosConn) write() {
	b := c.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		for len(c.queue) == 0 && !c.closed {
			c.changed.Wait()
		}
		if c.fault.delay > 0 { // the clock is the bubble's: it costs nothing
			pause := time.Duration(b.rng.Int64N(int64(c.fault.delay)))
			b.mu.Unlock()
			time.Sleep(pause)
			b.mu.Lock()
		}
		if c.closed {
			return
		}
		i := 0
		if c.fault.reorder { // within a type the order must stay [MQTT-4.6.0-2] and following
			kind := c.queue[b.rng.IntN(len(c.queue))][0] >> 4
			i = slices.IndexFunc(c.queue, func(frame []byte) bool { return frame[0]>>4 == kind })
		}
		frame := c.queue[i]
		c.queue = slices.Delete(c.queue, i, i+1)
		if kind := frame[0] >> 4; kind == puback || kind == pubcomp {
			delete(c.inFlight, uint16(frame[2])<<8|uint16(frame[3]))
		}
		_, _ = c.conn.Write(frame) // read sees the end
	}
}

func (c *chaosConn) send(frame []byte) {
	c.queue = append(c.queue, frame)
	c.changed.Broadcast()
}

// answer sends an acknowledgement, or two.
func (c *chaosConn) answer(header byte, id uint16, reason ...byte) {
	c.send(answerFrame(header, id, reason...))
	if c.fault.duplicate && c.broker.rng.IntN(3) == 0 {
		c.send(answerFrame(header, id, reason...))
	}
}

func (c *chaosConn) wrong(format string, args ...any) {
	if !c.broker.tolerant {
		c.broker.t.Errorf("the client: "+format, args...)
	}
}

func (c *chaosConn) handle(p *packets.ControlPacket) {
	session := c.broker.session
	id := p.PacketID()
	switch q := p.Content.(type) {
	case *packets.Connect:
		c.connect(q)
	case *packets.Publish:
		c.take(q)
	case *packets.Pubrel:
		payload, known := session.in[id]
		if !known {
			c.answer(pubcomp<<4, id, reasonIDNotFound)
			return
		}
		delete(session.in, id)
		if c.broker.late {
			c.broker.passedOn[payload]++
		}
		c.answer(pubcomp<<4, id)
	case *packets.Puback:
		if m := session.message(id); m != nil {
			if m.qos != 1 {
				c.wrong("PUBACK for a message of QoS %d", m.qos)
			}
			c.broker.done(m)
		}
	case *packets.Pubrec:
		m := session.message(id)
		if m == nil {
			c.answer(pubrel<<4|2, id, reasonIDNotFound)
			return
		}
		if m.qos != 2 {
			c.wrong("PUBREC for a message of QoS %d", m.qos)
		}
		m.released = true
		c.answer(pubrel<<4|2, id)
	case *packets.Pubcomp:
		if m := session.message(id); m != nil {
			if !m.released {
				c.wrong("PUBCOMP before PUBREC")
			}
			c.broker.done(m)
		}
	case *packets.Pingreq:
		c.send([]byte{pingresp << 4, 0})
	case *packets.Disconnect:
		if q.ReasonCode != 0 {
			c.wrong("DISCONNECT 0x%02X", q.ReasonCode)
		}
	default:
		c.wrong("packet %v", p)
	}
}

func (s *brokerSession) message(id uint16) *brokerMessage {
	for _, m := range s.out {
		if m.id == id {
			return m
		}
	}
	return nil
}

// connect answers CONNECT and goes on where the session was.
func (c *chaosConn) connect(p *packets.Connect) {
	b, fate := c.broker, c.fault.fate
	present := byte(1)
	if p.CleanStart || fate == forgotten || fate == saysKept {
		b.forget()
		present = 0
	}
	switch fate {
	case saysForgotten:
		present = 0
	case saysKept:
		present = 1
	}
	c.maximum = int(*p.Properties.ReceiveMaximum)
	var props []byte
	if n := b.receiveMaximum; n > 0 {
		props = []byte{propReceiveMaximum, byte(n >> 8), byte(n)}
	}
	late := c.first || c.fault.afterConnack()
	if late {
		c.client.arm(c.fault.fromClient, false)
	}
	_, _ = c.conn.Write(append([]byte{connack << 4, byte(3 + len(props)), present, 0, byte(len(props))}, props...))
	if late {
		c.conn.arm(c.fault.fromBroker, false)
	}
	c.up = true
	for _, m := range b.session.out { // [MQTT-4.4.0-1], [MQTT-4.6.0-1]
		switch {
		case m.released:
			c.send(answerFrame(pubrel<<4|2, m.id))
		case m.id > 0:
			c.send(m.frame(true))
		}
	}
	c.sendMessages()
}

// sendMessages sends as many new messages as the client's Receive Maximum
// allows [MQTT-3.3.4-9].
func (c *chaosConn) sendMessages() {
	if !c.up {
		return
	}
	for i, m := range c.broker.session.out {
		if i >= c.maximum {
			return
		}
		if m.id == 0 {
			c.broker.session.lastID++
			m.id = c.broker.session.lastID
			c.send(m.frame(false))
		}
	}
}

func (m *brokerMessage) frame(again bool) []byte {
	frame, idAt := encodePublish(&Message{Topic: "from", QoS: m.qos, Payload: []byte(m.payload)})
	frame[idAt], frame[idAt+1] = byte(m.id>>8), byte(m.id)
	if again {
		frame[0] |= 8
	}
	return frame
}

// take handles a PUBLISH.
func (c *chaosConn) take(p *packets.Publish) {
	b, session, payload := c.broker, c.broker.session, string(p.Payload)
	if session.seen[payload] && !p.Duplicate { // [MQTT-3.3.1-1]
		c.wrong("%s comes again without DUP", payload)
	}
	session.seen[payload] = true
	c.inFlight[p.PacketID] = true
	if n := int(b.receiveMaximum); n > 0 && len(c.inFlight) > n { // [MQTT-3.3.4-7]
		c.wrong("%d messages in flight, over our Receive Maximum of %d", len(c.inFlight), n)
	}
	if p.QoS == 1 {
		b.passedOn[payload]++
		c.answer(puback<<4, p.PacketID)
		return
	}
	before, known := session.in[p.PacketID]
	if known && before != payload { // [MQTT-2.2.1-3]
		c.wrong("%s has the identifier of %s, which is in use", payload, before)
	}
	if !known {
		session.in[p.PacketID] = payload
		if !b.late {
			b.passedOn[payload]++
		}
	}
	c.answer(pubrec<<4, p.PacketID)
}

// cutConn is one end of a connection that breaks when a number of bytes were
// written to it.
type cutConn struct {
	net.Conn
	mu      sync.Mutex
	left    int // until the cut; 0: no cut
	discard bool
	written int // since it was armed
}

func (c *cutConn) arm(after int, discard bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.discard, c.written = after, discard, 0
}

func (c *cutConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 || len(p) < c.left {
		c.left = max(0, c.left-len(p))
		c.written += len(p)
		return c.Conn.Write(p)
	}
	n, _ := c.Conn.Write(p[:c.left])
	if c.discard {
		c.Conn.(*pipeEnd).drain()
	}
	_ = c.Close()
	if n < len(p) {
		return n, io.ErrClosedPipe
	}
	return n, nil
}

// drain loses what is on its way in both directions.
func (e *pipeEnd) drain() {
	for _, h := range []*half{e.in, e.out} {
		h.mu.Lock()
		h.buf = nil
		h.mu.Unlock()
	}
}
