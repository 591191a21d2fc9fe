package mqtt

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/session"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// Subscription is one topic filter to subscribe to, with its options (3.8.3.1).
type Subscription struct {
	Filter            string // may have wildcards, and begin with $share/name/ (4.7, 4.8.2)
	QoS               byte   // maximum; a message arrives with the lower of this and its own
	NoLocal           bool   // excludes what this client publishes
	RetainAsPublished bool   // keeps RETAIN as the publisher set it
	// RetainHandling says when retained messages are sent: 0 always, 1 if the
	// subscription is new, 2 never.
	RetainHandling byte
	// Identifier comes back in Properties.SubscriptionIdentifiers of the messages
	// that match: 1 to 268,435,455; 0: that of [SubscribeOptions]. Filters with
	// identifiers of their own go in packets of their own (3.8.2.1.2).
	Identifier int
	// Handler is called for each message that matches Filter, see
	// [Options.OnMessage]; nil: messages come from Receive and Messages.
	Handler func(Message)
}

// SubscribeOptions are the properties of SUBSCRIBE (3.8.2.1).
type SubscribeOptions struct {
	// Identifier is for the subscriptions that have none of their own: 1 to
	// 268,435,455; 0: none. See [OptionalIdentifier].
	Identifier     int
	UserProperties UserProperties
}

// SubscribeResult is SUBACK or UNSUBACK.
type SubscribeResult struct {
	// ReasonCodes has one for each filter, in their order: below 0x80 the QoS granted,
	// or success of Unsubscribe; otherwise the reason of the refusal (3.9.3, 3.11.3).
	ReasonCodes    []byte
	ReasonString   string
	UserProperties UserProperties
}

// Subscribe subscribes, and waits for SUBACK. Its error is Refused when the broker
// refused all filters; when it refused some, the result says which. The client
// subscribes again when it reconnects and the session is gone.
//
// While there is no connection it waits for one if Options.Queue.Offline lets messages
// wait, and fails with NotConnected if not. It also fails with BadOption, Unsupported
// or PacketTooLarge for what is not valid in MQTT or not accepted by the broker,
// Network when the connection was lost meanwhile, Protocol when the answer does not fit
// the filters, Timeout or Aborted. A subscription that failed is undone, whatever the
// broker did with it.
func (c *Client) Subscribe(ctx context.Context, subs []Subscription, opts SubscribeOptions) (SubscribeResult, error) {
	if len(subs) == 0 {
		return SubscribeResult{}, wire.Invalid("filter", "is missing [MQTT-3.8.3-2]")
	}
	var calls []*session.Call // a packet has one identifier
	for i := range subs {
		s := &subs[i]
		identifier := cmp.Or(s.Identifier, opts.Identifier)
		if err := s.validate(identifier); err != nil {
			return SubscribeResult{}, err
		}
		if i == 0 || calls[len(calls)-1].Identifier != identifier {
			calls = append(calls, &session.Call{Identifier: identifier, User: slices.Clone(opts.UserProperties)})
		}
		call := calls[len(calls)-1]
		call.Subscriptions = append(call.Subscriptions, packets.SubOptions{
			Topic: s.Filter, QoS: s.QoS, NoLocal: s.NoLocal, RetainAsPublished: s.RetainAsPublished, RetainHandling: s.RetainHandling,
		})
	}
	if err := opts.UserProperties.validate("properties.userProperties"); err != nil {
		return SubscribeResult{}, err
	}
	settle := c.handlers.add(c, subs) // a retained message may come before SUBACK
	r, err := c.call(ctx, "subscribe", calls...)
	settle(r.ReasonCodes)
	return r, err
}

func (s *Subscription) validate(identifier int) error {
	if err := wire.CheckTopicFilter("filter", s.Filter); err != nil {
		return err
	}
	switch {
	case s.QoS > 2:
		return wire.Invalid("qos", "is %d, not 0, 1 or 2", s.QoS)
	case s.RetainHandling > 2:
		return wire.Invalid("rh", "is %d, not 0, 1 or 2", s.RetainHandling)
	case s.NoLocal && strings.HasPrefix(s.Filter, "$share/"): // [MQTT-3.8.3-4]
		return wire.Invalid("nl", "must not be set on a shared subscription")
	case identifier < 0 || identifier > wire.MaxRemaining:
		return wire.Invalid("properties.subscriptionIdentifier", "is %d, not 1 to 268,435,455", identifier)
	}
	return nil
}

// Unsubscribe unsubscribes, and waits for UNSUBACK. The reason code 0x11 says that
// there was no such subscription. user are properties of UNSUBSCRIBE (3.10.2.1), and
// may be nil. It fails as Subscribe does; but unless the broker refused, the
// subscriptions have ended all the same: the broker is told at the next connection, and
// they are not made again.
func (c *Client) Unsubscribe(ctx context.Context, filters []string, user UserProperties) (SubscribeResult, error) {
	if len(filters) == 0 {
		return SubscribeResult{}, wire.Invalid("filter", "is missing [MQTT-3.10.3-2]")
	}
	ended := make([]Subscription, len(filters))
	for i, f := range filters {
		if err := wire.CheckTopicFilter("filter", f); err != nil {
			return SubscribeResult{}, err
		}
		ended[i].Filter = f
	}
	if err := user.validate("properties.userProperties"); err != nil {
		return SubscribeResult{}, err
	}
	settle := c.handlers.add(c, ended) // none
	r, err := c.call(ctx, "unsubscribe", &session.Call{Filters: filters, User: user})
	switch {
	case errors.Is(err, PacketTooLarge): // which was not even tried
	case r.ReasonCodes == nil:
		settle(make([]byte, len(filters)))
	default:
		settle(r.ReasonCodes)
	}
	return r, err
}

// OptionalIdentifier is the first of the subscription identifiers that are left out if
// the broker supports none (3.2.2.3.12), instead of the error Unsupported.
const OptionalIdentifier = session.OptionalIdentifier

// call sends SUBSCRIBE or UNSUBSCRIBE packets and waits for the answers. If not all are
// answered, all are undone.
func (c *Client) call(ctx context.Context, what string, calls ...*session.Call) (SubscribeResult, error) {
	type outcome struct {
		ack *wire.Suback
		err error
	}
	outcomes := make([]outcome, len(calls))
	settled := make(chan struct{}, len(calls))
	for i, call := range calls {
		call.Settle = func(ack *wire.Suback, err error) {
			outcomes[i] = outcome{ack, err}
			c.settled()
			settled <- struct{}{}
		}
	}
	c.mu.Lock()
	var err error
	if c.supervisor.want == gone {
		err = c.notConnected()
	} else if err = c.session.Subscribe(calls...); err == nil {
		c.pending += len(calls)
	}
	c.unlock()
	if err != nil {
		return SubscribeResult{}, err
	}
	for range calls {
		select {
		case <-settled:
		case <-ctx.Done():
			c.mu.Lock()
			for _, call := range calls {
				c.session.Abandon(call, wire.ContextError(ctx, what))
			}
			c.unlock()
			<-settled
		}
	}
	var r SubscribeResult
	refused, failed := 0, error(nil)
	for _, o := range outcomes {
		if o.ack == nil {
			failed = cmp.Or(failed, o.err)
			continue
		}
		if o.err != nil {
			refused++
		}
		r.ReasonCodes = append(r.ReasonCodes, o.ack.Reasons...)
		r.ReasonString = cmp.Or(r.ReasonString, o.ack.ReasonString)
		r.UserProperties = append(r.UserProperties, o.ack.User...)
	}
	switch {
	case failed != nil:
		c.mu.Lock()
		for _, call := range calls {
			c.session.TakeBack(call)
		}
		c.unlock()
		return SubscribeResult{}, failed
	case refused == len(calls):
		return r, outcomes[0].err
	}
	return r, nil
}
