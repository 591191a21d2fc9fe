package wire

import (
	"errors"
	"strings"
	"testing"
)

// wantViolation checks an error for which we end the connection: its code is Protocol,
// and it has no ReasonCode, which is the broker's.
func wantViolation(t *testing.T, err error, reason byte) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want an *Error with reason 0x%02X", err, reason)
	}
	if e.Code != Protocol || e.Reason != reason || e.ReasonCode != 0 {
		t.Errorf("got %+v, want code %s, reason 0x%02X", e, Protocol, reason)
	}
}

func wantBadOption(t *testing.T, err error, field string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want an *Error about %s", err, field)
	}
	if e.Code != BadOption || e.Field != field || !strings.HasPrefix(e.Message, field+": ") {
		t.Errorf("got %+v, want %s about %s", e, BadOption, field)
	}
}

// split removes a packet's fixed header, and checks its length.
func split(t *testing.T, packet []byte) (header byte, body []byte) {
	t.Helper()
	length, size, ok, err := Varint(packet[1:])
	if !ok || err != nil || 1+size+length != len(packet) {
		t.Fatalf("% x: wrong length", packet)
	}
	return packet[0], packet[1+size:]
}

// properties prefixes packed properties with their length.
func properties(packed ...byte) []byte { return AppendProperties(nil, packed) }

func join(parts ...[]byte) (b []byte) {
	for _, part := range parts {
		b = append(b, part...)
	}
	return b
}

func pointer[T any](v T) *T { return &v }
