package mqtt

import (
	"context"
	"errors"
	"testing"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// reauthenticate calls Reauthenticate in the background.
func reauthenticate(ctx context.Context, c *Client) <-chan error {
	ch := make(chan error, 1)
	go func() { ch <- c.Reauthenticate(ctx) }()
	return ch
}

func TestReauthenticate(t *testing.T) {
	finished := make(chan string, 9)
	f := &mqtttest.Auth{OnFinish: func(_ context.Context, data []byte) error {
		finished <- string(data)
		return nil
	}}
	c, _, b, _ := start(t, withAuth(f), methodM...)
	<-finished
	for range 2 {
		result := reauthenticate(background, c)
		b.expectAuth(0x19, "hello")
		b.send(wire.EncodeAuth(0x18, "m", []byte("one"))...)
		b.expectAuth(0x18, "re:one")
		b.send(wire.EncodeAuth(0x18, "m", []byte("two"))...)
		b.expectAuth(0x18, "re:two")
		b.send(wire.EncodeAuth(0x00, "m", []byte("proof"))...)
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		if data := <-finished; data != "proof" {
			t.Errorf("Finish got %q", data)
		}
	}
	b.send(wire.EncodeAuth(0x00, "m", nil)...) // the exchange is over
	b.expect(0xE0, 1, 0x82)
}

func TestReauthenticateFails(t *testing.T) {
	broken := errors.New("the page said no")
	for name, test := range map[string]struct {
		auth   mqtttest.Auth
		broker func(*brokerConn)
		code   Code
		reason byte // the broker's
	}{
		"refused": {mqtttest.Auth{}, func(b *brokerConn) { b.send(0xE0, 1, 0x87) }, Disconnected, 0x87},
		"lost":    {mqtttest.Auth{}, func(b *brokerConn) { b.Close() }, Network, 0},
		"lost while answering": {
			mqtttest.Auth{OnContinue: func(ctx context.Context, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, broken }},
			func(b *brokerConn) { b.send(wire.EncodeAuth(0x18, "m", nil)...); b.Close() }, Network, 0,
		},
		"Continue": {
			mqtttest.Auth{OnContinue: func(context.Context, []byte) ([]byte, error) { return nil, broken }},
			func(b *brokerConn) { b.send(wire.EncodeAuth(0x18, "m", nil)...); b.expect(0xE0, 1, 0x80) }, Aborted, 0,
		},
		"Finish": {
			mqtttest.Auth{OnFinish: func(_ context.Context, data []byte) error {
				if len(data) > 0 {
					return wire.Violation(wire.ReasonNotAuthorized, "no proof")
				}
				return nil
			}},
			func(b *brokerConn) { b.send(wire.EncodeAuth(0x00, "m", []byte("bad"))...); b.expect(0xE0, 1, 0x80) }, Protocol, 0,
		},
		"another method": {mqtttest.Auth{}, func(b *brokerConn) { b.send(wire.EncodeAuth(0x00, "n", nil)...); b.expect(0xE0, 1, 0x82) }, Protocol, 0},
		"CONNACK":        {mqtttest.Auth{}, func(b *brokerConn) { b.send(connackFrame(methodM...)...); b.expect(0xE0, 1, 0x82) }, Protocol, 0},
		"too large for the broker [MQTT-3.2.2-15]": {
			mqtttest.Auth{OnContinue: func(context.Context, []byte) ([]byte, error) { return make([]byte, 100), nil }},
			func(b *brokerConn) { b.send(wire.EncodeAuth(0x18, "m", nil)...); b.expect(0xE0, 1, 0x95) }, PacketTooLarge, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, b, log := start(t, withAuth(&test.auth), append(methodM, 0x27, 0, 0, 0, 99)...)
			result := reauthenticate(background, c)
			b.expectAuth(0x19, "hello")
			test.broker(b)
			if e := wantCode(t, <-result, test.code, ""); e.ReasonCode != test.reason {
				t.Errorf("%+v", e)
			}
			wantCode(t, wait[Closed](log).Err, test.code, "") // [MQTT-4.12.1-2]
		})
	}
}

func TestReauthenticateIsNotBegun(t *testing.T) {
	t.Run("without an authenticator", func(t *testing.T) {
		c, _, _, _ := start(t, nil)
		wantCode(t, c.Reauthenticate(background), BadOption, "authenticate")
	})
	t.Run("without a connection", func(t *testing.T) {
		c, _, b, log := start(t, withAuth(&mqtttest.Auth{}), methodM...)
		b.Close()
		wait[Closed](log)
		wantCode(t, c.Reauthenticate(background), NotConnected, "")
	})
	t.Run("on a connection that ended just now", func(t *testing.T) {
		c, _, _, _ := start(t, withAuth(&mqtttest.Auth{}), methodM...)
		conn, err := c.current()
		if err != nil {
			t.Fatal(err)
		}
		conn.Close(nil)
		<-conn.Done()
		wantCode(t, c.Reauthenticate(background), NotConnected, "")
	})
	t.Run("Start fails", func(t *testing.T) {
		broken := false
		f := &mqtttest.Auth{OnStart: func(context.Context) ([]byte, error) {
			if broken {
				return nil, errors.New("no token")
			}
			return nil, nil
		}}
		c, _, b, _ := start(t, withAuth(f), methodM...)
		broken = true
		wantCode(t, c.Reauthenticate(background), Aborted, "")
		broken = false
		result := reauthenticate(background, c) // the connection is unaffected
		b.expectAuth(0x19, "")
		b.send(wire.EncodeAuth(0x00, "m", nil)...)
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
	t.Run("two at once", func(t *testing.T) {
		c, _, b, _ := start(t, withAuth(&mqtttest.Auth{}), methodM...)
		result := reauthenticate(background, c)
		b.expectAuth(0x19, "hello")
		wantCode(t, c.Reauthenticate(background), BadOption, "authenticate")
		_ = c.Disconnect(background, DisconnectOptions{})
		wantCode(t, <-result, Aborted, "")
	})
}

func TestReauthenticateGivenUp(t *testing.T) {
	starting := make(chan struct{}, 1)
	first := true
	f := &mqtttest.Auth{OnStart: func(ctx context.Context) ([]byte, error) {
		if first { // for CONNECT
			first = false
			return nil, nil
		}
		select {
		case starting <- struct{}{}:
			<-ctx.Done()
			return nil, ctx.Err()
		default: // the test has filled starting
			return []byte("again"), nil
		}
	}}
	c, _, b, _ := start(t, withAuth(f), methodM...)

	// Canceled before anything was sent: nothing is sent.
	ctx, cancel := context.WithCancel(background)
	result := reauthenticate(ctx, c)
	<-starting
	cancel()
	wantCode(t, <-result, Aborted, "")

	// Canceled later: the exchange goes on to its end.
	starting <- struct{}{}
	ctx, cancel = context.WithCancel(background)
	result = reauthenticate(ctx, c)
	b.expectAuth(0x19, "again")
	cancel()
	wantCode(t, <-result, Aborted, "")
	b.send(wire.EncodeAuth(0x18, "m", []byte("x"))...)
	b.expectAuth(0x18, "re:x")
	wantCode(t, c.Reauthenticate(background), BadOption, "authenticate")
	b.send(wire.EncodeAuth(0x00, "m", nil)...)
	b.send(0x32, 6, 0, 1, 'a', 0, 1, 0)
	_, batch := receiveOne(t, c)
	batch.Done()
	b.expect(0x40, 2, 0, 1)
}

// Messages are sent and received while an Authenticator is busy.
func TestSlowAuthenticatorStopsNothing(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	f := &mqtttest.Auth{OnContinue: func(context.Context, []byte) ([]byte, error) {
		close(asked)
		<-answer
		return []byte("at last"), nil
	}}
	c, _, b, _ := start(t, withAuth(f), methodM...)
	result := reauthenticate(background, c)
	b.expectAuth(0x19, "hello")
	b.send(wire.EncodeAuth(0x18, "m", nil)...)
	<-asked
	b.send(0x32, 6, 0, 1, 'a', 0, 1, 0)
	_, batch := receiveOne(t, c)
	batch.Done()
	b.expect(0x40, 2, 0, 1)
	sent := publishAsync(c, Message{Topic: "b", QoS: 1})
	p := publishOf(t, b.read())
	b.send(0x40, 2, byte(p.PacketID>>8), byte(p.PacketID))
	if err := <-sent; err != nil {
		t.Error(err)
	}
	close(answer)
	b.expectAuth(0x18, "at last")
	b.send(wire.EncodeAuth(0x00, "m", nil)...)
	if err := <-result; err != nil {
		t.Error(err)
	}
}
