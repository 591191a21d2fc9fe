package broker

import (
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// publishAlias publishes with Topic Alias 1.
func (p *peer) publishAlias(id uint16, qos byte, dup bool, topic string) {
	p.t.Helper()
	cp := packets.NewControlPacket(packets.PUBLISH)
	cp.Flags = qos << 1
	if dup {
		cp.Flags |= 8
	}
	content := cp.Content.(*packets.Publish)
	content.PacketID, content.QoS, content.Topic, content.Payload = id, qos, topic, []byte(topic)
	content.Properties.TopicAlias = ptr(uint16(1))
	p.send(cp)
}

// 3.3.2.3.4: each PUBLISH with a topic sets its Topic Alias, whether or not the message is
// accepted: what follows is not for the topic before.
func TestRefusedMessageSetsItsAlias(t *testing.T) {
	users, err := loadUsers(t, `[{"name": "alice", "hash": "HASH", "publish": ["a"], "subscribe": ["#"]}]`)
	if err != nil {
		t.Fatal(err)
	}
	b := start(t, Options{Users: users})
	as := func(c *packets.Connect) {
		c.UsernameFlag, c.Username = true, "alice"
		c.PasswordFlag, c.Password = true, []byte("pencil")
	}
	sub, pub := connect(t, dialTCP(t, b), as), connect(t, dialTCP(t, b), as)
	sub.subscribe("#", 0)
	for id, topic := range []string{"secret", "", "a", "", "secret", "", "a"} {
		pub.publishAlias(uint16(id+1), 1, false, topic)
		want := byte(0)
		if id < 2 || id == 4 || id == 5 {
			want = packets.PubackNotAuthorized
		}
		if got := expect[packets.Puback](pub).ReasonCode; got != want {
			t.Errorf("message %d: PUBACK reason %#x, want %#x", id+1, got, want)
		}
	}
	for _, want := range []string{"a", "", "a"} {
		if m := expect[packets.Publish](sub); m.Topic != "a" || string(m.Payload) != want {
			t.Errorf("%q on %q", m.Payload, m.Topic)
		}
	}
}

// A message that is sent again on a new connection, where aliases begin anew, sets its own.
func TestDuplicateSetsItsAlias(t *testing.T) {
	b := start(t, Options{})
	sub := connect(t, dialTCP(t, b), nil)
	sub.subscribe("#", 0)
	p := connect(t, dialTCP(t, b), lastingAs("device"))
	p.publishAlias(1, 2, false, "a")
	expect[packets.Pubrec](p)
	p = connect(t, dialTCP(t, b), lastingAs("device"))
	p.publishAlias(1, 2, true, "a")
	expect[packets.Pubrec](p)
	p.publishAlias(2, 1, false, "")
	if got := expect[packets.Puback](p).ReasonCode; got != 0 {
		t.Errorf("PUBACK reason %#x", got)
	}
	for _, want := range []string{"a", ""} {
		if m := expect[packets.Publish](sub); m.Topic != "a" || string(m.Payload) != want {
			t.Errorf("%q on %q", m.Payload, m.Topic)
		}
	}
}

// A malformed message leaves nothing behind: its receipt would stay for each name of a client.
func TestMalformedMessageLeavesNoReceipt(t *testing.T) {
	b := start(t, Options{DataDir: t.TempDir()})
	p := connect(t, dialTCP(t, b), nil)
	p.publish(0, 1, false, "t", "x")
	p.expectEnd()
	s := b.policy.store
	waitFor(t, func() bool { return b.server.Clients.Len() == 0 })
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.receipts) > 0 {
		t.Errorf("%d receipts", len(s.receipts))
	}
}
