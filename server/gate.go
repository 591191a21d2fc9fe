package main

import (
	"net"
	"net/http"
	"sync"
)

// maxHTTPConns are the connections that speak HTTP at the same time; WebSockets
// are counted by the broker.
const maxHTTPConns = 4096

// gate bounds the connections of a server. One more than that takes the place of
// one, any one, that asks for nothing: it has not sent a whole request yet, or
// is done with its last. Whoever opens many and dawdles shuts nobody out.
type gate struct {
	most int

	mu   sync.Mutex
	open map[net.Conn]bool // true while a request is served
}

func newGate(most int) *gate { return &gate{most: most, open: make(map[net.Conn]bool)} }

// watch is a server's ConnState.
func (g *gate) watch(c net.Conn, state http.ConnState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch state {
	case http.StateNew:
		if len(g.open) >= g.most && !g.dropIdle() {
			_ = c.Close()
			return
		}
		g.open[c] = false
	case http.StateActive, http.StateIdle:
		if _, ok := g.open[c]; ok {
			g.open[c] = state == http.StateActive
		}
	case http.StateHijacked, http.StateClosed:
		delete(g.open, c)
	}
}

func (g *gate) dropIdle() bool {
	for c, busy := range g.open {
		if !busy {
			delete(g.open, c)
			_ = c.Close()
			return true
		}
	}
	return false
}
