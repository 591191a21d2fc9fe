package broker

import (
	"net"
	"net/http"
	"sync"
)

// Gate bounds the connections that are open at the same time. One more than that
// takes the place of one, any one, that is not active; where there is none, it is
// closed. Whoever opens many and dawdles shuts nobody out.
type Gate struct {
	most int

	mu   sync.Mutex
	open map[net.Conn]bool // true for the active
}

// NewGate returns a gate for that many connections.
func NewGate(most int) *Gate { return &Gate{most: most, open: make(map[net.Conn]bool)} }

// Watch is told what becomes of each connection, and can be an http.Server's
// ConnState. There a connection is active while a request is served; an MQTT
// connection is from its session on.
func (g *Gate) Watch(c net.Conn, state http.ConnState) {
	if gone := g.change(c, state); gone != nil {
		_ = gone.Close() // it may take its time, and nobody else is to wait for it
	}
}

// change returns the connection that has to go.
func (g *Gate) change(c net.Conn, state http.ConnState) (gone net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch state {
	case http.StateNew:
		if len(g.open) >= g.most {
			if gone = g.drop(); gone == nil {
				return c
			}
		}
		g.open[c] = false
	case http.StateActive, http.StateIdle:
		if _, ok := g.open[c]; ok {
			g.open[c] = state == http.StateActive
		}
	case http.StateHijacked, http.StateClosed:
		delete(g.open, c)
	}
	return gone
}

func (g *Gate) drop() net.Conn {
	for c, active := range g.open {
		if !active {
			delete(g.open, c)
			return c
		}
	}
	return nil
}
