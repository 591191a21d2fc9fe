package mqtt

import (
	"fmt"
	"testing"
)

// What one message costs must not depend on how many wait before it. make bench
// shows these curves next to those that it measures in the browser.

func BenchmarkGrowthQueue(b *testing.B) {
	for _, length := range []int{100, 10_000, 1_000_000} {
		b.Run(fmt.Sprintf("waiting=%d", length), func(b *testing.B) {
			q := queue{limit: Queue{Messages: length + 1, Bytes: 1 << 40}}
			frame := make([]byte, 100)
			for range length {
				q.append(&outgoing{frame: frame})
			}
			for b.Loop() {
				if _, err := q.put(&outgoing{frame: frame}); err != nil {
					b.Fatal(err)
				}
				q.remove(q.first())
			}
		})
	}
}

func BenchmarkGrowthInbox(b *testing.B) {
	for _, length := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("waiting=%d", length), func(b *testing.B) {
			payload := make([]byte, 64)
			in := newInbox(1 << 40)
			for n := 0; b.Loop(); n++ {
				if n%length == 0 {
					in = newInbox(1 << 40)
				}
				put(in, "bench/flood/000000", 0, payload)
			}
		})
	}
}
