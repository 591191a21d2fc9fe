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
