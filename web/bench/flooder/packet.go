package main

import "encoding/binary"

// Control Packet types, in the high four bits of the first byte (MQTT 5, 2.1.2).
const (
	connect    = 1
	connack    = 2
	publish    = 3
	puback     = 4
	pubrec     = 5
	pubrel     = 6
	pubcomp    = 7
	subscribe  = 8
	suback     = 9
	unsubscr   = 10
	unsuback   = 11
	pingreq    = 12
	pingresp   = 13
	disconnect = 14
)

// A packet is what follows the fixed header, and the first byte.
type packet struct {
	first byte
	body  []byte
}

func (p packet) kind() byte { return p.first >> 4 }
func (p packet) qos() byte  { return p.first >> 1 & 3 }

// cut takes the first packet off b; ok is false when it isn't complete.
func cut(b []byte) (p packet, rest []byte, ok bool) {
	length := 0
	for i := 1; i < len(b) && i < 5; i++ {
		length |= int(b[i]&0x7f) << (7 * (i - 1))
		if b[i] >= 0x80 {
			continue
		}
		end := i + 1 + length
		if end > len(b) {
			return packet{}, b, false
		}
		return packet{b[0], b[i+1 : end]}, b[end:], true
	}
	return packet{}, b, false
}

func appendPacket(b []byte, first byte, parts ...[]byte) []byte {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	b = binary.AppendUvarint(append(b, first), uint64(size)) // Go's varint is MQTT's (1.5.5)
	for _, part := range parts {
		b = append(b, part...)
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(text))), text...)
}

// appendPublish appends a PUBLISH packet. id is 0 for QoS 0. Version 5 has an
// empty property list that version 4 has not.
func appendPublish(b []byte, version byte, topic string, qos byte, id uint16, payload []byte) []byte {
	head := appendText(nil, topic)
	if qos > 0 {
		head = binary.BigEndian.AppendUint16(head, id)
	}
	if version == 5 {
		head = append(head, 0)
	}
	return appendPacket(b, publish<<4|qos<<1, head, payload)
}

// connectInfo reads protocol version and Receive Maximum from a CONNECT packet.
func connectInfo(body []byte) (version byte, receiveMaximum int) {
	receiveMaximum = 65535
	r := reader{body}
	r.skip(int(r.u16())) // "MQTT"
	version = r.u8()
	r.skip(3) // flags, Keep Alive
	if version != 5 {
		return version, receiveMaximum
	}
	properties := reader{r.skip(r.varint())}
	for len(properties.rest) > 0 {
		switch properties.u8() {
		case 0x21:
			receiveMaximum = int(properties.u16())
		case 0x11, 0x27: // Session Expiry Interval, Maximum Packet Size
			properties.skip(4)
		case 0x22: // Topic Alias Maximum
			properties.skip(2)
		case 0x17, 0x19: // Request Problem and Response Information
			properties.skip(1)
		case 0x26: // User Property
			properties.skip(int(properties.u16()))
			properties.skip(int(properties.u16()))
		case 0x15, 0x16: // Authentication Method and Data
			properties.skip(int(properties.u16()))
		}
	}
	return version, receiveMaximum
}

// grants answers the filters of a SUBSCRIBE with the QoS that they ask for.
func grants(body []byte, version byte) []byte {
	r := reader{body}
	r.skip(2)
	if version == 5 {
		r.skip(r.varint())
	}
	var codes []byte
	for len(r.rest) > 0 {
		r.skip(int(r.u16()))
		codes = append(codes, r.u8()&3)
	}
	return codes
}

// A reader reads zeros where there is nothing left: the clients here are not
// what is tested.
type reader struct{ rest []byte }

func (r *reader) skip(n int) []byte {
	n = min(n, len(r.rest))
	skipped := r.rest[:n]
	r.rest = r.rest[n:]
	return skipped
}

func (r *reader) u8() byte {
	if b := r.skip(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 { return uint16(r.u8())<<8 | uint16(r.u8()) }

func (r *reader) varint() int {
	value, n := binary.Uvarint(r.rest)
	r.skip(max(n, 0))
	return int(value)
}
