package broker

import (
	"net"
	"net/http"
	"sync"
)

// Gate bounds the number of open connections. One more replaces any one that is not
// active; if there is none, it is closed. So opening many idle connections shuts nobody
// out.
type Gate struct {
	most int

	mu   sync.Mutex
	open map[net.Conn]bool // true: active
}

// NewGate returns a gate for that many connections.
func NewGate(most int) *Gate { return &Gate{most: most, open: make(map[net.Conn]bool)} }

// Watch is called with the states of each connection, and can be an http.Server's
// ConnState. There a connection is active while a request is served; an MQTT connection
// is active once it has a session.
func (g *Gate) Watch(c net.Conn, state http.ConnState) {
	var gone net.Conn
	g.mu.Lock()
	switch _, known := g.open[c]; {
	case state == http.StateNew:
		g.open[c] = false
		if len(g.open) <= g.most {
			break
		}
		gone = c
		for other, active := range g.open {
			if other != c && !active {
				gone = other
				break
			}
		}
		delete(g.open, gone)
	case state == http.StateHijacked, state == http.StateClosed:
		delete(g.open, c)
	case known:
		g.open[c] = state == http.StateActive
	}
	g.mu.Unlock()
	if gone != nil {
		_ = gone.Close() // without the lock: it may take long
	}
}
