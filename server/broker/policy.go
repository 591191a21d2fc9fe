package broker

import (
	"bytes"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// policy enforces what mochi's capabilities cannot, announces the rest, and lets
// everybody who reaches the broker use it.
type policy struct {
	mqtt.HookBase
	server *mqtt.Server
	most   quotas
}

// quotas are numbers of the whole broker.
type quotas struct{ sessions, retained int }

func (*policy) ID() string { return "policy" }

func (*policy) Provides(b byte) bool {
	return bytes.IndexByte([]byte{
		mqtt.OnConnectAuthenticate, mqtt.OnACLCheck,
		mqtt.OnConnect, mqtt.OnSessionEstablish, mqtt.OnSessionEstablished, mqtt.OnClientExpired,
		mqtt.OnPacketRead, mqtt.OnPacketEncode, mqtt.OnPublish,
	}, b) >= 0
}

func (*policy) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }
func (*policy) OnACLCheck(*mqtt.Client, string, bool) bool              { return true }

func (p *policy) OnConnect(cl *mqtt.Client, _ packets.Packet) error {
	const most = uint16(maxKeepAlive / time.Second)
	if v5 := cl.Properties.ProtocolVersion == 5; v5 && (cl.State.Keepalive == 0 || cl.State.Keepalive > most) {
		cl.State.Keepalive, cl.State.ServerKeepalive = most, true // [MQTT-3.1.2-21]
	}
	if _, known := p.server.Clients.Get(cl.ID); !known && p.server.Clients.Len() >= p.most.sessions {
		_ = p.server.SendConnack(cl, packets.ErrQuotaExceeded, false, nil)
		return packets.ErrQuotaExceeded
	}
	if limit := int(cl.Properties.Props.ReceiveMaximum); limit > 0 {
		transmit(cl, func(f *flow) []byte { f.limit = limit; return nil })
	}
	cl.Properties.Props.ReceiveMaximum = 0
	cl.State.Inflight.ResetSendQuota(0)
	return nil
}

// OnSessionEstablish chooses where the broker's packet identifiers begin. mochi
// keeps those of both directions in one map, so that a message of the client's
// with the same identifier makes it forget its own. Most clients count from 1:
// starting half-way round keeps the two apart. A resumed session goes on after
// its newest identifier, because their order is that of the messages.
func (p *policy) OnSessionEstablish(cl *mqtt.Client, pk packets.Packet) {
	last := uint16(1 << 15)
	if existing, ok := p.server.Clients.Get(cl.ID); ok && !pk.Connect.Clean {
		var ids []uint16
		for _, m := range existing.State.Inflight.GetAll(false) {
			if m.FixedHeader.Type == packets.Publish || m.FixedHeader.Type == packets.Pubrel {
				ids = append(ids, m.PacketID)
			}
		}
		if len(ids) > 0 {
			last = newestID(ids)
		}
	}
	for id, err := cl.NextPacketID(); err == nil && uint16(id) != last; {
		id, err = cl.NextPacketID()
	}
}

func (*policy) OnSessionEstablished(cl *mqtt.Client, _ packets.Packet) {
	transmit(cl, (*flow).resumed)
}

func (*policy) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	switch t := pk.FixedHeader.Type; {
	case t == packets.Puback, t == packets.Pubcomp,
		t == packets.Pubrec && pk.ReasonCode >= packets.ErrUnspecifiedError.Code: // 4.9
		transmit(cl, func(f *flow) []byte { return f.acknowledge(pk.PacketID) })
	}
	return pk, nil
}

func transmit(cl *mqtt.Client, step func(*flow) []byte) {
	if c, ok := cl.Net.Conn.(*conn); ok {
		_ = c.transmit(step) // a broken connection ends in its Read
	}
}

// OnPacketEncode adds to CONNACK what mochi enforces without telling.
func (*policy) OnPacketEncode(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	if pk.FixedHeader.Type == packets.Connack && pk.ReasonCode == packets.CodeSuccess.Code {
		pk.Properties.MaximumPacketSize = maxPacketSize
		pk.Properties.TopicAliasMaximum = topicAliasMaximum
		transmit(cl, func(f *flow) []byte { f.resuming = true; return nil })
	}
	return pk
}

func (p *policy) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	retained := p.server.Topics.Retained
	if !pk.FixedHeader.Retain || len(pk.Payload) == 0 || retained.Len() < p.most.retained {
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
