package mqtt

import (
	"context"
	"time"

	"github.com/eclipse/paho.golang/paho"
)

// Attempt is one attempt to connect, before it is made, for Options.Prepare.
type Attempt struct {
	URL      string // given to Options.Dial
	Number   int    // 0 for the first, then from 1 since the last connection
	Username string
	Password []byte // nil: none
}

// attempt makes one connection, to the next server.
func (c *Client) attempt(ctx context.Context, number int) (*connection, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.opts.ConnectTimeout, context.DeadlineExceeded)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
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
	defer context.AfterFunc(ctx, func() { _ = l.Close() })() // paho does not look at ctx while it writes
	aliases := newAliases(int(c.opts.TopicAliasMaximum))
	l.onPublish = func(p *publishPacket, at float64) error { return c.accept(p, aliases, at) }
	l.onAnswer = c.session.answered
	conn := &connection{link: l, lost: make(chan error, 1)}
	conn.paho = paho.NewClient(paho.ClientConfig{
		Conn: l, Session: c.session, PingHandler: l.pinger, AuthHandler: noAuth{},
		PacketTimeout: 100 * 365 * 24 * time.Hour, // callers' contexts say how long
		// PUBLISH never gets to paho, which would make a router for it without this.
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

// noAuth is there because paho calls its AuthHandler, even if there is none,
// when CONNACK names an authentication method. AUTH packets don't reach it.
type noAuth struct{}

func (noAuth) Authenticate(a *paho.Auth) *paho.Auth { return a }
func (noAuth) Authenticated()                       {}
