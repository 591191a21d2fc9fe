package mqtt

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"

	"mqttwasm/wasm/mqtt/internal/inbox"
	"mqttwasm/wasm/mqtt/internal/session"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// Messages returns the messages that arrive, until ctx is done or the client has ended,
// which is the last error. A message is acknowledged when the loop asks for the next one;
// the one at which the loop ends, when another loop, or Receive, asks for more.
func (c *Client) Messages(ctx context.Context) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for {
			batch, err := c.Receive(ctx)
			if err != nil {
				yield(Message{}, err)
				return
			}
			for rest := &batch.batch; rest.Count > 0; {
				record, receipt := rest.Next()
				c.last.Store(receipt)
				if !yield(newMessage(&record), nil) {
					c.inbox.PutBack(*rest)
					return
				}
				c.takeLast()
			}
		}
	}
}

// Receive waits for messages and returns all there are, up to about 256 KiB. Its QoS 1
// and 2 messages are acknowledged only when Batch.Done is called. QoS 0 messages that
// are not received are dropped, oldest first, beyond Options.InboxLimit. It waits
// through lost connections, and fails with NotConnected when the client has ended,
// Timeout or Aborted, or with BadOption when messages go to handlers. One goroutine
// should call it: two would get the messages out of order.
func (c *Client) Receive(ctx context.Context) (*Batch, error) {
	c.handlers.mu.Lock()
	taking := c.handlers.running
	c.handlers.mu.Unlock()
	if taking {
		return nil, wire.Invalid("onMessage", "or handlers of subscriptions receive the messages: Receive and Messages can't be used as well")
	}
	c.takeLast()
	return c.receive(ctx)
}

// takeLast acknowledges the message that Messages returned last.
func (c *Client) takeLast() {
	if receipt := c.last.Swap(0); receipt > 0 {
		c.taken([]session.Receipt{receipt})
	}
}

// Arrived blocks until [Client.Receive] has messages to return. It fails with
// NotConnected if the client has ended, and with Timeout or Aborted if ctx ends first.
func (c *Client) Arrived(ctx context.Context) error { return c.inbox.Wait(ctx) }

// Dropped is how many messages were dropped because they were not received, or not
// handled, in time: of QoS 0, or of sessions that the broker has lost.
func (c *Client) Dropped() uint64 { return c.dropped.Load() }

func (c *Client) receive(ctx context.Context) (*Batch, error) {
	b, err := c.inbox.Take(ctx)
	if err != nil {
		return nil, err
	}
	c.dropped.Add(b.Dropped)
	c.mu.Lock()
	quiet := c.supervisor.quiet
	c.mu.Unlock()
	if quiet != nil { // messages of a connection come after its event
		select {
		case <-quiet:
		case <-ctx.Done():
		}
	}
	return &Batch{Count: b.Count, Dropped: b.Dropped, batch: b, client: c}, nil
}

// A Batch is received messages in order.
type Batch struct {
	Count int
	// Dropped is how many messages were dropped before this batch because they were not
	// received in time: of QoS 0, or of a session that the broker has lost.
	Dropped uint64

	batch  inbox.Batch
	client *Client
	done   sync.Once
}

// Done acknowledges the batch's QoS 1 and 2 messages to the broker, which then
// may send as many again. It must be called once the messages are safe.
func (b *Batch) Done() {
	b.done.Do(func() {
		if len(b.batch.Receipts) > 0 {
			b.client.taken(b.batch.Receipts)
		}
	})
}

// Owed is how many messages of QoS 1 and 2 [Batch.Done] acknowledges.
func (b *Batch) Owed() int { return len(b.batch.Receipts) }

// More reports whether other messages waited when this batch was taken.
func (b *Batch) More() bool { return b.batch.More }

// Messages decodes the batch. The slices of a message point into the batch.
func (b *Batch) Messages() iter.Seq[Message] {
	return func(yield func(Message) bool) {
		for r := range b.batch.All() {
			if !yield(newMessage(&r)) {
				return
			}
		}
	}
}

// Encoded returns the batch in the form that this module's JavaScript decodes. That
// form is private, and may change. Each element holds whole messages.
func (b *Batch) Encoded() [][]byte { return b.batch.Records }

// Kept returns the handles of the payloads that are not in Encoded, in order. The
// caller must claim these payloads from the connection.
func (b *Batch) Kept() []int {
	handles := make([]int, len(b.batch.Kept))
	for i, k := range b.batch.Kept {
		handles[i] = k.Handle
	}
	return handles
}

// Recycle returns the batch's memory for reuse. Neither what Encoded returned nor the
// slices of messages may be used any more.
func (b *Batch) Recycle() { b.client.inbox.Recycle(&b.batch) }

// taken acknowledges messages.
func (c *Client) taken(receipts []uint64) {
	c.mu.Lock()
	defer c.unlock()
	c.session.Taken(receipts)
}

// handlers are the functions that received messages go to.
type handlers struct {
	mu       sync.Mutex
	byFilter map[string]*func(Message)
	other    func(Message) // Options.OnMessage; may be nil
	running  bool
}

// add registers the handlers of subscriptions. Settle, with the broker's reason codes,
// removes those of subscriptions that were not granted; with nil, all. A subscription
// without a handler removes the filter's earlier one when it is granted.
func (h *handlers) add(c *Client, subs []Subscription) (settle func(reasons []byte)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	type entry struct {
		filter      string
		now, before *func(Message)
	}
	entries := make([]entry, len(subs))
	for i, s := range subs {
		entries[i] = entry{filter: s.Filter, before: h.byFilter[s.Filter]}
		if s.Handler == nil {
			continue
		}
		entries[i].now = &s.Handler
		h.byFilter[s.Filter] = &s.Handler
		h.start(c)
	}
	return func(reasons []byte) {
		h.mu.Lock()
		defer h.mu.Unlock()
		for i, e := range slices.Backward(entries) {
			switch granted := i < len(reasons) && reasons[i] < wire.ReasonUnspecified; {
			case granted && e.now == nil && h.byFilter[e.filter] == e.before:
				delete(h.byFilter, e.filter)
			case granted, e.now == nil, h.byFilter[e.filter] != e.now:
			case e.before == nil:
				delete(h.byFilter, e.filter)
			default:
				h.byFilter[e.filter] = e.before
			}
		}
	}
}

// start begins to deliver messages. The caller holds mu.
func (h *handlers) start(c *Client) {
	if !h.running {
		h.running = true
		go h.run(c)
	}
}

func (h *handlers) run(c *Client) {
	for {
		batch, err := c.receive(context.Background())
		if err != nil {
			return
		}
		for m := range batch.Messages() {
			for _, handle := range h.of(m.Topic) {
				handle(m)
			}
		}
		batch.Done()
	}
}

// of returns the handlers of a topic.
func (h *handlers) of(topic string) (list []func(Message)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for filter, handle := range h.byFilter {
		if matches(filter, topic) {
			list = append(list, *handle)
		}
	}
	if list == nil && h.other != nil {
		list = append(list, h.other)
	}
	return list
}

// matches reports whether a topic name matches a valid topic filter (4.7).
func matches(filter, topic string) bool {
	if share, ok := strings.CutPrefix(filter, "$share/"); ok {
		_, filter, _ = strings.Cut(share, "/")
	}
	if strings.HasPrefix(topic, "$") && !strings.HasPrefix(filter, "$") { // [MQTT-4.7.2-1]
		return false
	}
	for {
		wanted, rest, more := strings.Cut(filter, "/")
		if wanted == "#" {
			return true
		}
		level, below, deeper := strings.Cut(topic, "/")
		switch {
		case wanted != "+" && wanted != level:
			return false
		case !more && !deeper, !deeper && rest == "#":
			return true
		case !more || !deeper:
			return false
		}
		filter, topic = rest, below
	}
}
