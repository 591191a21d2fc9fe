package session

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// modelBroker is a simple broker for one client. It is honest, answers in order but not
// at once, and reports what a client must not do.
type modelBroker struct {
	t         *testing.T
	secretive bool // it forgot a session, and the CONNACK that said so was lost

	// The session (4.1).
	exists bool
	in     map[uint16]string // unreleased QoS 2 messages: payloads
	subs   map[string]byte   // granted filters, with their QoS
	out    []*modelMessage   // messages for the client, in order
	lastID uint16

	// The connection.
	receiveMaximum int               // the broker's own
	clientMaximum  int               // the client's Receive Maximum
	unanswered     map[uint16]string // identifiers of the client's unacknowledged messages: payloads
	calls          map[uint16]bool   // and of its SUBSCRIBE and UNSUBSCRIBE packets
	seen           map[string]bool   // payloads of QoS 1 and 2 messages on this connection
	answers        [][]byte          // to be sent, in order

	// The result.
	delivered map[string]int // payloads of the client's messages
	order     []string       // in which they were first delivered
}

// modelMessage is a message of the broker to the client.
type modelMessage struct {
	id       uint16 // 0: never sent
	qos      byte
	payload  string
	sent     bool // on this connection
	received bool // PUBREC has arrived
	taken    bool // by the application
}

func newModelBroker(t *testing.T) *modelBroker {
	b := &modelBroker{t: t, delivered: map[string]int{}}
	b.forget()
	return b
}

func (b *modelBroker) forget() {
	b.exists, b.in, b.subs, b.out = false, map[uint16]string{}, map[string]byte{}, nil
}

// connect handles CONNECT, and returns Session Present.
func (b *modelBroker) connect(clean bool) (present bool) {
	if clean {
		b.forget()
	}
	present, b.exists = b.exists, true
	b.unanswered, b.calls, b.seen, b.answers = map[uint16]string{}, map[uint16]bool{}, map[string]bool{}, nil
	for _, m := range b.out {
		m.sent = false
	}
	return present
}

func (b *modelBroker) publish(qos byte, payload string) {
	b.out = append(b.out, &modelMessage{qos: qos, payload: payload})
}

// deliver forwards a message from the client.
func (b *modelBroker) deliver(payload string) {
	if b.delivered[payload]++; b.delivered[payload] == 1 {
		b.order = append(b.order, payload)
	}
}

// receive handles a packet from the client.
func (b *modelBroker) receive(packet []byte) {
	_, size, _, _ := wire.Varint(packet[1:])
	header, body := packet[0], packet[1+size:]
	switch kind := header >> 4; kind {
	case wire.TypePublish:
		b.receivePublish(header, body)
	case wire.TypeSubscribe, wire.TypeUnsubscribe:
		b.receiveCall(packet)
	default:
		a, err := wire.ParseAck(kind, body)
		if err != nil {
			b.t.Errorf("%s: %v", wire.TypeName(kind), err)
			return
		}
		b.receiveAck(a)
	}
}

func (b *modelBroker) receivePublish(header byte, body []byte) {
	var p wire.Publish
	if err := wire.ParsePublish(header, body, &p); err != nil {
		b.t.Errorf("PUBLISH: %v", err)
		return
	}
	payload := string(p.Payload)
	if p.QoS() == 0 {
		b.deliver(payload)
		return
	}
	if b.seen[payload] { // [MQTT-4.4.0-1]
		b.t.Errorf("%s comes twice on one connection", payload)
	}
	b.seen[payload] = true
	if other, used := b.unanswered[p.ID]; used || b.calls[p.ID] { // [MQTT-2.2.1-3]
		b.t.Errorf("%s has identifier %d, which is in use (%s)", payload, p.ID, other)
	}
	b.unanswered[p.ID] = payload
	if len(b.unanswered) > b.receiveMaximum { // [MQTT-3.3.4-7]
		b.t.Errorf("%d messages, over the Receive Maximum of %d", len(b.unanswered), b.receiveMaximum)
	}
	if p.QoS() == 1 {
		b.deliver(payload)
		b.answer(wire.TypePuback, p.ID, 0)
		return
	}
	held, isHeld := b.in[p.ID]
	switch {
	case !isHeld:
		b.deliver(payload)
	case held != payload:
		b.t.Errorf("%s has identifier %d of %s", payload, p.ID, held)
	case !p.Duplicate():
		b.t.Errorf("%s comes again without DUP", payload)
	}
	b.in[p.ID] = payload
	b.answer(wire.TypePubrec, p.ID, 0)
}

func (b *modelBroker) receiveCall(packet []byte) {
	control, err := packets.ReadPacket(bytes.NewReader(packet))
	if err != nil {
		b.t.Errorf("%x: %v", packet, err)
		return
	}
	id := control.PacketID()
	if _, used := b.unanswered[id]; used || b.calls[id] || b.in[id] != "" { // [MQTT-2.2.1-3]
		b.t.Errorf("a SUBSCRIBE or UNSUBSCRIBE has identifier %d, which is in use", id)
	}
	b.calls[id] = true
	kind, reasons := wire.TypeUnsuback, []byte{}
	switch c := control.Content.(type) {
	case *packets.Subscribe:
		kind = wire.TypeSuback
		for _, sub := range c.Subscriptions {
			if sub.Topic == refusedFilter {
				reasons = append(reasons, wire.ReasonNotAuthorized)
				continue
			}
			b.subs[sub.Topic] = sub.QoS
			reasons = append(reasons, sub.QoS)
		}
	case *packets.Unsubscribe:
		for _, filter := range c.Topics {
			_, had := b.subs[filter]
			delete(b.subs, filter)
			if had {
				reasons = append(reasons, 0)
			} else {
				reasons = append(reasons, wire.ReasonNoSubscriptionExisted)
			}
		}
	}
	b.answers = append(b.answers, append([]byte{kind << 4, byte(3 + len(reasons)), byte(id >> 8), byte(id), 0}, reasons...))
}

func (b *modelBroker) receiveAck(a wire.Ack) {
	if a.Kind == wire.TypePubrel {
		reason := byte(0)
		if _, held := b.in[a.ID]; !held {
			reason = wire.ReasonIDNotFound
		}
		delete(b.in, a.ID)
		b.answer(wire.TypePubcomp, a.ID, reason)
		return
	}
	at := slices.IndexFunc(b.out, func(m *modelMessage) bool { return m.id == a.ID })
	if at < 0 {
		b.t.Errorf("%s %d for no message", wire.TypeName(a.Kind), a.ID)
		return
	}
	m := b.out[at]
	if !m.taken && (!b.secretive || m.qos != 2) {
		b.t.Errorf("%s is acknowledged, and nobody has taken it", m.payload)
	}
	for _, earlier := range b.out[:at] {
		if a.Kind != wire.TypePubcomp && earlier.sent && !earlier.received { // [MQTT-4.6.0-2], [MQTT-4.6.0-3]
			b.t.Errorf("%s is acknowledged before %s", m.payload, earlier.payload)
		}
	}
	switch {
	case a.Kind == wire.TypePubrec && m.qos == 2:
		m.received = true
		b.answer(wire.TypePubrel, m.id, 0)
	case a.Kind == wire.TypePuback && m.qos == 1, a.Kind == wire.TypePubcomp && m.received:
		b.out = slices.Delete(b.out, at, at+1)
	default:
		b.t.Errorf("%s for %+v", wire.TypeName(a.Kind), m)
	}
}

func (b *modelBroker) answer(kind byte, id uint16, reason byte) {
	b.answers = append(b.answers, wire.AppendAck(nil, kind, id, reason))
}

// send returns the next packet for the client; nil: there is none.
func (b *modelBroker) send(rng *rand.Rand) []byte {
	if len(b.answers) > 0 && rng.IntN(2) == 0 {
		return b.sendAnswer()
	}
	inFlight := 0
	for _, m := range b.out {
		if m.sent {
			inFlight++
		}
	}
	for _, m := range b.out {
		switch {
		case m.sent:
		case m.received: // on an earlier connection: PUBREL again
			m.sent = true
			return wire.AppendAck(nil, wire.TypePubrel, m.id, 0)
		case inFlight < b.clientMaximum:
			m.sent = true
			return b.frame(m)
		default:
			return b.sendAnswer()
		}
	}
	return b.sendAnswer()
}

func (b *modelBroker) sendAnswer() []byte {
	if len(b.answers) == 0 {
		return nil
	}
	packet := b.answers[0]
	b.answers = b.answers[1:]
	id := uint16(packet[2])<<8 | uint16(packet[3])
	switch packet[0] >> 4 {
	case wire.TypePuback, wire.TypePubcomp:
		delete(b.unanswered, id)
	case wire.TypeSuback, wire.TypeUnsuback:
		delete(b.calls, id)
	}
	return packet
}

// frame encodes a message as PUBLISH, with DUP if it was sent before.
func (b *modelBroker) frame(m *modelMessage) []byte {
	flags := m.qos << 1
	if m.id > 0 {
		flags |= 8
	} else if m.qos > 0 {
		used := map[uint16]bool{0: true}
		for _, other := range b.out {
			used[other.id] = true
		}
		for used[b.lastID] { // only a few, so that they are reused soon
			b.lastID = (b.lastID + 1) % 16
		}
		m.id = b.lastID
	}
	frame, idAt := wire.EncodePublish(flags, "from", nil, []byte(m.payload))
	if m.qos > 0 {
		frame[idAt], frame[idAt+1] = byte(m.id>>8), byte(m.id)
	} else {
		b.out = slices.DeleteFunc(b.out, func(o *modelMessage) bool { return o == m })
	}
	return frame
}
