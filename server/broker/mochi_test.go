package broker

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// 2.2.1: client and broker choose packet identifiers independently: neither hides a message
// of the other.
func TestIdentifiersOfTheClientHideNothing(t *testing.T) {
	b := start(t, Options{DataDir: t.TempDir()})
	p := connect(t, dialTCP(t, b), lastingAs("both"))
	p.subscribe("in", 1)
	pub := connect(t, dialTCP(t, b), nil)
	pub.publish(1, 1, false, "in", "precious")
	expect[packets.Puback](pub)
	id := expect[packets.Publish](p).PacketID
	p.publish(id, 1, false, "out", "x")
	if ack := expect[packets.Puback](p); ack.PacketID != id {
		t.Errorf("PUBACK has identifier %d, not %d", ack.PacketID, id)
	}
	p.publish(id, 2, false, "out", "x")
	if ack := expect[packets.Pubrec](p); ack.PacketID != id {
		t.Errorf("PUBREC has identifier %d, not %d", ack.PacketID, id)
	}
	cp := packets.NewControlPacket(packets.SUBSCRIBE)
	cp.Content.(*packets.Subscribe).PacketID = id
	cp.Content.(*packets.Subscribe).Subscriptions = []packets.SubOptions{{Topic: "more"}}
	p.send(cp)
	if ack := expect[packets.Suback](p); ack.PacketID != id || ack.Reasons[0] != 0 {
		t.Errorf("SUBACK has identifier %d, not %d, and %x", ack.PacketID, id, ack.Reasons)
	}
	p.disconnect()
	p = connect(t, dialTCP(t, b), lastingAs("both"))
	if m := expect[packets.Publish](p); string(m.Payload) != "precious" {
		t.Errorf("%q is the session's message", m.Payload)
	}
	p.publish(id, 2, false, "out", "x") // resent until PUBREC arrives [MQTT-4.4.0-1]
	if ack := expect[packets.Pubrec](p); ack.PacketID != id || ack.ReasonCode != 0 {
		t.Errorf("PUBREC has identifier %d, not %d, and reason %#x", ack.PacketID, id, ack.ReasonCode)
	}
	release := packets.NewControlPacket(packets.PUBREL)
	release.Content.(*packets.Pubrel).PacketID = id
	p.send(release)
	if ack := expect[packets.Pubcomp](p); ack.PacketID != id || ack.ReasonCode != 0 {
		t.Errorf("PUBCOMP has identifier %d, not %d, and reason %#x", ack.PacketID, id, ack.ReasonCode)
	}
}

// 4.9: Receive Maximum limits QoS 1 and 2 only.
func TestReceiveMaximumOfTheBroker(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), nil)
	for i := range receiveMaximum {
		p.publish(uint16(i+1), 2, false, "t", "x")
		expect[packets.Pubrec](p)
	}
	p.publish(0, 0, false, "t", "x")
	p.send(packets.NewControlPacket(packets.PINGREQ))
	expect[packets.Pingresp](p)
	p.publish(receiveMaximum+1, 2, false, "t", "x")
	cp := p.next()
	for ; cp.Type == packets.PUBREC; cp = p.next() {
	}
	if d, ok := cp.Content.(*packets.Disconnect); !ok || d.ReasonCode != packets.DisconnectReceiveMaximumExceeded {
		t.Errorf("got %s", cp)
	}
}

// [MQTT-3.1.2-25]: a message too large for the client is not kept for it, whether it is
// connected or away.
func TestTooLargeForTheClient(t *testing.T) {
	b := start(t, Options{DataDir: t.TempDir()})
	small := func(c *packets.Connect) {
		lastingAs("small")(c)
		c.Properties.MaximumPacketSize = ptr(uint32(200))
	}
	p := connect(t, dialTCP(t, b), small)
	p.subscribe("in", 1)
	pub := connect(t, dialTCP(t, b), nil)
	for i := range 3 {
		pub.publish(uint16(i+1), 1, false, "in", strings.Repeat("x", 1000))
		expect[packets.Puback](pub)
		if i == 1 {
			p.disconnect()
		}
	}
	pub.publish(9, 1, false, "in", "small")
	expect[packets.Puback](pub)
	p = connect(t, dialTCP(t, b), small)
	if m := expect[packets.Publish](p); string(m.Payload) != "small" {
		t.Errorf("%d bytes", len(m.Payload))
	}
	if cl, _ := b.server.Clients.Get("small"); cl.State.Inflight.Len() != 1 {
		t.Errorf("%d messages are kept", cl.State.Inflight.Len())
	}
}

// [MQTT-3.1.2-25]: the same holds if the client returns with a smaller limit.
func TestComesBackWithASmallerLimit(t *testing.T) {
	b := start(t, Options{DataDir: t.TempDir()})
	p := connect(t, dialTCP(t, b), lastingAs("small"))
	p.subscribe("in", 1)
	p.disconnect()
	pub := connect(t, dialTCP(t, b), nil)
	for i, payload := range []string{strings.Repeat("x", 1000), "small"} {
		pub.publish(uint16(i+1), 1, false, "in", payload)
		expect[packets.Puback](pub)
	}
	p = connect(t, dialTCP(t, b), func(c *packets.Connect) {
		lastingAs("small")(c)
		c.Properties.MaximumPacketSize = ptr(uint32(200))
	})
	if m := expect[packets.Publish](p); string(m.Payload) != "small" {
		t.Errorf("%d bytes", len(m.Payload))
	}
	if got := b.policy.sessions.get("small").size(); got > 2*overhead {
		t.Errorf("%d bytes are counted", got)
	}
}

// 3.8.2.1.2: retained messages carry the Subscription Identifier, too.
func TestIdentifierOfRetainedMessages(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), nil)
	p.publish(1, 1, true, "r", "kept")
	expect[packets.Puback](p)
	cp := packets.NewControlPacket(packets.SUBSCRIBE)
	s := cp.Content.(*packets.Subscribe)
	s.PacketID, s.Subscriptions = 1, []packets.SubOptions{{Topic: "r"}}
	s.Properties = &packets.Properties{SubscriptionIdentifier: ptr(7)}
	p.send(cp)
	expect[packets.Suback](p)
	for _, what := range []string{"retained", "live"} {
		m := expect[packets.Publish](p)
		if id := m.Properties.SubscriptionIdentifier; id == nil || *id != 7 {
			t.Errorf("%s message: identifier %v", what, id)
		}
		p.publish(0, 0, false, "r", "live")
	}
}

// 3.1.2.11.7: Request Problem Information does not affect the User Properties of messages.
func TestUserPropertiesWithoutProblemInformation(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), func(c *packets.Connect) { c.Properties.RequestProblemInfo = ptr(byte(0)) })
	p.subscribe("t", 0)
	cp := packets.NewControlPacket(packets.PUBLISH)
	c := cp.Content.(*packets.Publish)
	c.Topic, c.Properties = "t", &packets.Properties{User: []packets.User{{Key: "k", Value: "v"}}}
	p.send(cp)
	if m := expect[packets.Publish](p); len(m.Properties.User) != 1 {
		t.Errorf("user properties %v", m.Properties.User)
	}
}

// A shared subscription delivers to its connected members only, and never $SYS messages.
func TestSharedSubscriptions(t *testing.T) {
	b := start(t, Options{})
	here := connect(t, dialTCP(t, b), nil)
	here.subscribe("$share/g/#", 1)
	away := connect(t, dialTCP(t, b), lastingAs("away"))
	away.subscribe("$share/g/#", 1)
	away.disconnect()
	waitFor(t, b.policy.sessions.get("away").away)
	b.policy.publishSys()
	pub := connect(t, dialTCP(t, b), nil)
	for i := range 20 {
		pub.publish(1, 1, false, "job", fmt.Sprint(i))
		expect[packets.Puback](pub)
		if m := expect[packets.Publish](here); m.Topic != "job" || string(m.Payload) != fmt.Sprint(i) {
			t.Fatalf("got %q on %s", m.Payload, m.Topic)
		}
	}
}

// [MQTT-3.3.2-5]: a message held back by Receive Maximum may expire.
func TestHeldMessageExpires(t *testing.T) {
	f := newFlow()
	f.limit, f.begun = 1, true
	publish := func(id byte) []byte { return []byte{0x32, 6, 0, 1, 't', 0, id, 0} }
	if got := f.admit(publish(1)); len(got) == 0 {
		t.Fatal("the first is held")
	}
	now := time.Now().Unix()
	f.expires[2], f.expires[3] = now-1, now+60
	f.admit(append(publish(2), publish(3)...))
	if got := f.acknowledge(1); len(got) != 8 || got[6] != 3 {
		t.Errorf("% x leaves", got)
	}
}

// The figures under $SYS are those of Stats: mochi does not count what is dropped.
func TestFiguresUnderSys(t *testing.T) {
	b := start(t, Options{})
	small := connect(t, dialTCP(t, b), func(c *packets.Connect) { c.Properties.MaximumPacketSize = ptr(uint32(100)) })
	small.subscribe("t", 1)
	pub := connect(t, dialTCP(t, b), nil)
	pub.publish(1, 1, false, "t", strings.Repeat("x", 1000))
	expect[packets.Puback](pub)
	b.policy.publishSys()
	stats := b.Stats()
	for topic, want := range map[string]int64{
		"messages/inflight": 0, "subscriptions": 1, "retained": stats["messages_retained"], "clients/total": 2,
	} {
		if got, _ := b.server.Topics.Retained.Get("$SYS/broker/" + topic); string(got.Payload) != fmt.Sprint(want) {
			t.Errorf("%s: %s, want %d", topic, got.Payload, want)
		}
	}
}

// 3.11.3: a filter that was not subscribed to is reported, and not counted.
func TestUnsubscribeUnknown(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), nil)
	p.subscribe("a/b", 0)
	for filter, want := range map[string]byte{"a": 0x11, "x": 0x11, "a/b": 0} {
		cp := packets.NewControlPacket(packets.UNSUBSCRIBE)
		content := cp.Content.(*packets.Unsubscribe)
		content.PacketID, content.Topics = 1, []string{filter}
		p.send(cp)
		if got := expect[packets.Unsuback](p).Reasons[0]; got != want {
			t.Errorf("%s: reason %#x, want %#x", filter, got, want)
		}
	}
	if n := b.server.Info.Clone().Subscriptions; n != 0 {
		t.Errorf("%d subscriptions counted", n)
	}
}

// [MQTT-4.4.0-1] [MQTT-4.3.3-7]: a message that was sent does not expire. Its client could
// take the next one with its identifier for the same, and would never deliver it.
func TestSentMessageDoesNotExpire(t *testing.T) {
	for qos := byte(1); qos <= 2; qos++ {
		t.Run(fmt.Sprint("QoS ", qos), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { testSentMessage(t, qos) }) })
	}
}

func testSentMessage(t *testing.T, qos byte) {
	b := start(t, Options{})
	p := connect(t, dialPipe(t, b), lastingAs("device"))
	p.subscribe("t", 2)
	pub := connect(t, dialPipe(t, b), nil)
	send := func(id uint16, qos byte) {
		cp := packets.NewControlPacket(packets.PUBLISH)
		cp.Flags = qos << 1
		content := cp.Content.(*packets.Publish)
		content.PacketID, content.QoS, content.Topic, content.Properties.MessageExpiry = id, qos, "t", ptr(uint32(1))
		pub.send(cp)
		pub.next()
	}
	send(1, qos)
	first := expect[packets.Publish](p)
	_ = p.conn.Close()
	synctest.Wait()
	send(2, 2) // never sent
	send(3, 1)
	time.Sleep(50 * time.Second) // longer than between two sweeps
	p = connect(t, dialPipe(t, b), lastingAs("device"))
	if again := expect[packets.Publish](p); again.PacketID != first.PacketID || !again.Duplicate {
		t.Errorf("message %d instead of %d", again.PacketID, first.PacketID)
	}
	if qos == 1 {
		p.puback(first.PacketID)
	} else {
		cp := packets.NewControlPacket(packets.PUBREC)
		cp.Content.(*packets.Pubrec).PacketID = first.PacketID
		p.send(cp)
		if pubrel := expect[packets.Pubrel](p); pubrel.ReasonCode != 0 {
			t.Errorf("PUBREL reason %#x", pubrel.ReasonCode)
		}
	}
	p.pingpong()
}

// MQTT 3.1.1 has no DISCONNECT from the server and no return codes above 5.
func TestVersion311(t *testing.T) {
	users, err := loadUsers(t, `[{"name": "alice", "hash": "HASH", "publish": ["a"], "subscribe": ["a"]}]`)
	if err != nil {
		t.Fatal(err)
	}
	read := func(b *Broker, connect string, n int) string {
		c := dialTCP(t, b)
		if _, err := c.Write([]byte(connect)); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(patience))
		got := make([]byte, n)
		if _, err := io.ReadFull(c, got); err != nil {
			t.Fatal(err)
		}
		if n == 4 && got[3] == 0 { // also read what a closing broker sends
			go b.Close()
			rest, _ := io.ReadAll(c)
			got = append(got, rest...)
		}
		return string(got)
	}
	withWill := "\x10\x22\x00\x04MQTT\x04\xc6\x00\x3c\x00\x01c\x00\x01b\x00\x01x\x00\x05alice\x00\x06pencil"
	if got := read(start(t, Options{Users: users}), withWill, 4); got != "\x20\x02\x00\x05" {
		t.Errorf("a will that is not allowed: % x", got)
	}
	c := dialTCP(t, start(t, Options{}))
	_ = c.SetReadDeadline(time.Now().Add(patience))
	connack := make([]byte, 4)
	for _, step := range []func() (int, error){
		func() (int, error) { return c.Write([]byte("\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c")) },
		func() (int, error) { return io.ReadFull(c, connack) },
		func() (int, error) { return c.Write([]byte("\x30\x80\x80\x80\x04")) },
	} {
		if _, err := step(); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := io.ReadAll(c); err != nil || len(got) > 0 {
		t.Errorf("after a packet that is too large: % x, %v", got, err)
	}
	longest := "\x10\x0d\x00\x04MQTT\x04\x02\xaa\xab\x00\x01c" // 1.5 times this keep-alive exceeds 16 bits
	if got := read(start(t, Options{}), longest, 4); got != "\x20\x02\x00\x00" {
		t.Errorf("keep-alive 43691: % x", got)
	}
}

// [MQTT-4.6.0-2]: acks that wait for the disk are sent in the order of the packets they
// acknowledge.
func TestAnswersInOrder(t *testing.T) {
	f := newFlow()
	f.begun = true
	var answers []*ack
	for id := range byte(3) {
		f.handle()
		if got := f.admit([]byte{0x40, 2, 0, id}); len(got) != 0 {
			t.Fatalf("% x leaves at once", got)
		}
		answers = append(answers, f.handled())
	}
	answers[1].settled = true
	if got := f.answers(); len(got) != 0 {
		t.Errorf("% x overtakes", got)
	}
	answers[0].settled = true
	if got := f.answers(); len(got) != 8 || got[3] != 0 || got[7] != 1 {
		t.Errorf("% x", got)
	}
}

// [MQTT-3.2.0-1]: nothing is sent before CONNACK.
func TestConnackFirst(t *testing.T) {
	f := newFlow()
	if got := f.admit([]byte{0x30, 3, 0, 1, 't'}); len(got) != 0 {
		t.Errorf("% x comes first", got)
	}
	if got := f.admit([]byte{0x20, 3, 0, 0, 0}); len(got) != 10 || got[0] != 0x20 {
		t.Errorf("% x", got)
	}
}

// A PUBREC with a reason code that there is not ends the message like a failure (4.9).
func TestUnknownReasonOfPubrec(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), func(c *packets.Connect) { c.Properties.ReceiveMaximum = ptr(uint16(1)) })
	p.subscribe("t", 2)
	pub := connect(t, dialTCP(t, b), nil)
	for id := uint16(1); id < 4; id++ {
		pub.publish(id, 2, false, "t", "x")
		expect[packets.Pubrec](pub)
		cp := packets.NewControlPacket(packets.PUBREC)
		content := cp.Content.(*packets.Pubrec)
		content.PacketID, content.ReasonCode = expect[packets.Publish](p).PacketID, 5
		p.send(cp)
	}
}

// The first figures are of a broker without clients, and would hold for ten seconds.
func TestFirstFigures(t *testing.T) {
	began := time.Now()
	p := connect(t, dialTCP(t, start(t, Options{})), nil)
	p.subscribe("$SYS/broker/clients/connected", 0)
	for string(expect[packets.Publish](p).Payload) != "1" {
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the figures knew of a client after %v", took)
	}
}
