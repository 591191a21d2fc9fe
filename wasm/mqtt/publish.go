package mqtt

import (
	"context"
	"sync"

	"mqttwasm/wasm/mqtt/internal/session"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// Publish sends a message and waits for the broker's acknowledgement, which is
// PUBACK at QoS 1 and PUBCOMP at QoS 2; at QoS 0, which has none, until it is
// written. Its error is
//
//   - BadOption, Unsupported or PacketTooLarge for what is not valid in MQTT or
//     not accepted by the broker (see [Connack]),
//   - NotConnected, QueueFull, Dropped or Expired for what was not sent, as
//     Options.Queue and the Message Expiry Interval say,
//   - Refused with the broker's reason code, which is 0x80 or more (3.4.2.1),
//   - SessionLost, at QoS 0 Network, or NotConnected when the client has ended,
//     for what may or may not have arrived,
//   - Storage when Options.Store failed, or
//   - Timeout or Aborted when ctx ends first; a QoS 1 or 2 message that was sent
//     by then may still arrive.
func (c *Client) Publish(ctx context.Context, m Message) (PublishResult, error) {
	return c.PublishAsync(&m, PublishOptions{}).Wait(ctx)
}

// PublishOptions say when a publish is settled, and what is called then.
type PublishOptions struct {
	// Stored settles it when the message is in Options.Store and will be sent, if need
	// be by the next program. Later failures are reported as [Failed]. At QoS 0 a
	// message is stored only while there is no connection and Queue.Offline lets it
	// wait; otherwise it settles when it is written. Without a store it fails with
	// BadOption.
	Stored bool
	// OnSettled is called once with what Publish returns, from any goroutine, possibly
	// before PublishAsync returns. It must neither block nor call the client.
	OnSettled func(PublishResult, error)
}

// PublishAsync queues a message and returns at once; messages leave in the
// order of the calls (4.6). m is not used after that.
func (c *Client) PublishAsync(m *Message, o PublishOptions) *Token {
	t := &Token{client: c, onSettled: o.OnSettled}
	err := m.validate("")
	switch {
	case err != nil:
	case o.Stored && c.opts.Store == nil:
		err = wire.Invalid("waitFor", "needs a durable store")
	case m.Properties.TopicAlias != nil && c.opts.AutoTopicAlias:
		err = wire.Invalid("properties.topicAlias", "must not be set while aliases are given automatically")
	}
	c.mu.Lock()
	defer c.unlock()
	if err == nil && c.supervisor.want == gone {
		err = c.notConnected()
	}
	if err == nil {
		frame, idAt := m.encode()
		t.message.SetFrame(frame, idAt, wire.ValueOr(m.Properties.TopicAlias, 0))
		t.message.OnStored = o.Stored
		err = c.session.Publish(&t.message)
	}
	if err != nil {
		t.settle(PublishResult{}, err)
		return t
	}
	t.message.Owner = (*owner)(t)
	c.pending++
	return t
}

// Token is a message on its way.
type Token struct {
	client    *Client
	message   session.Message
	onSettled func(PublishResult, error)

	mu      sync.Mutex
	done    chan struct{} // nil until asked for
	settled bool
	result  PublishResult
	err     error
}

// owner is a Token as the session's Owner.
type owner Token

// Settle is called with the client's mu held.
func (o *owner) Settle(r session.Result, err error) {
	t := (*Token)(o)
	c := t.client
	c.settled()
	t.settle(PublishResult{r.Reason, r.ReasonString, r.User}, err)
}

func (t *Token) settle(r PublishResult, err error) {
	t.mu.Lock()
	t.settled, t.result, t.err = true, r, err
	if t.done != nil {
		close(t.done)
	}
	t.mu.Unlock()
	if t.onSettled != nil {
		t.onSettled(r, err)
	}
}

// Done is closed when the publish is settled.
func (t *Token) Done() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done == nil {
		t.done = make(chan struct{})
		if t.settled {
			close(t.done)
		}
	}
	return t.done
}

// Result returns what Publish does, after Done is closed. It does not block.
func (t *Token) Result() (PublishResult, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.result, t.err
}

// Wait waits until the publish is settled, or ctx is done, and then gives up as
// Cancel does.
func (t *Token) Wait(ctx context.Context) (PublishResult, error) {
	select {
	case <-t.Done():
	case <-ctx.Done():
		t.Cancel(wire.ContextError(ctx, "publish"))
		<-t.Done()
	}
	return t.Result()
}

// Cancel stops waiting: it withdraws the message if it was not sent yet, and settles it
// with err. One that was settled when it was stored is still sent.
func (t *Token) Cancel(err error) {
	if err != nil {
		err = wire.NetworkError(err, "publish")
	}
	c := t.client
	c.mu.Lock()
	defer c.unlock()
	if t.message.Owner == nil { // never queued, and settled
		return
	}
	c.session.GiveUp(&t.message, err)
}
