package session

import (
	"errors"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// An alias is only valid on its own connection: a restored message has its topic and no
// alias.
func TestRestoredMessageHasNoAlias(t *testing.T) {
	alias, expiry := uint16(3), uint32(4_000_000_000)
	message := func(qos byte, alias *uint16) *Message {
		m := &Message{}
		properties := (&packets.Properties{TopicAlias: alias, MessageExpiry: &expiry, ContentType: "c"}).Pack(wire.TypePublish)
		frame, idAt := wire.EncodePublish(qos<<1, "topic", properties, []byte("payload"))
		m.SetFrame(frame, idAt, 0)
		return m
	}
	for qos := range byte(3) {
		m, want := parseMessage(messageRecord(message(qos, &alias))), message(qos, nil)
		if qos > 0 {
			m.setID(1)
			want.setID(1)
		}
		if string(m.frame) != string(want.frame) || m.idAt != want.idAt || m.expiryAt != want.expiryAt || m.alias != 0 {
			t.Errorf("QoS %d: %x, want %x", qos, m.frame, want.frame)
		}
	}
}

// The store is as untrusted as the network: a record that is not a message this client
// could have queued is rejected.
func TestBrokenMessages(t *testing.T) {
	good := messageRecord(newMessage(1, "topic", "x", 0, 0))
	if parseMessage(good) == nil {
		t.Fatal("a good one is not taken")
	}
	const flags, idAt, size = keptHead, keptHead - 1, keptHead + 1
	for name, change := range map[string]func([]byte) []byte{
		"another version":       func(v []byte) []byte { v[0]++; return v },
		"a head only":           func(v []byte) []byte { return v[:keptHead+1] },
		"cut off":               func(v []byte) []byte { return v[:len(v)-1] },
		"too long":              func(v []byte) []byte { return append(v, 0) },
		"no PUBLISH":            func(v []byte) []byte { v[flags] ^= 0x70; return v },
		"with DUP":              func(v []byte) []byte { v[flags] |= 8; return v },
		"QoS 3":                 func(v []byte) []byte { v[flags] |= 6; return v },
		"an identifier astray":  func(v []byte) []byte { v[idAt]++; return v },
		"a topic too long":      func(v []byte) []byte { v[size+2] = 100; return v },
		"a wildcard":            func(v []byte) []byte { v[size+3] = '#'; return v },
		"no topic":              func([]byte) []byte { return messageRecord(newMessage(1, "", "x", 0, 0)) },
		"nothing after a topic": func(v []byte) []byte { v[size] = 7; return v[:size+1+7] },
		"a subscription identifier": func([]byte) []byte { // [MQTT-3.3.4-6]
			var m Message
			frame, idAt := wire.EncodePublish(2, "topic", []byte{packets.PropSubscriptionIdentifier, 7}, nil)
			m.SetFrame(frame, idAt, 0)
			return messageRecord(&m)
		},
	} {
		if parseMessage(change(append([]byte(nil), good...))) != nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// Whatever the store contains, each record is restored or deleted, and restored
// messages can be sent.
func FuzzRestore(f *testing.F) {
	f.Add("o0000000000000001", messageRecord(newMessage(2, "t", "x", 0, 0)), "s0000000000000001", []byte{0, 1})
	f.Add("o0000000000000001", messageRecord(newMessage(0, "t", "", 1, 0)), "i0001", []byte{})
	f.Add("o0000000000000001", messageRecord(newMessage(1, "t", "", 0, 0)), "r0000000000000001", []byte{})
	f.Add("o0000000000000001", messageRecord(newMessage(1, "t", "", 0, 7)), "s0000000000000001", []byte{0, 0})
	f.Add("o0000000000000001", []byte{1}, "r0000000000000001", []byte{})
	f.Fuzz(func(t *testing.T, key1 string, value1 []byte, key2 string, value2 []byte) {
		if key1 == key2 {
			return
		}
		s := New(Config{Now: time.Now, Journal: true, Keep: true, ReceiveMaximum: 1, Queue: Queue{Messages: 10, Bytes: 1000}})
		s.Restore([]Record{{key1, value1}, {key2, value2}})
		r := s.Ready()
		deleted := map[string]bool{}
		for _, w := range r.Writes {
			for _, record := range w.Records {
				deleted[record.Key] = record.Value == nil
			}
		}
		for _, err := range r.Failures {
			if e := (*wire.Error)(nil); !errors.As(err, &e) || e.Code != wire.Storage {
				t.Errorf("told %v", err)
			}
		}
		if told := len(r.Failures) > 0; told != (len(deleted) > 0) {
			t.Errorf("deleted %v, told %v", deleted, r.Failures)
		}
		taken := map[string]bool{}
		for id := range s.in {
			taken[journalKey(keptIncoming, uint64(id))] = true
		}
		for _, l := range []*list{&s.queue, &s.flight} {
			for m := l.first; m != nil; m = m.next {
				taken[journalKey(keptMessage, m.seq)] = true
				taken[journalKey(keptSent, m.seq)] = l == &s.flight
				taken[journalKey(keptReleased, m.seq)] = m.released
				checkRestored(t, m)
			}
		}
		for _, key := range []string{key1, key2} {
			if taken[key] == deleted[key] {
				t.Errorf("record %q: taken %v, deleted %v", key, taken[key], deleted[key])
			}
		}
		if err := s.Connected(&wire.Connack{SessionPresent: true}, 1); err != nil {
			t.Fatal(err)
		}
		for range r.Writes {
			s.Stored(nil)
		}
		for range 2 { // before and after the identifier is stored
			frames := s.Next(nil, 1000)
			n := 0
			for _, frame := range frames {
				n += len(frame)
			}
			s.Written(n)
			for range s.Ready().Writes {
				s.Stored(nil)
			}
			if err := consistent(s); err != nil {
				t.Error(err)
			}
		}
	})
}

func checkRestored(t *testing.T, m *Message) {
	if p := parseFrame(t, m.frame); p.Alias != 0 || len(p.Topic) == 0 {
		t.Errorf("%x: %+v", m.frame, p)
	}
	if m.expiryAt > 0 {
		m.age(time.Now())
		parseFrame(t, m.frame)
	}
}
