// Package mqtt is an MQTT 5 client on paho.golang, made for the browser and
// good anywhere: it takes any net.Conn. It keeps one session over many
// connections, obeys the broker's limits before it sends, and bounds what it
// holds. All functions return an [*Error]. Clause numbers in comments are those
// of the MQTT 5 specification.
package mqtt

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/paho"
)

// Client is a connection to a broker that mends itself. Its methods may be
// called from any goroutine.
type Client struct {
	opts    Options
	session *session
	inbox   *inbox
	auth    *authCalls // nil: no enhanced authentication
	pending pending
	events  events
	answers answers

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
	wasUp         bool

	servers []string
	server  int           // in servers, of the last attempt
	hurry   chan struct{} // ends the wait before the next attempt
}

// Connect opens a connection and waits for CONNACK. It fails when the first
// attempt fails, with each of Servers: with Refused and the broker's reason,
// Network, Timeout, Protocol, BadOption, Storage, or Aborted when ctx was
// cancelled. Later connections are made in the background; see [Options] for how
// often.
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
		answers:       answers{subscribing: make(chan struct{}, 1)},
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
// one while there is none.
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
// first, beyond Options.InboxLimit. One goroutine should call it.
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

// Publish sends a message and waits for the broker's acknowledgement, which
// QoS 0 has not. When ctx ends first, a QoS 1 or 2 message may still arrive.
func (c *Client) Publish(ctx context.Context, m Message) (PublishResult, error) {
	type outcome struct {
		result PublishResult
		err    error
	}
	ch := make(chan outcome, 1)
	cancel := c.PublishAsync(&m, func(r PublishResult, err error) { ch <- outcome{r, err} })
	select {
	case o := <-ch:
		return o.result, o.err
	case <-ctx.Done():
		cancel(fromContext(ctx, "publish"))
		o := <-ch
		return o.result, o.err
	}
}

// PublishAsync queues a message and returns at once; messages leave in the
// order of the calls. settle is called exactly once, from any goroutine, and
// must neither block nor call the client. The returned function gives up
// waiting, and settles with the error it is given.
func (c *Client) PublishAsync(m *Message, settle func(PublishResult, error)) (cancel func(error)) {
	return c.publish(m, false, settle)
}

// StoreAsync is PublishAsync, but settles when the message is in Options.Store
// and will be sent, be it by the next program. At QoS 0 it needs Queue.Offline.
func (c *Client) StoreAsync(m *Message, settle func(PublishResult, error)) (cancel func(error)) {
	return c.publish(m, true, settle)
}

func (c *Client) publish(m *Message, stored bool, settle func(PublishResult, error)) (cancel func(error)) {
	c.pending.add()
	done := func(r PublishResult, err error) {
		c.pending.done()
		settle(r, err)
	}
	o, err := c.outgoing(m, stored)
	if err == nil {
		o.settle = done
		if stored {
			o.late = c.session.failedLate
		}
		err = c.session.enqueue(o)
	}
	if err != nil {
		done(PublishResult{}, err)
		return func(error) {}
	}
	return func(err error) { c.session.giveUp(o, err) }
}

// outgoing checks a message and makes its packet.
func (c *Client) outgoing(m *Message, stored bool) (*outgoing, error) {
	if err := checkMessage("", m); err != nil {
		return nil, err
	}
	switch {
	case stored && c.opts.Store == nil:
		return nil, badOption("waitFor", "needs a durable store")
	case m.Properties.TopicAlias != nil && c.opts.AutoTopicAlias:
		return nil, badOption("properties.topicAlias", "must not be set while aliases are given automatically")
	}
	c.mu.Lock()
	up, leaving := c.conn != nil, c.leaving
	c.mu.Unlock()
	o := newOutgoing(m)
	o.onStored = stored
	if leaving || c.ctx.Err() != nil || !up && !c.session.held(o) {
		return nil, c.notConnected()
	}
	return o, nil
}

func (c *Client) notConnected() error {
	if cause := context.Cause(c.ctx); cause != nil {
		return &Error{Code: NotConnected, Message: "the client has ended", Err: cause}
	}
	return newError(NotConnected, "there is no connection to the broker")
}

// DisconnectOptions are the fields of DISCONNECT (3.14).
type DisconnectOptions struct {
	ReasonCode     byte
	ReasonString   string
	SessionExpiry  *uint32 // seconds
	UserProperties UserProperties
	// Force does not wait until messages in flight are acknowledged.
	Force bool
}

// Disconnect ends the client. Unless forced it first waits, as long as ctx
// lasts, until what was published is acknowledged. It sends DISCONNECT, closes
// the connection, and settles everything that still waits. Calling it again
// waits for the first call's end.
func (c *Client) Disconnect(ctx context.Context, opts DisconnectOptions) error {
	if err := opts.check(); err != nil {
		return err
	}
	c.mu.Lock()
	first := !c.leaving
	c.leaving = true
	conn := c.conn
	c.mu.Unlock()
	if first {
		if conn != nil && !opts.Force {
			select { // what is in flight
			case <-c.pending.idle():
			case <-conn.paho.Done():
			case <-ctx.Done():
			}
		}
		if conn != nil {
			conn.leave(&opts)
		}
		c.cancel(newError(Aborted, "the client was disconnected"))
	}
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return fromContext(ctx, "disconnect")
	}
}

func (o *DisconnectOptions) check() error {
	if o.ReasonCode != 0 && reasonNames[o.ReasonCode] == "" {
		return badOption("reasonCode", "0x%02X is no reason code of MQTT 5", o.ReasonCode)
	}
	if err := checkText("reasonString", o.ReasonString); err != nil {
		return err
	}
	return checkUserProperties("properties.userProperties", o.UserProperties)
}

// connection is one network connection: paho's client on a link.
type connection struct {
	link    *link
	paho    *paho.Client
	lost    chan error // receives once
	once    sync.Once
	probing atomic.Bool
}

func (c *connection) end(err error) {
	c.once.Do(func() {
		c.link.auth.lost(c.lostCause(err))
		c.lost <- err
	})
}

// leave sends DISCONNECT and closes.
func (c *connection) leave(o *DisconnectOptions) {
	c.end(nil)
	d := &paho.Disconnect{ReasonCode: o.ReasonCode, Properties: &paho.DisconnectProperties{
		ReasonString: o.ReasonString, SessionExpiryInterval: o.SessionExpiry, User: o.UserProperties,
	}}
	c.link.farewell(func() {
		c.link.flushReplies()
		_ = c.paho.Disconnect(d)
	})
}

// attempt makes one connection, to the next server.
func (c *Client) attempt(ctx context.Context, number int) (*connection, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.opts.ConnectTimeout, context.DeadlineExceeded)
	defer cancel()
	stop := context.AfterFunc(c.ctx, cancel)
	defer stop()
	a, err := c.prepare(ctx, number)
	if err != nil {
		return nil, err
	}

	authn, err := c.authenticate(ctx)
	if err != nil {
		return nil, err
	}
	raw, err := c.opts.Dial(ctx, a.URL)
	if err != nil {
		if ctx.Err() != nil {
			return nil, fromContext(ctx, "connect")
		}
		return nil, networkError(err, "connect")
	}
	l := newLink(raw, int(c.opts.MaximumPacketSize))
	l.auth, authn.link, l.onPacket = authn, l, &c.onPacket
	stuck := context.AfterFunc(ctx, func() { _ = l.Close() }) // paho does not look at ctx while it writes
	defer stuck()
	aliases := newAliases(int(c.opts.TopicAliasMaximum))
	l.onPublish = func(p *publishPacket, at float64) error { return c.accept(p, aliases, at) }
	l.onAnswer = c.session.answered
	conn := &connection{link: l, lost: make(chan error, 1)}
	conn.paho = paho.NewClient(paho.ClientConfig{
		Conn: l, Session: c.session, PingHandler: l.pinger, AuthHandler: noAuth{},
		PacketTimeout:      100 * 365 * 24 * time.Hour, // callers' contexts say how long
		OnPublishReceived:  []func(paho.PublishReceived) (bool, error){func(paho.PublishReceived) (bool, error) { return true, nil }},
		OnClientError:      func(err error) { conn.end(err) },
		OnServerDisconnect: func(d *paho.Disconnect) { c.serverDisconnected(conn, d) },
	})
	cp := c.connectPacket(a)
	cp.Properties.AuthMethod, cp.Properties.AuthData = authn.method, authn.data
	l.connect = encodeConnect(cp, c.opts.Will)
	ca, err := conn.paho.Connect(ctx, cp)
	if err == nil && ca.Properties.AssignedClientID != "" && cp.ClientID != "" { // 3.2.2.3.7
		conn.end(nil)
		err = l.fail(violation(reasonProtocolError, "CONNACK assigns a client identifier although one was given"))
		_ = l.Close()
		<-conn.paho.Done()
	}
	if err != nil {
		return nil, c.connectError(ctx, l, ca, err)
	}
	c.mu.Lock()
	c.connack = newConnack(ca, cp)
	c.mu.Unlock()
	return conn, nil
}

// prepare settles where to connect to, and as whom.
func (c *Client) prepare(ctx context.Context, number int) (*Attempt, error) {
	a := &Attempt{URL: c.servers[c.server], Number: number, Username: c.opts.Username, Password: c.opts.Password}
	c.server = (c.server + 1) % len(c.servers)
	if c.opts.Prepare == nil {
		return a, nil
	}
	if err := c.opts.Prepare(ctx, a); err != nil {
		if ctx.Err() != nil {
			return nil, fromContext(ctx, "connect")
		}
		return nil, networkError(err, "connect")
	}
	if err := checkCredentials(a.Username, a.Password); err != nil {
		return nil, err
	}
	return a, nil
}

// connectPacket makes CONNECT. Once connected it asks for its session again,
// unless the session has expired in between.
func (c *Client) connectPacket(a *Attempt) *paho.Connect {
	expired := c.session.expireAll()
	c.mu.Lock()
	defer c.mu.Unlock()
	id, clean := c.opts.ClientID, !c.opts.KeepSession
	if c.wasUp {
		id = c.connack.ClientID
		clean = clean && c.connack.SessionExpiry == 0
	}
	return c.opts.connectPacket(a, id, clean || expired)
}

// connectError finds the best explanation of a failed attempt.
func (c *Client) connectError(ctx context.Context, l *link, ca *paho.Connack, err error) error {
	if cause := l.endCause(); cause != nil {
		return cause
	}
	if ca != nil && ca.ReasonCode >= reasonUnspecified {
		e := refused("connect", ca.ReasonCode, ca.Properties.ReasonString)
		e.ServerReference = ca.Properties.ServerReference
		return e
	}
	if ctx.Err() != nil {
		return fromContext(ctx, "connect")
	}
	return networkError(err, "connect")
}

// accept takes a PUBLISH from the link into the session and the inbox.
func (c *Client) accept(p *publishPacket, aliases *aliases, at float64) error {
	topic, err := aliases.resolve(p)
	if err != nil {
		return err
	}
	if p.qos() == 0 {
		if !c.answers.take(p, topic, at) {
			c.inbox.put(p, topic, at, nil)
		}
		return nil
	}
	d, err := c.session.receive(p)
	if err != nil || d == nil {
		return err
	}
	if c.answers.take(p, topic, at) {
		c.session.acknowledge([]delivery{*d})
	} else {
		c.inbox.put(p, topic, at, d)
	}
	return nil
}

func (c *Client) serverDisconnected(conn *connection, d *paho.Disconnect) {
	ev := ServerDisconnected{ReasonCode: d.ReasonCode}
	if p := d.Properties; p != nil {
		ev.ReasonString, ev.ServerReference = p.ReasonString, p.ServerReference
		if len(p.User) > 0 {
			ev.UserProperties = p.User
		}
	}
	c.events.send(ev)
	conn.end(&Error{
		Code: Disconnected, ReasonCode: ev.ReasonCode, ReasonString: ev.ReasonString, ServerReference: ev.ServerReference,
		Message: "the broker ended the connection: " + ReasonName(ev.ReasonCode),
	})
}

// lostCause finds the best explanation of a connection that ended.
func (c *connection) lostCause(err error) error {
	if err == nil {
		return nil
	}
	if cause := c.link.endCause(); cause != nil {
		return cause
	}
	return networkError(err, "the connection broke")
}

// noAuth is there because paho calls its AuthHandler, even if there is none,
// when CONNACK names an authentication method. AUTH packets don't reach it.
type noAuth struct{}

func (noAuth) Authenticate(a *paho.Auth) *paho.Auth { return a }
func (noAuth) Authenticated()                       {}
