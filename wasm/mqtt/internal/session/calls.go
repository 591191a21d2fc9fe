package session

import (
	"maps"
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
	// Settle is called once when the call ends, with the broker's answer or an error.
	Settle func(*wire.Suback, error)

	id       uint16
	again    bool           // resubscribes, see Session.reconcile
	ended    []string       // filters that an UNSUBSCRIBE ends, should the broker refuse that
	revoked  []string       // filters of a SUBSCRIBE that a later UNSUBSCRIBE ends
	replaced []subscription // what the filters of a SUBSCRIBE had before, see Session.TakeBack
	settled  bool           // nobody waits for it any more
}

func (c *Call) what() string {
	switch {
	case c.Filters != nil:
		return "unsubscribe"
	case c.again:
		return "resubscribe"
	}
	return "subscribe"
}

// Subscribe takes calls. An error says that none was taken. Without a connection they
// wait for the next one, if the queue takes messages then; if not, an UNSUBSCRIBE still
// takes effect at the next one.
func (s *Session) Subscribe(calls ...*Call) error {
	for _, c := range calls {
		if s.online {
			if _, err := s.packet(c); err != nil {
				return err
			}
		}
		if !s.ended {
			s.subscriptions.unsubscribe(c)
		}
	}
	if s.ended || !s.online && !s.config.Queue.Offline && !s.early() {
		return wire.NoConnection()
	}
	s.subscriptions.queue = append(s.subscriptions.queue, calls...)
	s.ready.Send = true
	return nil
}

// Abandon says that the caller waits no longer. A SUBSCRIBE is undone.
func (s *Session) Abandon(c *Call, err error) {
	if i := slices.Index(s.subscriptions.queue, c); i >= 0 {
		s.subscriptions.queue = slices.Delete(s.subscriptions.queue, i, i+1)
		s.reconcile(false)
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

// packet makes the packet of a call, or says why the broker would not accept it.
func (s *Session) packet(c *Call) (frame []byte, err error) {
	if err := s.limits.subscribe(c); err != nil {
		return nil, err
	}
	properties := &packets.Properties{User: c.User}
	if c.Filters != nil {
		frame = wire.EncodeUnsubscribe(&packets.Unsubscribe{Topics: c.Filters, Properties: properties}, c.id)
	} else {
		if id := s.limits.identifier(c.Identifier); id > 0 {
			properties.SubscriptionIdentifier = &id
		}
		frame = wire.EncodeSubscribe(&packets.Subscribe{Subscriptions: c.Subscriptions, Properties: properties}, c.id)
	}
	return frame, s.limits.size("filter", frame)
}

// nextCalls appends the packets of the calls that wait, as Next does.
func (s *Session) nextCalls(dst [][]byte, max int) (_ [][]byte, size int) {
	calls := &s.subscriptions
	for len(calls.queue) > 0 && size < max && s.idsLeft() {
		c := calls.queue[0]
		calls.queue = calls.queue[1:]
		c.id = s.nextID()
		calls.calls[c.id] = c
		frame, err := s.packet(c)
		if err != nil {
			s.endCall(c)
			s.settleCall(c, nil, err)
			if !c.again {
				s.reconcile(false)
			}
			continue
		}
		calls.handed = append(calls.handed, c)
		dst, size = append(dst, frame), size+len(frame)
	}
	return dst, size
}

// endCall removes a call from those that await an answer.
func (s *Session) endCall(c *Call) {
	delete(s.subscriptions.calls, c.id)
	s.ready.Send = s.ready.Send || s.sendable() || len(s.subscriptions.queue) > 0
}

// Suback takes a SUBACK or UNSUBACK. Its error ends the connection.
func (s *Session) Suback(a *wire.Suback) error {
	c := s.subscriptions.calls[a.ID]
	if c == nil {
		if s.out[a.ID] != nil {
			return wire.Violation(wire.ReasonProtocolError, "%s for a message in flight", wire.TypeName(a.Kind))
		}
		return nil
	}
	if (c.Filters != nil) != (a.Kind == wire.TypeUnsuback) {
		return wire.Violation(wire.ReasonProtocolError, "%s: acknowledged with %s", c.what(), wire.TypeName(a.Kind))
	}
	s.endCall(c)
	switch err := c.validate(a); {
	case err != nil:
		s.subscriptions.doubtCall(c)
		if !c.again {
			s.reconcile(false)
		}
		s.settleCall(c, nil, err)
	case c.Filters != nil:
		s.settleCall(c, a, s.unsubscribed(c, a))
	default:
		s.settleCall(c, a, s.subscribed(c, a))
	}
	return nil
}

// validate finds reason codes that do not fit the call [MQTT-3.9.3-1], [MQTT-3.9.3-2],
// [MQTT-3.11.3-1]. That concerns the call only, so the connection stays.
func (c *Call) validate(a *wire.Suback) error {
	if asked := len(c.Subscriptions) + len(c.Filters); len(a.Reasons) != asked {
		return wire.Violation(wire.ReasonProtocolError, "%s: the broker answered %d filters with %d reason codes", c.what(), asked, len(a.Reasons))
	}
	for _, reason := range a.Reasons {
		if !wire.ValidReason(a.Kind, reason) {
			return wire.Violation(wire.ReasonProtocolError, "%s: the broker answered with 0x%02X, which is not a reason code for it", c.what(), reason)
		}
	}
	return nil
}

// loseCalls ends the calls that a lost connection leaves unanswered. Those that were not
// sent may wait for the next one; resubscribing starts anew there.
func (s *Session) loseCalls(err error) {
	calls, keep := &s.subscriptions, s.config.Queue.Offline
	for _, c := range calls.handed { // certainly not sent
		delete(calls.calls, c.id)
	}
	for _, id := range slices.Sorted(maps.Keys(calls.calls)) {
		c := calls.calls[id]
		calls.doubtCall(c)
		if !c.again {
			s.settleCall(c, nil, wire.NetworkError(err, c.what()))
		}
	}
	clear(calls.calls)
	calls.queue = slices.DeleteFunc(append(calls.handed, calls.queue...), func(c *Call) bool {
		if !keep && !c.again {
			s.settleCall(c, nil, wire.NoConnection())
		}
		return !keep || c.again || c.settled
	})
	calls.handed = nil
}
