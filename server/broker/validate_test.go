package broker

import (
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

func TestFiltersThatAreNone(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), nil)
	for filter, want := range map[string]byte{
		"a#": 0x8F, "a/#b": 0x8F, "a+/b": 0x8F, "a/b+": 0x8F, "$share//x": 0x8F, "$share/g/": 0x8F, "$share/g/$SYS/#": 0x8F, "$SHARE//x": 0x8F, "$SHARE/g/$SYS/#": 0x8F,
		strings.Repeat("/", maxLevels): 0x8F, strings.Repeat("/", 60_000): 0x8F, strings.Repeat("x", maxName+1): 0x8F,
		"+/+/#": 0, "/": 0, "$share/g/+/x": 0, "$SYS/broker/version": 0, strings.Repeat("/", maxLevels-1): 0,
	} {
		cp := packets.NewControlPacket(packets.SUBSCRIBE)
		s := cp.Content.(*packets.Subscribe)
		s.PacketID, s.Subscriptions = 3, []packets.SubOptions{{Topic: filter, RetainHandling: 2}}
		p.send(cp)
		if got := expect[packets.Suback](p).Reasons[0]; got != want {
			t.Errorf("%.20q: reason %#x, want %#x", filter, got, want)
		}
	}
}

func TestTopicsThatAreNone(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), nil)
	for topic, want := range map[string]byte{"$SYS/x": 0x87, "$other/x": 0x87, strings.Repeat("/", maxLevels): 0x90, strings.Repeat("t", 40_000): 0x90} {
		p.publish(1, 1, true, topic, "x")
		if got := expect[packets.Puback](p).ReasonCode; got != want {
			t.Errorf("%.20q: PUBACK reason %#x, want %#x", topic, got, want)
		}
		p.publish(2, 2, true, topic, "x")
		if got := expect[packets.Pubrec](p).ReasonCode; got != want {
			t.Errorf("%.20q: PUBREC reason %#x, want %#x", topic, got, want)
		}
	}
}

// 3.3.4: a Topic Alias that was never set is invalid.
func TestUnknownAlias(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), nil)
	cp := packets.NewControlPacket(packets.PUBLISH)
	cp.Flags = 2
	c := cp.Content.(*packets.Publish)
	c.PacketID, c.QoS, c.Properties = 1, 1, &packets.Properties{TopicAlias: ptr(uint16(3))}
	p.send(cp)
	if got := expect[packets.Disconnect](p).ReasonCode; got != packets.DisconnectTopicAliasInvalid {
		t.Errorf("DISCONNECT reason %#x", got)
	}
	p.expectEnd()
}

// Invalid values are refused at CONNECT. A will with an invalid topic could become a
// retained message that disconnects every client it is sent to.
func TestConnectsThatAreRefused(t *testing.T) {
	b := start(t, Options{})
	for name, test := range map[string]struct {
		change func(*packets.Connect)
		want   byte
	}{
		"will to a wildcard": {func(c *packets.Connect) { willTo(c, "plant/#") }, 0x90},
		"will to $SYS":       {func(c *packets.Connect) { willTo(c, "$SYS/x") }, 0x90},
		"deep will":          {func(c *packets.Connect) { willTo(c, strings.Repeat("/", maxLevels)) }, 0x90},
		"client identifier":  {func(c *packets.Connect) { c.ClientID = strings.Repeat("c", maxName+1) }, 0x85},
		"authentication":     {func(c *packets.Connect) { c.Properties.AuthMethod = "SCRAM-SHA-256" }, 0x8C},
	} {
		t.Run(name, func(t *testing.T) {
			p := &peer{t: t, conn: dialTCP(t, b)}
			cp := packets.NewControlPacket(packets.CONNECT)
			c := cp.Content.(*packets.Connect)
			c.CleanStart = true
			test.change(c)
			p.send(cp)
			if got := expect[packets.Connack](p).ReasonCode; got != test.want {
				t.Errorf("CONNACK reason %#x, want %#x", got, test.want)
			}
		})
	}
}

func willTo(c *packets.Connect, topic string) {
	c.WillFlag, c.WillRetain, c.WillTopic, c.WillMessage = true, true, topic, []byte("x")
	c.WillProperties = &packets.Properties{}
}

// 3.14.2.2.2: DISCONNECT cannot extend a session beyond what CONNECT may ask for.
func TestExpiryAtDisconnectIsBounded(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), func(c *packets.Connect) {
		c.ClientID, c.CleanStart = "forever", false
		c.Properties.SessionExpiryInterval = ptr(uint32(1))
	})
	d := packets.NewControlPacket(packets.DISCONNECT)
	d.Content.(*packets.Disconnect).Properties = &packets.Properties{SessionExpiryInterval: ptr(uint32(0xfffffffe))}
	p.send(d)
	p.expectEnd()
	if err := b.Close(); err != nil { // waits for pending work
		t.Fatal(err)
	}
	cl, ok := b.server.Clients.Get("forever")
	if !ok || cl.Properties.Props.SessionExpiryInterval != uint32(maxSessionExpiry/time.Second) {
		t.Errorf("kept: %v, for %d s", ok, cl.Properties.Props.SessionExpiryInterval)
	}
}
