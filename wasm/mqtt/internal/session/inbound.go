package session

import "mqttwasm/wasm/mqtt/internal/wire"

// incoming is a QoS 1 or 2 message of the broker whose exchange is not complete.
type incoming struct {
	id         uint16
	qos        byte
	receipt    Receipt
	connection uint32 // on which it last arrived
	taken      bool   // by the application; a duplicate is only acknowledged
	answered   bool   // with PUBREC, on that connection
	journaled  bool
	released   bool // PUBREL arrived, and the journal is about to delete it
	doubtful   bool // the broker may have forgotten it, and reuse the identifier
}

// Receipt identifies a QoS 1 or 2 message that is to be acknowledged: a unique number
// and, in the lower 16 bits, the packet identifier; 0: none.
type Receipt = uint64

// Received takes a PUBLISH. It returns its topic, any alias resolved, and whether the
// message is new and not a duplicate of one received before. When a new one that has a
// receipt is safe, that is to be reported with Taken. The error ends the connection.
func (s *Session) Received(p *wire.Publish) (topic []byte, receipt Receipt, fresh bool, err error) {
	topic, err = s.resolve(p)
	if err != nil || p.QoS() == 0 {
		return topic, 0, err == nil, err
	}
	m, known := s.in[p.ID]
	// At QoS 2 an identifier in use means the same message, whatever DUP says
	// [MQTT-4.3.3-10], unless it is doubtful; at QoS 1 only with DUP.
	repeated := known && m.qos == p.QoS() && (p.Duplicate() || m.qos == 2 && !m.doubtful)
	if known && !repeated {
		s.forgetIncoming(m)
	}
	if !repeated || m.connection != s.connection {
		if s.received == s.config.ReceiveMaximum { // [MQTT-3.3.4-9]
			return nil, 0, false, wire.Violation(wire.ReasonReceiveMaximum,
				"more than %d messages unacknowledged, over our Receive Maximum", s.config.ReceiveMaximum)
		}
		s.received++
	}
	switch {
	case !repeated:
		s.receipts++
		m = &incoming{id: p.ID, qos: p.QoS(), receipt: s.receipts<<16 | Receipt(p.ID), connection: s.connection}
		s.in[p.ID] = m
		s.arrived = append(s.arrived, m)
		return topic, m.receipt, true, nil
	case m.connection != s.connection:
		m.connection, m.answered, m.doubtful = s.connection, false, false
		s.arrived = append(s.arrived, m)
		s.answer()
	case m.answered:
		s.ack(wire.TypePubrec, m.id, 0)
	}
	return topic, 0, false, nil
}

// Taken says that the application has these messages and will not lose them: they are
// acknowledged, those of QoS 2 once they are in the journal.
func (s *Session) Taken(receipts []Receipt) {
	if s.ended {
		return
	}
	var records []Record
	for _, r := range receipts {
		if m := s.find(r); m != nil && m.qos == 2 && s.config.Journal {
			m.journaled = true
			records = append(records, Record{journalKey(keptIncoming, uint64(m.id)), []byte{}})
		}
	}
	s.write(records, func() {
		for _, r := range receipts {
			if m := s.find(r); m != nil {
				m.taken = true
			}
		}
		s.answer()
	})
}

// find returns the message of a receipt; nil when it is gone, with its session or
// because the broker reused its identifier.
func (s *Session) find(r Receipt) *incoming {
	if m := s.in[uint16(r)]; m != nil && m.receipt == r {
		return m
	}
	return nil
}

// answer sends PUBACK and PUBREC for what was taken, in the order of arrival
// [MQTT-4.6.0-2], [MQTT-4.6.0-3], up to the first that was not taken. What the broker
// will send again on another connection is answered there.
func (s *Session) answer() {
	for s.online && len(s.arrived) > 0 {
		m := s.arrived[0]
		switch current := s.in[m.id] == m; {
		case current && !m.taken:
			return
		case current && m.qos == 1:
			s.received--
			delete(s.in, m.id)
			s.ack(wire.TypePuback, m.id, 0)
		case current:
			m.answered = true
			s.ack(wire.TypePubrec, m.id, 0)
		}
		s.arrived = s.arrived[1:]
	}
}

// pubrel ends the exchange of a QoS 2 message of the broker with PUBCOMP, once the journal
// has forgotten the identifier: the broker may then use it for another message.
func (s *Session) pubrel(id uint16) {
	m, known := s.in[id]
	if !known || m.qos != 2 {
		s.ack(wire.TypePubcomp, id, wire.ReasonIDNotFound)
		return
	}
	if m.connection == s.connection && !m.released {
		s.received--
	}
	if !m.journaled {
		delete(s.in, id)
		s.ack(wire.TypePubcomp, id, 0)
		return
	}
	m.released = true
	connection := s.connection
	s.write([]Record{{Key: journalKey(keptIncoming, uint64(id))}}, func() {
		if s.in[id] == m {
			delete(s.in, id)
		}
		if s.online && connection == s.connection {
			s.ack(wire.TypePubcomp, id, 0)
		}
	})
}

// doubtInbound says that the broker may have forgotten what it sent, and may reuse the
// identifiers. At QoS 1, messages are delivered twice rather than lost.
func (s *Session) doubtInbound() {
	for id, m := range s.in {
		if m.doubtful = true; m.qos == 1 {
			delete(s.in, id)
		}
	}
}

// forgetIncoming drops a message whose identifier the broker reused.
func (s *Session) forgetIncoming(m *incoming) {
	delete(s.in, m.id)
	if m.connection == s.connection && !m.released {
		s.received--
	}
	if m.journaled {
		s.write([]Record{{Key: journalKey(keptIncoming, uint64(m.id))}}, func() {})
	}
}

// forgetInbound drops what is known of received messages.
func (s *Session) forgetInbound() {
	var records []Record
	for id, m := range s.in {
		if m.journaled {
			records = append(records, Record{Key: journalKey(keptIncoming, uint64(id))})
		}
	}
	s.in, s.arrived = map[uint16]*incoming{}, nil
	s.write(records, func() {})
}
