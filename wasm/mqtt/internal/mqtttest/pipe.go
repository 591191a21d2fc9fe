// Package mqtttest holds what the tests of several packages need: a network, and
// the other sides of authentication. Only tests import it.
package mqtttest

import (
	"io"
	"net"
	"sync"
)

// Pipe is [net.Pipe] with a buffer, as a network has.
func Pipe() (a, b *End) {
	x, y := newHalf(), newHalf()
	return &End{in: x, out: y}, &End{in: y, out: x}
}

// End is one end of a [Pipe].
type End struct {
	net.Conn // for the methods that nobody calls
	in, out  *half
}

type half struct {
	mu     sync.Mutex
	cond   *sync.Cond
	buf    []byte
	closed bool
}

func newHalf() *half {
	h := &half{}
	h.cond = sync.NewCond(&h.mu)
	return h
}

func (h *half) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.cond.Broadcast()
}

// Read waits for bytes, or for the end.
func (e *End) Read(p []byte) (int, error) {
	h := e.in
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.buf) == 0 && !h.closed {
		h.cond.Wait()
	}
	if len(h.buf) == 0 {
		return 0, io.EOF
	}
	n := copy(p, h.buf)
	h.buf = h.buf[n:]
	return n, nil
}

// Write never waits.
func (e *End) Write(p []byte) (int, error) {
	h := e.out
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return 0, io.ErrClosedPipe
	}
	h.buf = append(h.buf, p...)
	h.cond.Broadcast()
	return len(p), nil
}

// Close lets both ends read what was written, and then EOF.
func (e *End) Close() error {
	e.in.close()
	e.out.close()
	return nil
}

// CloseWrite lets the other end read what was written, and then EOF.
func (e *End) CloseWrite() { e.out.close() }

// Unread returns what waits to be read at this end.
func (e *End) Unread() []byte {
	e.in.mu.Lock()
	defer e.in.mu.Unlock()
	return append([]byte(nil), e.in.buf...)
}

// Lose drops what is on its way in both directions.
func (e *End) Lose() {
	for _, h := range []*half{e.in, e.out} {
		h.mu.Lock()
		h.buf = nil
		h.mu.Unlock()
	}
}
