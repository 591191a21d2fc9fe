package mqtt

import (
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// chaosConn is one connection of the client.
type chaosConn struct {
	broker       *chaosBroker
	client, conn *cutConn // the two ends
	fault        fault
	first        bool
	up           bool // CONNACK was sent
	left         bool // DISCONNECT was received
	closed       bool
	limits       brokerLimits
	maximum      int // the client's Receive Maximum
	inFlight     map[uint16]bool
	queue        [][]byte
	changed      *sync.Cond
}

// read handles packets until the connection ends.
func (c *chaosConn) read() {
	in := &countingReader{Reader: c.conn}
	for {
		in.n = 0
		p, err := readPacket(in)
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
		if c.left { // [MQTT-3.14.4-1]
			c.wrong("%v after DISCONNECT", p)
		}
		if most := c.limits.packet; most > 0 && c.up && in.n > most { // [MQTT-3.2.2-15]
			c.wrong("%v with %d bytes, over our Maximum Packet Size of %d", p, in.n, most)
		}
		c.handle(p)
		c.broker.mu.Unlock()
	}
}

type countingReader struct {
	io.Reader
	n int
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n += n
	return n, err
}

// write sends the queue, delayed and reordered as the fault says.
func (c *chaosConn) write() {
	b := c.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		for len(c.queue) == 0 && !c.closed {
			c.changed.Wait()
		}
		if c.fault.delay > 0 { // on the fake clock, where it costs nothing
			pause := time.Duration(b.rng.Int64N(int64(c.fault.delay)))
			b.mu.Unlock()
			time.Sleep(pause)
			b.mu.Lock()
		}
		if c.closed {
			return
		}
		i := 0
		if c.fault.reorder { // packets of one type must stay in order [MQTT-4.6.0-2]
			kind := orderOf(c.queue[b.rng.IntN(len(c.queue))])
			i = slices.IndexFunc(c.queue, func(frame []byte) bool { return orderOf(frame) == kind })
		}
		frame := c.queue[i]
		c.queue = slices.Delete(c.queue, i, i+1)
		if kind := frame[0] >> 4; kind == wire.TypePuback || kind == wire.TypePubcomp {
			delete(c.inFlight, uint16(frame[2])<<8|uint16(frame[3]))
		}
		_, _ = c.conn.Write(frame) // read notices the end
	}
}

// orderOf returns the type of a packet; packets of one type stay in order. SUBACK and
// UNSUBACK count as one, because brokers handle SUBSCRIBE and UNSUBSCRIBE in order.
func orderOf(frame []byte) byte {
	if kind := frame[0] >> 4; kind != wire.TypeUnsuback {
		return kind
	}
	return wire.TypeSuback
}

func (c *chaosConn) send(frame []byte) {
	c.queue = append(c.queue, frame)
	c.changed.Broadcast()
}

// answer sends an acknowledgement, twice if the fault says so.
func (c *chaosConn) answer(header byte, id uint16, reason ...byte) {
	c.answerWith(answerFrame(header, id, reason...))
}

func (c *chaosConn) answerWith(frame []byte) {
	c.send(frame)
	if c.fault.duplicate && c.broker.rng.IntN(3) == 0 {
		c.send(frame)
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
			c.answer(wire.TypePubcomp<<4, id, wire.ReasonIDNotFound)
			return
		}
		delete(session.in, id)
		if c.broker.late {
			c.broker.passOn(payload)
		}
		c.answer(wire.TypePubcomp<<4, id)
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
			c.answer(wire.TypePubrel<<4|2, id, wire.ReasonIDNotFound)
			return
		}
		if m.qos != 2 {
			c.wrong("PUBREC for a message of QoS %d", m.qos)
		}
		m.released = true
		c.answer(wire.TypePubrel<<4|2, id)
	case *packets.Pubcomp:
		if m := session.message(id); m != nil {
			if !m.released {
				c.wrong("PUBCOMP before PUBREC")
			}
			c.broker.done(m)
		}
	case *packets.Subscribe:
		c.subscribe(q)
	case *packets.Unsubscribe:
		reasons := make([]byte, len(q.Topics))
		for i, filter := range q.Topics {
			if _, ok := session.filters[filter]; !ok {
				reasons[i] = 0x11
			}
			delete(session.filters, filter)
		}
		c.answerWith(append([]byte{wire.TypeUnsuback << 4, byte(3 + len(reasons)), byte(id >> 8), byte(id), 0}, reasons...))
	case *packets.Pingreq:
		c.send([]byte{wire.TypePingresp << 4, 0})
	case *packets.Disconnect:
		if q.ReasonCode != 0 {
			c.wrong("DISCONNECT 0x%02X", q.ReasonCode)
		}
		c.left = true
	default:
		c.wrong("packet %v", p)
	}
}

// afterConnack reports whether cuts count from CONNACK. If a broker forgets the session
// and the CONNACK that says so is lost, its next CONNACK reports the new session as
// present. No client can tell what became of its messages then, and the protocol has no
// remedy, so such cuts come later. A silent fault is the exception: its round tests
// subscriptions, which a client can make again.
func (c *chaosConn) afterConnack() bool {
	return c.first && !c.broker.patient || c.fault.fate != remembered && !c.fault.silent
}

// connect answers CONNECT and resumes the session.
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
	props := c.limits.properties()
	b.least.qos = min(b.least.qos, c.limits.qos)
	if n := c.limits.packet; n > 0 && (b.least.packet == 0 || n < b.least.packet) {
		b.least.packet = n
	}
	late := c.afterConnack()
	if late {
		c.client.arm(c.fault.fromClient, false)
	}
	_, _ = c.conn.Write(append([]byte{wire.TypeConnack << 4, byte(3 + len(props)), present, 0, byte(len(props))}, props...))
	if late {
		c.conn.arm(c.fault.fromBroker, false)
	}
	c.up = true
	for _, m := range b.session.out { // [MQTT-4.4.0-1], [MQTT-4.6.0-1]
		switch {
		case m.released:
			c.send(answerFrame(wire.TypePubrel<<4|2, m.id))
		case m.id > 0:
			c.send(m.frame(true))
		}
	}
	c.sendMessages()
}

// sendMessages sends new messages up to the client's Receive Maximum [MQTT-3.3.4-9].
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

func (c *chaosConn) subscribe(p *packets.Subscribe) {
	suback := []byte{wire.TypeSuback << 4, byte(3 + len(p.Subscriptions)), byte(p.PacketID >> 8), byte(p.PacketID), 0}
	for _, o := range p.Subscriptions {
		if o.Topic == refusedFilter {
			suback = append(suback, wire.ReasonNotAuthorized)
			continue
		}
		qos := min(o.QoS, c.limits.qos)
		c.broker.session.filters[o.Topic] = granted{o, qos} // replaces an existing one [MQTT-3.8.4-3]
		suback = append(suback, qos)
	}
	c.answerWith(suback)
}

// take handles a PUBLISH.
func (c *chaosConn) take(p *packets.Publish) {
	b, session, payload := c.broker, c.broker.session, string(p.Payload)
	if p.QoS > c.limits.qos { // [MQTT-3.2.2-11]
		c.wrong("%s has QoS %d, over our Maximum QoS of %d", payload, p.QoS, c.limits.qos)
	}
	if p.QoS == 0 {
		if p.Duplicate { // [MQTT-3.3.1-2]
			c.wrong("%s comes with QoS 0 and DUP", payload)
		}
		b.passOn(payload)
		return
	}
	if session.seen[payload] && !p.Duplicate { // [MQTT-3.3.1-1]
		c.wrong("%s comes again without DUP", payload)
	}
	session.seen[payload] = true
	c.inFlight[p.PacketID] = true
	if n := int(c.limits.receiveMaximum); n > 0 && len(c.inFlight) > n { // [MQTT-3.3.4-7]
		c.wrong("%d messages in flight, over our Receive Maximum of %d", len(c.inFlight), n)
	}
	if p.QoS == 1 {
		b.passOn(payload)
		c.answer(wire.TypePuback<<4, p.PacketID)
		return
	}
	before, known := session.in[p.PacketID]
	if known && before != payload { // [MQTT-2.2.1-3]
		c.wrong("%s has the identifier of %s, which is in use", payload, before)
	}
	if !known {
		session.in[p.PacketID] = payload
		if !b.late {
			b.passOn(payload)
		}
	}
	c.answer(wire.TypePubrec<<4, p.PacketID)
}
