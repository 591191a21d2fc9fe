package mqtt

import (
	"context"
	"errors"
	"time"

	"mqttwasm/wasm/mqtt/internal/transport"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// Attempt is one attempt to connect, before it is made, for Options.Prepare.
type Attempt struct {
	URL      string // given to Options.Dial
	Number   int    // 0 for the first, then from 1 since the last connection
	Username string
	Password []byte // nil: none
}

// connect makes one connection, to the next server, with its subscriptions. It returns
// neither a connection nor an error when Disconnect has ended one that was accepted.
func (c *Client) connect(ctx context.Context, number int) (*transport.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, c.opts.ConnectTimeout)
	defer cancel()
	conn, err := c.open(limited, number)
	if err != nil {
		return nil, err
	}
	select {
	case <-conn.Opened():
		if err = c.waitSubscribed(ctx, conn); err != nil {
			c.drop(conn)
			return nil, err
		}
		return conn, nil
	case <-conn.Done():
	case <-limited.Done():
		conn.Close(wire.ContextError(limited, "connect"))
		<-conn.Done()
	}
	err = conn.Err()
	_ = c.lost(conn) // CONNACK may have come
	if errors.Is(err, Refused) {
		c.mu.Lock()
		c.session.Refused()
		c.mu.Unlock()
	}
	return nil, err
}

// open dials and sends CONNECT.
func (c *Client) open(ctx context.Context, number int) (*transport.Conn, error) {
	a, err := c.prepare(ctx, number)
	if err != nil {
		return nil, err
	}
	var data []byte
	if c.auth != nil {
		if data, err = c.auth.Start(ctx); err != nil {
			return nil, err
		}
	}
	raw, err := c.opts.Dial(ctx, a.URL)
	if err != nil {
		if ctx.Err() != nil {
			return nil, wire.ContextError(ctx, "connect")
		}
		return nil, wire.NetworkError(err, "connect")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	clean := c.session.Open()
	c.flush()
	h := &handler{client: c}
	h.conn = transport.Start(transport.Config{
		Conn: raw, Connect: c.opts.connect(a, clean, data), Handler: h, Source: h,
		MaximumPacketSize: int(c.opts.MaximumPacketSize), KeepAlive: time.Duration(c.opts.keepAlive) * time.Second,
		AuthMethod: c.opts.AuthMethod, Authenticator: c.auth, OnPacket: &c.onPacket, Buffer: c.inbox.Buffer,
	})
	return h.conn, nil
}

// prepare decides where to connect to, and with which credentials.
func (c *Client) prepare(ctx context.Context, number int) (*Attempt, error) {
	s := &c.supervisor
	a := &Attempt{URL: s.servers[s.server], Number: number, Username: c.opts.Username, Password: c.opts.Password}
	s.server = (s.server + 1) % len(s.servers)
	if c.opts.Prepare == nil {
		return a, nil
	}
	if err := c.opts.Prepare(ctx, a); err != nil {
		if ctx.Err() != nil {
			return nil, wire.ContextError(ctx, "connect")
		}
		return nil, wire.NetworkError(err, "connect")
	}
	return a, checkCredentials(a.Username, a.Password)
}

// waitSubscribed waits until the subscriptions of a lost session are made again:
// a client without them is not connected.
func (c *Client) waitSubscribed(ctx context.Context, conn *transport.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, c.opts.ConnectTimeout)
	defer cancel()
	done := make(chan struct{})
	c.mu.Lock()
	c.supervisor.subscribed = done
	c.unlock()
	select {
	case <-done:
		return nil
	case <-conn.Done():
		return conn.Err()
	case <-ctx.Done():
		return wire.ContextError(ctx, "resubscribe")
	}
}
