package mqtt

import "sync"

// pending counts publishes that are not settled.
type pending struct {
	mu   sync.Mutex
	n    int
	zero chan struct{}
}

func (p *pending) add() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
}

func (p *pending) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n--; p.n == 0 && p.zero != nil {
		close(p.zero)
		p.zero = nil
	}
}

// idle returns a channel that is closed when nothing is pending.
func (p *pending) idle() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n == 0 {
		closed := make(chan struct{})
		close(closed)
		return closed
	}
	if p.zero == nil {
		p.zero = make(chan struct{})
	}
	return p.zero
}
