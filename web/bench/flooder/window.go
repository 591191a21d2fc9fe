package main

import "sync"

const (
	// Messages and bytes of QoS 1 in flight at most, also to clients that would
	// take more.
	windowMessages = 1000
	windowBytes    = 4 << 20
)

// windowFor returns how many messages of the flood may be in flight.
func windowFor(p plan, receiveMaximum int) int {
	return min(receiveMaximum, windowMessages, max(p.frame, windowBytes/max(p.size, 1)))
}

// A window counts messages in flight.
type window struct {
	mu       sync.Mutex
	inFlight int
	limit    int
	released chan struct{}
}

func newWindow(limit int) *window {
	return &window{limit: limit, released: make(chan struct{}, 1)}
}

// reserve takes room for up to most frames of so many messages, and returns how
// many frames. It waits while there is room for none, and returns 0 when ended.
func (w *window) reserve(most, messages int, ended <-chan struct{}) int {
	for {
		w.mu.Lock()
		frames := min(most, (w.limit-w.inFlight)/messages)
		w.inFlight += frames * messages
		w.mu.Unlock()
		if frames > 0 {
			return frames
		}
		select {
		case <-w.released:
		case <-ended:
			return 0
		}
	}
}

func (w *window) release() {
	w.mu.Lock()
	w.inFlight--
	w.mu.Unlock()
	select {
	case w.released <- struct{}{}:
	default:
	}
}
