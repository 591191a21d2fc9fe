package mqtt

import "context"

// Publish sends a message and waits for the broker's acknowledgement, which
// QoS 0 has not. When ctx ends first, a QoS 1 or 2 message may still arrive.
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
// order of the calls. settle is called exactly once, from any goroutine, and
// must neither block nor call the client. The returned function gives up
// waiting, and settles with the error it is given.
func (c *Client) PublishAsync(m *Message, settle func(PublishResult, error)) (cancel func(error)) {
	return c.publish(m, false, settle)
}

// StoreAsync is PublishAsync, but settles when the message is in Options.Store
// and will be sent, be it by the next program. At QoS 0 it needs Queue.Offline.
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
