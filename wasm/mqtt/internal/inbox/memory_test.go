package inbox

import (
	"math/rand/v2"
	"slices"
	"testing"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// With a stalled receiver and a limit of 1 MB, 268 MB were held.
func TestStalledReceiverHoldsTheLimit(t *testing.T) {
	const limit = 1 << 20
	in := New(limit)
	payload := zeros[:1000]
	for i := range 256 << 10 { // 256 MiB
		put(in, "t", 0, payload, 0)
		if i%1000 != 0 {
			continue
		}
		if got := held(t, in); got > limit {
			t.Fatalf("holds %d bytes, limit %d", got, limit)
		}
	}
	_, b := takeAll(t, in)
	if used := b.Count * len(payload); used < limit*3/4 || b.Count+int(b.Dropped) != 256<<10 {
		t.Errorf("%d messages, %d dropped", b.Count, b.Dropped)
	}
}

// QoS 1 messages between dropped ones must not keep the memory of those.
func TestFewAckedAmongDroppedHoldLittle(t *testing.T) {
	const limit, n, acked = 1 << 20, 20_000, 1000
	for _, size := range []int{10, 1000, 20_000} {
		in := New(limit)
		payload := make([]byte, size)
		most := max(limit, acked*(size+50)*5/4)
		for i := range n {
			if i%(n/acked) == 0 {
				put(in, "t", 1, payload, uint64(i+1))
			} else {
				put(in, "t", 0, payload, 0)
			}
			if i%1000 != 0 {
				continue
			}
			if got := held(t, in); got > most {
				t.Fatalf("%d bytes each: holds %d bytes, limit %d", size, got, limit)
			}
		}
		receipts, messages := 0, 0
		for b := take(t, in); b.Count > 0; b = take(t, in) {
			receipts += len(b.Receipts)
			messages += b.Count + int(b.Dropped)
		}
		if receipts != acked || messages != n {
			t.Errorf("%d bytes each: %d QoS 1 messages of %d, %d of %d in all", size, receipts, acked, messages, n)
		}
	}
}

func TestSingleLargeMessagesHoldTheLimit(t *testing.T) {
	const limit = 4 << 20
	for _, size := range []int{33_000, 65_536, 100_000, 1 << 20, 3 << 20, 5 << 20} {
		for _, inPlace := range []bool{false, true} {
			in := New(limit)
			payload, n := zeros[:size], 5+2*limit/size
			for range n {
				if inPlace {
					putLarge(t, in, "t", 0, payload, 0)
				} else {
					put(in, "t", 0, payload, 0)
				}
				if got := held(t, in); got > limit {
					t.Fatalf("%d bytes each, in place %v: holds %d bytes, limit %d", size, inPlace, got, limit)
				}
			}
			count, dropped := 0, 0
			for b := take(t, in); b.Count > 0 || b.Dropped > 0; b = take(t, in) {
				count += b.Count
				dropped += int(b.Dropped)
			}
			if size < limit && count*size < limit/3 || count+dropped != n {
				t.Errorf("%d bytes each, in place %v: %d messages, %d dropped", size, inPlace, count, dropped)
			}
		}
	}
}

func TestAlternatingSizesHoldTheLimit(t *testing.T) {
	const limit = 4 << 20
	sizes := []int{10, 40_000, 10, 300_000, 1000, 65_000, 10, 1 << 20, 33_000}
	for _, inPlace := range []bool{false, true} {
		for _, every := range []int{0, 7} { // a stalled receiver, and one that takes and recycles
			in := New(limit)
			for i := range 1000 {
				payload := zeros[:sizes[i%len(sizes)]]
				if inPlace && len(payload) > 32<<10 {
					putLarge(t, in, "t", 0, payload, 0)
				} else {
					put(in, "t", 0, payload, 0)
				}
				if every > 0 && i%every == 0 {
					b := take(t, in)
					in.Recycle(&b)
				}
				if i%19 != 0 {
					continue
				}
				if got := held(t, in); got > limit {
					t.Fatalf("in place %v, taken every %d: holds %d bytes, limit %d", inPlace, every, got, limit)
				}
			}
		}
	}
}

// Small QoS 1 messages between large ones must not take a segment each.
func TestSmallAckedBetweenLargeHoldLittle(t *testing.T) {
	in := New(1 << 20)
	payload := make([]byte, 40_000)
	const n = 500
	for i := range n {
		put(in, "t", 1, payload[:10], 1)
		putLarge(t, in, "t", byte(i%2), payload, uint64(i%2))
	}
	used := n*(10+20) + n/2*(len(payload)+20)
	if got := held(t, in); got > used*2+1<<20 {
		t.Errorf("holds %d bytes for %d", got, used)
	}
}

// A small QoS 1 message in the unused end of a large message's buffer must not keep
// that buffer.
func TestAckedInTheTailOfALargeMessage(t *testing.T) {
	const limit = 1 << 20
	in := New(limit)
	putLarge(t, in, "large", 0, zeros[:900_000], 0)
	put(in, "acked", 1, []byte("x"), 1)
	if in.first != in.last {
		t.Fatal("two segments")
	}
	putLarge(t, in, "large", 0, zeros[:900_000], 0)
	if got := held(t, in); got > limit {
		t.Errorf("holds %d bytes, limit %d", got, limit)
	}
	_, b := takeAll(t, in)
	if b.Count != 2 || b.Dropped != 1 || len(b.Receipts) != 1 {
		t.Errorf("%d messages, %d dropped", b.Count, b.Dropped)
	}
}

// Receipts count toward the limit, too: QoS 0 messages are dropped for them as for
// records.
func TestReceiptsCount(t *testing.T) {
	const limit, n = 256 << 10, 3000
	in := New(limit)
	for range 1000 {
		put(in, "t", 0, zeros[:1000], 0)
	}
	for i := range n {
		put(in, "t", 1, nil, uint64(i))
		if got := held(t, in); got > limit {
			t.Fatalf("holds %d bytes, limit %d", got, limit)
		}
	}
	if len(in.receipts) != n {
		t.Errorf("%d receipts", len(in.receipts))
	}
}

// An inbox that is never empty does not keep the receipts of taken messages.
func TestReceiptsOfTakenMessagesAreGone(t *testing.T) {
	in := New(defaultLimit)
	next := uint64(0)
	for i := range 100_000 {
		put(in, "t", 1, zeros[:500], uint64(i))
		if next+5000 > uint64(i) {
			continue
		}
		b := take(t, in)
		for _, receipt := range b.Receipts {
			if receipt != next {
				t.Fatalf("receipt %d in place of %d", receipt, next)
			}
			next++
		}
		in.Recycle(&b)
		if waiting := len(in.receipts); waiting == 0 || cap(in.receipts) > 4*5000 {
			t.Fatalf("room for %d receipts, %d wait", cap(in.receipts), waiting)
		}
	}
}

// Once the last segment is swept, QoS 1 messages are put there: no new one is allocated
// beyond the limit.
func TestSweptSegmentIsFilledAgain(t *testing.T) {
	const limit = 1 << 20
	in := New(limit)
	fill := func(qos byte) {
		for in.first == nil || in.last.room() > 1100 {
			put(in, "t", qos, zeros[:1000], 1)
		}
	}
	fill(1)
	for in.bytes() < limit-2*maxSegment-maxSegment/2 {
		put(in, "t", 1, zeros[:1000], 1)
		fill(1)
	}
	put(in, "t", 1, zeros[:1100], 1)
	fill(0)
	if in.bytes()+maxSegment <= limit {
		t.Fatalf("holds %d bytes", in.bytes())
	}
	put(in, "t", 1, zeros[:1100], 1)
	if got := held(t, in); got > limit {
		t.Errorf("holds %d bytes, limit %d", got, limit)
	}
	if in.dropped == 0 {
		t.Error("nothing was dropped")
	}
}

// The cost of a full inbox: no segment is swept twice, whatever the share of QoS 1.
func TestEachSegmentIsSweptOnce(t *testing.T) {
	in := New(256 << 10)
	seen := map[*segment]bool{}
	for i := range 200_000 {
		before := in.swept
		put(in, "t", byte(i%3)/2, zeros[:50], uint64(i%3)/2)
		if in.swept == before {
			continue
		}
		if seen[in.swept] {
			t.Fatalf("message %d: a segment is swept again", i)
		}
		seen[in.swept] = true
	}
	if len(seen) < 10 {
		t.Errorf("%d segments were swept", len(seen))
	}
}

func TestPutTakesNoMemoryPerMessage(t *testing.T) {
	for _, name := range []string{"taken", "stalled"} {
		in := New(1 << 20)
		p := wire.Publish{Topic: []byte("bench/flood/000000"), Payload: make([]byte, 64)}
		got := testing.AllocsPerRun(100, func() {
			for range 5000 {
				in.Put(&p, p.Topic, readAt, 0)
			}
			if name == "taken" {
				b := take(t, in)
				in.Recycle(&b)
			}
		})
		if got > 10 {
			t.Errorf("%s: %v allocations for 5000 messages", name, got)
		}
	}
}

// Messages that the broker has forgotten are dropped beyond the limit, the oldest
// first: a stalled receiver does not fill the memory while sessions come and go.
func TestForgottenMessagesHoldTheLimit(t *testing.T) {
	const limit, n, rounds = 256 << 10, 100, 50
	in := New(limit)
	k := newKeeper(t)
	rng := rand.New(rand.NewPCG(1, 2))
	put0, acked := 0, 0
	for round := range rounds {
		in.Forget()
		if got := held(t, in); got > limit {
			t.Fatalf("round %d: holds %d bytes, limit %d", round, got, limit)
		}
		for i := range n {
			receipt := uint64(round*n + i + 1)
			switch rng.IntN(4) {
			case 0:
				put(in, "t", 0, zeros[:100], 0)
				put0++
				continue
			case 1:
				putLarge(t, in, "t", 1, zeros[:40_000], receipt)
			case 2:
				p := wire.Publish{Flags: 2, Topic: []byte("t"), Payload: zeros[:50_000]}
				k.keep(&p)
				in.Put(&p, p.Topic, readAt, receipt)
			default:
				put(in, "t", 2, zeros[:1000], receipt)
			}
			acked++
		}
	}
	_, sum := takeAll(t, in)
	if got := sum.Count + int(sum.Dropped); got != put0+acked {
		t.Errorf("%d messages taken and %d dropped of %d", sum.Count, sum.Dropped, put0+acked)
	}
	if !slices.IsSorted(sum.Receipts) || sum.Receipts[0] > (rounds-1)*n || sum.Receipts[len(sum.Receipts)-1] < (rounds-1)*n {
		t.Errorf("receipts %v", sum.Receipts)
	}
}
