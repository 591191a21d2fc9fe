// Package wsconn dials MQTT over WebSocket, natively and in the browser.
//
// A [Conn] is a [net.Conn] and a [sync.Locker]. What is written between Lock and
// Unlock leaves as one binary frame, and an empty write as none. Where a browser
// can't send as fast, it waits up to 2 ms for more to leave with it: MQTT may be
// cut anywhere (MQTT 5, 6.0), but every frame costs a browser as much as a
// hundred small packets.
package wsconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"nhooyr.io/websocket"
)

const (
	// Subprotocol is the WebSocket subprotocol of MQTT [MQTT-6.0.0-3].
	Subprotocol = "mqtt"

	// HighWater is how many bytes the browser may hold unsent before a writer
	// waits. Browsers buffer without limit and never block.
	HighWater = 1 << 20

	// Above coalesceAbove unsent bytes the link is the bottleneck, and packets
	// are gathered into frames of up to coalesceSize bytes.
	coalesceAbove = 64 << 10
	coalesceSize  = 16 << 10
	coalesceDelay = 2 * time.Millisecond

	// closeTimeout bounds the closing handshake on a half-open link.
	closeTimeout = time.Second
)

var errNoSubprotocol = errors.New("the server did not choose the WebSocket subprotocol mqtt")

// CloseError says how the peer, or the browser on its behalf, closed the
// WebSocket (RFC 6455, 7.4). Code 1006 means that no closing frame was seen.
type CloseError struct {
	Code   int
	Reason string // may be empty
}

// Error says that the WebSocket closed, with the code and the reason.
func (e *CloseError) Error() string {
	switch {
	case e.Reason != "":
		return fmt.Sprintf("WebSocket closed with code %d: %s", e.Code, e.Reason)
	case e.Code == 1006:
		return "WebSocket broke off (code 1006)"
	default:
		return fmt.Sprintf("WebSocket closed with code %d", e.Code)
	}
}

// CloseStatus returns the code and the reason, for callers that know this type
// only by its methods.
func (e *CloseError) CloseStatus() (code int, reason string) { return e.Code, e.Reason }

// Conn is an open WebSocket as a byte stream. One goroutine may call Read beside
// everything else; writes are ordered by Lock.
type Conn struct {
	ws     *websocket.Conn
	socket socket // what the platform knows about ws

	reader   io.Reader
	readCtx  context.Context
	stopRead context.CancelFunc

	lock    sync.Mutex // held from Lock to Unlock
	mu      sync.Mutex // guards the fields below
	locked  bool
	pending []byte // written but not sent
	timer   *time.Timer
	err     error // the first failed send

	closeOnce sync.Once
	closed    chan struct{}
}

var (
	_ net.Conn    = (*Conn)(nil)
	_ sync.Locker = (*Conn)(nil)
)

// Dial opens a WebSocket to a ws: or wss: URL with subprotocol "mqtt"
// [MQTT-6.0.0-3]. It blocks until the socket is open, fails, or ctx is done, and
// then its error wraps that of ctx, which no longer matters once it is open. In
// the browser a connection that fails is a *[CloseError] that can't say why:
// browsers hide that from scripts.
func Dial(ctx context.Context, url string, opts Options) (*Conn, error) {
	ws, socket, err := dial(ctx, url, opts)
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(-1) // packets are measured by the MQTT layer; a frame is no unit
	c := &Conn{ws: ws, socket: socket, closed: make(chan struct{})}
	c.readCtx, c.stopRead = context.WithCancel(context.Background())
	return c, nil
}

// Read returns the next bytes of the stream, and blocks until there are some.
// After the peer closed, or sent a text frame [MQTT-6.0.0-1], it returns a
// *[CloseError], and after Close [net.ErrClosed].
func (c *Conn) Read(p []byte) (int, error) {
	for {
		if c.reader == nil {
			r, err := c.next()
			if err != nil {
				return 0, err
			}
			c.reader = r
		}
		n, err := c.reader.Read(p)
		if errors.Is(err, io.EOF) {
			c.reader, err = nil, nil
			if n == 0 {
				continue
			}
		}
		if err != nil {
			err = c.readError(err)
		}
		return n, err
	}
}

func (c *Conn) next() (io.Reader, error) {
	for attempt := 0; ; attempt++ {
		typ, r, err := c.ws.Reader(c.readCtx)
		if err != nil {
			// On js a message and the close that follows it may both wait, and
			// Reader then picks one at random. Asking again gets the message.
			if attempt < rereads && errors.Is(err, net.ErrClosed) {
				continue
			}
			return nil, c.readError(err)
		}
		if typ != websocket.MessageBinary { // [MQTT-6.0.0-1]
			_ = c.Close()
			return nil, &CloseError{Code: int(websocket.StatusUnsupportedData), Reason: "text frame; MQTT is sent in binary frames"}
		}
		return r, nil
	}
}

func (c *Conn) readError(err error) error {
	select {
	case <-c.closed:
		return net.ErrClosed
	default:
	}
	var status websocket.CloseError
	if errors.As(err, &status) {
		return &CloseError{Code: int(status.Code), Reason: status.Reason}
	}
	return c.socket.closeError(err)
}

// Lock begins a frame. It blocks while another goroutine writes one.
func (c *Conn) Lock() {
	c.lock.Lock()
	c.mu.Lock()
	c.locked = true
	c.mu.Unlock()
}

// Unlock sends what was written since Lock. In the browser it blocks while more
// than [HighWater] bytes wait to be sent. A failed send closes the connection
// and is returned by the next Write.
func (c *Conn) Unlock() {
	c.mu.Lock()
	c.locked = false
	if c.socket.unsent() > coalesceAbove && len(c.pending) < coalesceSize {
		if c.timer == nil && len(c.pending) > 0 {
			c.timer = time.AfterFunc(coalesceDelay, func() { c.Lock(); c.flush() })
		}
		c.mu.Unlock()
		c.lock.Unlock()
		return
	}
	c.mu.Unlock()
	c.flush()
}

// flush sends the pending bytes as one frame and lets go of lock.
func (c *Conn) flush() {
	defer c.lock.Unlock()
	c.mu.Lock()
	c.locked = false
	frame := c.pending
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	failed := c.err != nil
	c.mu.Unlock()
	if len(frame) == 0 || failed {
		return
	}
	err := c.socket.drain(c.closed)
	if err == nil {
		err = c.ws.Write(context.Background(), websocket.MessageBinary, frame)
	}
	c.mu.Lock()
	c.pending = c.pending[:0]
	if cap(c.pending) > coalesceSize {
		c.pending = nil
	}
	if err != nil {
		c.err = err
	}
	c.mu.Unlock()
	if err != nil {
		go c.Close()
	}
}

// Write adds p to the frame that Lock began, which does not block. Outside of
// Lock and Unlock it sends p as a frame of its own, and blocks as they do. After
// a send has failed it returns that error, and after Close [net.ErrClosed].
func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if !c.locked {
		c.mu.Unlock()
		c.Lock()
		n, err := c.Write(p)
		c.Unlock()
		return n, err
	}
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, c.err
	}
	select {
	case <-c.closed:
		return 0, net.ErrClosed
	default:
	}
	c.pending = append(c.pending, p...)
	return len(p), nil
}

// Close sends what is pending and a closing frame, and waits at most a second
// for the peer's. It may be called more than once, and returns nil.
func (c *Conn) Close() error {
	c.closeOnce.Do(func() {
		close(c.closed)
		done := make(chan struct{})
		go func() {
			defer close(done)
			if c.lock.TryLock() {
				c.flush()
			}
			_ = c.ws.Close(websocket.StatusNormalClosure, "")
		}()
		timeout := time.NewTimer(closeTimeout)
		defer timeout.Stop()
		select {
		case <-done:
		case <-timeout.C:
			go func() { _ = c.ws.CloseNow() }() // frees a writer that the dead link holds
		}
		c.stopRead()
		c.socket.release()
	})
	return nil
}

// LocalAddr returns a stand-in: a browser doesn't tell.
func (c *Conn) LocalAddr() net.Addr { return addr{} }

// RemoteAddr returns a stand-in, as LocalAddr does.
func (c *Conn) RemoteAddr() net.Addr { return addr{} }

type addr struct{}

func (addr) Network() string { return "websocket" }
func (addr) String() string  { return "websocket" }

// SetDeadline returns [errors.ErrUnsupported]: MQTT's own keep-alive is what
// finds a dead link.
func (c *Conn) SetDeadline(time.Time) error { return errors.ErrUnsupported }

// SetReadDeadline returns [errors.ErrUnsupported], as SetDeadline does.
func (c *Conn) SetReadDeadline(time.Time) error { return errors.ErrUnsupported }

// SetWriteDeadline returns [errors.ErrUnsupported], as SetDeadline does.
func (c *Conn) SetWriteDeadline(time.Time) error { return errors.ErrUnsupported }
