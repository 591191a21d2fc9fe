package broker

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// policy enforces what mochi's capabilities cannot, and announces the rest.
type policy struct {
	hook
	server *mqtt.Server
	gate   *Gate
	most   quotas
	users  *Users // nil: everybody who reaches the broker may use it
	lost   *unstored
}

func (*policy) ID() string { return "policy" }

// hook is asked about everything: HookBase lets pass what a hook has no method for.
type hook struct{ mqtt.HookBase }

func (hook) Provides(byte) bool { return true }

// OnConnectAuthenticate has nothing left to do: its refusal could only be 0x86.
func (*policy) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

// OnACLCheck decides about a topic to publish to, a filter to subscribe to, and
// a topic to deliver. A topic that is only an alias was allowed when it was defined.
func (p *policy) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	if write && strings.HasPrefix(topic, "$") { // the broker's own (4.7.2)
		return false
	}
	return p.users == nil || write && topic == "" || p.users.allow(string(cl.Properties.Username), topic, write)
}

func (p *policy) OnConnect(cl *mqtt.Client, pk packets.Packet) error {
	if code := p.admit(cl, pk); code != packets.CodeSuccess {
		_ = p.server.SendConnack(cl, code, false, nil)
		return code
	}
	const most = uint16(maxKeepAlive / time.Second)
	if v5 := cl.Properties.ProtocolVersion == 5; v5 && (cl.State.Keepalive == 0 || cl.State.Keepalive > most) {
		cl.State.Keepalive, cl.State.ServerKeepalive = most, true // [MQTT-3.1.2-21]
	}
	if limit := int(cl.Properties.Props.ReceiveMaximum); limit > 0 {
		transmit(cl, func(f *flow) []byte { f.limit = limit; return nil })
	}
	cl.Properties.Props.ReceiveMaximum = 0
	// mochi's aliases outlive their connection, and what is held back or resumed would
	// come without a topic [MQTT-3.3.2-7]; a server may send none (3.1.2.11.5).
	cl.Properties.Props.TopicAliasMaximum = 0
	cl.State.Inflight.ResetSendQuota(0)
	return nil
}

func (p *policy) admit(cl *mqtt.Client, pk packets.Packet) packets.Code {
	if code := validateConnect(pk); code != packets.CodeSuccess {
		return code
	}
	name := string(cl.Properties.Username)
	if p.users != nil && !p.users.authenticate(name, pk.Connect.Password) {
		p.Log.Warn("refused a client: wrong user name or password", "user", cut(name), "remote", cl.Net.Remote)
		return packets.ErrBadUsernameOrPassword
	}
	// Only now: checking a password takes long enough for the session to become another's.
	session, known := p.server.Clients.Get(cl.ID)
	switch {
	case p.users == nil:
	case pk.Connect.WillFlag && !p.users.allow(name, pk.Connect.WillTopic, true), // mochi does not ask
		known && !bytes.Equal(session.Properties.Username, cl.Properties.Username): // somebody else's messages
		return packets.ErrNotAuthorized
	}
	if !known && p.server.Clients.Len() >= p.most.sessions {
		return packets.ErrQuotaExceeded
	}
	return packets.CodeSuccess
}

// cut shortens what strangers name themselves in the log.
func cut(name string) string {
	const most = 64
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}

func (p *policy) OnSessionEstablish(cl *mqtt.Client, pk packets.Packet) {
	if c, ok := cl.Net.Conn.(*conn); ok {
		p.gate.Watch(c.Conn, http.StateActive)
	}
	session := cl.State.Inflight
	if existing, ok := p.server.Clients.Get(cl.ID); ok && !pk.Connect.Clean {
		session = existing.State.Inflight
	}
	beginIDs(cl, session)
}

// beginIDs chooses where the broker's packet identifiers begin. mochi keeps those
// of both directions in one map, so that a message of the client's with the same
// identifier makes it forget its own. Most clients count from 1: starting at a
// distance that no session spans keeps the two apart. A resumed session goes on
// after its newest identifier, because their order is that of the messages.
func beginIDs(cl *mqtt.Client, session *mqtt.Inflight) {
	var ids []uint16
	for _, m := range session.GetAll(false) {
		if m.FixedHeader.Type == packets.Publish || m.FixedHeader.Type == packets.Pubrel {
			ids = append(ids, m.PacketID)
		}
	}
	last := uint32(maxInflight)
	if len(ids) > 0 {
		last = uint32(newestID(ids))
	}
	// mochi skips what is in use, and begins again after the highest.
	for previous := uint32(0); previous < last; {
		id, err := cl.NextPacketID()
		if err != nil || id < previous {
			return
		}
		previous = id
	}
}

func (*policy) OnSessionEstablished(cl *mqtt.Client, _ packets.Packet) {
	transmit(cl, (*flow).resumed)
}

func (p *policy) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	pk = p.read(cl, pk)
	switch t := pk.FixedHeader.Type; {
	case t == packets.Puback, t == packets.Pubcomp,
		t == packets.Pubrec && pk.ReasonCode >= packets.ErrUnspecifiedError.Code: // 4.9
		transmit(cl, func(f *flow) []byte { return f.acknowledge(pk.PacketID) })
	case t == packets.Publish && pk.FixedHeader.Qos > 0:
		transmit(cl, func(f *flow) []byte { f.processing = true; return nil })
		p.lost.take(cl.ID)
	}
	return pk, nil
}

func (p *policy) OnPacketProcessed(cl *mqtt.Client, pk packets.Packet, _ error) {
	if pk.FixedHeader.Type != packets.Publish || pk.FixedHeader.Qos == 0 {
		return
	}
	if !p.lost.take(cl.ID) {
		transmit(cl, (*flow).processed)
		return
	}
	// What is not on disk is not acknowledged but refused, and is the publisher's still.
	transmit(cl, func(f *flow) []byte { f.acks = nil; return f.processed() })
	if pk.FixedHeader.Qos == 2 && cl.State.Inflight.Delete(pk.PacketID) {
		cl.State.Inflight.IncreaseReceiveQuota()
	}
	p.refuse(cl, pk, packets.ErrQuotaExceeded)
}

func transmit(cl *mqtt.Client, step func(*flow) []byte) {
	if c, ok := cl.Net.Conn.(*conn); ok {
		_ = c.transmit(step) // a broken connection ends in its Read
	}
}

// OnPacketEncode mends what mochi is about to send.
func (*policy) OnPacketEncode(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	switch t := pk.FixedHeader.Type; {
	case t == packets.Connack && pk.ReasonCode == packets.CodeSuccess.Code:
		pk.Properties.MaximumPacketSize = maxPacketSize // enforced without telling
		pk.Properties.TopicAliasMaximum = topicAliasMaximum
		transmit(cl, func(f *flow) []byte { f.resuming = true; return nil })
	case t == packets.Pubrec && pk.ReasonCode == packets.ErrPacketIdentifierInUse.Code:
		// The same message again is no failure [MQTT-4.3.3-10].
		pk.ReasonCode, pk.Properties.ReasonString = packets.CodeSuccess.Code, ""
	case t == packets.Disconnect:
		var last bytes.Buffer
		most := int(cl.Properties.Props.MaximumPacketSize) // [MQTT-3.1.2-24]
		if c, ok := cl.Net.Conn.(*conn); ok && pk.DisconnectEncode(&last) == nil && (most == 0 || last.Len() <= most) {
			c.leave(last.Bytes())
		}
	}
	return pk
}

// OnQosPublish ends the connection of a client that does not keep up while
// nothing is lost yet: the message that fills its session is part of it.
func (p *policy) OnQosPublish(cl *mqtt.Client, pk packets.Packet, _ int64, _ int) {
	if resent := pk.FixedHeader.Dup; !resent && cl.State.Inflight.Len() >= p.most.inflight {
		p.overrun(cl)
	}
}

func (p *policy) OnPublishDropped(cl *mqtt.Client, pk packets.Packet) {
	sub, own := p.server.Topics.Subscribers(pk.TopicName).Subscriptions[cl.ID]
	if pk.FixedHeader.Qos > 0 && (!own || sub.Qos > 0) {
		p.overrun(cl)
	}
}

func (p *policy) overrun(cl *mqtt.Client) {
	if cl.Closed() {
		return
	}
	p.Log.Warn("a client does not keep up with its messages and is disconnected", "client", cl.ID)
	// The publisher must not wait for a client that reads nothing.
	p.server.Listeners.ClientsWg.Go(func() { _ = p.server.DisconnectClient(cl, packets.ErrQuotaExceeded) })
}

func (p *policy) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if !p.publishable(cl, pk) {
		return pk, packets.ErrRejectPacket
	}
	retained := p.server.Topics.Retained
	if !pk.FixedHeader.Retain || len(pk.Payload) == 0 || retained.Len() < p.most.retained {
		return pk, nil
	}
	if _, known := retained.Get(pk.TopicName); known {
		return pk, nil
	}
	p.refuse(cl, pk, packets.ErrQuotaExceeded)
	return pk, packets.ErrRejectPacket
}

// OnClientExpired ends the subscriptions of a session: mochi forgets to, and a
// new session with the same client identifier would inherit them [MQTT-4.1.0-2].
func (p *policy) OnClientExpired(cl *mqtt.Client) {
	cl.ClearInflights()
	p.server.UnsubscribeClient(cl)
}
