package mqtt

import (
	"io"
	"net"
	"sync"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
)

// cutConn is one end of a connection that breaks after a number of bytes were written
// to it.
type cutConn struct {
	net.Conn
	mu      sync.Mutex
	left    int // bytes until the cut; 0: no cut
	discard bool
	written int // since it was armed
}

func (c *cutConn) arm(after int, discard bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.discard, c.written = after, discard, 0
}

func (c *cutConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 || len(p) < c.left {
		c.left = max(0, c.left-len(p))
		c.written += len(p)
		return c.Conn.Write(p)
	}
	n, _ := c.Conn.Write(p[:c.left])
	if c.discard {
		c.Conn.(*mqtttest.End).Lose()
	}
	_ = c.Close()
	if n < len(p) {
		return n, io.ErrClosedPipe
	}
	return n, nil
}
