package broker

import (
	"bytes"
	"errors"
	"maps"
	"strings"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Corrections of mochi 2.7.9: what it accepts, or does differently than the
// specification requires.

// prepare changes properties of CONNECT that mochi would use as they are.
func (p *policy) prepare(cl *mqtt.Client) {
	const most = uint16(maxKeepAlive / time.Second)
	switch keepAlive := cl.State.Keepalive; {
	case cl.Properties.ProtocolVersion == 5 && (keepAlive == 0 || keepAlive > most):
		cl.State.Keepalive, cl.State.ServerKeepalive = most, true // [MQTT-3.1.2-21]
	default: // 1.5 times that must fit in 16 bits
		cl.State.Keepalive = min(keepAlive, 43_690)
	}
	props := &cl.Properties.Props
	if limit := int(props.ReceiveMaximum); limit > 0 {
		transmit(cl, func(f *flow) []byte { f.limit = limit; return nil })
	}
	props.ReceiveMaximum = 0 // see flow
	// mochi's aliases outlive their connection, so messages that are held back or
	// resumed would have no topic [MQTT-3.3.2-7]. A server need not use aliases
	// (3.1.2.11.5).
	props.TopicAliasMaximum = 0
	cl.State.Inflight.ResetSendQuota(0)
}

// validateConnect checks what mochi does not check.
func validateConnect(pk packets.Packet, will *packets.Packet) packets.Code {
	switch {
	case pk.Properties.AuthenticationMethod != "": // 4.12: there is none
		return packets.ErrBadAuthenticationMethod
	case len(pk.Connect.ClientIdentifier) > maxName:
		return packets.ErrClientIdentifierNotValid
	case will == nil:
	case strings.ContainsAny(will.TopicName, "+#"), strings.HasPrefix(will.TopicName, "$"), will.TopicName == "", tooLarge(will.TopicName): // [MQTT-3.3.2-2]
		return packets.ErrTopicNameInvalid
	}
	return packets.CodeSuccess
}

// tooLarge reports whether a topic or a filter has so many levels that the index would
// be slow, or more bytes than the store accepts.
func tooLarge(topic string) bool {
	return len(topic) > maxName || strings.Count(topic, "/") >= maxLevels
}

// validFilter reports whether wildcards stand alone in their levels, [MQTT-4.7.1-1] and
// [MQTT-4.7.1-2], and whether a shared subscription has a name and a filter
// [MQTT-4.8.2-1] that is not for the broker's own topics, which cannot be shared.
func validFilter(filter string) bool {
	if mqtt.IsSharedFilter(filter) { // $SHARE too
		_, rest, _ := strings.Cut(filter, "/")
		name, inner, ok := strings.Cut(rest, "/")
		if !ok || name == "" || inner == "" || strings.HasPrefix(inner, "$") || len(filter) > maxName {
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

// everything is the filter of a group that no client can be in [MQTT-4.8.2-2]: mochi has
// OnSelectSubscribers for messages to groups only.
const everything = "$SHARE/+/#"

// OnSelectSubscribers keeps a client's own messages from its subscriptions with No
// Local, a group's messages from offline members while others are online, and the
// broker's own topics from groups with a wildcard (4.7.2).
func (p *policy) OnSelectSubscribers(subs *mqtt.Subscribers, pk packets.Packet) *mqtt.Subscribers {
	delete(subs.Shared, everything)
	if subs.Subscriptions[pk.Origin].NoLocal {
		p.leaveOutNoLocal(subs, pk)
	}
	for filter, group := range subs.Shared {
		if strings.HasPrefix(pk.TopicName, "$") && !strings.Contains(filter, "/$") {
			continue
		}
		there := maps.Clone(group)
		maps.DeleteFunc(there, func(id string, _ packets.Subscription) bool {
			cl, ok := p.server.Clients.Get(id)
			return !ok || cl.Closed()
		})
		if len(there) == 0 {
			there = group
		}
		for id, sub := range there {
			if !sub.NoLocal || id != pk.Origin { // see indexAbove
				gather(subs, id, sub)
			}
			break
		}
	}
	clear(subs.Shared) // mochi would leave out identifiers
	return subs
}

// gather adds a subscription to those that a client gets a message for: with all their
// identifiers [MQTT-3.3.4-4], at the highest QoS [MQTT-3.3.4-2].
func gather(subs *mqtt.Subscribers, client string, sub packets.Subscription) {
	if sub.Identifiers == nil {
		sub.Identifiers = map[string]int{sub.Filter: sub.Identifier}
	}
	if own, ok := subs.Subscriptions[client]; ok {
		maps.Copy(sub.Identifiers, own.Identifiers)
		sub.Qos, sub.NoLocal = max(sub.Qos, own.Qos), sub.NoLocal || own.NoLocal
		sub.RetainAsPublished = sub.RetainAsPublished || own.RetainAsPublished
	}
	subs.Subscriptions[client] = sub
}

// leaveOutNoLocal lets a client have its own message through its other subscriptions
// [MQTT-3.8.3-3]. mochi merges all subscriptions that match, and one with No Local then
// applies to all.
func (p *policy) leaveOutNoLocal(subs *mqtt.Subscribers, pk packets.Packet) {
	delete(subs.Subscriptions, pk.Origin)
	cl, ok := p.server.Clients.Get(pk.Origin)
	if !ok {
		return
	}
	for filter, sub := range cl.State.Subscriptions.GetAll() {
		if !sub.NoLocal && !mqtt.IsSharedFilter(filter) && covers(filter, pk.TopicName) {
			gather(subs, pk.Origin, sub)
		}
	}
}

// tell reports why a connection ends: to the log, and to a client of MQTT 5 if it is
// the client's fault [MQTT-4.13.1-1].
func (p *policy) tell(c *conn, err error) {
	if c.told {
		return
	}
	c.told = true
	var code packets.Code
	errors.As(err, &code)
	pk := packets.Packet{ProtocolVersion: 5, ReasonCode: code.Code, Properties: packets.Properties{ReasonString: code.Reason}}
	switch {
	case code.Code < packets.ErrUnspecifiedError.Code: // DISCONNECT was received, or the network failed
	case c.client != nil:
		p.log.Warn("disconnected a client", "client", cut(c.client.ID), "remote", c.RemoteAddr(), "reason", code)
		pk.FixedHeader.Type = packets.Disconnect
		pk.ProtocolVersion = c.client.Properties.ProtocolVersion
		pk.Mods.MaxSize = c.client.Properties.Props.MaximumPacketSize
		p.OnPacketEncode(c.client, pk)
	case c.asks:
		var connack bytes.Buffer
		pk.FixedHeader.Type = packets.Connack
		_ = pk.ConnackEncode(&connack)
		c.leave(connack.Bytes())
	}
	c.leave(nil)
}

// nothing takes the place of a packet that has been handled: mochi ignores it.
var nothing = packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}}

// OnPacketRead corrects a packet before mochi handles it. mochi keeps the packet
// identifiers of both directions in one map, so that a client's message would replace
// one of the broker's (2.2.1): it does not get to know the client's.
func (p *policy) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	c, id := connOf(cl), pk.PacketID
	c.handling, c.reply = true, packets.Packet{PacketID: id}
	if kind := pk.FixedHeader.Type; kind == packets.Publish || kind == packets.Pubrel {
		if c.lock(p.sessions.delivery.RLocker()); cl.IsTakenOver() { // what it would change is another connection's
			return nothing, nil
		}
	}
	switch pk.FixedHeader.Type {
	case packets.Connect:
		c.takeWill(&pk)
		if len(pk.Connect.Password) == 0 { // an empty password is a password, too (3.1.3.6)
			pk.Connect.PasswordFlag = false
		}
	case packets.Disconnect: // no longer than at CONNECT (3.14.2.2.2)
		const most = uint32(maxSessionExpiry / time.Second)
		pk.Properties.SessionExpiryInterval = min(pk.Properties.SessionExpiryInterval, most)
		if pk.FixedHeader.Remaining == 1 { // mochi leaves the reason code out (3.14.2.1)
			pk.ReasonCode = c.packet.Bytes()[2]
		}
		extends := pk.Properties.SessionExpiryInterval > 0 && cl.Properties.Props.SessionExpiryInterval == 0
		if pk.ReasonCode == packets.CodeDisconnect.Code && !extends { // which is no valid DISCONNECT (3.14.2.2.2)
			c.discardWill() // [MQTT-3.14.4-3]
		}
	case packets.Subscribe, packets.Unsubscribe:
		if id > 0 {
			pk.PacketID, pk.FixedHeader.Qos = 0, 0
		}
	case packets.Publish:
		return p.readPublish(cl, c, pk)
	case packets.Puback, packets.Pubcomp:
		p.acknowledged(cl, id)
	case packets.Pubrec:
		p.hold(c, 0, true)
		if pk.ReasonCode >= packets.ErrUnspecifiedError.Code || !pk.ReasonCodeValid() { // 4.9
			p.acknowledged(cl, id)
		} else if _, ok := cl.State.Inflight.Get(id); ok {
			c.session.arrived(id)
			p.store.set(cl, messages, messageKey(cl.ID, id), released{})
		}
	case packets.Pubrel:
		p.hold(c, packets.Pubcomp, true)
		if c.session.release(id) {
			p.store.set(cl, unreleased, messageKey(cl.ID, id), nil)
		} else {
			c.reply.ReasonCode = packets.ErrPacketIdentifierNotFound.Code
		}
		return nothing, nil
	}
	return pk, nil
}

func (p *policy) readPublish(cl *mqtt.Client, c *conn, pk packets.Packet) (packets.Packet, error) {
	if pk.PublishValidate(topicAliasMaximum) != packets.CodeSuccess { // mochi ends the connection
		return pk, nil
	}
	if alias := pk.Properties.TopicAlias; alias > 0 { // set even by what is refused, or was known (3.3.2.3.4)
		if pk.TopicName = cl.State.TopicAliases.Inbound.Set(alias, pk.TopicName); pk.TopicName == "" { // 3.3.4
			p.tell(c, packets.ErrTopicAliasInvalid)
			return pk, packets.ErrRejectPacket
		}
		pk.Properties.TopicAlias, pk.Properties.TopicAliasFlag = 0, false
	}
	switch pk.FixedHeader.Qos {
	case 1:
		p.hold(c, packets.Puback, false)
	case 2:
		known, full := c.session.knows(pk.PacketID)
		if full && !known {
			p.tell(c, packets.ErrReceiveMaximum) // [MQTT-3.3.4-7]
			return pk, packets.ErrRejectPacket
		}
		p.hold(c, packets.Pubrec, false)
		if known { // [MQTT-4.3.3-10]
			return nothing, nil
		}
	}
	if !p.OnACLCheck(cl, pk.TopicName, true) {
		p.refuse(cl, packets.ErrNotAuthorized)
		return nothing, nil
	}
	return pk, nil
}

// OnPacketEncode changes a packet that mochi is about to send.
func (p *policy) OnPacketEncode(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	c := connOf(cl)
	switch pk.FixedHeader.Type {
	case packets.Connack:
		c.asks = false
		switch pk.Properties.ReasonString {
		case packets.ErrProtocolViolationProtocolName.Reason, packets.ErrProtocolViolationProtocolVersion.Reason:
			pk.ReasonCode = packets.ErrUnsupportedProtocolVersion.Code // [MQTT-3.1.2-1] [MQTT-3.1.2-2]
		}
		pk.Properties.ReceiveMaximum = receiveMaximum
		if pk.ReasonCode == packets.CodeSuccess.Code {
			pk.Properties.MaximumPacketSize = maxPacketSize // which mochi enforces but does not announce
			pk.Properties.TopicAliasMaximum = topicAliasMaximum
			return p.beforeConnack(cl, pk)
		}
		if cl.Properties.ProtocolVersion < 5 && pk.ReasonCode > packets.Err3NotAuthorized.Code {
			pk.ReasonCode = code3(pk.ReasonCode)
		}
	case packets.Publish: // user properties of messages are not problem information (3.1.2.11.7)
		pk.Mods.DisallowProblemInfo = false
		if pk.FixedHeader.Dup { // only if it may have arrived [MQTT-3.3.1-3]
			pk.FixedHeader.Dup = c.session.find(pk.PacketID).tried
		}
		if pk.Expiry > 0 && pk.FixedHeader.Qos > 0 && !pk.FixedHeader.Dup { // see expired
			transmit(cl, func(f *flow) []byte { f.expires[pk.PacketID] = pk.Expiry; return nil })
		}
	case packets.Suback, packets.Unsuback:
		if pk.FixedHeader.Type == packets.Suback {
			pk.ReasonCodes = pk.ReasonCodes[:c.filters] // see askAbove
		}
		pk.Properties.User = nil // mochi returns the client's (3.9.2.1.3)
		pk.PacketID = c.reply.PacketID
	case packets.Disconnect:
		var last bytes.Buffer
		most := int(cl.Properties.Props.MaximumPacketSize) // [MQTT-3.1.2-24]
		if cl.Properties.ProtocolVersion == 5 && pk.DisconnectEncode(&last) == nil && (most == 0 || last.Len() <= most) {
			c.leave(last.Bytes())
		} else { // in MQTT 3.1.1 a server sends none
			c.leave(nil)
		}
	}
	return pk
}

// code3 is the return code of MQTT 3.1.1 (3.2.2.3) for a reason code of MQTT 5.
func code3(reason byte) byte {
	switch reason {
	case packets.ErrUnsupportedProtocolVersion.Code:
		return packets.Err3UnsupportedProtocolVersion.Code
	case packets.ErrNotAuthorized.Code, packets.ErrTopicNameInvalid.Code:
		return packets.Err3NotAuthorized.Code
	case packets.ErrClientIdentifierNotValid.Code, packets.ErrUnspecifiedError.Code: // no identifier, for a persistent session [MQTT-3.1.3-8]
		return packets.Err3ClientIdentifierNotValid.Code
	}
	return packets.Err3ServerUnavailable.Code
}

// fitsPacket reports whether a client accepts a packet that large. Otherwise it is
// discarded as if it had been sent [MQTT-3.1.2-25]; mochi would keep it forever.
func fitsPacket(cl *mqtt.Client, pk packets.Packet) bool {
	most := int(cl.Properties.Props.MaximumPacketSize)
	if most == 0 || sizeOf(pk)+overhead < most {
		return true
	}
	var out bytes.Buffer
	pk.ProtocolVersion, pk.Mods = cl.Properties.ProtocolVersion, packets.Mods{AllowResponseInfo: true}
	return pk.PublishEncode(&out) == nil && out.Len() <= most
}

// dropUnsendable forgets messages kept for a client that have expired [MQTT-3.3.2-5], or
// that are too large since it has reconnected with a smaller Maximum Packet Size: mochi
// would end its connection at each of them.
func (p *policy) dropUnsendable(kept, now *mqtt.Client) {
	for _, pk := range kept.State.Inflight.GetAll(false) {
		if pk.FixedHeader.Type == packets.Publish && (p.expired(kept, pk) || !fitsPacket(now, pk)) && kept.State.Inflight.Delete(pk.PacketID) {
			p.OnQosDropped(kept, pk)
		}
	}
}

// expired reports whether a message is not sent because of its age. One that may have
// arrived is sent until it is acknowledged [MQTT-4.4.0-1] [MQTT-4.3.3-7]: the client would
// take another one with its identifier for the same.
func (p *policy) expired(cl *mqtt.Client, pk packets.Packet) bool {
	session := p.sessions.get(cl.ID)
	return pk.Expiry > 0 && pk.Expiry < time.Now().Unix() && (session == nil || !session.find(pk.PacketID).tried)
}

// disconnect ends a connection with a reason code. It does not block.
func (p *policy) disconnect(cl *mqtt.Client, code packets.Code) {
	p.server.Listeners.ClientsWg.Go(func() { _ = p.server.DisconnectClient(cl, code) })
}

// refuse refuses the message being handled. mochi would answer QoS 2 with PUBACK,
// against [MQTT-4.3.3-8], and accept QoS 0. In MQTT 3.1.1 the only refusal is to close
// the connection.
func (p *policy) refuse(cl *mqtt.Client, code packets.Code) {
	switch c := connOf(cl); {
	case c == nil: // a will
	case cl.Properties.ProtocolVersion < 5 && c.reply.FixedHeader.Type > 0:
		c.reply.FixedHeader.Type = 0
		p.disconnect(cl, code)
	default:
		c.reply.ReasonCode, c.reply.Properties.ReasonString = code.Code, code.Reason
	}
}
