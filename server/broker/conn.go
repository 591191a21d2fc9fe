package broker

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// conn is a connection whose Close lets the peer read what was written last: a
// DISCONNECT and its reason would be lost with an abrupt close (RFC 1122, 4.2.2.13).
type conn struct {
	net.Conn
	// farewell closes Conn within closeTimeout.
	farewell func()
	running  *sync.WaitGroup
	closed   atomic.Bool
}

func newConn(c net.Conn) *conn {
	farewell := func() { _ = c.Close() }
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		farewell = func() {
			defer c.Close()
			if half.CloseWrite() == nil {
				_ = c.SetReadDeadline(time.Now().Add(closeTimeout))
				_, _ = io.Copy(io.Discard, c)
			}
		}
	}
	return &conn{Conn: c, farewell: farewell}
}

func (c *conn) Read(p []byte) (int, error) {
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	n, err := c.Conn.Read(p)
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	return n, err
}

// Close returns at once; the farewell goes on in the background.
func (c *conn) Close() error {
	if !c.closed.Swap(true) {
		c.running.Go(c.farewell)
	}
	return nil
}

// The farewell has its own deadlines.

func (c *conn) SetDeadline(t time.Time) error {
	if c.closed.Load() {
		return net.ErrClosed
	}
	return c.Conn.SetDeadline(t)
}
