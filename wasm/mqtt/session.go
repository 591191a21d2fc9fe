package mqtt

import (
	"context"
	"io"
	"slices"
	"sync"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho/log"
	pahosession "github.com/eclipse/paho.golang/paho/session"
)

// session is the session state of the client (MQTT 5, 4.1). It outlives
// connections: it resends what was in flight, and knows which QoS 2 messages it
// has seen. It is paho's SessionManager, with what paho's own lacks: outgoing
// messages keep their order, incoming ones are acknowledged when they were
// taken and not before, and nobody waits for an answer that can't come.
type session struct {
	sendMu sync.Mutex // held while PUBLISH packets are put on the wire, for their order

	mu         sync.Mutex
	conn       *link // nil while there is no connection
	generation uint32
	epoch      uint32 // changes when the broker has forgotten the session
	expiry     uint32 // seconds

	out     map[uint16]*outgoing
	sent    []*outgoing // PUBLISH in flight, in the order first sent
	lastID  uint16
	quota   int // PUBLISH packets that may still be sent (4.9)
	changed *sync.Cond

	in       map[uint16]*incoming
	received int // QoS 1 and 2 messages not acknowledged on this connection
	recvMax  int // our Receive Maximum
}

func newSession(recvMax int) *session {
	s := &session{
		out: map[uint16]*outgoing{}, in: map[uint16]*incoming{}, recvMax: recvMax,
	}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// transmit sends a PUBLISH. It waits while the broker's Receive Maximum is used
// up, and returns false when there is no connection to send on; o is then
// untouched. Callers call it for one packet after the other.
func (s *session) transmit(o *outgoing) bool {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	s.mu.Lock()
	for o.qos > 0 && s.conn != nil && s.quota <= 0 && !o.finished() { // [MQTT-3.3.4-7]
		s.changed.Wait()
	}
	if o.finished() {
		s.mu.Unlock()
		return true
	}
	conn := s.conn
	if conn == nil {
		s.mu.Unlock()
		return false
	}
	if o.qos > 0 {
		id, ok := s.freeID()
		if !ok {
			s.mu.Unlock()
			o.finish(PublishResult{}, newError(Unsupported, "publish: all 65,535 packet identifiers are in use"))
			return true
		}
		o.setID(id)
		s.out[id] = o
		s.sent = append(s.sent, o)
		s.quota--
	}
	s.mu.Unlock()

	err := conn.writeOnce(o.frame)
	if o.qos == 0 {
		if err != nil {
			o.finish(PublishResult{}, networkError(err, "publish"))
		} else {
			o.finish(PublishResult{}, nil)
		}
	}
	return true
}

// freeID returns the next packet identifier not in use [MQTT-2.2.1-3].
func (s *session) freeID() (uint16, bool) {
	for range 65535 {
		s.lastID++
		if s.lastID == 0 {
			s.lastID = 1
		}
		if _, used := s.out[s.lastID]; !used {
			return s.lastID, true
		}
	}
	return 0, false
}

// write sends acknowledgements, without waiting.
func (s *session) write(frame []byte) {
	if len(frame) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		s.conn.reply(frame)
	}
}

// ConAckReceived is paho's word that a connection is up.
func (s *session) ConAckReceived(w io.Writer, connect *packets.Connect, ack *packets.Connack) error {
	conn, ok := w.(*link)
	if !ok {
		return newError(Protocol, "session: not a connection of this client")
	}
	if ack.SessionPresent && connect.CleanStart { // [MQTT-3.2.2-2]
		return conn.fail(violation(reasonProtocolError, "Session Present after a Clean Start"))
	}
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	s.mu.Lock()
	s.generation++
	s.received = 0
	if !ack.SessionPresent {
		s.forget()
	}
	s.expiry = 0
	if connect.Properties != nil && connect.Properties.SessionExpiryInterval != nil {
		s.expiry = *connect.Properties.SessionExpiryInterval
	}
	if ack.Properties.SessionExpiryInterval != nil { // 3.2.2.3.2
		s.expiry = *ack.Properties.SessionExpiryInterval
	}
	s.quota = 65535
	if ack.Properties.ReceiveMaximum != nil {
		s.quota = int(*ack.Properties.ReceiveMaximum)
	}
	s.quota -= len(s.sent) // what is sent again counts, but is not held back (4.9)
	again := append([]*outgoing(nil), s.sent...)
	s.mu.Unlock()

	for _, o := range again { // [MQTT-4.4.0-1], [MQTT-4.6.0-1]
		if err := conn.writeOnce(o.repetition()); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.conn = conn
	s.changed.Broadcast()
	s.mu.Unlock()
	return nil
}

// forget drops the session: the broker doesn't have it. The caller holds mu.
func (s *session) forget() {
	s.epoch++
	s.in = map[uint16]*incoming{}
	lost := s.sent
	s.sent = nil
	for _, o := range lost {
		delete(s.out, o.id)
		o.finish(PublishResult{}, newError(SessionLost,
			"publish: the session ended before the broker acknowledged the message; it may or may not have arrived"))
	}
}

// ConnectionLost is paho's word that the connection has ended.
func (s *session) ConnectionLost(*packets.Disconnect) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return nil
	}
	s.conn = nil
	for id, o := range s.out {
		if o.answer != nil {
			o.answer <- packets.ControlPacket{} // paho takes this for a lost connection
			delete(s.out, id)
		}
	}
	if s.expiry == 0 { // [MQTT-3.1.2-23]
		s.forget()
	}
	s.changed.Broadcast()
	return nil
}

// AddToSession enters paho's SUBSCRIBE and UNSUBSCRIBE.
func (s *session) AddToSession(_ context.Context, p pahosession.Packet, answer chan<- packets.ControlPacket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return pahosession.ErrNoConnection
	}
	id, ok := s.freeID()
	if !ok {
		return pahosession.ErrPacketIdentifiersExhausted
	}
	s.out[id] = &outgoing{id: id, answer: answer}
	p.SetIdentifier(id)
	return nil
}

// PacketReceived handles what paho read: every packet with an identifier except
// PUBLISH, which the link keeps to itself.
func (s *session) PacketReceived(p *packets.ControlPacket, _ chan<- *packets.Publish) error {
	answer, err := s.handle(p)
	s.write(answer)
	if err == nil {
		return nil
	}
	s.mu.Lock()
	conn := s.conn
	s.mu.Unlock()
	if conn != nil {
		err = conn.fail(err)
		go conn.Close() // closing waits for the reader, which is this goroutine
	}
	return err
}

func (s *session) handle(p *packets.ControlPacket) (answer []byte, err error) {
	id := p.PacketID()
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.out[id]
	switch r := p.Content.(type) {
	case *packets.Suback, *packets.Unsuback:
		if o == nil {
			return nil, nil // late: its caller gave up
		}
		if o.answer == nil {
			return nil, violation(reasonProtocolError, "an acknowledgement of subscriptions for a message in flight")
		}
		delete(s.out, id)
		o.answer <- *p
	case *packets.Puback:
		if o == nil {
			return nil, nil
		}
		if o.qos != 1 {
			return nil, violation(reasonProtocolError, "PUBACK for what is not a QoS 1 message")
		}
		s.complete(o, r.ReasonCode, r.Properties)
	case *packets.Pubrec:
		if o == nil { // 3.6.2.1
			return answerFrame(pubrel<<4|2, id, reasonIDNotFound), nil
		}
		if o.qos != 2 {
			return nil, violation(reasonProtocolError, "PUBREC for what is not a QoS 2 message")
		}
		if r.ReasonCode >= reasonUnspecified { // 4.3.3: ends the exchange
			s.complete(o, r.ReasonCode, r.Properties)
			return nil, nil
		}
		o.released = true
		return o.repetition(), nil
	case *packets.Pubcomp:
		if o == nil {
			return nil, nil
		}
		if o.qos != 2 {
			return nil, violation(reasonProtocolError, "PUBCOMP for what is not a QoS 2 message")
		}
		if !o.released {
			return nil, violation(reasonProtocolError, "PUBCOMP before PUBREC")
		}
		s.complete(o, reasonNormal, r.Properties)
	case *packets.Pubrel:
		m, known := s.in[id]
		if !known || m.qos != 2 {
			return answerFrame(pubcomp<<4, id, reasonIDNotFound), nil
		}
		if m.generation == s.generation {
			s.received--
		}
		delete(s.in, id)
		return answerFrame(pubcomp<<4, id), nil
	}
	return nil, nil
}

// complete ends the exchange of a PUBLISH. The caller holds mu.
func (s *session) complete(o *outgoing, reason byte, props *packets.Properties) {
	delete(s.out, o.id)
	if len(s.sent) > 0 && s.sent[0] == o { // acknowledgements come in order
		s.sent = s.sent[1:]
	} else if i := slices.Index(s.sent, o); i >= 0 {
		s.sent = slices.Delete(s.sent, i, i+1)
	}
	s.quota++
	s.changed.Broadcast()
	result := PublishResult{ReasonCode: reason}
	if props != nil {
		result.ReasonString = props.ReasonString
		result.UserProperties = userProperties(props.User)
	}
	if reason >= reasonUnspecified {
		o.finish(result, refused("publish", reason, result.ReasonString))
		return
	}
	o.finish(result, nil)
}

// wakeSender lets transmit look again at what it waits for.
func (s *session) wakeSender() {
	s.mu.Lock() // or the sender could be about to wait, and miss it
	defer s.mu.Unlock()
	s.changed.Broadcast()
}

// end settles everything that still waits.
func (s *session) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.sent {
		o.finish(PublishResult{}, err)
	}
	s.sent = nil
}

// Ack does nothing: paho calls it when a message was handed over, which here
// it never is.
func (s *session) Ack(*packets.Publish) error { return nil }

func (s *session) Close() error              { return nil }
func (s *session) SetErrorLogger(log.Logger) {}
func (s *session) SetDebugLogger(log.Logger) {}
