package broker

import (
	"cmp"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// socket is the network connection. It is read when everything read before has been
// handled, which is the time to answer. On a WebSocket it sends one Close frame and
// nothing after it (RFC 6455, 5.5.1): nhooyr would send another, in reply to the peer's
// reply, and Chromium then reports no status code.
type socket struct {
	net.Conn
	owner         *conn // nil during the handshake
	ending, ended atomic.Bool
}

func (s *socket) Read(p []byte) (int, error) {
	if s.owner == nil {
		return s.Conn.Read(p)
	}
	s.owner.answer()
	for {
		asked := s.owner.limit()
		n, err := s.Conn.Read(p)
		if !s.owner.goesOn(asked, n, err) {
			return n, err
		}
	}
}

func (s *socket) Write(p []byte) (int, error) {
	if s.ended.Load() {
		return len(p), nil
	}
	if s.ending.Load() && len(p) > 1 && p[0] == 0x88 && int(p[1]) == len(p)-2 {
		s.ended.Store(true)
	}
	return s.Conn.Write(p)
}

// carry makes it the socket of a connection.
func (s *socket) carry(c *conn) *conn {
	s.owner, c.raw = c, s
	return c
}

// limit sets the deadline of a read, and returns whom to tell if nothing is there.
func (c *conn) limit() (asked chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flow.ended { // the farewell has a deadline of its own
		return nil
	}
	by := c.readBy(time.Now())
	if c.drained != nil {
		by = time.Now().Add(drainTime)
	}
	_ = c.raw.SetReadDeadline(by)
	return c.drained
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
func (c *conn) goesOn(asked chan struct{}, n int, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flow.ended {
		return false
	}
	if c.arrived == 0 {
		c.began = time.Now()
	}
	if c.arrived += n; c.drained == nil || n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	if asked == c.drained { // and not one who asked while it was reading
		close(c.drained)
		c.drained = nil
	}
	return true
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
		_ = c.raw.SetReadDeadline(time.Now()) // begins another read, with limit
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
	if c.departed = true; c.drained != nil {
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
