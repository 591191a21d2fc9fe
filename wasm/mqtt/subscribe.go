package mqtt

import (
	"context"
	"errors"
	"strings"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/session"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// Subscription is one topic filter to subscribe to, with its options (3.8.3.1).
type Subscription struct {
	Filter            string // may have wildcards, and begin with $share/name/ (4.7, 4.8.2)
	QoS               byte   // at most; messages come with theirs where that is less
	NoLocal           bool   // leaves out what this client publishes
	RetainAsPublished bool   // keeps RETAIN as the publisher set it
	// RetainHandling says when retained messages are sent: 0 always, 1 if the
	// subscription is new, 2 never.
	RetainHandling byte
	// Handler is called for each message that matches Filter, see
	// [Options.OnMessage]; nil: messages come from Receive and Messages.
	Handler func(Message)
}

// SubscribeOptions are the properties of SUBSCRIBE (3.8.2.1).
type SubscribeOptions struct {
	// Identifier comes back in Properties.SubscriptionIdentifiers of the messages
	// that match: 1 to 268,435,455; 0: none.
	Identifier     int
	UserProperties UserProperties
}

// SubscribeResult is SUBACK or UNSUBACK.
type SubscribeResult struct {
	// ReasonCodes has one for each filter, in their order: below 0x80 the QoS
	// granted, or that it was unsubscribed from; else why it was refused (3.9.3,
	// 3.11.3).
	ReasonCodes    []byte
	ReasonString   string
	UserProperties UserProperties
}

// Subscribe subscribes, and waits for SUBACK. Its error is Refused when the
// broker refused all filters; when it refused some, the result tells which. The
// client subscribes again when it reconnects and the session is gone.
//
// While there is no connection it waits for one if Options.Queue.Offline lets
// messages wait, and fails with NotConnected if not. It also fails with BadOption,
// Unsupported or PacketTooLarge for what is not MQTT or more than the broker takes,
// Network when the connection broke meanwhile, Protocol when the answer does not
// fit the filters, Timeout or Aborted. A subscription that failed is taken back,
// whatever the broker made of it.
func (c *Client) Subscribe(ctx context.Context, subs []Subscription, opts SubscribeOptions) (SubscribeResult, error) {
	if len(subs) == 0 {
		return SubscribeResult{}, badOption("filter", "is missing [MQTT-3.8.3-2]")
	}
	call := &session.Call{Identifier: opts.Identifier, User: opts.UserProperties.packet()}
	for i := range subs {
		if err := subs[i].validate(); err != nil {
			return SubscribeResult{}, public(err)
		}
		s := &subs[i]
		call.Subscriptions = append(call.Subscriptions, packets.SubOptions{
			Topic: s.Filter, QoS: s.QoS, NoLocal: s.NoLocal, RetainAsPublished: s.RetainAsPublished, RetainHandling: s.RetainHandling,
		})
	}
	if opts.Identifier < 0 || opts.Identifier > wire.MaxRemaining {
		return SubscribeResult{}, badOption("properties.subscriptionIdentifier", "is %d, not 1 to 268,435,455", opts.Identifier)
	}
	if err := opts.UserProperties.validate("properties.userProperties"); err != nil {
		return SubscribeResult{}, public(err)
	}
	settle := c.handlers.add(c, subs) // a retained message may come before SUBACK
	r, err := c.call(ctx, "subscribe", call)
	settle(r.ReasonCodes)
	return r, err
}

func (s *Subscription) validate() error {
	if err := wire.CheckTopicFilter("filter", s.Filter); err != nil {
		return err
	}
	switch {
	case s.QoS > 2:
		return badOption("qos", "is %d, not 0, 1 or 2", s.QoS)
	case s.RetainHandling > 2:
		return badOption("rh", "is %d, not 0, 1 or 2", s.RetainHandling)
	case s.NoLocal && strings.HasPrefix(s.Filter, "$share/"): // [MQTT-3.8.3-4]
		return badOption("nl", "must not be set on a shared subscription")
	}
	return nil
}

// Unsubscribe unsubscribes, and waits for UNSUBACK. The reason code 0x11 says
// that there was no such subscription. user are properties of UNSUBSCRIBE
// (3.10.2.1), and may be nil. It fails as Subscribe does; but unless the broker
// refused, the subscriptions are over nevertheless: the broker is told at the next
// connection, and they are not made again.
func (c *Client) Unsubscribe(ctx context.Context, filters []string, user UserProperties) (SubscribeResult, error) {
	if len(filters) == 0 {
		return SubscribeResult{}, badOption("filter", "is missing [MQTT-3.10.3-2]")
	}
	for _, f := range filters {
		if err := wire.CheckTopicFilter("filter", f); err != nil {
			return SubscribeResult{}, public(err)
		}
	}
	if err := user.validate("properties.userProperties"); err != nil {
		return SubscribeResult{}, public(err)
	}
	r, err := c.call(ctx, "unsubscribe", &session.Call{Filters: filters, User: user.packet()})
	if !errors.Is(err, PacketTooLarge) { // which was not even tried
		c.handlers.remove(filters, r.ReasonCodes)
	}
	return r, err
}

// call sends SUBSCRIBE or UNSUBSCRIBE and waits for the answer.
func (c *Client) call(ctx context.Context, what string, call *session.Call) (SubscribeResult, error) {
	type outcome struct {
		ack *wire.Suback
		err error
	}
	ch := make(chan outcome, 1)
	call.Settle = func(ack *wire.Suback, err error) { ch <- outcome{ack, err} }
	c.mu.Lock()
	var err error
	if c.supervisor.want == gone {
		err = c.notConnected()
	} else {
		err = c.session.Subscribe(call)
	}
	c.unlock()
	if err != nil {
		return SubscribeResult{}, public(err)
	}
	var o outcome
	select {
	case o = <-ch:
	case <-ctx.Done():
		c.mu.Lock()
		c.session.Abandon(call, fromContext(ctx, what))
		c.unlock()
		o = <-ch
	}
	var r SubscribeResult
	if o.ack != nil {
		r = SubscribeResult{o.ack.Reasons, o.ack.ReasonString, userProperties(o.ack.User)}
	}
	return r, public(o.err)
}
