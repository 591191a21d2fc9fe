package mqtt

import (
	"fmt"

	"github.com/eclipse/paho.golang/packets"
)

// limits are what the broker stated in CONNACK about PUBLISH packets.
type limits struct {
	qos    byte
	retain bool
	packet uint32 // bytes; 0: none stated
	alias  uint16
}

// newLimits fills in the specification's defaults.
func newLimits(p *packets.Properties) limits {
	l := limits{qos: 2, retain: true}
	override(&l.qos, p.MaximumQOS)
	override(&l.packet, p.MaximumPacketSize)
	override(&l.alias, p.TopicAliasMaximum)
	if p.RetainAvailable != nil {
		l.retain = *p.RetainAvailable != 0
	}
	return l
}

// admits checks a message before it breaks the connection.
func (l *limits) admits(o *outgoing) error {
	switch {
	case o.qos() > l.qos: // [MQTT-3.2.2-11]
		return unsupported("qos", reasonQoSNotSupported, fmt.Sprintf("the broker's Maximum QoS is %d", l.qos))
	case o.frame[0]&1 != 0 && !l.retain: // [MQTT-3.2.2-14]
		return unsupported("retain", reasonRetainNotSupported, "the broker does not keep retained messages")
	case o.alias > l.alias: // [MQTT-3.3.2-9]
		return badOption("properties.topicAlias", "is %d; the broker's Topic Alias Maximum is %d", o.alias, l.alias)
	case l.packet > 0 && len(o.frame) > int(l.packet): // [MQTT-3.2.2-15]
		e := newError(PacketTooLarge, "payload: the packet would have %d bytes; the broker's Maximum Packet Size is %d",
			len(o.frame), l.packet)
		e.Field, e.ReasonCode = "payload", reasonPacketTooLarge
		return e
	}
	return nil
}
