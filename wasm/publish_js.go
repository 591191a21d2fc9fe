package main

import (
	"encoding/binary"
	"math"
	"slices"
	"sync"
	"syscall/js"
	"time"

	"mqttwasm/wasm/mqtt"
)

// publishes are the messages of publishAll that are not settled.
type publishes struct {
	mu      sync.Mutex
	tellers []*teller
	limits  map[time.Duration]*timeLimit
}

// publishing is one message of publishAll.
type publishing struct {
	in      *publishes
	id      float64 // the caller's
	teller  *teller
	token   *mqtt.Token
	settled bool
	limit   *timeLimit // nil: none
	until   time.Time
}

// A teller reports to one caller how its publishes ended, those of one task together.
type teller struct {
	onSettled   js.Value
	outstanding int
	acks        []byte
	others      []any
	telling     bool
}

// publishAll(records, first, onSettled) publishes many messages in one call, in
// their order. records is a Uint8Array of them, one after the other:
//
//	uint32, little endian   bytes that follow in this record
//	byte                    RETAIN (bit 0), QoS (bits 1 and 2), 8: wait for the store only,
//	                        16: there are properties
//	uint32, little endian   time limit in milliseconds; 0: none
//	UTF-8 string            topic
//	uint32, little endian   bytes of the properties, and they in wire form (2.2.2);
//	                        without 16 neither
//	the rest                payload
//
// They are numbered from first on. onSettled is called with acks, a record for
// each that succeeded and where the broker said no more than that:
//
//	float64, little endian  its number
//	byte                    reason code
//
// and others, an array of PublishOutcome.
func (b *binding) publishAll(args []js.Value) any {
	p := &parser{}
	records := p.asBytes("records", p.accept("records", argument(args, 0)))
	first := p.accept("first", argument(args, 1))
	if first.Type() != js.TypeNumber {
		p.bad("first", "must be a number")
	}
	onSettled := p.accept("onSettled", argument(args, 2))
	if onSettled.Type() != js.TypeFunction {
		p.bad("onSettled", "must be a function")
	}
	messages, ok := splitRecords(records)
	if !ok {
		p.bad("records", "must be whole records in the form of publishAll")
	}
	if p.err != nil {
		return rejected(p.err)
	}
	t := b.publishes.tellerFor(onSettled, len(messages))
	now := time.Now()
	for i := range messages {
		r := &messages[i]
		c := &publishing{in: &b.publishes, id: first.Float() + float64(i), teller: t}
		c.token = b.client.PublishAsync(&r.message, mqtt.PublishOptions{Stored: r.stored, OnSettled: c.settle})
		if r.limit > 0 {
			c.in.limit(c, r.limit, now)
		}
	}
	return js.Undefined()
}

type publishRecord struct {
	message mqtt.Message
	stored  bool
	limit   time.Duration
}

// splitRecords parses the records of publishAll. The payloads point into b.
func splitRecords(b []byte) (list []publishRecord, ok bool) {
	const head = 1 + 4 + 2 // flags, limit, length of the topic
	for len(b) > 0 {
		var record, properties []byte
		if record, b, ok = cutPart(b); !ok || len(record) < head {
			return nil, false
		}
		flags, topicEnd := record[0], head+int(binary.BigEndian.Uint16(record[5:]))
		if topicEnd > len(record) || flags > 0x1F || flags>>1&3 == 3 {
			return nil, false
		}
		r := publishRecord{message: mqtt.Message{
			Topic: string(record[head:topicEnd]), Payload: record[topicEnd:], QoS: flags >> 1 & 3, Retain: flags&1 != 0,
		}, stored: flags&8 != 0, limit: milliseconds(int(binary.LittleEndian.Uint32(record[1:])))}
		if flags&16 != 0 {
			m := &r.message
			if properties, m.Payload, ok = cutPart(m.Payload); ok {
				m.Properties, ok = mqtt.DecodeProperties(properties)
			}
			if !ok || m.Properties.SubscriptionIdentifiers != nil { // [MQTT-3.3.4-6]
				return nil, false
			}
		}
		list = append(list, r)
	}
	return list, true
}

// cutPart splits b after its first part, which follows its length.
func cutPart(b []byte) (part, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	size, b := uint64(binary.LittleEndian.Uint32(b)), b[4:]
	if size > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:size], b[size:], true
}

// tellerFor returns the teller of a caller, with n more publishes to report.
func (p *publishes) tellerFor(onSettled js.Value, n int) *teller {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.tellers {
		if t.onSettled.Equal(onSettled) {
			t.outstanding += n
			return t
		}
	}
	t := &teller{onSettled: onSettled, outstanding: n}
	p.tellers = append(p.tellers, t)
	return t
}

func (c *publishing) settle(r mqtt.PublishResult, err error) {
	p, t := c.in, c.teller
	p.mu.Lock()
	c.settled = true
	if c.limit != nil {
		c.limit.remove()
	}
	if err == nil && r.ReasonString == "" && len(r.UserProperties) == 0 {
		t.acks = binary.LittleEndian.AppendUint64(t.acks, math.Float64bits(c.id))
		t.acks = append(t.acks, r.ReasonCode)
	} else {
		other := map[string]any{"id": c.id}
		if err != nil {
			other["error"] = wireError(err)
		} else {
			other["ack"] = publishAck(r)
		}
		t.others = append(t.others, other)
	}
	if !t.telling {
		t.telling = true
		go p.tell(t) // after what is being settled now
	}
	p.mu.Unlock()
}

func (p *publishes) tell(t *teller) {
	p.mu.Lock()
	acks, others := t.acks, t.others
	t.acks, t.others, t.telling = nil, nil, false
	if t.outstanding -= len(acks)/ackSize + len(others); t.outstanding == 0 {
		p.tellers = slices.DeleteFunc(p.tellers, func(other *teller) bool { return other == t })
	}
	p.mu.Unlock()
	_, err := invoke(t.onSettled, bytesValue(acks).Get("buffer"), others)
	report(err)
}

const ackSize = 8 + 1 // number, reason code

// timeLimit is shared by publishes with the same limit. They expire in the order in
// which they began, so one timer is enough.
type timeLimit struct {
	in    *publishes
	after time.Duration
	calls []*publishing // the settled ones are taken off the front
	open  int           // not settled
	timer *time.Timer   // for the first
}

func (p *publishes) limit(c *publishing, after time.Duration, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.settled {
		return
	}
	l := p.limits[after]
	if l == nil {
		l = &timeLimit{in: p, after: after}
		l.timer = time.AfterFunc(after, l.expire)
		if p.limits == nil {
			p.limits = map[time.Duration]*timeLimit{}
		}
		p.limits[after] = l
	}
	c.limit, c.until = l, now.Add(after)
	l.calls = append(l.calls, c)
	l.open++
}

// remove counts a publish that was settled. The caller holds mu.
func (l *timeLimit) remove() {
	if l.open--; l.open == 0 {
		l.timer.Stop()
		delete(l.in.limits, l.after)
		return
	}
	for l.calls[0].settled {
		l.calls = l.calls[1:]
	}
}

// expire cancels those whose time is over.
func (l *timeLimit) expire() {
	l.in.mu.Lock()
	if l.open == 0 { // and released, while this waited
		l.in.mu.Unlock()
		return
	}
	var late []*publishing
	now, next := time.Now(), l.after
	for _, c := range l.calls {
		if c.settled {
			continue
		}
		if wait := c.until.Sub(now); wait > 0 {
			next = wait
			break
		}
		late = append(late, c)
	}
	l.timer.Reset(next) // even without one: another may begin before the late ones have settled
	l.in.mu.Unlock()
	for _, c := range late {
		c.token.Cancel(&mqtt.Error{Code: mqtt.Timeout, Message: unacknowledged})
	}
}
