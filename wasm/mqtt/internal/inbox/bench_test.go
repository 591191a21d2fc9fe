package inbox

import (
	"context"
	"fmt"
	"testing"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// BenchmarkRound puts messages, takes them in batches and recycles the batches; the
// time is per message. With a buffer it measures a large message that was read into a
// buffer from the inbox, without the read.
func BenchmarkRound(b *testing.B) {
	for _, c := range []struct {
		size  int
		large bool
		qos   byte
	}{{64, false, 0}, {64, false, 1}, {1 << 10, false, 0}, {64 << 10, false, 0}, {64 << 10, true, 0}, {64 << 10, true, 1}} {
		b.Run(fmt.Sprintf("%dB,QoS%d,buffer=%v", c.size, c.qos, c.large), func(b *testing.B) {
			in := New(defaultLimit)
			const topic = "bench/flood/000000"
			frame, idAt := wire.EncodePublish(c.qos<<1, topic, nil, make([]byte, c.size))
			if c.qos > 0 {
				frame[idAt] = 1
			}
			p := *inBuffer(b, make([]byte, 0, headroom+len(frame)), frame)
			body := p.Buffer
			p.Buffer = nil
			perBatch := min(1000, batchBytes/(c.size+40)) // as many as fit in a batch
			b.SetBytes(int64(c.size))
			b.ReportAllocs()
			for n := 1; b.Loop(); n++ {
				if c.large {
					p.Buffer = in.Buffer(len(body))[:len(body)]
					at := len(body) - c.size - 1
					p.Topic = p.Buffer[headroom+2:][:len(topic)]
					copy(p.Topic, topic)
					p.Payload = p.Buffer[at+1:]
				}
				in.Put(&p, p.Topic, readAt, uint64(c.qos))
				if n%perBatch == 0 {
					batch, err := in.Take(context.Background())
					if err != nil {
						b.Fatal(err)
					}
					in.Recycle(&batch)
				}
			}
		})
	}
}

// The cost of a message must not depend on how many wait before it. make bench shows
// this curve beside those measured in the browser.
func BenchmarkGrowthInbox(b *testing.B) {
	for _, length := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("waiting=%d", length), func(b *testing.B) {
			p := wire.Publish{Topic: []byte("bench/flood/000000"), Payload: make([]byte, 64)}
			in := New(1 << 40)
			for n := 0; b.Loop(); n++ {
				if n%length == 0 {
					in = New(1 << 40)
				}
				in.Put(&p, p.Topic, readAt, 0)
			}
		})
	}
}

// Nor may it depend on how many messages that must not be dropped wait at the limit.
func BenchmarkGrowthFullInbox(b *testing.B) {
	for _, acked := range []int{0, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("acked=%d", acked), func(b *testing.B) {
			p := wire.Publish{Topic: []byte("bench/flood/000000"), Payload: make([]byte, 64)}
			size := recordSize(&p, p.Topic)
			in := New(acked*(size+16)*5/4 + 1<<20)
			for range acked {
				in.Put(&p, p.Topic, readAt, 1)
			}
			for range in.limit / size {
				in.Put(&p, p.Topic, readAt, 0)
			}
			for n := 0; b.Loop(); n++ {
				in.Put(&p, p.Topic, readAt, 0)
			}
			if in.dropped == 0 {
				b.Error("nothing was dropped")
			}
		})
	}
}
