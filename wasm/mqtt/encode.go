package mqtt

import (
	"encoding/binary"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
)

// encodeConnect makes the CONNECT packet (3.1). paho encodes it too, but leaves
// out every property of the will except its delay, so the link sends this one
// in its place.
func encodeConnect(cp *paho.Connect, will *Will) []byte {
	p := cp.Packet()
	p.WillFlag = will != nil
	if will != nil {
		p.WillQOS, p.WillRetain = will.QoS, will.Retain
	}
	b := appendString(nil, []byte("MQTT"))
	b = append(b, 5, p.PackFlags())
	b = binary.BigEndian.AppendUint16(b, p.KeepAlive)
	b = appendProperties(b, p.Properties.Pack(packets.CONNECT))
	b = appendString(b, []byte(p.ClientID))
	if will != nil {
		var props []byte
		if will.Delay != nil {
			props = binary.BigEndian.AppendUint32([]byte{propWillDelay}, *will.Delay)
		}
		b = appendProperties(b, append(props, will.Properties.pack()...))
		b = appendString(b, []byte(will.Topic))
		b = appendString(b, will.Payload)
	}
	if p.UsernameFlag {
		b = appendString(b, []byte(p.Username))
	}
	if p.PasswordFlag {
		b = appendString(b, p.Password)
	}
	return append(appendVarint([]byte{packets.CONNECT << 4}, len(b)), b...)
}

// encodeAuth makes an AUTH packet (3.15); without data when that is nil.
func encodeAuth(reason byte, method string, data []byte) []byte {
	props := appendString([]byte{propAuthMethod}, []byte(method))
	if data != nil {
		props = appendString(append(props, propAuthData), data)
	}
	body := appendProperties([]byte{reason}, props)
	return append(appendVarint([]byte{auth << 4}, len(body)), body...)
}

// appendString appends a UTF-8 string or binary data (1.5.4, 1.5.6).
func appendString(b, s []byte) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

func appendProperties(b, packed []byte) []byte {
	return append(appendVarint(b, len(packed)), packed...)
}
