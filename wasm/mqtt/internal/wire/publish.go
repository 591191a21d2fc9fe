package wire

import "bytes"

// Publish is a validated PUBLISH packet (3.3). Its slices point into the bytes that it
// was read from.
type Publish struct {
	Flags      byte   // DUP, QoS and RETAIN as in the fixed header
	Topic      []byte // empty: given by Alias
	ID         uint16 // packet identifier; 0 at QoS 0
	Properties []byte // in wire form, without a topic alias
	Alias      uint16 // topic alias; 0: none
	Payload    []byte
	// Kept is a payload that is not in Go's memory; Payload is then empty. The packet's
	// handler takes it over. nil: Payload is the payload.
	Kept *Kept
	// Buffer is set by the reader for large packets: the whole buffer that the slices
	// point into, which ends with the payload. The packet's handler may keep it. nil:
	// the slices are valid only during the call.
	Buffer []byte
}

// A Keeper holds payloads outside of Go's memory, where they arrived, by handles.
type Keeper interface {
	// Fetch copies a payload to dst, which has its length.
	Fetch(handle int, dst []byte)
	// Drop forgets a payload.
	Drop(handle int)
}

// Kept is a payload that a Keeper holds, until it is fetched, dropped, or claimed by
// the receiver of the handle.
type Kept struct {
	Keeper Keeper
	Handle int
	Size   int // bytes
	Packet int // bytes of the whole packet, all of which the Keeper holds
}

// Drop releases a kept payload, if there is one.
func (k *Kept) Drop() {
	if k != nil {
		k.Keeper.Drop(k.Handle)
	}
}

// Fetch moves the payload into Go's memory.
func (k *Kept) Fetch() []byte {
	b := make([]byte, k.Size)
	k.Keeper.Fetch(k.Handle, b)
	k.Keeper.Drop(k.Handle)
	return b
}

// QoS returns the quality of service, 0 to 2.
func (p *Publish) QoS() byte { return p.Flags >> 1 & 3 }

// Duplicate returns the DUP flag (3.3.1.1).
func (p *Publish) Duplicate() bool { return p.Flags&8 != 0 }

// Retain returns the RETAIN flag (3.3.1.3).
func (p *Publish) Retain() bool { return p.Flags&1 != 0 }

// ParsePublish validates a PUBLISH and parses it into p, without copying, except for
// the properties if there is a topic alias. header is the packet's first byte. All
// fields of p are set; Buffer is nil. After an error p is not to be used.
func ParsePublish(header byte, body []byte, p *Publish) error {
	if plainPublish(header, body, p) {
		return nil
	}
	*p = Publish{Flags: header & 0x0F}
	if p.QoS() == 3 { // [MQTT-3.3.1-4]
		return Violation(ReasonMalformed, "PUBLISH with QoS 3")
	}
	r := Reader{Rest: body}
	p.Topic = r.String()
	if hasWildcard(p.Topic) { // [MQTT-3.3.2-2]
		return Violation(ReasonMalformed, "PUBLISH to a topic with a wildcard")
	}
	if p.QoS() > 0 {
		p.ID = r.packetID()
	}
	p.Properties = r.properties(TypePublish, &p.Alias)
	p.Payload = r.Rest
	if r.Err == nil && len(p.Topic) == 0 && p.Alias == 0 { // 3.3.2.1
		return Violation(ReasonProtocolError, "PUBLISH without a topic or a topic alias")
	}
	return r.Err
}

// PublishHead returns how many bytes of a PUBLISH are between its fixed header and its
// payload. body is what there is of them; ok is false if that is too little to tell.
func PublishHead(header byte, body []byte) (size int, ok bool) {
	r := Reader{Rest: body}
	r.Binary() // topic
	if header&6 != 0 {
		r.Uint16()
	}
	r.Take(r.Varint())
	return len(body) - len(r.Rest), r.Err == nil
}

// plainPublish is a fast path for most PUBLISH packets: those with a topic in ASCII and
// no properties. For all others it returns false and leaves p unchanged.
func plainPublish(header byte, body []byte, p *Publish) bool {
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
	*p = Publish{Flags: header & 0x0F, Topic: topic, ID: id, Payload: body[afterID+1:]}
	return true
}

func hasWildcard(topic []byte) bool {
	return bytes.IndexByte(topic, '+') >= 0 || bytes.IndexByte(topic, '#') >= 0
}

// EncodePublish makes a whole PUBLISH packet. flags are DUP, QoS and RETAIN as
// in the fixed header; properties are in wire form. The packet identifier is
// left 0; idAt is where its two bytes go, and at QoS 0, which has none, where the
// properties begin. What follows the fixed header must have at most
// [MaxRemaining] bytes.
func EncodePublish(flags byte, topic string, properties, payload []byte) (frame []byte, idAt int) {
	var id [2]byte
	size := 0
	if flags&6 != 0 {
		size = 2
	}
	frame = JoinPublish(TypePublish<<4|flags&0x0F, topic, id[:size], properties, payload)
	return frame, len(frame) - len(payload) - len(properties) - VarintSize(len(properties)) - size
}

// JoinPublish makes a whole PUBLISH packet from its parts. header is its first byte; id
// is the two bytes of the packet identifier, or none at QoS 0; properties are in wire
// form, and may have a topic alias.
func JoinPublish[T string | []byte](header byte, topic T, id, properties, payload []byte) []byte {
	length := 2 + len(topic) + len(id) + VarintSize(len(properties)) + len(properties) + len(payload)
	frame := make([]byte, 0, 1+VarintSize(length)+length)
	frame = AppendVarint(append(frame, header), length)
	frame = append(AppendString(frame, topic), id...)
	return append(AppendProperties(frame, properties), payload...)
}
