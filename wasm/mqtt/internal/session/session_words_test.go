package session

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// records returns the records in the order of their keys, as a store does.
func (p *player) records() (list []Record) {
	for _, key := range slices.Sorted(maps.Keys(p.disk)) {
		list = append(list, Record{key, p.disk[key]})
	}
	return list
}

// value parses the value of a record: hexadecimal, or a message.
func (p *player) value(text string) []byte {
	if topic, isMessage := strings.CutPrefix(text, "message:"); isMessage {
		return messageRecord(newMessage(2, topic, "", 0, 0))
	}
	value := []byte{}
	for text := range slices.Chunk([]byte(text), 2) {
		value = append(value, byte(p.number("0x"+string(text))))
	}
	return value
}

// messageRecord returns the record of a message.
func messageRecord(m *Message) []byte {
	s := New(Config{Now: time.Now, Journal: true, Queue: Queue{Offline: true, OfflineQoS0: true, Messages: 1, Bytes: 1 << 28}})
	s.limits.Alias = 65535
	if err := s.Publish(m); err != nil {
		panic(err)
	}
	return s.Ready().Writes[0].Records[0].Value
}

func (p *player) state() {
	s := p.s
	list := func(name string, l *list) {
		topics := fmt.Sprintf("%s: %d messages, %d bytes:", name, l.n, l.bytes)
		for m := l.first; m != nil; m = m.next {
			topics += " " + string(m.topic())
		}
		if l.n > 0 {
			p.say("%s", topics)
		}
	}
	list("queue", &s.queue)
	list("in flight", &s.flight)
	for _, id := range slices.Sorted(maps.Keys(s.in)) {
		p.say("incoming %d", id)
	}
	for _, w := range s.subscriptions.list {
		switch {
		case !s.Subscribed(w.Topic):
			p.say("subscription %s, unwanted", w.Topic)
		case !w.granted:
			p.say("subscription %s, not granted", w.Topic)
		default:
			p.say("subscription %s", w.Topic)
		}
	}
	if s.Subscribing() {
		p.say("subscribing again")
	}
	if s.Idle() {
		p.say("idle")
	}
}

// writeWords describes what a write changes in the journal.
func writeWords(w Write) string {
	var words []string
	whole := map[uint64]bool{} // messages that are deleted with all their records
	for _, r := range w.Records {
		kind, number, ok := parseKey(r.Key)
		message, deleted := fmt.Sprintf("message %d", number), r.Value == nil
		switch {
		case !ok && deleted:
			words = append(words, fmt.Sprintf("delete %q", r.Key))
		case !ok:
			words = append(words, fmt.Sprintf("%q is %x", r.Key, r.Value))
		case kind == keptIncoming && deleted:
			words = append(words, fmt.Sprintf("delete incoming %d", number))
		case kind == keptIncoming:
			words = append(words, fmt.Sprintf("incoming %d", number))
		case kind == keptHeld && deleted:
			words = append(words, fmt.Sprintf("identifier %d is free", number))
		case kind == keptHeld:
			words = append(words, fmt.Sprintf("identifier %d may be held", number))
		case deleted && whole[number]:
		case kind == keptMessage && deleted:
			words, whole[number] = append(words, "delete "+message), true
		case kind == keptMessage && parseMessage(r.Value) == nil:
			words = append(words, message+" is broken")
		case kind == keptMessage:
			m := parseMessage(r.Value)
			if m.qos() > 0 {
				m.setID(0)
			}
			words = append(words, message+" is "+frameWords(m.frame)[0])
		case deleted && kind == keptSent:
			words = append(words, message+" has no identifier")
		case deleted:
			words = append(words, message+" has no PUBREC")
		case kind == keptSent:
			words = append(words, fmt.Sprintf("%s has identifier %d", message, uint16(r.Value[0])<<8|uint16(r.Value[1])))
		default:
			words = append(words, message+" has PUBREC")
		}
	}
	return strings.Join(words, ", ")
}

// frameWords describes the client's packets in a frame.
func frameWords(frame []byte) (words []string) {
	for len(frame) > 0 {
		length, size, _, _ := wire.Varint(frame[1:])
		packet := frame[:1+size+length]
		frame = frame[len(packet):]
		words = append(words, packetWords(packet[0], packet[1+size:], packet))
	}
	return words
}

func packetWords(header byte, body, packet []byte) string {
	name := wire.TypeName(header >> 4)
	switch header >> 4 {
	case wire.TypePublish:
		return publishWords(header, body)
	case wire.TypeSubscribe, wire.TypeUnsubscribe:
		control, err := packets.ReadPacket(bytes.NewReader(packet))
		if err != nil {
			return name + " " + err.Error()
		}
		words := []string{name, fmt.Sprint(control.PacketID())}
		if u, ok := control.Content.(*packets.Unsubscribe); ok {
			return strings.Join(append(words, u.Topics...), " ")
		}
		subscribe := control.Content.(*packets.Subscribe)
		for _, sub := range subscribe.Subscriptions {
			words = append(words, sub.Topic, fmt.Sprintf("qos%d", sub.QoS))
			if sub.RetainHandling > 0 {
				words = append(words, fmt.Sprintf("retain-handling=%d", sub.RetainHandling))
			}
		}
		if id := subscribe.Properties.SubscriptionIdentifier; id != nil {
			words = append(words, fmt.Sprintf("identifier=%d", *id))
		}
		return strings.Join(words, " ")
	}
	a, err := wire.ParseAck(header>>4, body)
	switch {
	case err != nil:
		return name + " " + err.Error()
	case a.Reason > 0:
		return fmt.Sprintf("%s %d, %s", name, a.ID, wire.ReasonName(a.Reason))
	}
	return fmt.Sprintf("%s %d", name, a.ID)
}

func publishWords(header byte, body []byte) string {
	words := []string{"PUBLISH"}
	withID := bytes.Clone(body)
	none := false // no identifier: the journal leaves it 0
	if header&6 > 0 {
		at := 2 + int(body[0])<<8 + int(body[1])
		if none = body[at] == 0 && body[at+1] == 0; none {
			withID[at] = 1
		}
	}
	var m wire.Publish
	if err := wire.ParsePublish(header, withID, &m); err != nil {
		return "PUBLISH " + err.Error()
	}
	if m.QoS() > 0 && !none {
		words = append(words, fmt.Sprint(m.ID))
	}
	words = append(words, fmt.Sprintf("qos%d", m.QoS()))
	if m.Duplicate() {
		words = append(words, "dup")
	}
	if m.Retain() {
		words = append(words, "retain")
	}
	if m.Alias > 0 {
		words = append(words, fmt.Sprintf("alias%d", m.Alias))
	}
	if len(m.Topic) > 0 {
		words = append(words, string(m.Topic))
	} else {
		words = append(words, "-")
	}
	switch {
	case len(m.Payload) > 20:
		words = append(words, fmt.Sprintf("%d bytes", len(m.Payload)))
	case len(m.Payload) > 0:
		words = append(words, fmt.Sprintf("%q", m.Payload))
	}
	if expiry := wire.UnpackProperties(m.Properties, wire.TypePublish).MessageExpiry; expiry != nil {
		words = append(words, fmt.Sprintf("expiry=%d", *expiry))
	}
	return strings.Join(words, " ")
}

func subackWords(kind, reason byte) string {
	if kind == wire.TypeSuback && reason < 3 {
		return fmt.Sprintf("granted qos%d", reason)
	}
	return wire.ReasonName(reason)
}

func errorWords(err error) string {
	var e *wire.Error
	switch {
	case !errors.As(err, &e):
		return err.Error()
	case e.ReasonCode > 0 && strings.HasPrefix(e.Message, "resubscribe"):
		return fmt.Sprintf("%s: %s", e.Code, e.Message)
	case e.ReasonCode > 0:
		return fmt.Sprintf("%s: %s", e.Code, wire.ReasonName(e.ReasonCode))
	case e.Reason > 0:
		return fmt.Sprintf("%s: %s (DISCONNECT 0x%02X)", e.Code, e.Message, wire.DisconnectReason(e))
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}
