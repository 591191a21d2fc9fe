package session

import (
	"mqttwasm/wasm/mqtt/internal/wire"
)

// write is the writer: it takes packets, or writes some bytes of those it has.
func (m *model) write() {
	switch {
	case !m.connected:
	case m.writing != nil:
		n := min(1+m.rng.IntN(60), len(m.writing)-m.moved)
		m.move(n)
		if m.moved == len(m.writing) && m.rng.IntN(3) > 0 {
			m.written()
		}
	case m.woken:
		frames := m.s.Next(nil, 1+m.rng.IntN(200))
		m.flush()
		m.woken = len(frames) > 0
		for _, frame := range frames {
			m.inspect(frame)
			m.writing = append(m.writing, frame...)
		}
	}
}

// move writes some bytes.
func (m *model) move(n int) {
	m.up = append(m.up, m.writing[m.moved:m.moved+n]...)
	m.moved += n
	for _, span := range m.spans {
		if span.start < m.moved {
			m.flying[span.payload] = true
		}
	}
}

func (m *model) written() {
	if m.writing != nil {
		m.s.Written(m.moved)
	}
	m.writing, m.moved, m.spans = nil, 0, nil
}

// packet removes the first complete packet from a stream; nil: there is none.
func packet(stream *[]byte) []byte {
	s := *stream
	if len(s) < 2 {
		return nil
	}
	length, size, ok, _ := wire.Varint(s[1:])
	if end := 1 + size + length; ok && end <= len(s) {
		*stream = s[end:]
		return s[:end]
	}
	return nil
}

// receive lets the broker read a packet.
func (m *model) receive() (any bool) {
	p := packet(&m.up)
	if p != nil {
		m.broker.receive(p)
	}
	return p != nil
}

// send lets the broker write packets, and the client read one.
func (m *model) send() (any bool) {
	if !m.connected {
		return false
	}
	for range 1 + m.rng.IntN(3) {
		if p := m.broker.send(m.rng); p != nil {
			m.down = append(m.down, p...)
			any = true
		}
	}
	return m.read() || any
}

// read lets the client read a packet.
func (m *model) read() bool {
	p := packet(&m.down)
	if p == nil {
		return false
	}
	_, size, _, _ := wire.Varint(p[1:])
	header, body := p[0], p[1+size:]
	var err error
	switch kind := header >> 4; kind {
	case wire.TypePublish:
		var publish wire.Publish
		if err = wire.ParsePublish(header, body, &publish); err == nil {
			err = m.readPublish(&publish)
		}
	case wire.TypeSuback, wire.TypeUnsuback:
		var a *wire.Suback
		if a, err = wire.ParseSuback(kind, body); err == nil {
			err = m.s.Suback(a)
		}
	default:
		var a wire.Ack
		if a, err = wire.ParseAck(kind, body); err == nil {
			err = m.s.Ack(a)
		}
	}
	if err != nil {
		m.t.Errorf("%x: %v", p, err)
	}
	m.flush()
	return true
}

func (m *model) readPublish(p *wire.Publish) error {
	_, receipt, fresh, err := m.s.Received(p)
	if err != nil || !fresh {
		return err
	}
	payload := string(p.Payload)
	m.handedOut[payload]++
	if receipt > 0 {
		m.inbox = append(m.inbox, modelReceived{payload, receipt})
	}
	doubled := m.handedOut[payload] > 1 && !m.crashed && !m.broker.secretive
	for _, o := range m.broker.out {
		if o.payload == payload && o.received { // the client has sent PUBREC
			doubled = true
		}
	}
	if p.QoS() == 2 && doubled { // [MQTT-4.3.3-10]
		m.t.Errorf("%s is handed out twice", payload)
	}
	return nil
}

// part delivers some of the bytes in transit before the connection is cut.
func (m *model) part() {
	m.up, m.down = m.up[:m.rng.IntN(len(m.up)+1)], m.down[:m.rng.IntN(len(m.down)+1)]
	for m.receive() {
	}
}

// cut cuts the connection, between any two bytes.
func (m *model) cut() {
	if !m.connected {
		return
	}
	if m.writing != nil {
		m.move(m.rng.IntN(len(m.writing) - m.moved + 1))
	}
	m.part()
	for m.read() {
	}
	m.written()
	m.connected = false
	m.s.Lost(wire.NewError(wire.Network, "cut"))
	if m.mode.NoExpiry {
		m.broker.forget()
		m.sessionLost()
	}
	m.flush()
}
