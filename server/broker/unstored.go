package broker

import (
	"sync"
	"sync/atomic"
)

// unstored are the clients whose message, the one that is being handed on, could not
// be written: it must not be acknowledged.
type unstored struct {
	mu      sync.Mutex
	clients map[string]bool
	broken  atomic.Bool // the last write failed
}

func (u *unstored) add(client string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.clients == nil {
		u.clients = map[string]bool{}
	}
	u.clients[client] = true
}

// take reports whether the client is one of them, and forgets it.
func (u *unstored) take(client string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	found := u.clients[client]
	delete(u.clients, client)
	return found
}
