// Package mqtt is an MQTT 5 client on paho.golang, made for the browser and
// good anywhere: it takes any [net.Conn], such as those that package wsconn
// dials. It keeps one session over many connections, obeys the broker's limits
// before it sends, and bounds what it holds.
//
// [Connect] makes a [Client], which then connects again by itself whenever its
// connection is lost; [Options].OnEvent tells of that. What it receives,
// [Client.Receive] returns in batches.
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
	"sync"
)

// Client is a connection to a broker that mends itself. Its methods may be
// called from any goroutine.
type Client struct {
	opts      Options // checked, with the defaults
	session   *session
	inbox     *inbox
	auth      *authCalls // nil: no enhanced authentication
	pending   pending
	events    events
	responses responses

	onPacket onPacket

	ctx    context.Context // done when the client has ended
	cancel context.CancelCauseFunc
	ended  chan struct{} // closed when everything is released

	mu            sync.Mutex
	conn          *connection // nil while there is none
	connack       Connack
	subscriptions map[string]subscription // granted, to be made again
	order         []string                // their filters, in the order made
	resubscribing bool                    // the session lacks some of them
	leaving       bool                    // Disconnect was called
	suspended     bool                    // Suspend was called
	attempting    *attempting             // nil while no attempt is under way
	wasUp         bool                    // there was a connection

	servers []string      // Options.URL and Options.Servers
	server  int           // in servers, for the next attempt
	hurry   chan struct{} // ends the wait before the next attempt
}

// Connect opens a connection and waits for CONNACK. It fails when the first
// attempt fails, with each of Servers: with Refused and the broker's reason,
// Network, Timeout (of ctx or Options.ConnectTimeout), Protocol, PacketTooLarge,
// BadOption, Storage, InUse, or Aborted when ctx was cancelled or an
// Authenticator failed. Later connections are made in the background, whatever
// becomes of ctx; see [Options] for how often.
func Connect(ctx context.Context, opts Options) (*Client, error) {
	if err := opts.check(); err != nil {
		if opts.Store != nil {
			_ = opts.Store.Close()
		}
		return nil, err
	}
	c := &Client{
		opts:          opts,
		inbox:         newInbox(opts.InboxLimit),
		auth:          newAuthCalls(opts.Authenticator),
		ended:         make(chan struct{}),
		subscriptions: map[string]subscription{},
		servers:       append([]string{opts.URL}, opts.Servers...),
		hurry:         make(chan struct{}, 1),
		responses:     responses{subscribing: make(chan struct{}, 1)},
	}
	c.events.handle = opts.OnEvent
	c.OnPacket(opts.OnPacket)
	c.session = newSession(&opts, func(err error) { c.events.send(Failed{err}) })
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	conn, err := c.first(ctx)
	if err != nil {
		c.cancel(err)
		c.session.end(c.notConnected())
		return nil, err
	}
	c.up(conn)
	go c.session.send()
	go c.supervise(conn)
	return c, nil
}

// first restores the session and makes the first connection.
func (c *Client) first(ctx context.Context) (conn *connection, err error) {
	if c.opts.Store != nil {
		records, err := c.opts.Store.Load(ctx)
		if ctx.Err() != nil {
			return nil, fromContext(ctx, "connect")
		}
		if err != nil {
			return nil, storageError("connect", err)
		}
		c.session.restore(records)
	}
	for range c.servers {
		if conn, err = c.attempt(ctx, 0); err == nil || ctx.Err() != nil || c.hopeless(err) {
			break
		}
	}
	return conn, err
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

// Receive waits for messages and returns all there are, up to about 1 MiB.
// Batch.Done must be called before the broker is told that its QoS 1 and 2
// messages arrived. QoS 0 messages that nobody receives are dropped, oldest
// first, beyond Options.InboxLimit. It waits through lost connections, and fails
// with NotConnected when the client has ended, Timeout or Aborted. One goroutine
// should call it: two would get the messages out of order.
func (c *Client) Receive(ctx context.Context) (*Batch, error) {
	b, more, err := c.inbox.take(ctx)
	if err != nil {
		return nil, err
	}
	if more {
		c.inbox.signal()
	}
	b.client = c
	return b, nil
}

func (c *Client) notConnected() error {
	if cause := context.Cause(c.ctx); cause != nil {
		return &Error{Code: NotConnected, Message: "the client has ended", Err: cause}
	}
	return newError(NotConnected, "there is no connection to the broker")
}
