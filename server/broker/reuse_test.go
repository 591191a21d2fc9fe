package broker

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	mochi "github.com/mochi-mqtt/server/v2/packets"
	"go.etcd.io/bbolt"
)

func (p *peer) pingpong() {
	p.t.Helper()
	p.send(packets.NewControlPacket(packets.PINGREQ))
	expect[packets.Pingresp](p)
}

// mochi frees a packet identifier before it reports the message complete; in between, the
// identifier may be reused.
func TestIdentifierUsedAgainAtOnce(t *testing.T) {
	dir := t.TempDir()
	b := start(t, Options{DataDir: dir})
	sub := connect(t, dialTCP(t, b), lastingAs("device"))
	sub.subscribe("t", 1)
	sub.disconnect()
	pub := connect(t, dialTCP(t, b), nil)
	sub = connect(t, dialTCP(t, b), lastingAs("device")) // mochi counts from 1 again
	pub.publish(1, 1, false, "t", "first")
	expect[packets.Puback](pub)
	sub.disconnect()
	connect(t, dialTCP(t, b), lastingAs("device"))

	cl, _ := b.server.Clients.Get("device")
	if !cl.State.Inflight.Delete(1) {
		t.Fatal("the identifier is another")
	}
	pub.publish(2, 1, false, "t", "second")
	expect[packets.Puback](pub)
	if m, ok := cl.State.Inflight.Get(1); !ok || string(m.Payload) != "second" {
		t.Fatalf("the identifier is not used again, but for %v", m)
	}
	b.policy.OnQosComplete(cl, mochi.Packet{FixedHeader: mochi.FixedHeader{Type: mochi.Puback}, PacketID: 1})
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	b = start(t, Options{DataDir: dir})
	sub = connect(t, dialTCP(t, b), lastingAs("device"))
	if m := expect[packets.Publish](sub); string(m.Payload) != "second" {
		t.Errorf("got %q", m.Payload)
	}
}

// Files of earlier versions have what the client has not released among the messages to it.
func TestUnreleasedBeforeUpdate(t *testing.T) {
	dir := t.TempDir()
	b := start(t, Options{DataDir: dir})
	connect(t, dialTCP(t, b), lastingAs("device")).disconnect()
	waitFor(t, b.policy.sessions.get("device").away)
	b.policy.store.flush("device")
	if err := b.policy.store.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(messages).Put(messageKey("device", 5), []byte{kindReceived, 0, 9})
	}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []byte{0, mochi.ErrPacketIdentifierNotFound.Code} { // and it is gone once it is released
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		b = start(t, Options{DataDir: dir})
		p := connect(t, dialTCP(t, b), lastingAs("device"))
		release := packets.NewControlPacket(packets.PUBREL)
		release.Content.(*packets.Pubrel).PacketID = 9
		p.send(release)
		if got := expect[packets.Pubcomp](p); got.PacketID != 9 || got.ReasonCode != want {
			t.Errorf("PUBCOMP %d, reason %#x, want %#x", got.PacketID, got.ReasonCode, want)
		}
	}
}

// A QoS 2 message whose PUBREL was sent before a restart is completed after it.
func TestReleasedBeforeRestart(t *testing.T) {
	dir := t.TempDir()
	b := start(t, Options{DataDir: dir})
	sub := connect(t, dialTCP(t, b), lastingAs("device"))
	sub.subscribe("t", 2)
	pub := connect(t, dialTCP(t, b), nil)
	pub.publish(1, 2, false, "t", "once")
	expect[packets.Pubrec](pub)
	id := expect[packets.Publish](sub).PacketID
	cp := packets.NewControlPacket(packets.PUBREC)
	cp.Content.(*packets.Pubrec).PacketID = id
	sub.send(cp)
	expect[packets.Pubrel](sub)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	b = start(t, Options{DataDir: dir})
	sub = connect(t, dialTCP(t, b), lastingAs("device"))
	expect[packets.Pubrel](sub)
	cp = packets.NewControlPacket(packets.PUBCOMP)
	cp.Content.(*packets.Pubcomp).PacketID = id
	sub.send(cp)
	sub.pingpong()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	b = start(t, Options{DataDir: dir})
	connect(t, dialTCP(t, b), lastingAs("device")).pingpong() // no PUBREL comes
}

// With a clean start nothing is left of what the client had not released, in the file either.
func TestCleanStartForgetsUnreleased(t *testing.T) {
	dir := t.TempDir()
	b := start(t, Options{DataDir: dir})
	connect(t, dialTCP(t, b), lastingAs("device")).publish(7, 2, false, "t", "first")
	waitFor(t, func() bool { known, _ := b.policy.sessions.get("device").knows(7); return known })
	connect(t, dialTCP(t, b), func(c *packets.Connect) {
		lastingAs("device")(c)
		c.CleanStart = true
	}).disconnect()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = start(t, Options{DataDir: dir})
	sub := connect(t, dialTCP(t, b), nil)
	sub.subscribe("t", 0)
	p := connect(t, dialTCP(t, b), lastingAs("device"))
	p.publish(7, 2, false, "t", "second")
	if m := expect[packets.Publish](sub); string(m.Payload) != "second" {
		t.Errorf("got %q", m.Payload)
	}
}

// A server killed between two writes has stored a message of QoS 2 and the mark that it was
// delivered, or neither: its client sends it again.
func TestDeliveredAndMarkedAtOnce(t *testing.T) {
	const subscribers, published = 100, 50
	b := start(t, Options{DataDir: t.TempDir()})
	for i := range subscribers {
		p := connect(t, dialPipe(t, b), lastingAs(fmt.Sprint("sub", i)))
		p.subscribe("t", 2)
		p.disconnect()
	}
	pub := connect(t, dialTCP(t, b), lastingAs("pub"))
	var watch sync.WaitGroup
	watch.Go(func() {
		for stored, marked := 0, 0; marked < published; {
			if err := b.policy.store.db.View(func(tx *bbolt.Tx) error {
				stored, marked = tx.Bucket(messages).Stats().KeyN, tx.Bucket(unreleased).Stats().KeyN
				return nil
			}); err != nil || stored != marked*subscribers {
				t.Errorf("%d messages, %d marks: %v", stored, marked, err)
				return
			}
		}
	})
	for id := range uint16(published) {
		pub.publish(id+1, 2, false, "t", "x")
		expect[packets.Pubrec](pub)
	}
	watch.Wait()
}

// A change that replaced a deletion, and could not be written, leaves the deletion to be made.
func TestLostAfterDeletion(t *testing.T) {
	b := start(t, Options{DataDir: t.TempDir()})
	s := b.policy.store
	mark := change{bucket: unreleased, key: messageKey("device", 5), value: received{}}
	deletion := change{bucket: mark.bucket, key: mark.key}
	big := change{bucket: clients, key: []byte("big"), value: strings.Repeat("x", 1<<20)} // exceeds the free space in the file
	for _, batches := range [][][]change{{{deletion, mark, big}}, {{deletion, big}, {mark, big}}} {
		s.put("", mark)
		s.flush("")
		hold, err := s.db.Begin(true) // nothing is written meanwhile
		if err != nil {
			t.Fatal(err)
		}
		for _, changes := range batches {
			waitFor(t, func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.next.changes) == 0 })
			s.put("", changes...)
		}
		full(b, true)
		if err := hold.Rollback(); err != nil {
			t.Fatal(err)
		}
		s.flush("")
		full(b, false)
		s.flush("")
		if err := s.db.View(func(tx *bbolt.Tx) error {
			if tx.Bucket(mark.bucket).Get(mark.key) != nil {
				t.Errorf("%d batches: it is still there", len(batches))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}
