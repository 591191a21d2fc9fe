// Package broker is the server's embedded MQTT broker: mochi-mqtt behind listeners of
// its own, with limits, and with connections isolated from each other.
package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// ErrClosed is returned by Serve after Close.
var ErrClosed = errors.New("broker: closed")

// Options configure a Broker. The zero value keeps everything in memory, logs nothing,
// and accepts WebSockets only from pages of the same origin.
type Options struct {
	// Logger receives connection failures and warnings, never a payload or a password.
	Logger *slog.Logger
	// DataDir keeps retained messages and sessions across restarts; empty: in memory.
	// It is created when missing, and only one process at a time can use it.
	DataDir string
	// Origins are other origins whose pages may open a WebSocket: scheme://host in
	// lower case.
	Origins []string
	// Users are those who may use the broker. Nil: everybody who reaches it.
	Users *Users

	lower func(*quotas) // for tests
}

// Broker accepts MQTT 3.1.1 and 5 connections from any number of listeners.
// Its methods may be called concurrently.
type Broker struct {
	server  *mqtt.Server
	log     *slog.Logger
	origins []string
	gate    *Gate
	unsent  budget
	policy  *policy
	// running counts everything that Close waits for: connections and their closing. It
	// is mochi's own group, so that mochi cannot find it empty too early.
	running *sync.WaitGroup

	mu     sync.Mutex // guards closed, and adding to running while it is false
	closed bool
	// ended closes listeners, and connections that are not clients of mochi yet.
	ended context.Context
	end   context.CancelFunc
}

// New starts a broker that has no listener yet.
func New(opts Options) (*Broker, error) {
	b := &Broker{log: cmp.Or(opts.Logger, slog.New(slog.DiscardHandler)), origins: opts.Origins}
	most := defaultQuotas()
	if opts.lower != nil {
		opts.lower(&most)
	}
	b.server = mqtt.New(&mqtt.Options{
		Capabilities:             capabilities(most),
		ClientNetReadBufferSize:  16, // conn has a buffer
		ClientNetWriteBufferSize: 1,  // conn has a buffer, and must know what an acknowledgement answers
		// mochi's log has payloads and passwords, and any client could fill a disk with
		// it.
		Logger: slog.New(slog.DiscardHandler),
	})
	b.unsent.dropped = &b.server.Info.MessagesDropped
	b.unsent.one, b.unsent.all = most.unsent, 8*int64(most.unsent)
	b.gate, b.running = NewGate(most.connections), &b.server.Listeners.ClientsWg
	b.ended, b.end = context.WithCancel(context.Background())
	b.policy = &policy{
		log: b.log, server: b.server, gate: b.gate, most: most, users: opts.Users,
		sessions: newSessions(b.server), self: b.server.NewClient(nil, mqtt.LocalListener, "", true),
	}
	b.server.Topics.Subscribe("", packets.Subscription{Filter: everything})
	err := b.server.AddHook(b.policy, nil)
	if err == nil && opts.DataDir != "" {
		b.policy.store, err = openStore(opts.DataDir, b.policy)
	}
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	b.policy.sessions.delivery.Lock()              // no will is published meanwhile
	for _, cl := range b.server.Clients.GetAll() { // restored from the store
		b.policy.leave(cl)
		b.policy.store.putRecord(cl, b.policy.sessions.get(cl.ID))
	}
	b.policy.sessions.delivery.Unlock()
	b.policy.publishSys()
	b.running.Go(func() { b.policy.upkeep(b.ended.Done()) }) // mochi's Serve would start a loop of its own
	return b, nil
}

// Ready reports whether the state can be stored: false while DataDir can't be written,
// for example on a full disk. A nil Broker has nothing to keep.
func (b *Broker) Ready() bool { return b == nil || b.policy.store.ready() }

// Serve accepts connections from l until Close, and then returns ErrClosed.
func (b *Broker) Serve(l net.Listener) error {
	defer context.AfterFunc(b.ended, func() { _ = l.Close() })()
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			go b.ServeConn(c)
		case b.ended.Err() != nil:
			return ErrClosed
		case errors.Is(err, net.ErrClosed):
			return err
		default: // such as too many open files, which is temporary: wait instead of ending
			b.log.Warn("accept failed, trying again", "error", err)
			time.Sleep(100 * time.Millisecond)
		}
	}
}

// ServeConn runs one MQTT connection and returns when it has ended. It owns c.
func (b *Broker) ServeConn(c net.Conn) {
	raw := &socket{Conn: c}
	b.serve(raw.carry(newConn(raw, &b.unsent, func() { closeGently(c) })))
}

func (b *Broker) serve(c *conn) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		c.leave(nil)
		return
	}
	b.running.Add(1)
	b.mu.Unlock()
	defer b.running.Done()
	defer func() { <-c.gone }()
	b.gate.Watch(c.Conn, http.StateNew)
	defer b.gate.Watch(c.Conn, http.StateClosed)
	defer context.AfterFunc(b.ended, func() { _ = c.Close() })()
	var err error
	// mochi panics on some malformed packets, a truncated SUBSCRIBE among them (3.8.3).
	// That may end the sender's connection, but never the process.
	defer func() {
		p := recover()
		if p != nil {
			err = packets.ErrMalformedPacket
			if c.handling {
				err = packets.ErrImplementationSpecificError
			}
		}
		b.policy.tell(c, err)
		if c.session != nil && !c.departed { // mochi has not cleaned up
			b.policy.OnDisconnect(c.client, err, p != nil || !lasting(c.client))
		}
		c.delivered()
		if c.parting != nil {
			b.policy.publishWill(c.client.ID, *c.parting)
		}
		if p != nil {
			b.log.Error("connection ended by a panic in the broker",
				"remote", c.RemoteAddr(), "panic", p, "stack", string(debug.Stack()))
		}
	}()
	// mochi sets no deadline before CONNECT has arrived (3.1, non-normative).
	_ = c.SetDeadline(time.Now().Add(ConnectTimeout))
	if err = b.server.EstablishConnection("", c); err != nil {
		b.log.Debug("connection ended", "remote", c.RemoteAddr(), "reason", err)
	}
}

// Close tells every client that the server shuts down (DISCONNECT 0x8B, 3.14.2.1),
// closes connections and listeners, and writes what DataDir keeps. It takes at
// most a little over two seconds, however slow a client is.
func (b *Broker) Close() error {
	b.mu.Lock()
	closed := b.closed
	b.closed = true
	b.mu.Unlock()
	if closed {
		return nil
	}
	b.disconnect(packets.ErrServerShuttingDown, func(string) bool { return true })
	b.end()
	return errors.Join(b.server.Close(), b.policy.store.close())
}

// Revoke disconnects all clients of these users with reason code 0x87 (3.14.2.1). Their
// sessions remain.
func (b *Broker) Revoke(names []string) {
	b.disconnect(packets.ErrNotAuthorized, func(user string) bool { return slices.Contains(names, user) })
}

func (b *Broker) disconnect(code packets.Code, whose func(user string) bool) {
	var told sync.WaitGroup
	for _, cl := range b.server.Clients.GetAll() {
		if !cl.Closed() && whose(string(cl.Properties.Username)) {
			told.Go(func() { _ = b.server.DisconnectClient(cl, code) })
		}
	}
	told.Wait()
}
