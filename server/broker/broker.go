// Package broker is the MQTT broker inside the server: mochi-mqtt behind our
// own listeners, with limits, and with one connection unable to harm another.
package broker

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// ErrClosed is returned by Serve after Close.
var ErrClosed = errors.New("broker: closed")

// Options configure a Broker. The zero value keeps everything in memory, logs
// nothing, and lets browsers in from their own origin only.
type Options struct {
	// Logger receives connection failures and warnings, never a payload or a password.
	Logger *slog.Logger
	// DataDir keeps retained messages and sessions across restarts; empty: in memory.
	// It is created when missing, and only one process at a time can use it.
	DataDir string
	// AllowOrigin decides whether a WebSocket handshake that carries an Origin
	// may proceed. Nil: only the origin that the request itself was made to.
	AllowOrigin func(*http.Request) bool
	// Users are those who may use the broker. Nil: everybody who reaches it.
	Users *Users

	quotas quotas // tests set lower ones
}

// Broker accepts MQTT 3.1.1 and 5 connections from any number of listeners.
// Its methods may be called concurrently.
type Broker struct {
	server      *mqtt.Server
	log         *slog.Logger
	allowOrigin func(*http.Request) bool
	most        quotas

	mu     sync.Mutex
	conns  map[*conn]struct{}
	taps   map[net.Listener]struct{}
	closed bool
	// running counts everything Close waits for: connections and their farewells.
	// It is mochi's own group, so that mochi cannot find it empty too early.
	running *sync.WaitGroup
}

// New starts a broker that has no listener yet.
func New(opts Options) (*Broker, error) {
	log := opts.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	allowOrigin := opts.AllowOrigin
	if allowOrigin == nil {
		allowOrigin = SameOrigin
	}
	most := quotas{
		connections: cmp.Or(opts.quotas.connections, maxConnections),
		sessions:    cmp.Or(opts.quotas.sessions, maxSessions),
		retained:    cmp.Or(opts.quotas.retained, maxRetained),
		inflight:    cmp.Or(opts.quotas.inflight, maxInflight),
	}
	b := &Broker{
		server: mqtt.New(&mqtt.Options{
			Capabilities:             capabilities(most),
			ClientNetReadBufferSize:  4 << 10,
			ClientNetWriteBufferSize: 16 << 10,
			Logger:                   quiet(log),
			SysTopicResendInterval:   10,
		}),
		log:         log,
		allowOrigin: allowOrigin,
		most:        most,
		conns:       make(map[*conn]struct{}),
		taps:        make(map[net.Listener]struct{}),
	}
	b.running = &b.server.Listeners.ClientsWg
	hooks := []mqtt.Hook{&policy{server: b.server, most: most, users: opts.Users}}
	if opts.DataDir != "" {
		s, err := openStore(opts.DataDir)
		if err != nil {
			return nil, err
		}
		hooks = append(hooks, s)
	}
	for _, h := range hooks {
		if err := b.server.AddHook(h, nil); err != nil {
			return nil, fmt.Errorf("broker: %w", err)
		}
	}
	if err := b.server.AddListener(tap{b}); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	if err := b.server.Serve(); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	if opts.DataDir != "" {
		restoreExpiry(b.server)
	}
	return b, nil
}

// Serve accepts connections from l until Close, and then returns ErrClosed.
func (b *Broker) Serve(l net.Listener) error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		_ = l.Close()
		return ErrClosed
	}
	b.taps[l] = struct{}{}
	b.mu.Unlock()

	for pause := time.Duration(0); ; {
		c, err := l.Accept()
		if err == nil {
			pause = 0
			go b.ServeConn(c)
			continue
		}
		b.mu.Lock()
		closed := b.closed
		b.mu.Unlock()
		if closed {
			return ErrClosed
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		// Such as too many open files: it passes, so wait instead of ending.
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		b.log.Warn("accept failed, trying again", "error", err, "after", pause)
		time.Sleep(pause)
	}
}

// ServeConn runs one MQTT connection and returns when it has ended. It owns c.
func (b *Broker) ServeConn(c net.Conn) {
	in := &input{Conn: c}
	in.owner = newConn(in, func() { closeGently(c) })
	b.serve(in.owner)
}

func (b *Broker) serve(c *conn) {
	if !b.add(c) {
		_ = c.Conn.Close()
		return
	}
	defer b.remove(c)
	// mochi panics on some malformed packets, a truncated SUBSCRIBE among them
	// (3.8.3). That may cost the sender its connection, never the process.
	defer func() {
		if p := recover(); p != nil {
			b.forget(c)
			b.log.Error("connection ended by a panic in the broker",
				"remote", c.RemoteAddr(), "panic", p, "stack", string(debug.Stack()))
		}
		_ = c.Close()
	}()
	// mochi sets no deadline before CONNECT has arrived (3.1, non-normative).
	_ = c.SetDeadline(time.Now().Add(connectTimeout))
	if err := b.server.EstablishConnection(listenerID, c); err != nil {
		b.log.Debug("connection ended", "remote", c.RemoteAddr(), "reason", err)
	}
}

// forget drops the session of a connection whose panic skipped mochi's own clean-up.
func (b *Broker) forget(c *conn) {
	for id, cl := range b.server.Clients.GetAll() {
		if cl.Net.Conn == c {
			cl.ClearInflights()
			b.server.UnsubscribeClient(cl)
			b.server.Clients.Delete(id)
		}
	}
}

func (b *Broker) add(c *conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || len(b.conns) >= b.most.connections && !b.dropSilent() {
		return false
	}
	b.conns[c] = struct{}{}
	b.running.Add(1)
	c.running = b.running
	return true
}

// dropSilent makes room: a connection that has not sent CONNECT yet, any one of
// them, goes. Whoever opens many and says nothing shuts nobody out.
func (b *Broker) dropSilent() bool {
	for c := range b.conns {
		if !c.connected.Load() {
			delete(b.conns, c)
			_ = c.Conn.Close()
			return true
		}
	}
	return false
}

func (b *Broker) remove(c *conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.conns, c)
	b.running.Done()
}

// Close tells every client that the server shuts down (DISCONNECT 0x8B, 3.14.2.1),
// closes connections and listeners, and writes what DataDir keeps. It takes at
// most a little over two seconds, however slow a client is.
func (b *Broker) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	for l := range b.taps {
		_ = l.Close()
	}
	b.mu.Unlock()

	return b.server.Close()
}

// closeConns ends what mochi does not know as a client: connections before CONNECT.
func (b *Broker) closeConns() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.conns {
		_ = c.Close()
	}
}

const listenerID = "mqttwasm"

// tap is how mochi's Close reaches our connections: all of them belong to this
// one listener of mochi's, which itself listens to nothing.
type tap struct{ broker *Broker }

var _ listeners.Listener = tap{}

func (tap) Init(*slog.Logger) error     { return nil }
func (tap) Serve(listeners.EstablishFn) {}
func (tap) ID() string                  { return listenerID }
func (tap) Address() string             { return "" }
func (tap) Protocol() string            { return "mqtt" }

// Close does without what mochi gives it, which takes a read lock twice: a client
// that leaves in between holds both up for ever.
func (t tap) Close(listeners.CloseFn) {
	var told sync.WaitGroup
	for _, cl := range t.broker.server.Clients.GetAll() {
		if !cl.Closed() {
			told.Go(func() { _ = t.broker.server.DisconnectClient(cl, packets.ErrServerShuttingDown) })
		}
	}
	told.Wait()
	t.broker.closeConns()
}
