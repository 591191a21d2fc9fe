package mqtt

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
	"mqttwasm/wasm/mqtt/internal/wire"
)

func withAuth(f *mqtttest.Auth) func(*Options) {
	return func(o *Options) { o.Authenticator, o.Reconnect = f, ReconnectNever }
}

// methodM is the Authentication Method of mqtttest.Auth, as a property.
var methodM = []byte{0x15, 0, 1, 'm'}

func connackFrame(props ...byte) []byte {
	return append([]byte{0x20, byte(3 + len(props)), 0, 0, byte(len(props))}, props...)
}

func authData(data string) []byte {
	return wire.AppendString([]byte{packets.PropAuthData}, []byte(data))
}

// expectAuth reads an AUTH packet of mqtttest.Auth's method.
func (b *brokerConn) expectAuth(reason byte, data string) {
	b.t.Helper()
	p := b.read()
	if p == nil || p.Type != packets.AUTH {
		b.t.Errorf("broker: got %v, want AUTH", p)
		return
	}
	a := p.Content.(*packets.Auth)
	if a.ReasonCode != reason || a.Properties.AuthMethod != "m" || string(a.Properties.AuthData) != data {
		b.t.Errorf("broker: got AUTH %v, want 0x%02X %q", a, reason, data)
	}
}

// connectScripted connects to a broker that reads CONNECT and then runs broker.
func connectScripted(t *testing.T, change func(*Options), broker func(b *brokerConn, p *packets.Connect)) (*Client, error) {
	t.Helper()
	s := newScripted(t)
	o := s.options()
	change(&o)
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := s.next()
		if p := b.read(); p == nil || p.Type != packets.CONNECT {
			t.Errorf("broker: got %v, want CONNECT", p)
		} else {
			broker(b, p.Content.(*packets.Connect))
		}
	}()
	c, err := Connect(background, o)
	<-done
	if err == nil {
		t.Cleanup(func() { _ = c.Disconnect(background, DisconnectOptions{Force: true}) })
	}
	return c, err
}

func TestAuthenticationInSteps(t *testing.T) {
	var finished []byte
	f := &mqtttest.Auth{OnFinish: func(_ context.Context, data []byte) error {
		finished = data
		return nil
	}}
	c, err := connectScripted(t, withAuth(f), func(b *brokerConn, p *packets.Connect) {
		if p.Properties.AuthMethod != "m" || string(p.Properties.AuthData) != "hello" {
			t.Errorf("CONNECT %v", p.Properties)
		}
		b.send(wire.EncodeAuth(0x18, "m", []byte("one"))...)
		b.expectAuth(0x18, "re:one")
		b.send(wire.EncodeAuth(0x18, "m", nil)...)
		b.expectAuth(0x18, "re:")
		b.send(connackFrame(append(methodM, authData("proof")...)...)...)
	})
	if err != nil {
		t.Fatal(err)
	}
	if string(finished) != "proof" {
		t.Errorf("Finish got %q", finished)
	}
	if m := c.Connack().AuthMethod; m != "m" {
		t.Errorf("method %q", m)
	}
}

func TestAuthenticatorOptions(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"beside a method": func(o *Options) { o.AuthMethod = "m" },
		"beside data":     func(o *Options) { o.AuthMethod, o.AuthData = "m", []byte{} },
	} {
		t.Run(name, func(t *testing.T) {
			o := newScripted(t).options()
			o.Authenticator = &mqtttest.Auth{}
			change(&o)
			_, err := Connect(background, o)
			wantCode(t, err, BadOption, "properties.authenticationMethod")
		})
	}
}

// An Authenticator's error reaches the caller of Connect. The broker is told if it may
// be: after CONNACK, and with reason codes that a client may send.
func TestAuthenticatorFails(t *testing.T) {
	broken := errors.New("the page said no")
	typed := &Error{Code: Refused, Message: "typed"}
	for name, test := range map[string]struct {
		auth mqtttest.Auth
		code Code
		is   error
		ends []byte // what the broker reads after CONNACK; nil: the exchange fails before CONNACK
	}{
		"Continue":        {mqtttest.Auth{OnContinue: func(context.Context, []byte) ([]byte, error) { return nil, broken }}, Aborted, broken, nil},
		"Continue, typed": {mqtttest.Auth{OnContinue: func(context.Context, []byte) ([]byte, error) { return nil, typed }}, Refused, typed, nil},
		"Finish":          {mqtttest.Auth{OnFinish: func(context.Context, []byte) error { return broken }}, Aborted, broken, []byte{0xE0, 1, 0x80}},
		"Finish, not authorized": {mqtttest.Auth{OnFinish: func(context.Context, []byte) error {
			return wire.Violation(wire.ReasonNotAuthorized, "no proof")
		}}, Protocol, nil, []byte{0xE0, 1, 0x80}},
		"Finish, protocol error": {mqtttest.Auth{OnFinish: func(context.Context, []byte) error {
			return wire.Violation(wire.ReasonProtocolError, "nonsense")
		}}, Protocol, nil, []byte{0xE0, 1, 0x82}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := connectScripted(t, withAuth(&test.auth), func(b *brokerConn, _ *packets.Connect) {
				if test.ends == nil {
					b.send(wire.EncodeAuth(0x18, "m", nil)...)
				} else {
					// Messages that arrive with CONNACK are not acknowledged.
					b.send(append(connackFrame(methodM...), 0x32, 6, 0, 1, 'a', 0, 1, 0)...)
					b.expect(test.ends...)
				}
				if p := b.read(); p != nil {
					t.Errorf("broker: got %v, want the end", p)
				}
			})
			wantCode(t, err, test.code, "")
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%v does not wrap %v", err, test.is)
			}
		})
	}
	t.Run("Start", func(t *testing.T) {
		s := newScripted(t)
		o := s.options()
		o.Authenticator = &mqtttest.Auth{OnStart: func(context.Context) ([]byte, error) { return nil, broken }}
		_, err := Connect(background, o)
		wantCode(t, err, Aborted, "")
		if !errors.Is(err, broken) || len(s.dials) != 0 {
			t.Errorf("%v after %d dials", err, len(s.dials))
		}
	})
	t.Run("too much data", func(t *testing.T) {
		o := newScripted(t).options()
		o.Authenticator = &mqtttest.Auth{OnStart: func(context.Context) ([]byte, error) { return make([]byte, 65536), nil }}
		_, err := Connect(background, o)
		wantCode(t, err, BadOption, "authenticate")
	})
}

func TestAuthenticationViolations(t *testing.T) {
	other := wire.AppendString([]byte{0x15}, []byte("other"))
	for name, test := range map[string]struct {
		bytes []byte
		ends  []byte
	}{
		"CONNACK without a method":          {connackFrame(), []byte{0xE0, 1, 0x82}},
		"CONNACK with another method":       {connackFrame(other...), []byte{0xE0, 1, 0x82}},
		"AUTH without anything":             {[]byte{0xF0, 0}, nil},
		"AUTH without properties":           {[]byte{0xF0, 1, 0x18}, nil},
		"AUTH without a method":             {[]byte{0xF0, 2, 0x18, 0}, nil},
		"AUTH with data only":               {[]byte{0xF0, 6, 0x18, 4, 0x16, 0, 1, 'd'}, nil},
		"AUTH with another method":          {wire.EncodeAuth(0x18, "other", nil), nil},
		"AUTH with success":                 {wire.EncodeAuth(0x00, "m", nil), nil},
		"AUTH with re-authenticate":         {wire.EncodeAuth(0x19, "m", nil), nil},
		"AUTH with a refusal":               {wire.EncodeAuth(0x87, "m", nil), nil},
		"AUTH with flags [MQTT-3.15.1-1]":   {append([]byte{0xF1}, wire.EncodeAuth(0x18, "m", nil)[1:]...), nil},
		"AUTH with a property of PUBLISH":   {[]byte{0xF0, 8, 0x18, 6, 0x15, 0, 1, 'm', 0x01, 1}, nil},
		"AUTH with the method twice":        {[]byte{0xF0, 10, 0x18, 8, 0x15, 0, 1, 'm', 0x15, 0, 1, 'm'}, nil},
		"AUTH with bytes too many":          {[]byte{0xF0, 7, 0x18, 4, 0x15, 0, 1, 'm', 0}, nil},
		"AUTH before the first is answered": {bytes.Repeat(wire.EncodeAuth(0x18, "m", nil), 2), nil},
		"CONNACK before AUTH is answered":   {append(wire.EncodeAuth(0x18, "m", nil), connackFrame(methodM...)...), []byte{0xE0, 1, 0x82}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &mqtttest.Auth{OnContinue: func(ctx context.Context, _ []byte) ([]byte, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}}
			_, err := connectScripted(t, withAuth(f), func(b *brokerConn, _ *packets.Connect) {
				b.send(test.bytes...)
				b.expect(test.ends...)
				if p := b.read(); p != nil {
					t.Errorf("broker: got %v, want the end", p)
				}
			})
			wantCode(t, err, Protocol, "")
		})
	}
	for name, frame := range map[string][]byte{
		"AUTH with a challenge": wire.EncodeAuth(0x18, "m", nil),
		"AUTH with success":     wire.EncodeAuth(0x00, "m", nil),
	} {
		t.Run(name+" unasked", func(t *testing.T) {
			_, _, b, log := start(t, withAuth(&mqtttest.Auth{}), methodM...)
			b.send(frame...)
			b.expect(0xE0, 1, 0x82)
			wantCode(t, wait[Closed](log).Err, Protocol, "")
		})
	}
	t.Run("CONNACK with another method than the options' [MQTT-4.12.0-5]", func(t *testing.T) {
		_, err := connectScripted(t, func(o *Options) { o.AuthMethod = "m" }, func(b *brokerConn, _ *packets.Connect) {
			b.send(connackFrame(other...)...)
			b.expect(0xE0, 1, 0x82)
		})
		wantCode(t, err, Protocol, "")
	})
}

// A broker may refuse at any point of the exchange.
func TestRefusedDuringAuthentication(t *testing.T) {
	_, err := connectScripted(t, withAuth(&mqtttest.Auth{}), func(b *brokerConn, _ *packets.Connect) {
		b.send(wire.EncodeAuth(0x18, "m", nil)...)
		b.expectAuth(0x18, "re:")
		b.send(0x20, 3, 0, 0x87, 0)
	})
	if e := wantCode(t, err, Refused, ""); e.ReasonCode != 0x87 {
		t.Errorf("%+v", e)
	}
}

// A callback that ignores its context does not block Connect.
func TestConnectTimesOutWithACallbackThatHangs(t *testing.T) {
	hang := make(chan struct{})
	stuck := func() { <-hang }
	for name, f := range map[string]*mqtttest.Auth{
		"Start":    {OnStart: func(context.Context) ([]byte, error) { stuck(); return nil, nil }},
		"Continue": {OnContinue: func(context.Context, []byte) ([]byte, error) { stuck(); return nil, nil }},
		"Finish":   {OnFinish: func(context.Context, []byte) error { stuck(); return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScripted(t)
			o := s.options()
			withAuth(f)(&o)
			ctx, cancel := context.WithCancelCause(background)
			go func() {
				if name != "Start" {
					b := s.next()
					b.read()
					if name == "Continue" {
						b.send(wire.EncodeAuth(0x18, "m", nil)...)
					} else {
						b.send(connackFrame(methodM...)...)
					}
				}
				cancel(context.DeadlineExceeded)
			}()
			_, err := Connect(ctx, o)
			wantCode(t, err, Timeout, "")
		})
	}
	close(hang)
}

// Each connection has its own exchange, and messages in flight wait for its end: a
// broker that fails to authenticate does not get them.
func TestReconnectAuthenticatesAnew(t *testing.T) {
	var starts, finishes int
	f := &mqtttest.Auth{
		OnStart: func(context.Context) ([]byte, error) {
			starts++
			return []byte{byte('0' + starts)}, nil
		},
		OnFinish: func(context.Context, []byte) error {
			if finishes++; finishes == 2 {
				return errors.New("an impostor")
			}
			return nil
		},
	}
	c, s, b, log := start(t, func(o *Options) { o.Authenticator, o.SessionExpiry = f, 1000*time.Second }, methodM...)
	sent := publishAsync(c, Message{Topic: "1", QoS: 1})
	publishOf(t, b.read())
	b.Close()
	for n, end := range []func(*brokerConn){
		func(b *brokerConn) {
			b.expect(0xE0, 1, 0x80)
			wantCode(t, wait[Failed](log).Err, Aborted, "")
		},
		func(b *brokerConn) {
			p := publishOf(t, b.read())
			b.send(0x40, 2, byte(p.PacketID>>8), byte(p.PacketID))
		},
	} {
		b := s.next()
		p := b.read().Content.(*packets.Connect)
		if want := string([]byte{byte('2' + n)}); string(p.Properties.AuthData) != want {
			t.Errorf("CONNECT with %q, want %s", p.Properties.AuthData, want)
		}
		frame := connackFrame(methodM...)
		frame[2] = 1 // session present
		b.send(frame...)
		end(b)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}
