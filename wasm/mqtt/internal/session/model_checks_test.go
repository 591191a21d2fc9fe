package session

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// inspect checks packets before they are written.
func (m *model) inspect(frame []byte) {
	for at := 0; at < len(frame); {
		length, size, _, _ := wire.Varint(frame[at+1:])
		end := at + 1 + size + length
		header, body := frame[at], frame[at+1+size:end]
		kind := header >> 4
		if kind == wire.TypePublish {
			m.inspectPublish(header, body, len(m.writing)+at)
		} else if a, err := wire.ParseAck(kind, body); err == nil && m.mode.Journal {
			m.inspectAck(a)
		}
		at = end
	}
}

func (m *model) inspectPublish(header byte, body []byte, start int) {
	var p wire.Publish
	if err := wire.ParsePublish(header, body, &p); err != nil {
		m.t.Error(err)
		return
	}
	payload := string(p.Payload)
	m.spans = append(m.spans, modelSpan{start, payload})
	flying := m.flying[payload]
	if p.QoS() > 0 && (flying && !p.Duplicate() || !flying && p.Duplicate() && !m.crashed) { // [MQTT-3.3.1-1]
		m.t.Errorf("%s leaves with DUP %v, and has left before: %v", payload, p.Duplicate(), flying)
	}
	if p.QoS() == 0 && flying { // 4.3.1
		m.t.Errorf("%s leaves twice", payload)
	}
	if o := m.s.out[p.ID]; m.mode.Journal && p.QoS() > 0 && (!m.stored(keptMessage, o.seq) || !m.stored(keptSent, o.seq)) {
		m.t.Errorf("%s leaves, and is not in the store", payload)
	}
}

func (m *model) inspectAck(a wire.Ack) {
	o := m.s.out[a.ID]
	switch {
	case a.Kind == wire.TypePubrel && o != nil && !o.clearing && !m.stored(keptReleased, o.seq):
		m.t.Errorf("PUBREL %d leaves, and that PUBREC came is not in the store", a.ID)
	case a.Kind == wire.TypePubrec && a.Reason == 0 && !m.stored(keptIncoming, uint64(a.ID)):
		m.t.Errorf("PUBREC %d leaves, and is not in the store", a.ID)
	case a.Kind == wire.TypePubcomp && a.Reason == 0 && m.stored(keptIncoming, uint64(a.ID)):
		m.t.Errorf("PUBCOMP %d leaves, and is still in the store", a.ID)
	}
}

func (m *model) stored(kind byte, number uint64) bool {
	_, ok := m.disk[journalKey(kind, number)]
	return ok
}

// finish lets everything complete, and checks the result.
func (m *model) finish() {
	if m.t.Failed() {
		return
	}
	if !m.connected {
		m.connect(false)
	}
	for idle := 0; idle < 20; idle++ { // some steps do nothing, by chance
		if m.writing != nil || m.woken {
			idle = 0
		}
		m.write()
		m.flush()
		if m.receive() || m.send() || m.take() || m.store() {
			idle = 0
		}
		if m.t.Failed() {
			return
		}
	}
	m.checkEmpty()
	m.checkPublished()
	m.checkSubscriptions()
}

func (m *model) checkEmpty() {
	if !m.s.Idle() || m.s.Subscribing() || len(m.s.in) > 0 && !m.broker.secretive || len(m.s.out) > 0 || len(m.disk) > 0 || len(m.broker.out) > 0 || len(m.broker.in) > 0 {
		m.t.Errorf("at the end: idle %v, subscribing %v, incoming %v, outgoing %v, in the store %v, the broker has %v and %v",
			m.s.Idle(), m.s.Subscribing(), m.s.in, m.s.out, m.disk, m.broker.out, m.broker.in)
	}
	for _, p := range m.published {
		if !p.settled {
			m.t.Errorf("%s was never settled", p.payload)
		}
	}
}

func (m *model) checkPublished() {
	order := map[string]int{}
	for i, p := range m.published {
		order[p.payload] = i
		n := m.broker.delivered[p.payload]
		lost := errorCode(p.err) == wire.SessionLost
		switch {
		case n == 0 && p.err == nil && p.qos > 0:
			m.t.Errorf("%s, QoS %d, is lost, although it succeeded", p.payload, p.qos)
		case n > 1 && p.qos == 2 && !m.broker.secretive && (!m.mode.Republish || m.lost == 0):
			m.t.Errorf("%s arrived %d times at QoS 2", p.payload, n)
		case n > 1 && p.qos == 0:
			m.t.Errorf("%s arrived %d times at QoS 0", p.payload, n)
		case n > 0 && errorCode(p.err) == wire.NotConnected && !m.crashed:
			m.t.Errorf("%s arrived, although it was not sent: %v", p.payload, p.err)
		case lost && (m.mode.Republish || m.lost == 0):
			m.t.Errorf("%s failed with its session: %v", p.payload, p.err)
		}
	}
	last := 0
	for _, payload := range m.broker.order { // 4.6
		at := order[payload]
		if err := m.published[at].err; m.crashed && err != nil && !errors.Is(err, errCrashed) {
			continue // taken back, but the crash came before the store knew
		}
		if at < last {
			m.t.Errorf("%s arrived after %s", payload, m.published[last].payload)
		}
		last = at
	}
}

func errorCode(err error) wire.Code {
	if e := (*wire.Error)(nil); errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// checkSubscriptions applies the calls in their order: a failed SUBSCRIBE has no
// effect, and an UNSUBSCRIBE takes effect whatever its outcome.
func (m *model) checkSubscriptions() {
	if m.crashed { // a new program knows nothing of them
		return
	}
	wanted := map[string]byte{}
	for _, c := range m.calls {
		for _, filter := range c.call.Filters {
			delete(wanted, filter)
		}
		for i, sub := range c.call.Subscriptions {
			if c.err == nil && c.reasons[i] < wire.ReasonUnspecified {
				wanted[sub.Topic] = sub.QoS
			}
		}
	}
	words := func(subs map[string]byte) string {
		var list []string
		for _, filter := range slices.Sorted(maps.Keys(subs)) {
			list = append(list, fmt.Sprintf("%s qos%d", filter, subs[filter]))
		}
		return strings.Join(list, ", ")
	}
	if got, want := words(m.broker.subs), words(wanted); got != want {
		m.t.Errorf("subscriptions at the broker: %s; want %s", got, want)
	}
}
