package wire

import "github.com/eclipse/paho.golang/packets"

// Disconnect is a validated DISCONNECT of a broker (3.14). It shares no memory with the
// packet.
type Disconnect struct {
	Reason          byte
	ReasonString    string
	ServerReference string // another server to use (4.13)
	User            []packets.User
}

// ParseDisconnect validates and parses a DISCONNECT.
func ParseDisconnect(body []byte) (*Disconnect, error) {
	r := Reader{Rest: body}
	reason, properties := r.reasonAndProperties(TypeDisconnect)
	if err := r.finish(TypeDisconnect); err != nil {
		return nil, err
	}
	props := UnpackProperties(properties, TypeDisconnect)
	return &Disconnect{Reason: reason, ReasonString: props.ReasonString,
		ServerReference: props.ServerReference, User: props.User}, nil
}

// EncodeDisconnect makes a whole DISCONNECT packet (3.14), as short as possible.
func EncodeDisconnect(reason byte, props *packets.Properties) []byte {
	packed := props.Pack(TypeDisconnect)
	switch {
	case len(packed) > 0:
		return frame(TypeDisconnect<<4, AppendProperties([]byte{reason}, packed))
	case reason != ReasonSuccess:
		return []byte{TypeDisconnect << 4, 1, reason}
	default:
		return []byte{TypeDisconnect << 4, 0}
	}
}
