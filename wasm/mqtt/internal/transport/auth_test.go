package transport

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
	"mqttwasm/wasm/mqtt/internal/wire"
)

func withAuth(f *mqtttest.Auth) func(*Config) {
	return func(cfg *Config) { cfg.Authenticator, cfg.AuthMethod = NewAuthenticator(f), "m" }
}

// methodM is the Authentication Method of mqtttest.Auth, as a property.
var methodM = []byte{0x15, 0, 1, 'm'}

func authData(data string) []byte { return wire.AppendString([]byte{0x16}, data) }

func (b *broker) auth(reason byte, data string) {
	b.t.Helper()
	b.send(authFrame(reason, data)...)
}

func (b *broker) expectAuth(reason byte, data string) {
	b.t.Helper()
	b.expect(authFrame(reason, data)...)
}

func authFrame(reason byte, data string) []byte {
	if data == "" {
		return wire.EncodeAuth(reason, "m", nil)
	}
	return wire.EncodeAuth(reason, "m", []byte(data))
}

func TestAuthenticationInSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var finished []byte
		f := connectingTo(t, withAuth(&mqtttest.Auth{OnFinish: func(_ context.Context, data []byte) error {
			finished = data
			return nil
		}}))
		f.source.put(message)
		f.Wake()
		f.broker.auth(0x18, "one")
		f.broker.expectAuth(0x18, "re:one")
		f.broker.auth(0x18, "")
		f.broker.expectAuth(0x18, "re:")
		f.broker.send(connack(append(methodM, authData("proof")...)...)...)
		f.broker.expect(message...)
		if string(finished) != "proof" || len(f.handler.connacks) != 1 {
			t.Errorf("Finish got %q", finished)
		}
	})
}

func TestAuthenticatorStart(t *testing.T) {
	for name, test := range map[string]struct {
		data []byte
		err  error
		code wire.Code
	}{
		"data":          {[]byte("hello"), nil, ""},
		"none":          {nil, nil, ""},
		"an error":      {nil, errBroken, wire.Aborted},
		"too much data": {make([]byte, 65536), nil, wire.BadOption},
	} {
		t.Run(name, func(t *testing.T) {
			a := NewAuthenticator(&mqtttest.Auth{OnStart: func(context.Context) ([]byte, error) { return test.data, test.err }})
			data, err := a.Start(background)
			if test.code == "" {
				if err != nil || !bytes.Equal(data, test.data) || a.method != "m" {
					t.Errorf("%q, %v", data, err)
				}
				return
			}
			wantCode(t, err, test.code)
			if test.err != nil && !errors.Is(err, test.err) {
				t.Errorf("%v does not wrap %v", err, test.err)
			}
		})
	}
	if NewAuthenticator(nil) != nil {
		t.Error("an Authenticator of nothing")
	}
}

// saslError is an error that a mechanism may return.
type saslError struct {
	words   string
	refused bool
	reason  byte
}

func (e saslError) Error() string               { return "SASL: " + e.words }
func (e saslError) MQTTRefused() (string, bool) { return e.words, e.refused }
func (e saslError) MQTTReason() byte            { return e.reason }

// An Authenticator's error ends the connection. The broker is told if it may be: after
// CONNACK, and with reason codes that a client may send.
func TestAuthenticatorFails(t *testing.T) {
	typed := wire.NewError(wire.Refused, "typed")
	finish := func(err error) mqtttest.Auth {
		return mqtttest.Auth{OnFinish: func(context.Context, []byte) error { return err }}
	}
	next := func(err error) mqtttest.Auth {
		return mqtttest.Auth{OnContinue: func(context.Context, []byte) ([]byte, error) { return nil, err }}
	}
	for name, test := range map[string]struct {
		auth mqtttest.Auth
		code wire.Code
		is   error
		ends []byte // what the broker reads after CONNACK; nil: the exchange fails before CONNACK
	}{
		"Continue":               {next(errBroken), wire.Aborted, errBroken, nil},
		"Continue, typed":        {next(typed), wire.Refused, typed, nil},
		"Finish":                 {finish(errBroken), wire.Aborted, errBroken, []byte{0xE0, 1, 0x80}},
		"Finish, not authorized": {finish(wire.Violation(wire.ReasonNotAuthorized, "no proof")), wire.Protocol, nil, []byte{0xE0, 1, 0x80}},
		"Finish, protocol error": {finish(wire.Violation(wire.ReasonProtocolError, "nonsense")), wire.Protocol, nil, []byte{0xE0, 1, 0x82}},
		"Finish, with a reason":  {finish(errors.Join(saslError{reason: 0x82})), wire.Protocol, saslError{reason: 0x82}, []byte{0xE0, 1, 0x82}},
		"Finish, refused":        {finish(errors.Join(saslError{"no", true, 0x87})), wire.Refused, saslError{"no", true, 0x87}, []byte{0xE0, 1, 0x80}},
		"Finish, neither":        {finish(saslError{"no", false, 0}), wire.Aborted, saslError{"no", false, 0}, []byte{0xE0, 1, 0x80}},
	} {
		bubble(t, name, func(t *testing.T) {
			f := connectingTo(t, withAuth(&test.auth))
			f.source.put(message)
			f.Wake()
			if test.ends == nil {
				f.broker.auth(0x18, "")
			} else {
				// Messages that arrive with CONNACK are not handled.
				f.broker.send(append(connack(methodM...), message...)...)
				f.broker.expect(test.ends...)
			}
			f.broker.expectEnd()
			e := wantCode(t, f.end(), test.code)
			if test.is != nil && !errors.Is(&e, test.is) && !errors.Is(f.Err(), test.is) {
				t.Errorf("%v does not wrap %v", f.Err(), test.is)
			}
			if name == "Finish, refused" && (e.ReasonString != "no" || e.ReasonCode != 0x87) {
				t.Errorf("%+v", e)
			}
			if len(f.handler.connacks) > 0 || f.handler.messages() > 0 {
				t.Error("the handler was told")
			}
		})
	}
}

func TestAuthenticationViolations(t *testing.T) {
	other := wire.AppendString([]byte{0x15}, "other")
	for name, test := range map[string]struct {
		bytes []byte
		ends  []byte
	}{
		"CONNACK without a method":          {connack(), []byte{0xE0, 1, 0x82}},
		"CONNACK with another method":       {connack(other...), []byte{0xE0, 1, 0x82}},
		"AUTH without anything":             {[]byte{0xF0, 0}, nil},
		"AUTH without properties":           {[]byte{0xF0, 1, 0x18}, nil},
		"AUTH without a method":             {[]byte{0xF0, 2, 0x18, 0}, nil},
		"AUTH with data only":               {[]byte{0xF0, 6, 0x18, 4, 0x16, 0, 1, 'd'}, nil},
		"AUTH with another method":          {wire.EncodeAuth(0x18, "other", nil), nil},
		"AUTH with success":                 {authFrame(0x00, ""), nil},
		"AUTH with re-authenticate":         {authFrame(0x19, ""), nil},
		"AUTH with a refusal":               {authFrame(0x87, ""), nil},
		"AUTH with flags [MQTT-3.15.1-1]":   {append([]byte{0xF1}, authFrame(0x18, "")[1:]...), nil},
		"AUTH with a property of PUBLISH":   {[]byte{0xF0, 8, 0x18, 6, 0x15, 0, 1, 'm', 0x01, 1}, nil},
		"AUTH with the method twice":        {[]byte{0xF0, 10, 0x18, 8, 0x15, 0, 1, 'm', 0x15, 0, 1, 'm'}, nil},
		"AUTH with bytes too many":          {[]byte{0xF0, 7, 0x18, 4, 0x15, 0, 1, 'm', 0}, nil},
		"AUTH before the first is answered": {bytes.Repeat(authFrame(0x18, ""), 2), nil},
		"CONNACK before AUTH is answered":   {append(authFrame(0x18, ""), connack(methodM...)...), []byte{0xE0, 1, 0x82}},
	} {
		bubble(t, name, func(t *testing.T) {
			f := connectingTo(t, withAuth(&mqtttest.Auth{OnContinue: func(ctx context.Context, _ []byte) ([]byte, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}}))
			f.broker.send(test.bytes...)
			f.broker.expect(test.ends...)
			f.broker.expectEnd()
			wantCode(t, f.end(), wire.Protocol)
		})
	}
	for name, frame := range map[string][]byte{
		"AUTH with a challenge": authFrame(0x18, ""),
		"AUTH with success":     authFrame(0x00, ""),
	} {
		bubble(t, name+" unasked", func(t *testing.T) {
			f := opened(t, withAuth(&mqtttest.Auth{}), methodM...)
			f.broker.send(frame...)
			f.broker.expect(0xE0, 1, 0x82)
			wantCode(t, f.end(), wire.Protocol)
		})
	}
}

// A method without an Authenticator means that CONNECT carries the whole exchange.
func TestAuthenticationMethodAlone(t *testing.T) {
	method := func(cfg *Config) { cfg.AuthMethod = "m" }
	bubble(t, "CONNACK with another method [MQTT-4.12.0-5]", func(t *testing.T) {
		f := connectingTo(t, method)
		f.broker.send(connack(wire.AppendString([]byte{0x15}, "other")...)...)
		f.broker.expect(0xE0, 1, 0x82)
		wantCode(t, f.end(), wire.Protocol)
	})
	bubble(t, "CONNACK without a method", func(t *testing.T) { opened(t, method) })
	bubble(t, "CONNACK with it", func(t *testing.T) { opened(t, method, methodM...) })
	bubble(t, "AUTH before CONNACK", func(t *testing.T) {
		f := connectingTo(t, method)
		f.broker.send(0xF0) // the first byte is enough
		wantCode(t, f.end(), wire.Protocol)
		f.broker.expectEnd()
	})
	bubble(t, "AUTH [MQTT-4.12.0-6]", func(t *testing.T) {
		f := opened(t, nil)
		f.broker.send(0xF0)
		f.broker.expect(0xE0, 1, 0x8C)
		wantCode(t, f.end(), wire.Protocol)
	})
}

// A broker may refuse at any point of the exchange.
func TestRefusedDuringAuthentication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := connectingTo(t, withAuth(&mqtttest.Auth{}))
		f.broker.auth(0x18, "")
		f.broker.expectAuth(0x18, "re:")
		f.broker.send(0x20, 3, 0, 0x87, 0)
		if e := wantCode(t, f.end(), wire.Refused); e.ReasonCode != 0x87 {
			t.Errorf("%+v", e)
		}
	})
}

// A callback that ignores its context does not block the connection.
func TestCallbackThatHangs(t *testing.T) {
	timeout := wire.NewError(wire.Timeout, "connect: no answer in time")
	for name, stuck := range map[string]func(hang chan struct{}) *mqtttest.Auth{
		"Continue": func(hang chan struct{}) *mqtttest.Auth {
			return &mqtttest.Auth{OnContinue: func(context.Context, []byte) ([]byte, error) { <-hang; return nil, nil }}
		},
		"Finish": func(hang chan struct{}) *mqtttest.Auth {
			return &mqtttest.Auth{OnFinish: func(context.Context, []byte) error { <-hang; return nil }}
		},
	} {
		bubble(t, name, func(t *testing.T) {
			hang := make(chan struct{})
			a := NewAuthenticator(stuck(hang))
			begin := func() *fixture {
				return connectingTo(t, func(cfg *Config) { cfg.Authenticator, cfg.AuthMethod = a, "m" })
			}
			f := begin()
			if name == "Continue" {
				f.broker.auth(0x18, "")
			} else {
				f.broker.send(connack(methodM...)...)
			}
			synctest.Wait()
			f.Close(timeout)
			if err := f.end(); !errors.Is(err, timeout) {
				t.Error(err)
			}
			// The next connection's callbacks wait for it to return, but no longer than
			// their context allows.
			ctx, cancel := context.WithTimeout(background, time.Second)
			defer cancel()
			_, err := a.Start(ctx)
			wantCode(t, err, wire.Timeout)
			f = begin()
			f.broker.auth(0x18, "")
			synctest.Wait()
			close(hang)
			f.broker.expect(0xF0)
		})
	}
}

// The callbacks of different connections do not overlap.
func TestCallsDoNotOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		one := func() { // the race detector reports an overlap
			calls++
			time.Sleep(time.Second)
		}
		a := NewAuthenticator(&mqtttest.Auth{
			OnContinue: func(context.Context, []byte) ([]byte, error) { one(); return nil, nil },
			OnFinish:   func(context.Context, []byte) error { one(); return nil },
		})
		var all []*fixture
		for range 3 {
			f := connectingTo(t, func(cfg *Config) { cfg.Authenticator, cfg.AuthMethod = a, "m" })
			f.broker.auth(0x18, "")
			all = append(all, f)
		}
		for _, f := range all {
			f.broker.expectAuth(0x18, "")
			f.broker.send(connack(methodM...)...)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if calls != 6 {
			t.Errorf("%d calls", calls)
		}
	})
}

// A callback that fails because its connection is gone is not the cause that is
// reported.
func TestCallbackAfterTheEndExplainsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := connectingTo(t, withAuth(&mqtttest.Auth{OnContinue: func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done()
			return nil, errBroken
		}}))
		f.broker.auth(0x18, "")
		synctest.Wait()
		_ = f.broker.Close()
		wantCode(t, f.end(), wire.Network)
	})
}
