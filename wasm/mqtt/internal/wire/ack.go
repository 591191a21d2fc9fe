package wire

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
