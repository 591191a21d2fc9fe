package mqtt

// incoming is a QoS 1 or 2 message of the broker that is not done with.
type incoming struct {
	qos        byte
	generation uint32 // the connection that it last came on
	taken      bool   // it was handed out; a repetition is only acknowledged
	kept       bool   // the store has it
}

// receive enters a QoS 1 or 2 message. It returns nil when the message is a
// repetition of one that was handed out or waits to be.
func (s *session) receive(p *publishPacket) (*delivery, error) {
	d, ack, err := s.enter(p)
	s.write(ack)
	return d, err
}

func (s *session) enter(p *publishPacket) (d *delivery, ack []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, known := s.in[p.id]
	// At QoS 2 an identifier in use means the same message, whatever DUP says
	// [MQTT-4.3.3-10]; at QoS 1 only with DUP.
	repeated := known && m.qos == p.qos() && (m.qos == 2 || p.duplicate())
	if !known || m.generation != s.generation || !repeated {
		if s.received++; s.received > s.recvMax {
			return nil, nil, violation(reasonReceiveMaximum, "more than %d messages unacknowledged, our Receive Maximum", s.recvMax)
		}
	}
	if !repeated {
		s.in[p.id] = &incoming{qos: p.qos(), generation: s.generation}
		return &delivery{id: p.id, qos: p.qos(), epoch: s.epoch}, nil, nil
	}
	m.generation = s.generation
	if m.taken {
		ack = s.answer(p.id, m)
	}
	return nil, ack, nil
}

// answer returns PUBACK or PUBREC and books it. The caller holds mu.
func (s *session) answer(id uint16, m *incoming) []byte {
	if m.qos == 1 {
		s.received--
		delete(s.in, id)
		return answerFrame(puback<<4, id)
	}
	return answerFrame(pubrec<<4, id)
}

// acknowledge sends PUBACK and PUBREC for messages that were taken, once the
// store knows the QoS 2 ones.
func (s *session) acknowledge(deliveries []delivery) {
	s.mu.Lock()
	var changes []Record
	for _, d := range deliveries {
		if m := s.delivered(d); m != nil && m.qos == 2 && s.store != nil {
			m.kept = true
			changes = append(changes, Record{keptKey(keptIncoming, uint64(d.id)), []byte{}})
		}
	}
	if len(changes) == 0 {
		s.mu.Unlock()
		s.answerAll(deliveries)
		return
	}
	s.apply(changes, func() { s.answerAll(deliveries) }) // under mu, for the order
	s.mu.Unlock()
}

// delivered finds what was delivered, nil when the session it came in is gone.
// The caller holds mu.
func (s *session) delivered(d delivery) *incoming {
	if m, ok := s.in[d.id]; ok && d.epoch == s.epoch && m.qos == d.qos {
		return m
	}
	return nil
}

// answerAll answers in one write. What the broker will send again on this
// connection is answered then.
func (s *session) answerAll(deliveries []delivery) {
	var frame []byte
	s.mu.Lock()
	for _, d := range deliveries {
		m := s.delivered(d)
		if m == nil {
			continue
		}
		m.taken = true
		if s.conn != nil && m.generation == s.generation {
			frame = append(frame, s.answer(d.id, m)...)
		}
	}
	s.mu.Unlock()
	s.write(frame)
}

// released ends the exchange of a QoS 2 message of the broker, and returns
// PUBCOMP, unless it is sent later: once the store has forgotten the identifier,
// which the broker may then use for another message. The caller holds mu.
func (s *session) released(id uint16) (answer []byte) {
	m, known := s.in[id]
	if !known || m.qos != 2 {
		return answerFrame(pubcomp<<4, id, reasonIDNotFound)
	}
	if m.generation == s.generation {
		s.received--
	}
	delete(s.in, id)
	if !m.kept {
		return answerFrame(pubcomp<<4, id)
	}
	generation := s.generation
	s.apply([]Record{{Key: keptKey(keptIncoming, uint64(id))}}, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.conn != nil && generation == s.generation {
			s.conn.reply(answerFrame(pubcomp<<4, id))
		}
	})
	return nil
}
