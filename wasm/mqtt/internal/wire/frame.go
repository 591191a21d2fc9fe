// Package wire turns bytes into MQTT 5 packets and back: framing, validation,
// properties, reason codes, topic names and filters.
//
// It reads every packet of a broker itself, since paho's decoder trusts what it
// reads: that one takes as much memory as a length announces, and accepts
// packets that the specification forbids. What is read is refused where the
// specification says MUST, and only there: a stricter check is a way to lock a
// client out of its own session. Packets that are not on the hot path are
// decoded and encoded by paho's codec.
//
// Nothing here blocks, keeps state or starts goroutines.
package wire

import "encoding/binary"

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
// flags that are reserved [MQTT-2.1.3-1]. The error is an [*Error].
func CheckHeader(header byte) error {
	kind, flags := header>>4, header&0x0F
	want := byte(0)
	switch kind {
	case TypePublish:
		return nil // its flags mean something
	case TypePubrel:
		want = 2
	case TypeConnack, TypePuback, TypePubrec, TypePubcomp, TypeSuback, TypeUnsuback, TypePingresp, TypeDisconnect, TypeAuth:
	default:
		return Violation(ReasonProtocolError, "a packet of type %d (%s), which a broker must not send", kind, TypeName(kind))
	}
	if flags != want {
		return Violation(ReasonMalformed, "reserved flags set in the fixed header of %s", TypeName(kind))
	}
	return nil
}

// CheckPingresp checks a PINGRESP, which is a fixed header only (3.13). body is
// what follows that. The error is an [*Error].
func CheckPingresp(body []byte) error {
	r := Reader{Rest: body}
	return r.finish(TypePingresp)
}

// Varint reads a variable byte integer (1.5.5) from the beginning of b. size is
// how many bytes it takes; ok is false while bytes are missing. More than four
// bytes, or more than the value needs, is malformed [MQTT-1.5.5-1].
func Varint(b []byte) (value, size int, ok bool, err *Error) {
	for i := 0; i < len(b) && i < 4; i++ {
		value |= int(b[i]&0x7F) << (7 * i)
		if b[i] < 0x80 {
			if i > 0 && b[i] == 0 {
				return 0, 0, false, Violation(ReasonMalformed, "a length in more bytes than it needs")
			}
			return value, i + 1, true, nil
		}
	}
	if len(b) >= 4 {
		return 0, 0, false, Violation(ReasonMalformed, "a length of more than four bytes")
	}
	return 0, 0, false, nil
}

// VarintSize returns how many bytes n takes as a variable byte integer. n is
// from 0 to [MaxRemaining].
func VarintSize(n int) int {
	switch {
	case n < 1<<7:
		return 1
	case n < 1<<14:
		return 2
	case n < 1<<21:
		return 3
	default:
		return 4
	}
}

// AppendVarint appends n as a variable byte integer. n is from 0 to
// [MaxRemaining].
func AppendVarint(b []byte, n int) []byte {
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

// AppendString appends a UTF-8 string or binary data (1.5.4, 1.5.6), of at most
// [MaxString] bytes.
func AppendString[T string | []byte](b []byte, s T) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// AppendProperties appends properties in wire form, with their length before
// them (2.2.2).
func AppendProperties(b, packed []byte) []byte {
	return append(AppendVarint(b, len(packed)), packed...)
}

// frame makes a whole packet of what follows its fixed header.
func frame(header byte, body []byte) []byte {
	b := make([]byte, 0, 1+VarintSize(len(body))+len(body))
	return append(AppendVarint(append(b, header), len(body)), body...)
}
