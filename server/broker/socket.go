package broker

import (
	"cmp"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// socket is the network connection. It is read when everything read before has been
// handled, which is the time to answer. On a WebSocket it sends one Close frame and
// nothing after it (RFC 6455, 5.5.1): nhooyr would send another, in reply to the peer's
// reply, and Chromium then reports no status code.
type socket struct {
	net.Conn
	owner         *conn // nil during the handshake, and for a relay
	webSocket     bool
	ending, ended atomic.Bool
}

func (s *socket) Read(p []byte) (int, error) {
	if s.owner == nil {
		return s.Conn.Read(p)
	}
	s.owner.answer()
	for {
		s.owner.limit()
		n, err := s.Conn.Read(p)
		if !s.owner.goesOn(n, err) {
			return n, err
		}
	}
}

func (s *socket) Write(p []byte) (int, error) {
	if s.ended.Load() {
		return len(p), nil
	}
	if s.webSocket && len(p) > 1 && int(p[1]) == len(p)-2 {
		switch p[0] {
		case 0x88: // Close
			s.ended.Store(s.ending.Load())
		case 0x8a: // Pong: its Ping, which had a mask, was no part of a packet
			s.owner.arrive(-len(p) - 4)
		}
	}
	return s.Conn.Write(p)
}

// carry makes it the socket of a connection.
func (s *socket) carry(c *conn) *conn {
	s.owner, c.raw = c, s
	return c
}

// limit sets the deadline of a read.
func (c *conn) limit() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flow.ended { // the farewell has a deadline of its own
		return
	}
	by := c.readBy(time.Now())
	switch {
	case c.drained == nil:
	case holds(c.raw.Conn):
		by = time.Now().Add(drainTime)
	default:
		by = time.Now() // only what TLS has read before is returned
	}
	_ = c.raw.SetReadDeadline(by)
}

// readBy returns until when something must arrive: only silence ends a connection, not
// a slow uplink, unless a packet comes at less than minRate. CONNECT gets no more time.
func (c *conn) readBy(now time.Time) time.Time {
	idle := cmp.Or(c.idle, maxKeepAlive*3/2)
	switch {
	case c.idle == 0 && c.packet.Len() == 0:
		return time.Time{}
	case c.version == 0 || c.arrived == 0:
		return c.waits.Add(idle)
	}
	slowest := c.began.Add(idle + time.Duration(c.arrived)*time.Second/minRate)
	if by := now.Add(idle); by.Before(slowest) {
		return by
	}
	return slowest
}

// goesOn handles the end of a read. It reports whether to read again, since the time
// was over only for drain.
func (c *conn) goesOn(n int, err error) bool {
	c.arrive(n)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.drained == nil || c.flow.ended || n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	if !holds(c.raw.Conn) {
		c.endDrain()
	}
	return true
}

// arrive counts bytes of the packet that is read.
func (c *conn) arrive(bytes int) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.arrived == 0 {
		c.began = time.Now()
	}
	c.arrived = max(0, c.arrived+bytes)
}

// holds reports whether something has arrived that was not read yet. A read whose time
// is over does not look.
func holds(c net.Conn) (something bool) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if s, ok := c.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) { something = peek(fd) })
		}
	}
	return something
}

// drain waits until what the client has sent so far is handled: DISCONNECT may be
// part of it.
func (c *conn) drain() {
	c.mu.Lock()
	if c.departed || c.flow.ended && c.reading.Load() { // nothing is handled any more
		c.mu.Unlock()
		return
	}
	if c.drained == nil {
		c.drained = make(chan struct{})
	}
	done := c.drained
	if !c.flow.ended {
		_ = c.raw.SetReadDeadline(time.Now())
	}
	c.mu.Unlock()
	select {
	case <-done:
	case <-time.After(CloseTimeout): // it sends without end, or waits for the disk
	}
}

// depart ends draining. The caller holds off takeovers.
func (c *conn) depart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.departed = true
	c.endDrain()
}

// endDrain tells those who wait in drain. The caller holds mu.
func (c *conn) endDrain() {
	if c.drained != nil {
		close(c.drained)
		c.drained = nil
	}
}

// closeGently closes its side of the connection, and waits for the peer to close the
// other.
func closeGently(c net.Conn) {
	defer c.Close()
	if half, ok := c.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(CloseTimeout))
		_, _ = io.Copy(io.Discard, c)
	}
}
