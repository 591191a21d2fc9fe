package mqtt

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

func withSession(o *Options) { o.SessionExpiry = 1000 * time.Second }

// [MQTT-4.4.0-1], [MQTT-4.6.0-1]: messages in flight are resent in order, with DUP and
// the same identifiers. After PUBREC the exchange continues with PUBREL.
func TestInFlightIsSentAgain(t *testing.T) {
	c, s, b, log := start(t, withSession)
	first := publishAsync(c, Message{Topic: "1", QoS: 1})
	second := publishAsync(c, Message{Topic: "2", QoS: 2})
	third := publishAsync(c, Message{Topic: "3", QoS: 2})
	ids := make([]uint16, 3)
	for i := range ids {
		p := publishOf(t, b.read())
		ids[i] = p.PacketID
		if p.Duplicate || p.Topic != fmt.Sprint(i+1) {
			t.Errorf("first sending: %v", p)
		}
	}
	b.send(0x50, 2, byte(ids[1]>>8), byte(ids[1])) // PUBREC for the second
	if p := b.read(); p.Type != packets.PUBREL || p.PacketID() != ids[1] {
		t.Errorf("got %v, want PUBREL", p)
	}
	b.Close()

	b = s.next()
	if p := b.accept(1); p.CleanStart {
		t.Error("Clean Start while a session is to be resumed")
	}
	if p := publishOf(t, b.read()); !p.Duplicate || p.PacketID != ids[0] || p.Topic != "1" {
		t.Errorf("first again: %v", p)
	}
	if p := b.read(); p.Type != packets.PUBREL || p.PacketID() != ids[1] {
		t.Errorf("second again: %v, want PUBREL", p)
	}
	if p := publishOf(t, b.read()); !p.Duplicate || p.PacketID != ids[2] {
		t.Errorf("third again: %v", p)
	}
	wait[Connected](log) // the first
	wait[Connected](log)
	b.send(0x40, 2, byte(ids[0]>>8), byte(ids[0]))
	b.send(0x70, 2, byte(ids[1]>>8), byte(ids[1]))
	b.send(0x50, 2, byte(ids[2]>>8), byte(ids[2]))
	if p := b.read(); p.Type != packets.PUBREL || p.PacketID() != ids[2] {
		t.Errorf("third: %v, want PUBREL", p)
	}
	b.send(0x70, 2, byte(ids[2]>>8), byte(ids[2]))
	for _, ch := range []<-chan error{first, second, third} {
		if err := <-ch; err != nil {
			t.Error(err)
		}
	}
}

func TestSessionLostSettlesEveryPublish(t *testing.T) {
	for name, test := range map[string]struct {
		options func(*Options)
		again   bool // the broker accepts the next connection, without the session
	}{
		"no session expiry [MQTT-3.1.2-23]":    {nil, false},
		"session present: no [MQTT-3.2.2-4]":   {withSession, true},
		"the client ends before it comes back": {withSession, false},
	} {
		t.Run(name, func(t *testing.T) {
			c, s, b, _ := start(t, test.options)
			one := publishAsync(c, Message{Topic: "1", QoS: 1})
			two := publishAsync(c, Message{Topic: "2", QoS: 2})
			publishOf(t, b.read())
			publishOf(t, b.read())
			b.Close()
			b = s.next()
			code := SessionLost
			switch {
			case test.again:
				b.accept(0)
			case test.options != nil:
				_ = c.Disconnect(background, DisconnectOptions{Force: true})
				code = NotConnected
			}
			wantCode(t, <-one, code, "")
			wantCode(t, <-two, code, "")
			b.Close()
		})
	}
}

func TestReceiveMaximumOfTheBrokerIsObeyed(t *testing.T) { // [MQTT-3.3.4-7]
	synctest.Test(t, receiveMaximumOfTheBrokerIsObeyed)
}

func receiveMaximumOfTheBrokerIsObeyed(t *testing.T) {
	c, _, b, _ := start(t, nil, 0x21, 0, 2)
	var done []<-chan error
	for i := range 5 {
		done = append(done, publishAsync(c, Message{Topic: fmt.Sprint(i), QoS: 1}))
	}
	for i := 0; i < 5; i++ {
		p := publishOf(t, b.read())
		if i == 1 {
			b.nothing() // the broker allows 2
		}
		if i > 0 {
			b.send(0x40, 2, 0, byte(i))
		}
		if p.Topic != fmt.Sprint(i) {
			t.Errorf("message %s in place of %d", p.Topic, i)
		}
	}
	b.send(0x40, 2, 0, 5)
	for _, ch := range done {
		if err := <-ch; err != nil {
			t.Error(err)
		}
	}
}

func TestPublishRefused(t *testing.T) {
	c, _, b, _ := start(t, nil)
	for qos, answer := range map[byte]byte{1: 0x40, 2: 0x50} {
		ch := publishAsync(c, Message{Topic: "t", QoS: qos})
		id := publishOf(t, b.read()).PacketID
		b.send(answer, 9, 0, byte(id), 0x97, 5, 0x1F, 0, 2, 'n', 'o')
		if e := wantCode(t, <-ch, Refused, ""); e.ReasonCode != 0x97 || e.ReasonString != "no" {
			t.Errorf("QoS %d: %+v", qos, e)
		}
	}
}

func TestPublishTimesOutAndAborts(t *testing.T) {
	c, _, b, _ := start(t, nil)
	ctx, cancel := context.WithCancel(background)
	ch := make(chan error, 1)
	go func() {
		_, err := c.Publish(ctx, Message{Topic: "t", QoS: 1})
		ch <- err
	}()
	publishOf(t, b.read())
	cancel()
	wantCode(t, <-ch, Aborted, "")
}

// A message is acknowledged only once its batch is done.
func TestAcknowledgedOnlyWhenDone(t *testing.T) {
	c, _, b, _ := start(t, nil)
	b.send(0x32, 6, 0, 1, 't', 0, 7, 0) // QoS 1, id 7
	_, batch := receiveOne(t, c)
	ping := publishAsync(c, Message{Topic: "p"})
	if p := publishOf(t, b.read()); p.Topic != "p" { // no PUBACK before it
		t.Errorf("got %v", p)
	}
	if err := <-ping; err != nil {
		t.Error(err)
	}
	batch.Done()
	batch.Done()
	b.expect(0x40, 2, 0, 7)

	b.send(0x34, 6, 0, 1, 't', 0, 8, 0) // QoS 2, id 8
	_, batch = receiveOne(t, c)
	batch.Done()
	b.expect(0x50, 2, 0, 8)
	b.send(0x62, 2, 0, 8)
	b.expect(0x70, 2, 0, 8)
}

// [MQTT-4.3.3-10]: a QoS 2 message that is resent is not delivered again, on the same
// connection or the next.
func TestQoS2IsNeverDoubled(t *testing.T) {
	c, s, b, _ := start(t, withSession)
	message := []byte{0x34, 6, 0, 1, 't', 0, 8, 0}
	again := []byte{0x3C, 6, 0, 1, 't', 0, 8, 0}
	marker := []byte{0x30, 4, 0, 1, 'm', 0}
	b.send(message...)
	_, batch := receiveOne(t, c)
	b.send(again...) // before Done
	b.Close()
	b = s.next()
	b.accept(1)
	b.send(again...)
	b.send(marker...)
	if m, _ := receiveOne(t, c); m.Topic != "m" {
		t.Errorf("got %s a second time", m.Topic)
	}
	batch.Done()
	b.expect(0x50, 2, 0, 8)
	b.send(again...) // PUBREC was lost
	b.expect(0x50, 2, 0, 8)
	b.Close()
	b = s.next()
	b.accept(1)
	b.send(again...)
	b.expect(0x50, 2, 0, 8)
	b.send(0x62, 2, 0, 8)
	b.expect(0x70, 2, 0, 8)
	b.send(0x62, 2, 0, 8) // unknown by now
	b.expect(0x70, 3, 0, 8, 0x92)
	b.send(message...) // the identifier is free again
	if m, _ := receiveOne(t, c); m.Topic != "t" {
		t.Errorf("got %s", m.Topic)
	}
}

// A QoS 1 message whose Done came while there was no connection is acknowledged when it
// is resent, and not delivered again.
func TestQoS1TakenWhileOffline(t *testing.T) {
	c, s, b, log := start(t, withSession)
	b.send(0x32, 6, 0, 1, 't', 0, 7, 0)
	_, batch := receiveOne(t, c)
	b.Close()
	wait[Reconnecting](log)
	batch.Done()
	b = s.next()
	b.accept(1)
	b.send(0x3A, 6, 0, 1, 't', 0, 7, 0)
	b.expect(0x40, 2, 0, 7)
	b.send(0x30, 4, 0, 1, 'm', 0)
	if m, _ := receiveOne(t, c); m.Topic != "m" {
		t.Errorf("got %s a second time", m.Topic)
	}
}

func TestAcknowledgementsOfALostSessionAreNotSent(t *testing.T) {
	c, s, b, log := start(t, withSession)
	b.send(0x32, 6, 0, 1, 't', 0, 7, 0)
	_, batch := receiveOne(t, c)
	b.Close()
	b = s.next()
	b.accept(0)
	wait[Connected](log) // the first
	wait[Connected](log)
	b.send(0x32, 6, 0, 1, 'u', 0, 7, 0) // a new message with the same identifier
	_, newer := receiveOne(t, c)
	batch.Done()
	newer.Done()
	b.expect(0x40, 2, 0, 7)
	if err := <-publishAsync(c, Message{Topic: "p"}); err != nil {
		t.Error(err)
	}
	if p := publishOf(t, b.read()); p.Topic != "p" { // no second PUBACK
		t.Errorf("got %v", p)
	}
}

func TestBrokerOverOurReceiveMaximum(t *testing.T) { // [MQTT-3.3.4-9]
	_, _, b, log := start(t, func(o *Options) { o.ReceiveMaximum, o.Reconnect = 2, ReconnectNever })
	for id := range byte(3) {
		b.send(0x32, 6, 0, 1, 't', 0, id+1, 0)
	}
	b.expect(0xE0, 1, 0x93)
	wantCode(t, wait[Closed](log).Err, Protocol, "")
}

// Debian's mosquitto exceeds the limit after it has queued messages. A client that
// chose no limit must not lose its connection over and over for that.
func TestBrokerOverTheDefaultReceiveMaximum(t *testing.T) {
	c, _, b, log := start(t, func(o *Options) { o.Reconnect = ReconnectNever })
	send := func(id int) { b.send(0x32, 6, 0, 1, 't', byte(id>>8), byte(id), 0) }
	for id := 1; id <= 4*DefaultReceiveMaximum; id++ {
		send(id)
	}
	batch, err := c.Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	send(4*DefaultReceiveMaximum + 1)
	b.expect(0xE0, 1, 0x93)
	wantCode(t, wait[Closed](log).Err, Protocol, "")
	batch.Done()
}

func TestWrongAcknowledgementsEndTheConnection(t *testing.T) {
	for name, test := range map[string]struct {
		qos    byte
		answer byte
	}{
		"PUBREC for QoS 1": {1, 0x50}, "PUBCOMP for QoS 1": {1, 0x70},
		"PUBACK for QoS 2": {2, 0x40}, "PUBCOMP before PUBREC": {2, 0x70},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, b, log := start(t, func(o *Options) { o.Reconnect = ReconnectNever })
			ch := publishAsync(c, Message{Topic: "t", QoS: test.qos})
			publishOf(t, b.read())
			b.send(test.answer, 2, 0, 1)
			b.expect(0xE0, 1, 0x82)
			wantCode(t, wait[Closed](log).Err, Protocol, "")
			wantCode(t, <-ch, SessionLost, "")
		})
	}
}
