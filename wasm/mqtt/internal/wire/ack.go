package wire

import (
	"bytes"

	"github.com/eclipse/paho.golang/packets"
)

// Ack is a validated PUBACK, PUBREC, PUBREL or PUBCOMP (3.4 to 3.7). Its slice points
// into the bytes that it was read from.
type Ack struct {
	Kind       byte   // packet type
	ID         uint16 // packet identifier
	Reason     byte
	Properties []byte // in wire form; see [UnpackProperties]
}

// ParseAck validates and parses an ack of this type, without copying.
func ParseAck(kind byte, body []byte) (Ack, error) {
	r := Reader{Rest: body}
	a := Ack{Kind: kind, ID: r.packetID()}
	a.Reason, a.Properties = r.reasonAndProperties(kind)
	return a, r.finish(kind)
}

// AppendAck appends a whole PUBACK, PUBREC, PUBREL or PUBCOMP packet without
// properties. The reason code 0 is left out (3.4.2.1).
func AppendAck(b []byte, kind byte, id uint16, reason byte) []byte {
	header := kind << 4
	if kind == TypePubrel {
		header |= 2 // [MQTT-3.6.1-1]
	}
	if reason == ReasonSuccess {
		return append(b, header, 2, byte(id>>8), byte(id))
	}
	return append(b, header, 3, byte(id>>8), byte(id), reason)
}

// Suback is a validated SUBACK or UNSUBACK (3.9, 3.11). It shares no memory with the
// packet.
type Suback struct {
	Kind byte   // packet type
	ID   uint16 // packet identifier
	// Reasons are the reason codes, one for each topic filter, in their order. Their
	// number and values are not validated (see [ValidReason]): a wrong one concerns one
	// call, not the connection.
	Reasons      []byte
	ReasonString string
	User         []packets.User
}

// ParseSuback validates and parses a SUBACK or UNSUBACK.
func ParseSuback(kind byte, body []byte) (*Suback, error) {
	r := Reader{Rest: body}
	s := &Suback{Kind: kind, ID: r.packetID()}
	properties := r.properties(kind, nil)
	if err := r.Err; err != nil {
		return nil, err
	}
	s.Reasons = bytes.Clone(r.Rest)
	props := UnpackProperties(properties, kind)
	s.ReasonString, s.User = props.ReasonString, props.User
	return s, nil
}

// EncodeSubscribe makes a whole SUBSCRIBE packet (3.8), and sets its packet identifier.
// p.Properties may be nil.
func EncodeSubscribe(p *packets.Subscribe, id uint16) []byte {
	p.PacketID = id
	return frame(TypeSubscribe<<4|2, bytes.Join(p.Buffers(), nil)) // [MQTT-3.8.1-1]
}

// EncodeUnsubscribe makes a whole UNSUBSCRIBE packet (3.10), as EncodeSubscribe does.
func EncodeUnsubscribe(p *packets.Unsubscribe, id uint16) []byte {
	p.PacketID = id
	return frame(TypeUnsubscribe<<4|2, bytes.Join(p.Buffers(), nil)) // [MQTT-3.10.1-1]
}
