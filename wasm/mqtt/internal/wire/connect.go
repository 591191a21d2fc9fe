package wire

import (
	"encoding/binary"

	"github.com/eclipse/paho.golang/packets"
)

// EncodeConnect makes a whole CONNECT packet (3.1). Of c.WillProperties it uses those
// that a will may have (3.1.3.2). ProtocolName and ProtocolVersion are always those of
// MQTT 5.
//
// paho encodes CONNECT too, but leaves out all properties of a will except the delay.
func EncodeConnect(c *packets.Connect) []byte {
	b := AppendString(nil, "MQTT")
	b = append(b, 5, c.PackFlags())
	b = binary.BigEndian.AppendUint16(b, c.KeepAlive)
	b = AppendProperties(b, c.Properties.Pack(TypeConnect))
	b = AppendString(b, c.ClientID)
	if c.WillFlag {
		b = AppendProperties(b, packWill(c.WillProperties))
		b = AppendString(b, c.WillTopic)
		b = AppendString(b, c.WillMessage)
	}
	if c.UsernameFlag {
		b = AppendString(b, c.Username)
	}
	if c.PasswordFlag {
		b = AppendString(b, c.Password)
	}
	return frame(TypeConnect<<4, b)
}

func packWill(p *packets.Properties) []byte {
	if p == nil {
		return nil
	}
	var b []byte
	if p.WillDelayInterval != nil {
		b = binary.BigEndian.AppendUint32([]byte{packets.PropWillDelayInterval}, *p.WillDelayInterval)
	}
	ofPublish := packets.Properties{
		PayloadFormat: p.PayloadFormat, MessageExpiry: p.MessageExpiry, ContentType: p.ContentType,
		ResponseTopic: p.ResponseTopic, CorrelationData: p.CorrelationData, User: p.User,
	}
	return append(b, ofPublish.Pack(TypePublish)...)
}

// Connack is a validated CONNACK (3.2). It shares no memory with the packet.
type Connack struct {
	SessionPresent bool
	Reason         byte               // 0: accepted; else why the broker refused
	Properties     packets.Properties // nil: the broker left it out
}

// ParseConnack validates and parses a CONNACK. The error is Final when the broker speaks
// MQTT 3.1.1.
func ParseConnack(body []byte) (*Connack, error) {
	if len(body) == 2 && body[0] <= 1 && body[1] <= 5 {
		// MQTT 3.1.1 ends here; MQTT 5 has the length of the properties next, also
		// where there are none (2.2.2.1). No DISCONNECT: that has no reason code in
		// MQTT 3.1.1.
		return nil, &Error{Code: Protocol, Final: true,
			Message: "the broker speaks MQTT 3.1.1 only; this client needs one that speaks MQTT 5"}
	}
	r := Reader{Rest: body}
	flags := r.Byte()
	if flags&^1 != 0 { // [MQTT-3.2.2-1]
		return nil, Violation(ReasonMalformed, "reserved acknowledge flags set in CONNACK")
	}
	c := &Connack{SessionPresent: flags == 1, Reason: r.reason(TypeConnack)}
	if r.Err == nil && c.SessionPresent && c.Reason != ReasonSuccess { // [MQTT-3.2.2-6]
		r.fail(ReasonProtocolError, "CONNACK with Session Present and a refusal")
	}
	properties := r.properties(TypeConnack, nil)
	if err := r.finish(TypeConnack); err != nil {
		return nil, err
	}
	c.Properties = UnpackProperties(properties, TypeConnack)
	return c, nil
}
