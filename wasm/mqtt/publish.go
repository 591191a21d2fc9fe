package mqtt

import "context"

// Publish sends a message and waits for the broker's acknowledgement, which is
// PUBACK at QoS 1 and PUBCOMP at QoS 2; at QoS 0, which has none, until it is
// written. Its error is
//
//   - BadOption, Unsupported or PacketTooLarge for what is not MQTT or is more
//     than the broker takes (see [Connack]),
//   - NotConnected, QueueFull, Dropped or Expired for what was not sent, as
//     Options.Queue and the Message Expiry Interval say,
//   - Refused with the broker's reason code, which is 0x80 or more (3.4.2.1),
//   - SessionLost, at QoS 0 Network, or when the client has ended NotConnected,
//     for what may or may not have arrived,
//   - Storage for what Options.Store did not take, or
//   - Timeout or Aborted when ctx ends first; a QoS 1 or 2 message that was sent
//     by then may still arrive.
func (c *Client) Publish(ctx context.Context, m Message) (PublishResult, error) {
	type outcome struct {
		result PublishResult
		err    error
	}
	ch := make(chan outcome, 1)
	cancel := c.PublishAsync(&m, func(r PublishResult, err error) { ch <- outcome{r, err} })
	select {
	case o := <-ch:
		return o.result, o.err
	case <-ctx.Done():
		cancel(fromContext(ctx, "publish"))
		o := <-ch
		return o.result, o.err
	}
}

// PublishAsync queues a message and returns at once; messages leave in the
// order of the calls (4.6). m is not used after that. settle is called
// exactly once with what Publish returns, from any goroutine, also before
// PublishAsync returns, and must neither block nor call the client. The returned
// function gives up waiting: it takes the message back if it was not sent yet,
// and settles with the error it is given.
func (c *Client) PublishAsync(m *Message, settle func(PublishResult, error)) (cancel func(error)) {
	return c.publish(m, false, settle)
}

// StoreAsync is PublishAsync, but settles when the message is in Options.Store
// and will be sent, be it by the next program. What fails after that is told as
// [Failed]. At QoS 0 a message is stored only while there is no connection and
// Queue.Offline lets it wait; else it settles when it is written. Without a
// store it fails with BadOption.
func (c *Client) StoreAsync(m *Message, settle func(PublishResult, error)) (cancel func(error)) {
	return c.publish(m, true, settle)
}

func (c *Client) publish(m *Message, stored bool, settle func(PublishResult, error)) (cancel func(error)) {
	c.pending.add()
	done := func(r PublishResult, err error) {
		c.pending.done()
		settle(r, err)
	}
	o, err := c.outgoing(m, stored)
	if err == nil {
		o.settle = done
		if stored {
			o.late = c.session.failedLate
		}
		err = c.session.enqueue(o)
	}
	if err != nil {
		done(PublishResult{}, err)
		return func(error) {}
	}
	return func(err error) { c.session.giveUp(o, err) }
}

// outgoing checks a message and makes its packet.
func (c *Client) outgoing(m *Message, stored bool) (*outgoing, error) {
	if err := checkMessage("", m); err != nil {
		return nil, err
	}
	switch {
	case stored && c.opts.Store == nil:
		return nil, badOption("waitFor", "needs a durable store")
	case m.Properties.TopicAlias != nil && c.opts.AutoTopicAlias:
		return nil, badOption("properties.topicAlias", "must not be set while aliases are given automatically")
	}
	c.mu.Lock()
	up, leaving := c.conn != nil, c.leaving
	c.mu.Unlock()
	o := newOutgoing(m)
	o.onStored = stored
	if leaving || c.ctx.Err() != nil || !up && !c.session.held(o) {
		return nil, c.notConnected()
	}
	return o, nil
}
