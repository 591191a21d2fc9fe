package scram

import (
	"context"
	"errors"
	"strings"
	"testing"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
)

// withNonce returns an Authenticator with a fixed nonce.
func withNonce(nonce string) *Authenticator {
	a := SHA256("user", "pencil")
	a.nonce = func() string { return nonce }
	return a
}

func wantError(t *testing.T, err error, refused bool, reason byte) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want an *Error", err)
	}
	if e.Refused != refused || e.MQTTReason() != reason || !strings.HasPrefix(e.Message, "SCRAM: ") {
		t.Errorf("got %+v, want refused %v with 0x%02X", e, refused, reason)
	}
	if words, ok := e.MQTTRefused(); ok != refused || words != e.ReasonString {
		t.Errorf("MQTTRefused returns %q, %v", words, ok)
	}
	return e
}

// The exchange of RFC 7677, section 3.
func TestVector(t *testing.T) {
	const (
		clientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
		serverFirst = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
		clientFinal = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
		serverFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
	)
	a := withNonce("rOprNGfwEbeRWgbNEkqO")
	if a.Method() != "SCRAM-SHA-256" {
		t.Errorf("method %q", a.Method())
	}
	for range 2 { // the second time with the cached key
		if got, err := a.Start(t.Context()); err != nil || string(got) != clientFirst {
			t.Errorf("%s, %v", got, err)
		}
		if got, err := a.Continue(t.Context(), []byte(serverFirst)); err != nil || string(got) != clientFinal {
			t.Errorf("%s, %v", got, err)
		}
		if err := a.Finish(t.Context(), []byte(serverFinal)); err != nil {
			t.Error(err)
		}
	}
	_ = wantError(t, a.Finish(t.Context(), []byte(serverFinal)), false, 0x87) // a signature is valid once
}

func TestExchangeFails(t *testing.T) {
	const good = "r=NONCEserver,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
	for name, test := range map[string]struct {
		first   string
		refused bool
		reason  byte
	}{
		"nothing":                {"", false, 0x82},
		"another nonce":          {strings.Replace(good, "NONCE", "OTHER", 1), false, 0x82},
		"our nonce only":         {strings.Replace(good, "server", "", 1), false, 0x82},
		"no salt":                {strings.Replace(good, "W22ZaJ0SNY7soEsUEjb6gQ==", "", 1), false, 0x82},
		"salt not base64":        {strings.Replace(good, "==", "=", 1), false, 0x82},
		"few iterations":         {strings.Replace(good, "4096", "4095", 1), false, 0x82},
		"too many iterations":    {strings.Replace(good, "4096", "1000001", 1), false, 0x82},
		"iterations no number":   {strings.Replace(good, "4096", "many", 1), false, 0x82},
		"an extension we lack":   {"m=x," + good, false, 0x82},
		"an error of the server": {"e=unknown-user", true, 0x87},
	} {
		t.Run(name, func(t *testing.T) {
			a := withNonce("NONCE")
			_, _ = a.Start(t.Context())
			_, err := a.Continue(t.Context(), []byte(test.first))
			if e := wantError(t, err, test.refused, test.reason); test.refused && e.ReasonString != "unknown-user" {
				t.Errorf("%+v", e)
			}
			_ = wantError(t, a.Finish(t.Context(), []byte("v=")), false, 0x87)
		})
	}
	t.Run("asked twice", func(t *testing.T) {
		a := withNonce("NONCE")
		_, _ = a.Start(t.Context())
		if _, err := a.Continue(t.Context(), []byte(good+",x=an extension to skip")); err != nil {
			t.Fatal(err)
		}
		_, err := a.Continue(t.Context(), []byte(good))
		_ = wantError(t, err, false, 0x82)
	})
	t.Run("never asked", func(t *testing.T) {
		a := SHA256("user", "pencil")
		_, _ = a.Start(t.Context())
		_ = wantError(t, a.Finish(t.Context(), nil), false, 0x87)
	})
}

func TestAgainstAnotherImplementation(t *testing.T) {
	const username = "a,b=c ü" // two characters of it are escaped
	a := SHA256(username, "pencil")
	for range 2 { // each connection has an exchange of its own
		conv := mqtttest.ScramServer(t, username, "pencil").NewConversation()
		first, err := a.Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		challenge, err := conv.Step(string(first))
		if err != nil {
			t.Fatal(err)
		}
		proof, err := a.Continue(t.Context(), []byte(challenge))
		if err != nil {
			t.Fatal(err)
		}
		last, err := conv.Step(string(proof))
		if err != nil || !conv.Valid() || conv.Username() != username {
			t.Fatalf("the client did not prove itself: %s, %v", last, err)
		}
		if err := a.Finish(t.Context(), []byte(last)); err != nil {
			t.Error(err)
		}
	}
}

func TestWrongPasswordAgainstAnotherImplementation(t *testing.T) {
	conv := mqtttest.ScramServer(t, "user", "pencil").NewConversation()
	a := SHA256("user", "pen")
	first, _ := a.Start(t.Context())
	challenge, err := conv.Step(string(first))
	if err != nil {
		t.Fatal(err)
	}
	proof, err := a.Continue(t.Context(), []byte(challenge))
	if err != nil {
		t.Fatal(err)
	}
	last, _ := conv.Step(string(proof))
	if conv.Valid() {
		t.Fatalf("the server takes a wrong password: %s", last)
	}
	if e := wantError(t, a.Finish(t.Context(), []byte(last)), true, 0x87); e.ReasonString == "" || !strings.Contains(e.Error(), e.ReasonString) {
		t.Errorf("%v", e)
	}
}

// A broker that does not know the password cannot complete the exchange.
func TestBrokerDoesNotProveItself(t *testing.T) {
	for name, test := range map[string]struct {
		last  string // what the server sends instead of its signature
		words string // of its refusal; "": it did not refuse
	}{
		"wrong signature":   {"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", ""},
		"signature missing": {"", ""},
		"signature empty":   {"v=", ""},
		"not base64":        {"v=?", ""},
		"server's error":    {"e=invalid-proof", "invalid-proof"},
	} {
		t.Run(name, func(t *testing.T) {
			conv := mqtttest.ScramServer(t, "user", "pencil").NewConversation()
			a := SHA256("user", "pencil")
			first, _ := a.Start(t.Context())
			challenge, err := conv.Step(string(first))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := a.Continue(t.Context(), []byte(challenge)); err != nil {
				t.Fatal(err)
			}
			e := wantError(t, a.Finish(t.Context(), []byte(test.last)), test.words != "", 0x87)
			if e.ReasonString != test.words {
				t.Errorf("%+v", e)
			}
		})
	}
}

func FuzzExchange(f *testing.F) {
	for _, seed := range []string{"", "e=other-error", "r=NONCEs,s=c2FsdA==,i=4096", "r=NONCEs,s=c2FsdA==,i=4096,x=y", "m=,r=,s=,i="} {
		f.Add(seed, "v=c2FsdA==")
	}
	f.Fuzz(func(t *testing.T, first, last string) {
		a := withNonce("NONCE")
		_, _ = a.Start(context.Background())
		if _, _, n, err := parseServerFirst(first); err == nil && n > 5000 {
			return // slow, with no new cases
		}
		_, err := a.Continue(context.Background(), []byte(first))
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("%q: %v is no *Error", first, err)
		}
		if a.Finish(context.Background(), []byte(last)) == nil {
			t.Errorf("%q, %q: the signature was guessed", first, last)
		}
	})
}
