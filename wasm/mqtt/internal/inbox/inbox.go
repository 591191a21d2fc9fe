// Package inbox holds received messages until they are taken, bounded by the memory
// that it really holds: in segments, as records one after the other (see [Batch]). A batch
// consists of whole segments, which come back with [Inbox.Recycle] to be reused.
//
//	Put ──► last …………… swept …………… first ──► Take ──► Batch ──► Recycle ──► spare
//	        └ as they came ┘└ QoS 1 and 2 only ┘
//
// Over the limit the oldest segments are swept: their QoS 0 messages are dropped, and
// the others are moved together. Each record is moved at most once, so that the cost of
// a message does not depend on how many wait.
package inbox

import (
	"context"
	"slices"
	"sync"

	"mqttwasm/wasm/mqtt/internal/wire"
)

const (
	// batchBytes ends a batch, so that one hand-over stays short. A larger message
	// is a batch alone.
	batchBytes = 256 << 10
	// keptReceipts is how many receipts an empty inbox keeps room for.
	keptReceipts = 1024
)

// An Inbox is the received messages of a client. It never makes the connection wait.
// QoS 1 and 2 are never dropped: the Receive Maximum bounds them, since they are
// acknowledged only once they are taken. QoS 0 is bounded by the limit: over it the
// oldest are dropped, and counted. See also [Inbox.Forget].
//
// The limit counts the memory held: segments with their unused parts, spare segments,
// and receipts. A batch that was taken does not count until it is recycled, nor does a
// buffer from [Inbox.Buffer] until it is put.
//
// All methods may be called from any goroutine; those that are not exported expect mu to
// be held. Two goroutines calling Take would get the messages out of order.
type Inbox struct {
	limit   int           // bytes
	segment int           // bytes in a segment for small messages
	wake    chan struct{} // holds one element when there is something to take
	done    chan struct{} // closed by Close

	mu          sync.Mutex
	first, last *segment // each has a record
	swept       *segment // the last one that was swept; nil: none
	spare       spares
	held        int      // bytes of all segments, spare ones too
	receipts    []uint64 // of the QoS 1 and 2 records, in their order
	dropped     uint64   // not reported yet
	rest        *Batch   // was put back; nil: none
	closed      bool
}

// New makes an empty inbox that holds limit bytes. It holds more only if messages of
// QoS 1 and 2 need it.
func New(limit int) *Inbox {
	in := &Inbox{limit: limit, segment: maxSegment, wake: make(chan struct{}, 1), done: make(chan struct{})}
	for in.segment > minSegment && in.segment > limit/16 { // a segment is dropped at a time
		in.segment /= 2
	}
	in.spare.limit = maxSpare
	return in
}

// Put adds a message. topic and at are those of [AppendRecord]; receipt is its entry in
// [Batch.Receipts], and unused at QoS 0. Put does not block. It keeps only the Buffer of p;
// if there is one, neither p nor topic may be used any more. After Close it does nothing.
func (in *Inbox) Put(p *wire.Publish, topic []byte, at float64, receipt uint64) {
	size := recordSize(p, topic)
	in.mu.Lock()
	if in.closed {
		in.mu.Unlock()
		p.Kept.Drop()
		return
	}
	if in.first == nil && in.dropped == 0 { // otherwise it was signalled before
		in.signal()
	}
	acked := p.QoS() > 0
	if acked {
		in.addReceipt(receipt)
	}
	var held bool
	switch {
	case p.Kept != nil:
		held = in.putAlone(&segment{buf: make([]byte, size), kept: p.Kept}, p, topic, at, size, acked)
	case p.Buffer != nil:
		held = in.putBuffer(p, topic, at, size, acked)
	default:
		held = in.putCopy(p, topic, at, size, acked)
	}
	if !held {
		in.dropped++
		p.Kept.Drop()
	}
	in.mu.Unlock()
}

// putCopy copies the message into a segment. Like the others it returns false when
// there is no room for it.
func (in *Inbox) putCopy(p *wire.Publish, topic []byte, at float64, size int, acked bool) bool {
	s := in.last
	// A swept segment gets no QoS 0 record, so that none is swept twice.
	if s == nil || s.room() < size || s == in.swept && !acked {
		if s = in.makeRoom(size, acked); s == nil {
			return false
		}
	}
	n := len(s.buf)
	s.buf = s.buf[:n+size]
	record := s.buf[n:]
	writeHead(record[:size-len(p.Payload)], size, p, topic, at)
	copy(record[size-len(p.Payload):], p.Payload)
	s.count(acked)
	return true
}

// putBuffer turns the packet's own buffer into a segment, in which the payload stays
// where it is.
func (in *Inbox) putBuffer(p *wire.Publish, topic []byte, at float64, size int, acked bool) bool {
	s := &segment{buf: p.Buffer, start: len(p.Buffer) - size}
	// A topic that an alias stood for may not fit, and a small message must not
	// hold a large buffer. A payload may be elsewhere.
	if s.start < 0 || cap(s.buf) > 2*size+page || len(p.Payload) > 0 && &p.Payload[len(p.Payload)-1] != &s.buf[len(s.buf)-1] {
		held := in.putCopy(p, topic, at, size, acked)
		in.keep(s)
		return held
	}
	return in.putAlone(s, p, topic, at, size, acked)
}

// putAlone makes s the segment of one message whose payload is already in place.
func (in *Inbox) putAlone(s *segment, p *wire.Publish, topic []byte, at float64, size int, acked bool) bool {
	if !in.fit(s.cost(), acked) {
		return false
	}
	writeHead(s.buf[s.start:len(s.buf)-len(p.Payload)], size, p, topic, at)
	s.count(acked)
	in.link(s)
	return true
}

// Take waits for messages and returns all that there are, up to about 256 KiB, and how
// many were dropped. If only that number is new the batch is empty. After Close it
// returns what is left, and then fails like [Inbox.Wait].
func (in *Inbox) Take(ctx context.Context) (Batch, error) {
	if err := in.Wait(ctx); err != nil {
		return Batch{}, err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.cut(), nil
}

// Wait blocks until there is something to take. It fails with NotConnected if the inbox
// is closed and empty, and with Timeout or Aborted if ctx ends first.
func (in *Inbox) Wait(ctx context.Context) error {
	for {
		in.mu.Lock()
		some, closed := in.rest != nil || in.first != nil || in.dropped > 0, in.closed
		in.mu.Unlock()
		if some {
			return nil
		}
		if closed {
			return wire.NewError(wire.NotConnected, "the client has ended")
		}
		select {
		case <-ctx.Done():
			return wire.ContextError(ctx, "receive")
		case <-in.wake:
		case <-in.done:
		}
	}
}

// PutBack gives back what is left of the batch that was taken last: Take returns it next.
func (in *Inbox) PutBack(b Batch) {
	if b.Dropped = 0; b.Count > 0 { // those were told
		in.mu.Lock()
		in.rest = &b
		in.mu.Unlock()
	}
}

// cut takes a batch from the front.
func (in *Inbox) cut() Batch {
	if rest := in.rest; rest != nil {
		in.rest = nil
		return *rest
	}
	b := Batch{Dropped: in.dropped, segments: in.first}
	in.dropped = 0
	if in.first == nil {
		return b
	}
	b.Records = make([][]byte, 0, 4)
	var end *segment // the batch's last
	bytes, acked := 0, 0
	for s := in.first; s != nil && (end == nil || bytes+s.weight() <= batchBytes); s = s.next {
		bytes += s.weight()
		b.Count += s.records
		acked += s.acked
		in.held -= s.cost()
		if s == in.swept {
			in.swept = nil
		}
		b.Records = append(b.Records, s.buf[s.start:])
		if s.kept != nil {
			b.Kept = append(b.Kept, s.kept)
		}
		end = s
	}
	if in.first = end.next; in.first == nil {
		in.last = nil
	} else {
		in.signal()
		b.More = true
	}
	end.next = nil
	b.Receipts = in.takeReceipts(acked)
	return b
}

// Recycle returns the batch's memory for reuse, which need not be done. Of the batch, what
// was decoded from it, and its copies, only the Receipts may be used then.
func (in *Inbox) Recycle(b *Batch) {
	s := b.segments
	b.Records, b.segments = nil, nil
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return
	}
	// The next batch will need what the last one did, even if a single message is
	// larger than the small ones may leave behind.
	bytes := 0
	for each := s; each != nil; each = each.next {
		bytes += each.cost()
	}
	in.spare.limit = max(maxSpare, min(bytes, in.limit/4))
	for s != nil {
		next := s.next
		in.keep(s)
		s = next
	}
}

// Close ends the inbox: what is in it can still be taken, then Take fails, also while
// it waits. It may be called twice.
func (in *Inbox) Close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return
	}
	in.closed = true
	for in.evict() {
	}
	close(in.done)
}

// signal wakes Take, now or when it next waits.
func (in *Inbox) signal() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// bytes is what the inbox holds.
func (in *Inbox) bytes() int { return in.held + 8*cap(in.receipts) }

// addReceipt appends a receipt.
func (in *Inbox) addReceipt(receipt uint64) {
	full := len(in.receipts) == cap(in.receipts)
	in.receipts = append(in.receipts, receipt)
	if full {
		in.fit(0, true)
	}
}

// takeReceipts takes the oldest n.
func (in *Inbox) takeReceipts(n int) []uint64 {
	if n == 0 {
		return nil
	}
	taken := slices.Clone(in.receipts[:n])
	in.receipts = slices.Delete(in.receipts, 0, n)
	if len(in.receipts) == 0 && cap(in.receipts) > keptReceipts {
		in.receipts = nil
	}
	return taken
}
