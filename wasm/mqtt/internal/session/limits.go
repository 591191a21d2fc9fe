package session

import (
	"fmt"
	"strings"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// Limits are what the broker announced in CONNACK.
type Limits struct {
	QoS       byte
	Retain    bool
	Packet    int // bytes
	Alias     int // topic aliases
	Wildcards bool
	Shared    bool
	IDs       bool // subscription identifiers
}

// maxPacket is the size of the largest possible packet (2.1.4).
const maxPacket = 5 + 268_435_455

// newLimits fills in the specification's defaults (3.2.2.3).
func newLimits(p *packets.Properties) Limits {
	return Limits{
		QoS: wire.ValueOr(p.MaximumQOS, 2), Retain: wire.ValueOr(p.RetainAvailable, 1) != 0,
		Packet: int(wire.ValueOr(p.MaximumPacketSize, maxPacket)), Alias: int(wire.ValueOr(p.TopicAliasMaximum, 0)),
		Wildcards: wire.ValueOr(p.WildcardSubAvailable, 1) != 0, Shared: wire.ValueOr(p.SharedSubAvailable, 1) != 0,
		IDs: wire.ValueOr(p.SubIDAvailable, 1) != 0,
	}
}

// publish validates a message that would make the broker end the connection.
func (l *Limits) publish(m *Message) error {
	switch {
	case m.qos() > l.QoS: // [MQTT-3.2.2-11]
		return wire.UnsupportedError("qos", fmt.Sprintf("the broker's Maximum QoS is %d", l.QoS))
	case m.frame[0]&1 != 0 && !l.Retain: // [MQTT-3.2.2-14]
		return wire.UnsupportedError("retain", "the broker does not keep retained messages")
	case int(m.alias) > l.Alias: // [MQTT-3.3.2-9]
		return wire.Invalid("properties.topicAlias", "is %d; the broker's Topic Alias Maximum is %d", m.alias, l.Alias)
	}
	return l.size("payload", m.frame)
}

// size validates a packet against the broker's Maximum Packet Size
// [MQTT-3.2.2-15].
func (l *Limits) size(field string, frame []byte) error {
	if len(frame) <= l.Packet {
		return nil
	}
	e := wire.NewError(wire.PacketTooLarge, "%s: the packet would have %d bytes; the broker's Maximum Packet Size is %d",
		field, len(frame), l.Packet)
	e.Field = field
	return e
}

// subscribe validates what a SUBSCRIBE asks for.
func (l *Limits) subscribe(c *Call) error {
	for i := range c.Subscriptions {
		filter := c.Subscriptions[i].Topic
		switch {
		case strings.HasPrefix(filter, "$share/") && !l.Shared:
			return wire.UnsupportedError("filter", "the broker does not offer shared subscriptions")
		case strings.ContainsAny(filter, "+#") && !l.Wildcards:
			return wire.UnsupportedError("filter", "the broker does not offer wildcard subscriptions")
		}
	}
	if l.identifier(c.Identifier) > 0 && !l.IDs {
		return wire.UnsupportedError("properties.subscriptionIdentifier", "the broker does not offer subscription identifiers")
	}
	return nil
}

// OptionalIdentifier is the identifier from which on they are left out if the broker
// accepts none.
const OptionalIdentifier = 1 << 27

// identifier returns the identifier to send; 0: none.
func (l *Limits) identifier(id int) int {
	if !l.IDs && id >= OptionalIdentifier {
		return 0
	}
	return id
}

// CheckSize validates a packet that is not the session's against the broker's
// Maximum Packet Size. The error names field.
func (s *Session) CheckSize(field string, packet []byte) error { return s.limits.size(field, packet) }
