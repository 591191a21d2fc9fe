package inbox

import (
	"context"
	"slices"
	"testing"
	"unsafe"

	"mqttwasm/wasm/mqtt/internal/wire"
)

const (
	defaultLimit = 32 << 20 // bytes, as in package mqtt
	readAt       = 1700000000123.25
)

var zeros = make([]byte, 6<<20) // payloads

// put adds a message; receipt is 0 at QoS 0.
func put(in *Inbox, topic string, qos byte, payload []byte, receipt uint64) {
	p := wire.Publish{Flags: qos << 1, Topic: []byte(topic), Payload: payload}
	in.Put(&p, p.Topic, readAt, receipt)
}

// putLarge adds a message that was read into a buffer from the inbox, as the transport
// does.
func putLarge(t testing.TB, in *Inbox, topic string, qos byte, payload []byte, receipt uint64) {
	t.Helper()
	head, idAt := wire.EncodePublish(qos<<1, topic, nil, nil)
	if qos > 0 {
		head[idAt] = 1
	}
	buf := in.Buffer(headroom + len(head) + len(payload))
	p := inBuffer(t, buf, head) // without the payload, to copy it once only
	p.Buffer = append(p.Buffer, payload...)
	p.Payload = p.Buffer[len(p.Buffer)-len(payload):]
	in.Put(p, p.Topic, readAt, receipt)
}

const headroom = 16 // bytes before a packet that is read into a buffer

// inBuffer parses a PUBLISH placed in buf, as the transport reads one.
func inBuffer(t testing.TB, buf, frame []byte) *wire.Publish {
	t.Helper()
	_, size, _, _ := wire.Varint(frame[1:])
	buf = append(buf[:headroom], frame[1+size:]...)
	var p wire.Publish
	if err := wire.ParsePublish(frame[0], buf[headroom:], &p); err != nil {
		t.Fatal(err)
	}
	p.Buffer = buf
	return &p
}

// keeper holds payloads outside the inbox.
type keeper struct {
	t        testing.TB
	last     int
	payloads map[int][]byte
}

func newKeeper(t testing.TB) *keeper { return &keeper{t: t, payloads: map[int][]byte{}} }

func (k *keeper) Fetch(handle int, dst []byte) {
	if copy(dst, k.payloads[handle]) != len(dst) {
		k.t.Errorf("%d bytes of payload %d, which has %d", len(dst), handle, len(k.payloads[handle]))
	}
}

func (k *keeper) Drop(handle int) {
	if _, ok := k.payloads[handle]; !ok {
		k.t.Errorf("payload %d is dropped twice", handle)
	}
	delete(k.payloads, handle)
}

// keep moves a message's payload to the keeper.
func (k *keeper) keep(p *wire.Publish) {
	k.last++
	k.payloads[k.last] = p.Payload
	p.Kept = &wire.Kept{Keeper: k, Handle: k.last, Size: len(p.Payload), Packet: len(p.Payload) + 10}
	p.Payload = nil
}

// take returns what is available, without waiting.
func take(t testing.TB, in *Inbox) Batch {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b, err := in.Take(ctx)
	if err != nil {
		return Batch{}
	}
	return b
}

// takeAll takes until nothing is left, and sums up the batches.
func takeAll(t testing.TB, in *Inbox) (batches []Batch, sum Batch) {
	t.Helper()
	for {
		b := take(t, in)
		if b.Count == 0 && b.Dropped == 0 {
			return batches, sum
		}
		batches = append(batches, b)
		sum.Count += b.Count
		sum.Dropped += b.Dropped
		sum.Receipts = append(sum.Receipts, b.Receipts...)
	}
}

// held returns how many bytes the inbox holds, by the capacity of every buffer it
// references. It also checks the inbox's own count and the invariants of its segments.
func held(t testing.TB, in *Inbox) int {
	t.Helper()
	if unsafe.Sizeof(segment{}) > overhead {
		t.Fatalf("a segment takes %d bytes", unsafe.Sizeof(segment{}))
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	bytes, acked, swept := 8*cap(in.receipts), 0, in.swept != nil
	var last *segment
	for s := in.first; s != nil; s = s.next {
		bytes += cap(s.buf) + overhead
		if s.kept != nil {
			bytes += s.kept.Packet
		}
		acked += s.acked
		checkSegment(t, s, swept)
		if s == in.swept {
			swept = false
		}
		last = s
	}
	if last != in.last || swept {
		t.Error("the last segment, or the last that was swept, is not in the list")
	}
	if waiting := len(in.receipts); waiting != acked {
		t.Errorf("%d receipts of %d records", waiting, acked)
	}
	spare := 0
	for _, s := range in.spare.list {
		spare += cap(s.buf) + overhead
	}
	bytes += spare
	if bytes != in.bytes() || spare != in.spare.bytes {
		t.Errorf("holds %d bytes, %d of them spare; by its own count %d and %d", bytes, spare, in.bytes(), in.spare.bytes)
	}
	return bytes
}

func checkSegment(t testing.TB, s *segment, swept bool) {
	t.Helper()
	records, acked := 0, 0
	b := Batch{Records: [][]byte{s.buf[s.start:]}}
	if s.kept != nil {
		b.Records[0] = slices.Clone(b.Records[0])
		b.Records[0][4] &^= keptFlag // or All would fetch it
	}
	for r := range b.All() {
		records++
		if r.Flags&qosFlags != 0 {
			acked++
		}
	}
	if records == 0 || records != s.records || acked != s.acked || swept && acked != records {
		t.Errorf("%d records, %d of them acknowledged, swept %v; by its own count %d and %d", records, acked, swept, s.records, s.acked)
	}
}
