package broker

import (
	"maps"
	"slices"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	mochi "github.com/mochi-mqtt/server/v2/packets"
)

// 4.7.1.2: a filter that ends with /# matches the level above, in messages as they come and
// in retained ones.
func TestLevelAbove(t *testing.T) {
	for _, filter := range []string{"t/#", "+/#", "$share/g/t/#", "$share/g/+/#"} {
		t.Run(filter, func(t *testing.T) {
			dir := t.TempDir()
			b := start(t, Options{DataDir: dir})
			pub := connect(t, dialTCP(t, b), nil)
			pub.publish(0, 0, true, "t", "retained")
			pub.pingpong()
			p := connect(t, dialTCP(t, b), lastingAs("device"))
			subscribe := func(handling byte, retained bool) {
				t.Helper()
				cp := packets.NewControlPacket(packets.SUBSCRIBE)
				content := cp.Content.(*packets.Subscribe)
				content.PacketID, content.Properties.SubscriptionIdentifier = 1, ptr(7)
				content.Subscriptions = []packets.SubOptions{{Topic: filter, QoS: 1, RetainHandling: handling}, {Topic: "x#", QoS: 1}, {Topic: "x/t/#", QoS: 1}}
				p.send(cp)
				if got := expect[packets.Suback](p).Reasons; !slices.Equal(got, []byte{1, 0x8f, 1}) {
					t.Fatalf("SUBACK % x", got)
				}
				if retained && filter[0] != '$' {
					p.expectIn(7, "retained")
				}
				p.pingpong()
			}
			subscribe(0, true)
			subscribe(1, false)
			subscribe(2, false)
			send := func(payload string) {
				t.Helper()
				pub.publish(1, 1, false, "t", payload)
				expect[packets.Puback](pub)
				p.expectIn(7, payload)
				p.pingpong()
			}
			send("connected")
			p = connect(t, dialTCP(t, b), lastingAs("device"))
			send("taken over")
			p.disconnect()
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}

			b = start(t, Options{DataDir: dir})
			pub = connect(t, dialTCP(t, b), nil)
			p = connect(t, dialTCP(t, b), lastingAs("device"))
			send("restarted")
			p.unsubscribe(filter)
			pub.publish(1, 1, false, "t", "unsubscribed")
			expect[packets.Puback](pub)
			p.pingpong()
		})
	}
}

// A client gets one copy for filters that overlap on the level above, with all their
// identifiers [MQTT-3.3.4-4], at the highest QoS [MQTT-3.3.4-2].
func TestLevelAboveOverlaps(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), nil)
	for i, filter := range []string{"a/+/#", "+/+/#", "+/+", "a/b/#"} {
		p.wish(wish{filter: filter, qos: byte(i % 2), id: i + 1})
	}
	pk := mochi.Packet{TopicName: "a/b"}
	subs := b.policy.OnSelectSubscribers(b.server.Topics.Subscribers(pk.TopicName), pk).Subscriptions
	if len(subs) != 1 {
		t.Errorf("%d clients", len(subs))
	}
	for _, sub := range subs {
		if ids := slices.Sorted(maps.Values(sub.Identifiers)); !slices.Equal(ids, []int{1, 2, 3, 4}) || sub.Qos != 1 {
			t.Errorf("identifiers %v, QoS %d", ids, sub.Qos)
		}
	}
	p.publish(0, 0, false, "a/b", "x")
	expect[packets.Publish](p)
	p.pingpong()
}

// [MQTT-4.7.2-1], [MQTT-3.8.3-3]: the level above has no $SYS topics for a filter that begins
// with a wildcard, and no message of the client itself with No Local.
func TestLevelAboveExceptions(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), func(c *packets.Connect) { c.ClientID = "de/vice" })
	cp := packets.NewControlPacket(packets.SUBSCRIBE)
	content := cp.Content.(*packets.Subscribe)
	content.PacketID = 1
	content.Subscriptions = []packets.SubOptions{{Topic: "+/+/+/#", NoLocal: true}, {Topic: "$share/g/+/+/+/#"}}
	p.send(cp)
	expect[packets.Suback](p)
	chosen := func(topic, origin string) int {
		pk := mochi.Packet{TopicName: topic, Origin: origin}
		return len(b.policy.OnSelectSubscribers(b.server.Topics.Subscribers(topic), pk).Subscriptions)
	}
	if n := chosen("$SYS/broker/uptime", ""); n != 0 {
		t.Errorf("%d clients for $SYS", n)
	}
	p.unsubscribe("$share/g/+/+/+/#")
	if own, other := chosen("a/b/c", "de/vice"), chosen("a/b/c", "other"); own != 0 || other != 1 {
		t.Errorf("its own message goes to %d clients, another's to %d", own, other)
	}
	p.unsubscribe("+/+/+/#")
	p.subscribe("$SYS/broker/+/#", 0)
	for expect[packets.Publish](p).Topic != "$SYS/broker/uptime" { // retained
	}
	if n := chosen("$SYS/broker/uptime", ""); n != 1 {
		t.Errorf("%d clients for $SYS", n)
	}
}

func (p *peer) unsubscribe(filter string) {
	p.t.Helper()
	cp := packets.NewControlPacket(packets.UNSUBSCRIBE)
	content := cp.Content.(*packets.Unsubscribe)
	content.PacketID, content.Topics = 1, []string{filter}
	p.send(cp)
	if got := expect[packets.Unsuback](p).Reasons; len(got) != 1 || got[0] != 0 {
		p.t.Errorf("UNSUBACK % x", got)
	}
}

// expectIn reads a message of a subscription, and acknowledges it.
func (p *peer) expectIn(subscription int, payload string) {
	p.t.Helper()
	m := expect[packets.Publish](p)
	if id := m.Properties.SubscriptionIdentifier; id == nil || *id != subscription || string(m.Payload) != payload {
		p.t.Errorf("%q, identifier %v, where %q was expected", m.Payload, id, payload)
	}
	if m.QoS > 0 {
		p.puback(m.PacketID)
	}
}

// What a client with +/# at QoS 0 reads too slowly is dropped, as with any other filter: it
// is no reason to disconnect the client.
func TestLevelAboveDropped(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), func(c *packets.Connect) { c.ClientID = "slow" })
	p.subscribe("+/#", 0)
	cl, _ := b.server.Clients.Get("slow")
	b.policy.OnPublishDropped(cl, mochi.Packet{FixedHeader: mochi.FixedHeader{Qos: 1}, TopicName: "t"})
	p.pingpong()
}
