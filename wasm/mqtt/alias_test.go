package mqtt

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// wantAlias reads a PUBLISH and checks its topic, as sent, and its alias.
func wantAlias(t *testing.T, b *brokerConn, topic string, alias uint16) {
	t.Helper()
	p := publishOf(t, b.read())
	got := uint16(0)
	override(&got, p.Properties.TopicAlias)
	if p.Topic != topic || got != alias {
		t.Errorf("sent %q with alias %d, want %q with %d", p.Topic, got, topic, alias)
	}
}

func automatic(o *Options) { o.AutoTopicAlias, o.SessionExpiry, o.Queue.Offline = true, 1000, true }

// The broker takes two: the one not used for longest is given to another topic.
func TestAliasesAreSentAndReused(t *testing.T) {
	c, s, b, log := start(t, automatic, 0x22, 0, 2)
	pub := func(topic string) { wantNil(t, publishAsync(c, Message{Topic: topic})) }
	for _, step := range []struct {
		topic, sent string
		alias       uint16
	}{
		{"topic/1", "topic/1", 1},
		{"topic/1", "", 1},
		{"topic/2", "topic/2", 2},
		{"topic/1", "", 1},
		{"topic/3", "topic/3", 2}, // topic/2 gave way
		{"topic/1", "", 1},
		{"topic/2", "topic/2", 2},
		{"abc", "abc", 0}, // an alias is no shorter
	} {
		pub(step.topic)
		wantAlias(t, b, step.sent, step.alias)
	}
	one := publishAsync(c, Message{Topic: "topic/1", QoS: 1})
	wantAlias(t, b, "", 1)
	b.Close()
	b = s.next()
	b.accept(1, 0x22, 0, 2)
	wantAlias(t, b, "topic/1", 0) // a repetition stands alone
	wait[Connected](log)
	wait[Connected](log)
	b.send(0x40, 2, 0, 1)
	wantNil(t, one)
	pub("topic/1") // which this connection has not seen
	wantAlias(t, b, "topic/1", 1)
}

func TestNoAliasesWhereTheBrokerTakesNone(t *testing.T) {
	c, _, b, _ := start(t, automatic)
	for range 2 {
		wantNil(t, publishAsync(c, Message{Topic: "topic"}))
		wantAlias(t, b, "topic", 0)
	}
	alias := uint16(1)
	wantCode(t, <-publishAsync(c, Message{Topic: "t", Properties: Properties{TopicAlias: &alias}}), BadOption, "properties.topicAlias")
}

// The alias itself must not make a packet too large [MQTT-3.2.2-15].
func TestAliasAtThePacketSizeLimit(t *testing.T) {
	c, _, b, _ := start(t, automatic, 0x22, 0, 9, 0x27, 0, 0, 0, 20)
	for _, test := range []struct {
		payload int
		topic   string
		alias   uint16
	}{
		{10, "topic", 0}, // 20 bytes without an alias
		{8, "topic", 0},  // 21 with one
		{7, "topic", 1},  // 20 with one
		{10, "", 1},      // and now it is known
	} {
		wantNil(t, publishAsync(c, Message{Topic: "topic", Payload: make([]byte, test.payload)}))
		wantAlias(t, b, test.topic, test.alias)
	}
}

func TestAsManyAliasesAsThereAre(t *testing.T) {
	a := newSentAliases(limits{alias: 65535})
	for i := range 65536 + 10 {
		frame := a.shorten(newOutgoing(&Message{Topic: fmt.Sprintf("topic/%d", i)}))
		_, size, _, _ := parseVarint(frame[1:])
		p, err := parsePublish(frame[0], frame[1+size:])
		if want := uint16(i%65535 + 1); err != nil || p.alias != want {
			t.Fatalf("topic %d: alias %d (%v), want %d", i, p.alias, err, want)
		}
	}
	if len(a.known) != 65535 || a.used.Len() != 65535 {
		t.Errorf("%d topics known, %d in use", len(a.known), a.used.Len())
	}
}

func FuzzWithAlias(f *testing.F) {
	f.Add("t", byte(0), uint16(1), []byte("x"), "", uint32(0), true)
	f.Add("topic", byte(2), uint16(65535), []byte{}, strings.Repeat("c", 125), uint32(7), false)
	f.Fuzz(func(t *testing.T, topic string, qos byte, alias uint16, payload []byte, contentType string, expiry uint32, keep bool) {
		m := Message{Topic: topic, QoS: qos, Payload: payload}
		m.Properties.ContentType, m.Properties.MessageExpiry = contentType, &expiry
		if checkMessage("", &m) != nil || alias == 0 {
			return
		}
		o := newOutgoing(&m)
		if qos > 0 {
			o.setID(9)
		}
		sent := []byte(nil)
		if keep {
			sent = o.topic()
		}
		parse := func(frame []byte) publishPacket {
			length, size, ok, bad := parseVarint(frame[1:])
			if !ok || bad != nil || 1+size+length != len(frame) {
				t.Fatalf("%x: wrong length", frame)
			}
			p, err := parsePublish(frame[0], frame[1+size:])
			if err != nil {
				t.Fatalf("%x: %v", frame, err)
			}
			return p
		}
		before, after := parse(o.frame), parse(o.withAlias(alias, sent))
		if string(before.topic) != topic || !bytes.Equal(after.topic, sent) || after.alias != alias || before.flags != after.flags ||
			before.id != after.id || !bytes.Equal(before.properties, after.properties) || !bytes.Equal(before.payload, after.payload) {
			t.Errorf("%+v became %+v", before, after)
		}
	})
}
