// Package wsconn dials MQTT over WebSocket, natively and in the browser.
//
// A [Conn] is a [net.Conn] each of whose writes leaves as one binary frame, or a large
// one as several: MQTT may be split into frames anywhere (MQTT 5, 6.0), but a frame costs
// a browser as much as a hundred small packets, so a writer should join what is ready.
package wsconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"nhooyr.io/websocket"
)

const (
	// Subprotocol is the WebSocket subprotocol of MQTT [MQTT-6.0.0-3].
	Subprotocol = "mqtt"

	// HighWater is how many bytes a browser, which buffers without limit, may hold unsent
	// before a writer waits.
	HighWater = 1 << 20

	// maxFrame is how many bytes go into one frame: 1 MiB and what precedes it in a
	// PUBLISH. Not every platform reports that part of a frame has been sent.
	maxFrame = HighWater + 64<<10

	// closeTimeout bounds the closing handshake on a half-open connection.
	closeTimeout = time.Second
)

var errNoSubprotocol = errors.New("the server did not choose the WebSocket subprotocol mqtt")

// CloseError says how the peer, or the browser on its behalf, closed the
// WebSocket (RFC 6455, 7.4). Code 1006 means that no closing frame was seen.
type CloseError struct {
	Code   int
	Reason string // may be empty
	// Violated says that the peer broke MQTT's rules for WebSockets (6.0), and that
	// Read closed the connection for it.
	Violated bool
}

// Error says that the WebSocket closed, with the code and the reason.
func (e *CloseError) Error() string {
	switch {
	case e.Reason != "":
		return fmt.Sprintf("WebSocket closed with code %d: %s", e.Code, e.Reason)
	case e.Code == 1006:
		return "WebSocket closed abnormally (code 1006)"
	default:
		return fmt.Sprintf("WebSocket closed with code %d", e.Code)
	}
}

// CloseStatus returns the code and the reason, for callers with an interface.
func (e *CloseError) CloseStatus() (code int, reason string) { return e.Code, e.Reason }

// Violation returns Violated, for such callers.
func (e *CloseError) Violation() bool { return e.Violated }

// Conn is an open WebSocket as a byte stream. One goroutine may call Read while others
// call everything else; writes wait for each other.
type Conn struct {
	ws     *websocket.Conn
	socket *socket // the platform's side of ws

	reader   io.Reader // of the current frame; nil between two
	unread   bool      // socket may hold bytes that ws does not deliver
	readCtx  context.Context
	stopRead context.CancelFunc

	writing   sync.Mutex
	given     atomic.Int64 // bytes given to the WebSocket
	held      atomic.Int64 // bytes of a write that are not given yet
	closeOnce sync.Once
	closed    chan struct{}
}

var _ net.Conn = (*Conn)(nil)

// Dial opens a WebSocket to a ws: or wss: URL with subprotocol "mqtt" [MQTT-6.0.0-3].
// It blocks until the socket is open or has failed, or ctx is done; then its error
// wraps that of ctx. Once it is open ctx has no effect. In the browser a failed
// connection gives a *[CloseError] that can't say why: browsers hide that from scripts.
func Dial(ctx context.Context, url string, opts Options) (*Conn, error) {
	ws, socket, err := dial(ctx, url, opts)
	if err != nil {
		return nil, err
	}
	if ws.Subprotocol() != Subprotocol { // [MQTT-6.0.0-4]
		_ = ws.Close(websocket.StatusProtocolError, "subprotocol mqtt required")
		socket.release()
		return nil, errNoSubprotocol
	}
	ws.SetReadLimit(-1) // the MQTT layer limits packets; frames have no meaning of their own
	c := &Conn{ws: ws, socket: socket, closed: make(chan struct{})}
	c.readCtx, c.stopRead = context.WithCancel(context.Background())
	return c, nil
}

// Read returns the next bytes of the stream, and blocks until there are some.
// After the peer closed, or sent a text frame [MQTT-6.0.0-1], it returns a
// *[CloseError], and after Close [net.ErrClosed].
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if c.unread {
			n := c.take(p)
			if n > 0 {
				return n, nil
			}
		}
		if c.reader == nil {
			r, err := c.next()
			if err != nil {
				if n := c.take(p); n > 0 { // it arrived before the end
					return n, nil
				}
				return 0, err
			}
			c.reader = r
		}
		n, err := c.reader.Read(p)
		if errors.Is(err, io.EOF) {
			c.reader, err = nil, nil
			c.unread = true
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

// take reads what the platform holds instead of delivering frames, without waiting.
func (c *Conn) take(p []byte) (n int) {
	select {
	case <-c.closed:
		c.unread = false
	default:
		n, c.unread = c.socket.take(p)
	}
	return n
}

// Keep leaves the next rest bytes, which end with a payload of that many bytes, where
// they arrived: they cost Go no memory and no copy. The payload's first bytes may have
// been read. The handle is to fetch or drop the payload, or to claim it in JavaScript; ok
// is false, and nothing was left, if it is not whole in one frame, and always natively.
// Only the goroutine that reads may call it.
func (c *Conn) Keep(rest, payload int) (handle int, ok bool) {
	handle = c.socket.keep(rest, payload)
	return handle, handle > 0
}

// Fetch copies a payload that was kept to dst, which has its length.
func (c *Conn) Fetch(handle int, dst []byte) { c.socket.fetch(handle, dst) }

// Drop releases a payload that was kept.
func (c *Conn) Drop(handle int) { c.socket.drop(handle) }

func (c *Conn) next() (io.Reader, error) {
	for attempt := 0; ; attempt++ {
		typ, r, err := c.ws.Reader(c.readCtx)
		if err != nil {
			// On js a message and the close that follows it may both be waiting; Reader
			// then picks one at random. Reading again gets the message.
			if attempt < rereads && errors.Is(err, net.ErrClosed) {
				continue
			}
			return nil, c.readError(err)
		}
		if typ != websocket.MessageBinary { // [MQTT-6.0.0-1]
			_ = c.Close()
			return nil, &CloseError{
				Code: int(websocket.StatusUnsupportedData), Reason: "text frame; MQTT is sent in binary frames", Violated: true,
			}
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
	if status, ok := errors.AsType[websocket.CloseError](err); ok {
		return &CloseError{Code: int(status.Code), Reason: status.Reason}
	}
	return c.socket.closeError(err)
}

// Write sends p as one frame, more than 1 MiB as several, and an empty p not at all. In
// the browser it blocks while more than [HighWater] bytes wait to be sent, and, when the
// connection is busy, a moment for a small frame. When a frame can't be sent, what has
// arrived can still be read. After Close it returns [net.ErrClosed].
func (c *Conn) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	select {
	case <-c.closed:
		return 0, net.ErrClosed
	default:
	}
	defer c.held.Store(0)
	for n := 0; n < len(p); {
		c.held.Store(int64(len(p) - n))
		frame := p[n:min(len(p), n+maxFrame)]
		if err := c.socket.drain(len(frame), c.closed); err != nil {
			return n, err
		}
		if err := c.socket.send(c.ws, frame); err != nil {
			return n, err
		}
		n += len(frame)
		c.given.Add(int64(len(frame)))
	}
	return len(p), nil
}

// Sent returns how many of the bytes written have left, and how many wait to be sent.
func (c *Conn) Sent() (left, waiting int) {
	unsent := c.socket.unsent()
	return int(c.given.Load()) - unsent, int(c.held.Load()) + unsent
}

// Close sends a closing frame, and waits at most a second for the peer's. It may
// be called more than once, and returns nil.
func (c *Conn) Close() error {
	c.closeOnce.Do(func() {
		close(c.closed)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = c.ws.Close(websocket.StatusNormalClosure, "")
		}()
		select {
		case <-done:
		case <-time.After(closeTimeout):
			go func() { _ = c.ws.CloseNow() }() // unblocks a writer on a dead connection
		}
		c.stopRead()
		c.socket.release()
	})
	return nil
}

// LocalAddr returns a placeholder: browsers don't provide it.
func (c *Conn) LocalAddr() net.Addr { return addr{} }

// RemoteAddr returns a placeholder, as LocalAddr does.
func (c *Conn) RemoteAddr() net.Addr { return addr{} }

type addr struct{}

func (addr) Network() string { return "websocket" }
func (addr) String() string  { return "websocket" }

// SetDeadline returns [errors.ErrUnsupported]: MQTT's keep-alive detects a dead
// connection.
func (c *Conn) SetDeadline(time.Time) error { return errors.ErrUnsupported }

// SetReadDeadline returns [errors.ErrUnsupported], as SetDeadline does.
func (c *Conn) SetReadDeadline(time.Time) error { return errors.ErrUnsupported }

// SetWriteDeadline returns [errors.ErrUnsupported], as SetDeadline does.
func (c *Conn) SetWriteDeadline(time.Time) error { return errors.ErrUnsupported }
