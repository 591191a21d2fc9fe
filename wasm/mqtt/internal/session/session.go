// Package session is the session state of an MQTT 5 client (4.1) as a state machine:
// calls and packets go in; frames, results and journal entries come out. It does no I/O
// and has no goroutine, lock or clock of its own, so only one goroutine at a time may
// use it, and a test can replay it step by step.
//
// It outlives connections:
//
//	          Open              Connected
//	offline ───────► connecting ─────────► online
//	   ▲                 │ Lost              │ Lost
//	   └─────────────────┴───────────────────┘
//
// and after each call its user does what [Session.Ready] says, while the connection's
// writer takes packets from [Session.Next].
package session

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// User is a user property, as paho's codec has it.
type User = packets.User

// Config says how a session behaves.
type Config struct {
	Now     func() time.Time
	FirstID uint16 // the packet identifier before the first one used

	Keep           bool // the broker may have a session of an earlier program
	Early          bool // calls wait for the first connection, whatever Queue says
	Journal        bool // the session is in a store
	ReceiveMaximum int  // unacknowledged messages that the broker may send; more are a violation
	AliasMaximum   int  // topic aliases that the broker may set
	AutoAlias      bool // set topic aliases for what is published

	Queue               Queue
	Republish           bool // messages in flight are sent again when the session is gone
	ForgetSubscriptions bool // those of a session that is gone
	BatchSize           int  // filters in one SUBSCRIBE, when subscriptions are made again
}

// Queue bounds what waits to be sent.
type Queue struct {
	Offline, OfflineQoS0 bool // takes messages without a connection; also those of QoS 0
	Messages, Bytes      int
	DropOldest           bool // a full queue drops its oldest message,
	DropNewest           bool // or the new one, or else refuses it
}

// Ready is what a session wants to have done, in this order.
type Ready struct {
	// Writes go to the store, in order. Each is reported with Stored when it is
	// durable. Next returns no packet that depends on one before that.
	Writes []Write
	// Settled are messages and calls that have an outcome.
	Settled []Settled
	// Failures are errors that no call returns.
	Failures []error
	// Send says that Next may have packets.
	Send bool
}

// Settled is a call and its outcome. Tell tells its owner.
type Settled struct {
	message *Message
	call    *Call
	result  Result
	ack     *wire.Suback
	err     error
}

// Tell passes the outcome on.
func (s *Settled) Tell() {
	if s.message != nil {
		s.message.Owner.Settle(s.result, s.err)
	} else {
		s.call.Settle(s.ack, s.err)
	}
}

// Session is described in the package comment.
type Session struct {
	config Config
	ready  Ready

	online     bool
	exists     bool   // the broker may have it: Clean Start is the negation
	restored   bool   // from the journal
	doubtful   bool   // a CONNECT got no CONNACK: the broker may have discarded it
	unanswered bool   // a CONNECT was sent
	ended      bool   // nothing more is taken
	connection uint32 // counts connections
	expiry     uint32 // seconds for which the broker keeps it without a connection
	lostAt     time.Time
	limits     Limits

	// Outbound. A message moves from the queue to flight when it gets its packet
	// identifier.
	queue    list
	flight   list
	cursor   *Message // in flight: the first not handed out on this connection
	unsent   int      // QoS 1 and 2 PUBLISH packets from cursor on
	quota    int      // PUBLISH packets that may still be sent (4.9)
	maxQuota int
	out      map[uint16]*Message // by packet identifier
	held     map[uint16]bool     // identifiers that the broker may hold for a message that was given up
	cleared  map[uint16]bool     // identifiers that the broker can't hold any more, in a session that an earlier program left
	lastID   uint16
	handed   []*Message // since Next, until Written
	ends     []int      // where each of them ends in what Next returned, bytes
	control  int        // bytes before the first of them
	aliases  *sentAliases
	expiring expiryHeap

	// Inbound.
	acks      []byte // to be sent
	spareAcks []byte
	in        map[uint16]*incoming
	arrived   []*incoming // on this connection, not acknowledged, in their order
	received  int         // QoS 1 and 2 messages not acknowledged on this connection
	receipts  uint64      // issued so far
	topics    [][]byte    // by topic alias, as the broker set them on this connection

	subscriptions subscriptions

	lastSeq    uint64        // of the messages in the journal
	unfinished []func(error) // what follows each write, in order
}

// New makes an empty session.
func New(config Config) *Session {
	limits := newLimits(&packets.Properties{})
	limits.Alias = math.MaxUint16 // until CONNACK says it
	return &Session{
		config: config, exists: config.Keep, lastID: config.FirstID, limits: limits,
		out: map[uint16]*Message{}, held: map[uint16]bool{}, in: map[uint16]*incoming{},
		subscriptions: subscriptions{calls: map[uint16]*Call{}},
	}
}

// Ready returns what has become due since the last call.
func (s *Session) Ready() Ready {
	r := s.ready
	s.ready = Ready{}
	return r
}

// Busy reports whether Ready has anything.
func (s *Session) Busy() bool {
	r := &s.ready
	return r.Send || len(r.Settled) > 0 || len(r.Writes) > 0 || len(r.Failures) > 0
}

// Open says that CONNECT is about to be sent, and returns its Clean Start: true if
// there is no session to resume, or it has expired [MQTT-3.1.2-23].
func (s *Session) Open() (clean bool) {
	const never = 0xFFFFFFFF
	if !s.lostAt.IsZero() && s.expiry != never && s.config.Now().Sub(s.lostAt) >= time.Duration(s.expiry)*time.Second {
		s.forget()
	}
	s.doubtful = s.doubtful || s.unanswered
	s.unanswered = true
	return !s.exists
}

// Refused says that the broker has refused CONNECT, and made no session.
func (s *Session) Refused() { s.unanswered = false }

// Connected takes the CONNACK that accepts the connection, before anything that
// follows it. Expiry is what CONNECT asked for, in seconds.
func (s *Session) Connected(c *wire.Connack, expiry uint32) error {
	if c.SessionPresent && !s.exists { // [MQTT-3.2.2-2], [MQTT-3.2.2-4]
		return wire.Violation(wire.ReasonProtocolError, "Session Present after a Clean Start")
	}
	s.connection++
	s.received, s.arrived, s.acks = 0, nil, nil
	s.topics = make([][]byte, s.config.AliasMaximum+1)
	if !c.SessionPresent {
		s.forget()
	}
	doubtful := s.doubtful && c.SessionPresent
	if c.SessionPresent && s.connection == 1 && !s.restored {
		s.cleared = map[uint16]bool{}
	}
	s.exists, s.online, s.unanswered, s.doubtful = true, true, false, false
	s.expiry = wire.ValueOr(c.Properties.SessionExpiryInterval, expiry) // 3.2.2.3.2
	s.limits = newLimits(&c.Properties)
	s.maxQuota = int(wire.ValueOr(c.Properties.ReceiveMaximum, 65535))
	s.aliases = nil
	if s.config.AutoAlias {
		s.aliases = newSentAliases(s.limits)
	}
	if doubtful {
		s.subscriptions.doubtAll()
		s.doubtInbound()
	}
	s.sendAgain()
	s.reconcile(doubtful)
	s.ready.Send = true
	return nil
}

// Lost says that the connection has ended, or the attempt to make one; each Next must
// have been followed by Written. Calls that wait fail with err.
func (s *Session) Lost(err error) {
	if !s.online {
		return
	}
	s.online = false
	s.lostAt = s.config.Now()
	s.loseCalls(err)
	if s.expiry == 0 { // [MQTT-3.1.2-23]
		s.forget()
	}
	s.dropUnheld()
	s.cursor = nil
}

// forget drops the session, which the broker doesn't have (any more). What the broker
// may have received fails or is sent anew; what was never sent goes back to the queue.
func (s *Session) forget() {
	s.exists, s.cleared, s.lostAt = false, nil, time.Time{}
	var freed []Record
	for _, id := range slices.Sorted(maps.Keys(s.held)) {
		freed = append(freed, Record{Key: journalKey(keptHeld, uint64(id))})
	}
	s.write(freed, func() {})
	clear(s.held)
	s.forgetInbound()
	var back []*Message
	for m, next := s.flight.first, (*Message)(nil); m != nil; m = next {
		if next = m.next; !m.attempted || s.config.Republish {
			m.again = m.again || m.attempted
			back = append(back, m)
			continue
		}
		s.drop(m, wire.NewError(wire.SessionLost,
			"publish: the session ended before the broker acknowledged the message; it may or may not have arrived"))
	}
	s.putBack(back)
	s.subscriptions.forget(s.config.ForgetSubscriptions)
}

// End settles everything that still waits with err. What is in the store stays there.
func (s *Session) End(err error) {
	s.ended, s.online = true, false
	for _, l := range []*list{&s.flight, &s.queue} {
		for m := l.first; m != nil; m = l.first {
			l.remove(m)
			s.settle(m, Result{}, err)
		}
	}
	s.cursor, s.expiring = nil, nil
	s.subscriptions.each(func(c *Call) { s.settleCall(c, nil, err) })
	clear(s.subscriptions.calls)
	s.subscriptions.queue = nil
}

// Stored says that the oldest write that was not reported yet is durable, or with err,
// that it failed.
func (s *Session) Stored(err error) {
	then := s.unfinished[0]
	s.unfinished = s.unfinished[1:]
	if !s.ended {
		then(err)
	}
}

// settle tells the owner how a message ended, once. If that was told already, when the
// message was stored, a failure is reported as one that no call returns.
func (s *Session) settle(m *Message, r Result, err error) {
	if !m.settled {
		m.settled = true
		s.ready.Settled = append(s.ready.Settled, Settled{message: m, result: r, err: err})
	} else if err != nil && m.stored && !s.ended {
		s.fail(err)
	}
}

func (s *Session) fail(err error) { s.ready.Failures = append(s.ready.Failures, err) }

// Idle reports whether nothing waits to be sent, acknowledged or stored.
func (s *Session) Idle() bool { return s.queue.n == 0 && s.flight.n == 0 && len(s.unfinished) == 0 }
