package inbox

import (
	"bytes"
	"testing"

	"mqttwasm/wasm/mqtt/internal/wire"
)

func TestMemoryShrinksAfterAFlood(t *testing.T) {
	in := New(defaultLimit)
	for i := range 100_000 {
		put(in, "t", byte(i%2), zeros[:500], uint64(i%2))
	}
	for b := take(t, in); b.Count > 0; b = take(t, in) {
		in.Recycle(&b)
	}
	if got := held(t, in); got > maxSpare+8*keptReceipts {
		t.Errorf("holds %d bytes after a flood", got)
	}
	// A message larger than the spare memory is kept until the next batch.
	for _, size := range []int{5 << 20, 5 << 20, 100} {
		putLarge(t, in, "t", 0, zeros[:size], 0)
		b := take(t, in)
		in.Recycle(&b)
		if got := held(t, in); got > max(maxSpare, size+size/100)+8*keptReceipts+page {
			t.Errorf("holds %d bytes after a message of %d", got, size)
		}
	}
}

// The memory of a batch that was taken no longer counts.
func TestTakenBatchDoesNotCount(t *testing.T) {
	const limit = 1 << 20
	in := New(limit)
	var batches []Batch
	for range 20 {
		for range 900 {
			put(in, "t", 0, zeros[:1000], 0)
		}
		taken, _ := takeAll(t, in)
		batches = append(batches, taken...)
		if got := held(t, in); got != 0 {
			t.Errorf("holds %d bytes after all was taken", got)
		}
	}
	for i := range batches {
		if batches[i].Dropped > 0 {
			t.Errorf("%d dropped", batches[i].Dropped)
		}
		in.Recycle(&batches[i])
		if got := held(t, in); got > limit {
			t.Errorf("holds %d bytes of batches that were recycled, limit %d", got, limit)
		}
	}
}

func TestRecycledMemoryIsUsedAgain(t *testing.T) {
	for _, size := range []int{10, maxSegment, 3 * maxSegment} {
		for _, large := range []bool{false, true} {
			if large && size == 10 {
				continue // a small message is copied out of a large buffer
			}
			in := New(defaultLimit)
			payload := make([]byte, size)
			round := func(fill byte) Batch {
				for i := range payload {
					payload[i] = fill
				}
				if large {
					putLarge(t, in, "t", 0, payload, 0)
				} else {
					put(in, "t", 0, payload, 0)
				}
				return take(t, in)
			}
			first := round(1)
			memory := &first.Records[0][0]
			in.Recycle(&first)
			if first.Records != nil {
				t.Error("a batch keeps what it has given away")
			}
			in.Recycle(&first) // no effect the second time
			second := round(2)
			if &second.Records[0][0] != memory {
				t.Errorf("%d bytes, in place %v: other memory", size, large)
			}
			for r := range second.All() {
				if !bytes.Equal(r.Payload, payload) {
					t.Errorf("%d bytes, in place %v: not what was put", size, large)
				}
			}
			held(t, in)
		}
	}
}

func TestSpareMemoryIsBounded(t *testing.T) {
	in := New(defaultLimit)
	b := Batch{segments: nil}
	for range 100 {
		b.segments = &segment{next: b.segments, buf: make([]byte, 0, maxSegment)}
	}
	in.Recycle(&b)
	if got := held(t, in); got < maxSpare || got > 100*(maxSegment+overhead) {
		t.Errorf("%d bytes of a batch are kept", got)
	}
	b.segments = &segment{buf: make([]byte, 0, maxSegment)}
	in.Recycle(&b)
	if got := held(t, in); got > maxSpare {
		t.Errorf("%d bytes are kept", got)
	}
	b.segments = &segment{buf: make([]byte, 0, defaultLimit)}
	in.Recycle(&b) // is discarded, and the spare memory stays
	if got := held(t, in); got > maxSpare || got < maxSpare-maxSegment {
		t.Errorf("%d bytes are kept", got)
	}
}

// The spare memory follows the sizes of the messages.
func TestSpareMemoryFollowsTheSizes(t *testing.T) {
	in := New(defaultLimit)
	for _, size := range []int{100, 65_536, 300_000, 100, 1 << 20, 100} {
		for i := range 10 {
			allocated := false
			for range 3 {
				switch {
				case i > 0 && size > 100:
					buf := in.Spare(size + 64)
					allocated = allocated || buf == nil
					p := wire.Publish{Topic: []byte("t"), Payload: zeros[:size]}
					if buf != nil {
						frame, _ := wire.EncodePublish(0, "t", nil, p.Payload)
						p = *inBuffer(t, buf, frame)
					}
					in.Put(&p, p.Topic, 0, 0)
				case size > 100:
					putLarge(t, in, "t", 0, zeros[:size], 0)
				default:
					put(in, "t", 0, zeros[:size], 0)
				}
				b := take(t, in)
				in.Recycle(&b)
			}
			if allocated {
				t.Errorf("%d bytes: nothing of that size is spare in round %d", size, i)
			}
		}
	}
}
