package session

import (
	"encoding/binary"
	"fmt"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// stageAtOnce is how many messages get their packet identifiers together, which
// with a journal means one wait for the store.
const stageAtOnce = 256

// maxAcks bounds what a broker can make us hold that asks and never reads.
const maxAcks = 1 << 20 // bytes

// Publish takes a message to be sent, in the order of the calls (4.6). An error
// says that it was not taken; its owner is told nothing then.
func (s *Session) Publish(m *Message) error {
	if s.ended || !s.online && !s.mayWait(m) {
		return wire.NewError(wire.NotConnected, "there is no connection to the broker")
	}
	if err := s.limits.publish(m); err != nil {
		return err
	}
	if err := s.makeRoom(m); err != nil {
		return err
	}
	// What is sent at once at QoS 0 is not worth a record.
	journaled := s.config.Journal && (m.qos() > 0 || !s.online)
	if m.expiryAt > 0 || journaled {
		m.since = s.config.Now()
	}
	s.queue.append(m)
	s.watchExpiry(m)
	if journaled {
		s.keep(m)
	}
	s.ready.Send = s.ready.Send || s.sendable()
	return nil
}

// mayWait tells whether a message may wait for a connection.
func (s *Session) mayWait(m *Message) bool {
	q := &s.config.Queue
	return m.again || m.OnStored && m.qos() > 0 || q.Offline && (m.qos() > 0 || q.OfflineQoS0)
}

// makeRoom finds room for a message in the queue, or fails.
func (s *Session) makeRoom(m *Message) error {
	q, size := &s.config.Queue, len(m.frame)
	for s.queue.n >= q.Messages || s.queue.bytes+size > q.Bytes {
		full := fmt.Sprintf("%d messages with %d bytes wait to be sent, of at most %d with %d", s.queue.n, s.queue.bytes, q.Messages, q.Bytes)
		switch {
		case q.DropNewest:
			return wire.NewError(wire.Dropped, "publish: %s; the newest message gave way", full)
		case !q.DropOldest || size > q.Bytes || s.queue.n == 0:
			return wire.NewError(wire.QueueFull, "publish: %s; wait until others were sent", full)
		}
		oldest := s.queue.first
		s.dequeue(oldest)
		s.unkeep(oldest)
		s.settle(oldest, Result{}, wire.NewError(wire.Dropped, "publish: %s; the oldest message gave way", full))
	}
	return nil
}

func (s *Session) dequeue(m *Message) {
	s.queue.remove(m)
	s.unwatchExpiry(m)
}

// putBack makes a message the first of the queue again, whatever the limits.
func (s *Session) putBack(m *Message) {
	s.queue.prepend(m)
	s.watchExpiry(m)
}

// GiveUp is for an owner that waits no longer: a message that was not sent yet is
// taken back. One that the store took for its owner is sent nevertheless.
func (s *Session) GiveUp(m *Message, err error) {
	if m.stored {
		return
	}
	if m.list != nil && !m.attempted {
		s.withdraw(m)
	}
	s.settle(m, Result{}, err)
}

// withdraw takes a message back that was not sent.
func (s *Session) withdraw(m *Message) {
	if m.list == &s.flight {
		s.leaveFlight(m)
	} else {
		s.dequeue(m)
	}
	s.unkeep(m)
	s.ready.Send = true // the next one may have waited for what this one needed
}

// dropUnheld fails the messages that may not wait for the next connection. What
// was never written goes back to the queue before.
func (s *Session) dropUnheld() {
	for m, before := s.flight.last, (*Message)(nil); m != nil; m = before {
		before = m.prev
		if m.attempted {
			continue
		}
		s.leaveFlight(m)
		if m.qos() > 0 {
			s.unmark(m)
		}
		m.restart()
		s.putBack(m)
	}
	for m, next := s.queue.first, (*Message)(nil); m != nil; m = next {
		if next = m.next; s.mayWait(m) {
			continue
		}
		s.dequeue(m)
		s.unkeep(m)
		s.settle(m, Result{}, wire.NewError(wire.NotConnected, "there is no connection to the broker"))
	}
}

// sendAgain begins a connection: what is in flight is handed out again, in order
// [MQTT-4.4.0-1], [MQTT-4.6.0-1], within the broker's Receive Maximum [MQTT-3.3.4-7].
func (s *Session) sendAgain() {
	s.quota, s.unsent = s.maxQuota, 0
	for m, next := s.flight.first, (*Message)(nil); m != nil; m = next {
		next = m.next
		m.handed = false
		if m.released {
			s.quota-- // until PUBCOMP
			continue
		}
		s.unsent++
		if err := s.limits.publish(m); err != nil {
			if m.qos() == 2 {
				s.held[m.id] = true
			}
			s.leaveFlight(m)
			s.unkeep(m)
			s.settle(m, Result{}, err)
		}
	}
	s.cursor = s.flight.first
}

// sendable tells whether the queue's first message may go to the flight: there is
// a connection, and the broker's Receive Maximum is not used up [MQTT-3.3.4-7].
func (s *Session) sendable() bool {
	m := s.queue.first
	return m != nil && s.online && (m.qos() == 0 || s.quota > s.unsent)
}

// stage moves messages from the queue to the flight, up to about max bytes; with
// a journal more, for they wait for the store together.
func (s *Session) stage(max int) {
	var marked []*Message
	var marks []Record
	for n, size := 0, 0; n < stageAtOnce && (size < max || s.config.Journal) && s.sendable(); n++ {
		m := s.queue.first
		s.dequeue(m)
		if err := s.admit(m); err != nil {
			s.unkeep(m)
			s.settle(m, Result{}, err)
			continue
		}
		size += len(m.frame)
		s.flight.append(m)
		if s.cursor == nil {
			s.cursor = m
		}
		if m.qos() == 0 {
			continue
		}
		s.unsent++
		if m.seq > 0 {
			m.waits++
			marked = append(marked, m)
			marks = append(marks, Record{journalKey(keptSent, m.seq), binary.BigEndian.AppendUint16(nil, m.id)})
		}
		if s.foreign && m.qos() == 2 && !s.cleared[m.id] {
			m.waits++
			m.clearing = true
			s.acks = wire.AppendAck(s.acks, wire.TypePubrel, m.id, 0)
		}
	}
	if len(marks) == 0 {
		return
	}
	// Or the next program would take them for messages that were never sent, and
	// send them a second time.
	s.write(marks, func(error) {
		for _, m := range marked {
			m.waits--
		}
		s.ready.Send = true
	})
}

// admit gives a message its packet identifier, or says why it can't be sent.
func (s *Session) admit(m *Message) error {
	if m.expiryAt > 0 && !m.deadline().After(s.config.Now()) {
		return expired()
	}
	if err := s.limits.publish(m); err != nil {
		return err
	}
	if m.qos() == 0 {
		return nil
	}
	id, ok := s.freeID()
	if !ok {
		return wire.NewError(wire.Unsupported, "publish: all 65,535 packet identifiers are in use")
	}
	m.setID(id)
	s.out[id] = m
	return nil
}

// freeID returns the next packet identifier not in use [MQTT-2.2.1-3].
func (s *Session) freeID() (uint16, bool) {
	for range 65535 {
		s.lastID++
		if s.lastID == 0 {
			s.lastID = 1
		}
		if s.out[s.lastID] == nil && s.subscriptions.calls[s.lastID] == nil && !s.held[s.lastID] {
			return s.lastID, true
		}
	}
	return 0, false
}

// leaveFlight takes a message out of those in flight.
func (s *Session) leaveFlight(m *Message) {
	if s.cursor == m {
		s.cursor = m.next
	}
	if m.clearing {
		m.clearing = false
		m.waits--
	}
	s.flight.remove(m)
	if m.qos() == 0 {
		return
	}
	delete(s.out, m.id)
	if m.handed || m.released {
		s.quota = min(s.quota+1, s.maxQuota)
	} else {
		s.unsent--
	}
	s.ready.Send = s.ready.Send || s.sendable()
}

// Next appends packets that may leave now to dst, together about max bytes, or a
// single larger one: first acknowledgements, then SUBSCRIBE and UNSUBSCRIBE, then
// messages. They are valid until Written, which must follow before the next call.
func (s *Session) Next(dst [][]byte, max int) [][]byte {
	if !s.online {
		return dst
	}
	size := 0
	if s.cursor == nil && s.queue.n > 0 {
		s.stage(max) // which may have to clear identifiers first
	}
	if len(s.acks) > 0 {
		dst, size = append(dst, s.acks), len(s.acks)
		s.acks, s.spareAcks = s.spareAcks[:0], s.acks
	}
	dst, size = s.nextCalls(dst, size)
	s.control = size
	for {
		if s.cursor == nil {
			if s.stage(max - size); s.cursor == nil {
				return dst
			}
		}
		m := s.cursor
		if m.waits > 0 || size > 0 && size+len(m.frame) > max || m.qos() > 0 && !m.released && s.quota <= 0 {
			return dst
		}
		frame := s.hand(m)
		size += len(frame)
		dst = append(dst, frame)
		s.handed, s.ends = append(s.handed, m), append(s.ends, size)
	}
}

// hand returns the packet with which a message goes on, and moves the cursor.
func (s *Session) hand(m *Message) (frame []byte) {
	s.cursor = m.next
	if m.released {
		return wire.AppendAck(nil, wire.TypePubrel, m.id, 0)
	}
	if m.qos() > 0 {
		m.handed = true
		s.unsent--
		s.quota--
		if m.attempted {
			m.frame[0] |= 8 // DUP [MQTT-3.3.1-1], [MQTT-3.3.1-2]
		}
	}
	if m.expiryAt > 0 {
		m.age(s.config.Now())
	}
	again := m.attempted
	m.attempted = true
	if again { // a repetition stands alone
		return m.frame
	}
	return s.aliases.shorten(m)
}

// Written says how many bytes of what Next returned have left. Fewer than all of
// them means that the connection is over: what certainly did not leave counts as
// never sent.
func (s *Session) Written(n int) {
	start := s.control
	for i, m := range s.handed {
		end := s.ends[i]
		switch {
		case m.list != &s.flight: // settled meanwhile
		case n > start && m.qos() == 0:
			s.leaveFlight(m)
			s.unkeep(m)
			var err error
			if n < end {
				err = wire.NewError(wire.Network, "publish: the connection broke while the message was written; it may or may not have arrived")
			}
			s.settle(m, Result{}, err)
		case n <= start && !m.released:
			m.attempted = m.frame[0]&8 != 0
		}
		start = end
		s.handed[i] = nil
	}
	s.handed, s.ends = s.handed[:0], s.ends[:0]
	if n > 0 {
		s.writtenCalls()
	}
}

// Ack takes a PUBACK, PUBREC, PUBREL or PUBCOMP. Its error ends the connection.
func (s *Session) Ack(a wire.Ack) error {
	if len(s.acks) > maxAcks {
		return wire.NewError(wire.Network, "the broker asks again and again, and does not read the answers")
	}
	if a.Kind == wire.TypePubrel {
		s.pubrel(a.ID)
		return nil
	}
	m := s.out[a.ID]
	if m != nil && m.clearing && a.Kind == wire.TypePubcomp {
		m.clearing = false
		m.waits--
		s.cleared[m.id] = true
		s.ready.Send = true
		return nil
	}
	if m == nil || !m.attempted {
		if a.Kind == wire.TypePubrec { // 3.6.2.1
			s.ack(wire.TypePubrel, a.ID, wire.ReasonIDNotFound)
		}
		return nil
	}
	if wrong := (a.Kind == wire.TypePuback) == (m.qos() == 2); wrong {
		return wire.Violation(wire.ReasonProtocolError, "an acknowledgement of packet type %d for a QoS %d message", a.Kind, m.qos())
	}
	switch {
	case a.Kind == wire.TypePubrec && a.Reason < wire.ReasonUnspecified:
		s.release(m)
	case a.Kind == wire.TypePubcomp && !m.released:
		return wire.Violation(wire.ReasonProtocolError, "PUBCOMP before PUBREC")
	default: // an error in PUBREC ends the exchange too (4.3.3)
		s.complete(m, a)
	}
	return nil
}

// ack queues an acknowledgement.
func (s *Session) ack(kind byte, id uint16, reason byte) {
	s.acks = wire.AppendAck(s.acks, kind, id, reason)
	s.ready.Send = true
}

// release goes on with PUBREL after PUBREC, once that is in the journal: a
// program that did not know would send the message again, and the broker, which
// forgets the identifier with PUBREL, would take it for another.
func (s *Session) release(m *Message) {
	if m.seq == 0 || m.released {
		m.released = true
		s.ack(wire.TypePubrel, m.id, 0)
		return
	}
	id, connection := m.id, s.connection
	s.write([]Record{{journalKey(keptReleased, m.seq), []byte{}}}, func(error) {
		if s.out[id] != m || connection != s.connection {
			return // the broker's next PUBREC is answered
		}
		m.released = true
		if s.online {
			s.ack(wire.TypePubrel, id, 0)
		}
	})
}

// complete ends the exchange of a message.
func (s *Session) complete(m *Message, a wire.Ack) {
	s.leaveFlight(m)
	s.unkeep(m)
	result := Result{Reason: a.Reason}
	if a.Kind == wire.TypePubcomp {
		result.Reason = 0
	}
	if len(a.Properties) > 0 {
		p := wire.UnpackProperties(a.Properties, a.Kind)
		result.ReasonString, result.User = p.ReasonString, p.User
	}
	if result.Reason >= wire.ReasonUnspecified {
		s.settle(m, result, wire.RefusedError("publish", result.Reason, result.ReasonString))
		return
	}
	s.settle(m, result, nil)
}

func sessionLost() error {
	return wire.NewError(wire.SessionLost,
		"publish: the session ended before the broker acknowledged the message; it may or may not have arrived")
}
