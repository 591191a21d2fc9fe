package broker

import (
	"log/slog"
	"net/http"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// policy is the one hook that mochi calls at each step of a connection, a session or a
// message. Access is decided in users.go, limits in limits.go, and what mochi gets
// wrong is corrected in mochi.go.
type policy struct {
	mqtt.HookBase // default for hooks without a method here
	log           *slog.Logger
	server        *mqtt.Server
	gate          *Gate
	most          quotas
	users         *Users // nil: everybody who reaches the broker may use it
	sessions      *sessions
	store         *store       // nil: everything is in memory
	self          *mqtt.Client // publishes $SYS
}

func (*policy) ID() string         { return "policy" }
func (*policy) Provides(byte) bool { return true }

// OnConnectAuthenticate accepts everybody: its only refusal would be 0x86, so admit
// decides before.
func (*policy) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

func (p *policy) OnConnect(cl *mqtt.Client, pk packets.Packet) error {
	if code := p.admit(cl, pk); code != packets.CodeSuccess {
		_ = p.server.SendConnack(cl, code, false, nil)
		return code
	}
	p.prepare(cl)
	cl.Net.Inline = true // then replies to PUBLISH and PUBREL are ours: see OnPacketRead
	return nil
}

// OnSessionEstablish begins or resumes the session. Nothing is delivered until CONNACK.
func (p *policy) OnSessionEstablish(cl *mqtt.Client, pk packets.Packet) {
	c := connOf(cl)
	c.client = cl
	p.gate.Watch(c.Conn, http.StateActive)
	old, ok := p.takeOver(c, cl.ID)
	before := p.sessions.get(cl.ID)
	c.resumes = ok && before != nil && !pk.Connect.Clean && lasting(old) // 3.1.2.11.2: otherwise it ends with its connection
	if c.resumes {
		p.dropUnsendable(old, cl)
		c.session = before
		c.session.keepWill(c.will, 1)
		before.resume()
		return
	}
	if ok { // mochi does the same, but too late for the new session, and not always
		old.ClearInflights()
		p.server.UnsubscribeClient(old)
	}
	c.session = p.sessions.start(cl)
	c.session.keepWill(c.will, 1)
	if before != nil {
		for id := range before.clear() {
			p.store.put(cl.ID, change{bucket: unreleased, key: messageKey(cl.ID, id)})
		}
		c.parting = before.cancelWill()
	}
}

// takeOver locks the session, once its connection has handled what came before this one,
// and returns its client.
func (p *policy) takeOver(c *conn, id string) (old *mqtt.Client, ok bool) {
	for drained := (*conn)(nil); ; {
		c.lock(&p.sessions.delivery)
		if old, ok = p.server.Clients.Get(id); !ok || connOf(old) == drained || connOf(old) == nil {
			return old, ok
		}
		c.delivered()
		drained = connOf(old)
		drained.drain()
	}
}

// beforeConnack starts delivery to the new connection, and stores the session.
func (p *policy) beforeConnack(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	c := connOf(cl)
	pk.SessionPresent = c.resumes
	transmit(cl, func(f *flow) []byte { f.resuming, f.sent = true, c.session.try; return nil })
	c.delivered()
	if !p.store.establish(cl, c.session) { // CONNACK would promise a session
		c.discardWill()
		code := packets.ErrQuotaExceeded
		if cl.Properties.ProtocolVersion < 5 {
			code = packets.Err3ServerUnavailable
		}
		pk.ReasonCode, pk.SessionPresent = code.Code, false
		cl.Stop(code)
	}
	return pk
}

func (p *policy) OnSessionEstablished(cl *mqtt.Client, _ packets.Packet) {
	c := connOf(cl)
	if cl.Closed() { // see beforeConnack
		return
	}
	transmit(cl, func(f *flow) []byte { return f.resumed(c.session.find) })
	if will := c.parting; will != nil { // of the session that this one replaced
		c.parting = nil
		p.publishWill(cl.ID, *will)
	}
}

// OnDisconnect holds off a takeover of the session until mochi has done its part.
func (p *policy) OnDisconnect(cl *mqtt.Client, err error, expire bool) {
	c := connOf(cl)
	p.tell(c, err)
	c.delivered()
	c.lock(&p.sessions.delivery)
	c.depart()
	current, _ := p.server.Clients.Get(cl.ID)
	takenOver := current != cl || cl.IsTakenOver()
	p.leaveWill(c, expire || p.sessions.get(cl.ID) != c.session, takenOver)
	switch {
	case takenOver:
	case expire:
		p.end(cl)
	default:
		p.leave(cl)
		p.store.putRecord(cl, c.session)
		p.sessions.detach(cl)
	}
}

// end forgets a session. mochi would leave its subscriptions, and a new session with the
// same client identifier would inherit them [MQTT-4.1.0-2].
func (p *policy) end(cl *mqtt.Client) {
	p.store.forget(cl, p.sessions.get(cl.ID))
	cl.ClearInflights()
	p.server.UnsubscribeClient(cl)
	p.server.Clients.Delete(cl.ID)
	p.sessions.mu.Lock()
	p.sessions.drop(cl.ID)
	p.sessions.mu.Unlock()
}

// hold begins a packet whose reply waits for the disk; a patient one for as long as it
// takes.
func (p *policy) hold(c *conn, reply byte, patient bool) {
	c.reply.FixedHeader.Type = reply
	c.receipt = p.store.begin(c.client.ID, patient)
	_ = c.transmit(func(f *flow) []byte { f.handle(); return nil })
}

// OnPacketProcessed sends the reply to a packet, when what it has changed is on disk.
func (p *policy) OnPacketProcessed(cl *mqtt.Client, _ packets.Packet, _ error) {
	c := connOf(cl)
	if c == nil {
		return
	}
	c.handling = false
	c.delivered()
	reply := c.reply
	if reply.FixedHeader.Type > 0 {
		_ = cl.WritePacket(reply)
	}
	var answer *ack
	transmit(cl, func(f *flow) []byte { answer = f.handled(); return nil })
	if answer == nil {
		return
	}
	p.store.end(c.receipt, func(lost, later bool) {
		var refusal []byte
		if lost {
			refusal = p.lost(cl, c.session, reply)
		}
		_ = c.transmit(func(f *flow) []byte {
			if answer.settled = true; lost {
				answer.packet = refusal
			}
			if !later { // the next read sends it, together with others
				return nil
			}
			return f.answers()
		})
	})
}

// lost returns the refusal of a message that could not be written: the publisher still
// has it.
func (p *policy) lost(cl *mqtt.Client, session *session, reply packets.Packet) []byte {
	kind, id := reply.FixedHeader.Type, reply.PacketID
	switch {
	case kind != packets.Puback && kind != packets.Pubrec:
		return nil
	case kind == packets.Pubrec:
		session.release(id)
	}
	if cl.Properties.ProtocolVersion < 5 {
		p.disconnect(cl, packets.ErrQuotaExceeded)
		return nil
	}
	return []byte{kind << 4, 3, byte(id >> 8), byte(id), packets.ErrQuotaExceeded.Code}
}

// OnPublish says whether a message may be delivered.
func (p *policy) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	switch {
	case cl == p.self:
		return pk, nil
	case tooLarge(pk.TopicName):
		p.refuse(cl, packets.ErrTopicNameInvalid)
	case pk.FixedHeader.Qos > 0 && p.sessions.bytes.Load() > int64(p.most.allSessionBytes),
		pk.FixedHeader.Retain && len(pk.Payload) > 0 && !p.sessions.retainable(pk, p.most):
		p.refuse(cl, packets.ErrQuotaExceeded)
	default:
		if c := connOf(cl); c != nil && pk.FixedHeader.Qos == 2 {
			p.store.setGathers(c.receipt, true)
		}
		return pk, nil
	}
	return pk, packets.ErrRejectPacket
}

// OnPublished records that a QoS 2 message has been delivered. That is written together
// with what is delivered at QoS 2: after one without the other it would be delivered
// twice, or never.
func (p *policy) OnPublished(cl *mqtt.Client, pk packets.Packet) {
	if c := connOf(cl); c != nil && pk.FixedHeader.Qos == 2 {
		c.session.receive(pk.PacketID)
		whole := p.store.setGathers(c.receipt, false)
		if lasting(cl) {
			whole = append(whole, change{bucket: unreleased, key: messageKey(cl.ID, pk.PacketID), value: received{}})
		}
		p.store.put(cl.ID, whole...)
	}
}

func (p *policy) OnRetainMessage(cl *mqtt.Client, pk packets.Packet, _ int64) {
	if cl != p.self {
		p.sessions.retain(pk)
		p.store.retain(pk)
	}
}

// OnQosPublish is called for each message of QoS 1 or 2 on its way to a client.
func (p *policy) OnQosPublish(cl *mqtt.Client, pk packets.Packet, _ int64, _ int) {
	session := p.sessions.get(cl.ID)
	if pk.FixedHeader.Type != packets.Publish || pk.FixedHeader.Dup || session == nil {
		return
	}
	if !p.fits(cl, session, pk) {
		cl.State.Inflight.Delete(pk.PacketID)
		return
	}
	p.store.publish(cl, session, session.count(pk, p.sessions.order.Add(1)))
}

// acknowledged handles a message that the client has acknowledged. mochi frees its
// identifier next, which may then be reused at once.
func (p *policy) acknowledged(cl *mqtt.Client, id uint16) {
	p.complete(cl, id)
	transmit(cl, func(f *flow) []byte { return f.acknowledge(id) })
}

// complete forgets a message to the client.
func (p *policy) complete(cl *mqtt.Client, id uint16) {
	// A session that was taken over has passed its messages to its successor of the
	// same name.
	if session := p.sessions.get(cl.ID); session != nil && !cl.IsTakenOver() && session.remove(id) {
		p.store.set(cl, messages, messageKey(cl.ID, id), nil)
	}
}

func (p *policy) OnQosDropped(cl *mqtt.Client, pk packets.Packet) {
	transmit(cl, func(f *flow) []byte { f.drop(pk.PacketID); return f.release() })
	p.complete(cl, pk.PacketID)
}

func (p *policy) OnUnsubscribed(cl *mqtt.Client, pk packets.Packet) {
	for _, f := range pk.Filters {
		p.indexAbove(cl.ID, f, false)
		p.store.set(cl, subscriptions, subscriptionKey(cl.ID, f.Filter), nil)
	}
}
