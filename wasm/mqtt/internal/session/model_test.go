package session

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// TestModel connects a session with a [modelBroker], under cuts between any two bytes,
// program crashes, sessions that the broker forgets, slow stores and slow receivers.
// MQTT_SEED replays a run; MQTT_ROUNDS sets its length.
func TestModel(t *testing.T) {
	seed, rounds := mqtttest.Environment(t, "MQTT_SEED", uint64(rand.Uint32())), mqtttest.Environment(t, "MQTT_ROUNDS", 300)
	for ; rounds > 0 && !t.Failed(); rounds-- {
		m := newModel(t, seed)
		for range 400 {
			if m.step(); t.Failed() {
				break
			}
		}
		if m.finish(); t.Failed() {
			t.Logf("again with MQTT_SEED=%d MQTT_ROUNDS=1; %+v", seed, m.mode)
		}
		seed++
	}
}

// modelMode is what may happen in a round.
type modelMode struct {
	Journal   bool // and crashes
	Offline   bool
	Republish bool
	Forget    bool // the broker forgets the session
	NoExpiry  bool // the session ends with the connection
	Lose      bool // CONNACK may be lost
}

// model is one round.
type model struct {
	t      *testing.T
	rng    *rand.Rand
	mode   modelMode
	config Config
	now    time.Time
	s      *Session
	broker *modelBroker

	connected bool
	up, down  []byte // in transit
	woken     bool   // the writer was woken
	writing   []byte // what the writer has taken
	moved     int    // bytes of it that were written
	spans     []modelSpan

	disk   map[string][]byte
	writes []Write

	published []*modelPublish
	flying    map[string]bool // payloads of which a byte was written in this session: when resent, they must have DUP
	calls     []*modelCall
	inbox     []modelReceived // not taken
	handedOut map[string]int  // payloads of the broker's messages
	lost      int             // sessions
	crashed   bool
}

// modelSpan is the position of a message in writing.
type modelSpan struct {
	start   int
	payload string
}

// modelPublish is a message of the client, and its owner.
type modelPublish struct {
	model   *model
	message *Message
	qos     byte
	payload string
	settled bool
	err     error
}

func (p *modelPublish) Settle(_ Result, err error) {
	if p.settled {
		p.model.t.Errorf("%s is settled twice", p.payload)
	}
	p.settled, p.err = true, err
}

// modelCall is a SUBSCRIBE or UNSUBSCRIBE.
type modelCall struct {
	call    *Call
	settled bool
	err     error
	reasons []byte
}

type modelReceived struct {
	payload string
	receipt Receipt
}

// refusedFilter is a topic filter that the broker refuses.
const refusedFilter = "refused"

func newModel(t *testing.T, seed uint64) *model {
	rng := rand.New(rand.NewPCG(seed, 0))
	coin := func() bool { return rng.IntN(2) == 0 }
	m := &model{
		t: t, rng: rng, now: time.Unix(1e9, 0), broker: newModelBroker(t),
		disk: map[string][]byte{}, flying: map[string]bool{}, handedOut: map[string]int{},
		mode: modelMode{Journal: coin(), Offline: coin(), Republish: coin(), Forget: coin(), NoExpiry: rng.IntN(4) == 0, Lose: coin()},
	}
	if m.mode.Journal { // a new program cannot know what it lost
		m.mode.Forget, m.mode.NoExpiry = false, false
	}
	m.config = Config{
		Now: func() time.Time { return m.now }, Keep: m.mode.Journal, Journal: m.mode.Journal, ReceiveMaximum: 1 + rng.IntN(5),
		AliasMaximum: 3, AutoAlias: coin(), Republish: m.mode.Republish, BatchSize: 1 + rng.IntN(3),
		Queue: Queue{Offline: m.mode.Offline, OfflineQoS0: m.mode.Offline, Messages: 1000, Bytes: 1 << 20},
	}
	m.broker.clientMaximum = m.config.ReceiveMaximum
	m.begin()
	return m
}

// begin starts a program.
func (m *model) begin() {
	m.config.FirstID = uint16(m.rng.Uint32())
	m.s = New(m.config)
	m.connected, m.woken, m.up, m.down = false, false, nil, nil
	m.writing, m.moved, m.spans, m.inbox, m.writes = nil, 0, nil, nil, nil
}

// step performs one random event.
func (m *model) step() {
	if !m.connected && m.rng.IntN(4) == 0 {
		m.connect(m.mode.Lose)
	}
	switch n := m.rng.IntN(100); {
	case n < 12:
		m.publish()
	case n < 20:
		m.broker.publish(byte(m.rng.IntN(3)), fmt.Sprintf("from %d", m.rng.Uint64()))
	case n < 26:
		m.call()
	case n < 28:
		m.giveUp()
	case n < 60:
		m.write()
	case n < 70:
		m.receive()
	case n < 80:
		m.send()
	case n < 88:
		m.take()
	case n < 96:
		m.store()
	case n < 99:
		m.cut()
	case m.mode.Journal:
		m.crash()
	}
	m.flush()
}

// flush carries out what the session asks for.
func (m *model) flush() {
	for m.s.Busy() {
		r := m.s.Ready()
		m.writes = append(m.writes, r.Writes...)
		for i := range r.Settled {
			r.Settled[i].Tell()
		}
		for _, err := range r.Failures {
			if code := errorCode(err); code != wire.Refused && (code != wire.Network || !m.mode.Journal) {
				m.t.Errorf("told: %v", err)
			}
		}
		m.woken = m.woken || r.Send
	}
	if err := consistent(m.s); err != nil {
		m.t.Error(err)
	}
}

// connect makes a connection, unless its CONNACK is lost.
func (m *model) connect(lose bool) {
	if m.rng.IntN(20) == 0 && m.mode.Forget {
		m.now = m.now.Add(2000 * time.Second) // the session expires
	}
	clean := m.s.Open()
	m.flush()
	if clean {
		m.sessionLost()
	}
	forgets := m.broker.exists && m.mode.Forget && m.rng.IntN(4) == 0
	present := m.broker.connect(clean || forgets)
	if lose && m.rng.IntN(4) == 0 {
		m.broker.secretive = m.broker.secretive || forgets
		m.s.Lost(errors.New("no CONNACK"))
		return
	}
	m.broker.receiveMaximum = 1 + m.rng.IntN(4)
	c := &wire.Connack{SessionPresent: present}
	c.Properties.ReceiveMaximum = new(uint16(m.broker.receiveMaximum))
	c.Properties.TopicAliasMaximum = new(uint16(2))
	c.Properties.MaximumPacketSize = new(uint32(60 + m.rng.IntN(100)))
	expiry := uint32(1000)
	if m.mode.NoExpiry {
		expiry = 0
	}
	if err := m.s.Connected(c, expiry); err != nil {
		m.t.Error(err)
	}
	if !present {
		m.sessionLost()
	}
	m.connected, m.woken, m.up, m.down = true, false, nil, nil
	m.flush()
}

func (m *model) sessionLost() {
	clear(m.flying)
	m.lost++
}

func (m *model) publish() {
	p := &modelPublish{model: m, qos: byte(m.rng.IntN(3)), payload: fmt.Sprintf("to %d", len(m.published))}
	topic := fmt.Sprintf("topic/%d", m.rng.IntN(4))
	p.message = newMessage(p.qos, topic, p.payload, uint32(m.rng.IntN(2)*1_000_000), 0)
	p.message.Owner, p.message.OnStored = p, m.mode.Journal && m.rng.IntN(2) == 0
	if err := m.s.Publish(p.message); err == nil {
		m.published = append(m.published, p)
	} else if m.connected || m.mode.Offline {
		m.t.Errorf("publish: %v", err)
	}
}

func (m *model) giveUp() {
	if len(m.published) == 0 {
		return
	}
	if p := m.published[m.rng.IntN(len(m.published))]; !p.settled {
		m.s.GiveUp(p.message, wire.NewError(wire.Aborted, "given up"))
	}
}

// call subscribes, unsubscribes, or abandons a SUBSCRIBE.
func (m *model) call() {
	if m.rng.IntN(6) == 0 && len(m.calls) > 0 {
		if c := m.calls[m.rng.IntN(len(m.calls))]; !c.settled && c.call.Filters == nil {
			m.s.Abandon(c.call, wire.NewError(wire.Timeout, "abandoned"))
		}
		return
	}
	var filters []string
	for range 1 + m.rng.IntN(3) {
		filter := fmt.Sprintf("filter/%d", m.rng.IntN(8))
		if m.rng.IntN(10) == 0 {
			filter = refusedFilter
		}
		if !slices.Contains(filters, filter) {
			filters = append(filters, filter)
		}
	}
	c := &modelCall{call: &Call{}}
	c.call.Settle = func(a *wire.Suback, err error) {
		if c.settled {
			m.t.Errorf("%+v is settled twice", c)
		}
		if c.settled, c.err = true, err; err == nil {
			c.reasons = a.Reasons
		}
	}
	if m.rng.IntN(3) == 0 {
		c.call.Filters = filters
	} else {
		c.call.Identifier = m.rng.IntN(3)
		for _, filter := range filters {
			c.call.Subscriptions = append(c.call.Subscriptions, packets.SubOptions{Topic: filter, QoS: byte(m.rng.IntN(3))})
		}
	}
	if err := m.s.Subscribe(c.call); err != nil {
		c.settled, c.err = true, err
	}
	m.calls = append(m.calls, c)
}

// take takes some messages from the inbox, not always the first.
func (m *model) take() bool {
	if len(m.inbox) == 0 {
		return false
	}
	from := m.rng.IntN(len(m.inbox))
	to := from + 1 + m.rng.IntN(len(m.inbox)-from)
	var receipts []Receipt
	for _, r := range m.inbox[from:to] {
		receipts = append(receipts, r.receipt)
		for _, o := range m.broker.out {
			o.taken = o.taken || o.payload == r.payload
		}
	}
	m.inbox = slices.Delete(m.inbox, from, to)
	m.s.Taken(receipts)
	m.flush()
	return true
}

// store completes the oldest write.
func (m *model) store() bool {
	if len(m.writes) == 0 {
		return false
	}
	m.apply(m.writes[0])
	m.writes = m.writes[1:]
	m.s.Stored(nil)
	m.flush()
	return true
}

func (m *model) apply(w Write) {
	for _, r := range w.Records {
		if r.Value == nil {
			delete(m.disk, r.Key)
		} else {
			m.disk[r.Key] = r.Value
		}
	}
}

// crash ends the program. Only some of its writes have reached the store.
func (m *model) crash() {
	if m.writing != nil {
		m.move(m.rng.IntN(len(m.writing) - m.moved + 1))
	}
	m.part()
	for _, w := range m.writes[:m.rng.IntN(len(m.writes)+1)] {
		m.apply(w)
	}
	for _, p := range m.published {
		if !p.settled {
			p.settled, p.err = true, errCrashed
		}
	}
	m.crashed, m.calls = true, nil
	m.begin()
	var records []Record
	for _, key := range slices.Sorted(maps.Keys(m.disk)) {
		records = append(records, Record{key, m.disk[key]})
	}
	m.s.Restore(records)
}

var errCrashed = errors.New("crashed")
