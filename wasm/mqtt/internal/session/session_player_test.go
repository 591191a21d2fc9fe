package session

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/datadriven"
	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

func (p *player) publish(d *datadriven.TestData) {
	var qos, size, expiry, alias int
	var payload string
	var retain, stored bool
	names := p.options(d, map[string]any{
		"qos": &qos, "payload": &payload, "size": &size, "expiry": &expiry, "alias": &alias, "retain": &retain, "stored": &stored,
	})
	if size > 0 {
		payload = strings.Repeat("x", size)
	}
	for _, name := range names {
		m := newMessage(byte(qos), name, payload, uint32(expiry), uint16(alias))
		if retain {
			m.frame[0] |= 1
		}
		m.OnStored = stored
		m.Owner = &owner{p, name, m}
		p.messages[name] = m
		if err := p.s.Publish(m); err != nil {
			p.say("%s: not taken, %s", name, errorWords(err))
		}
		p.flush()
	}
}

// newMessage makes a message. 0 means no expiry, or no alias.
func newMessage(qos byte, topic, payload string, expiry uint32, alias uint16) *Message {
	var properties packets.Properties
	if expiry > 0 {
		properties.MessageExpiry = &expiry
	}
	if alias > 0 {
		properties.TopicAlias = &alias
	}
	m := &Message{}
	frame, idAt := wire.EncodePublish(qos<<1, topic, properties.Pack(wire.TypePublish), []byte(payload))
	m.SetFrame(frame, idAt, alias)
	return m
}

// owner reports the outcome of a message.
type owner struct {
	p       *player
	name    string
	message *Message
}

func (o *owner) Settle(r Result, err error) {
	switch {
	case err != nil:
		o.p.say("%s: failed, %s", o.name, errorWords(err))
	case o.message.OnStored && o.message.qos() > 0:
		o.p.say("%s: stored", o.name)
	case o.message.qos() == 0:
		o.p.say("%s: sent", o.name)
	case r.Reason > 0:
		o.p.say("%s: acknowledged, %s", o.name, wire.ReasonName(r.Reason))
	default:
		o.p.say("%s: acknowledged", o.name)
	}
}

func (p *player) call(d *datadriven.TestData) {
	var qos, identifier, retainHandling int
	filters := p.options(d, map[string]any{"qos": &qos, "identifier": &identifier, "retain-handling": &retainHandling})
	c := &Call{Identifier: identifier}
	if d.Cmd == "unsubscribe" {
		c.Filters = filters
	} else {
		for _, filter := range filters {
			c.Subscriptions = append(c.Subscriptions, packets.SubOptions{Topic: filter, QoS: byte(qos), RetainHandling: byte(retainHandling)})
		}
	}
	name := d.Cmd + " " + strings.Join(filters, " ")
	c.Settle = func(a *wire.Suback, err error) {
		if err != nil {
			p.say("%s: failed, %s", name, errorWords(err))
			return
		}
		var said []string
		for _, reason := range a.Reasons {
			said = append(said, subackWords(a.Kind, reason))
		}
		p.say("%s: %s", name, strings.Join(said, ", "))
	}
	p.calls[name] = c
	if err := p.s.Subscribe(c); err != nil {
		p.say("%s: not taken, %s", name, errorWords(err))
	}
}

// take is the writer, which sleeps when there is nothing.
func (p *player) take(size int) {
	p.next = p.s.Next(nil, size)
	p.woken = len(p.next) > 0
}

func (p *player) write(d *datadriven.TestData) {
	most, n := 1<<14, -1
	p.options(d, map[string]any{"max": &most, "bytes": &n})
	for p.woken {
		p.take(most)
		left := n
		for _, frame := range p.next {
			note := ""
			if n >= 0 {
				if written := max(0, min(left, len(frame))); written < len(frame) {
					note = fmt.Sprintf(" (%d of %d bytes)", written, len(frame))
				}
				left -= len(frame)
			}
			for _, packet := range frameWords(frame) {
				p.say("%s%s", packet, note)
			}
		}
		p.flush() // the results of Next
		if n >= 0 {
			p.written(fmt.Sprint(n))
			return
		}
		if len(p.next) > 0 {
			p.written("all")
			p.flush()
		}
	}
	if p.take(most); len(p.next) > 0 {
		p.t.Error("there are packets, and nobody woke the writer")
	}
}

// written reports how many bytes, or that all of them, were written.
func (p *player) written(text string) {
	n := 0
	for _, frame := range p.next {
		n += len(frame)
	}
	if text != "all" {
		n = min(n, int(p.number(text)))
	}
	p.s.Written(n)
	p.next = nil
}

func (p *player) receive(words []string) {
	kind := wire.TypePublish
	for ; wire.TypeName(kind) != words[0]; kind++ {
		if kind == wire.TypeAuth {
			p.t.Fatalf("what is %s?", words[0])
		}
	}
	if kind == wire.TypePublish {
		p.received(words[1:])
		return
	}
	id, reasons := uint16(p.number(words[1])), []byte{}
	for _, word := range words[2:] {
		reasons = append(reasons, byte(p.number(word)))
	}
	if kind == wire.TypeSuback || kind == wire.TypeUnsuback {
		p.ends(p.s.Suback(&wire.Suback{Kind: kind, ID: id, Reasons: reasons}))
		return
	}
	p.ends(p.s.Ack(wire.Ack{Kind: kind, ID: id, Reason: append(reasons, 0)[0]}))
}

// received plays a PUBLISH: identifier, QoS, dup, alias, topic, payload. All but the
// last two are optional, and the topic is "-" if there is only an alias.
func (p *player) received(words []string) {
	var m wire.Publish
	var rest []string
	for _, word := range words {
		number, isNumber := strings.CutPrefix(word, "qos")
		alias, isAlias := strings.CutPrefix(word, "alias")
		switch {
		case isNumber:
			m.Flags |= byte(p.number(number)) << 1
		case isAlias:
			m.Alias = uint16(p.number(alias))
		case word == "dup":
			m.Flags |= 8
		case strings.Trim(word, "0123456789") == "":
			m.ID = uint16(p.number(word))
		default:
			rest = append(rest, word)
		}
	}
	if rest[0] != "-" {
		m.Topic = []byte(rest[0])
	}
	m.Payload = []byte(strings.Join(rest[1:], " "))
	topic, receipt, fresh, err := p.s.Received(&m)
	switch {
	case err != nil:
		p.ends(err)
	case !fresh:
		p.say("nothing new")
	default:
		p.say("a new message on %s: %q", topic, m.Payload)
		p.receipts[string(topic)] = receipt
	}
}

func (p *player) reportStored(d *datadriven.TestData) {
	n, failed := 1, false
	for _, word := range p.options(d, map[string]any{"error": &failed}) {
		if word == "all" {
			n = len(p.writes)
		} else {
			n = int(p.number(word))
		}
	}
	for range n {
		if failed {
			p.stored(errors.New("the disk is full"))
		} else {
			p.stored(nil)
		}
		p.flush()
	}
}

func (p *player) stored(err error) {
	w := p.writes[0]
	p.writes = p.writes[1:]
	if err == nil {
		p.apply(w)
	}
	p.s.Stored(err)
}

func (p *player) apply(w Write) {
	for _, r := range w.Records {
		if r.Value == nil {
			delete(p.disk, r.Key)
		} else {
			p.disk[r.Key] = r.Value
		}
	}
}
