package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// subscriber has a session that outlives its connections.
type subscriber struct {
	name    string
	ledger  *ledger
	pending map[uint16]bool // QoS 2, received but not released (4.3.3)
}

func (s *subscriber) connect(t *testing.T, address string, again bool) net.Conn {
	t.Helper()
	c := dialTCP(t, address)
	if present := connectMQTT(t, c, s.name); present != again {
		t.Fatalf("session present: %v", present)
	}
	if !again {
		subscribe(t, c, 2, "kill/#")
	}
	_ = c.SetReadDeadline(time.Time{})
	return c
}

// receive acknowledges messages until the connection breaks.
func (s *subscriber) receive(c net.Conn) {
	defer c.Close()
	for {
		cp, err := packets.ReadPacket(c)
		if err != nil {
			return
		}
		var answer *packets.ControlPacket
		switch m := cp.Content.(type) {
		case *packets.Publish:
			if m.QoS == 2 {
				answer = packets.NewControlPacket(packets.PUBREC)
				answer.Content.(*packets.Pubrec).PacketID = m.PacketID
			} else {
				answer = packets.NewControlPacket(packets.PUBACK)
				answer.Content.(*packets.Puback).PacketID = m.PacketID
			}
			if m.QoS == 2 && s.pending[m.PacketID] {
				break
			}
			s.pending[m.PacketID] = m.QoS == 2
			s.ledger.note(func() { s.ledger.received[s.name][string(m.Payload)]++ })
		case *packets.Pubrel:
			delete(s.pending, m.PacketID)
			answer = packets.NewControlPacket(packets.PUBCOMP)
			answer.Content.(*packets.Pubcomp).PacketID = m.PacketID
		default:
			continue
		}
		if _, err := answer.WriteTo(c); err != nil {
			return
		}
	}
}

// publisher has a session that outlives its connections. It sends messages of QoS 1 and 2
// in turn, several in flight.
type publisher struct {
	name   string
	ledger *ledger
	known  bool // the server has its session
	count  int
	flight []*outgoing // oldest first
}

type outgoing struct {
	id       uint16
	qos      byte
	payload  string
	received bool // QoS 2: PUBREC has arrived
}

func (m *outgoing) send(c net.Conn, topic string, again bool) error {
	cp := packets.NewControlPacket(packets.PUBLISH)
	cp.Flags = m.qos << 1
	content := cp.Content.(*packets.Publish)
	content.Topic, content.Payload, content.PacketID, content.QoS, content.Duplicate = topic, []byte(m.payload), m.id, m.qos, again
	if m.received {
		cp = packets.NewControlPacket(packets.PUBREL)
		cp.Content.(*packets.Pubrel).PacketID = m.id
	}
	_, err := cp.WriteTo(c)
	return err
}

// connect reports whether CONNACK arrived.
func (p *publisher) connect(t *testing.T, c net.Conn) bool {
	cp := packets.NewControlPacket(packets.CONNECT)
	expiry := uint32(60)
	cp.Content.(*packets.Connect).ClientID, cp.Content.(*packets.Connect).Properties.SessionExpiryInterval = p.name, &expiry
	if _, err := cp.WriteTo(c); err != nil {
		return false
	}
	answer, err := packets.ReadPacket(c)
	if err != nil {
		return false
	}
	connack, ok := answer.Content.(*packets.Connack)
	if !ok || connack.ReasonCode != 0 || p.known && !connack.SessionPresent {
		t.Errorf("%s: %s", p.name, answer)
	}
	p.known = true
	return true
}

// publish resends the messages in flight [MQTT-4.4.0-1] and then, if more is set, publishes
// new ones until the connection breaks. before is the signal that ended the last server.
func (p *publisher) publish(c net.Conn, before os.Signal, more bool) {
	topic := "kill/" + p.name
	for _, m := range p.flight {
		if before == syscall.SIGKILL && m.qos == 2 && !m.received {
			p.ledger.note(func() { p.ledger.unsure[m.payload] = true })
		}
		if m.send(c, topic, true) != nil {
			return
		}
	}
	for more || len(p.flight) > 0 {
		for more && len(p.flight) < 8 {
			m := &outgoing{id: uint16(1 + p.count%1000), qos: byte(1 + p.count%2)}
			m.payload = fmt.Sprintf("%s/%d qos %d", p.name, p.count, m.qos)
			p.count++
			p.flight = append(p.flight, m)
			if m.send(c, topic, false) != nil {
				return
			}
		}
		cp, err := packets.ReadPacket(c)
		if err != nil {
			return
		}
		m := p.find(cp)
		switch {
		case m == nil: // DISCONNECT
			continue
		case cp.Type != packets.PUBCOMP && acknowledged(cp) == nil:
			p.ledger.note(func() { p.ledger.acked[m.payload] = true })
			if m.received = m.qos == 2; m.received {
				if m.send(c, topic, false) != nil {
					return
				}
				continue
			}
		}
		p.flight = slices.DeleteFunc(p.flight, func(other *outgoing) bool { return other == m })
	}
}

// find returns the message that a packet acknowledges, or nil.
func (p *publisher) find(answer *packets.ControlPacket) *outgoing {
	i := slices.IndexFunc(p.flight, func(m *outgoing) bool { return m.id == answer.PacketID() })
	if i < 0 {
		return nil
	}
	return p.flight[i]
}

func acknowledged(cp *packets.ControlPacket) error {
	var reason byte
	switch m := cp.Content.(type) {
	case *packets.Puback:
		reason = m.ReasonCode
	case *packets.Pubrec:
		reason = m.ReasonCode
	default:
		return errors.New("no acknowledgement: " + cp.String())
	}
	if reason >= 0x80 {
		return fmt.Errorf("reason %#x", reason)
	}
	return nil
}
