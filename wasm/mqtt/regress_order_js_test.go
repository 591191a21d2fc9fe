package mqtt

import (
	"sync"
	"testing"
	"testing/synctest"
)

// Messages of a resumed session arrived before the Connected event. Natively,
// goroutines run in parallel, and the order of the handlers is not defined.
func TestMessagesComeAfterConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var got []string
		note := func(what string) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, what)
		}
		_, s, b, _ := start(t, func(o *Options) {
			withSession(o)
			o.OnMessage = func(m Message) { note(m.Topic) }
			o.OnEvent = func(ev Event) {
				if _, ok := ev.(Connected); ok {
					note("connected")
				}
			}
		})
		for range 20 {
			_ = b.Close()
			b = s.next()
			b.read()
			b.send(0x20, 3, 1, 0, 0, 0x30, 4, 0, 1, 'm', 0) // in one write
			synctest.Wait()
		}
		mu.Lock()
		defer mu.Unlock()
		for i, what := range got[1:] {
			if want := []string{"connected", "m"}[i%2]; what != want {
				t.Fatalf("%d: %v", i, got)
			}
		}
	})
}
