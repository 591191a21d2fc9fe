package broker

import (
	"strings"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// What mochi 2.7.9 lets pass, or answers in another way than the specification asks.

// validateConnect looks at what mochi does not look at.
func validateConnect(pk packets.Packet) packets.Code {
	switch will := pk.Connect.WillTopic; {
	case pk.Properties.AuthenticationMethod != "": // 4.12: there is none
		return packets.ErrBadAuthenticationMethod
	case len(pk.Connect.ClientIdentifier) > maxName:
		return packets.ErrClientIdentifierNotValid
	case pk.Connect.WillFlag && (strings.ContainsAny(will, "+#") || strings.HasPrefix(will, "$") || tooLarge(will)): // [MQTT-3.3.2-2]
		return packets.ErrTopicNameInvalid
	}
	return packets.CodeSuccess
}

// tooLarge says that a topic or a filter has so many levels that finding it takes the
// index long, or more bytes than the store takes.
func tooLarge(topic string) bool {
	return len(topic) > maxName || strings.Count(topic, "/") >= maxLevels
}

// validFilter reports whether wildcards stand alone in their levels, [MQTT-4.7.1-1]
// and [MQTT-4.7.1-2], and whether a shared subscription has a name and a filter
// [MQTT-4.8.2-1] that is not of the broker's own topics, which go to nobody in turns.
func validFilter(filter string) bool {
	if rest, ok := strings.CutPrefix(filter, "$share/"); ok {
		name, inner, ok := strings.Cut(rest, "/")
		if !ok || name == "" || inner == "" || strings.HasPrefix(inner, "$") {
			return false
		}
		filter = inner
	}
	for level := range strings.SplitSeq(filter, "/") {
		if len(level) > 1 && strings.ContainsAny(level, "+#") {
			return false
		}
	}
	return !tooLarge(filter)
}

// OnSubscribe makes filters that are refused such that mochi refuses them, with 0x8F.
func (*policy) OnSubscribe(_ *mqtt.Client, pk packets.Packet) packets.Packet {
	for i, sub := range pk.Filters {
		if !validFilter(sub.Filter) {
			pk.Filters[i].Filter = ""
		}
	}
	return pk
}

// read mends a packet before mochi handles it, and answers one that mochi passes over.
func (p *policy) read(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	switch pk.FixedHeader.Type {
	case packets.Disconnect: // no longer than at CONNECT (3.14.2.2.2)
		const most = uint32(maxSessionExpiry / time.Second)
		pk.Properties.SessionExpiryInterval = min(pk.Properties.SessionExpiryInterval, most)
	case packets.Publish:
		if strings.HasPrefix(strings.ToUpper(pk.TopicName), mqtt.SysPrefix) {
			p.refuse(cl, pk, packets.ErrNotAuthorized)
		}
	}
	return pk
}

// publishable answers a message that is not to be published. Its alias was resolved.
func (p *policy) publishable(cl *mqtt.Client, pk packets.Packet) bool {
	switch topic := pk.TopicName; {
	case topic == "": // 3.3.4
		p.disconnect(cl, packets.ErrTopicAliasInvalid)
	case tooLarge(topic):
		p.refuse(cl, pk, packets.ErrTopicNameInvalid)
	default:
		return true
	}
	return false
}

// disconnect ends a connection with a reason, without holding up whoever found it.
func (p *policy) disconnect(cl *mqtt.Client, code packets.Code) {
	p.server.Listeners.ClientsWg.Go(func() { _ = p.server.DisconnectClient(cl, code) })
}

// refuse answers a PUBLISH, as mochi would not: it has PUBACK for QoS 2, against
// [MQTT-4.3.3-8], and lets QoS 0 through. MQTT 3.1.1 has no refusal but the end.
func (p *policy) refuse(cl *mqtt.Client, pk packets.Packet, code packets.Code) {
	qos := pk.FixedHeader.Qos
	switch {
	case qos == 0:
	case cl.Properties.ProtocolVersion < 5:
		p.disconnect(cl, code)
	default:
		_ = cl.WritePacket(packets.Packet{
			FixedHeader: packets.FixedHeader{Type: [...]byte{1: packets.Puback, 2: packets.Pubrec}[qos]},
			PacketID:    pk.PacketID,
			ReasonCode:  code.Code,
		})
	}
}
