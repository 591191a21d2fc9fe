package session

import (
	"slices"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// subscription is one that the user asked for and was granted, or an unwanted one that
// the broker may have.
type subscription struct {
	packets.SubOptions
	identifier int
	user       []User
	wanted     bool
	granted    bool  // the broker has it, as far as we know
	by         *Call // the call that was granted it; nil: no longer needed
}

// subscriptions are those of the user and of the broker, and the calls about them. A
// SUBSCRIBE that fails is undone; an UNSUBSCRIBE takes effect with the call. So neither
// a late answer nor a lost session changes what the user has:
//
//	                 wanted                    unwanted
//	granted          nothing to do             UNSUBSCRIBE
//	not granted      SUBSCRIBE                 UNSUBSCRIBE, for the broker may have it
//
// is what each connection does about each filter.
type subscriptions struct {
	list   []*subscription // in the order made
	queue  []*Call         // not sent
	handed []*Call         // to the writer, since Next, until Written
	calls  map[uint16]*Call
}

// find returns the subscription to a filter; nil: there is none.
func (s *subscriptions) find(filter string) *subscription {
	for _, w := range s.list {
		if w.Topic == filter {
			return w
		}
	}
	return nil
}

// remove forgets a subscription that the broker no longer has, unless it is wanted.
func (s *subscriptions) remove(filter string) {
	s.list = slices.DeleteFunc(s.list, func(w *subscription) bool { return w.Topic == filter && !w.wanted })
}

// doubt says that the broker may have a subscription that is not wanted, or is wanted
// with other options. It returns it.
func (s *subscriptions) doubt(filter string) *subscription {
	w := s.find(filter)
	if w == nil {
		w = &subscription{SubOptions: packets.SubOptions{Topic: filter}}
		s.list = append(s.list, w)
	}
	w.granted = false
	return w
}

// forget says that the broker has none of them.
func (s *subscriptions) forget(all bool) {
	s.list = slices.DeleteFunc(s.list, func(w *subscription) bool { return all || !w.wanted })
	s.doubtAll()
}

func (s *subscriptions) doubtAll() {
	for _, w := range s.list {
		w.granted = false
	}
}

// pending returns the filters of calls that were not answered.
func (s *subscriptions) pending() map[string]bool {
	all := map[string]bool{}
	s.each(func(c *Call) {
		for _, sub := range c.Subscriptions {
			all[sub.Topic] = true
		}
		for _, filter := range c.Filters {
			all[filter] = true
		}
	})
	return all
}

// each calls do with each call that was not answered.
func (s *subscriptions) each(do func(*Call)) {
	for _, c := range s.calls {
		do(c)
	}
	for _, c := range s.queue {
		do(c)
	}
}

// Subscribed reports whether a subscription to this filter was granted.
func (s *Session) Subscribed(filter string) bool {
	w := s.subscriptions.find(filter)
	return w != nil && w.wanted
}

// Subscribing reports whether resubscribing is still in progress.
func (s *Session) Subscribing() (again bool) {
	s.subscriptions.each(func(c *Call) { again = again || c.again })
	return again
}

// unsubscribe ends subscriptions as far as the user is concerned, also those not
// granted yet.
func (s *subscriptions) unsubscribe(c *Call) {
	for _, filter := range c.Filters {
		if w := s.find(filter); w != nil && w.wanted {
			w.wanted = false
			c.ended = append(c.ended, filter)
		}
	}
	s.each(func(earlier *Call) {
		for _, sub := range earlier.Subscriptions {
			if slices.Contains(c.Filters, sub.Topic) {
				earlier.revoked = append(earlier.revoked, sub.Topic)
			}
		}
	})
}

// subscribed takes what was granted. The error says that nothing was.
func (s *Session) subscribed(c *Call, a *wire.Suback) error {
	granted, missed := c.again, false
	for i, sub := range c.Subscriptions {
		w, ok := s.subscriptions.find(sub.Topic), a.Reasons[i] < wire.ReasonUnspecified
		granted = granted || ok
		switch {
		case c.again && !ok:
			refused := wire.RefusedError("resubscribe to the filter "+wire.Quote(sub.Topic), a.Reasons[i], a.ReasonString)
			refused.Field = "filter"
			s.fail(refused)
			if w != nil {
				w.wanted = false
				s.subscriptions.remove(sub.Topic)
			}
		case c.again && w != nil:
			w.granted = true
		case c.again:
		case !ok: // an earlier one to this filter may have to be renewed
			missed = missed || w != nil
		case c.settled || slices.Contains(c.revoked, sub.Topic): // granted too late
			s.subscriptions.doubt(sub.Topic)
			missed = true
		default:
			w = s.subscriptions.doubt(sub.Topic)
			w.by = nil // else all earlier calls would be kept in memory
			c.replaced = append(c.replaced, *w)
			*w = subscription{sub, c.Identifier, c.User, true, true, c}
		}
	}
	if missed {
		s.reconcile(false)
	}
	if granted {
		return nil
	}
	return wire.RefusedError(c.what(), a.Reasons[0], a.ReasonString)
}

// TakeBack undoes what a SUBSCRIBE was granted, unless a later call has changed it: the
// filters get back what they had before.
func (s *Session) TakeBack(c *Call) {
	for _, before := range slices.Backward(c.replaced) {
		if w := s.subscriptions.find(before.Topic); w != nil && w.by == c && w.wanted {
			*w = before
		}
	}
	s.reconcile(false)
}

// unsubscribed takes what was ended. The error says that nothing was.
func (s *Session) unsubscribed(c *Call, a *wire.Suback) error {
	ended, goesOn := false, false
	for i, filter := range c.Filters {
		ok := a.Reasons[i] < wire.ReasonUnspecified
		ended = ended || ok
		if w := s.subscriptions.find(filter); !ok && w != nil && !c.settled && slices.Contains(c.ended, filter) {
			w.wanted, goesOn = true, true
		}
		s.subscriptions.remove(filter) // a broker that refuses is not asked again and again
	}
	if goesOn { // as it was
		s.reconcile(false)
	}
	if ended {
		return nil
	}
	return wire.RefusedError(c.what(), a.Reasons[0], a.ReasonString)
}

// doubtCall handles a call whose outcome at the broker is not known.
func (s *subscriptions) doubtCall(c *Call) {
	for _, sub := range c.Subscriptions {
		s.doubt(sub.Topic)
	}
}

// reconcile subscribes and unsubscribes as the table at subscriptions says. Where the
// session is doubtful, retained messages are requested only for new subscriptions
// (3.8.3.1).
func (s *Session) reconcile(doubtful bool) {
	if !s.online {
		return
	}
	var missing, surplus []subscription
	pending := s.subscriptions.pending()
	for _, w := range s.subscriptions.list {
		switch {
		case pending[w.Topic], w.wanted && w.granted:
		case !w.wanted:
			surplus = append(surplus, *w)
		default:
			again := *w
			if doubtful && again.RetainHandling == 0 {
				again.RetainHandling = 1
			}
			missing = append(missing, again)
		}
	}
	for _, list := range [][]subscription{missing, surplus} {
		for n := 0; len(list) > 0; list = list[n:] {
			n = s.batch(list)
			c := &Call{again: true}
			for _, w := range list[:n] {
				if w.wanted {
					c.Subscriptions, c.Identifier, c.User = append(c.Subscriptions, w.SubOptions), w.identifier, w.user
				} else {
					c.Filters = append(c.Filters, w.Topic)
				}
			}
			s.subscriptions.queue = append(s.subscriptions.queue, c)
			s.ready.Send = true
		}
	}
}

// batch returns how many subscriptions go into the first packet: those with the same
// properties, as far as the broker's Maximum Packet Size and the batch size allow.
func (s *Session) batch(list []subscription) (n int) {
	const fixed, each = 16, 2 + 1 // bytes, at most, of the packet and of each filter besides its text
	plain := func(w *subscription) bool { return s.limits.identifier(w.identifier) == 0 && len(w.user) == 0 }
	size := fixed
	for n < len(list) && n < s.config.BatchSize {
		size += each + len(list[n].Topic)
		if n > 0 && (!plain(&list[0]) || !plain(&list[n]) || size > s.limits.Packet) {
			break
		}
		n++
	}
	return n
}
