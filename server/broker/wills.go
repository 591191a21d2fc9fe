package broker

import (
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Wills are our own: mochi forgets their properties, takes no empty ones, and sends
// delayed ones though their client is back.

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
	from.WillFlag, from.WillRetain, from.WillQos, from.WillPayload = false, false, 0, nil
}

// leaveWill is for the end of a connection. The will is due at once, or after its delay
// where the session goes on without a connection (3.1.3.2.2).
func (p *policy) leaveWill(c *conn, ends, takenOver bool) {
	if c.will == nil {
		return
	}
	delay := time.Duration(c.will.Properties.WillDelayInterval) * time.Second
	switch {
	case ends || delay == 0:
		c.parting = c.will
	case !takenOver:
		s := c.session
		s.mu.Lock()
		defer s.mu.Unlock()
		s.will, s.delay = c.will, time.AfterFunc(delay, func() { p.publishDelayed(s) })
	}
}

// publishDelayed publishes a will that waits, if there is one, before its time.
func (p *policy) publishDelayed(s *session) {
	if will := s.cancelWill(); will != nil {
		p.publishWill(s.client, *will)
	}
}

// cancelWill is for a client that is back.
func (s *session) cancelWill() (will *packets.Packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if will, s.will = s.will, nil; will != nil {
		s.delay.Stop()
	}
	return will
}

func (p *policy) publishWill(client string, will packets.Packet) {
	if will.FixedHeader.Qos > 0 {
		will.PacketID = 1 // mochi insists on one, and does not use it
	}
	p.inject(p.server.NewClient(nil, mqtt.LocalListener, client, true), will)
}

// inject publishes a message of the broker's, or in the name of a client that has gone.
func (p *policy) inject(from *mqtt.Client, pk packets.Packet) {
	p.sessions.delivery.RLock()
	defer p.sessions.delivery.RUnlock()
	_ = p.server.InjectPacket(from, pk) // refused where there is no room for it
}
