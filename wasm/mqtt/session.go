package mqtt

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

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
	// Held while PUBLISH packets are put on the wire, for their order, and while
	// the session is forgotten. Taken before mu.
	sendMu sync.Mutex

	mu         sync.Mutex
	conn       *link // nil while there is no connection
	generation uint32
	epoch      uint32 // changes when the broker has forgotten the session
	expiry     uint32 // seconds

	queue   queue // PUBLISH not sent yet
	out     map[uint16]*outgoing
	sent    []*outgoing // PUBLISH in flight, in the order first sent
	lastID  uint16
	quota   int    // PUBLISH packets that may still be sent (4.9)
	limits  limits // that the broker stated
	changed *sync.Cond
	ended   bool

	republish bool // messages in flight are sent again when the session is gone
	autoAlias bool
	lostAt    time.Time // when the last connection ended

	in       map[uint16]*incoming
	arrived  []*incoming // on this connection, not answered, in their order
	received int         // QoS 1 and 2 messages not acknowledged on this connection
	recvMax  int         // where our Receive Maximum counts as broken

	store     Store  // nil: the session ends with the program
	lastSeq   uint64 // of the messages in it
	onFailure func(error)
}

// newSession makes an empty session; onFailure is told what no call reports.
func newSession(o *Options, onFailure func(error)) *session {
	s := &session{
		out: map[uint16]*outgoing{}, in: map[uint16]*incoming{}, recvMax: o.receiveLimit,
		queue: queue{limit: o.Queue}, republish: o.Republish, autoAlias: o.AutoTopicAlias, store: o.Store, onFailure: onFailure,
	}
	s.changed = sync.NewCond(&s.mu)
	return s
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
	s.received, s.arrived = 0, nil
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
	s.limits = newLimits(ack.Properties)
	for _, o := range slices.Clone(s.sent) {
		if err := s.limits.admits(o); err != nil && !o.released {
			s.remove(o)
			s.unkeep(o)
			o.finish(PublishResult{}, err)
		}
	}
	s.quota = 65535
	if ack.Properties.ReceiveMaximum != nil {
		s.quota = int(*ack.Properties.ReceiveMaximum)
	}
	s.quota -= len(s.sent) // what is sent again counts, but is not held back (4.9)
	again := append([]*outgoing(nil), s.sent...)
	s.mu.Unlock()

	for _, o := range again { // [MQTT-4.4.0-1], [MQTT-4.6.0-1]
		if err := conn.writeOnce(s.repetition(o)); err != nil {
			return err
		}
	}
	s.mu.Lock()
	if s.autoAlias {
		conn.aliases = newSentAliases(s.limits)
	}
	s.conn = conn
	s.changed.Broadcast()
	s.mu.Unlock()
	return nil
}

// repetition returns what goes on with an exchange.
func (s *session) repetition(o *outgoing) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return o.repetition()
}

// forget drops the session: the broker doesn't have it. What it may have got
// fails or is sent anew; what was never sent goes back to the queue. The caller
// holds sendMu and mu.
func (s *session) forget() {
	s.epoch++
	var changes []Record
	for id, m := range s.in {
		if m.kept {
			changes = append(changes, Record{Key: keptKey(keptIncoming, uint64(id))})
		}
	}
	s.in, s.arrived = map[uint16]*incoming{}, nil
	s.apply(changes, func() {})
	for _, o := range slices.Backward(s.sent) {
		delete(s.out, o.id)
		if o.attempted.Load() && !s.republish {
			s.unkeep(o)
			o.finish(PublishResult{}, newError(SessionLost,
				"publish: the session ended before the broker acknowledged the message; it may or may not have arrived"))
			continue
		}
		if o.attempted.Load() {
			o.restart()
		}
		s.unmark(o)
		s.putBack(o)
	}
	s.sent = nil
}

// expireAll drops a session that the broker no longer has by its own word
// [MQTT-3.1.2-23]. It reports whether it did.
func (s *session) expireAll() bool {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	const never = 0xFFFFFFFF
	if s.lostAt.IsZero() || s.expiry == never || time.Since(s.lostAt) < time.Duration(s.expiry)*time.Second {
		return false
	}
	s.forget()
	return true
}

// ConnectionLost is paho's word that the connection has ended.
func (s *session) ConnectionLost(*packets.Disconnect) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return nil
	}
	s.conn = nil
	s.lostAt = time.Now()
	for id, o := range s.out {
		if o.answer != nil {
			o.answer <- packets.ControlPacket{} // paho takes this for a lost connection
			delete(s.out, id)
		}
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

// PacketReceived handles what paho read: the answers to its SUBSCRIBE and
// UNSUBSCRIBE.
func (s *session) PacketReceived(p *packets.ControlPacket, _ chan<- *packets.Publish) error {
	s.mu.Lock()
	o, conn := s.out[p.PacketID()], s.conn
	wrong := o != nil && o.answer == nil
	if o != nil && !wrong { // otherwise its caller gave up
		delete(s.out, o.id)
		o.answer <- *p
	}
	s.mu.Unlock()
	if !wrong || conn == nil {
		return nil
	}
	err := conn.fail(violation(reasonProtocolError, "an acknowledgement of subscriptions for a message in flight"))
	go conn.Close() // closing waits for the reader, which is this goroutine
	return err
}

// answered goes on with an exchange of QoS 1 or 2.
func (s *session) answered(p answerPacket) error {
	answer, err := s.handle(p)
	s.write(answer)
	return err
}

func (s *session) handle(p answerPacket) (answer []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.out[p.id]
	switch p.kind {
	case puback:
		if o == nil {
			return nil, nil
		}
		if !o.isPublish(1) {
			return nil, violation(reasonProtocolError, "PUBACK for what is not a QoS 1 message")
		}
		s.complete(o, p)
	case pubrec:
		if o == nil { // 3.6.2.1
			return answerFrame(pubrel<<4|2, p.id, reasonIDNotFound), nil
		}
		if !o.isPublish(2) {
			return nil, violation(reasonProtocolError, "PUBREC for what is not a QoS 2 message")
		}
		if p.reason >= reasonUnspecified { // 4.3.3: ends the exchange
			s.complete(o, p)
			return nil, nil
		}
		return s.release(o), nil
	case pubcomp:
		if o == nil {
			return nil, nil
		}
		if !o.isPublish(2) {
			return nil, violation(reasonProtocolError, "PUBCOMP for what is not a QoS 2 message")
		}
		if !o.released {
			return nil, violation(reasonProtocolError, "PUBCOMP before PUBREC")
		}
		p.reason = reasonNormal
		s.complete(o, p)
	case pubrel:
		return s.released(p.id), nil
	}
	return nil, nil
}

// release goes on with PUBREL after PUBREC, once that is in the store: a program
// that did not know would send the message again, and the broker, which forgets
// the identifier with PUBREL, would take it for another. The caller holds mu.
func (s *session) release(o *outgoing) (answer []byte) {
	if o.seq == 0 || o.released {
		o.released = true
		return o.repetition()
	}
	generation := s.generation
	s.apply([]Record{{keptKey(keptReleased, o.seq), []byte{}}}, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.out[o.id] != o || generation != s.generation {
			return // the broker's next PUBREC is answered
		}
		o.released = true
		if s.conn != nil {
			s.conn.reply(o.repetition())
		}
	})
	return nil
}

// remove takes a message out of those in flight. The caller holds mu.
func (s *session) remove(o *outgoing) {
	delete(s.out, o.id)
	if len(s.sent) > 0 && s.sent[0] == o { // acknowledgements come in order
		s.sent = s.sent[1:]
	} else if i := slices.Index(s.sent, o); i >= 0 {
		s.sent = slices.Delete(s.sent, i, i+1)
	}
	s.quota++
	s.changed.Broadcast()
}

// complete ends the exchange of a PUBLISH. The caller holds mu.
func (s *session) complete(o *outgoing, p answerPacket) {
	s.remove(o)
	s.unkeep(o)
	result := PublishResult{ReasonCode: p.reason}
	if len(p.properties) > 0 {
		props := unpackProperties(p.properties, p.kind)
		result.ReasonString, result.UserProperties = props.ReasonString, userProperties(props.User)
	}
	if p.reason >= reasonUnspecified {
		o.finish(result, refused("publish", p.reason, result.ReasonString))
		return
	}
	o.finish(result, nil)
}

// end settles everything that still waits. What is in the store stays there.
func (s *session) end(err error) {
	s.mu.Lock()
	s.ended = true
	s.changed.Broadcast()
	for _, o := range append(s.sent, s.queue.takeAll(func(*outgoing) bool { return true })...) {
		o.finish(PublishResult{}, err)
	}
	s.sent = nil
	s.mu.Unlock()
	if s.store != nil { // not under mu: Close may wait for the last change, whose done takes it
		if err := s.store.Close(); err != nil {
			s.onFailure(storageError("session", err))
		}
	}
}

// Ack does nothing: paho calls it when a message was handed over, which here
// it never is.
func (s *session) Ack(*packets.Publish) error { return nil }

func (s *session) Close() error              { return nil }
func (s *session) SetErrorLogger(log.Logger) {}
func (s *session) SetDebugLogger(log.Logger) {}
