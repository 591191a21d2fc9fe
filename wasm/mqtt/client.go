// Package mqtt is an MQTT 5 client on paho.golang, made for the browser and
// good anywhere: it takes any net.Conn. It keeps one session over many
// connections, obeys the broker's limits before it sends, and bounds what it
// holds. All functions return an [*Error]. Clause numbers in comments are those
// of the MQTT 5 specification.
package mqtt

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/paho"
)

// Client is a connection to a broker that mends itself. Its methods may be
// called from any goroutine.
type Client struct {
	opts    Options
	session *session
	inbox   *inbox
	outbox  *outbox
	auth    *authCalls // nil: no enhanced authentication
	pending pending
	events  events

	ctx    context.Context // done when the client has ended
	cancel context.CancelCauseFunc
	ended  chan struct{} // closed when everything is released

	mu            sync.Mutex
	conn          *connection // nil while there is none
	connack       Connack
	subscriptions map[string]subscription // granted, to be made again
	order         []string                // their filters, in the order made
	leaving       bool                    // Disconnect was called
	wasUp         bool
}

// Connect opens a connection and waits for CONNACK. It fails when the first
// attempt fails: with Refused and the broker's reason, Network, Timeout,
// Protocol, BadOption, or Aborted when ctx was cancelled. Later connections are
// made in the background; see [Options] for how often.
func Connect(ctx context.Context, opts Options) (*Client, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	c := &Client{
		opts:          opts,
		session:       newSession(int(opts.ReceiveMaximum)),
		inbox:         newInbox(opts.InboxLimit),
		outbox:        newOutbox(),
		auth:          newAuthCalls(opts.Authenticator),
		ended:         make(chan struct{}),
		subscriptions: map[string]subscription{},
	}
	c.events.handle = opts.OnEvent
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	conn, err := c.attempt(ctx)
	if err != nil {
		c.cancel(err)
		return nil, err
	}
	c.up(conn)
	go c.send()
	go c.supervise(conn)
	return c, nil
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
	o := &outgoing{qos: m.QoS, done: make(chan struct{})}
	c.pending.add()
	o.settle = func(r PublishResult, err error) {
		c.pending.done()
		settle(r, err)
	}
	fail := func(err error) func(error) {
		o.finish(PublishResult{}, err)
		return func(error) {}
	}
	if err := checkMessage("", m); err != nil {
		return fail(err)
	}
	c.mu.Lock()
	up, granted := c.conn != nil && !c.leaving, c.connack
	c.mu.Unlock()
	if !up {
		return fail(c.notConnected())
	}
	o.frame, o.idAt = encodePublish(m)
	if err := granted.admits(m, len(o.frame)); err != nil {
		return fail(err)
	}
	if !c.outbox.put(o) {
		return fail(c.notConnected())
	}
	return func(err error) {
		o.finish(PublishResult{}, err)
		c.session.wakeSender()
	}
}

// admits checks a message against the limits that the broker stated.
func (g *Connack) admits(m *Message, size int) error {
	switch {
	case m.QoS > g.MaximumQoS: // [MQTT-3.2.2-11]
		return unsupported("qos", 0x9B, fmt.Sprintf("the broker's Maximum QoS is %d", g.MaximumQoS))
	case m.Retain && !g.Retain: // [MQTT-3.2.2-14]
		return unsupported("retain", 0x9A, "the broker does not keep retained messages")
	case m.Properties.TopicAlias != nil && *m.Properties.TopicAlias > g.TopicAliasMax: // [MQTT-3.3.2-9]
		return badOption("properties.topicAlias", "is %d; the broker's Topic Alias Maximum is %d",
			*m.Properties.TopicAlias, g.TopicAliasMax)
	case g.MaximumPacket > 0 && size > int(g.MaximumPacket): // [MQTT-3.2.2-15]
		e := newError(PacketTooLarge, "payload: the packet would have %d bytes; the broker's Maximum Packet Size is %d",
			size, g.MaximumPacket)
		e.Field, e.ReasonCode = "payload", reasonPacketTooLarge
		return e
	}
	return nil
}

func (c *Client) notConnected() error {
	if cause := context.Cause(c.ctx); cause != nil {
		return &Error{Code: NotConnected, Message: "the client has ended", Err: cause}
	}
	return newError(NotConnected, "there is no connection to the broker")
}

// send puts messages on the wire, one after the other.
func (c *Client) send() {
	for {
		o := c.outbox.take()
		if o == nil {
			return
		}
		if !o.finished() && !c.session.transmit(o) {
			o.finish(PublishResult{}, c.notConnected())
		}
	}
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
	link *link
	paho *paho.Client
	lost chan error // receives once
	once sync.Once
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

// attempt makes one connection.
func (c *Client) attempt(ctx context.Context) (*connection, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.opts.ConnectTimeout, context.DeadlineExceeded)
	defer cancel()
	stop := context.AfterFunc(c.ctx, cancel)
	defer stop()

	authn, err := c.authenticate(ctx)
	if err != nil {
		return nil, err
	}
	raw, err := c.opts.Dial(ctx, c.opts.URL)
	if err != nil {
		if ctx.Err() != nil {
			return nil, fromContext(ctx, "connect")
		}
		return nil, networkError(err, "connect")
	}
	l := newLink(raw, int(c.opts.MaximumPacketSize))
	l.auth, authn.link = authn, l
	aliases := newAliases(int(c.opts.TopicAliasMaximum))
	l.onPublish = func(p publishPacket, at time.Time) error { return c.accept(&p, aliases, at) }
	conn := &connection{link: l, lost: make(chan error, 1)}
	conn.paho = paho.NewClient(paho.ClientConfig{
		Conn: l, Session: c.session, PingHandler: l.pinger, AuthHandler: noAuth{},
		PacketTimeout:      100 * 365 * 24 * time.Hour, // callers' contexts say how long
		OnPublishReceived:  []func(paho.PublishReceived) (bool, error){func(paho.PublishReceived) (bool, error) { return true, nil }},
		OnClientError:      func(err error) { conn.end(err) },
		OnServerDisconnect: func(d *paho.Disconnect) { c.serverDisconnected(conn, d) },
	})
	c.mu.Lock()
	id, resume := c.opts.ClientID, c.wasUp && c.connack.SessionExpiry > 0
	if c.wasUp {
		id = c.connack.ClientID
	}
	c.mu.Unlock()
	cp := c.opts.connectPacket(id, resume)
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
func (c *Client) accept(p *publishPacket, aliases *aliases, at time.Time) error {
	topic, err := aliases.resolve(p)
	if err != nil {
		return err
	}
	if p.qos() == 0 {
		c.inbox.put(p, topic, at, nil)
		return nil
	}
	d, err := c.session.receive(p)
	if err == nil && d != nil {
		c.inbox.put(p, topic, at, d)
	}
	return err
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
