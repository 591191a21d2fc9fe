package broker

import (
	"net"
	"net/http"
	"sync"
)

// Gate bounds the connections that are open at the same time. One more than that
// takes the place of one, any one, that asks for nothing. Whoever opens many and
// dawdles shuts nobody out.
type Gate struct {
	most int

	mu   sync.Mutex
	open map[net.Conn]bool // true for those that may stay
}

// NewGate returns a gate for that many connections.
func NewGate(most int) *Gate { return &Gate{most: most, open: make(map[net.Conn]bool)} }

// Enter reports whether c is let in. Otherwise it has been closed: there is
// nobody to give way.
func (g *Gate) Enter(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.open) >= g.most && !g.dropIdle() {
		_ = c.Close()
		return false
	}
	g.open[c] = false
	return true
}

func (g *Gate) dropIdle() bool {
	for c, busy := range g.open {
		if !busy {
			delete(g.open, c)
			_ = c.Close()
			return true
		}
	}
	return false
}

// Mark says whether c is busy, which means that it may stay.
func (g *Gate) Mark(c net.Conn, busy bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.open[c]; ok {
		g.open[c] = busy
	}
}

// Leave forgets c.
func (g *Gate) Leave(c net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.open, c)
}

// Watch is an http.Server's ConnState: a connection is busy while a request is
// served, and idle before it has sent a whole one and when it is done with its last.
func (g *Gate) Watch(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		g.Enter(c)
	case http.StateActive, http.StateIdle:
		g.Mark(c, state == http.StateActive)
	case http.StateHijacked, http.StateClosed:
		g.Leave(c)
	}
}
