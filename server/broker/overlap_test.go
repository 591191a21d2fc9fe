package broker

import (
	"encoding/binary"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2/packets"

	"github.com/eclipse/paho.golang/packets"
)

// wish is a subscription.
type wish struct {
	filter  string
	qos     byte
	id      int
	noLocal bool
}

func (p *peer) wish(wishes ...wish) {
	p.t.Helper()
	for _, w := range wishes {
		cp := packets.NewControlPacket(packets.SUBSCRIBE)
		s := cp.Content.(*packets.Subscribe)
		s.PacketID, s.Subscriptions = 1, []packets.SubOptions{{Topic: w.filter, QoS: w.qos, NoLocal: w.noLocal}}
		if w.id > 0 {
			s.Properties = &packets.Properties{SubscriptionIdentifier: &w.id}
		}
		p.send(cp)
		if got := expect[packets.Suback](p).Reasons[0]; got != w.qos {
			p.t.Fatalf("SUBACK reason %#x for %s", got, w.filter)
		}
	}
}

// bytewise is an io.ByteReader that does not read ahead.
type bytewise struct{ io.Reader }

func (r bytewise) ReadByte() (byte, error) {
	var one [1]byte
	_, err := io.ReadFull(r, one[:])
	return one[0], err
}

// message returns the next PUBLISH, with all its Subscription Identifiers.
func (p *peer) message() mochi.Packet {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	in := bytewise{p.conn}
	for {
		first, err := in.ReadByte()
		if err != nil {
			p.t.Fatal(err)
		}
		length, err := binary.ReadUvarint(in)
		if err != nil {
			p.t.Fatal(err)
		}
		packet := binary.AppendUvarint([]byte{first}, length)
		body := make([]byte, length)
		if _, err := io.ReadFull(in, body); err != nil {
			p.t.Fatal(err)
		}
		if first>>4 == packets.PUBLISH {
			m, err := decodePublish(append(packet, body...))
			if err != nil {
				p.t.Fatal(err)
			}
			return m
		}
	}
}

func (p *peer) wants(payload string, qos byte, ids ...int) (packetID uint16) {
	p.t.Helper()
	m := p.message()
	if string(m.Payload) != payload || m.FixedHeader.Qos != qos || !slices.Equal(m.Properties.SubscriptionIdentifier, ids) {
		p.t.Errorf("got %q of QoS %d for subscriptions %v, want %q of QoS %d for %v",
			m.Payload, m.FixedHeader.Qos, m.Properties.SubscriptionIdentifier, payload, qos, ids)
	}
	return m.PacketID
}

// [MQTT-3.8.3-3]: No Local applies to its own subscription only. Through the other matching
// ones a client gets its own message once, with their maximum QoS and their identifiers.
func TestNoLocalWithOverlap(t *testing.T) {
	wide, narrow, plus := wish{"a/#", 2, 1, true}, wish{"a/b", 1, 2, false}, wish{"+/b", 0, 3, false}
	for name, wishes := range map[string][]wish{"No Local first": {wide, narrow, plus}, "No Local last": {plus, narrow, wide}} {
		t.Run(name, func(t *testing.T) {
			b := start(t, Options{DataDir: t.TempDir()})
			p := connect(t, dialTCP(t, b), lastingAs("both"))
			p.wish(wishes...)
			other := connect(t, dialTCP(t, b), nil)
			for range 2 { // again when the session is resumed
				other.publish(0, 0, false, "a/b", "of another")
				p.wants("of another", 0, 1, 2, 3)
				p.publish(0, 0, false, "a/c", "unwanted")
				p.publish(1, 2, false, "a/b", "own")
				p.wants("own", 1, 2, 3)
				p.publish(0, 0, false, "x/b", "once")
				p.wants("once", 0, 3)
				release := packets.NewControlPacket(packets.PUBREL)
				release.Content.(*packets.Pubrel).PacketID = 1
				p.send(release)
				p.send(packets.NewControlPacket(packets.DISCONNECT))
				_, _ = io.Copy(io.Discard, p.conn)
				p = connect(t, dialTCP(t, b), lastingAs("both"))
				p.puback(p.wants("own", 1, 2, 3)) // resent, as it was not acknowledged
			}
			unsubscribe := packets.NewControlPacket(packets.UNSUBSCRIBE)
			unsubscribe.Content.(*packets.Unsubscribe).PacketID = 2
			unsubscribe.Content.(*packets.Unsubscribe).Topics = []string{"a/b", "+/b"}
			p.send(unsubscribe)
			expect[packets.Unsuback](p)
			p.publish(0, 0, false, "a/b", "unwanted")
			other.publish(0, 0, false, "a/b", "last")
			p.wants("last", 0, 1)
		})
	}
}

// [MQTT-3.8.3-4]: No Local does not affect shared subscriptions.
func TestNoLocalBesideAGroup(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), nil)
	p.wish(wish{"a/#", 2, 1, true}, wish{"$share/g/a/b", 0, 2, false})
	for _, payload := range []string{"first", "second"} {
		p.publish(0, 0, false, "a/b", payload)
		p.wants(payload, 0, 2)
	}
}

// Messages published at the same time carry the identifiers of the subscriptions they
// match, and no others.
func TestIdentifiersOfOverlappingSubscriptions(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), nil)
	p.wish(wish{"a/#", 0, 1, false}, wish{"a/b", 0, 2, false})
	var publishers sync.WaitGroup
	for _, topic := range []string{"a/b", "a/b", "a/c", "a/c"} {
		pub := connect(t, dialTCP(t, b), nil)
		publishers.Go(func() {
			for i := range 50 {
				pub.publish(uint16(i+1), 1, false, topic, topic)
				expect[packets.Puback](pub)
			}
		})
	}
	for range 200 {
		m := p.message()
		want := map[string][]int{"a/b": {1, 2}, "a/c": {1}}[m.TopicName]
		if got := m.Properties.SubscriptionIdentifier; !slices.Equal(got, want) {
			t.Fatalf("on %s for subscriptions %v, want %v", m.TopicName, got, want)
		}
	}
	publishers.Wait()
	unsubscribe := packets.NewControlPacket(packets.UNSUBSCRIBE)
	unsubscribe.Content.(*packets.Unsubscribe).PacketID = 2
	unsubscribe.Content.(*packets.Unsubscribe).Topics = []string{"a/#"}
	p.send(unsubscribe)
	p.publish(0, 0, false, "a/b", "last")
	p.wants("last", 0, 2)
}

// A client gets a message with the identifiers of all its subscriptions that it matches,
// shared or not [MQTT-3.3.4-4].
func TestIdentifiersOfSharedSubscriptions(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), nil)
	for i, filter := range []string{"$share/g/a", "$share/g/+", "a", "$share/h/a"} {
		p.wish(wish{filter: filter, id: i + 1})
	}
	p.publish(0, 0, false, "a", "x")
	want := "\x30\x0d\x00\x01a\x08\x0b\x01\x0b\x02\x0b\x03\x0b\x04x"
	got := make([]byte, len(want))
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(p.conn, got); err != nil || string(got) != want {
		t.Errorf("% x, %v", got, err)
	}
}
