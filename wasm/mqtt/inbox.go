package mqtt

import (
	"context"
	"encoding/binary"
	"iter"
	"math"
	"sync"
	"time"
)

const (
	segmentSize = 64 << 10 // bytes in one allocation of the inbox
	// batchBytes ends a batch, so that one hand-over stays short.
	batchBytes = 1 << 20
	maxSpare   = 2 * batchBytes
)

// An inbox holds received messages until somebody takes them, as records one
// after the other (see [Batch]). It never makes the connection wait. What QoS 1
// and 2 put in is bounded by our Receive Maximum, since they are acknowledged
// only when taken. QoS 0 is bounded by bytes: over the limit the oldest are
// dropped, and counted.
type inbox struct {
	mu       sync.Mutex
	segments []segment
	bytes    int // in all segments
	limit    int
	dropped  uint64 // not yet reported
	wake     chan struct{}
	closed   bool

	spare      [][]byte // of segments that were recycled
	spareBytes int
}

type segment struct {
	records []byte
	count   int
	acks    []delivery // of the QoS 1 and 2 records in it, in order
}

// delivery is a QoS 1 or 2 message that waits to be acknowledged.
type delivery struct {
	id    uint16
	qos   byte
	epoch uint32 // of the session it came in
}

func newInbox(limit int) *inbox {
	return &inbox{limit: limit, wake: make(chan struct{}, 1)}
}

// put appends a message. ack is nil for QoS 0.
func (in *inbox) put(p *publishPacket, topic []byte, at float64, ack *delivery) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return
	}
	size := recordSize(topic, p)
	last := len(in.segments) - 1
	if last < 0 || len(in.segments[last].records)+size > cap(in.segments[last].records) {
		in.segments = append(in.segments, segment{records: in.room(size)})
		last++
	}
	s := &in.segments[last]
	s.records = appendRecord(s.records, size, p, topic, at)
	s.count++
	if ack != nil {
		s.acks = append(s.acks, *ack)
	}
	if in.bytes == 0 { // else whoever takes knows, or does not wait
		in.signal()
	}
	in.bytes += size
	for i := 0; in.bytes > in.limit && i <= last; i++ {
		in.dropFrom(&in.segments[i])
	}
}

// room returns an empty buffer. The caller holds mu.
func (in *inbox) room(size int) []byte {
	if last := len(in.spare) - 1; last >= 0 && cap(in.spare[last]) >= size {
		buf := in.spare[last]
		in.spare = in.spare[:last]
		in.spareBytes -= cap(buf)
		return buf[:0]
	}
	return make([]byte, 0, max(size, segmentSize))
}

func (in *inbox) recycle(records [][]byte) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, buf := range records {
		if in.spareBytes+cap(buf) <= maxSpare {
			in.spare = append(in.spare, buf)
			in.spareBytes += cap(buf)
		}
	}
}

func (in *inbox) signal() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// dropFrom drops the QoS 0 messages of a segment.
func (in *inbox) dropFrom(s *segment) {
	if len(s.acks) == s.count {
		return
	}
	kept := s.records[:0]
	for rest := s.records; len(rest) > 0; {
		size := 4 + int(binary.LittleEndian.Uint32(rest))
		if rest[4]>>1&3 > 0 {
			kept = append(kept, rest[:size]...)
		} else {
			in.bytes -= size
			in.dropped++
			s.count--
		}
		rest = rest[size:]
	}
	s.records = kept
}

// take waits for messages and returns what there is, up to batchBytes.
func (in *inbox) take(ctx context.Context) (batch *Batch, more bool, err error) {
	for {
		in.mu.Lock()
		batch = &Batch{Dropped: in.dropped}
		n, bytes := 0, 0
		for n < len(in.segments) && (n == 0 || bytes+len(in.segments[n].records) <= batchBytes) {
			s := in.segments[n]
			if s.count > 0 {
				batch.Records = append(batch.Records, s.records)
				batch.Count += s.count
				batch.acks = append(batch.acks, s.acks...)
			}
			bytes += len(s.records)
			n++
		}
		in.segments = append(in.segments[:0:0], in.segments[n:]...)
		in.bytes -= bytes
		in.dropped = 0
		closed, left := in.closed, len(in.segments) > 0
		if left {
			in.signal()
		}
		in.mu.Unlock()
		if batch.Count > 0 || batch.Dropped > 0 {
			return batch, left, nil
		}
		if closed {
			return nil, false, newError(NotConnected, "the client has ended")
		}
		select {
		case <-ctx.Done():
			return nil, false, fromContext(ctx, "receive")
		case <-in.wake:
		}
	}
}

func (in *inbox) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = true
	in.signal()
}

// A Batch is received messages in order. Its records are the PUBLISH packet's
// own form without what a receiver has no use for:
//
//	uint32, little endian   bytes that follow in this record
//	byte                    DUP, QoS and RETAIN as in the fixed header
//	float64, little endian  when it was read, milliseconds since 1970
//	UTF-8 string            topic, with any alias resolved
//	variable byte integer   bytes of the properties, then they, in wire form
//	the rest                payload
type Batch struct {
	Records [][]byte // each element holds whole records
	Count   int
	// Dropped is how many QoS 0 messages were lost before this batch because
	// nobody took them in time.
	Dropped uint64

	acks   []delivery
	client *Client
	done   sync.Once
}

// Done acknowledges the batch's QoS 1 and 2 messages to the broker, which then
// may send as many again. It must be called once the messages are safe.
func (b *Batch) Done() {
	b.done.Do(func() {
		if b.client != nil && len(b.acks) > 0 {
			b.client.session.acknowledge(b.acks)
		}
	})
}

// Owed is how many messages of QoS 1 and 2 [Batch.Done] acknowledges.
func (b *Batch) Owed() int { return len(b.acks) }

// Recycle gives the batch's memory to messages that are still to come. Neither
// its records nor the messages decoded from it may be used any more.
func (b *Batch) Recycle() {
	if b.client != nil {
		b.client.inbox.recycle(b.Records)
		b.Records = nil
	}
}

// Messages decodes the batch. The slices of a message point into the batch.
func (b *Batch) Messages() iter.Seq[Message] {
	return func(yield func(Message) bool) {
		for _, rest := range b.Records {
			for len(rest) > 0 {
				size := 4 + int(binary.LittleEndian.Uint32(rest))
				if !yield(decodeRecord(rest[4:size])) {
					return
				}
				rest = rest[size:]
			}
		}
	}
}

const recordHead = 4 + 1 + 8 // length, flags, time

func recordSize(topic []byte, p *publishPacket) int {
	return recordHead + 2 + len(topic) + varintSize(len(p.properties)) + len(p.properties) + len(p.payload)
}

// appendRecord appends a message that was read at a time in milliseconds.
func appendRecord(b []byte, size int, p *publishPacket, topic []byte, at float64) []byte {
	rest, t := uint32(size-4), math.Float64bits(at)
	b = append(b, byte(rest), byte(rest>>8), byte(rest>>16), byte(rest>>24), p.flags,
		byte(t), byte(t>>8), byte(t>>16), byte(t>>24), byte(t>>32), byte(t>>40), byte(t>>48), byte(t>>56),
		byte(len(topic)>>8), byte(len(topic)))
	b = append(b, topic...)
	if len(p.properties) == 0 {
		b = append(b, 0)
	} else {
		b = appendVarint(b, len(p.properties))
		b = append(b, p.properties...)
	}
	return append(b, p.payload...)
}

// milliseconds is the time as a record has it, to the microsecond.
func milliseconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1000 }

func decodeRecord(b []byte) Message {
	m := Message{Duplicate: b[0]&8 != 0, QoS: b[0] >> 1 & 3, Retain: b[0]&1 != 0}
	m.ReceivedAt = time.UnixMicro(int64(math.Float64frombits(binary.LittleEndian.Uint64(b[1:])) * 1000))
	r := reader{rest: b[9:]}
	m.Topic = string(r.binary())
	m.Properties = decodeProperties(r.take(r.varint()))
	m.Payload = r.rest
	return m
}

func varintSize(n int) int {
	switch {
	case n < 1<<7:
		return 1
	case n < 1<<14:
		return 2
	case n < 1<<21:
		return 3
	default:
		return 4
	}
}

func appendVarint(b []byte, n int) []byte {
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}
