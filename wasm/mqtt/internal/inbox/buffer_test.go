package inbox

import (
	"bytes"
	"fmt"
	"testing"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// A large message becomes a record in the buffer that it was read into, with the same
// content as a copy.
func TestRecordInPlace(t *testing.T) {
	payload := make([]byte, 50_000)
	for i := range payload {
		payload[i] = byte(i * 7)
	}
	user := func(n int) []byte { // a user property of n+6 bytes
		return append([]byte{0x26, 0, 1, 'k', byte(n >> 8), byte(n)}, bytes.Repeat([]byte{'v'}, n)...)
	}
	registers := []byte{0x23, 0, 5} // a topic alias
	for _, c := range []struct {
		name              string
		topic, properties string
		resolved          string // topic; "": the packet's
		payload           []byte
		copied            bool
		inside            bool // the properties are not copied for the alias
	}{
		{name: "plain", topic: "a/b", payload: payload},
		{name: "long topic", topic: string(bytes.Repeat([]byte("x/"), 5000)), payload: payload},
		{name: "properties", topic: "a/b", properties: string(user(20)), payload: payload},
		{name: "long properties", topic: "a/b", properties: string(user(20_000)), payload: payload},
		{name: "registers an alias", topic: "a/b", properties: string(registers), payload: payload},
		{name: "registers an alias before properties", topic: "a/b", properties: string(registers) + string(user(125)), payload: payload},
		{name: "registers an alias after properties", topic: "a/b", properties: string(user(121)) + string(registers), payload: payload},
		{name: "alias after properties that stay", topic: "a/b", properties: string(user(100)) + string(registers), payload: payload, inside: true},
		{name: "short alias", properties: string(registers), resolved: "a/b", payload: payload},
		{name: "alias", properties: string(registers), resolved: "a topic that is longer than the headroom", payload: payload, copied: true},
		{name: "no payload", topic: "a/b", properties: string(user(40_000))},
		{name: "small", topic: "a/b", payload: payload[:10], copied: true},
	} {
		for qos := range byte(3) {
			t.Run(fmt.Sprintf("%s, QoS %d", c.name, qos), func(t *testing.T) {
				in := New(defaultLimit)
				frame, idAt := wire.EncodePublish(qos<<1|1, c.topic, []byte(c.properties), c.payload)
				if qos > 0 {
					frame[idAt+1] = 1
				}
				p := inBuffer(t, in.Buffer(max(40_000, 16+len(frame))), frame)
				if n := len(p.Properties); c.inside { // where they are unless they were copied
					from := headroom + 2 + len(p.Topic) + 2*min(int(qos), 1) + wire.VarintSize(n+len(registers))
					if !bytes.Equal(p.Buffer[from:from+n], p.Properties) {
						t.Fatal("not there")
					}
					p.Properties = p.Buffer[from : from+n]
				}
				topic := p.Topic
				if c.resolved != "" {
					topic = []byte(c.resolved)
				}
				want := AppendRecord(nil, p, topic, readAt)
				buf := p.Buffer[:cap(p.Buffer)]
				put(in, "before", 0, nil, 0)
				in.Put(p, topic, readAt, uint64(qos))
				put(in, "after", 0, nil, 0)
				held(t, in)
				if inPlace := in.last != in.first; inPlace == c.copied {
					t.Errorf("in place: %v", inPlace)
				}
				b := take(t, in)
				got := bytes.Join(b.Records, nil)
				got = got[len(AppendRecord(nil, &wire.Publish{}, []byte("before"), 0)):]
				got = got[:len(got)-len(AppendRecord(nil, &wire.Publish{}, []byte("after"), 0))]
				if !bytes.Equal(got, want) {
					t.Errorf("%d bytes % x…, want %d bytes % x…", len(got), got[:60], len(want), want[:60])
				}
				in.Recycle(&b)
				held(t, in)
				back := false // the buffer, even if the message was copied out of it
				for next := in.Spare(cap(buf)); next != nil; next = in.Spare(cap(buf)) {
					back = back || &next[:1][0] == &buf[0]
				}
				if !back {
					t.Error("the buffer is not used again")
				}
			})
		}
	}
}

// A buffer that does not contain the payload is not used as a record.
func TestPayloadOutsideOfItsBuffer(t *testing.T) {
	in := New(defaultLimit)
	p := wire.Publish{Topic: []byte("t"), Payload: bytes.Repeat([]byte{1}, 40_000), Buffer: make([]byte, 41_000)}
	in.Put(&p, p.Topic, readAt, 0)
	b := take(t, in)
	for r := range b.All() {
		if !bytes.Equal(r.Payload, p.Payload) || string(r.Topic) != "t" {
			t.Error("not what was put")
		}
	}
}

func TestBuffer(t *testing.T) {
	in := New(defaultLimit)
	for _, size := range []int{1, 33_000, 65_536, 1 << 20} {
		if buf := in.Spare(size); buf != nil {
			t.Errorf("%d bytes: something is spare", size)
		}
		buf := in.Buffer(size)
		if len(buf) != 0 || cap(buf) < size+tail || cap(buf) > size+tail+page {
			t.Errorf("%d bytes: %d of %d", size, len(buf), cap(buf))
		}
		if held(t, in) != 0 {
			t.Error("a buffer that was handed out counts")
		}
	}
	putLarge(t, in, "t", 0, make([]byte, 200_000), 0)
	b := take(t, in)
	in.Recycle(&b)
	for _, size := range []int{90_000, 300_000} { // wastes too much; too small
		if buf := in.Spare(size); buf != nil {
			t.Errorf("%d bytes: got %d", size, cap(buf))
		}
	}
	if buf := in.Spare(150_000); len(buf) != 0 || cap(buf) < 150_000 {
		t.Errorf("%d bytes of %d", len(buf), cap(buf))
	}
	if held(t, in) != 0 {
		t.Error("a buffer that was handed out counts")
	}
}

// When a receiver stalls, the buffers of dropped messages are reused for the next ones.
func TestBuffersAreUsedAgainAtTheLimit(t *testing.T) {
	in := New(1 << 20)
	payload := make([]byte, 64<<10)
	buffers := map[*byte]bool{}
	for range 1000 {
		buf := in.Buffer(headroom + len(payload) + 4)
		buffers[&buf[:1][0]] = true
		p := wire.Publish{Topic: []byte("t"), Payload: payload}
		p.Buffer = append(append(buf[:headroom], 0, 1, 't', 0), payload...)
		p.Payload = p.Buffer[headroom+4:]
		in.Put(&p, p.Topic, readAt, 0)
	}
	if held(t, in); len(buffers) > 16 {
		t.Errorf("%d buffers of 64 KiB in 1 MiB", len(buffers))
	}
	if _, b := takeAll(t, in); b.Count < 10 || b.Dropped == 0 {
		t.Errorf("%d messages, %d dropped", b.Count, b.Dropped)
	}
}
