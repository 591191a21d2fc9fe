package broker

import (
	"bytes"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// policy enforces the limits that mochi's capabilities cannot, announces the
// rest, and lets everybody who reaches the broker use it.
type policy struct {
	mqtt.HookBase
	server *mqtt.Server
}

func (*policy) ID() string { return "policy" }

func (*policy) Provides(b byte) bool {
	return bytes.IndexByte([]byte{
		mqtt.OnConnectAuthenticate, mqtt.OnACLCheck,
		mqtt.OnConnect, mqtt.OnPacketEncode, mqtt.OnPublish, mqtt.OnClientExpired,
	}, b) >= 0
}

func (*policy) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }
func (*policy) OnACLCheck(*mqtt.Client, string, bool) bool              { return true }

func (p *policy) OnConnect(cl *mqtt.Client, _ packets.Packet) error {
	const most = uint16(maxKeepAlive / time.Second)
	if v5 := cl.Properties.ProtocolVersion == 5; v5 && (cl.State.Keepalive == 0 || cl.State.Keepalive > most) {
		cl.State.Keepalive, cl.State.ServerKeepalive = most, true // [MQTT-3.1.2-21]
	}
	if _, known := p.server.Clients.Get(cl.ID); !known && p.server.Clients.Len() >= maxSessions {
		_ = p.server.SendConnack(cl, packets.ErrQuotaExceeded, false, nil)
		return packets.ErrQuotaExceeded
	}
	return nil
}

// OnPacketEncode adds to CONNACK what mochi enforces without telling.
func (*policy) OnPacketEncode(_ *mqtt.Client, pk packets.Packet) packets.Packet {
	if pk.FixedHeader.Type == packets.Connack && pk.ReasonCode == packets.CodeSuccess.Code {
		pk.Properties.MaximumPacketSize = maxPacketSize
		pk.Properties.TopicAliasMaximum = topicAliasMaximum
	}
	return pk
}

func (p *policy) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	retained := p.server.Topics.Retained
	if !pk.FixedHeader.Retain || len(pk.Payload) == 0 || retained.Len() < maxRetained {
		return pk, nil
	}
	if _, known := retained.Get(pk.TopicName); known {
		return pk, nil
	}
	// mochi would answer QoS 2 with PUBACK, against [MQTT-4.3.3-8], and let QoS 0 through.
	if qos := pk.FixedHeader.Qos; qos > 0 {
		_ = cl.WritePacket(packets.Packet{
			FixedHeader: packets.FixedHeader{Type: [...]byte{1: packets.Puback, 2: packets.Pubrec}[qos]},
			PacketID:    pk.PacketID,
			ReasonCode:  packets.ErrQuotaExceeded.Code,
		})
	}
	return pk, packets.ErrRejectPacket
}

// OnClientExpired ends the subscriptions of a session: mochi forgets to, and a
// new session with the same client identifier would inherit them [MQTT-4.1.0-2].
func (p *policy) OnClientExpired(cl *mqtt.Client) {
	cl.ClearInflights()
	p.server.UnsubscribeClient(cl)
}
