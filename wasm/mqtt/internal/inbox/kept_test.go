package inbox

import (
	"bytes"
	"testing"

	"mqttwasm/wasm/mqtt/internal/wire"
)

func putKept(in *Inbox, k *keeper, qos byte, payload []byte, receipt uint64) {
	p := &wire.Publish{Flags: qos << 1, Topic: []byte("t"), Payload: payload}
	k.keep(p)
	in.Put(p, p.Topic, readAt, receipt)
}

// A payload that stays where it arrived counts toward the limit like any other, and is
// dropped with its message.
func TestKeptPayloadsHoldTheLimit(t *testing.T) {
	const limit, size = 4 << 20, 100_000
	in, k := New(limit), newKeeper(t)
	for range 1000 {
		putKept(in, k, 0, make([]byte, size), 0)
		if got := held(t, in); got > limit || len(k.payloads)*size > limit {
			t.Fatalf("holds %d bytes and %d payloads, limit %d", got, len(k.payloads), limit)
		}
	}
	b := take(t, in)
	if b.Count < limit/size*3/4 || b.Count != len(b.Kept) || b.Count != len(k.payloads) || b.Count+int(b.Dropped) != 1000 {
		t.Errorf("%d messages, %d handles, %d payloads, %d dropped", b.Count, len(b.Kept), len(k.payloads), b.Dropped)
	}
	if got := held(t, in); got != 0 {
		t.Errorf("holds %d bytes of what was taken", got)
	}
	in.Recycle(&b)
	if got := held(t, in); got != 0 {
		t.Errorf("holds %d bytes that no message fits into", got)
	}
}

// QoS 1 and 2 messages are not dropped for their size.
func TestKeptPayloadsOfQoS1Stay(t *testing.T) {
	const limit, size = 1 << 20, 100_000
	in, k := New(limit), newKeeper(t)
	for i := range 30 {
		putKept(in, k, 1, bytes.Repeat([]byte{byte(i)}, size), uint64(i+1))
		putKept(in, k, 0, make([]byte, size), 0)
		put(in, "small", 1, []byte{byte(i)}, uint64(100+i))
		held(t, in)
	}
	n := 0
	for b := take(t, in); b.Count > 0; b = take(t, in) {
		for r := range b.All() {
			if r.Flags != 2 || r.Payload[0] != byte(n/2) || len(r.Payload) != 1 && len(r.Payload) != size {
				t.Fatalf("message %d has flags %#x and %d bytes", n, r.Flags, len(r.Payload))
			}
			n++
		}
	}
	if n != 60 || len(k.payloads) > 0 {
		t.Errorf("%d messages, %d payloads left", n, len(k.payloads))
	}
}

// A payload that arrives after the end, or exceeds the limit by itself, is released.
func TestKeptPayloadThatIsNotTaken(t *testing.T) {
	in, k := New(64<<10), newKeeper(t)
	putKept(in, k, 0, make([]byte, 100_000), 0)
	if b := take(t, in); b.Count != 0 || b.Dropped != 1 || len(k.payloads) > 0 {
		t.Errorf("%d messages, %d dropped, %d payloads", b.Count, b.Dropped, len(k.payloads))
	}
	in.Close()
	putKept(in, k, 1, make([]byte, 40_000), 1)
	if len(k.payloads) > 0 {
		t.Error("a payload is kept after the end")
	}
}
