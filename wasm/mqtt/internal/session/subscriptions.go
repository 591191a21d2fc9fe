package session

import (
	"slices"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// A Call is one SUBSCRIBE or UNSUBSCRIBE, until it is settled.
type Call struct {
	Subscriptions []packets.SubOptions // to make,
	Filters       []string             // or to end
	Identifier    int                  // of the subscriptions; 0: none
	User          []User
	// Settle is told once how the call ended, with the broker's answer unless
	// there is an error.
	Settle func(*wire.Suback, error)

	id      uint16
	state   callState
	again   bool           // our own, see Session.subscribeAgain
	ended   []subscription // what an UNSUBSCRIBE ends, should the broker refuse that
	settled bool           // nobody waits for it any more
}

type callState byte

const (
	waiting callState = iota // to be sent
	handed                   // to the writer
	sent                     // and not answered
)

func (c *Call) what() string {
	switch {
	case c.Filters != nil:
		return "unsubscribe"
	case c.again:
		return "subscribing again"
	}
	return "subscribe"
}

// subscription is one that is wanted: what the user asked for, and was granted.
type subscription struct {
	packets.SubOptions
	identifier int
	user       []User
	granted    bool // the broker has it, as far as we know
}

func (s *subscription) plain() bool { return s.identifier == 0 && len(s.user) == 0 }

// subscriptions are those that the user wants, and the calls about them. A
// SUBSCRIBE that fails is taken back; an UNSUBSCRIBE holds from the call on. So
// neither an answer that comes late nor a session that is lost changes what the
// user has:
//
//	                 wanted                    unwanted
//	granted          nothing to do             UNSUBSCRIBE
//	not granted      SUBSCRIBE                 nothing to do
//
// is what is done about each filter at each connection.
type subscriptions struct {
	wanted   []subscription // in the order made
	unwanted []string       // filters that the broker may have and nobody wants
	queue    []*Call        // not sent
	calls    map[uint16]*Call
	again    int // calls of our own that are not answered
}

func newSubscriptions() subscriptions { return subscriptions{calls: map[uint16]*Call{}} }

func (s *subscriptions) find(filter string) int {
	return slices.IndexFunc(s.wanted, func(w subscription) bool { return w.Topic == filter })
}

func (s *subscriptions) want(w subscription) {
	if i := s.find(w.Topic); i >= 0 {
		s.wanted[i] = w
	} else {
		s.wanted = append(s.wanted, w)
	}
	s.settleUnwanted(w.Topic)
}

func (s *subscriptions) settleUnwanted(filter string) {
	s.unwanted = slices.DeleteFunc(s.unwanted, func(f string) bool { return f == filter })
}

// doubt says that the broker may have a subscription that was not granted.
func (s *subscriptions) doubt(filter string) {
	if i := s.find(filter); i >= 0 { // perhaps with other options
		s.wanted[i].granted = false
	} else if !slices.Contains(s.unwanted, filter) {
		s.unwanted = append(s.unwanted, filter)
	}
}

// forget says that the broker has none of them.
func (s *subscriptions) forget(all bool) {
	s.unwanted = nil
	if all {
		s.wanted = nil
	}
	for i := range s.wanted {
		s.wanted[i].granted = false
	}
}

// Subscribed tells whether a subscription to this filter was granted.
func (s *Session) Subscribed(filter string) bool { return s.subscriptions.find(filter) >= 0 }

// Subscribing tells whether the subscriptions of an earlier connection are still
// being made again.
func (s *Session) Subscribing() bool { return s.subscriptions.again > 0 }

// Subscribe takes a call. An error says that it was not taken; but what it asks to
// end, ends nevertheless, at the next connection. While there is no connection a
// call waits for one, if the queue takes messages then.
func (s *Session) Subscribe(c *Call) error {
	if s.online {
		if err := s.limits.subscribe(c); err != nil {
			return err
		}
		if err := s.limits.size("filter", c.frame()); err != nil {
			return err
		}
	}
	if !s.ended {
		s.unsubscribe(c)
	}
	if s.ended || !s.online && !s.config.Queue.Offline {
		return wire.NewError(wire.NotConnected, "there is no connection to the broker")
	}
	s.subscriptions.queue = append(s.subscriptions.queue, c)
	s.ready.Send = true
	return nil
}

// unsubscribe ends subscriptions, as far as the user is concerned.
func (s *Session) unsubscribe(c *Call) {
	for _, filter := range c.Filters {
		if i := s.subscriptions.find(filter); i >= 0 {
			c.ended = append(c.ended, s.subscriptions.wanted[i])
			s.subscriptions.wanted = slices.Delete(s.subscriptions.wanted, i, i+1)
			s.subscriptions.doubt(filter)
		}
	}
}

// Abandon is for a caller that waits no longer. A SUBSCRIBE is taken back.
func (s *Session) Abandon(c *Call, err error) {
	if i := slices.Index(s.subscriptions.queue, c); i >= 0 {
		s.subscriptions.queue = slices.Delete(s.subscriptions.queue, i, i+1)
	}
	s.settleCall(c, nil, err)
}

func (s *Session) settleCall(c *Call, ack *wire.Suback, err error) {
	switch {
	case c.again && err != nil:
		s.fail(err)
	case !c.again && !c.settled:
		c.settled = true
		s.ready.Settled = append(s.ready.Settled, Settled{call: c, ack: ack, err: err})
	}
}

// frame makes the packet.
func (c *Call) frame() []byte {
	properties := &packets.Properties{User: c.User}
	if c.Filters != nil {
		return wire.EncodeUnsubscribe(&packets.Unsubscribe{Topics: c.Filters, Properties: properties}, c.id)
	}
	if c.Identifier > 0 {
		properties.SubscriptionIdentifier = &c.Identifier
	}
	return wire.EncodeSubscribe(&packets.Subscribe{Subscriptions: c.Subscriptions, Properties: properties}, c.id)
}

// nextCalls appends the packets of the calls that wait, as Next does.
func (s *Session) nextCalls(dst [][]byte, size int) ([][]byte, int) {
	for _, c := range s.subscriptions.queue {
		err := s.limits.subscribe(c)
		id, ok := s.freeID()
		if err == nil && !ok {
			err = wire.NewError(wire.Unsupported, "%s: all 65,535 packet identifiers are in use", c.what())
		}
		c.id = id
		frame := c.frame()
		if err == nil {
			err = s.limits.size("filter", frame)
		}
		if err != nil {
			s.subscriptions.end(c)
			s.settleCall(c, nil, err)
			continue
		}
		c.state = handed
		s.subscriptions.calls[id] = c
		dst, size = append(dst, frame), size+len(frame)
	}
	s.subscriptions.queue = nil
	return dst, size
}

// writtenCalls takes note that the calls of Next left, or may have.
func (s *Session) writtenCalls() {
	for _, c := range s.subscriptions.calls {
		if c.state == handed {
			c.state = sent
		}
	}
}

// end takes a call of our own off those that are awaited.
func (s *subscriptions) end(c *Call) {
	delete(s.calls, c.id)
	if c.again {
		s.again--
	}
}

// Suback takes a SUBACK or UNSUBACK. Its error ends the connection.
func (s *Session) Suback(a *wire.Suback) error {
	c := s.subscriptions.calls[a.ID]
	if c == nil {
		if s.out[a.ID] != nil {
			return wire.Violation(wire.ReasonProtocolError, "an acknowledgement of subscriptions for a message in flight")
		}
		return nil
	}
	if (c.Filters != nil) != (a.Kind == wire.TypeUnsuback) {
		return wire.Violation(wire.ReasonProtocolError, "%s: acknowledged by packet type %d", c.what(), a.Kind)
	}
	s.subscriptions.end(c)
	if err := c.validate(a); err != nil {
		s.failCall(c, err)
		return nil
	}
	if c.Filters != nil {
		s.unsubscribed(c, a)
	} else {
		s.subscribed(c, a)
	}
	return nil
}

// validate finds the answer that does not answer what was asked [MQTT-3.9.3-1],
// [MQTT-3.9.3-2], [MQTT-3.11.3-1]. That concerns the call only, so the connection stays.
func (c *Call) validate(a *wire.Suback) error {
	if asked := len(c.Subscriptions) + len(c.Filters); len(a.Reasons) != asked {
		return wire.Violation(wire.ReasonProtocolError, "%s: the broker answered %d filters with %d reason codes", c.what(), asked, len(a.Reasons))
	}
	for _, reason := range a.Reasons {
		if !wire.ValidReason(a.Kind, reason) {
			return wire.Violation(wire.ReasonProtocolError, "%s: the broker answered with 0x%02X, which is no reason code for that", c.what(), reason)
		}
	}
	return nil
}

func (s *Session) subscribed(c *Call, a *wire.Suback) {
	granted := false
	for i, sub := range c.Subscriptions {
		switch reason := a.Reasons[i]; {
		case reason < wire.ReasonUnspecified && c.again:
			if at := s.subscriptions.find(sub.Topic); at >= 0 {
				s.subscriptions.wanted[at].granted = true
			}
		case reason < wire.ReasonUnspecified && c.settled:
			s.subscriptions.doubt(sub.Topic)
		case reason < wire.ReasonUnspecified:
			s.subscriptions.want(subscription{sub, c.Identifier, c.User, true})
			granted = true
		case c.again:
			s.subscriptions.wanted = slices.DeleteFunc(s.subscriptions.wanted, func(w subscription) bool { return w.Topic == sub.Topic })
			s.fail(wire.RefusedError("subscribing again to "+wire.Quote(sub.Topic), reason, a.ReasonString))
		}
	}
	switch {
	case c.settled: // granted too late
		s.reconcile(false)
	case !granted && !c.again:
		s.settleCall(c, a, wire.RefusedError(c.what(), a.Reasons[0], a.ReasonString))
	default:
		s.settleCall(c, a, nil)
	}
}

func (s *Session) unsubscribed(c *Call, a *wire.Suback) {
	ended := false
	for i, filter := range c.Filters {
		if a.Reasons[i] < wire.ReasonUnspecified {
			s.subscriptions.settleUnwanted(filter)
			ended = true
			continue
		}
		for _, w := range c.ended {
			if w.Topic == filter && s.subscriptions.find(filter) < 0 && !c.settled {
				s.subscriptions.want(w) // it goes on
			}
		}
		s.subscriptions.settleUnwanted(filter) // a broker that refuses once is not asked for ever
	}
	if !ended {
		s.settleCall(c, a, wire.RefusedError(c.what(), a.Reasons[0], a.ReasonString))
		return
	}
	s.settleCall(c, a, nil)
}

// failCall ends a call whose outcome at the broker is not known.
func (s *Session) failCall(c *Call, err error) {
	for _, sub := range c.Subscriptions {
		s.subscriptions.doubt(sub.Topic)
	}
	s.settleCall(c, nil, err)
}

// loseCalls ends what a connection that ended leaves unanswered. What was not
// sent may wait for the next one.
func (s *Session) loseCalls(err error) {
	keep := s.config.Queue.Offline
	for _, c := range s.subscriptions.calls {
		if c.state == handed && keep && !c.again && !c.settled { // it certainly did not leave
			c.state = waiting
			s.subscriptions.queue = append(s.subscriptions.queue, c)
			continue
		}
		s.failCall(c, wire.NetworkError(err, c.what()))
	}
	clear(s.subscriptions.calls)
	s.subscriptions.queue = slices.DeleteFunc(s.subscriptions.queue, func(c *Call) bool {
		if c.again || !keep {
			s.settleCall(c, nil, wire.NewError(wire.NotConnected, "there is no connection to the broker"))
		}
		return c.again || !keep
	})
	s.subscriptions.again = 0
}

// endCalls ends all calls, at the end of the session.
func (s *Session) endCalls(err error) {
	for _, c := range s.subscriptions.calls {
		s.settleCall(c, nil, err)
	}
	for _, c := range s.subscriptions.queue {
		s.settleCall(c, nil, err)
	}
	clear(s.subscriptions.calls)
	s.subscriptions.queue = nil
}

// subscribeAgain begins a connection: subscriptions that the broker lacks, or may
// lack, are made again, and those that nobody wants are ended.
func (s *Session) subscribeAgain(doubtful bool) {
	for i := range s.subscriptions.wanted {
		w := &s.subscriptions.wanted[i]
		w.granted = w.granted && !doubtful
	}
	s.reconcile(doubtful)
}

// reconcile asks the broker for what the table at subscriptions says. Where the
// session is doubtful, retained messages are asked for only if it is new (3.8.3.1).
func (s *Session) reconcile(doubtful bool) {
	var list []subscription
	for _, w := range s.subscriptions.wanted {
		if !w.granted && !s.subscriptions.asked(w.Topic) {
			list = append(list, w)
		}
	}
	for len(list) > 0 {
		n := s.batch(list)
		c := &Call{again: true, Identifier: list[0].identifier, User: list[0].user}
		for _, w := range list[:n] {
			if doubtful && w.RetainHandling == 0 {
				w.RetainHandling = 1
			}
			c.Subscriptions = append(c.Subscriptions, w.SubOptions)
		}
		s.callAgain(c)
		list = list[n:]
	}
	var filters []string
	for _, filter := range s.subscriptions.unwanted {
		if !s.subscriptions.asked(filter) {
			filters = append(filters, filter)
		}
	}
	for filters := range slices.Chunk(filters, s.config.BatchSize) {
		s.callAgain(&Call{again: true, Filters: filters})
	}
}

func (s *Session) callAgain(c *Call) {
	s.subscriptions.queue = append(s.subscriptions.queue, c)
	s.subscriptions.again++
	s.ready.Send = true
}

// asked tells whether a call about a filter is under way already.
func (s *subscriptions) asked(filter string) bool {
	about := func(c *Call) bool {
		return slices.Contains(c.Filters, filter) ||
			slices.ContainsFunc(c.Subscriptions, func(o packets.SubOptions) bool { return o.Topic == filter })
	}
	for _, c := range s.calls {
		if about(c) {
			return true
		}
	}
	return slices.ContainsFunc(s.queue, about)
}

// batch is how many subscriptions go into the first SUBSCRIBE: those with the same
// properties, as many as the broker's Maximum Packet Size and the batch size allow.
func (s *Session) batch(list []subscription) (n int) {
	const fixed, each = 16, 2 + 1 // bytes, at most, of the packet and of each filter beside its text
	size := fixed
	for n < len(list) && n < s.config.BatchSize {
		size += each + len(list[n].Topic)
		if n > 0 && (!list[0].plain() || !list[n].plain() || size > s.limits.Packet) {
			break
		}
		n++
	}
	return n
}
