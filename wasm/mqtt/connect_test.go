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

func TestConnectSendsWhatWasAsked(t *testing.T) {
	s := newScripted(t)
	o := s.options()
	o.Username, o.Password, o.KeepAlive, o.KeepSession = "me", []byte("secret"), 17*time.Second, true
	o.SessionExpiry = 100 * time.Second
	got := make(chan *packets.Connect, 1)
	go func() { got <- s.next().accept(1) }()
	c, err := Connect(background, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Disconnect(background, DisconnectOptions{}) }()
	p := <-got
	if p.ProtocolName != "MQTT" || p.ProtocolVersion != 5 {
		t.Errorf("protocol %s %d, want MQTT 5", p.ProtocolName, p.ProtocolVersion)
	}
	if p.ClientID != "test" || p.Username != "me" || string(p.Password) != "secret" || p.KeepAlive != 17 || p.CleanStart {
		t.Errorf("CONNECT %+v", p)
	}
	if *p.Properties.SessionExpiryInterval != 100 || *p.Properties.ReceiveMaximum != DefaultReceiveMaximum ||
		*p.Properties.MaximumPacketSize != DefaultMaximumPacketSize {
		t.Errorf("CONNECT properties %v", p.Properties)
	}
	if !c.Connack().SessionPresent {
		t.Error("the session that the broker has is not reported")
	}
}

func TestWillIsSentWithAllItsProperties(t *testing.T) {
	s := newScripted(t)
	o := s.options()
	format, expiry := byte(1), 2*time.Second
	o.Will = &Will{Delay: 3 * time.Second, Message: Message{Topic: "gone", Payload: []byte("bye"), QoS: 2, Retain: true, Properties: Properties{
		PayloadFormat: &format, MessageExpiry: &expiry, ContentType: "c", ResponseTopic: "r", CorrelationData: []byte{9},
		User: UserProperties{{Key: "k", Value: "1"}, {Key: "k", Value: "2"}},
	}}}
	o.Username, o.Password = "me", []byte("secret")
	got := make(chan *packets.Connect, 1)
	go func() { got <- s.next().accept(0) }()
	c, err := Connect(background, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Disconnect(background, DisconnectOptions{}) }()
	p := <-got
	if !p.WillFlag || p.WillTopic != "gone" || string(p.WillMessage) != "bye" || p.WillQOS != 2 || !p.WillRetain ||
		p.Username != "me" || string(p.Password) != "secret" || !p.CleanStart {
		t.Errorf("CONNECT %v", p)
	}
	w := p.WillProperties
	if *w.WillDelayInterval != 3 || *w.PayloadFormat != 1 || *w.MessageExpiry != 2 || w.ContentType != "c" ||
		w.ResponseTopic != "r" || string(w.CorrelationData) != "\x09" || fmt.Sprint(w.User) != "[{k 1} {k 2}]" {
		t.Errorf("will properties %v", w)
	}
}

func TestAuthenticationMethodInConnack(t *testing.T) { // paho panics without a handler
	c, _, b, log := start(t, func(o *Options) { o.AuthMethod, o.Reconnect = "m", ReconnectNever }, 0x15, 0, 1, 'm')
	if m := c.Connack().AuthMethod; m != "m" {
		t.Errorf("method %q", m)
	}
	b.send(0xF0, 2, 0x18, 0)
	b.expect(0xE0, 1, 0x8C)
	wantCode(t, wait[Closed](log).Err, Protocol, "")
}

func TestConnectRefused(t *testing.T) {
	for _, reason := range reasonsOf(wire.TypeConnack)[1:] {
		t.Run(wire.ReasonName(reason), func(t *testing.T) {
			s := newScripted(t)
			go func() {
				b := s.next()
				b.read()
				b.send(0x20, 8, 0, reason, 5, 0x1F, 0, 2, 'n', 'o')
			}()
			_, err := Connect(background, s.options())
			e := wantCode(t, err, Refused, "")
			if e.ReasonCode != reason || e.ReasonString != "no" || !strings.Contains(e.Error(), wire.ReasonName(reason)) {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestConnectFails(t *testing.T) {
	answer := func(b ...byte) func(*brokerConn) { return func(c *brokerConn) { c.read(); c.send(b...) } }
	for name, test := range map[string]struct {
		broker func(*brokerConn)
		code   Code
	}{
		"closed without an answer":     {func(b *brokerConn) { b.read(); b.Close() }, Network},
		"not MQTT at all":              {func(b *brokerConn) { b.read(); _, _ = b.Write([]byte("HTTP/1.1 400 Bad Request\r\n")) }, Protocol},
		"PINGRESP for CONNACK":         {answer(0xD0, 0), Protocol},
		"session present, clean start": {answer(0x20, 3, 1, 0, 0), Protocol},
		"five hostile bytes":           {answer(0x20, 0xFF, 0xFF, 0xFF, 0x7F), PacketTooLarge},
		"six hostile bytes":            {answer(0x20, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F), Protocol},
		"assigned identifier unasked":  {answer(0x20, 7, 0, 0, 4, 0x12, 0, 1, 'p'), Protocol},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScripted(t)
			go func() { test.broker(s.next()) }()
			_, err := Connect(background, s.options())
			wantCode(t, err, test.code, "")
			if early := "before CONNACK"; test.code == Network && !strings.Contains(err.Error(), early) {
				t.Errorf("%q does not say %q", err, early)
			}
		})
	}
}

func TestConnectTimesOutAndAborts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted(t)
		o := s.options()
		o.ConnectTimeout = 5 * time.Second
		begin := time.Now()
		_, err := Connect(background, o)
		wantCode(t, err, Timeout, "")
		if d := time.Since(begin); d != 5*time.Second {
			t.Errorf("after %v", d)
		}
		ctx, cancel := context.WithCancel(background)
		time.AfterFunc(time.Second, cancel)
		_, err = Connect(ctx, o)
		wantCode(t, err, Aborted, "")
	})
}
