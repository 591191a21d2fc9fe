package mqtt

import (
	"bytes"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
)

// The packet forms are paho's.
type (
	UserProperty   = paho.UserProperty
	UserProperties = paho.UserProperties
)

// Message is an application message, to publish or received.
type Message struct {
	Topic   string
	Payload []byte
	QoS     byte
	Retain  bool

	Properties Properties

	// Duplicate and ReceivedAt are of received messages only.
	Duplicate  bool
	ReceivedAt time.Time
}

// Properties are the properties of a PUBLISH packet (MQTT 5, 3.3.2.3).
type Properties struct {
	PayloadFormat   *byte   // 1: the payload is UTF-8 text
	MessageExpiry   *uint32 // seconds
	TopicAlias      *uint16 // to publish only
	ResponseTopic   string
	CorrelationData []byte
	ContentType     string
	User            UserProperties
	// SubscriptionIdentifiers are of the subscriptions that a received message
	// matched.
	SubscriptionIdentifiers []uint32
}

// PublishResult is the broker's answer to a publish.
type PublishResult struct {
	// ReasonCode is 0, or 0x10 when nobody subscribes to the topic. It is 0 for
	// QoS 0, which has no answer.
	ReasonCode     byte
	ReasonString   string
	UserProperties UserProperties
}

// encodePublish makes the whole PUBLISH packet, and tells where its packet
// identifier goes.
func encodePublish(m *Message) (frame []byte, idAt int) {
	packed := m.Properties.pack()
	length := 2 + len(m.Topic) + varintSize(len(packed)) + len(packed) + len(m.Payload)
	if m.QoS > 0 {
		length += 2
	}
	frame = make([]byte, 0, 1+varintSize(length)+length)
	header := byte(publish<<4) | m.QoS<<1
	if m.Retain {
		header |= 1
	}
	frame = appendVarint(append(frame, header), length)
	frame = appendString(frame, []byte(m.Topic))
	idAt = len(frame)
	if m.QoS > 0 {
		frame = append(frame, 0, 0)
	}
	frame = appendProperties(frame, packed)
	return append(frame, m.Payload...), idAt
}

// pack encodes the properties that a sender may set.
func (p *Properties) pack() []byte {
	props := packets.Properties{
		PayloadFormat: p.PayloadFormat, MessageExpiry: p.MessageExpiry, TopicAlias: p.TopicAlias,
		ResponseTopic: p.ResponseTopic, CorrelationData: p.CorrelationData, ContentType: p.ContentType,
		User: p.User.ToPacketProperties(),
	}
	return props.Pack(publish)
}

// decodeProperties decodes what the guard has checked. paho keeps only one
// subscription identifier; all are read here.
func decodeProperties(b []byte) (p Properties) {
	if len(b) == 0 {
		return p
	}
	for r := (reader{rest: b}); len(r.rest) > 0; {
		id := r.byte()
		if id == propSubscriptionIdentifier {
			p.SubscriptionIdentifiers = append(p.SubscriptionIdentifiers, uint32(r.varint()))
			continue
		}
		r.property(id, nil)
	}
	props := unpackProperties(b, publish)
	p.PayloadFormat, p.MessageExpiry = props.PayloadFormat, props.MessageExpiry
	p.ResponseTopic, p.CorrelationData, p.ContentType = props.ResponseTopic, props.CorrelationData, props.ContentType
	p.User = userProperties(props.User)
	return p
}

// unpackProperties decodes properties of a packet that the guard has checked.
func unpackProperties(b []byte, kind byte) (props packets.Properties) {
	_ = props.Unpack(bytes.NewBuffer(append(appendVarint(nil, len(b)), b...)), kind)
	return props
}

func userProperties(user []packets.User) UserProperties {
	if len(user) == 0 {
		return nil
	}
	return paho.UserPropertiesFromPacketUser(user)
}
