package mqtt

import (
	"bytes"
	"cmp"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/inbox"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// UserProperty is a name and a value whose meaning is up to applications (1.5.7): Key
// and Value, both strings.
type UserProperty = packets.User

// UserProperties are user properties in their order. A name may occur more than once.
type UserProperties []UserProperty

// Message is an application message, to publish or received.
type Message struct {
	Topic   string
	Payload []byte
	QoS     byte
	Retain  bool

	Properties Properties

	// Duplicate and ReceivedAt are set on received messages only.
	Duplicate  bool
	ReceivedAt time.Time
}

// Properties are the properties of a PUBLISH packet (3.3.2.3).
type Properties struct {
	PayloadFormat   *byte          // 1: the payload is UTF-8 text
	MessageExpiry   *time.Duration // whole seconds; nil: the message does not expire
	TopicAlias      *uint16        // to publish only
	ResponseTopic   string
	CorrelationData []byte
	ContentType     string
	User            UserProperties
	// SubscriptionIdentifiers are those of the subscriptions that a received message
	// matched.
	SubscriptionIdentifiers []uint32
}

// PublishResult is the broker's acknowledgement of a message.
type PublishResult struct {
	// ReasonCode is 0, or 0x10 when nobody subscribes to the topic. It is 0 for
	// QoS 0, which is not acknowledged.
	ReasonCode     byte
	ReasonString   string
	UserProperties UserProperties
}

// validate checks a message to publish. prefix is put before the names of its fields.
func (m *Message) validate(prefix string) error {
	p, of := &m.Properties, prefix+"properties."
	switch {
	case m.QoS > 2:
		return wire.Invalid(prefix+"qos", "is %d, not 0, 1 or 2", m.QoS)
	case p.PayloadFormat != nil && *p.PayloadFormat > 1:
		return wire.Invalid(of+"payloadFormatIndicator", "is %d, not 0 or 1", *p.PayloadFormat)
	case p.TopicAlias != nil && *p.TopicAlias == 0:
		return wire.Invalid(of+"topicAlias", "is 0; aliases start at 1 [MQTT-3.3.2-8]")
	case len(p.CorrelationData) > wire.MaxString:
		return wire.Invalid(of+"correlationData", "has %d bytes; at most 65,535 fit into a packet", len(p.CorrelationData))
	}
	var err error
	if p.MessageExpiry != nil {
		_, err = seconds(of+"messageExpiryInterval", *p.MessageExpiry)
	}
	if err == nil && p.ResponseTopic != "" {
		err = wire.CheckTopicName(of+"responseTopic", p.ResponseTopic)
	}
	return cmp.Or(wire.CheckTopicName(prefix+"topic", m.Topic), err,
		wire.CheckText(of+"contentType", p.ContentType), p.User.validate(of+"userProperties"))
}

func (u UserProperties) validate(field string) error {
	for _, p := range u {
		if err := cmp.Or(wire.CheckText(field, p.Key), wire.CheckText(field, p.Value)); err != nil {
			return err
		}
	}
	return nil
}

// encode makes the PUBLISH packet, and returns where its packet identifier goes.
func (m *Message) encode() (frame []byte, idAt int) {
	flags := m.QoS << 1
	if m.Retain {
		flags |= 1
	}
	var packed []byte
	if p := m.Properties.packet(); p != nil {
		packed = p.Pack(wire.TypePublish)
	}
	return wire.EncodePublish(flags, m.Topic, packed, m.Payload)
}

// packet returns the properties that a sender may set, in the form of paho's codec;
// nil: there are none.
func (p *Properties) packet() *packets.Properties {
	if p.PayloadFormat == nil && p.MessageExpiry == nil && p.TopicAlias == nil && p.ResponseTopic == "" &&
		p.CorrelationData == nil && p.ContentType == "" && p.User == nil {
		return nil
	}
	props := &packets.Properties{
		PayloadFormat: p.PayloadFormat, TopicAlias: p.TopicAlias, ResponseTopic: p.ResponseTopic,
		CorrelationData: p.CorrelationData, ContentType: p.ContentType, User: p.User,
	}
	if p.MessageExpiry != nil {
		expiry, _ := seconds("", *p.MessageExpiry)
		props.MessageExpiry = &expiry
	}
	return props
}

// newMessage decodes a received message. Its slices point into the record.
func newMessage(r *inbox.Record) Message {
	m := Message{
		Topic: string(r.Topic), Payload: r.Payload,
		Duplicate: r.Flags&8 != 0, QoS: r.Flags >> 1 & 3, Retain: r.Flags&1 != 0,
		ReceivedAt: time.UnixMicro(int64(r.At * 1000)),
	}
	m.Properties, _ = DecodeProperties(r.Properties)
	return m
}

// DecodeProperties decodes the properties of a PUBLISH from their wire form (2.2.2),
// without their length; ok is false if it is malformed. Slices point into b. It is for
// this module's JavaScript side, as [Batch.Encoded] is.
func DecodeProperties(b []byte) (p Properties, ok bool) {
	r := wire.Reader{Rest: b}
	for len(r.Rest) > 0 {
		switch r.Byte() {
		case packets.PropPayloadFormat:
			p.PayloadFormat = new(r.Byte())
		case packets.PropMessageExpiry:
			p.MessageExpiry = new(time.Duration(r.Uint32()) * time.Second)
		case packets.PropContentType:
			p.ContentType = string(r.Binary())
		case packets.PropResponseTopic:
			p.ResponseTopic = string(r.Binary())
		case packets.PropCorrelationData:
			p.CorrelationData = bytes.Clone(r.Binary())
		case packets.PropSubscriptionIdentifier:
			p.SubscriptionIdentifiers = append(p.SubscriptionIdentifiers, uint32(r.Varint()))
		case packets.PropTopicAlias:
			p.TopicAlias = new(r.Uint16())
		case packets.PropUser:
			key := string(r.Binary())
			p.User = append(p.User, UserProperty{Key: key, Value: string(r.Binary())})
		default:
			return p, false
		}
	}
	return p, r.Err == nil
}

// NeverExpires is the Session Expiry Interval of a session that does not expire
// (3.1.2.11.2).
const NeverExpires = 0xFFFFFFFF * time.Second

// seconds rounds a duration up to whole seconds, as packets need it. Less than one is
// refused: probably the unit was forgotten.
func seconds(field string, d time.Duration) (uint32, error) {
	if d < 0 || d > NeverExpires || d > 0 && d < time.Second {
		return 0, wire.Invalid(field, "is %v, not 0 to 4,294,967,295 s", d)
	}
	return uint32((d + time.Second - 1) / time.Second), nil
}
