package mqtttest

import (
	"context"
	"errors"
	"testing"

	scramlib "github.com/xdg-go/scram"
)

// Auth is an Authenticator of the method "m". It answers "x" with "re:x", unless its
// fields say otherwise.
type Auth struct {
	OnStart    func(context.Context) ([]byte, error)
	OnContinue func(context.Context, []byte) ([]byte, error)
	OnFinish   func(context.Context, []byte) error
}

// Method is "m".
func (a *Auth) Method() string { return "m" }

// Start says "hello".
func (a *Auth) Start(ctx context.Context) ([]byte, error) {
	if a.OnStart != nil {
		return a.OnStart(ctx)
	}
	return []byte("hello"), nil
}

// Continue puts "re:" before the challenge.
func (a *Auth) Continue(ctx context.Context, challenge []byte) ([]byte, error) {
	if a.OnContinue != nil {
		return a.OnContinue(ctx, challenge)
	}
	return append([]byte("re:"), challenge...), nil
}

// Finish accepts what the broker sent.
func (a *Auth) Finish(ctx context.Context, data []byte) error {
	if a.OnFinish != nil {
		return a.OnFinish(ctx, data)
	}
	return nil
}

// ScramServer is the broker's side of SCRAM-SHA-256 for one user, by another
// implementation.
func ScramServer(t *testing.T, username, password string) *scramlib.Server {
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
