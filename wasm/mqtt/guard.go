package mqtt

import (
	"strings"
	"unicode/utf8"
)

// The guard reads every packet before paho does. paho's decoder trusts what it
// reads: it takes as much memory as a length announces, and accepts packets
// that the specification forbids.

// Packet types (MQTT 5, 2.1.2).
const (
	connack    = 2
	publish    = 3
	puback     = 4
	pubrec     = 5
	pubrel     = 6
	pubcomp    = 7
	suback     = 9
	unsuback   = 11
	pingresp   = 13
	disconnect = 14
	auth       = 15
)

// publishPacket is a PUBLISH that the guard has checked. Its slices point into
// the buffer it was read from.
type publishPacket struct {
	flags      byte // DUP, QoS and RETAIN as in the fixed header
	topic      []byte
	id         uint16
	properties []byte // without a topic alias
	alias      uint16
	payload    []byte
}

func (p *publishPacket) qos() byte       { return p.flags >> 1 & 3 }
func (p *publishPacket) duplicate() bool { return p.flags&8 != 0 }

// parseVarint reads a variable byte integer (1.5.5). ok is false while bytes
// are missing. More than four bytes, or more than the value needs, is malformed
// [MQTT-1.5.5-1].
func parseVarint(b []byte) (value, size int, ok bool, err *Error) {
	for i := 0; i < len(b); i++ {
		if i == 4 {
			return 0, 0, false, violation(reasonMalformed, "a length of more than four bytes")
		}
		value |= int(b[i]&0x7F) << (7 * i)
		if b[i] < 0x80 {
			if i > 0 && b[i] == 0 {
				return 0, 0, false, violation(reasonMalformed, "a length in more bytes than it needs")
			}
			return value, i + 1, true, nil
		}
	}
	if len(b) >= 4 {
		return 0, 0, false, violation(reasonMalformed, "a length of more than four bytes")
	}
	return 0, 0, false, nil
}

// checkHeader checks a packet's type and flags.
func checkHeader(header byte) error {
	kind, flags := header>>4, header&0x0F
	want := byte(0)
	switch kind {
	case publish:
		return nil // its flags mean something
	case pubrel:
		want = 2
	case connack, puback, pubrec, pubcomp, suback, unsuback, pingresp, disconnect, auth:
	default:
		return violation(reasonProtocolError, "a packet of type %d, which a broker must not send", kind)
	}
	if flags != want { // [MQTT-2.1.3-1]
		return violation(reasonMalformed, "reserved flags set in the fixed header of packet type %d", kind)
	}
	return nil
}

// checkPacket checks one whole packet other than PUBLISH. body is what follows
// the fixed header.
func checkPacket(header byte, body []byte) error {
	kind := header >> 4
	r := reader{rest: body}
	switch kind {
	case connack:
		flags, reason := r.byte(), r.byte()
		checkReason(&r, kind, reason)
		if flags&^1 != 0 { // [MQTT-3.2.2-1]
			return violation(reasonMalformed, "reserved acknowledge flags set in CONNACK")
		}
		if flags == 1 && reason != 0 { // [MQTT-3.2.2-6]
			return violation(reasonProtocolError, "CONNACK with Session Present and a refusal")
		}
		r.properties(kind, nil)
	case puback, pubrec, pubrel, pubcomp:
		_, err := parseAnswer(kind, body)
		return err
	case suback, unsuback:
		r.packetID()
		r.properties(kind, nil)
		r.rest = nil // reason codes
	case disconnect:
		if len(r.rest) > 0 {
			checkReason(&r, kind, r.byte())
		}
		if len(r.rest) > 0 {
			r.properties(kind, nil)
		}
	}
	return r.finish(kind)
}

// answerPacket is a PUBACK, PUBREC, PUBREL or PUBCOMP that the guard has
// checked. Its slice points into the buffer it was read from.
type answerPacket struct {
	kind       byte
	id         uint16
	reason     byte
	properties []byte
}

// parseAnswer checks an answer and takes it apart, without copying.
func parseAnswer(kind byte, body []byte) (answerPacket, error) {
	r := reader{rest: body}
	p := answerPacket{kind: kind, id: r.packetID()}
	if len(r.rest) > 0 {
		p.reason = r.byte()
		checkReason(&r, kind, p.reason)
	}
	if len(r.rest) > 0 {
		p.properties = r.properties(kind, nil)
	}
	return p, r.finish(kind)
}

// authPacket is an AUTH that the guard has checked. Its slices point into the
// buffer it was read from.
type authPacket struct {
	reason       byte
	method, data []byte
}

// parseAuth checks an AUTH (3.15) and takes it apart, without copying.
func parseAuth(body []byte) (p authPacket, err error) {
	r := reader{rest: body}
	if len(r.rest) > 0 {
		p.reason = r.byte()
		checkReason(&r, auth, p.reason)
	}
	var properties []byte
	if len(r.rest) > 0 {
		properties = r.properties(auth, nil)
	}
	if err := r.finish(auth); err != nil {
		return p, err
	}
	method, ok := findProperty(properties, propAuthMethod)
	if !ok { // 3.15.2.2.2
		return p, violation(reasonProtocolError, "AUTH without an authentication method")
	}
	p.method = method
	p.data, _ = findProperty(properties, propAuthData)
	return p, nil
}

func checkReason(r *reader, kind, reason byte) {
	if r.err == nil && strings.IndexByte(reasonsOf[kind], reason) < 0 {
		r.fail(reasonProtocolError, "reason code 0x%02X in packet type %d", reason, kind)
	}
}

// parsePublish checks a PUBLISH and takes it apart, without copying.
func parsePublish(header byte, body []byte) (publishPacket, error) {
	p := publishPacket{flags: header & 0x0F}
	if p.qos() == 3 { // [MQTT-3.3.1-4]
		return p, violation(reasonMalformed, "PUBLISH with QoS 3")
	}
	r := reader{rest: body}
	p.topic = r.string()
	if r.err == nil {
		for _, c := range p.topic {
			if c == '+' || c == '#' { // [MQTT-3.3.2-2]
				return p, violation(reasonMalformed, "PUBLISH to a topic with a wildcard")
			}
		}
	}
	if p.qos() > 0 {
		p.id = r.packetID()
	}
	p.properties = r.properties(publish, &p)
	p.payload = r.rest
	if r.err == nil && len(p.topic) == 0 && p.alias == 0 { // 3.3.2.1
		return p, violation(reasonProtocolError, "PUBLISH without a topic or a topic alias")
	}
	return p, r.failure()
}

// plainPublish takes the PUBLISH that most are apart, in as few steps as it
// goes: a topic in ASCII, no properties. It returns false where parsePublish has
// to look, which says the same of all that it accepts.
func plainPublish(header byte, body []byte, p *publishPacket) bool {
	if len(body) < 4 || header&6 == 6 {
		return false
	}
	end := 2 + int(body[0])<<8 + int(body[1])
	afterID := end
	if header&6 != 0 {
		afterID += 2
	}
	if end == 2 || len(body) <= afterID || body[afterID] != 0 {
		return false
	}
	topic := body[2:end]
	for _, c := range topic {
		if c < 0x20 || c >= 0x7F || c == '+' || c == '#' {
			return false
		}
	}
	id := uint16(0)
	if header&6 != 0 {
		if id = uint16(body[end])<<8 | uint16(body[end+1]); id == 0 {
			return false
		}
	}
	*p = publishPacket{flags: header & 0x0F, topic: topic, id: id, payload: body[afterID+1:]}
	return true
}

// reader takes a packet apart. After the first error everything it returns is
// empty, and err tells.
type reader struct {
	rest []byte
	err  *Error
}

func (r *reader) fail(reason byte, format string, args ...any) {
	if r.err == nil {
		r.err = violation(reason, format, args...)
		r.rest = nil
	}
}

// failure returns err as an error that compares with nil.
func (r *reader) failure() error {
	if r.err != nil {
		return r.err
	}
	return nil
}

// finish checks that nothing is left.
func (r *reader) finish(kind byte) error {
	if r.err == nil && len(r.rest) > 0 {
		r.fail(reasonMalformed, "%d bytes too many in packet type %d", len(r.rest), kind)
	}
	return r.failure()
}

func (r *reader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if len(r.rest) < n {
		r.fail(reasonMalformed, "a packet that ends too early")
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return uint16(b[0])<<8 | uint16(b[1])
	}
	return 0
}

func (r *reader) uint32() uint32 {
	return uint32(r.uint16())<<16 | uint32(r.uint16())
}

func (r *reader) varint() int {
	if r.err != nil {
		return 0
	}
	value, size, ok, err := parseVarint(r.rest)
	if err != nil {
		r.err, r.rest = err, nil
		return 0
	}
	if !ok {
		r.fail(reasonMalformed, "a packet that ends too early")
		return 0
	}
	r.rest = r.rest[size:]
	return value
}

func (r *reader) binary() []byte { return r.take(int(r.uint16())) }

// string reads a UTF-8 string (1.5.4). Ill-formed UTF-8 and U+0000 are
// malformed [MQTT-1.5.4-1] [MQTT-1.5.4-2]; control characters and
// non-characters are refused too, as the section advises.
func (r *reader) string() []byte {
	b := r.binary()
	if r.err == nil && !validText(b) {
		r.fail(reasonMalformed, "a string that is not well-formed UTF-8 text")
	}
	return b
}

func validText(b []byte) bool {
	ascii := true
	for _, c := range b {
		if c < 0x20 || c == 0x7F {
			return false
		}
		ascii = ascii && c < 0x80
	}
	if ascii {
		return true
	}
	if !utf8.Valid(b) {
		return false
	}
	for _, c := range string(b) {
		if disallowed(c) {
			return false
		}
	}
	return true
}

// disallowed lists the characters that 1.5.4 lets a receiver refuse.
func disallowed(c rune) bool {
	return c < 0x20 || c >= 0x7F && c <= 0x9F || c >= 0xFDD0 && c <= 0xFDEF || c&0xFFFE == 0xFFFE
}

func (r *reader) packetID() uint16 {
	id := r.uint16()
	if r.err == nil && id == 0 { // [MQTT-2.2.1-3], [MQTT-2.2.1-4]
		r.fail(reasonProtocolError, "packet identifier 0")
	}
	return id
}
