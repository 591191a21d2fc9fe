package mqtt

// incoming is a QoS 1 or 2 message of the broker that is not done with.
type incoming struct {
	qos        byte
	generation uint32 // the connection that it last came on
	taken      bool   // it was handed out; a repetition is only acknowledged
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

// acknowledge sends PUBACK and PUBREC for messages that were taken, in one
// write. Those that the broker will send again on this connection are answered
// then.
func (s *session) acknowledge(deliveries []delivery) {
	var frame []byte
	s.mu.Lock()
	for _, d := range deliveries {
		m, ok := s.in[d.id]
		if !ok || d.epoch != s.epoch || m.qos != d.qos {
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
