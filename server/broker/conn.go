package broker

import (
	"io"
	"math"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// conn is what mochi knows of a connection. It keeps the peer's Receive Maximum,
// and its Close lets the peer read what was written last: a DISCONNECT and its
// reason would be lost with an abrupt close (RFC 1122, 4.2.2.13).
type conn struct {
	net.Conn
	// farewell closes Conn within closeTimeout.
	farewell func()
	gone     chan struct{} // closed when that is done
	closed   atomic.Bool
	leaving  atomic.Bool

	mu   sync.Mutex // around writes
	flow flow
}

func newConn(c net.Conn, farewell func()) *conn {
	return &conn{
		Conn: c, farewell: farewell, gone: make(chan struct{}),
		flow: flow{limit: math.MaxUint16, unacked: make(map[uint16]struct{})},
	}
}

// input is the connection to the peer's machine. It is read when all that came
// before has been handled, which is the time to answer.
type input struct {
	net.Conn
	owner *conn // nil during the handshake
}

func (i *input) Read(p []byte) (int, error) {
	if i.owner != nil {
		i.owner.answer()
	}
	return i.Conn.Read(p)
}

// answer sends what is due.
func (c *conn) answer() {
	c.mu.Lock()
	due := len(c.flow.due) > 0
	c.mu.Unlock()
	if due {
		// A client that subscribed to what it publishes has that message under way
		// as well: let it go first, and take the acknowledgement along in its frame.
		runtime.Gosched()
		_ = c.transmit((*flow).answers)
	}
}

// closeGently says that nothing more comes, and waits for the peer to say the same.
func closeGently(c net.Conn) {
	defer c.Close()
	if half, ok := c.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(closeTimeout))
		_, _ = io.Copy(io.Discard, c)
	}
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	if err := c.transmit(func(f *flow) []byte { return f.admit(p) }); err != nil {
		return 0, err
	}
	return len(p), nil
}

// transmit writes what the flow lets go.
func (c *conn) transmit(step func(*flow) []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flow.ended {
		return nil
	}
	out := step(&c.flow)
	if len(out) == 0 {
		return nil
	}
	_, err := c.Conn.Write(out)
	return err
}

// leave writes what is due and DISCONNECT, if any, as the last packet. mochi would
// only queue it behind what a slow peer has not read yet, and wait for a peer that
// reads nothing.
func (c *conn) leave(disconnect []byte) {
	c.leaving.Store(true)
	_ = c.SetWriteDeadline(time.Now().Add(closeTimeout))
	_ = c.transmit(func(f *flow) []byte { f.ended = true; return append(f.answers(), disconnect...) })
}

// Close returns at once; the farewell goes on in the background.
func (c *conn) Close() error {
	if !c.closed.Swap(true) {
		go func() {
			defer close(c.gone)
			c.leave(nil)
			c.farewell()
		}()
	}
	return nil
}

// SetDeadline leaves alone those of leave and of the farewell.
func (c *conn) SetDeadline(t time.Time) error {
	if c.leaving.Load() {
		return net.ErrClosed
	}
	return c.Conn.SetDeadline(t)
}
