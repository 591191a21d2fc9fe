package mqtt

import (
	"testing"

	"github.com/eclipse/paho.golang/packets"
	scramlib "github.com/xdg-go/scram"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
	"mqttwasm/wasm/mqtt/internal/wire"
	"mqttwasm/wasm/mqtt/scram"
)

// scram plays the broker's side after the client's first message. It returns the
// server's last message, and whether the client is authenticated.
func (b *brokerConn) scram(server *scramlib.Server, first []byte) (last string, ok bool) {
	b.t.Helper()
	conv := server.NewConversation()
	challenge, err := conv.Step(string(first))
	if err != nil {
		return challenge, false
	}
	b.send(wire.EncodeAuth(0x18, "SCRAM-SHA-256", []byte(challenge))...)
	p := b.read()
	if p == nil || p.Type != packets.AUTH {
		b.t.Errorf("broker: got %v, want AUTH", p)
		return "", false
	}
	last, err = conv.Step(string(p.Content.(*packets.Auth).Properties.AuthData))
	return last, err == nil && conv.Valid()
}

// scramConnack returns a CONNACK with the server's last message.
func scramConnack(last string) []byte {
	props := wire.AppendString([]byte{packets.PropAuthMethod}, []byte("SCRAM-SHA-256"))
	return connackFrame(append(props, authData(last)...)...)
}

func withScram(username, password string) func(*Options) {
	return func(o *Options) { o.Authenticator = scram.SHA256(username, password) }
}

func TestScram(t *testing.T) {
	const username = "a,b=c ü" // two characters of it are escaped
	server := mqtttest.ScramServer(t, username, "pencil")
	s := newScripted(t)
	o := s.options()
	withScram(username, "pencil")(&o)
	log := make(eventLog, 1000)
	o.OnEvent = log.on
	accept := func() *brokerConn {
		b := s.next()
		p := b.read().Content.(*packets.Connect)
		if p.Properties.AuthMethod != "SCRAM-SHA-256" {
			t.Errorf("method %q", p.Properties.AuthMethod)
		}
		last, ok := b.scram(server, p.Properties.AuthData)
		if !ok {
			t.Errorf("the client did not prove itself: %s", last)
		}
		b.send(scramConnack(last)...)
		return b
	}
	conns := make(chan *brokerConn, 1)
	go func() { conns <- accept() }()
	c, err := Connect(background, o)
	if err != nil {
		t.Fatal(err)
	}
	b := <-conns

	result := reauthenticate(background, c)
	p := b.read().Content.(*packets.Auth)
	last, ok := b.scram(server, p.Properties.AuthData)
	if !ok || p.ReasonCode != 0x19 {
		t.Errorf("AUTH %v, then %s", p, last)
	}
	b.send(wire.EncodeAuth(0x00, "SCRAM-SHA-256", []byte(last))...)
	if err := <-result; err != nil {
		t.Error(err)
	}

	b.Close() // again, with a new exchange
	b = accept()
	wait[Connected](log) // the first
	wait[Connected](log)
	_ = c.Disconnect(background, DisconnectOptions{})
	b.Close()
}

func TestScramRefused(t *testing.T) {
	server := mqtttest.ScramServer(t, "user", "pencil")
	t.Run("wrong password", func(t *testing.T) {
		_, err := connectScripted(t, withScram("user", "pen"), func(b *brokerConn, p *packets.Connect) {
			if last, ok := b.scram(server, p.Properties.AuthData); ok {
				t.Errorf("the server takes a wrong password: %s", last)
			}
			b.send(0x20, 3, 0, 0x87, 0)
		})
		if e := wantCode(t, err, Refused, ""); e.ReasonCode != 0x87 {
			t.Errorf("%+v", e)
		}
	})
	for name, test := range map[string]struct {
		last  string // what the server sends instead of its signature
		code  Code
		words string
	}{
		"wrong signature":   {"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", Protocol, ""},
		"signature missing": {"", Protocol, ""},
		"signature empty":   {"v=", Protocol, ""},
		"server's error":    {"e=invalid-proof", Refused, "invalid-proof"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := connectScripted(t, withScram("user", "pencil"), func(b *brokerConn, p *packets.Connect) {
				_, _ = b.scram(server, p.Properties.AuthData)
				b.send(scramConnack(test.last)...)
				b.expect(0xE0, 1, 0x80)
				if p := b.read(); p != nil {
					t.Errorf("broker: got %v, want the end", p)
				}
			})
			if e := wantCode(t, err, test.code, ""); (e.ReasonCode == 0x87) != (test.code == Refused) || e.ReasonString != test.words {
				t.Errorf("%+v", e)
			}
		})
	}
	t.Run("accepted without being asked", func(t *testing.T) {
		_, err := connectScripted(t, withScram("user", "pencil"), func(b *brokerConn, _ *packets.Connect) {
			b.send(scramConnack("")...)
			b.expect(0xE0, 1, 0x80)
		})
		wantCode(t, err, Protocol, "")
	})
}
