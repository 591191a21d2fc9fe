package inbox

import "slices"

// maxSpare is how many bytes of spare segments are kept, for messages that arrive while
// batches are handed over.
const maxSpare = 2 << 20

// spares are empty segments, the last used one at the end: its size is the one most
// likely needed again.
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
	s := in.takeSpare(size)
	if cost := capacity(size) + overhead; s == nil && cost <= in.limit {
		s, _ = in.reuse(size, cost)
	}
	if s == nil {
		return nil
	}
	return s.buf
}
