package broker

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// full sets whether the disk appears full to the broker.
func full(b *Broker, is bool) { b.policy.store.db.MaxSize = map[bool]int{true: 1}[is] }

// On a full disk new messages are refused. Acknowledged ones survive a restart.
func TestFullDisk(t *testing.T) {
	lasting := func(c *packets.Connect) {
		c.ClientID, c.CleanStart = "lasting", false
		c.Properties.SessionExpiryInterval = ptr(uint32(60))
	}
	dir, log := t.TempDir(), newRecords()
	b := start(t, Options{DataDir: dir, Logger: log.logger()})
	sub := connect(t, dialTCP(t, b), lasting)
	sub.subscribe("live", 2)
	sub.disconnect()
	pub := connect(t, dialTCP(t, b), nil)
	payload := strings.Repeat("x", 64<<10) // exceeds the free space in the file
	publish := func(id uint16, qos byte, retain bool, topic string) byte {
		pub.publish(id, qos, retain, topic, payload)
		if qos == 2 {
			return expect[packets.Pubrec](pub).ReasonCode
		}
		return expect[packets.Puback](pub).ReasonCode
	}
	if got := publish(1, 1, false, "live"); got != 0 || !b.Ready() {
		t.Fatalf("reason %#x, ready %v", got, b.Ready())
	}
	full(b, true)
	for id := range uint16(200) {
		qos := byte(1 + id%2)
		topic := [...]string{"live", "kept"}[id/2%2]
		if got := publish(10+id, qos, topic == "kept", topic); got != packets.PubackQuotaExceeded {
			t.Fatalf("message %d of QoS %d to %s: reason %#x", id, qos, topic, got)
		}
	}
	if b.Ready() {
		t.Error("it says that it is ready")
	}
	late := connect(t, dialTCP(t, b), nil)
	late.subscribe("other", 1) // a session that ends with its connection needs no disk
	if n := strings.Count(log.String(), "could not be written"); n != 1 {
		t.Errorf("logged %d times", n)
	}
	full(b, false)
	if got := publish(300, 2, true, "kept"); got != 0 || !b.Ready() {
		t.Errorf("afterwards: reason %#x, ready %v", got, b.Ready())
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	b = start(t, Options{DataDir: dir})
	if _, ok := b.server.Topics.Retained.Get("kept"); !ok {
		t.Error("a retained message that was acknowledged is gone")
	}
	sub = connect(t, dialTCP(t, b), lasting)
	if m := expect[packets.Publish](sub); m.Topic != "live" || len(m.Payload) != len(payload) {
		t.Errorf("%d bytes to %s", len(m.Payload), m.Topic)
	}
}

// A session or subscription that cannot be stored is refused.
func TestFullDiskRefusesSessions(t *testing.T) {
	b := start(t, Options{DataDir: t.TempDir()})
	p := connect(t, dialTCP(t, b), func(c *packets.Connect) {
		c.ClientID, c.CleanStart = "lasting", false
		c.Properties.SessionExpiryInterval = ptr(uint32(60))
	})
	full(b, true)
	cp := packets.NewControlPacket(packets.SUBSCRIBE)
	s := cp.Content.(*packets.Subscribe)
	s.PacketID = 3
	for i := range 2000 {
		s.Subscriptions = append(s.Subscriptions, packets.SubOptions{Topic: fmt.Sprintf("%d/%s", i, strings.Repeat("f", 100))})
	}
	p.send(cp)
	if got := expect[packets.Suback](p).Reasons[0]; got != packets.SubackQuotaexceeded {
		t.Errorf("SUBACK reason %#x", got)
	}
	if n := len(b.server.Topics.Subscribers("0/" + strings.Repeat("f", 100)).Subscriptions); n != 0 {
		t.Errorf("%d subscribers", n)
	}
}

// A client that was refused because its session could not be stored gets a complete one
// once the disk has room.
func TestSessionAfterAFullDisk(t *testing.T) {
	dir := t.TempDir()
	b := start(t, Options{DataDir: dir})
	first := connect(t, dialTCP(t, b), lastingAs("device"))
	first.subscribe("t", 1)
	first.disconnect()
	p := &peer{t: t, conn: dialTCP(t, b)}
	cp := packets.NewControlPacket(packets.CONNECT)
	content := cp.Content.(*packets.Connect)
	lastingAs("device")(content)
	content.WillFlag, content.WillTopic, content.WillMessage = true, "will", make([]byte, 10_000)
	for full(b, true); ; { // until the file has no room left
		p.send(cp)
		if expect[packets.Connack](p).ReasonCode == packets.ConnackQuotaExceeded {
			break
		}
		p = &peer{t: t, conn: dialTCP(t, b)}
		filler := connect(t, dialTCP(t, b), nil)
		filler.publish(1, 1, true, fmt.Sprint("filler/", len(b.policy.sessions.kept)), strings.Repeat("x", 1000))
		expect[packets.Puback](filler)
	}
	p.expectEnd()
	full(b, false)
	connect(t, dialTCP(t, b), lastingAs("device")).disconnect()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = start(t, Options{DataDir: dir})
	if p := connect(t, dialTCP(t, b), lastingAs("device")); !p.connack.SessionPresent {
		t.Error("the session is gone")
	}
	if cl, _ := b.server.Clients.Get("device"); cl.State.Subscriptions.Len() != 1 {
		t.Errorf("%d subscriptions", cl.State.Subscriptions.Len())
	}
}

// A session may end while one of its messages waits for a write that will fail.
func TestSessionEndsWhileTheDiskIsFull(t *testing.T) {
	b := start(t, Options{DataDir: t.TempDir()})
	sub := connect(t, dialTCP(t, b), lastingAs("device"))
	sub.subscribe("t", 2)
	sub.disconnect()
	waitFor(t, b.policy.sessions.get("device").away)
	store := b.policy.store
	store.flush("nobody")
	hold, err := store.db.Begin(true) // nothing is written meanwhile
	if err != nil {
		t.Fatal(err)
	}
	pub := connect(t, dialTCP(t, b), nil)
	pub.publish(1, 1, false, "t", strings.Repeat("x", 64<<10))
	pub.send(packets.NewControlPacket(packets.PINGREQ))
	expect[packets.Pingresp](pub)
	waitFor(t, func() bool { // otherwise the message and its removal would cancel out
		store.mu.Lock()
		defer store.mu.Unlock()
		return store.writing && len(store.next.changes) == 0
	})
	cl, _ := b.server.Clients.Get("device")
	b.policy.end(cl)
	full(b, true)
	if err := hold.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got := expect[packets.Puback](pub).ReasonCode; got != packets.PubackQuotaExceeded {
		t.Errorf("reason %#x", got)
	}
}
