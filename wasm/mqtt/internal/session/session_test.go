package session

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// TestSession plays the files in testdata. Each covers one clause or fault, and
// consists of commands and what the session does after each:
//
//	new              a session. Options: early, keep, journal, prompt (the store
//	                 completes at once), offline, offline-qos0, republish,
//	                 auto-alias, forget-subscriptions, drop-oldest, drop-newest,
//	                 and with a number receive-maximum, alias-maximum, batch-size,
//	                 messages, bytes, first-id
//	open             CONNECT is about to be sent
//	connected        CONNACK. Options: session-present, and with a number what the
//	                 broker states, such as receive-maximum or maximum-qos
//	connect          both, with the options of connected
//	publish a b      messages; the name of each is also its topic. Options: qos,
//	                 payload, size (of the payload), expiry, alias, retain, stored
//	give-up a        its owner abandons it
//	subscribe a b    one SUBSCRIBE, called "subscribe a b". Options: qos, identifier,
//	                 retain-handling
//	unsubscribe a b  one UNSUBSCRIBE
//	abandon          the caller of this call abandons it
//	write            the writer takes everything and writes it. Options: max; or
//	                 bytes: it takes once, writes that many bytes, and fails
//	next, written    the two halves of write: take once; that many bytes, or all,
//	                 were written
//	last-id          the last packet identifier used
//	receive          a packet, in words
//	taken a b        the application has the messages on these topics
//	stored           the store completes its oldest write, this many, or all;
//	                 error: it failed
//	lost             the connection is lost
//	clock 5s         this much time passes
//	expire           the expiry timer fires
//	restore          the program crashes, and the next one starts with what is in
//	                 the store. Option: written, the number of writes that were
//	                 completed but not reported
//	record           puts a record into the store
//	journal          the contents of the store
//	state            the session's state
//	end              the client ends
//
// "wake" means that the writer, which sleeps, is to be woken.
func TestSession(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		p := &player{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), disk: map[string][]byte{}}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			p.t, p.out = t, nil
			p.play(d)
			p.flush()
			if p.s != nil {
				if err := consistent(p.s); err != nil {
					t.Errorf("%s: %v", d.Pos, err)
				}
			}
			if len(p.out) == 0 {
				return "nothing\n"
			}
			return strings.Join(p.out, "\n") + "\n"
		})
	})
}

// player drives one session.
type player struct {
	t        *testing.T
	config   Config
	prompt   bool
	s        *Session
	now      time.Time
	messages map[string]*Message
	calls    map[string]*Call
	receipts map[string]Receipt // by topic
	disk     map[string][]byte
	writes   []Write  // which the store has not completed
	woken    bool     // the writer was woken
	next     [][]byte // what the writer has taken
	out      []string
}

func (p *player) say(format string, args ...any) { p.out = append(p.out, fmt.Sprintf(format, args...)) }

// flush carries out what the session asks for, and records it.
func (p *player) flush() {
	for p.s != nil && p.s.Busy() {
		r := p.s.Ready()
		for _, w := range r.Writes {
			p.writes = append(p.writes, w)
			p.say("journal: %s", writeWords(w))
		}
		for i := range r.Settled {
			r.Settled[i].Tell()
		}
		for _, err := range r.Failures {
			p.say("told: %s", errorWords(err))
		}
		if r.Send {
			if !p.woken {
				p.say("wake")
			}
			p.woken = true
		}
		if p.prompt {
			for len(p.writes) > 0 {
				p.stored(nil)
			}
		}
	}
}

// options reads a command's options into variables, and returns its other arguments.
func (p *player) options(d *datadriven.TestData, into map[string]any) (rest []string) {
	for _, arg := range d.CmdArgs {
		to, ok := into[arg.Key]
		switch to := to.(type) {
		case *bool:
			*to = true
		case *int:
			*to = int(p.number(arg.Vals[0]))
		case *string:
			*to = arg.Vals[0]
		case **byte:
			*to = new(byte(p.number(arg.Vals[0])))
		case **uint16:
			*to = new(uint16(p.number(arg.Vals[0])))
		case **uint32:
			*to = new(uint32(p.number(arg.Vals[0])))
		}
		if !ok && len(arg.Vals) > 0 {
			d.Fatalf(p.t, "what is %s?", arg)
		} else if !ok {
			rest = append(rest, arg.Key)
		}
	}
	return rest
}

func (p *player) number(text string) uint64 {
	n, err := strconv.ParseUint(text, 0, 32)
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

func (p *player) play(d *datadriven.TestData) {
	none := map[string]any{}
	switch d.Cmd {
	case "new":
		p.create(d)
	case "open":
		p.open()
	case "connected":
		p.connected(d)
	case "connect":
		p.open()
		p.flush()
		p.connected(d)
	case "publish":
		p.publish(d)
	case "give-up":
		for _, name := range p.options(d, none) {
			p.s.GiveUp(p.messages[name], wire.NewError(wire.Aborted, "given up"))
		}
	case "subscribe", "unsubscribe":
		p.call(d)
	case "abandon":
		p.s.Abandon(p.calls[strings.Join(p.options(d, none), " ")], wire.NewError(wire.Timeout, "abandoned"))
	case "write":
		p.write(d)
	case "next":
		most := 1 << 14
		p.options(d, map[string]any{"max": &most})
		p.take(most)
		for _, frame := range p.next {
			p.out = append(p.out, frameWords(frame)...)
		}
	case "written":
		p.written(p.options(d, none)[0])
	case "last-id":
		p.s.lastID = uint16(p.number(p.options(d, none)[0]))
	case "receive":
		p.receive(p.options(d, none))
	case "taken":
		var receipts []Receipt
		for _, name := range p.options(d, none) {
			receipts = append(receipts, p.receipts[name])
		}
		p.s.Taken(receipts)
	case "stored":
		p.reportStored(d)
	case "lost":
		p.s.Lost(wire.NewError(wire.Network, "the network broke"))
		p.woken, p.next = false, nil
	case "clock":
		by, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			d.Fatalf(p.t, "%v", err)
		}
		p.now = p.now.Add(by)
		if at, ok := p.s.Deadline(); ok {
			p.say("a message expires in %v", at.Sub(p.now))
		}
	case "expire":
		p.s.Expire()
	case "restore":
		var written int
		p.options(d, map[string]any{"written": &written})
		for _, w := range p.writes[:written] {
			p.apply(w)
		}
		p.begin()
		p.s.Restore(p.records())
	case "record":
		var value string
		key := p.options(d, map[string]any{"value": &value})
		p.disk[strings.Join(key, "")] = p.value(value)
	case "journal":
		for _, r := range p.records() {
			p.say("%s", writeWords(Write{[]Record{r}}))
		}
	case "state":
		p.state()
	case "end":
		p.s.End(wire.NewError(wire.NotConnected, "the client has ended"))
	default:
		d.Fatalf(p.t, "unknown command")
	}
}

func (p *player) create(d *datadriven.TestData) {
	c := Config{ReceiveMaximum: 65535, BatchSize: 8, Queue: Queue{Messages: 1000, Bytes: 1 << 20}}
	var first int
	p.options(d, map[string]any{
		"early": &c.Early, "keep": &c.Keep, "journal": &c.Journal, "prompt": &p.prompt, "republish": &c.Republish, "auto-alias": &c.AutoAlias,
		"forget-subscriptions": &c.ForgetSubscriptions, "offline": &c.Queue.Offline, "offline-qos0": &c.Queue.OfflineQoS0,
		"drop-oldest": &c.Queue.DropOldest, "drop-newest": &c.Queue.DropNewest, "receive-maximum": &c.ReceiveMaximum,
		"alias-maximum": &c.AliasMaximum, "batch-size": &c.BatchSize, "messages": &c.Queue.Messages, "bytes": &c.Queue.Bytes,
		"first-id": &first,
	})
	c.FirstID, c.Now = uint16(first), func() time.Time { return p.now }
	p.config = c
	p.begin()
}

// begin starts a program.
func (p *player) begin() {
	p.s = New(p.config)
	p.messages, p.calls, p.receipts = map[string]*Message{}, map[string]*Call{}, map[string]Receipt{}
	p.writes, p.woken, p.next = nil, false, nil
}

func (p *player) open() {
	p.woken = false // there is a new writer
	if p.s.Open() {
		p.say("CONNECT with Clean Start")
	} else {
		p.say("CONNECT")
	}
}

func (p *player) connected(d *datadriven.TestData) {
	var c wire.Connack
	properties, expiry := &c.Properties, 1000
	p.options(d, map[string]any{
		"session-present": &c.SessionPresent, "expiry": &expiry, "granted-expiry": &properties.SessionExpiryInterval,
		"receive-maximum": &properties.ReceiveMaximum, "maximum-qos": &properties.MaximumQOS,
		"maximum-packet-size": &properties.MaximumPacketSize, "topic-alias-maximum": &properties.TopicAliasMaximum,
		"retain-available": &properties.RetainAvailable, "wildcards": &properties.WildcardSubAvailable,
		"shared": &properties.SharedSubAvailable, "identifiers": &properties.SubIDAvailable,
	})
	p.ends(p.s.Connected(&c, uint32(expiry)))
}

func (p *player) ends(err error) {
	if err != nil {
		p.say("the connection ends: %s", errorWords(err))
	}
}

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
