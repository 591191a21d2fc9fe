// Package scram authenticates with SCRAM-SHA-256 (RFC 5802, RFC 7677): the password is
// never sent, and the broker proves that it knows it, too. It is linked only where it
// is imported.
//
// It uses Go's own cryptography. A library would bring the tables of SASLprep into the
// browser, which are larger than everything else that authentication needs.
package scram

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

const (
	// With fewer iterations, an eavesdropper could guess the password easily (RFC 7677,
	// 4).
	minIterations = 4096
	// More would block the program for seconds, and the broker has not yet proved its
	// identity when it sets them.
	maxIterations = 1_000_000
)

// gs2 is the header of the first message: no channel binding, no other identity.
const gs2 = "n,,"

// Authenticator is the client's side of the exchanges of one client, one after
// the other. It needs no locks, since package mqtt makes one call at a time.
type Authenticator struct {
	name, password string
	nonce          func() string // at least 120 random bits, printable

	first     string // the client's first message, without its header; "" once it was answered
	signature []byte // that the broker must send; nil: not known yet

	salt       []byte // salted is the password for this salt and iterations
	iterations int
	salted     []byte
}

// SHA256 returns an Authenticator of the method SCRAM-SHA-256. One serves one
// client.
//
// The name and the password must be UTF-8 as SASLprep (RFC 4013) leaves them.
// Printable ASCII is; of other text, use the normalization form NFKC.
func SHA256(username, password string) *Authenticator {
	name := strings.ReplaceAll(strings.ReplaceAll(username, "=", "=3D"), ",", "=2C") // RFC 5802, 5.1
	return &Authenticator{name: name, password: password, nonce: rand.Text}
}

// Method returns the Authentication Method of MQTT (3.1.2.11.9).
func (a *Authenticator) Method() string { return "SCRAM-SHA-256" }

// Start begins an exchange and returns the client's first message. It abandons an
// earlier exchange. The error is always nil.
func (a *Authenticator) Start(context.Context) ([]byte, error) {
	a.first, a.signature = "n="+a.name+",r="+a.nonce(), nil
	return []byte(gs2 + a.first), nil
}

// Continue answers the broker's first message, which has a salt, with the client's
// proof. It takes as long as the broker's iterations: some milliseconds for 4096,
// seconds for a million in a browser. The error is an [*Error].
func (a *Authenticator) Continue(_ context.Context, challenge []byte) ([]byte, error) {
	if a.first == "" {
		return nil, malformed("the broker sent a second challenge")
	}
	first, ask := a.first, string(challenge)
	a.first = ""
	nonce, salt, iterations, err := parseServerFirst(ask)
	if err != nil {
		return nil, err
	}
	_, ours, _ := strings.Cut(first, ",r=")
	if len(nonce) <= len(ours) || !strings.HasPrefix(nonce, ours) {
		return nil, malformed("the broker's nonce does not begin with the client's")
	}
	if err := a.derive(salt, iterations); err != nil {
		return nil, err
	}
	final := "c=" + base64.StdEncoding.EncodeToString([]byte(gs2)) + ",r=" + nonce
	all := first + "," + ask + "," + final
	clientKey := mac(a.salted, "Client Key")
	storedKey := sha256.Sum256(clientKey)
	proof := make([]byte, len(clientKey))
	subtle.XORBytes(proof, clientKey, mac(storedKey[:], all))
	a.signature = mac(mac(a.salted, "Server Key"), all)
	return []byte(final + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

// Finish checks the broker's last message, which has its signature. The error is
// an [*Error].
func (a *Authenticator) Finish(_ context.Context, data []byte) error {
	signature := a.signature
	a.first, a.signature = "", nil
	if err := serverError(string(data)); err != nil {
		return err
	}
	verifier, _, _ := strings.Cut(string(data), ",") // extensions follow
	encoded, ok := strings.CutPrefix(verifier, "v=")
	got, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || signature == nil || !hmac.Equal(got, signature) {
		return &Error{Message: prefix + "the broker did not prove that it knows the password", reason: notAuthorized}
	}
	return nil
}

// derive computes salted, and reuses it while salt and iterations stay the same.
func (a *Authenticator) derive(salt []byte, iterations int) error {
	if a.salted != nil && bytes.Equal(a.salt, salt) && a.iterations == iterations {
		return nil
	}
	salted, err := pbkdf2.Key(sha256.New, a.password, salt, iterations, sha256.Size)
	if err != nil { // a cryptographic module that takes no such salt or password
		return malformed(err.Error())
	}
	a.salt, a.iterations, a.salted = salt, iterations, salted
	return nil
}

// parseServerFirst reads "r=…,s=…,i=…", which extensions may follow.
func parseServerFirst(message string) (nonce string, salt []byte, iterations int, err error) {
	if err := serverError(message); err != nil {
		return "", nil, 0, err
	}
	fields := strings.Split(message, ",")
	if len(fields) < 3 || !strings.HasPrefix(fields[0], "r=") || !strings.HasPrefix(fields[1], "s=") || !strings.HasPrefix(fields[2], "i=") {
		return "", nil, 0, malformed(`the broker's message is not "r=…,s=…,i=…"`)
	}
	salt, err = base64.StdEncoding.DecodeString(fields[1][2:])
	if err != nil || len(salt) == 0 {
		return "", nil, 0, malformed("the broker's salt is not base64")
	}
	iterations, err = strconv.Atoi(fields[2][2:])
	if err != nil || iterations < minIterations || iterations > maxIterations {
		return "", nil, 0, malformed(fmt.Sprintf("the broker asks for %.20q iterations; %d to %d are accepted",
			fields[2][2:], minIterations, maxIterations))
	}
	return fields[0][2:], salt, iterations, nil
}

// serverError reads "e=…".
func serverError(message string) error {
	if reason, ok := strings.CutPrefix(message, "e="); ok {
		return &Error{Message: prefix + "authentication refused", Refused: true, ReasonString: reason, reason: notAuthorized}
	}
	return nil
}

func mac(key []byte, message string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}
