package session

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

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
