package mqtt

import (
	"context"
	"fmt"
	"strings"

	"github.com/eclipse/paho.golang/paho"
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

type subscription struct {
	Subscription
	options SubscribeOptions
}

// Subscribe subscribes, and waits for SUBACK. Its error is Refused when the
// broker refused all filters; when it refused some, the result tells which. The
// client subscribes again when it reconnects and the session is gone.
//
// It also fails with BadOption or Unsupported for what is not MQTT or the broker
// does not offer, NotConnected, Network when the connection broke meanwhile,
// Protocol when the answer does not fit the filters, Timeout or Aborted.
func (c *Client) Subscribe(ctx context.Context, subs []Subscription, opts SubscribeOptions) (SubscribeResult, error) {
	if len(subs) == 0 {
		return SubscribeResult{}, badOption("filter", "is missing [MQTT-3.8.3-2]")
	}
	granted := c.Connack()
	for i := range subs {
		if err := subs[i].check(&granted); err != nil {
			return SubscribeResult{}, err
		}
	}
	switch {
	case opts.Identifier < 0 || opts.Identifier > 268_435_455:
		return SubscribeResult{}, badOption("properties.subscriptionIdentifier", "is %d, not 1 to 268,435,455", opts.Identifier)
	case opts.Identifier > 0 && !granted.SubscriptionIDsAvailable:
		return SubscribeResult{}, unsupported("properties.subscriptionIdentifier", reasonSubscriptionIDsNotSupported, "the broker does not offer subscription identifiers")
	}
	if err := checkUserProperties("properties.userProperties", opts.UserProperties); err != nil {
		return SubscribeResult{}, err
	}
	conn, err := c.current()
	if err != nil {
		return SubscribeResult{}, err
	}
	result, err := conn.subscribe(ctx, subs, opts)
	if err != nil {
		return result, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, code := range result.ReasonCodes {
		if code < reasonUnspecified {
			filter := subs[i].Filter
			if _, known := c.subscriptions[filter]; !known {
				c.order = append(c.order, filter)
			}
			c.subscriptions[filter] = subscription{subs[i], opts}
		}
	}
	return result, nil
}

// unsupported says why, with the reason code that the broker would give.
func unsupported(field string, reason byte, why string) *Error {
	return &Error{Code: Unsupported, Field: field, ReasonCode: reason, Message: field + ": " + why}
}

func (s *Subscription) check(granted *Connack) error {
	if err := checkTopicFilter("filter", s.Filter); err != nil {
		return err
	}
	shared := strings.HasPrefix(s.Filter, "$share/")
	switch {
	case s.QoS > 2:
		return badOption("qos", "is %d, not 0, 1 or 2", s.QoS)
	case s.RetainHandling > 2:
		return badOption("rh", "is %d, not 0, 1 or 2", s.RetainHandling)
	case shared && s.NoLocal: // [MQTT-3.8.3-4]
		return badOption("nl", "must not be set on a shared subscription")
	case shared && !granted.SharedAvailable:
		return unsupported("filter", reasonSharedNotSupported, "the broker does not offer shared subscriptions")
	case strings.ContainsAny(s.Filter, "+#") && !granted.WildcardAvailable:
		return unsupported("filter", reasonWildcardsNotSupported, "the broker does not offer wildcard subscriptions")
	}
	return nil
}

// current returns the connection to send on.
func (c *Client) current() (*connection, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil || c.leaving {
		return nil, c.notConnected()
	}
	return c.conn, nil
}

func (conn *connection) subscribe(ctx context.Context, subs []Subscription, opts SubscribeOptions) (SubscribeResult, error) {
	s := &paho.Subscribe{Properties: &paho.SubscribeProperties{User: opts.UserProperties}}
	if opts.Identifier > 0 {
		s.Properties.SubscriptionIdentifier = &opts.Identifier
	}
	for _, sub := range subs {
		s.Subscriptions = append(s.Subscriptions, paho.SubscribeOptions{
			Topic: sub.Filter, QoS: sub.QoS, NoLocal: sub.NoLocal,
			RetainAsPublished: sub.RetainAsPublished, RetainHandling: sub.RetainHandling,
		})
	}
	ack, err := conn.paho.Subscribe(ctx, s)
	if ack == nil {
		return SubscribeResult{}, conn.callError(ctx, "subscribe", err)
	}
	r := SubscribeResult{ReasonCodes: ack.Reasons}
	if ack.Properties != nil {
		r.ReasonString, r.UserProperties = ack.Properties.ReasonString, ack.Properties.User
	}
	return r, checkReasons("subscribe", len(subs), r)
}

// checkReasons makes an error of an answer that refuses everything, or that
// does not answer what was asked [MQTT-3.9.3-1], [MQTT-3.11.3-1]. The latter
// concerns only the call, so the connection stays.
func checkReasons(what string, asked int, r SubscribeResult) error {
	if len(r.ReasonCodes) != asked {
		return violation(reasonProtocolError, "%s: the broker answered %d filters with %d reason codes", what, asked, len(r.ReasonCodes))
	}
	for _, code := range r.ReasonCodes {
		if code < reasonUnspecified {
			return nil
		}
	}
	return refused(what, r.ReasonCodes[0], r.ReasonString)
}

// Unsubscribe unsubscribes, and waits for UNSUBACK. The reason code 0x11 says
// that there was no such subscription. user are properties of UNSUBSCRIBE
// (3.10.2.1), and may be nil. It fails as Subscribe does.
func (c *Client) Unsubscribe(ctx context.Context, filters []string, user UserProperties) (SubscribeResult, error) {
	if len(filters) == 0 {
		return SubscribeResult{}, badOption("filter", "is missing [MQTT-3.10.3-2]")
	}
	for _, f := range filters {
		if err := checkTopicFilter("filter", f); err != nil {
			return SubscribeResult{}, err
		}
	}
	if err := checkUserProperties("properties.userProperties", user); err != nil {
		return SubscribeResult{}, err
	}
	conn, err := c.current()
	if err != nil {
		return SubscribeResult{}, err
	}
	ack, err := conn.paho.Unsubscribe(ctx, &paho.Unsubscribe{Topics: filters, Properties: &paho.UnsubscribeProperties{User: user}})
	if ack == nil {
		return SubscribeResult{}, conn.callError(ctx, "unsubscribe", err)
	}
	r := SubscribeResult{ReasonCodes: ack.Reasons}
	if ack.Properties != nil {
		r.ReasonString, r.UserProperties = ack.Properties.ReasonString, ack.Properties.User
	}
	if err := checkReasons("unsubscribe", len(filters), r); err != nil {
		return r, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, code := range r.ReasonCodes {
		if code < reasonUnspecified {
			c.forgetSubscription(filters[i])
		}
	}
	return r, nil
}

func (c *Client) subscribed(filter string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.subscriptions[filter]
	return ok
}

// forgetSubscription: the caller holds mu.
func (c *Client) forgetSubscription(filter string) {
	delete(c.subscriptions, filter)
	for i, f := range c.order {
		if f == filter {
			c.order = append(c.order[:i:i], c.order[i+1:]...)
			return
		}
	}
}

// resubscribe makes the subscriptions again that a lost session had. It is done
// before the connection is announced, so that whoever hears of it has them.
func (c *Client) resubscribe(ctx context.Context, conn *connection) {
	c.mu.Lock()
	var subs []subscription
	c.resubscribing = c.resubscribing || !c.connack.SessionPresent
	if c.resubscribing {
		if c.opts.NoResubscribe {
			c.order = nil
			clear(c.subscriptions)
		}
		for _, filter := range c.order {
			subs = append(subs, c.subscriptions[filter])
		}
	}
	c.mu.Unlock()
	limited, cancel := context.WithTimeoutCause(ctx, c.opts.ConnectTimeout, context.DeadlineExceeded)
	defer cancel()
	for len(subs) > 0 {
		// One packet for all that have the same properties, and no identifier
		// of their own.
		n := 1
		for n < len(subs) && subs[0].options.plain() && subs[n].options.plain() && n < resubscribeBatch {
			n++
		}
		list := make([]Subscription, n)
		for i := range list {
			list[i] = subs[i].Subscription
		}
		r, err := conn.subscribe(limited, list, subs[0].options)
		for i, code := range r.ReasonCodes {
			if code >= reasonUnspecified {
				c.mu.Lock()
				c.forgetSubscription(list[i].Filter)
				c.mu.Unlock()
				err = refused(fmt.Sprintf("subscribing again to %s", quote(list[i].Filter)), code, r.ReasonString)
			}
		}
		if ctx.Err() != nil {
			return // Suspend or Disconnect was called
		}
		if err != nil {
			c.events.send(Failed{err})
			if len(r.ReasonCodes) == 0 {
				return // the connection is gone
			}
		}
		subs = subs[n:]
	}
	c.mu.Lock()
	c.resubscribing = false
	c.mu.Unlock()
}

// resubscribeBatch is how many filters go into one SUBSCRIBE.
const resubscribeBatch = 100

func (o *SubscribeOptions) plain() bool { return o.Identifier == 0 && len(o.UserProperties) == 0 }
