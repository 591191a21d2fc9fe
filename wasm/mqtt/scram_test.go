package mqtt

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	scramlib "github.com/xdg-go/scram"
)

// The exchange of RFC 7677, section 3.
func TestScramVector(t *testing.T) {
	const (
		clientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
		serverFirst = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
		clientFinal = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
		serverFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
	)
	s := ScramSHA256("user", "pencil").(*scram)
	s.nonce = func() string { return "rOprNGfwEbeRWgbNEkqO" }
	for range 2 { // the second time with the key it has
		if got, err := s.Start(background); err != nil || string(got) != clientFirst {
			t.Errorf("%s, %v", got, err)
		}
		if got, err := s.Continue(background, []byte(serverFirst)); err != nil || string(got) != clientFinal {
			t.Errorf("%s, %v", got, err)
		}
		if err := s.Finish(background, []byte(serverFinal)); err != nil {
			t.Error(err)
		}
	}
	if err := s.Finish(background, []byte(serverFinal)); err == nil {
		t.Error("a signature was taken twice")
	}
}

func TestScramFails(t *testing.T) {
	const good = "r=NONCEserver,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
	for name, test := range map[string]struct {
		first  string
		code   Code
		reason byte
	}{
		"nothing":                {"", Protocol, 0x82},
		"another nonce":          {strings.Replace(good, "NONCE", "OTHER", 1), Protocol, 0x82},
		"our nonce only":         {strings.Replace(good, "server", "", 1), Protocol, 0x82},
		"no salt":                {strings.Replace(good, "W22ZaJ0SNY7soEsUEjb6gQ==", "", 1), Protocol, 0x82},
		"salt not base64":        {strings.Replace(good, "==", "=", 1), Protocol, 0x82},
		"few iterations":         {strings.Replace(good, "4096", "4095", 1), Protocol, 0x82},
		"too many iterations":    {strings.Replace(good, "4096", "1000001", 1), Protocol, 0x82},
		"iterations no number":   {strings.Replace(good, "4096", "many", 1), Protocol, 0x82},
		"an extension we lack":   {"m=x," + good, Protocol, 0x82},
		"an error of the server": {"e=unknown-user", Refused, 0x87},
	} {
		t.Run(name, func(t *testing.T) {
			s := ScramSHA256("user", "pencil").(*scram)
			s.nonce = func() string { return "NONCE" }
			_, _ = s.Start(background)
			_, err := s.Continue(background, []byte(test.first))
			if e := wantCode(t, err, test.code, ""); e.ReasonCode != test.reason {
				t.Errorf("%+v", e)
			}
			wantCode(t, s.Finish(background, []byte("v=")), Protocol, "")
		})
	}
	t.Run("asked twice", func(t *testing.T) {
		s := ScramSHA256("user", "pencil").(*scram)
		s.nonce = func() string { return "NONCE" }
		_, _ = s.Start(background)
		if _, err := s.Continue(background, []byte(good+",x=an extension to skip")); err != nil {
			t.Fatal(err)
		}
		_, err := s.Continue(background, []byte(good))
		wantCode(t, err, Protocol, "")
	})
	t.Run("never asked", func(t *testing.T) {
		s := ScramSHA256("user", "pencil")
		_, _ = s.Start(background)
		if e := wantCode(t, s.Finish(background, nil), Protocol, ""); e.ReasonCode != 0x87 {
			t.Errorf("%+v", e)
		}
	})
}

// scramServer is the server's side, by somebody else.
func scramServer(t *testing.T, username, password string) *scramlib.Server {
	t.Helper()
	user, err := scramlib.SHA256.NewClient(username, password, "")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := user.GetStoredCredentialsWithError(scramlib.KeyFactors{Salt: "salt and pepper", Iters: 4096})
	if err != nil {
		t.Fatal(err)
	}
	server, err := scramlib.SHA256.NewServer(func(name string) (scramlib.StoredCredentials, error) {
		if name != username {
			return scramlib.StoredCredentials{}, errors.New("no such user")
		}
		return stored, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// scram is the broker's half of an exchange that began with the client's first
// message. It returns the server's last message, and whether the client is who
// it says.
func (b *brokerConn) scram(server *scramlib.Server, first []byte) (last string, ok bool) {
	b.t.Helper()
	conv := server.NewConversation()
	challenge, err := conv.Step(string(first))
	if err != nil {
		return challenge, false
	}
	b.send(encodeAuth(0x18, "SCRAM-SHA-256", []byte(challenge))...)
	p := b.read()
	if p == nil || p.Type != packets.AUTH {
		b.t.Errorf("broker: got %v, want AUTH", p)
		return "", false
	}
	last, err = conv.Step(string(p.Content.(*packets.Auth).Properties.AuthData))
	return last, err == nil && conv.Valid()
}

// scramConnack is the CONNACK with the server's last message.
func scramConnack(last string) []byte {
	props := appendString([]byte{propAuthMethod}, []byte("SCRAM-SHA-256"))
	return connackFrame(append(props, authData(last)...)...)
}

func withScram(username, password string) func(*Options) {
	return func(o *Options) { o.Authenticator = ScramSHA256(username, password) }
}

func TestScram(t *testing.T) {
	const username = "a,b=c ü" // two of which are written otherwise
	server := scramServer(t, username, "pencil")
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
	b.send(encodeAuth(0x00, "SCRAM-SHA-256", []byte(last))...)
	if err := <-result; err != nil {
		t.Error(err)
	}

	b.Close() // and again, with a conversation of its own
	b = accept()
	wait[Connected](log) // the first
	wait[Connected](log)
	_ = c.Disconnect(background, DisconnectOptions{})
	b.Close()
}

func TestScramRefused(t *testing.T) {
	server := scramServer(t, "user", "pencil")
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
		last  string // what the server sends in place of its signature
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
			if e := wantCode(t, err, test.code, ""); e.ReasonCode != 0x87 || e.ReasonString != test.words {
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

func FuzzScram(f *testing.F) {
	for _, seed := range []string{"", "e=other-error", "r=NONCEs,s=c2FsdA==,i=4096", "r=NONCEs,s=c2FsdA==,i=4096,x=y", "m=,r=,s=,i="} {
		f.Add(seed, "v=c2FsdA==")
	}
	f.Fuzz(func(t *testing.T, first, last string) {
		s := &scram{name: "user", password: "pencil", nonce: func() string { return "NONCE" }}
		_, _ = s.Start(context.Background())
		if _, _, n, err := parseServerFirst(first); err == nil && n > 5000 {
			return // slow, and no different
		}
		_, err := s.Continue(context.Background(), []byte(first))
		var typed *Error
		if err != nil && !errors.As(err, &typed) {
			t.Errorf("%q: %v is no *Error", first, err)
		}
		if s.Finish(context.Background(), []byte(last)) == nil {
			t.Errorf("%q, %q: the signature was guessed", first, last)
		}
	})
}
