package session

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
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

// write is the writer: it takes packets, or writes some bytes of those it has.
func (m *model) write() {
	switch {
	case !m.connected:
	case m.writing != nil:
		n := min(1+m.rng.IntN(60), len(m.writing)-m.moved)
		m.move(n)
		if m.moved == len(m.writing) && m.rng.IntN(3) > 0 {
			m.written()
		}
	case m.woken:
		frames := m.s.Next(nil, 1+m.rng.IntN(200))
		m.flush()
		m.woken = len(frames) > 0
		for _, frame := range frames {
			m.inspect(frame)
			m.writing = append(m.writing, frame...)
		}
	}
}

// move writes some bytes.
func (m *model) move(n int) {
	m.up = append(m.up, m.writing[m.moved:m.moved+n]...)
	m.moved += n
	for _, span := range m.spans {
		if span.start < m.moved {
			m.flying[span.payload] = true
		}
	}
}

func (m *model) written() {
	if m.writing != nil {
		m.s.Written(m.moved)
	}
	m.writing, m.moved, m.spans = nil, 0, nil
}

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

// packet removes the first complete packet from a stream; nil: there is none.
func packet(stream *[]byte) []byte {
	s := *stream
	if len(s) < 2 {
		return nil
	}
	length, size, ok, _ := wire.Varint(s[1:])
	if end := 1 + size + length; ok && end <= len(s) {
		*stream = s[end:]
		return s[:end]
	}
	return nil
}

// receive lets the broker read a packet.
func (m *model) receive() (any bool) {
	p := packet(&m.up)
	if p != nil {
		m.broker.receive(p)
	}
	return p != nil
}

// send lets the broker write packets, and the client read one.
func (m *model) send() (any bool) {
	if !m.connected {
		return false
	}
	for range 1 + m.rng.IntN(3) {
		if p := m.broker.send(m.rng); p != nil {
			m.down = append(m.down, p...)
			any = true
		}
	}
	return m.read() || any
}

// read lets the client read a packet.
func (m *model) read() bool {
	p := packet(&m.down)
	if p == nil {
		return false
	}
	_, size, _, _ := wire.Varint(p[1:])
	header, body := p[0], p[1+size:]
	var err error
	switch kind := header >> 4; kind {
	case wire.TypePublish:
		var publish wire.Publish
		if err = wire.ParsePublish(header, body, &publish); err == nil {
			err = m.readPublish(&publish)
		}
	case wire.TypeSuback, wire.TypeUnsuback:
		var a *wire.Suback
		if a, err = wire.ParseSuback(kind, body); err == nil {
			err = m.s.Suback(a)
		}
	default:
		var a wire.Ack
		if a, err = wire.ParseAck(kind, body); err == nil {
			err = m.s.Ack(a)
		}
	}
	if err != nil {
		m.t.Errorf("%x: %v", p, err)
	}
	m.flush()
	return true
}

func (m *model) readPublish(p *wire.Publish) error {
	_, receipt, fresh, err := m.s.Received(p)
	if err != nil || !fresh {
		return err
	}
	payload := string(p.Payload)
	m.handedOut[payload]++
	if receipt > 0 {
		m.inbox = append(m.inbox, modelReceived{payload, receipt})
	}
	doubled := m.handedOut[payload] > 1 && !m.crashed && !m.broker.secretive
	for _, o := range m.broker.out {
		if o.payload == payload && o.received { // the client has sent PUBREC
			doubled = true
		}
	}
	if p.QoS() == 2 && doubled { // [MQTT-4.3.3-10]
		m.t.Errorf("%s is handed out twice", payload)
	}
	return nil
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

// part delivers some of the bytes in transit before the connection is cut.
func (m *model) part() {
	m.up, m.down = m.up[:m.rng.IntN(len(m.up)+1)], m.down[:m.rng.IntN(len(m.down)+1)]
	for m.receive() {
	}
}

// cut cuts the connection, between any two bytes.
func (m *model) cut() {
	if !m.connected {
		return
	}
	if m.writing != nil {
		m.move(m.rng.IntN(len(m.writing) - m.moved + 1))
	}
	m.part()
	for m.read() {
	}
	m.written()
	m.connected = false
	m.s.Lost(wire.NewError(wire.Network, "cut"))
	if m.mode.NoExpiry {
		m.broker.forget()
		m.sessionLost()
	}
	m.flush()
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
