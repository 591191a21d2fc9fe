package wire

import (
	"slices"
	"strings"
	"testing"
)

// reasonTable is the table of 2.4: the name of each reason code, and the packets in
// which a broker may send it.
var reasonTable = map[byte]struct{ name, packets string }{
	0x00: {"success", "CONNACK PUBACK PUBREC PUBREL PUBCOMP SUBACK UNSUBACK DISCONNECT AUTH"},
	0x01: {"", "SUBACK"}, // Granted QoS 1
	0x02: {"", "SUBACK"}, // Granted QoS 2
	0x04: {"disconnect with will message", ""},
	0x10: {"no matching subscribers", "PUBACK PUBREC"},
	0x11: {"no subscription existed", "UNSUBACK"},
	0x18: {"continue authentication", "AUTH"},
	0x19: {"re-authenticate", ""},
	0x80: {"unspecified error", "CONNACK PUBACK PUBREC SUBACK UNSUBACK DISCONNECT"},
	0x81: {"malformed packet", "CONNACK DISCONNECT"},
	0x82: {"protocol error", "CONNACK DISCONNECT"},
	0x83: {"implementation specific error", "CONNACK PUBACK PUBREC SUBACK UNSUBACK DISCONNECT"},
	0x84: {"unsupported protocol version", "CONNACK"},
	0x85: {"client identifier not valid", "CONNACK"},
	0x86: {"bad user name or password", "CONNACK"},
	0x87: {"not authorized", "CONNACK PUBACK PUBREC SUBACK UNSUBACK DISCONNECT"},
	0x88: {"server unavailable", "CONNACK"},
	0x89: {"server busy", "CONNACK DISCONNECT"},
	0x8A: {"banned", "CONNACK"},
	0x8B: {"server shutting down", "DISCONNECT"},
	0x8C: {"bad authentication method", "CONNACK DISCONNECT"},
	0x8D: {"keep alive timeout", "DISCONNECT"},
	0x8E: {"session taken over", "DISCONNECT"},
	0x8F: {"topic filter invalid", "SUBACK UNSUBACK DISCONNECT"},
	0x90: {"topic name invalid", "CONNACK PUBACK PUBREC DISCONNECT"},
	0x91: {"packet identifier in use", "PUBACK PUBREC SUBACK UNSUBACK"},
	0x92: {"packet identifier not found", "PUBREL PUBCOMP"},
	0x93: {"receive maximum exceeded", "DISCONNECT"},
	0x94: {"topic alias invalid", "DISCONNECT"},
	0x95: {"packet too large", "CONNACK DISCONNECT"},
	0x96: {"message rate too high", "DISCONNECT"},
	0x97: {"quota exceeded", "CONNACK PUBACK PUBREC SUBACK DISCONNECT"},
	0x98: {"administrative action", "DISCONNECT"},
	0x99: {"payload format invalid", "CONNACK PUBACK PUBREC DISCONNECT"},
	0x9A: {"retain not supported", "CONNACK DISCONNECT"},
	0x9B: {"QoS not supported", "CONNACK DISCONNECT"},
	0x9C: {"use another server", "CONNACK DISCONNECT"},
	0x9D: {"server moved", "CONNACK DISCONNECT"},
	0x9E: {"shared subscriptions not supported", "SUBACK DISCONNECT"},
	0x9F: {"connection rate exceeded", "CONNACK DISCONNECT"},
	0xA0: {"maximum connect time", "DISCONNECT"},
	0xA1: {"subscription identifiers not supported", "SUBACK DISCONNECT"},
	0xA2: {"wildcard subscriptions not supported", "SUBACK DISCONNECT"},
}

func TestValidReason(t *testing.T) {
	for kind := range byte(16) {
		for code := range 256 {
			want := slices.Contains(strings.Fields(reasonTable[byte(code)].packets), TypeName(kind))
			if got := ValidReason(kind, byte(code)); got != want {
				t.Errorf("0x%02X in %s: %v, want %v", code, TypeName(kind), got, want)
			}
		}
	}
}

func TestReasonName(t *testing.T) {
	for code := range 256 {
		want := reasonTable[byte(code)].name
		got := ReasonName(byte(code))
		if want == "" && !strings.HasPrefix(got, "reason code 0x") || want != "" && got != want {
			t.Errorf("0x%02X: %q, want %q", code, got, want)
		}
	}
	if got := ReasonName(0xFF); got != "reason code 0xFF" {
		t.Errorf("%q", got)
	}
}

func TestClientMaySend(t *testing.T) { // 3.14.2.1: sent by "Client" or "Client or Server"
	allowed := []byte{0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99}
	for code := range 256 {
		if got, want := ClientMaySend(byte(code)), slices.Contains(allowed, byte(code)); got != want {
			t.Errorf("0x%02X: %v, want %v", code, got, want)
		}
	}
}

func TestDisconnectReason(t *testing.T) {
	for code := range 256 {
		want := ReasonUnspecified
		if code >= 0x80 && ClientMaySend(byte(code)) || code == 0x8C {
			want = byte(code)
		}
		if got := DisconnectReason(&Error{Reason: byte(code), ReasonCode: 0x81}); got != want {
			t.Errorf("0x%02X: sent 0x%02X, want 0x%02X", code, got, want)
		}
	}
}
