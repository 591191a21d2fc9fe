package mqtt

import (
	"testing"
	"testing/synctest"
	"time"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// wantAlias reads a PUBLISH and checks its topic and alias as sent.
func wantAlias(t *testing.T, b *brokerConn, topic string, alias uint16) {
	t.Helper()
	p := publishOf(t, b.read())
	got := wire.ValueOr(p.Properties.TopicAlias, 0)
	if p.Topic != topic || got != alias {
		t.Errorf("sent %q with alias %d, want %q with %d", p.Topic, got, topic, alias)
	}
}

func automatic(o *Options) {
	o.AutoTopicAlias, o.SessionExpiry, o.Queue.Offline = true, 1000*time.Second, OfflineAll
}

// The broker allows two aliases: the least recently used one goes to the next topic.
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
		{"topic/3", "topic/3", 2}, // replaces topic/2
		{"topic/1", "", 1},
		{"topic/2", "topic/2", 2},
		{"abc", "abc", 0}, // an alias would not be shorter
	} {
		pub(step.topic)
		wantAlias(t, b, step.sent, step.alias)
	}
	one := publishAsync(c, Message{Topic: "topic/1", QoS: 1})
	wantAlias(t, b, "", 1)
	b.Close()
	b = s.next()
	b.accept(1, 0x22, 0, 2)
	wantAlias(t, b, "topic/1", 0) // a resent message carries its topic
	wait[Connected](log)
	wait[Connected](log)
	b.send(0x40, 2, 0, 1)
	wantNil(t, one)
	pub("topic/1") // not known on this connection
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

// Before the first connection the broker's Topic Alias Maximum is not known.
func TestAliasOfAMessageThatWaitsForTheFirstConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted(t)
		c, err := New(background, s.options())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Disconnect(background, DisconnectOptions{Force: true}) }()
		alias, tooHigh := uint16(1), uint16(2)
		sent := publishAsync(c, Message{Topic: "topic", Properties: Properties{TopicAlias: &alias}})
		refused := publishAsync(c, Message{Topic: "topic", Properties: Properties{TopicAlias: &tooHigh}})
		synctest.Wait() // both wait
		b := s.next()
		b.accept(0, 0x22, 0, 1)
		wantNil(t, sent)
		wantAlias(t, b, "topic", 1)
		wantCode(t, <-refused, BadOption, "properties.topicAlias")
	})
}

// [MQTT-3.2.2-15]: adding an alias must not make a packet too large.
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
		{10, "", 1},      // the alias is known now
	} {
		wantNil(t, publishAsync(c, Message{Topic: "topic", Payload: make([]byte, test.payload)}))
		wantAlias(t, b, test.topic, test.alias)
	}
}
