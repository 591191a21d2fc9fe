package mqtt

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/eclipse/paho.golang/packets"
)

func TestHostileLengthsTakeNoMemory(t *testing.T) {
	for name, attack := range map[string][]byte{
		"256 MiB announced":  {0x30, 0xFF, 0xFF, 0xFF, 0x7F},
		"a five byte length": {0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F},
		"16 MiB announced":   {0x30, 0xF0, 0xFF, 0xFF, 0x07},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, b, log := start(t, func(o *Options) { o.Reconnect = ReconnectNever })
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			b.send(attack...)
			if strings.HasPrefix(name, "16") { // legal, but incomplete
				b.Close()
			} else {
				tooLarge := len(attack) == 5
				wantCode(t, wait[Closed](log).Err, map[bool]Code{true: PacketTooLarge, false: Protocol}[tooLarge], "")
				b.expect(0xE0, 1, map[bool]byte{true: 0x95, false: 0x81}[tooLarge])
			}
			wait[Ended](log)
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
				t.Errorf("allocated %d bytes", grown)
			}
		})
	}
}

func TestServerDisconnectReasonIsNeverLost(t *testing.T) {
	for i := range 100 {
		_, _, b, log := start(t, func(o *Options) { o.Reconnect = ReconnectNever })
		b.send(0xE0, 8, 0x98, 6, 0x1F, 0, 3, 'b', 'y', 'e')
		b.Close()
		ev := wait[ServerDisconnected](log)
		if ev.ReasonCode != 0x98 || ev.ReasonString != "bye" {
			t.Fatalf("round %d: %+v", i, ev)
		}
		if e := wantCode(t, wait[Closed](log).Err, Disconnected, ""); e.ReasonCode != 0x98 || e.ReasonString != "bye" {
			t.Fatalf("round %d: %+v", i, e)
		}
	}
}

// A broker may accept a connection and end it in one go, for example for a quota. The
// attempt may then fail before it is announced.
func TestServerDisconnectComesAfterConnected(t *testing.T) {
	for round := range 50 {
		s, log := newScripted(t), make(eventLog, 10)
		o := s.options()
		o.OnEvent, o.Reconnect = log.on, ReconnectNever
		c, err := New(background, o)
		if err != nil {
			t.Fatal(err)
		}
		b := s.next()
		b.read()
		b.send(0x20, 3, 0, 0, 0, 0xE0, 2, 0x97, 0)
		<-c.Done()
		var seen []string
		for over := false; !over; {
			ev := <-log
			if _, over = ev.(Ended); !over {
				seen = append(seen, fmt.Sprintf("%T", ev))
			}
		}
		if got := strings.Join(seen, " "); got != "mqtt.Connected mqtt.ServerDisconnected mqtt.Closed" &&
			got != "mqtt.ServerDisconnected mqtt.Failed" {
			t.Fatalf("round %d: %s", round, got)
		}
		_ = b.Close()
	}
}

func TestBadInputNamesTheField(t *testing.T) {
	c, _, b, _ := start(t, nil,
		0x24, 1, // Maximum QoS 1
		0x25, 0, // no retained messages
		0x27, 0, 0, 0, 60, // Maximum Packet Size 60
		0x28, 0, 0x29, 0, 0x2A, 0) // no wildcards, subscription identifiers, shared subscriptions
	pub := func(m Message) error { _, err := c.Publish(background, m); return err }
	sub := func(o SubscribeOptions, s ...Subscription) error { _, err := c.Subscribe(background, s, o); return err }
	unsub := func(f ...string) error { _, err := c.Unsubscribe(background, f, nil); return err }
	alias := uint16(1)
	for name, test := range map[string]struct {
		err   error
		code  Code
		field string
	}{
		"no topic":                 {pub(Message{}), BadOption, "topic"},
		"wildcard + in topic":      {pub(Message{Topic: "a/+"}), BadOption, "topic"},
		"wildcard # in topic":      {pub(Message{Topic: "#"}), BadOption, "topic"},
		"U+0000 in topic":          {pub(Message{Topic: "a\x00"}), BadOption, "topic"},
		"ill-formed topic":         {pub(Message{Topic: "\xed\xa0\x80"}), BadOption, "topic"},
		"long topic":               {pub(Message{Topic: strings.Repeat("a", 65536)}), BadOption, "topic"},
		"QoS 3":                    {pub(Message{Topic: "a", QoS: 3}), BadOption, "qos"},
		"over Maximum QoS":         {pub(Message{Topic: "a", QoS: 2}), Unsupported, "qos"},
		"retain not offered":       {pub(Message{Topic: "a", Retain: true}), Unsupported, "retain"},
		"over Maximum Packet Size": {pub(Message{Topic: "a", Payload: make([]byte, 60)}), PacketTooLarge, "payload"},
		"alias not granted":        {pub(Message{Topic: "a", Properties: Properties{TopicAlias: &alias}}), BadOption, "properties.topicAlias"},
		"wildcard response topic":  {pub(Message{Topic: "a", Properties: Properties{ResponseTopic: "#"}}), BadOption, "properties.responseTopic"},
		"no filter":                {sub(SubscribeOptions{}), BadOption, "filter"},
		"empty filter":             {sub(SubscribeOptions{}, Subscription{}), BadOption, "filter"},
		"# not last":               {sub(SubscribeOptions{}, Subscription{Filter: "a/#/b"}), BadOption, "filter"},
		"# beside text":            {sub(SubscribeOptions{}, Subscription{Filter: "a#"}), BadOption, "filter"},
		"+ beside text":            {sub(SubscribeOptions{}, Subscription{Filter: "a+/b"}), BadOption, "filter"},
		"share without filter":     {sub(SubscribeOptions{}, Subscription{Filter: "$share/g"}), BadOption, "filter"},
		"subscribe QoS 3":          {sub(SubscribeOptions{}, Subscription{Filter: "a", QoS: 3}), BadOption, "qos"},
		"retain handling 3":        {sub(SubscribeOptions{}, Subscription{Filter: "a", RetainHandling: 3}), BadOption, "rh"},
		"shared no local":          {sub(SubscribeOptions{}, Subscription{Filter: "$share/g/a", NoLocal: true}), BadOption, "nl"},
		"shared not offered":       {sub(SubscribeOptions{}, Subscription{Filter: "$share/g/a"}), Unsupported, "filter"},
		"wildcards not offered":    {sub(SubscribeOptions{}, Subscription{Filter: "a/#"}), Unsupported, "filter"},
		"identifiers not offered":  {sub(SubscribeOptions{Identifier: 1}, Subscription{Filter: "a"}), Unsupported, "properties.subscriptionIdentifier"},
		"unsubscribe from nothing": {unsub(), BadOption, "filter"},
		"unsubscribe from a/#/b":   {unsub("a/#/b"), BadOption, "filter"},
		"no such reason code":      {c.Disconnect(background, DisconnectOptions{ReasonCode: 0x7F}), BadOption, "reasonCode"},
		"no URL":                   {func() error { _, err := Connect(background, Options{}); return err }(), BadOption, "url"},
		"will with wildcard": {func() error {
			_, err := Connect(background, Options{URL: "x", Dial: newScripted(t).dial, Will: &Will{Message: Message{Topic: "+"}}})
			return err
		}(), BadOption, "will.topic"},
		"authentication data alone": {func() error {
			_, err := Connect(background, Options{URL: "x", Dial: newScripted(t).dial, AuthData: []byte{1}})
			return err
		}(), BadOption, "properties.authenticationData"},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, test.err, test.code, test.field) })
	}
	// None of the calls above sent anything, and the client still works.
	if err := pub(Message{Topic: "ok", Payload: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	b.expect(0x30, 6, 0, 2, 'o', 'k', 0, 'x')
}

// Negative values fail at once instead of causing a panic or a busy loop later.
func TestNegativeOptions(t *testing.T) {
	for field, o := range map[string]Options{
		"connectTimeout": {ConnectTimeout: -1}, "reconnectPeriod": {ReconnectMin: -1}, "maxReconnectPeriod": {ReconnectMax: -1},
		"subscribeBatchSize": {SubscribeBatchSize: -1}, "queue.messages": {Queue: Queue{Messages: -1}},
		"queue.bytes": {Queue: Queue{Bytes: -1}}, "inboxLimit": {InboxLimit: -1},
	} {
		o.URL, o.Dial = "x", newScripted(t).dial
		c, err := New(background, o)
		wantCode(t, err, BadOption, field)
		if c != nil {
			_ = c.Disconnect(background, DisconnectOptions{})
		}
	}
}

func TestCallsWithoutAConnection(t *testing.T) {
	c, _, b, log := start(t, func(o *Options) { o.ReconnectMin, o.ReconnectMax = untilWake, untilWake })
	b.Close()
	wait[Reconnecting](log)
	calls := func() []error {
		_, err1 := c.Publish(background, Message{Topic: "a", QoS: 1})
		_, err2 := c.Subscribe(background, []Subscription{{Filter: "a"}}, SubscribeOptions{})
		_, err3 := c.Unsubscribe(background, []string{"a"}, nil)
		return []error{err1, err2, err3}
	}
	for _, err := range calls() {
		wantCode(t, err, NotConnected, "")
	}
	if err := c.Disconnect(background, DisconnectOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, err := range calls() {
		wantCode(t, err, NotConnected, "")
	}
	if _, err := c.Receive(background); err == nil {
		t.Error("Receive after the end")
	}
}

func TestSubscribeAndUnsubscribe(t *testing.T) {
	c, _, b, _ := start(t, nil)
	go func() {
		p := b.read().Content.(*packets.Subscribe)
		if len(p.Subscriptions) != 2 || p.Subscriptions[0].Topic != "a/+" || p.Subscriptions[1].QoS != 2 || !p.Subscriptions[1].NoLocal {
			t.Errorf("SUBSCRIBE %v", p)
		}
		b.send(0x90, 5, 0, byte(p.PacketID), 0, 0x00, 0x87)
		q := b.read().Content.(*packets.Unsubscribe)
		b.send(0xB0, 4, 0, byte(q.PacketID), 0, 0x11)
		r := b.read().Content.(*packets.Subscribe)
		b.send(0x90, 8, 0, byte(r.PacketID), 4, 0x1F, 0, 1, 'x', 0x8F)
		u := b.read().Content.(*packets.Unsubscribe)
		b.send(0xB0, 3, 0, byte(u.PacketID), 0)
	}()
	r, err := c.Subscribe(background, []Subscription{{Filter: "a/+"}, {Filter: "b", QoS: 2, NoLocal: true}}, SubscribeOptions{})
	if err != nil || string(r.ReasonCodes) != "\x00\x87" {
		t.Errorf("%v %v", r, err)
	}
	if r, err := c.Unsubscribe(background, []string{"a/+"}, nil); err != nil || string(r.ReasonCodes) != "\x11" {
		t.Errorf("%v %v", r, err)
	}
	_, err = c.Subscribe(background, []Subscription{{Filter: "c"}}, SubscribeOptions{})
	if e := wantCode(t, err, Refused, ""); e.ReasonCode != 0x8F || e.ReasonString != "x" {
		t.Errorf("%+v", e)
	}
	_, err = c.Unsubscribe(background, []string{"b"}, nil) // answered without a reason code [MQTT-3.11.3-1]
	wantCode(t, err, Protocol, "")
	if _, err := c.current(); err != nil {
		t.Errorf("the connection did not survive: %v", err)
	}
}

func TestPublishesLeaveInOrder(t *testing.T) {
	const n = 500
	c, _, b, _ := start(t, nil)
	done := make(chan error, n)
	for i := range n {
		c.PublishAsync(&Message{Topic: "t", Payload: fmt.Append(nil, i), QoS: byte(i % 3)},
			PublishOptions{OnSettled: func(_ PublishResult, err error) { done <- err }})
	}
	go func() {
		for i := 0; i < n; {
			p := b.read()
			switch q := p.Content.(type) {
			case *packets.Publish:
				if string(q.Payload) != fmt.Sprint(i) {
					t.Errorf("message %s in place of %d", q.Payload, i)
				}
				i++
				id := []byte{byte(q.PacketID >> 8), byte(q.PacketID)}
				if q.QoS > 0 {
					b.send(0x30+q.QoS<<4, 2, id[0], id[1]) // PUBACK or PUBREC
				}
			case *packets.Pubrel:
				b.send(0x70, 2, byte(q.PacketID>>8), byte(q.PacketID))
			}
		}
		for {
			p := b.read()
			if p == nil {
				return
			}
			if q, ok := p.Content.(*packets.Pubrel); ok {
				b.send(0x70, 2, byte(q.PacketID>>8), byte(q.PacketID))
			}
		}
	}()
	for range n {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // fails if a goroutine outlives it
		for range 1000 {
			s := newScripted(t)
			go func() {
				b := s.next()
				b.accept(0)
				for b.read() != nil { // CONNECT was read; the rest until it closes
				}
			}()
			c, err := Connect(background, s.options())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Publish(background, Message{Topic: "t"}); err != nil {
				t.Fatal(err)
			}
			if err := c.Disconnect(background, DisconnectOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	})
}
