package inbox

import (
	"encoding/binary"
	"slices"

	"mqttwasm/wasm/mqtt/internal/wire"
)

const (
	maxSegment = 64 << 10 // bytes, for small messages
	minSegment = 4 << 10
	// page is what the runtime rounds the size of a large buffer up to.
	page = 8 << 10
	// tail is room in the buffer of a large message for small ones that follow.
	tail = 1 << 10
	// overhead is what a segment takes besides its buffer.
	overhead = 64
)

// A segment is a buffer with whole records in it.
type segment struct {
	next    *segment // the next newer one
	buf     []byte
	start   int // of the first record; what is before it is unused
	records int
	acked   int // records of QoS 1 and 2 among them
	// kept is the payload of the only record, where that is not in buf.
	kept *wire.Kept
}

func (s *segment) room() int { return cap(s.buf) - len(s.buf) }

// cost is what the segment takes of memory, in bytes.
func (s *segment) cost() int {
	if s.kept != nil {
		return cap(s.buf) + overhead + s.kept.Packet
	}
	return cap(s.buf) + overhead
}

// weight is what the segment counts in a batch, in bytes: a kept payload costs nothing
// to hand over, but is memory as well.
func (s *segment) weight() int {
	if s.kept != nil {
		return len(s.buf) + s.kept.Size/16
	}
	return len(s.buf) - s.start
}

// count counts a record that was added.
func (s *segment) count(acked bool) {
	s.records++
	if acked {
		s.acked++
	}
}

// capacity is the size of the buffer made for a message of size bytes.
func capacity(size int) int { return (size + tail + page - 1) / page * page }

// link adds a segment behind all others.
func (in *Inbox) link(s *segment) {
	in.held += s.cost()
	if in.last == nil {
		in.first = s
	} else {
		in.last.next = s
	}
	in.last = s
}

// makeRoom returns the last segment, with room for a record. It returns nil if there is
// no room for a QoS 0 record.
func (in *Inbox) makeRoom(size int, acked bool) *segment {
	want, fresh := in.segment, in.segment
	if size > want {
		want, fresh = size, capacity(size)
	}
	if !acked && fresh+overhead > in.limit { // dropping others would not help
		return nil
	}
	s, ok := in.reuse(want, fresh+overhead)
	if !ok && !acked {
		return nil
	}
	if last := in.last; acked && last != nil && last.room() >= size { // sweeping made room there
		if s != nil {
			in.keep(s)
		}
		return last
	}
	if s == nil {
		s = &segment{buf: make([]byte, 0, fresh)}
	}
	in.link(s)
	return s
}

// reuse returns a spare segment with room for size bytes. While there is none, and cost
// more bytes would exceed the limit, it evicts and sweeps. It returns nil and true if
// they may be allocated, nil and false if not.
func (in *Inbox) reuse(size, cost int) (s *segment, ok bool) {
	for {
		if s = in.takeSpare(size); s != nil {
			return s, true
		}
		if in.bytes()+cost <= in.limit {
			return nil, true
		}
		if !in.evict() && !in.sweep() {
			return nil, false
		}
	}
}

// fit makes room for that many more bytes within the limit, by evicting and sweeping as
// needed. It returns false if that is not enough, unless they are acked.
func (in *Inbox) fit(bytes int, acked bool) bool {
	if !acked && bytes > in.limit {
		return false
	}
	for in.bytes()+bytes > in.limit {
		if !in.evict() && !in.sweep() {
			return acked
		}
	}
	return true
}

// sweep drops the QoS 0 records of the oldest segment that was not swept yet, and moves
// the rest to the segment before it if there is room. It returns false when all were
// swept.
func (in *Inbox) sweep() bool {
	s, before := in.first, in.swept
	if before != nil {
		s = before.next
	}
	if s == nil {
		return false
	}
	in.dropped += uint64(s.records - s.acked)
	switch {
	case s.acked == 0:
		s.records = 0
		s.kept.Drop()
	case s.kept == nil:
		in.compact(s, before)
	}
	if s.records > 0 {
		in.swept = s
		return true
	}
	in.unlink(s, before)
	return true
}

// unlink removes a segment without records; before is the one before it, or nil.
func (in *Inbox) unlink(s, before *segment) {
	if before == nil {
		in.first = s.next
	} else {
		before.next = s.next
	}
	if in.last == s {
		in.last = before
	}
	in.held -= s.cost()
	in.keep(s)
}

// Forget is called when the broker has lost the session of the messages: it may send as
// many as the Receive Maximum allows in addition to them. So messages of any QoS beyond
// the limit are dropped, the oldest first, and counted.
func (in *Inbox) Forget() {
	in.mu.Lock()
	defer in.mu.Unlock()
	for in.bytes() > in.limit {
		if in.evict() || in.sweep() {
			continue
		}
		s := in.first
		if s == nil {
			return
		}
		if s == in.swept {
			in.swept = nil
		}
		in.dropped += uint64(s.records)
		in.takeReceipts(s.acked)
		s.kept.Drop()
		in.unlink(s, nil)
	}
}

// compact moves the QoS 1 and 2 records of s to the end of the segment before it, as far
// as there is room, and the rest to the beginning of s, or of a smaller buffer.
func (in *Inbox) compact(s, before *segment) {
	rest, kept := s.buf[s.start:], s.buf[:0]
	s.start, s.records, s.acked = 0, 0, 0
	for len(rest) > 0 {
		size := 4 + int(binary.LittleEndian.Uint32(rest))
		switch {
		case rest[4]&qosFlags == 0:
		case len(kept) == 0 && before != nil && before.room() >= size:
			before.buf = append(before.buf, rest[:size]...)
			before.count(true)
		default:
			kept = append(kept, rest[:size]...)
			s.count(true)
		}
		rest = rest[size:]
	}
	s.buf = kept
	smaller := in.segment
	if len(kept) > smaller {
		smaller = capacity(len(kept))
	}
	if len(kept) > 0 && cap(kept) > 2*smaller {
		in.held += smaller - cap(kept)
		s.buf = append(make([]byte, 0, smaller), kept...)
	}
}

// maxSpare is how many bytes of spare segments are kept, for messages that arrive while
// batches are handed over.
const maxSpare = 2 << 20

// spares are empty segments, the last used one, which probably fits again, at the end.
type spares struct {
	list  []*segment
	bytes int
	limit int // bytes
}

// takeSpare returns a segment with room for size bytes that wastes at most as many;
// nil: there is none. It no longer counts as held.
func (in *Inbox) takeSpare(size int) *segment {
	for i, s := range slices.Backward(in.spare.list) {
		if cap(s.buf) >= size && cap(s.buf) <= 2*size {
			in.removeSpare(i)
			return s
		}
	}
	return nil
}

func (in *Inbox) removeSpare(i int) {
	cost := in.spare.list[i].cost()
	in.spare.bytes -= cost
	in.held -= cost
	in.spare.list = slices.Delete(in.spare.list, i, i+1)
}

// keep makes a segment that does not count as held a spare one. It replaces the oldest
// spare ones; one that is too large is not kept.
func (in *Inbox) keep(s *segment) {
	if s.kept != nil { // its buffer is too small for others
		return
	}
	cost := s.cost()
	if cost > min(in.spare.limit, in.limit) {
		return
	}
	*s = segment{buf: s.buf[:0]}
	in.spare.list = append(in.spare.list, s)
	in.spare.bytes += cost
	in.held += cost
	for (in.spare.bytes > in.spare.limit || in.bytes() > in.limit) && in.evict() {
	}
}

// evict drops the oldest spare segment; false: there is none.
func (in *Inbox) evict() bool {
	if len(in.spare.list) == 0 {
		return false
	}
	in.removeSpare(0)
	return true
}

// Buffer returns an empty buffer of at least size bytes for a large message, for
// [wire.Publish.Buffer]: a recycled one, or a new one.
func (in *Inbox) Buffer(size int) []byte {
	if buf := in.Spare(size); buf != nil {
		return buf
	}
	return make([]byte, 0, capacity(size))
}

// Spare is Buffer without allocating: it returns nil when there is no recycled one. At
// the limit the oldest messages are dropped already now, so that their memory is
// reused.
func (in *Inbox) Spare(size int) []byte {
	in.mu.Lock()
	defer in.mu.Unlock()
	if cost := capacity(size) + overhead; cost <= in.limit {
		if s, _ := in.reuse(size, cost); s != nil {
			return s.buf
		}
	}
	return nil
}
