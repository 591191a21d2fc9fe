package broker

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// endings are ways for a broker to end. Each returns the directory that the next broker
// starts from.
var endings = []struct {
	name string
	end  func(t *testing.T, b *Broker, dir string) string
}{
	{"closed", func(t *testing.T, b *Broker, dir string) string {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		return dir
	}},
	// A killed process leaves its file as it is at that moment.
	{"killed", func(t *testing.T, _ *Broker, dir string) string {
		data, err := os.ReadFile(filepath.Join(dir, "broker.db"))
		if err != nil {
			t.Fatal(err)
		}
		left := t.TempDir()
		if err := os.WriteFile(filepath.Join(left, "broker.db"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		return left
	}},
}

func TestStateSurvives(t *testing.T) {
	for _, ending := range endings {
		t.Run(ending.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "made", "by us")
			lasting := func(c *packets.Connect) {
				c.ClientID, c.CleanStart = "lasting", false
				c.Properties.SessionExpiryInterval = ptr(uint32(60))
			}
			b := start(t, Options{DataDir: dir})
			sub := connect(t, dialTCP(t, b), lasting)
			sub.subscribe("live/#", 1)
			sub.subscribe("gone", 1)
			unsubscribe := packets.NewControlPacket(packets.UNSUBSCRIBE)
			unsubscribe.Content.(*packets.Unsubscribe).PacketID = 2
			unsubscribe.Content.(*packets.Unsubscribe).Topics = []string{"gone"}
			sub.send(unsubscribe)
			expect[packets.Unsuback](sub)
			sub.disconnect()

			passing := connect(t, dialTCP(t, b), func(c *packets.Connect) { c.ClientID = "passing" })
			passing.subscribe("live/#", 1)
			pub := connect(t, dialTCP(t, b), nil)
			for i := range 20 {
				pub.publish(uint16(i+1), 1, false, "live/a", fmt.Sprint(i))
				expect[packets.Puback](pub)
			}
			pub.publish(21, 1, true, "kept", "retained \x00 bytes")
			expect[packets.Puback](pub)
			pub.publish(22, 1, true, "removed", "retained")
			expect[packets.Puback](pub)
			pub.publish(23, 1, true, "removed", "")
			expect[packets.Puback](pub)
			// mochi forwards a message after its PUBACK, but before the next reply.
			pub.send(packets.NewControlPacket(packets.PINGREQ))
			expect[packets.Pingresp](pub)

			b = start(t, Options{DataDir: ending.end(t, b, dir)})
			pub = connect(t, dialTCP(t, b), nil)
			pub.publish(1, 1, false, "live/a", "20") // for a session whose client is still away
			expect[packets.Puback](pub)
			sub = connect(t, dialTCP(t, b), lasting)
			if !sub.connack.SessionPresent {
				t.Fatal("the session is gone")
			}
			for i := range 21 {
				m := expect[packets.Publish](sub)
				if got, want := string(m.Payload), fmt.Sprint(i); got != want {
					t.Fatalf("message %s where %s was expected", got, want)
				}
				sub.puback(m.PacketID)
			}
			pub.publish(0, 0, false, "gone", "unsubscribed before")
			pub.publish(0, 0, false, "live/b", "after")
			if m := expect[packets.Publish](sub); string(m.Payload) != "after" {
				t.Errorf("got %q", m.Payload)
			}
			sub.subscribe("+", 0)
			if m := expect[packets.Publish](sub); m.Topic != "kept" || string(m.Payload) != "retained \x00 bytes" || !m.Retain {
				t.Errorf("retained message %q: %q", m.Topic, m.Payload)
			}
			sub.send(packets.NewControlPacket(packets.PINGREQ))
			expect[packets.Pingresp](sub) // no other retained message came
			if _, ok := b.server.Clients.Get("passing"); ok {
				t.Error("a session that ends with its connection was kept")
			}
		})
	}
}

// [MQTT-3.3.2-5]: the expiry interval keeps running across a restart.
func TestStoredMessageExpires(t *testing.T) {
	dir := t.TempDir()
	b := start(t, Options{DataDir: dir})
	pub := connect(t, dialTCP(t, b), nil)
	cp := packets.NewControlPacket(packets.PUBLISH)
	content := cp.Content.(*packets.Publish)
	cp.Flags = 1
	content.Topic, content.Payload, content.Retain = "t", []byte("x"), true
	content.Properties.MessageExpiry = ptr(uint32(100))
	pub.send(cp)
	pub.send(packets.NewControlPacket(packets.PINGREQ))
	expect[packets.Pingresp](pub)
	want, _ := b.server.Topics.Retained.Get("t")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	got, ok := start(t, Options{DataDir: dir}).server.Topics.Retained.Get("t")
	if !ok || got.Expiry != want.Expiry || got.Expiry == 0 || got.ProtocolVersion != 5 {
		t.Errorf("expires at %d, want %d; version %d", got.Expiry, want.Expiry, got.ProtocolVersion)
	}
}

func TestDataDirInUse(t *testing.T) {
	dir := t.TempDir()
	start(t, Options{DataDir: dir})
	if _, err := New(Options{DataDir: dir}); err == nil {
		t.Fatal("two brokers share a directory")
	}
}

// A damaged file is left alone, and reported in one sentence that says what to do.
func TestDamagedFile(t *testing.T) {
	dir := t.TempDir()
	b := start(t, Options{DataDir: dir})
	pub := connect(t, dialTCP(t, b), nil)
	for i := range 50 {
		pub.publish(uint16(i+1), 1, true, fmt.Sprintf("t/%d", i), strings.Repeat("x", 500))
		expect[packets.Puback](pub)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "broker.db"))
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"scrambled": func(data []byte) []byte {
			for i := 4 * 4096; i < 6*4096; i++ {
				data[i] = 0xff
			}
			return data
		},
		"beginning lost": func(data []byte) []byte { clear(data[:8192]); return data },
		"truncated":      func(data []byte) []byte { return data[:len(data)/2] },
		"not ours":       func([]byte) []byte { return []byte(strings.Repeat("text ", 5000)) },
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "broker.db")
			damaged := damage(slices.Clone(whole))
			if err := os.WriteFile(file, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := New(Options{DataDir: filepath.Dir(file)})
			if err == nil || !strings.Contains(err.Error(), "is damaged: restore it from a backup, or move it away") {
				t.Errorf("%v", err)
			}
			if left, _ := os.ReadFile(file); !bytes.Equal(left, damaged) {
				t.Error("the file was changed")
			}
		})
	}
}

// A file that is mostly empty is compacted at startup.
func TestCompaction(t *testing.T) {
	dir := t.TempDir()
	b := start(t, Options{DataDir: dir})
	pub := connect(t, dialTCP(t, b), nil)
	pub.publish(1, 1, true, "small", "kept")
	expect[packets.Puback](pub)
	large := strings.Repeat("x", maxPacketSize-1000)
	for i := range 8 {
		pub.publish(2, 1, true, fmt.Sprint("large/", i), large)
		expect[packets.Puback](pub)
	}
	for i := range 8 {
		pub.publish(2, 1, true, fmt.Sprint("large/", i), "")
		expect[packets.Puback](pub)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, "broker.db"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	if err := os.MkdirAll(filepath.Join(dir, "broker.db.new", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	b, err := New(Options{DataDir: dir}) // compaction fails, as on a full disk, and the broker serves anyway
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "broker.db.new")); err != nil {
		t.Fatal(err)
	}
	b = start(t, Options{DataDir: dir})
	if after := size(); before < compactFrom || after > before/4 {
		t.Errorf("%d bytes before, %d after", before, after)
	}
	if _, ok := b.server.Topics.Retained.Get("small"); !ok {
		t.Error("a message was lost")
	}
}

// When one connection takes over from another, each waits for its own writes.
func TestReceiptsOfOneClient(t *testing.T) {
	s := start(t, Options{DataDir: t.TempDir()}).policy.store
	hold, err := s.db.Begin(true) // nothing is written meanwhile
	if err != nil {
		t.Fatal(err)
	}
	old := s.begin("device", false)
	now := s.begin("device", false)
	s.put("device", change{bucket: messages, key: messageKey("device", 1), value: released{}})
	later := make(chan bool, 2)
	s.end(old, func(_, l bool) { later <- l })
	s.end(now, func(_, l bool) { later <- l })
	if err := hold.Rollback(); err != nil {
		t.Fatal(err)
	}
	if <-later || !<-later {
		t.Error("the old connection's packet changed nothing, and the new one's is not on disk yet")
	}
}

// While the disk is slow, connections that take over from each other are stored one after
// the other.
func TestTakenOverWhileWritten(t *testing.T) {
	b := start(t, Options{DataDir: t.TempDir()})
	hold, err := b.policy.store.db.Begin(true) // nothing is written meanwhile
	if err != nil {
		t.Fatal(err)
	}
	var c net.Conn
	for i := range 3 {
		c = dialTCP(t, b)
		cp := packets.NewControlPacket(packets.CONNECT)
		lastingAs("device")(cp.Content.(*packets.Connect))
		cp.Content.(*packets.Connect).Properties.SessionExpiryInterval = ptr(uint32(100 + i))
		before, _ := b.server.Clients.Get("device")
		if _, err := cp.WriteTo(c); err != nil {
			t.Fatal(err)
		}
		waitFor(t, func() bool { now, _ := b.server.Clients.Get("device"); return now != before })
	}
	if err := hold.Rollback(); err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, conn: c}
	if got := expect[packets.Connack](p); got.ReasonCode != 0 || !got.SessionPresent {
		t.Errorf("CONNACK reason %#x, session present: %v", got.ReasonCode, got.SessionPresent)
	}
}

// A key too long for the file would fail the batch, together with other clients' changes.
func TestLongNameOfAGroup(t *testing.T) {
	b := start(t, Options{DataDir: t.TempDir()})
	p := connect(t, dialTCP(t, b), func(c *packets.Connect) {
		c.ClientID, c.CleanStart = "lasting", false
		c.Properties.SessionExpiryInterval = ptr(uint32(60))
	})
	cp := packets.NewControlPacket(packets.SUBSCRIBE)
	cp.Content.(*packets.Subscribe).PacketID = 1
	cp.Content.(*packets.Subscribe).Subscriptions = []packets.SubOptions{{Topic: "$share/" + strings.Repeat("g", 40_000) + "/x"}}
	p.send(cp)
	if got := expect[packets.Suback](p).Reasons[0]; got != packets.SubackTopicFilterinvalid || !b.Ready() {
		t.Errorf("SUBACK reason %#x, ready: %v", got, b.Ready())
	}
}
