package mqtt

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

type reply struct {
	message Message
	err     error
}

func requestAsync(ctx context.Context, c *Client, m Message) <-chan reply {
	ch := make(chan reply, 1)
	go func() {
		answer, err := c.Request(ctx, m)
		ch <- reply{answer, err}
	}()
	return ch
}

// grantAnswers grants the subscription to the response topic, and returns that topic.
func grantAnswers(t *testing.T, b *brokerConn) string {
	t.Helper()
	p := b.read()
	if p == nil || p.Type != packets.SUBSCRIBE {
		t.Fatalf("got %v, want SUBSCRIBE", p)
	}
	b.send(0x90, 4, 0, byte(p.PacketID()), 0, 1)
	return p.Content.(*packets.Subscribe).Subscriptions[0].Topic
}

// answer replies to a request.
func (b *brokerConn) answer(q *packets.Publish, qos byte, id byte, payload string) {
	m := Message{Topic: q.Properties.ResponseTopic, QoS: qos, Payload: []byte(payload)}
	m.Properties.CorrelationData = q.Properties.CorrelationData
	frame, idAt := m.encode()
	if qos > 0 {
		frame[idAt+1] = id
	}
	b.send(frame...)
}

func TestRequestsAnsweredInAnyOrder(t *testing.T) {
	const n = 20
	c, _, b, _ := start(t, nil)
	var replies []<-chan reply
	for i := range n {
		replies = append(replies, requestAsync(background, c, Message{Topic: "ask", Payload: fmt.Append(nil, i)}))
	}
	topic := grantAnswers(t, b)
	if !strings.HasPrefix(topic, "mqttwasm/response/") {
		t.Errorf("response topic %s", topic)
	}
	asked := make([]*packets.Publish, n)
	for i := range asked {
		asked[i] = publishOf(t, b.read()) // no second SUBSCRIBE
		if asked[i].Properties.ResponseTopic != topic {
			t.Errorf("response topic %s, subscribed to %s", asked[i].Properties.ResponseTopic, topic)
		}
	}
	for i := n - 1; i >= 0; i-- {
		b.answer(asked[i], 0, 0, "re "+string(asked[i].Payload))
	}
	for i, ch := range replies {
		if r := <-ch; r.err != nil || string(r.message.Payload) != fmt.Sprint("re ", i) {
			t.Errorf("request %d: %s %v", i, r.message.Payload, r.err)
		}
	}
}

// A receiver may call Request before its batch is done. The reply is acknowledged in
// its turn [MQTT-4.6.0-2].
func TestRequestWhileABatchIsNotDone(t *testing.T) {
	c, _, b, _ := start(t, nil)
	b.send(0x32, 6, 0, 1, 't', 0, 7, 0)
	_, batch := receiveOne(t, c)
	r := requestAsync(background, c, Message{Topic: "ask"})
	grantAnswers(t, b)
	b.answer(publishOf(t, b.read()), 1, 8, "yes")
	if got := <-r; got.err != nil || string(got.message.Payload) != "yes" {
		t.Fatalf("%+v", got)
	}
	wantNil(t, publishAsync(c, Message{Topic: "marker"}))
	wantTopics(t, b, "marker") // no PUBACK before it
	batch.Done()
	b.expect(0x40, 2, 0, 7, 0x40, 2, 0, 8)
}

func TestQoS2AnswerIsAcknowledged(t *testing.T) {
	c, _, b, _ := start(t, nil)
	r := requestAsync(background, c, Message{Topic: "ask"})
	grantAnswers(t, b)
	b.answer(publishOf(t, b.read()), 2, 8, "yes")
	b.expect(0x50, 2, 0, 8)
	b.send(0x62, 2, 0, 8)
	b.expect(0x70, 2, 0, 8)
	if got := <-r; got.err != nil || got.message.QoS != 2 {
		t.Errorf("%+v", got)
	}
}

func TestRequestTimesOutAndAborts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, b, _ := start(t, nil)
		ctx, cancel := context.WithTimeout(background, 3*time.Second)
		defer cancel()
		begin := time.Now()
		r := requestAsync(ctx, c, Message{Topic: "ask", QoS: 1})
		grantAnswers(t, b)
		q := publishOf(t, b.read())
		wantCode(t, (<-r).err, Timeout, "")
		if d := time.Since(begin); d != 3*time.Second {
			t.Errorf("after %v", d)
		}
		b.send(0x40, 2, 0, byte(q.PacketID))
		ctx, stop := context.WithCancel(background)
		r = requestAsync(ctx, c, Message{Topic: "ask"})
		late := publishOf(t, b.read())
		stop()
		wantCode(t, (<-r).err, Aborted, "")

		// A late, an unsolicited or a second reply is a message like any other.
		b.answer(late, 0, 0, "late")
		if m, _ := receiveOne(t, c); string(m.Payload) != "late" {
			t.Errorf("got %s", m.Payload)
		}
		r = requestAsync(background, c, Message{Topic: "ask"})
		q = publishOf(t, b.read())
		foreign := *q
		foreign.Properties = &packets.Properties{ResponseTopic: q.Properties.ResponseTopic, CorrelationData: []byte("foreign")}
		b.answer(&foreign, 0, 0, "foreign")
		b.answer(q, 0, 0, "yes")
		if got := <-r; string(got.message.Payload) != "yes" {
			t.Errorf("%+v", got)
		}
		if m, _ := receiveOne(t, c); string(m.Payload) != "foreign" {
			t.Errorf("got %s", m.Payload)
		}
		b.answer(q, 0, 0, "twice")
		if m, _ := receiveOne(t, c); string(m.Payload) != "twice" {
			t.Errorf("got %s", m.Payload)
		}
		if n := len(c.responses.pending); n > 0 {
			t.Errorf("%d requests left behind", n)
		}
	})
}

func TestRequestThatNobodyHears(t *testing.T) {
	c, _, b, _ := start(t, nil)
	r := requestAsync(background, c, Message{Topic: "ask", QoS: 1})
	grantAnswers(t, b)
	b.send(0x40, 3, 0, byte(publishOf(t, b.read()).PacketID), wire.ReasonNoMatchingSubscribers)
	if e := wantCode(t, (<-r).err, Refused, ""); e.ReasonCode != wire.ReasonNoMatchingSubscribers {
		t.Errorf("%+v", e)
	}
}

func TestRequestOverALostConnection(t *testing.T) {
	for present := range byte(2) {
		t.Run(fmt.Sprintf("session present %d", present), func(t *testing.T) {
			c, s, b, log := start(t, withSession)
			r := requestAsync(background, c, Message{Topic: "ask"})
			topic := grantAnswers(t, b)
			q := publishOf(t, b.read())
			b.Close()
			b = s.next()
			b.accept(present)
			if present == 0 {
				if again := grantAnswers(t, b); again != topic {
					t.Errorf("subscribed to %s, before to %s", again, topic)
				}
			}
			wait[Connected](log)
			b.answer(q, 0, 0, "yes")
			if got := <-r; got.err != nil || string(got.message.Payload) != "yes" {
				t.Errorf("%+v", got)
			}
		})
	}
	t.Run("in flight, session lost", func(t *testing.T) {
		c, s, b, _ := start(t, withSession)
		r := requestAsync(background, c, Message{Topic: "ask", QoS: 1})
		grantAnswers(t, b)
		publishOf(t, b.read())
		b.Close()
		b = s.next()
		b.accept(0)
		grantAnswers(t, b)
		wantCode(t, (<-r).err, SessionLost, "")
	})
}

func TestResponseInformationIsUsed(t *testing.T) { // 3.2.2.3.15
	c, _, b, _ := start(t, func(o *Options) { o.RequestResponseInfo = true }, 0x1A, 0, 5, 'm', 'i', 'n', 'e', '/')
	r := requestAsync(background, c, Message{Topic: "ask"})
	if topic := grantAnswers(t, b); !strings.HasPrefix(topic, "mine/response/") {
		t.Errorf("response topic %s", topic)
	}
	b.answer(publishOf(t, b.read()), 0, 0, "")
	if got := <-r; got.err != nil {
		t.Error(got.err)
	}
}

// If the Response Information changes with the next connection, earlier requests keep
// their response topic.
func TestResponseInformationThatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, b, _ := start(t, func(o *Options) { o.RequestResponseInfo, o.SessionExpiry = true, time.Hour }, 0x1A, 0, 1, 'a')
		ask := func() (<-chan reply, *packets.Publish) {
			r := requestAsync(background, c, Message{Topic: "ask"})
			grantAnswers(t, b)
			return r, publishOf(t, b.read())
		}
		before, first := ask()
		synctest.Wait()
		b = again(t, s, b, 1, 0x1A, 0, 1, 'b')
		synctest.Wait()
		after, second := ask()
		if first.Properties.ResponseTopic[0] != 'a' || second.Properties.ResponseTopic[0] != 'b' {
			t.Errorf("answers are to go to %q and %q", first.Properties.ResponseTopic, second.Properties.ResponseTopic)
		}
		b.answer(second, 0, 0, "second")
		b.answer(first, 0, 0, "first")
		for _, want := range []struct {
			reply <-chan reply
			text  string
		}{{before, "first"}, {after, "second"}} {
			if got := <-want.reply; got.err != nil || string(got.message.Payload) != want.text {
				t.Errorf("%q: %q %v", want.text, got.message.Payload, got.err)
			}
		}
	})
}

func TestRequestsEndWithTheClient(t *testing.T) {
	c, _, b, _ := start(t, nil)
	waits := requestAsync(background, c, Message{Topic: "ask"})
	grantAnswers(t, b)
	publishOf(t, b.read())
	if err := c.Disconnect(background, DisconnectOptions{}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, (<-waits).err, NotConnected, "")
	_, err := c.Request(background, Message{Topic: "ask"})
	wantCode(t, err, NotConnected, "")
}

func TestRequestInput(t *testing.T) {
	c, _, b, _ := start(t, nil)
	_, err := c.Request(background, Message{Topic: "ask", Properties: Properties{ResponseTopic: "mine"}})
	wantCode(t, err, BadOption, "properties")
	go func() { b.send(0x90, 4, 0, byte(b.read().PacketID()), 0, 0x87) }()
	_, err = c.Request(background, Message{Topic: "ask"})
	wantCode(t, err, Refused, "")
}

func TestReply(t *testing.T) { // [MQTT-3.3.2-16]
	c, _, b, _ := start(t, nil)
	_, err := c.Reply(background, &Message{Topic: "t"}, Message{})
	wantCode(t, err, BadOption, "properties.responseTopic")
	asked := Message{Topic: "t", Properties: Properties{ResponseTopic: "back", CorrelationData: []byte{1, 2}}}
	if _, err := c.Reply(background, &asked, Message{Payload: []byte("yes")}); err != nil {
		t.Fatal(err)
	}
	p := publishOf(t, b.read())
	if p.Topic != "back" || string(p.Properties.CorrelationData) != "\x01\x02" || string(p.Payload) != "yes" {
		t.Errorf("answer %v", p)
	}
}
