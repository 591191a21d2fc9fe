// Package transport runs one connection to a broker: a reader, a writer with one
// outbox, keep-alive, and the enhanced-authentication exchange.
//
//	             CONNACK                    Leave, violation
//	connecting ───────────► open ──────────────────────────► ending ──► closing ──► done
//	     │                    │  Close, connection lost,      │            ▲
//	     │                    │  the broker's DISCONNECT,     └─ DISCONNECT is written, or 1 s
//	     └────────────────────┴─ silence ──────────────────────────────────┘
//
// A failed write only begins the end: what the broker sent before it closed the
// connection is read first, since it may say why.
//
// The reader never writes and never waits for the writer, so two ends that both
// send before they read can't block each other.
package transport

import (
	"context"
	"errors"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// Handler takes what the broker sends, on one goroutine, in the order of the packets. Its
// methods must not block, and may keep no slice but Publish.Buffer. An error ends the
// connection; a [*wire.Error] with Reason sends DISCONNECT with that first.
type Handler interface {
	// Connack takes the CONNACK that accepts the connection, before anything that
	// follows it is read.
	Connack(c *wire.Connack) error
	// Publish takes a message. At is when its last bytes were read, in
	// milliseconds since 1970.
	Publish(p *wire.Publish, at float64) error
	Ack(a wire.Ack) error
	Suback(s *wire.Suback) error
	// Disconnect takes the broker's DISCONNECT. The connection then ends.
	Disconnect(d *wire.Disconnect)
}

// Source has the packets that the session wants sent. Only the writer calls it,
// after Handler.Connack returned nil. Its methods must not block.
type Source interface {
	// Next appends packets that may leave now to dst, together of about max bytes; a
	// single larger one alone. They must not change until Written.
	Next(dst [][]byte, max int) [][]byte
	// Written follows each Next that returned packets, and says how many of their bytes
	// the connection took. After fewer than all nothing more is called.
	Written(n int)
}

// Config configures a connection. Only Authenticator, OnPacket and Buffer are optional.
type Config struct {
	Conn    net.Conn // open; each Write may become a frame of its own
	Connect []byte   // the CONNECT packet
	Handler Handler
	Source  Source
	// MaximumPacketSize is what CONNECT announced, in bytes; 0: no limit.
	MaximumPacketSize int
	// KeepAlive is what CONNECT has; 0: off. The broker's Server Keep Alive
	// overrides it [MQTT-3.1.2-21].
	KeepAlive time.Duration
	// AuthMethod is the authentication method that CONNECT names; empty: none, or
	// the Authenticator's.
	AuthMethod string
	// Authenticator does the exchange, which its Start has begun: CONNECT carries the
	// data that Start returned.
	Authenticator *Authenticator
	// OnPacket is called with every packet on the wire, whole, in order in each
	// direction, and may keep it. Reader and writer wait for it. It may point to nil.
	OnPacket *atomic.Pointer[func(sent bool, at time.Time, packet []byte)]
	// Buffer returns an empty buffer with at least this capacity, for a large
	// PUBLISH. nil: make.
	Buffer func(size int) []byte
}

// lastTime is how long an ending connection waits for its last packet to be written or,
// after a failed write, read.
const lastTime = time.Second

// phase is how far connecting has come. Only the reader changes it.
type phase int

const (
	connecting phase = iota // CONNECT and AUTH only [MQTT-3.1.2-30]
	greeted                 // CONNACK accepts us: DISCONNECT may be sent
	open                    // the server has proved its identity, and the Handler took CONNACK
)

// state is how far ending the connection has come.
type state int

const (
	running state = iota
	ending        // with a last packet to be written or read, for at most lastTime
	closing       // the cause is settled, the net.Conn is being closed
)

// certainty is how well a cause explains the end: the broker's DISCONNECT, or a
// violation, explains more than a failed read or write.
type certainty int

const (
	writeFailed certainty = iota + 1
	readFailed
	explained
)

// Conn is one connection. Its methods may be called from any goroutine.
type Conn struct {
	cfg  Config
	in   input  // the reader's own
	out  output // the writer's own
	keep keepAlive

	ctx    context.Context // done when the cause is settled
	cancel context.CancelFunc
	wg     sync.WaitGroup // all goroutines but supervise

	work   chan struct{} // holds a token when the writer has something to do
	ending chan struct{} // closed when there is a reason to end
	opened chan struct{} // closed with phase open
	done   chan struct{}

	mu         sync.Mutex
	phase      phase
	state      state
	certainty  certainty
	cause      error     // nil: Leave or Close(nil)
	maximum    int       // the broker's Maximum Packet Size, bytes; 0: none
	control    [][]byte  // control packets of the transport that wait to be written
	controlled int       // bytes that they hold
	last       []byte    // DISCONNECT: nothing is written after it [MQTT-3.14.4-1]
	flushUntil time.Time // until then what waits is written before last; zero: nothing is
	exchange   *exchange // nil while no authentication is in progress
}

// Start begins the connection: CONNECT is the first thing written. It does not
// block; the Handler may be called before it returns.
func Start(cfg Config) *Conn {
	c := newConn(cfg)
	c.run()
	return c
}

func newConn(cfg Config) *Conn {
	if cfg.MaximumPacketSize <= 0 {
		cfg.MaximumPacketSize = math.MaxInt
	}
	if cfg.OnPacket == nil {
		cfg.OnPacket = new(atomic.Pointer[func(bool, time.Time, []byte)])
	}
	if cfg.Buffer == nil {
		cfg.Buffer = func(size int) []byte { return make([]byte, 0, size) }
	}
	if cfg.AuthMethod == "" && cfg.Authenticator != nil {
		cfg.AuthMethod = cfg.Authenticator.method
	}
	c := &Conn{
		cfg: cfg, in: input{buf: make([]byte, 0, readSize)}, keep: newKeepAlive(),
		work: make(chan struct{}, 1), ending: make(chan struct{}), opened: make(chan struct{}), done: make(chan struct{}),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if cfg.Authenticator != nil {
		c.exchange = newExchange(c.ctx)
		c.exchange.sent = true // with CONNECT
	}
	return c
}

func (c *Conn) run() {
	c.wg.Go(c.read)
	c.wg.Go(c.write)
	go c.supervise()
}

// Wake says that the Source may have something. It does not block.
func (c *Conn) Wake() {
	select {
	case c.work <- struct{}{}:
	default:
	}
}

// Opened is closed when the broker has accepted the connection and the Handler has
// taken its CONNACK: from then on Ping and Reauthenticate work.
func (c *Conn) Opened() <-chan struct{} { return c.opened }

// Done is closed when all goroutines of the connection have ended and the net.Conn is
// closed.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err says why the connection ended, after Done. It is nil if Leave or Close(nil) ended
// it, else usually a [*wire.Error]: Network, Disconnected, Refused, Protocol,
// PacketTooLarge, or what the Authenticator, Close or the Handler gave.
func (c *Conn) Err() error {
	select {
	case <-c.done:
		return c.cause
	default:
		return nil
	}
}

// Close ends the connection now, without DISCONNECT. cause becomes its Err, unless there
// is one already. It does not wait: the Handler may be called until Done.
func (c *Conn) Close(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLocked(explained, cause, nil)
	c.closeLocked()
}

// Leave ends the connection with this DISCONNECT packet; nil: a normal disconnection. For
// up to half a second, what the Source has is written first. If DISCONNECT is larger than
// the broker's Maximum Packet Size its properties are left out [MQTT-3.14.2-2],
// [MQTT-3.14.2-3]. Leave waits until the connection is done, but at most a second, after
// which the net.Conn is closed regardless.
func (c *Conn) Leave(disconnect []byte) {
	if len(disconnect) == 0 {
		disconnect = wire.EncodeDisconnect(wire.ReasonSuccess, nil)
	}
	c.mu.Lock()
	if c.maximum > 0 && len(disconnect) > max(c.maximum, 2) {
		_, size, _, _ := wire.Varint(disconnect[1:])
		disconnect = wire.EncodeDisconnect(disconnect[1+size], nil)
	}
	if c.state == running {
		c.flushUntil = time.Now().Add(lastTime / 2)
	}
	c.endLocked(explained, nil, disconnect)
	c.mu.Unlock()
	select {
	case <-c.done:
	case <-time.After(lastTime):
	}
}

// end ends the connection. It does not wait.
func (c *Conn) end(how certainty, cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLocked(how, cause, nil)
}

// endLocked is end for callers that hold mu, with a last packet if that is not nil.
func (c *Conn) endLocked(how certainty, cause error, last []byte) {
	if c.state == closing {
		return
	}
	first := c.state == running
	if how > c.certainty {
		c.certainty, c.cause = how, cause
	}
	if first {
		c.state = ending
		close(c.ending)
	}
	switch {
	case first && last != nil:
		c.last = last
		c.Wake()
	case how == writeFailed && first: // the reader may find a better cause
	case how != writeFailed && c.last != nil: // the writer is writing it
	default:
		c.closeLocked()
	}
}

// closeLocked settles the cause. The caller holds mu.
func (c *Conn) closeLocked() {
	c.state = closing
	c.cancel()
}

// fail ends the connection with an error, and after CONNACK tells the broker its reason,
// or otherwise if it has none; 0: no DISCONNECT is sent then.
func (c *Conn) fail(err error, otherwise byte) {
	if typed, ok := errors.AsType[*wire.Error](err); ok && typed.Reason != 0 {
		otherwise = wire.DisconnectReason(typed)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var last []byte
	if otherwise != 0 && c.phase != connecting {
		last = wire.EncodeDisconnect(otherwise, nil)
	}
	c.endLocked(explained, err, last)
}

// supervise waits for the end of the connection. It alone closes the net.Conn, which
// may take a second, and holds no lock meanwhile.
func (c *Conn) supervise() {
	<-c.ending
	select {
	case <-c.ctx.Done():
	case <-time.After(lastTime):
		c.mu.Lock()
		c.closeLocked()
		c.mu.Unlock()
	}
	_ = c.cfg.Conn.Close()
	c.wg.Wait()
	close(c.done)
}

// lost returns the error of a call that the end of the connection left without an
// outcome.
func (c *Conn) lost(what string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == nil {
		return wire.NewError(wire.Aborted, "%s: the client disconnected", what)
	}
	return wire.NetworkError(c.cause, what)
}

// networkError explains a failed read or write. The caller must not hold mu.
func (c *Conn) networkError(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != open {
		return wire.NetworkError(err, "the connection ended before CONNACK")
	}
	return wire.NetworkError(err, "the connection was lost")
}

// trace passes the whole packets in b to OnPacket.
func (c *Conn) trace(sent bool, b []byte) {
	tell := c.cfg.OnPacket.Load()
	if tell == nil {
		return
	}
	for at := time.Now(); len(b) > 1; {
		length, size, ok, err := wire.Varint(b[1:])
		total := 1 + size + length
		if err != nil || !ok || total > len(b) {
			return // a write that failed halfway
		}
		(*tell)(sent, at, append([]byte(nil), b[:total]...))
		b = b[total:]
	}
}
