package mqtt

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"
)

// SCRAM-SHA-256 (RFC 5802, RFC 7677) on Go's own cryptography. A library would
// bring the tables of SASLprep into the browser, which are larger than all else
// that authentication needs.

const (
	// Fewer iterations make a password that was overheard easy to guess
	// (RFC 7677, 4).
	minIterations = 4096
	// More would hold up the program for seconds, and a broker has not yet
	// proved who it is when it asks.
	maxIterations = 1_000_000
)

// ScramSHA256 authenticates with a password that is never sent, and makes the
// broker prove that it knows it too: one that can't is a Protocol error with
// ReasonCode 0x87. Its own refusal is Refused, with its words in ReasonString.
//
// The name and the password must be UTF-8 as SASLprep (RFC 4013) leaves them.
// Printable ASCII is; of other text, use the normalization form NFKC. One
// Authenticator serves one [Client].
func ScramSHA256(username, password string) Authenticator {
	name := strings.ReplaceAll(strings.ReplaceAll(username, "=", "=3D"), ",", "=2C")
	return &scram{name: name, password: password, nonce: rand.Text}
}

type scram struct {
	name, password string
	nonce          func() string // at least 120 random bits, printable

	first     string // our first message, without its header; "" when answered
	signature []byte // that the broker must send; nil before we know

	salt       []byte // salted is the password for this salt and iterations
	iterations int
	salted     []byte
}

// gs2 is the header of the first message: no channel binding, no other identity.
const gs2 = "n,,"

func (s *scram) Method() string { return "SCRAM-SHA-256" }

func (s *scram) Start(context.Context) ([]byte, error) {
	s.first, s.signature = "n="+s.name+",r="+s.nonce(), nil
	return []byte(gs2 + s.first), nil
}

// Continue answers the broker's first message, which has a salt.
func (s *scram) Continue(_ context.Context, challenge []byte) ([]byte, error) {
	if s.first == "" {
		return nil, violation(reasonProtocolError, "SCRAM: the broker asks a second time")
	}
	first, ask := s.first, string(challenge)
	s.first = ""
	nonce, salt, iterations, err := parseServerFirst(ask)
	if err != nil {
		return nil, err
	}
	_, ours, _ := strings.Cut(first, ",r=")
	if len(nonce) <= len(ours) || !strings.HasPrefix(nonce, ours) {
		return nil, violation(reasonProtocolError, "SCRAM: the broker's nonce does not extend ours")
	}
	if err := s.derive(salt, iterations); err != nil {
		return nil, err
	}
	final := "c=" + base64.StdEncoding.EncodeToString([]byte(gs2)) + ",r=" + nonce
	all := first + "," + ask + "," + final
	clientKey := mac(s.salted, "Client Key")
	storedKey := sha256.Sum256(clientKey)
	proof := make([]byte, len(clientKey))
	subtle.XORBytes(proof, clientKey, mac(storedKey[:], all))
	s.signature = mac(mac(s.salted, "Server Key"), all)
	return []byte(final + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

// Finish checks the broker's signature.
func (s *scram) Finish(_ context.Context, data []byte) error {
	signature := s.signature
	s.first, s.signature = "", nil
	if err := serverError(string(data)); err != nil {
		return err
	}
	verifier, _, _ := strings.Cut(string(data), ",") // then come extensions
	encoded, ok := strings.CutPrefix(verifier, "v=")
	got, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || signature == nil || !hmac.Equal(got, signature) {
		return violation(reasonNotAuthorized, "SCRAM: the broker did not prove that it knows the password")
	}
	return nil
}

// derive makes salted. The same salt comes again at each connection.
func (s *scram) derive(salt []byte, iterations int) (err error) {
	if s.salted != nil && bytes.Equal(s.salt, salt) && s.iterations == iterations {
		return nil
	}
	s.salt, s.iterations = salt, iterations
	s.salted, err = pbkdf2.Key(sha256.New, s.password, salt, iterations, sha256.Size)
	return err
}

// parseServerFirst reads "r=…,s=…,i=…", which extensions may follow.
func parseServerFirst(message string) (nonce string, salt []byte, iterations int, err error) {
	if err := serverError(message); err != nil {
		return "", nil, 0, err
	}
	fields := strings.Split(message, ",")
	if len(fields) < 3 || !strings.HasPrefix(fields[0], "r=") || !strings.HasPrefix(fields[1], "s=") || !strings.HasPrefix(fields[2], "i=") {
		return "", nil, 0, violation(reasonProtocolError, "SCRAM: the broker's message is not \"r=…,s=…,i=…\"")
	}
	salt, err = base64.StdEncoding.DecodeString(fields[1][2:])
	if err != nil || len(salt) == 0 {
		return "", nil, 0, violation(reasonProtocolError, "SCRAM: the broker's salt is not base64")
	}
	iterations, err = strconv.Atoi(fields[2][2:])
	if err != nil || iterations < minIterations || iterations > maxIterations {
		return "", nil, 0, violation(reasonProtocolError, "SCRAM: the broker asks for %s iterations; %d to %d are taken",
			quote(fields[2][2:]), minIterations, maxIterations)
	}
	return fields[0][2:], salt, iterations, nil
}

// serverError reads "e=…".
func serverError(message string) error {
	if reason, ok := strings.CutPrefix(message, "e="); ok {
		return refused("authentication", reasonNotAuthorized, reason)
	}
	return nil
}

func mac(key []byte, message string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}
