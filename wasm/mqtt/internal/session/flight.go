package session

import "mqttwasm/wasm/mqtt/internal/wire"

// stageAtOnce is how many messages get their packet identifiers together: with a
// journal, they wait for the store only once.
const stageAtOnce = 256

// maxFlight is how many bytes may be in flight before QoS 1 and 2 messages wait for
// acknowledgements: a broker may take 65,535 messages and acknowledge none.
const maxFlight = 64 << 20

// sendAgain prepares a new connection: what is in flight is sent again, in order
// [MQTT-4.4.0-1], [MQTT-4.6.0-1], within the broker's Receive Maximum [MQTT-3.3.4-7].
func (s *Session) sendAgain() {
	s.quota, s.unsent = s.maxQuota, 0
	for m, next := s.flight.first, (*Message)(nil); m != nil; m = next {
		next = m.next
		m.counted, m.pubrel = false, false
		s.unsent++
		if m.released {
			s.count(m) // until PUBCOMP
		} else if err := s.limits.publish(m); err != nil {
			if m.qos() == 2 {
				s.held[m.id] = true
				s.write([]Record{{journalKey(keptHeld, uint64(m.id)), []byte{}}}, func() {})
			}
			s.drop(m, err)
		}
	}
	s.cursor = s.flight.first
}

// sendable reports whether the queue's first message may be put in flight: there is a
// connection, and the broker's Receive Maximum [MQTT-3.3.4-7], the packet identifiers and
// maxFlight leave room.
func (s *Session) sendable() bool {
	m := s.queue.first
	return m != nil && s.online && (m.qos() == 0 || s.quota > s.unsent && s.idsLeft() &&
		(s.flight.n == 0 || s.flight.bytes+len(m.frame) <= maxFlight))
}

// stage puts messages of the queue in flight, up to about max bytes; with a journal
// more, since they wait for the store together.
func (s *Session) stage(max int) {
	var marked []*Message
	var marks []Record
	for n, size := 0, 0; n < stageAtOnce && (size < max || s.config.Journal) && s.sendable(); {
		m := s.queue.first
		s.dequeue(m)
		if err := s.assignID(m); err != nil {
			s.drop(m, err)
			continue
		}
		n++
		size += len(m.frame)
		s.flight.insert(m, s.flight.last)
		if s.cursor == nil {
			s.cursor = m
		}
		if m.seq > 0 {
			m.waits++
			marked = append(marked, m)
			marks = append(marks, m.mark())
		}
		if m.qos() > 0 {
			s.unsent++
		}
		if s.cleared != nil && m.qos() == 2 && !s.cleared[m.id] {
			m.waits++
			m.clearing = true
			s.ack(wire.TypePubrel, m.id, 0)
		}
	}
	if len(marks) == 0 {
		return
	}
	s.write(marks, func() {
		for _, m := range marked {
			m.waits--
		}
		s.ready.Send = true
	})
}

// assignID gives a message its packet identifier, or says why it can't be sent.
func (s *Session) assignID(m *Message) error {
	if m.expiryAt > 0 && !m.deadline().After(s.config.Now()) {
		return expired()
	}
	if err := s.limits.publish(m); err != nil {
		return err
	}
	if m.qos() == 0 {
		return nil
	}
	m.setID(s.nextID())
	s.out[m.id] = m
	return nil
}

// idsLeft reports whether there is a packet identifier that is not in use.
func (s *Session) idsLeft() bool {
	return len(s.out)+len(s.subscriptions.calls)+len(s.held) < 65535
}

// nextID returns the next packet identifier that is not in use [MQTT-2.2.1-3]. There
// must be one.
func (s *Session) nextID() uint16 {
	for {
		s.lastID++
		if s.lastID > 0 && s.out[s.lastID] == nil && s.subscriptions.calls[s.lastID] == nil && !s.held[s.lastID] {
			return s.lastID
		}
	}
}

// leaveFlight removes a message from those in flight.
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
	if m.counted {
		s.quota++
	} else {
		s.unsent--
	}
	s.ready.Send = s.ready.Send || s.cursor != nil || s.sendable() || len(s.subscriptions.queue) > 0
}

// count subtracts a message from the send quota, once on each connection (4.9).
func (s *Session) count(m *Message) {
	if !m.counted {
		m.counted = true
		s.quota--
		s.unsent--
	}
}

// Next appends packets that may leave now to dst, together about max bytes, or a
// single larger one: first SUBSCRIBE and UNSUBSCRIBE, then acknowledgements, then
// messages. They are valid until Written, which must follow before the next call.
func (s *Session) Next(dst [][]byte, max int) [][]byte {
	if !s.online {
		return dst
	}
	dst, size := s.nextCalls(dst, max)
	if s.cursor == nil && s.queue.n > 0 {
		s.stage(max - size) // may have to clear identifiers first
	}
	if len(s.acks) > 0 {
		dst, size = append(dst, s.acks), size+len(s.acks)
		s.acks, s.spareAcks = s.spareAcks[:0], s.acks
	}
	s.control = size
	for {
		if s.cursor == nil {
			if s.stage(max - size); s.cursor == nil {
				return dst
			}
		}
		m := s.cursor
		if m.pubrel {
			s.cursor = m.next
			continue
		}
		if m.qos() > 0 && !m.counted && s.quota <= 0 {
			// Messages behind it may use up the quota until their PUBREL is sent.
			if m = s.nextReleased(); m == nil {
				return dst
			}
		} else if m.waits > 0 || size > 0 && size+len(m.frame) > max {
			return dst
		}
		frame := s.hand(m)
		size += len(frame)
		dst = append(dst, frame)
		s.handed, s.ends = append(s.handed, m), append(s.ends, size)
	}
}

// nextReleased returns the first message from the cursor on whose next packet is
// PUBREL.
func (s *Session) nextReleased() *Message {
	m := s.cursor
	for m != nil && (!m.released || m.pubrel) {
		m = m.next
	}
	return m
}

// hand returns a message's next packet, and moves the cursor.
func (s *Session) hand(m *Message) (frame []byte) {
	if s.cursor == m {
		s.cursor = m.next
	}
	if m.released {
		m.pubrel = true
		return wire.AppendAck(nil, wire.TypePubrel, m.id, 0)
	}
	if m.qos() > 0 {
		s.count(m)
		if m.attempted {
			m.frame[0] |= 8 // DUP [MQTT-3.3.1-1], [MQTT-3.3.1-2]
		}
	}
	if m.expiryAt > 0 {
		m.age(s.config.Now())
	}
	again := m.attempted
	m.attempted = true
	if again { // what is sent again relies on no alias
		return m.frame
	}
	return s.aliases.shorten(m)
}

// Written says how many of the bytes that Next returned were written. Fewer than all
// means that the connection is over: packets that were certainly not written count as
// never sent.
func (s *Session) Written(n int) {
	start := s.control
	for i, m := range s.handed {
		end := s.ends[i]
		switch {
		case m.list != &s.flight: // settled meanwhile
		case n > start && m.qos() == 0:
			s.leaveFlight(m)
			var err error
			if n < end {
				err = wire.NewError(wire.Network, "publish: the connection was lost while the message was being written; it may or may not have arrived")
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
		s.subscriptions.handed = nil // they were sent, or may have been
	}
}
