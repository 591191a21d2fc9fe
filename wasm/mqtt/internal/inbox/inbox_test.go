package inbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"mqttwasm/wasm/mqtt/internal/wire"
)

func TestOrderAndContent(t *testing.T) {
	properties := []byte{0x01, 1, 0x0B, 5, 0x0B, 0x80, 1, 0x26, 0, 1, 'k', 0, 1, 'v'}
	long := append([]byte{0x26, 0, 1, 'k', 0, 200}, bytes.Repeat([]byte{'v'}, 200)...)
	messages := []wire.Publish{
		{Flags: 0x0B, Topic: []byte("t/ü"), Properties: properties, Payload: []byte{0, 255}},
		{Flags: 0, Topic: []byte("t"), Payload: nil},
		{Flags: 4, Topic: bytes.Repeat([]byte("x"), 300), Properties: long, Payload: make([]byte, 100_000)},
		{Flags: 1, Topic: []byte("t"), Payload: []byte("x")},
	}
	in := New(defaultLimit)
	for i, p := range messages {
		receipt := uint64(0)
		if p.QoS() > 0 {
			receipt = uint64(i + 10)
		}
		in.Put(&p, p.Topic, readAt+float64(i), receipt)
	}
	held(t, in)
	b, err := in.Take(context.Background())
	if err != nil || b.Count != len(messages) || b.Dropped != 0 || !slices.Equal(b.Receipts, []uint64{10, 12}) {
		t.Fatalf("%d messages, %d dropped, receipts %v, %v", b.Count, b.Dropped, b.Receipts, err)
	}
	i := 0
	for r := range b.All() {
		want := messages[i]
		if r.Flags != want.Flags || r.At != readAt+float64(i) || !bytes.Equal(r.Topic, want.Topic) ||
			!bytes.Equal(r.Properties, want.Properties) || !bytes.Equal(r.Payload, want.Payload) {
			t.Errorf("message %d: %+v instead of %+v", i, r, want)
		}
		i++
	}
	if i != len(messages) {
		t.Errorf("%d messages in the batch", i)
	}
}

// The page parses this format: the test pins its bytes.
func TestRecordFormat(t *testing.T) {
	p := wire.Publish{Flags: 0x0B, Properties: []byte{1, 1}, Payload: []byte("xy")}
	want := []byte{
		18, 0, 0, 0, 0x0B, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0, 1, 't', 2, 1, 1, 'x', 'y',
	}
	want[0] = byte(len(want) - 4)
	if got := AppendRecord(nil, &p, []byte("t"), 1.5); !bytes.Equal(got, want) {
		t.Errorf("% x\ninstead of\n% x", got, want)
	}
	if got := AppendRecord([]byte("before"), &p, []byte("t"), 1.5); !bytes.Equal(got, append([]byte("before"), want...)) {
		t.Errorf("% x", got)
	}
	in := New(defaultLimit)
	in.Put(&p, []byte("t"), 1.5, 1)
	if b := take(t, in); !bytes.Equal(b.Records[0], want) {
		t.Errorf("% x\ninstead of\n% x", b.Records[0], want)
	}
}

func TestDropsTheOldestQoS0AndCounts(t *testing.T) {
	const limit, n = 256 << 10, 1000
	in := New(limit)
	payload := make([]byte, 1000)
	for i := range n { // one in ten is QoS 1
		qos := byte(i%10) / 9
		put(in, strconv.Itoa(i), qos, payload, uint64(qos)*uint64(i))
		if got := held(t, in); got > limit {
			t.Fatalf("holds %d bytes, limit %d", got, limit)
		}
	}
	var got []int
	var receipts []uint64
	dropped := 0
	for b := take(t, in); b.Count > 0; b = take(t, in) {
		dropped += int(b.Dropped)
		receipts = append(receipts, b.Receipts...)
		for r := range b.All() {
			i, _ := strconv.Atoi(string(r.Topic))
			got = append(got, i)
		}
	}
	if dropped+len(got) != n {
		t.Errorf("%d dropped, %d kept, want %d together", dropped, len(got), n)
	}
	if !slices.IsSorted(got) {
		t.Errorf("out of order: %v", got)
	}
	oldest := n
	for _, i := range got {
		if i%10 != 9 {
			oldest = min(oldest, i)
		}
	}
	var want []int // QoS 0: the newest without a gap; QoS 1: all
	var wantReceipts []uint64
	for i := range n {
		if i%10 == 9 || i >= oldest {
			want = append(want, i)
		}
		if i%10 == 9 {
			wantReceipts = append(wantReceipts, uint64(i))
		}
	}
	if !slices.Equal(got, want) || !slices.Equal(receipts, wantReceipts) {
		t.Errorf("got %v\nreceipts %v", got, receipts)
	}
	if used := len(got) * 1000; used < limit/2 {
		t.Errorf("keeps %d bytes of messages, limit %d", used, limit)
	}
}

// A message that cannot fit, whatever is dropped, does not displace others.
func TestMessageOverTheLimitIsDroppedAlone(t *testing.T) {
	in := New(256 << 10)
	for range 3 {
		put(in, "small", 0, zeros[:in.segment-100], 0)
	}
	put(in, "huge", 0, make([]byte, 300<<10), 0)
	putLarge(t, in, "huge", 0, make([]byte, 300<<10), 0)
	held(t, in)
	b := take(t, in)
	if b.Count != 3 || b.Dropped != 2 {
		t.Errorf("%d messages, %d dropped", b.Count, b.Dropped)
	}
	in.Recycle(&b)
	before := held(t, in)
	putLarge(t, in, "huge", 0, zeros[:300<<10], 0)
	p := wire.Publish{Topic: []byte("x"), Buffer: make([]byte, 0, 300<<10)}
	in.Put(&p, p.Topic, 0, 0) // is copied out of its buffer
	if after := held(t, in); before == 0 || after != before {
		t.Errorf("held %d bytes, now %d: spare memory went for what is too large to keep", before, after)
	}
}

// A small limit is obeyed, and at least half of it is used.
func TestSmallLimits(t *testing.T) {
	for _, limit := range []int{16 << 10, 64 << 10, 128 << 10} {
		in := New(limit)
		for range 10_000 {
			put(in, "t", 0, zeros[:200], 0)
		}
		if got := held(t, in); got > limit {
			t.Errorf("holds %d bytes, limit %d", got, limit)
		}
		if b := take(t, in); b.Count*200 < limit/2 {
			t.Errorf("limit %d: keeps %d messages", limit, b.Count)
		}
	}
}

// A batch that only reports dropped messages is returned, too.
func TestLossWithoutMessagesWakesTheTaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(1)
		got := make(chan Batch)
		go func() {
			b, _ := in.Take(context.Background())
			got <- b
		}()
		synctest.Wait()
		put(in, "t", 0, nil, 0)
		if b := <-got; b.Count != 0 || b.Dropped != 1 || len(b.Records) != 0 {
			t.Errorf("%+v", b)
		}
	})
}

func TestQoS1And2AreNeverDropped(t *testing.T) {
	in := New(1)
	const n = 3000
	for i := range n {
		put(in, strconv.Itoa(i), 1+byte(i)%2, make([]byte, i), uint64(i+1))
		put(in, "lost", 0, make([]byte, minSegment), 0)
	}
	held(t, in)
	i := 0
	dropped := 0
	for b := take(t, in); b.Count > 0; b = take(t, in) {
		dropped += int(b.Dropped)
		for _, receipt := range b.Receipts {
			if receipt != uint64(i+1) {
				t.Fatalf("receipt %d in place of %d", receipt, i+1)
			}
			i++
		}
	}
	if i != n || dropped != n {
		t.Errorf("%d messages of %d, %d dropped", i, n, dropped)
	}
}

func TestLongQueuesAreSplitIntoBatches(t *testing.T) {
	in := New(defaultLimit)
	for range 3000 {
		put(in, "t", 0, make([]byte, 1000), 0)
	}
	total, batches := 0, 0
	for total < 3000 { // the inbox wakes the receiver for the rest, without another Put
		b, err := in.Take(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for _, r := range b.Records {
			size += len(r)
		}
		if size > batchBytes {
			t.Errorf("a batch of %d bytes", size)
		}
		total += b.Count
		batches++
		if b.More != (total < 3000) {
			t.Errorf("more wait: %t, after %d of 3000", b.More, total)
		}
	}
	if total != 3000 || batches != 12 {
		t.Errorf("%d messages of 3000 in %d batches", total, batches)
	}
	put(in, "t", 0, make([]byte, 3*batchBytes), 0)
	put(in, "t", 0, make([]byte, 3*batchBytes), 0)
	if b := take(t, in); b.Count != 1 {
		t.Errorf("%d messages of 3 MiB in one batch", b.Count)
	}
}

func TestTakeWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(defaultLimit)
		got := make(chan Batch)
		go func() {
			for range 2 {
				b, err := in.Take(context.Background())
				if err != nil {
					t.Error(err)
				}
				got <- b
			}
		}()
		for _, topic := range []string{"a", "b"} {
			synctest.Wait()
			put(in, topic, 0, nil, 0)
			b := <-got
			for r := range b.All() {
				if string(r.Topic) != topic {
					t.Errorf("%s in place of %s", r.Topic, topic)
				}
			}
		}
	})
}

// Two waiting calls of Take both return if there is more than one batch.
func TestWhatIsLeftWakesTheNextTaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(defaultLimit)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if b, err := in.Take(context.Background()); err != nil || b.Count != 1 {
					t.Errorf("%d messages, %v", b.Count, err)
				}
			})
		}
		synctest.Wait()
		in.mu.Lock() // both messages arrive at once
		for range 2 {
			p := wire.Publish{Topic: []byte("t"), Payload: zeros[:batchBytes]}
			in.putCopy(&p, p.Topic, readAt, recordSize(&p, p.Topic), false)
		}
		in.signal()
		in.mu.Unlock()
		wg.Wait()
	})
}

func TestTakeEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(defaultLimit)
		ctx, cancel := context.WithTimeout(context.Background(), 5)
		defer cancel()
		_, err := in.Take(ctx)
		wantCode(t, err, wire.Timeout)
		ctx, cancel = context.WithCancel(context.Background())
		cancel()
		_, err = in.Take(ctx)
		wantCode(t, err, wire.Aborted)
		put(in, "t", 0, nil, 0) // a message that is there is returned all the same
		if b, err := in.Take(ctx); err != nil || b.Count != 1 {
			t.Errorf("%+v, %v", b, err)
		}
	})
}

func TestCloseWakesAllTakers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(defaultLimit)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				_, err := in.Take(context.Background())
				wantCode(t, err, wire.NotConnected)
			})
		}
		synctest.Wait()
		in.Close()
		in.Close()
		wg.Wait()
	})
}

func TestCloseLeavesWhatIsThere(t *testing.T) {
	in := New(defaultLimit)
	put(in, "t", 1, make([]byte, 1000), 7)
	b := take(t, in)
	in.Recycle(&b)
	put(in, "t", 1, make([]byte, 1000), 8)
	in.Close()
	put(in, "late", 0, nil, 0)
	putLarge(t, in, "late", 0, make([]byte, 50_000), 0)
	b, err := in.Take(context.Background())
	if err != nil || b.Count != 1 || !slices.Equal(b.Receipts, []uint64{8}) {
		t.Fatalf("%+v, %v", b, err)
	}
	_, err = in.Take(context.Background())
	wantCode(t, err, wire.NotConnected)
	in.Recycle(&b)
	if got := held(t, in); got > 8*keptReceipts {
		t.Errorf("holds %d bytes after the end", got)
	}
}

func TestPutAndTakeAtOnce(t *testing.T) {
	const n = 20_000
	in := New(1 << 20)
	var wg sync.WaitGroup
	wg.Go(func() {
		payload := make([]byte, 40_000)
		for i := range n {
			if i%100 == 0 {
				putLarge(t, in, strconv.Itoa(i), byte(i/100%2), payload, uint64(i/100%2))
			} else {
				put(in, strconv.Itoa(i), 0, payload[:i%300], 0)
			}
		}
		in.Close()
	})
	last, count := -1, 0
	for {
		b, err := in.Take(context.Background())
		if err != nil {
			break
		}
		count += b.Count + int(b.Dropped)
		for r := range b.All() {
			i, _ := strconv.Atoi(string(r.Topic))
			if i <= last {
				t.Fatalf("message %d after %d", i, last)
			}
			last = i
		}
		in.Recycle(&b)
	}
	wg.Wait()
	if count != n {
		t.Errorf("%d messages of %d", count, n)
	}
	held(t, in)
}

func wantCode(t *testing.T, err error, code wire.Code) {
	t.Helper()
	var typed *wire.Error
	if !errors.As(err, &typed) || typed.Code != code {
		t.Errorf("%v, want %s", err, code)
	}
}

func ExampleBatch_All() {
	in := New(1 << 20)
	put(in, "news/today", 0, []byte("hello"), 0)
	b, _ := in.Take(context.Background())
	for r := range b.All() {
		fmt.Printf("%s: %s\n", r.Topic, r.Payload)
	}
	in.Recycle(&b)
	// Output: news/today: hello
}
