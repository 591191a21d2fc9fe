package session

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

func TestAsManyAliasesAsThereAre(t *testing.T) {
	a := newSentAliases(Limits{Alias: 65535, Packet: maxPacket})
	for i := range 65536 + 10 {
		p := parseFrame(t, a.shorten(newMessage(0, fmt.Sprintf("topic/%d", i), "", 0, 0)))
		if want := uint16(i%65535 + 1); p.Alias != want {
			t.Fatalf("topic %d: alias %d, want %d", i, p.Alias, want)
		}
	}
	if len(a.known) != 65535 || a.used.Len() != 65535 {
		t.Errorf("%d topics known, %d in use", len(a.known), a.used.Len())
	}
}

// Setting every alias again and again takes no more memory than doing so once.
func TestAliasFlood(t *testing.T) {
	const maximum, topicSize = 65535, 200
	s := New(Config{AliasMaximum: maximum})
	if err := s.Connected(&wire.Connack{}, 0); err != nil {
		t.Fatal(err)
	}
	topic := make([]byte, topicSize) // the reader's buffer, which is reused
	for range 5 {
		for alias := 1; alias <= maximum; alias++ {
			for i := range topic {
				topic[i] = 'a' + byte(alias%26)
			}
			if _, _, _, err := s.Received(&wire.Publish{Alias: uint16(alias), Topic: topic}); err != nil {
				t.Fatal(err)
			}
		}
	}
	held := 0
	for _, topic := range s.topics {
		held += cap(topic)
	}
	if most := maximum * (topicSize + topicSize/4); held > most {
		t.Errorf("the aliases hold %d bytes, want at most %d", held, most)
	}
	for alias := 1; alias <= maximum; alias++ {
		topic, _, _, err := s.Received(&wire.Publish{Alias: uint16(alias)})
		if err != nil || len(topic) != topicSize || topic[0] != 'a'+byte(alias%26) {
			t.Fatalf("alias %d is %s, %v", alias, topic, err)
		}
	}
}

// Setting an alias changes nothing but the topic and the alias.
func FuzzWithAlias(f *testing.F) {
	f.Add("t", byte(0), uint16(1), []byte("x"), "", uint32(0), true)
	f.Add("topic", byte(2), uint16(65535), []byte{}, strings.Repeat("c", 125), uint32(7), false)
	f.Fuzz(func(t *testing.T, topic string, qos byte, alias uint16, payload []byte, contentType string, expiry uint32, keep bool) {
		if wire.CheckTopicName("", topic) != nil || wire.CheckText("", contentType) != nil || qos > 2 || alias == 0 {
			return
		}
		properties := (&packets.Properties{ContentType: contentType, MessageExpiry: &expiry}).Pack(wire.TypePublish)
		frame, idAt := wire.EncodePublish(qos<<1, topic, properties, payload)
		var m Message
		m.SetFrame(frame, idAt, 0)
		if qos > 0 {
			m.setID(9)
		}
		var sent []byte
		if keep {
			sent = m.topic()
		}
		before, after := parseFrame(t, m.frame), parseFrame(t, m.withAlias(alias, sent))
		if string(before.Topic) != topic || !bytes.Equal(after.Topic, sent) || after.Alias != alias || before.Flags != after.Flags ||
			before.ID != after.ID || !bytes.Equal(before.Properties, after.Properties) || !bytes.Equal(before.Payload, after.Payload) {
			t.Errorf("%+v became %+v", before, after)
		}
	})
}

func parseFrame(t *testing.T, frame []byte) (p wire.Publish) {
	t.Helper()
	length, size, ok, bad := wire.Varint(frame[1:])
	if !ok || bad != nil || 1+size+length != len(frame) {
		t.Fatalf("%x: wrong length", frame)
	}
	if err := wire.ParsePublish(frame[0], frame[1+size:], &p); err != nil {
		t.Fatalf("%x: %v", frame, err)
	}
	return p
}
