package session

import (
	"fmt"
	"testing"
	"time"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// counter is an owner that counts settled messages.
type counter struct{ settled int }

func (c *counter) Settle(_ Result, err error) {
	if err == nil {
		c.settled++
	}
}

// The cost of a message that waits for a connection, is sent and acknowledged must not
// depend on how many wait before it. make bench shows this curve beside those measured
// in the browser.
func BenchmarkGrowthQueue(b *testing.B) {
	for _, length := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("waiting=%d", length), func(b *testing.B) {
			s := New(Config{Now: time.Now, Queue: Queue{Offline: true, Messages: length, Bytes: 1 << 40}})
			frame, idAt := wire.EncodePublish(2, "bench/publish/000000", nil, make([]byte, 64))
			owner, next := &counter{}, make([][]byte, 0, 64)
			tell := func() {
				r := s.Ready()
				for i := range r.Settled {
					r.Settled[i].Tell()
				}
			}
			round := func(n int) {
				for range n {
					m := &Message{Owner: owner}
					m.SetFrame(append([]byte(nil), frame...), idAt, 0)
					if err := s.Publish(m); err != nil {
						b.Fatal(err)
					}
				}
				s.Open()
				if err := s.Connected(&wire.Connack{}, 0); err != nil {
					b.Fatal(err)
				}
				tell()
				for before := owner.settled; owner.settled < before+n; {
					next = s.Next(next[:0], 16<<10)
					size := 0
					for _, f := range next {
						size += len(f)
					}
					s.Written(size)
					for _, f := range next {
						id := uint16(f[idAt])<<8 | uint16(f[idAt+1])
						if err := s.Ack(wire.Ack{Kind: wire.TypePuback, ID: id}); err != nil {
							b.Fatal(err)
						}
					}
					tell()
				}
				s.Lost(nil)
				tell()
			}
			for n := b.N; n > 0; n -= length {
				round(min(n, length))
			}
			if owner.settled != b.N {
				b.Errorf("%d of %d were acknowledged", owner.settled, b.N)
			}
		})
	}
}
