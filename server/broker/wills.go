package broker

import (
	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Wills are not left to mochi: it drops their properties, accepts no empty ones, and
// sends delayed ones although their client is back.

// takeWill takes the will out of a CONNECT.
func (c *conn) takeWill(connect *packets.Packet) {
	from := &connect.Connect
	if !from.WillFlag {
		return
	}
	c.will = &packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: from.WillQos, Retain: from.WillRetain},
		TopicName:   from.WillTopic,
		Payload:     from.WillPayload,
		Properties:  from.WillProperties,
	}
	if from.WillQos > 0 {
		c.will.PacketID = 1 // mochi requires one, and does not use it
	}
	from.WillFlag, from.WillRetain, from.WillQos, from.WillPayload = false, false, 0, nil
}

// leaveWill handles the will at the end of a connection. It is due at once, or after
// its delay if the session goes on without a connection (3.1.3.2.2).
func (p *policy) leaveWill(c *conn, ends, takenOver bool) {
	if c.will == nil {
		return
	}
	switch {
	case ends || c.will.Properties.WillDelayInterval == 0:
		c.parting = c.will
	case !takenOver:
		c.session.mu.Lock()
		c.session.will, c.will = c.will, nil // see leave
		c.session.mu.Unlock()
	}
	c.discardWill()
}

func (c *conn) discardWill() {
	c.session.keepWill(c.will, -1)
	c.will = nil
}

// roomForWill reports whether one more will may be kept, if it takes the place of the
// session's.
func (p *policy) roomForWill(will *packets.Packet, session *session) bool {
	if will == nil {
		return true
	}
	size := p.sessions.wills.Load() + int64(sizeOf(*will))
	if session != nil {
		if _, waiting := session.waiting(); waiting != nil {
			size -= int64(sizeOf(*waiting))
		}
	}
	return size <= int64(p.most.allSessionBytes/4)
}

// keepWill counts the bytes of a will from CONNECT until it is published or discarded,
// or with -1 no longer.
func (s *session) keepWill(will *packets.Packet, times int) {
	if will != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.grow(times * sizeOf(*will))
		s.all.wills.Add(int64(times * sizeOf(*will)))
	}
}

// publishDelayed publishes a waiting will, if there is one: its delay is over, or its
// session has ended.
func (p *policy) publishDelayed(s *session) {
	will := s.cancelWill()
	if will == nil {
		return
	}
	p.publishWill(s.client, *will)
	p.sessions.delivery.Lock() // nobody resumes the session meanwhile
	defer p.sessions.delivery.Unlock()
	if cl, ok := p.server.Clients.Get(s.client); ok && cl.Closed() && p.sessions.get(s.client) == s {
		p.store.putRecord(cl, s)
	}
}

// cancelWill cancels the will of a client that is back.
func (s *session) cancelWill() (will *packets.Packet) {
	s.mu.Lock()
	if will, s.will = s.will, nil; s.delay != nil {
		s.delay.Stop()
	}
	s.mu.Unlock()
	s.keepWill(will, -1)
	return will
}

func (p *policy) publishWill(client string, will packets.Packet) {
	p.inject(p.server.NewClient(nil, mqtt.LocalListener, client, true), will)
}

// inject publishes a message of the broker, or in the name of a client that is gone.
func (p *policy) inject(from *mqtt.Client, pk packets.Packet) {
	p.sessions.delivery.RLock()
	defer p.sessions.delivery.RUnlock()
	_ = p.server.InjectPacket(from, pk) // refused if there is no room for it
}
