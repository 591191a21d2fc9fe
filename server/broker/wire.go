package broker

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"unicode/utf8"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// The encoding of clients' packets. mochi decodes leniently, and passes on what other
// clients may fail on; so each packet is checked first.

// ReadPacket reads a packet into an empty buffer, which grows with what arrives, not with
// what is announced. At most that many bytes may follow the fixed header.
func ReadPacket(in *bufio.Reader, packet *bytes.Buffer, most int) error {
	first, err := in.ReadByte()
	packet.WriteByte(first)
	length := 0
	for shift := 0; err == nil; shift += 7 { // 2.1.4
		var b byte
		b, err = in.ReadByte()
		packet.WriteByte(b)
		length |= int(b&0x7f) << shift
		switch {
		case err != nil:
		case b >= 0x80 && shift == 21:
			return packets.ErrMalformedVariableByteInteger
		case length > most:
			return packets.ErrPacketTooLarge
		case b < 0x80:
			_, err = io.CopyN(packet, in, int64(length))
			return err
		}
	}
	return err
}

// contents reads the fields of a packet (1.5).
type contents struct {
	rest  []byte
	bad   bool // the packet is cut off, or a field is malformed
	wrong bool // a value is a protocol error
}

func (c *contents) take(n int) []byte {
	if n > len(c.rest) {
		c.rest, c.bad = nil, true
		return nil
	}
	field := c.rest[:n]
	c.rest = c.rest[n:]
	return field
}

func (c *contents) number(bytes int) (n int) {
	for _, b := range c.take(bytes) {
		n = n<<8 | int(b)
	}
	return n
}

func (c *contents) varint() int {
	v, n := binary.Uvarint(c.rest)
	if n <= 0 || n > 4 || n > 1 && c.rest[n-1] == 0 { // [MQTT-1.5.5-1]
		n = len(c.rest) + 1
	}
	c.take(n)
	return int(v)
}

func (c *contents) data() []byte { return c.take(c.number(2)) }

func (c *contents) text() []byte {
	s := c.data()
	c.bad = c.bad || !utf8.Valid(s) || bytes.IndexByte(s, 0) >= 0 // [MQTT-1.5.4-1] [MQTT-1.5.4-2]
	return s
}

// properties reads properties (2.2.2). mochi checks whether they are allowed in the packet.
func (c *contents) properties() {
	in := contents{rest: c.take(c.varint())}
	var seen uint64
	has := func(id byte) bool { return seen&(1<<id) != 0 }
	for len(in.rest) > 0 {
		id := byte(in.number(1))
		wrong := has(id)
		switch id {
		case packets.PropPayloadFormat, packets.PropRequestProblemInfo, packets.PropRequestResponseInfo:
			wrong = in.number(1) > 1 || wrong // 3.1.2.11.6, 3.1.2.11.7
		case packets.PropReceiveMaximum: // 3.1.2.11.3
			wrong = in.number(2) == 0 || wrong
		case packets.PropMaximumPacketSize: // 3.1.2.11.4
			wrong = in.number(4) == 0 || wrong
		case packets.PropSubscriptionIdentifier: // 3.8.2.1.2
			wrong = in.varint() == 0 || wrong
		case packets.PropResponseTopic: // [MQTT-3.3.2-14] [MQTT-4.7.3-1]
			topic := in.text()
			wrong = wrong || len(topic) == 0 || bytes.ContainsAny(topic, "+#")
		case packets.PropTopicAlias, packets.PropTopicAliasMaximum:
			in.number(2)
		case packets.PropMessageExpiryInterval, packets.PropSessionExpiryInterval, packets.PropWillDelayInterval:
			in.number(4)
		case packets.PropContentType, packets.PropAuthenticationMethod, packets.PropReasonString:
			in.text()
		case packets.PropCorrelationData, packets.PropAuthenticationData:
			in.data()
		case packets.PropUser: // the only one that may be repeated
			in.text()
			in.text()
			continue
		default:
			in.bad = true
		}
		c.wrong = c.wrong || wrong
		seen |= 1 << id
	}
	c.bad = c.bad || in.bad
	c.wrong = c.wrong || has(packets.PropAuthenticationData) && !has(packets.PropAuthenticationMethod) // 3.1.2.11.10
}

// check returns what is wrong with a packet. The first one sets the protocol version.
func (c *conn) check(packet []byte) error {
	_, n := binary.Uvarint(packet[1:])
	in, kind := &contents{rest: packet[1+n:]}, packet[0]>>4
	properties := func() {
		if c.version == 5 {
			in.properties()
		}
	}
	switch kind {
	case packets.Reserved:
		in.bad = true
	case packets.Connect:
		name, version, flags := in.text(), in.number(1), in.number(1)
		if c.session != nil { // [MQTT-3.1.0-2]
			return packets.ErrProtocolViolationSecondConnect
		}
		if string(name) != "MQTT" || version != 4 && version != 5 {
			return nil // mochi refuses it
		}
		c.version, c.asks = version, version == 5
		in.number(2)
		properties()
		in.text()
		will := flags&0x04 != 0
		if will {
			properties()
			in.text()
			in.data()
		}
		if flags&0x80 != 0 && len(in.rest) > 0 { // mochi has an error for a missing one
			in.text()
		}
		if flags&0x40 != 0 {
			in.data()
		}
		// [MQTT-3.1.2-3] [MQTT-3.1.2-11] to [MQTT-3.1.2-13], and 3.1.1's [MQTT-3.1.2-22]
		in.bad = in.bad || flags&1 != 0 || !will && flags&0x38 != 0 || flags&0x18 == 0x18 || version == 4 && flags&0xc0 == 0x40
	case packets.Publish:
		in.text()
		if qos := packet[0] >> 1 & 3; qos > 0 {
			in.number(2)
			in.bad = in.bad || qos > 2 // [MQTT-3.3.1-4]
		}
		properties()
		in.rest = nil // the payload
	case packets.Puback, packets.Pubrec, packets.Pubrel, packets.Pubcomp, packets.Disconnect:
		if kind != packets.Disconnect {
			in.wrong = in.number(2) == 0 // 2.2.1
		}
		if c.version == 5 && len(in.rest) > 0 {
			in.number(1)
		}
		if len(in.rest) > 0 {
			properties()
		}
	case packets.Subscribe, packets.Unsubscribe:
		in.number(2)
		properties()
		for len(in.rest) > 0 {
			filter := in.text()
			if kind == packets.Unsubscribe {
				continue
			}
			options := in.number(1)
			in.bad = in.bad || options >= 0x40 || c.version < 5 && options > 2                              // [MQTT-3.8.3-5]
			in.wrong = in.wrong || options>>4 == 3 || options&4 != 0 && mqtt.IsSharedFilter(string(filter)) // 3.8.3.1, [MQTT-3.8.3-4]
		}
	case packets.Pingreq:
	default: // only a server sends it, or it is AUTH [MQTT-4.12.0-6]
		return packets.ErrProtocolViolation
	}
	switch {
	case in.bad || len(in.rest) > 0:
		return packets.ErrMalformedPacket
	case in.wrong:
		return packets.ErrProtocolViolation
	}
	return nil
}
