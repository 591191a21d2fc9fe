// Package mqtt is an MQTT 5 client, made for the browser but usable anywhere: it dials
// WebSockets, or uses any [net.Conn]. It keeps one session over many connections, obeys
// the broker's limits before it sends, and bounds what it holds.
//
// [Connect] makes a [Client] and waits for its first connection; [New] does not wait.
// The client then connects again by itself whenever its connection is lost;
// [Options].OnEvent reports that. What it receives goes to the handlers of its
// subscriptions, or comes from [Client.Messages] or [Client.Receive].
//
// A method that takes a context waits for the broker as long as the context
// lasts, and no other time limit applies: it fails with [Timeout] when the
// deadline has passed, and with [Aborted] when the context was cancelled. All
// errors are an [*Error].
//
// Clause numbers in comments are those of the MQTT 5 specification.
package mqtt

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"mqttwasm/wasm/mqtt/internal/inbox"
	"mqttwasm/wasm/mqtt/internal/session"
	"mqttwasm/wasm/mqtt/internal/transport"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// Client is a connection to a broker that reconnects by itself. Its methods may be
// called from any goroutine.
type Client struct {
	opts      Options // validated, with the defaults
	inbox     *inbox.Inbox
	auth      *transport.Authenticator // nil: no enhanced authentication
	events    events
	responses responses
	handlers  handlers
	onPacket  onPacket
	dropped   atomic.Uint64
	last      atomic.Uint64 // receipt of the message that Messages returned last; 0: it was acknowledged

	ctx    context.Context // done when the client has ended
	cancel context.CancelCauseFunc
	ended  chan struct{} // closed when everything is released

	mu         sync.Mutex
	session    *session.Session
	supervisor supervisor
	connack    Connack
	pending    int           // publishes and calls to subscribe and unsubscribe that are not settled
	idle       chan struct{} // closed when there are none; nil: nobody waits for it
	expiry     *time.Timer   // of messages in the queue
	expiryAt   time.Time
}

// Connect makes a client and waits for its first connection. It fails when the first
// attempt fails, with each of Servers: with Refused and the broker's reason, Network,
// Timeout (of ctx or Options.ConnectTimeout), Protocol, PacketTooLarge, BadOption,
// Storage, InUse, or Aborted when ctx was cancelled or an Authenticator failed. Later
// connections are made in the background, whether or not ctx is done; see [Options] for
// how often.
func Connect(ctx context.Context, opts Options) (*Client, error) {
	c, err := newClient(ctx, opts, false)
	if err != nil {
		return nil, err
	}
	conn, err := c.first(ctx)
	if err != nil {
		c.release(err)
		return nil, err
	}
	go c.supervise(conn)
	return c, nil
}

// New makes a client that connects in the background, from the first attempt on: it can
// be made without a broker or a network. Its subscriptions and messages wait for the
// first connection, in the order of the calls; after that Options.Queue.Offline
// decides. It opens Options.Store, for which it may block until ctx is done, and fails
// with BadOption, Storage, InUse, Timeout or Aborted.
func New(ctx context.Context, opts Options) (*Client, error) {
	c, err := newClient(ctx, opts, true)
	if err == nil {
		go c.supervise(nil)
	}
	return c, err
}

// newClient makes a client and restores its session.
func newClient(ctx context.Context, opts Options, early bool) (*Client, error) {
	if err := opts.prepare(); err != nil {
		if opts.Store != nil {
			_ = opts.Store.Close()
		}
		return nil, err
	}
	c := &Client{
		opts: opts, inbox: inbox.New(opts.InboxLimit), ended: make(chan struct{}),
		auth:      transport.NewAuthenticator(opts.Authenticator),
		responses: responses{subscribing: make(chan struct{}, 1), pending: map[request]chan []byte{}},
		handlers:  handlers{byFilter: map[string]*func(Message){}, other: opts.OnMessage},
	}
	c.supervisor.servers = append([]string{opts.URL}, opts.Servers...)
	c.supervisor.hurry = make(chan struct{}, 1)
	c.events.handle = func(ev Event) {
		if _, announced := ev.(Connected); announced {
			c.mu.Lock()
			c.supervisor.speak()
			c.mu.Unlock()
		}
		opts.OnEvent(ev)
	}
	c.OnPacket(opts.OnPacket)
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.session = session.New(session.Config{
		Now: time.Now, FirstID: firstPacketID(),
		Early: early, Keep: opts.KeepSession, Journal: opts.Store != nil,
		ReceiveMaximum: opts.receiveLimit, AliasMaximum: int(opts.TopicAliasMaximum), AutoAlias: opts.AutoTopicAlias,
		Queue: session.Queue{
			Offline: opts.Queue.Offline != OfflineNothing, OfflineQoS0: opts.Queue.Offline == OfflineAll,
			Messages: opts.Queue.Messages, Bytes: opts.Queue.Bytes,
			DropOldest: opts.Queue.Policy == DropOldest, DropNewest: opts.Queue.Policy == DropNewest,
		},
		Republish: opts.Republish, ForgetSubscriptions: opts.ForgetSubscriptions, BatchSize: opts.SubscribeBatchSize,
	})
	if opts.Store != nil {
		if err := c.restore(ctx); err != nil {
			c.release(err)
			return nil, err
		}
	}
	if opts.OnMessage != nil {
		c.handlers.start(c)
	}
	return c, nil
}

// restore loads the session that the store holds.
func (c *Client) restore(ctx context.Context) error {
	records, err := c.opts.Store.Load(ctx)
	if ctx.Err() != nil {
		return wire.ContextError(ctx, "connect")
	}
	if err != nil {
		return session.StorageError("connect", err)
	}
	c.mu.Lock()
	defer c.unlock()
	c.session.Restore(records)
	return nil
}

// unlock releases mu after the session was used.
func (c *Client) unlock() {
	c.flush()
	c.mu.Unlock()
}

// flush does what the session wants done. The caller holds mu.
func (c *Client) flush() {
	for c.session.Busy() {
		r := c.session.Ready()
		for _, w := range r.Writes {
			c.opts.Store.Apply(w.Records, c.stored) // under mu, for the order
		}
		for i := range r.Settled {
			r.Settled[i].Tell()
		}
		for _, err := range r.Failures {
			c.events.send(Failed{err})
		}
		if r.Send && c.supervisor.conn != nil {
			c.supervisor.conn.Wake()
		}
	}
	if s := &c.supervisor; s.subscribed != nil && !c.session.Subscribing() {
		close(s.subscribed)
		s.subscribed = nil
	}
	c.watchExpiry()
}

// stored reports that the store has made a change, or with err, that it could not.
func (c *Client) stored(err error) {
	c.mu.Lock()
	defer c.unlock()
	c.session.Stored(err)
}

// watchExpiry sets the timer for the message in the queue that expires next. The
// caller holds mu.
func (c *Client) watchExpiry() {
	at, ok := c.session.Deadline()
	switch {
	case at.Equal(c.expiryAt): // zero: there is none
		return
	case c.expiry != nil:
		c.expiry.Stop()
	}
	if c.expiryAt = at; ok {
		c.expiry = time.AfterFunc(time.Until(at), func() {
			c.mu.Lock()
			defer c.unlock()
			c.expiryAt = time.Time{}
			c.session.Expire()
		})
	}
}

// Connack returns what the broker granted for the connection, or for the last
// one while there is none. It does not block.
func (c *Client) Connack() Connack {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.connack
}

// Done is closed when the client has ended: after Disconnect, or when it gave
// up reconnecting.
func (c *Client) Done() <-chan struct{} { return c.ended }

func (c *Client) notConnected() error {
	if cause := context.Cause(c.ctx); cause != nil {
		return &Error{Code: NotConnected, Message: "the client has ended", Err: cause}
	}
	return wire.NoConnection()
}

// firstPacketID is a client's first packet identifier: random, since the broker may
// still hold messages of an earlier program that counted from the same number.
var firstPacketID = func() uint16 { return uint16(rand.Uint32()) }
