package mqtt

import "strings"

// Property identifiers that are treated one by one (MQTT 5, 2.2.2.2).
const (
	propMessageExpiry          = 0x02
	propResponseTopic          = 0x08
	propSubscriptionIdentifier = 0x0B
	propAuthMethod             = 0x15
	propAuthData               = 0x16
	propWillDelay              = 0x18
	propReceiveMaximum         = 0x21
	propTopicAlias             = 0x23
	propUser                   = 0x26
	propMaximumPacketSize      = 0x27
)

type propertyKind byte

const (
	propUnknown propertyKind = iota
	propFlag                 // a byte that is 0 or 1
	propUint16
	propUint32
	propVarint
	propString
	propBinary
	propPair
)

// propertyKinds and propertyUse are the table of 2.2.2.2: each property's type,
// and the packets from a broker that may carry it.
var propertyKinds = [0x80]propertyKind{
	0x01: propFlag, 0x02: propUint32, 0x03: propString, 0x08: propString, 0x09: propBinary,
	0x0B: propVarint, 0x11: propUint32, 0x12: propString, 0x13: propUint16, 0x15: propString,
	0x16: propBinary, 0x17: propFlag, 0x18: propUint32, 0x19: propFlag, 0x1A: propString,
	0x1C: propString, 0x1F: propString, 0x21: propUint16, 0x22: propUint16, 0x23: propUint16,
	0x24: propFlag, 0x25: propFlag, 0x26: propPair, 0x27: propUint32, 0x28: propFlag,
	0x29: propFlag, 0x2A: propFlag,
}

var propertyUse = [16]string{
	connack:    "\x11\x12\x13\x15\x16\x1A\x1C\x1F\x21\x22\x24\x25\x26\x27\x28\x29\x2A",
	publish:    "\x01\x02\x03\x08\x09\x0B\x23\x26",
	puback:     "\x1F\x26",
	pubrec:     "\x1F\x26",
	pubrel:     "\x1F\x26",
	pubcomp:    "\x1F\x26",
	suback:     "\x1F\x26",
	unsuback:   "\x1F\x26",
	disconnect: "\x1C\x1F\x26",
	auth:       "\x15\x16\x1F\x26",
}

// properties reads and checks a packet's properties and returns them in wire
// form. For a PUBLISH it takes the topic alias out into p.
func (r *reader) properties(packet byte, p *publishPacket) []byte {
	all := r.take(r.varint())
	if r.err != nil || len(all) == 0 {
		return nil
	}
	var seen uint64 // identifiers below 64, which all are
	in := reader{rest: all}
	var withoutAlias []byte
	for len(in.rest) > 0 {
		start := len(all) - len(in.rest)
		id := in.varint()
		if in.err == nil && (id >= len(propertyKinds) || propertyKinds[id] == propUnknown) {
			in.fail(reasonMalformed, "property 0x%02X, which does not exist", id)
		}
		if in.err != nil {
			break
		}
		in.property(byte(id), p)
		if in.err != nil {
			break
		}
		if strings.IndexByte(propertyUse[packet], byte(id)) < 0 {
			in.fail(reasonProtocolError, "property 0x%02X in packet type %d", id, packet)
			break
		}
		// Only user properties, and in PUBLISH subscription identifiers, may
		// stand more than once (3.3.2.3.7, 3.3.2.3.8).
		if bit := uint64(1) << id; id != propUser && id != propSubscriptionIdentifier {
			if seen&bit != 0 {
				in.fail(reasonProtocolError, "property 0x%02X twice", id)
				break
			}
			seen |= bit
		}
		if id == propTopicAlias {
			withoutAlias = append(append([]byte{}, all[:start]...), in.rest...)
		}
	}
	if in.err != nil {
		r.err, r.rest = in.err, nil
		return nil
	}
	if p != nil && p.alias != 0 {
		return withoutAlias
	}
	return all
}

// property reads one value and checks its range.
func (r *reader) property(id byte, p *publishPacket) {
	switch propertyKinds[id] {
	case propFlag:
		if v := r.byte(); v > 1 {
			r.fail(reasonProtocolError, "property 0x%02X is %d, not 0 or 1", id, v)
		}
	case propUint16:
		v := r.uint16()
		if r.err == nil && v == 0 && id == propReceiveMaximum {
			r.fail(reasonProtocolError, "Receive Maximum of 0")
		}
		if id == propTopicAlias && r.err == nil && p != nil {
			if v == 0 { // [MQTT-3.3.2-8]
				r.fail(reasonAliasInvalid, "topic alias 0")
			}
			p.alias = v
		}
	case propUint32:
		if v := r.uint32(); r.err == nil && v == 0 && id == propMaximumPacketSize {
			r.fail(reasonProtocolError, "Maximum Packet Size of 0")
		}
	case propVarint:
		if v := r.varint(); r.err == nil && v == 0 {
			r.fail(reasonProtocolError, "subscription identifier 0")
		}
	case propString:
		v := r.string()
		if id == propResponseTopic && r.err == nil {
			if len(v) == 0 || strings.ContainsAny(string(v), "+#") { // [MQTT-3.3.2-14]
				r.fail(reasonProtocolError, "a response topic that is no topic name")
			}
		}
	case propBinary:
		r.binary()
	case propPair:
		r.string()
		r.string()
	}
}

// findProperty returns the value of a property that stands at most once, out of
// properties that were checked. A string or binary data comes without its length.
func findProperty(all []byte, id byte) (value []byte, ok bool) {
	r := reader{rest: all}
	for len(r.rest) > 0 {
		found := r.byte() // identifiers are below 128
		from := r.rest
		r.property(found, nil)
		if found != id {
			continue
		}
		value = from[:len(from)-len(r.rest)]
		if kind := propertyKinds[id]; kind == propString || kind == propBinary {
			value = value[2:]
		}
		return value, true
	}
	return nil, false
}
