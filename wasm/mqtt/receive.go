package mqtt

import (
	"context"
	"iter"
	"sync"

	"mqttwasm/wasm/mqtt/internal/inbox"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// Messages returns the messages that arrive, until ctx is done or the client has
// ended, which is the last error. The broker is told that a message arrived when
// the loop asks for the one after the next, at the latest; one that the loop broke
// off at may come again.
func (c *Client) Messages(ctx context.Context) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for {
			batch, err := c.Receive(ctx)
			if err != nil {
				yield(Message{}, err)
				return
			}
			for m := range batch.Messages() {
				if !yield(m, nil) {
					return
				}
			}
			batch.Done()
		}
	}
}

// Receive waits for messages and returns all there are, up to about 256 KiB.
// Batch.Done must be called before the broker is told that its QoS 1 and 2
// messages arrived. QoS 0 messages that nobody receives are dropped, oldest
// first, beyond Options.InboxLimit. It waits through lost connections, and fails
// with NotConnected when the client has ended, Timeout or Aborted, or with
// BadOption when messages go to handlers. One goroutine should call it: two would
// get the messages out of order.
func (c *Client) Receive(ctx context.Context) (*Batch, error) {
	c.handlers.mu.Lock()
	taking := c.handlers.running
	c.handlers.mu.Unlock()
	if taking {
		return nil, wire.Invalid("onMessage", "and handlers of subscriptions get the messages; they can't be received as well")
	}
	return c.receive(ctx)
}

func (c *Client) receive(ctx context.Context) (*Batch, error) {
	b, err := c.inbox.Take(ctx)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	quiet := c.supervisor.quiet
	c.mu.Unlock()
	if quiet != nil { // nobody hears from a connection before he hears of it
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
	// Dropped is how many messages were lost before this batch because nobody took
	// them in time: of QoS 0, or of a session that the broker has lost.
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

// More tells that other messages waited when this batch was taken.
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

// Encoded returns the batch in the form that this module's JavaScript decodes,
// which is no business of anybody else's and may change. Each element holds whole
// messages.
func (b *Batch) Encoded() [][]byte { return b.batch.Records }

// Kept are the handles of the payloads that are not in Encoded, in their order.
// Whoever has them claims the payloads from the connection.
func (b *Batch) Kept() []int {
	handles := make([]int, len(b.batch.Kept))
	for i, k := range b.batch.Kept {
		handles[i] = k.Handle
	}
	return handles
}

// Recycle gives the batch's memory to messages that are still to come. Neither
// what Encoded returned nor the slices of messages may be used any more.
func (b *Batch) Recycle() { b.client.inbox.Recycle(&b.batch) }

// taken says that messages are safe.
func (c *Client) taken(receipts []uint64) {
	c.mu.Lock()
	defer c.unlock()
	c.session.Taken(receipts)
}
