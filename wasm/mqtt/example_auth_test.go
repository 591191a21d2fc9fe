//go:build !js

package mqtt_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"mqttwasm/wasm/mqtt"
	"mqttwasm/wasm/mqtt/scram"
)

// keyProof is an Authenticator that proves it has a key by signing the broker's
// challenge. The broker signs the response in turn.
type keyProof struct {
	key    []byte
	signed []byte // our last response
}

func (*keyProof) Method() string { return "KEY-PROOF" }

func (*keyProof) Start(context.Context) ([]byte, error) { return []byte("greenhouse-1"), nil }

func (p *keyProof) Continue(_ context.Context, challenge []byte) ([]byte, error) {
	p.signed = sign(p.key, challenge)
	return p.signed, nil
}

func (p *keyProof) Finish(_ context.Context, proof []byte) error {
	if !hmac.Equal(proof, sign(p.key, p.signed)) {
		return errors.New("the broker does not have the key")
	}
	return nil
}

func sign(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)
}

// For SCRAM-SHA-256, which many brokers support, use package scram.
func ExampleAuthenticator() {
	key := []byte("a key of the two")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, err := mqtt.Connect(ctx, mqtt.Options{URL: "key-proof", Dial: dialKeyBroker(key), Authenticator: &keyProof{key: key}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("connected by", client.Connack().AuthMethod)
	fmt.Println("once more:", client.Reauthenticate(ctx))
	_ = client.Disconnect(ctx, mqtt.DisconnectOptions{})

	_, err = mqtt.Connect(ctx, mqtt.Options{URL: "key-proof", Dial: dialKeyBroker(key), Authenticator: &keyProof{key: []byte("another")}})
	fmt.Println(err)

	// Output:
	// connected by KEY-PROOF
	// once more: <nil>
	// connect refused: not authorized (0x87)
}

// SCRAM is a separate package, so that programs without it link no cryptography.
func Example_scram() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, err := mqtt.Connect(ctx, mqtt.Options{
		URL:           "wss://broker.example.com/mqtt",
		Authenticator: scram.SHA256("alice", "correct horse"),
	})
	if errors.Is(err, mqtt.Refused) {
		fmt.Println("the broker does not know this password:", err)
		return
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = client.Disconnect(ctx, mqtt.DisconnectOptions{})
}
