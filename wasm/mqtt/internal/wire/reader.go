package wire

import (
	"bytes"
	"unicode/utf8"
)

// Reader parses bytes. What it returns points into them. After the first error
// everything that it returns is empty, Rest is empty, and Err is set.
type Reader struct {
	Rest []byte // not read yet
	Err  error  // an [*Error]; nil: none so far
}

func (r *Reader) fail(reason byte, format string, args ...any) {
	if r.Err == nil {
		r.Err = Violation(reason, format, args...)
		r.Rest = nil
	}
}

// finish checks that the whole packet was read.
func (r *Reader) finish(kind byte) error {
	if r.Err == nil && len(r.Rest) > 0 {
		r.fail(ReasonMalformed, "%d bytes too many in %s", len(r.Rest), TypeName(kind))
	}
	return r.Err
}

// Take returns the next n bytes.
func (r *Reader) Take(n int) []byte {
	if r.Err != nil {
		return nil
	}
	if len(r.Rest) < n {
		r.fail(ReasonMalformed, "a packet that ends too early")
		return nil
	}
	b := r.Rest[:n]
	r.Rest = r.Rest[n:]
	return b
}

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if b := r.Take(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint16 reads a two byte integer (1.5.2).
func (r *Reader) Uint16() uint16 {
	if b := r.Take(2); b != nil {
		return uint16(b[0])<<8 | uint16(b[1])
	}
	return 0
}

// Uint32 reads a four byte integer (1.5.3).
func (r *Reader) Uint32() uint32 {
	return uint32(r.Uint16())<<16 | uint32(r.Uint16())
}

// Varint reads a variable byte integer; see [Varint].
func (r *Reader) Varint() int {
	if r.Err != nil {
		return 0
	}
	value, size, ok, err := Varint(r.Rest)
	if err != nil {
		r.Err, r.Rest = err, nil
		return 0
	}
	if !ok {
		r.fail(ReasonMalformed, "a packet that ends too early")
		return 0
	}
	r.Rest = r.Rest[size:]
	return value
}

// Binary reads binary data (1.5.6), or a string that was checked before.
func (r *Reader) Binary() []byte { return r.Take(int(r.Uint16())) }

// String reads a UTF-8 string (1.5.4). Ill-formed UTF-8, which surrogates are, and
// U+0000 are malformed [MQTT-1.5.4-1] [MQTT-1.5.4-2]. Control characters and
// non-characters, which a receiver MAY refuse, are accepted.
func (r *Reader) String() []byte {
	b := r.Binary()
	if bytes.IndexByte(b, 0) >= 0 || !utf8.Valid(b) {
		r.fail(ReasonMalformed, "a string that is not well-formed UTF-8, or has U+0000 in it")
		return nil
	}
	return b
}

// packetID reads a packet identifier, which is never 0 [MQTT-2.2.1-3]
// [MQTT-2.2.1-4].
func (r *Reader) packetID() uint16 {
	id := r.Uint16()
	if r.Err == nil && id == 0 {
		r.fail(ReasonProtocolError, "packet identifier 0")
	}
	return id
}

// reason reads a reason code, and checks it with [ValidReason].
func (r *Reader) reason(kind byte) byte {
	reason := r.Byte()
	if r.Err == nil && !ValidReason(kind, reason) {
		r.fail(ReasonProtocolError, "reason code 0x%02X in %s", reason, TypeName(kind))
	}
	return reason
}

// reasonAndProperties reads the end of a packet whose reason code and properties
// may be left out (3.4.2.1, 3.14.2.1, 3.15.2.1).
func (r *Reader) reasonAndProperties(kind byte) (reason byte, properties []byte) {
	if len(r.Rest) > 0 {
		reason = r.reason(kind)
	}
	if len(r.Rest) > 0 {
		properties = r.properties(kind, nil)
	}
	return reason, properties
}
