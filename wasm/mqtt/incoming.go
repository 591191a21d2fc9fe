package mqtt

// incoming is a QoS 1 or 2 message of the broker that is not done with.
type incoming struct {
	id         uint16
	qos        byte
	generation uint32 // the connection that it last came on
	taken      bool   // it was handed out; a repetition is only acknowledged
	answered   bool   // with PUBREC, on that connection
	kept       bool   // the store has it
	released   bool   // PUBREL came, and the store is about to forget it
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
			return nil, nil, violation(reasonReceiveMaximum, "more than %d messages unacknowledged, over our Receive Maximum", s.recvMax)
		}
	}
	if !repeated {
		m = &incoming{id: p.id, qos: p.qos(), generation: s.generation}
		s.in[p.id] = m
		s.arrived = append(s.arrived, m)
		return &delivery{id: p.id, qos: p.qos(), epoch: s.epoch}, nil, nil
	}
	if m.generation != s.generation {
		m.generation, m.answered = s.generation, false
		s.arrived = append(s.arrived, m)
		return nil, s.answers(), nil
	}
	if m.answered {
		ack = answerFrame(pubrec<<4, m.id)
	}
	return nil, ack, nil
}

// answers returns PUBACK and PUBREC for what was taken, in the order in which it
// came [MQTT-4.6.0-2], [MQTT-4.6.0-3]: up to the first that was not taken. The
// caller holds mu.
func (s *session) answers() (frame []byte) {
	for len(s.arrived) > 0 {
		m := s.arrived[0]
		switch current := s.in[m.id] == m; {
		case current && !m.taken:
			return frame
		case current && m.qos == 1:
			s.received--
			delete(s.in, m.id)
			frame = append(frame, answerFrame(puback<<4, m.id)...)
		case current:
			m.answered = true
			frame = append(frame, answerFrame(pubrec<<4, m.id)...)
		}
		s.arrived = s.arrived[1:]
	}
	return frame
}

// acknowledge sends PUBACK and PUBREC for messages that were taken, once the
// store knows the QoS 2 ones.
func (s *session) acknowledge(deliveries []delivery) {
	s.mu.Lock()
	if s.ended { // and the store is closed
		s.mu.Unlock()
		return
	}
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
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range deliveries {
		if m := s.delivered(d); m != nil {
			m.taken = true
		}
	}
	if s.conn != nil {
		if frame := s.answers(); len(frame) > 0 {
			s.conn.reply(frame)
		}
	}
}

// released ends the exchange of a QoS 2 message of the broker, and returns
// PUBCOMP, unless it is sent later: once the store has forgotten the identifier,
// which the broker may then use for another message. The caller holds mu.
func (s *session) released(id uint16) (answer []byte) {
	m, known := s.in[id]
	if !known || m.qos != 2 {
		return answerFrame(pubcomp<<4, id, reasonIDNotFound)
	}
	if m.generation == s.generation && !m.released {
		s.received--
	}
	if !m.kept {
		delete(s.in, id)
		return answerFrame(pubcomp<<4, id)
	}
	m.released = true
	generation := s.generation
	s.apply([]Record{{Key: keptKey(keptIncoming, uint64(id))}}, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.in[id] == m {
			delete(s.in, id)
		}
		if s.conn != nil && generation == s.generation {
			s.conn.reply(answerFrame(pubcomp<<4, id))
		}
	})
	return nil
}
