package mqtt

import "sync"

// outbox is the queue of messages to publish: what a caller hands over first is
// sent first, however many goroutines publish (4.6).
type outbox struct {
	mu     sync.Mutex
	queue  []*outgoing
	wake   chan struct{}
	closed bool
}

func newOutbox() *outbox { return &outbox{wake: make(chan struct{}, 1)} }

// put appends a message; false once the outbox is closed.
func (b *outbox) put(o *outgoing) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.queue = append(b.queue, o)
	b.signal()
	return true
}

func (b *outbox) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take waits for the next message; nil once the outbox is closed.
func (b *outbox) take() *outgoing {
	for {
		b.mu.Lock()
		if len(b.queue) > 0 {
			o := b.queue[0]
			b.queue[0] = nil
			b.queue = b.queue[1:]
			b.mu.Unlock()
			return o
		}
		closed := b.closed
		b.mu.Unlock()
		if closed {
			return nil
		}
		<-b.wake
	}
}

// drop empties the outbox and settles what was in it.
func (b *outbox) drop(err error) {
	b.mu.Lock()
	queue := b.queue
	b.queue = nil
	b.mu.Unlock()
	for _, o := range queue {
		o.finish(PublishResult{}, err)
	}
}

func (b *outbox) close(err error) {
	b.mu.Lock()
	b.closed = true
	b.signal()
	b.mu.Unlock()
	b.drop(err)
}

// pending counts publishes that are not settled.
type pending struct {
	mu   sync.Mutex
	n    int
	zero chan struct{}
}

func (p *pending) add() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
}

func (p *pending) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n--; p.n == 0 && p.zero != nil {
		close(p.zero)
		p.zero = nil
	}
}

// idle returns a channel that is closed when nothing is pending.
func (p *pending) idle() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n == 0 {
		closed := make(chan struct{})
		close(closed)
		return closed
	}
	if p.zero == nil {
		p.zero = make(chan struct{})
	}
	return p.zero
}
