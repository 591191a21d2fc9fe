// Package wire turns bytes into MQTT 5 packets and back: framing, validation,
// properties, reason codes, topic names and filters.
//
// It parses every packet of a broker itself, since paho's decoder trusts its input: it
// allocates as much memory as a length announces, and accepts packets that the
// specification forbids. Input is refused where the specification says MUST, and only
// there: a stricter check could lock a client out of its own session. Packets that are
// not on the hot path are decoded and encoded by paho's codec.
//
// The body of a packet is what follows its fixed header. Every error is an [*Error].
// Nothing here blocks, keeps state or starts goroutines.
package wire

import (
	"encoding/binary"
	"math/bits"
)

// Packet types (2.1.2).
const (
	TypeConnect byte = iota + 1
	TypeConnack
	TypePublish
	TypePuback
	TypePubrec
	TypePubrel
	TypePubcomp
	TypeSubscribe
	TypeSuback
	TypeUnsubscribe
	TypeUnsuback
	TypePingreq
	TypePingresp
	TypeDisconnect
	TypeAuth
)

var typeNames = [16]string{
	"reserved", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE",
	"SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
}

// TypeName returns the specification's name of a packet type, such as "PUBACK".
func TypeName(kind byte) string { return typeNames[kind&0x0F] }

const (
	// MaxString is how many bytes a string or binary data may have (1.5.4, 1.5.6).
	MaxString = 65535
	// MaxRemaining is how many bytes may follow a packet's fixed header (2.1.4).
	MaxRemaining = 268_435_455
)

// CheckHeader checks the first byte of a packet from a broker: its type, and the
// flags that are reserved [MQTT-2.1.3-1].
func CheckHeader(header byte) error {
	want := byte(0)
	switch kind := header >> 4; kind {
	case TypePublish:
		return nil // its flags have a meaning
	case 0, TypeConnect, TypeSubscribe, TypeUnsubscribe, TypePingreq:
		return Violation(ReasonProtocolError, "a packet of type %d (%s), which a broker must not send", kind, TypeName(kind))
	case TypePubrel:
		want = 2
	}
	if header&0x0F != want {
		return Violation(ReasonMalformed, "reserved flags set in the fixed header of %s", TypeName(header>>4))
	}
	return nil
}

// CheckPingresp checks a PINGRESP, which has only a fixed header (3.13).
func CheckPingresp(body []byte) error {
	r := Reader{Rest: body}
	return r.finish(TypePingresp)
}

// Varint reads a variable byte integer (1.5.5) from the beginning of b. size is
// how many bytes it takes; ok is false while bytes are missing. More than four
// bytes, or more than the value needs, is malformed [MQTT-1.5.5-1].
func Varint(b []byte) (value, size int, ok bool, err *Error) {
	v, n := binary.Uvarint(b[:min(len(b), 4)])
	switch {
	case n > 1 && b[n-1] == 0:
		return 0, 0, false, Violation(ReasonMalformed, "a variable byte integer in more bytes than it needs")
	case n == 0 && len(b) >= 4:
		return 0, 0, false, Violation(ReasonMalformed, "a variable byte integer of more than four bytes")
	}
	return int(v), n, n > 0, nil
}

// VarintSize returns how many bytes n takes as a variable byte integer, which has 7
// bits in each. n is from 0 to [MaxRemaining].
func VarintSize(n int) int { return (bits.Len(uint(n|1)) + 6) / 7 }

// AppendVarint appends n, from 0 to [MaxRemaining], as a variable byte integer.
func AppendVarint(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)) }

// AppendString appends a UTF-8 string or binary data (1.5.4, 1.5.6), of at most
// [MaxString] bytes.
func AppendString[T string | []byte](b []byte, s T) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// AppendProperties appends the length of properties in wire form, and them (2.2.2).
func AppendProperties(b, packed []byte) []byte {
	return append(AppendVarint(b, len(packed)), packed...)
}

// frame prepends the fixed header to the rest of a packet.
func frame(header byte, body []byte) []byte {
	b := make([]byte, 0, 1+VarintSize(len(body))+len(body))
	return append(AppendVarint(append(b, header), len(body)), body...)
}
