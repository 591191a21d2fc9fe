package broker

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// 4.9: a subscriber gets every message in order, and never more unacknowledged ones than
// its Receive Maximum.
func TestReceiveMaximum(t *testing.T) {
	b := start(t, Options{})
	const allowed, total = 3, 50
	sub := connect(t, dialTCP(t, b), func(c *packets.Connect) {
		c.Properties.ReceiveMaximum = ptr(uint16(allowed))
	})
	sub.subscribe("many", 1)
	pub := connect(t, dialTCP(t, b), nil)
	for i := range total {
		pub.publish(uint16(i+1), 1, false, "many", fmt.Sprint(i))
		expect[packets.Puback](pub)
	}
	var unacked []uint16
	for i := range total {
		m := expect[packets.Publish](sub)
		if got, want := string(m.Payload), fmt.Sprint(i); got != want {
			t.Fatalf("message %s where %s was expected", got, want)
		}
		if unacked = append(unacked, m.PacketID); len(unacked) < allowed && i < total-1 {
			continue
		}
		// QoS 0 is not limited: its arrival shows that no fourth QoS 1 message was sent.
		if i == allowed-1 {
			pub.publish(0, 0, false, "many", "unlimited")
			if m := expect[packets.Publish](sub); string(m.Payload) != "unlimited" {
				t.Fatalf("message %s came without an acknowledgement", m.Payload)
			}
		}
		sub.puback(unacked[0])
		unacked = unacked[1:]
	}
}

// [MQTT-4.6.0-1]: a resumed session gets its messages in the order they were published.
func TestResumedSessionKeepsOrder(t *testing.T) {
	b := start(t, Options{})
	lasting := func(c *packets.Connect) {
		c.ClientID, c.CleanStart = "lasting", false
		c.Properties.SessionExpiryInterval = ptr(uint32(60))
		c.Properties.ReceiveMaximum = ptr(uint16(5))
	}
	sub := connect(t, dialTCP(t, b), lasting)
	sub.subscribe("many", 1)
	sub.disconnect()
	pub := connect(t, dialTCP(t, b), nil)
	next := 0
	for round := range 3 { // messages left from one round are older than those of the next
		for range 20 {
			pub.publish(uint16(next+1), 1, false, "many", fmt.Sprint(next))
			expect[packets.Puback](pub)
			next++
		}
		sub = connect(t, dialTCP(t, b), lasting)
		if !sub.connack.SessionPresent {
			t.Fatal("the session is gone")
		}
		for i := range 10 {
			m := expect[packets.Publish](sub)
			if got, want := string(m.Payload), fmt.Sprint(10*round+i); got != want {
				t.Fatalf("message %s where %s was expected", got, want)
			}
			sub.puback(m.PacketID)
		}
		// PINGRESP shows that the acknowledgements have been processed.
		sub.send(packets.NewControlPacket(packets.PINGREQ))
		for range 5 { // released by the acknowledgements
			expect[packets.Publish](sub)
		}
		expect[packets.Pingresp](sub)
		sub.disconnect()
	}
}

// [MQTT-3.3.1-3]: DUP is set only on a message that was sent before.
func TestDupOnlyForWhatWasSent(t *testing.T) {
	b := start(t, Options{})
	lasting := func(c *packets.Connect) {
		lastingAs("away")(c)
		c.Properties.ReceiveMaximum = ptr(uint16(1))
	}
	sub := connect(t, dialTCP(t, b), lasting)
	sub.subscribe("t", 2)
	sub.disconnect()
	pub := connect(t, dialTCP(t, b), nil)
	for id := range uint16(2) {
		pub.publish(id+1, 1, false, "t", fmt.Sprint(id))
		expect[packets.Puback](pub)
	}
	for _, want := range []string{"PUBLISH 0 false", "PUBLISH 0 true"} { // the second message is held back
		sub = connect(t, dialTCP(t, b), lasting)
		if got := sub.described(); got != want {
			t.Errorf("%s where %s was expected", got, want)
		}
		sub.disconnect()
	}
	sub = connect(t, dialTCP(t, b), lasting)
	sub.puback(expect[packets.Publish](sub).PacketID)
	if got, want := sub.described(), "PUBLISH 1 false"; got != want {
		t.Errorf("%s where %s was expected", got, want)
	}
}

func (p *peer) described() string {
	cp := p.next()
	if m, ok := cp.Content.(*packets.Publish); ok {
		return fmt.Sprintf("%s %s %t", cp.PacketType(), m.Payload, cp.Flags&8 != 0)
	}
	return cp.PacketType()
}

// [MQTT-4.4.0-1]: the broker resends only unacknowledged PUBLISH and PUBREL packets.
func TestPubrecIsNotResent(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), lastingAs("device"))
	p.publish(7, 2, false, "t", "x")
	expect[packets.Pubrec](p)
	p.disconnect()
	p = connect(t, dialTCP(t, b), lastingAs("device"))
	if _, err := p.conn.Write([]byte("\x62\x02\x00\x07")); err != nil {
		t.Fatal(err)
	}
	if ack := expect[packets.Pubcomp](p); ack.PacketID != 7 || ack.ReasonCode != 0 {
		t.Errorf("PUBCOMP %d, reason %#x", ack.PacketID, ack.ReasonCode)
	}
}

// 3.9.2.1.3: the properties of SUBACK and UNSUBACK are the broker's, not those of the
// request.
func TestSubackHasNoForeignProperties(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), nil)
	for packet, want := range map[string]string{
		"\x82\x0e\x00\x01\x07\x26\x00\x01k\x00\x01v\x00\x01t\x00": "\x90\x04\x00\x01\x00\x00",
		"\xa2\x0d\x00\x02\x07\x26\x00\x01k\x00\x01v\x00\x01u":     "\xb0\x04\x00\x02\x00\x11",
	} {
		if _, err := p.conn.Write([]byte(packet)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		_ = p.conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.ReadFull(p.conn, got); err != nil || string(got) != want {
			t.Errorf("% x % v answers % x", got, err, packet)
		}
	}
}

// Allocating identifiers for a client's packets and delivering to that client do not
// deadlock.
func TestOwnMessagesPipelined(t *testing.T) {
	const clients, total = 20, 1000
	b := start(t, Options{})
	var done sync.WaitGroup
	for i := range clients {
		p := connect(t, dialTCP(t, b), nil)
		topic := fmt.Sprint(i)
		p.subscribe(topic, 1)
		done.Go(func() {
			for id := range uint16(total) {
				_, _ = p.conn.Write([]byte{0x32, byte(5 + len(topic)), 0, byte(len(topic))})
				_, _ = p.conn.Write(append([]byte(topic), byte((id+1)>>8), byte(id+1), 0))
			}
		})
		done.Go(func() {
			_ = p.conn.SetReadDeadline(time.Now().Add(patience))
			for got := 0; got < 2*total; got++ {
				if _, err := packets.ReadPacket(p.conn); err != nil {
					t.Errorf("after %d packets: %v", got, err)
					return
				}
			}
		})
	}
	done.Wait()
}

// 2.2.1: each direction has its own packet identifiers.
func TestPacketIdentifiersOfBothDirections(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), func(c *packets.Connect) { c.Properties.ReceiveMaximum = ptr(uint16(1)) })
	p.subscribe("echo", 1)
	p.publish(1, 1, false, "echo", "first")
	// PUBACK and the message come from two goroutines, in either order.
	var first *packets.Publish
	var acknowledged bool
	for range 2 {
		switch content := p.next().Content.(type) {
		case *packets.Publish:
			first = content
		case *packets.Puback:
			acknowledged = true
		}
	}
	if first == nil || !acknowledged {
		t.Fatalf("got the message: %t, its acknowledgement: %t", first != nil, acknowledged)
	}
	p.publish(1, 1, false, "echo", "second")
	expect[packets.Puback](p)
	p.puback(first.PacketID)
	if second := expect[packets.Publish](p); string(second.Payload) != "second" {
		t.Fatalf("got %q", second.Payload)
	}
}

// [MQTT-4.3.2-4]: messages sent before DISCONNECT in the same segment are acknowledged.
func TestAcknowledgedBeforeLeaving(t *testing.T) {
	b := start(t, Options{})
	for name, dial := range map[string]func(*testing.T, *Broker) net.Conn{"TCP": dialTCP, "WebSocket": dialWebSocket} {
		t.Run(name, func(t *testing.T) {
			p := connect(t, dial(t, b), nil)
			var segment bytes.Buffer
			for id := range uint16(3) {
				publish := packets.NewControlPacket(packets.PUBLISH)
				*publish.Content.(*packets.Publish) = packets.Publish{
					Topic: "last words", QoS: 1, PacketID: id + 1, Properties: &packets.Properties{},
				}
				_, _ = publish.WriteTo(&segment)
			}
			_, _ = packets.NewControlPacket(packets.DISCONNECT).WriteTo(&segment)
			if _, err := p.conn.Write(segment.Bytes()); err != nil {
				t.Fatal(err)
			}
			for id := range uint16(3) {
				if ack := expect[packets.Puback](p); ack.PacketID != id+1 {
					t.Fatalf("message %d is acknowledged where %d is due", ack.PacketID, id+1)
				}
			}
			p.expectEnd()
		})
	}
}

// The second packet is held back whatever its length, in one write or several.
func TestHeldPackets(t *testing.T) {
	for _, length := range []int{1, 200, 20_000, 65_535} {
		f := newFlow()
		f.limit, f.begun = 1, true
		var both bytes.Buffer
		for id := range uint16(2) {
			publish := packets.NewControlPacket(packets.PUBLISH)
			publish.Flags = 1 << 1
			*publish.Content.(*packets.Publish) = packets.Publish{
				Topic: strings.Repeat("t", length), QoS: 1, PacketID: id + 1, Properties: &packets.Properties{},
			}
			_, _ = publish.WriteTo(&both)
		}
		first, second := both.Bytes()[:both.Len()/2], both.Bytes()[both.Len()/2:]
		if got := f.admit(both.Bytes()); !bytes.Equal(got, first) {
			t.Errorf("%d bytes may leave, of packets with %d", len(got), len(first))
		}
		if got := f.acknowledge(1); !bytes.Equal(got, second) {
			t.Errorf("the acknowledgement sets %d bytes free, of %d", len(got), len(second))
		}
	}
}

// A client without a Receive Maximum gets every message at once.
func TestWithoutReceiveMaximum(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), nil)
	p.subscribe("many", 1)
	for i := range 200 {
		p.publish(uint16(i+1), 1, false, "many", fmt.Sprint(i))
	}
	for got, acked := 0, 0; got < 200 || acked < 200; {
		_ = p.conn.SetReadDeadline(time.Now().Add(patience))
		cp, err := packets.ReadPacket(p.conn)
		if err != nil {
			t.Fatalf("after %d messages and %d acknowledgements: %v", got, acked, err)
		}
		switch m := cp.Content.(type) {
		case *packets.Publish:
			if string(m.Payload) != fmt.Sprint(got) {
				t.Fatalf("message %s where %d was expected", m.Payload, got)
			}
			got++
		case *packets.Puback:
			acked++
		}
	}
}

func ptr[T any](v T) *T { return &v }

// [MQTT-3.3.2-7]: a message keeps its topic although the one before it was held back by
// Receive Maximum, or was sent on a lost connection.
func TestTopicsOfClientsThatTakeAliases(t *testing.T) {
	b := start(t, Options{DataDir: t.TempDir()})
	lasting := func(c *packets.Connect) {
		c.ClientID, c.CleanStart = "aliases", false
		c.Properties.SessionExpiryInterval = ptr(uint32(60))
		c.Properties.TopicAliasMaximum = ptr(uint16(10))
		c.Properties.ReceiveMaximum = ptr(uint16(1))
	}
	sub := connect(t, dialTCP(t, b), lasting)
	sub.subscribe("a/b", 1)
	pub := connect(t, dialTCP(t, b), nil)
	id := uint16(0)
	publish := func(qos byte) {
		id++
		pub.publish(id, qos, false, "a/b", "x")
		if qos > 0 {
			expect[packets.Puback](pub)
		}
	}
	take := func() {
		t.Helper()
		m := expect[packets.Publish](sub)
		if m.Topic != "a/b" || m.Properties.TopicAlias != nil {
			t.Errorf("topic %q, alias %v", m.Topic, m.Properties.TopicAlias)
		}
		if m.QoS > 0 {
			sub.puback(m.PacketID)
		}
	}
	publish(1)
	publish(1) // held back
	publish(0) // overtakes
	for range 3 {
		take()
	}
	sub.disconnect()
	publish(1)
	sub = connect(t, dialTCP(t, b), lasting)
	take()
}
