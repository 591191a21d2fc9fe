package transport

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// reauthenticating calls Reauthenticate in the background.
func reauthenticating(c *Conn, ctx context.Context) <-chan error {
	ch := make(chan error, 1)
	go func() { ch <- c.Reauthenticate(ctx) }()
	return ch
}

func TestReauthenticate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		finished := make(chan string, 9)
		f := opened(t, withAuth(&mqtttest.Auth{OnFinish: func(_ context.Context, data []byte) error {
			finished <- string(data)
			return nil
		}}), methodM...)
		<-finished
		for range 2 {
			result := reauthenticating(f.Conn, background)
			f.broker.expectAuth(0x19, "hello")
			f.broker.auth(0x18, "one")
			f.broker.expectAuth(0x18, "re:one")
			f.broker.auth(0x18, "two")
			f.broker.expectAuth(0x18, "re:two")
			f.broker.auth(0x00, "proof")
			if err := <-result; err != nil {
				t.Fatal(err)
			}
			if data := <-finished; data != "proof" {
				t.Errorf("Finish got %q", data)
			}
		}
		f.broker.auth(0x00, "") // the exchange is over
		f.broker.expect(0xE0, 1, 0x82)
	})
}

func TestReauthenticateFails(t *testing.T) {
	for name, test := range map[string]struct {
		auth   mqtttest.Auth
		broker func(*broker)
		code   wire.Code
		reason byte // of our DISCONNECT, or the broker's
	}{
		"refused": {mqtttest.Auth{}, func(b *broker) { b.send(0xE0, 1, 0x87) }, wire.Disconnected, 0x87},
		"lost":    {mqtttest.Auth{}, func(b *broker) { _ = b.Close() }, wire.Network, 0},
		"lost while answering": {
			mqtttest.Auth{OnContinue: func(ctx context.Context, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, errBroken }},
			func(b *broker) { b.auth(0x18, ""); _ = b.Close() }, wire.Network, 0,
		},
		"Continue": {
			mqtttest.Auth{OnContinue: func(context.Context, []byte) ([]byte, error) { return nil, errBroken }},
			func(b *broker) { b.auth(0x18, ""); b.expect(0xE0, 1, 0x80) }, wire.Aborted, 0,
		},
		"Finish": {
			mqtttest.Auth{OnFinish: func(_ context.Context, data []byte) error {
				if len(data) > 0 {
					return wire.Violation(wire.ReasonNotAuthorized, "no proof")
				}
				return nil
			}},
			func(b *broker) { b.auth(0x00, "bad"); b.expect(0xE0, 1, 0x80) }, wire.Protocol, 0x87,
		},
		"another method": {mqtttest.Auth{}, func(b *broker) { b.send(wire.EncodeAuth(0x00, "n", nil)...) }, wire.Protocol, 0x82},
		"CONNACK":        {mqtttest.Auth{}, func(b *broker) { b.send(connack(methodM...)...) }, wire.Protocol, 0x82},
		"too large for the broker [MQTT-3.2.2-15]": {
			mqtttest.Auth{OnContinue: func(context.Context, []byte) ([]byte, error) { return make([]byte, 100), nil }},
			func(b *broker) { b.auth(0x18, ""); b.expect(0xE0, 1, 0x95) }, wire.PacketTooLarge, 0x95,
		},
	} {
		bubble(t, name, func(t *testing.T) {
			f := opened(t, withAuth(&test.auth), append(methodM, 0x27, 0, 0, 0, 99)...)
			result := reauthenticating(f.Conn, background)
			f.broker.expectAuth(0x19, "hello")
			test.broker(f.broker)
			if e := wantCode(t, <-result, test.code); e.ReasonCode+e.Reason != test.reason {
				t.Errorf("%+v", e)
			}
			wantCode(t, f.end(), test.code) // [MQTT-4.12.1-2]
		})
	}
}

func TestReauthenticateIsNotBegun(t *testing.T) {
	bubble(t, "without an authenticator", func(t *testing.T) {
		wantCode(t, opened(t, nil).Reauthenticate(background), wire.BadOption)
	})
	bubble(t, "before CONNACK", func(t *testing.T) {
		wantCode(t, connectingTo(t, withAuth(&mqtttest.Auth{})).Reauthenticate(background), wire.NotConnected)
	})
	bubble(t, "after the end", func(t *testing.T) {
		f := opened(t, withAuth(&mqtttest.Auth{}), methodM...)
		_ = f.broker.Close()
		<-f.Done()
		wantCode(t, f.Reauthenticate(background), wire.NotConnected)
	})
	bubble(t, "Start fails", func(t *testing.T) {
		broken := true
		f := opened(t, withAuth(&mqtttest.Auth{OnStart: func(context.Context) ([]byte, error) {
			if broken {
				return nil, errors.New("no token")
			}
			return nil, nil
		}}), methodM...)
		wantCode(t, f.Reauthenticate(background), wire.Aborted)
		broken = false
		result := reauthenticating(f.Conn, background) // the connection is unaffected
		f.broker.expectAuth(0x19, "")
		f.broker.auth(0x00, "")
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
	bubble(t, "the connection is lost while it starts", func(t *testing.T) {
		for range 100 {
			f := opened(t, withAuth(&mqtttest.Auth{OnStart: func(ctx context.Context) ([]byte, error) {
				<-ctx.Done()
				return nil, errBroken
			}}), methodM...)
			result := reauthenticating(f.Conn, background)
			synctest.Wait()
			_ = f.broker.Close()
			wantCode(t, <-result, wire.Network)
		}
	})
	bubble(t, "too large for the broker [MQTT-3.2.2-15]", func(t *testing.T) {
		f := opened(t, withAuth(&mqtttest.Auth{OnStart: func(context.Context) ([]byte, error) { return make([]byte, 100), nil }}),
			append(methodM, 0x27, 0, 0, 0, 99)...)
		for range 2 { // the connection is unaffected
			wantCode(t, f.Reauthenticate(background), wire.PacketTooLarge)
		}
	})
	bubble(t, "two at once", func(t *testing.T) {
		f := opened(t, withAuth(&mqtttest.Auth{}), methodM...)
		result := reauthenticating(f.Conn, background)
		f.broker.expectAuth(0x19, "hello")
		wantCode(t, f.Reauthenticate(background), wire.BadOption)
		f.Leave(nil)
		wantCode(t, <-result, wire.Aborted)
	})
}

func TestReauthenticateGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wait := true
		f := opened(t, withAuth(&mqtttest.Auth{OnStart: func(ctx context.Context) ([]byte, error) {
			if wait {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return []byte("again"), nil
		}}), methodM...)

		// Canceled before anything was sent: nothing is sent.
		ctx, cancel := context.WithCancel(background)
		result := reauthenticating(f.Conn, ctx)
		synctest.Wait()
		cancel()
		wantCode(t, <-result, wire.Aborted)
		synctest.Wait()

		// Canceled later: the exchange goes on to its end.
		wait = false
		ctx, cancel = context.WithCancel(background)
		result = reauthenticating(f.Conn, ctx)
		f.broker.expectAuth(0x19, "again")
		cancel()
		wantCode(t, <-result, wire.Aborted)
		f.broker.auth(0x18, "x")
		f.broker.expectAuth(0x18, "re:x")
		wantCode(t, f.Reauthenticate(background), wire.BadOption)
		f.broker.auth(0x00, "")
		f.broker.send(message...)
		synctest.Wait()
		if f.handler.messages() != 1 {
			t.Error("the connection does not go on")
		}
	})
}

// Packets are sent and received while an Authenticator is busy.
func TestSlowAuthenticatorStopsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, answer := make(chan struct{}), make(chan struct{})
		f := opened(t, withAuth(&mqtttest.Auth{OnContinue: func(context.Context, []byte) ([]byte, error) {
			close(asked)
			<-answer
			return []byte("at last"), nil
		}}), methodM...)
		result := reauthenticating(f.Conn, background)
		f.broker.expectAuth(0x19, "hello")
		f.broker.auth(0x18, "")
		<-asked
		f.broker.send(message...)
		f.source.put(message)
		f.Wake()
		f.broker.expect(message...)
		ping := mqtttest.Pinging(background, f.Ping)
		f.broker.expect(pingreq...)
		f.broker.send(0xD0, 0)
		mqtttest.WantRoundTrip(t, ping, 0)
		if f.handler.messages() != 1 {
			t.Error("a message did not arrive")
		}
		close(answer)
		f.broker.expectAuth(0x18, "at last")
		f.broker.auth(0x00, "")
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
}
