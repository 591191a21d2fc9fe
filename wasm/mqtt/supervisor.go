package mqtt

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"mqttwasm/wasm/mqtt/internal/session"
	"mqttwasm/wasm/mqtt/internal/transport"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// supervisor alone decides whether the client is connected:
//
//	            Resume                    CONNACK, and subscribed again
//	suspended ─────────► connecting ──────────────────────────────────► connected
//	    ▲                  ▲     │ failed                                   │ lost
//	    │ Suspend,         │     ▼                                          │
//	    └─ from all       waiting ◄─────────────────────────────────────────┘
//	                back-off over, Wake
//
//	ended: from all, by Disconnect or for an error that trying again can't fix
//
// One goroutine, supervise, makes the changes. Others only set what is wanted. The
// client's mu guards the fields.
type supervisor struct {
	want       want
	conn       *transport.Conn     // accepted by the broker; nil: there is none
	connected  bool                // conn was announced
	disconnect *ServerDisconnected // of conn, reported when it is over: after Connected
	attempt    *attempt            // in progress; nil: none
	hurry      chan struct{}       // ends a wait: back-off is over, or something else is wanted

	servers    []string      // Options.URL and Options.Servers
	server     int           // in servers, for the next attempt
	failures   int           // consecutive rounds of attempts that failed, and connections that did not last
	subscribed chan struct{} // closed when the subscriptions are made again; nil: nobody waits for it
	quiet      chan struct{} // closed when the connection is announced, for which messages wait; nil: it was
}

// want is what the user asked for last.
type want byte

const (
	online want = iota
	suspended
	gone
)

// stable is how long a connection must last for the back-off to be reset: connections
// that are lost at once, again and again, are no success.
const stable = 5 * time.Second

// attempt is an attempt to connect that is in progress.
type attempt struct {
	stop context.CancelFunc
	over chan struct{} // closed when it has cleaned up everything but the connection
}

// speak lets the messages of a connection pass, once it is announced or over.
func (s *supervisor) speak() {
	if s.quiet != nil {
		close(s.quiet)
		s.quiet = nil
	}
}

// hurryUp ends the wait before the next attempt.
func (s *supervisor) hurryUp() {
	select {
	case s.hurry <- struct{}{}:
	default:
	}
}

// current returns the connection to send on.
func (c *Client) current() (*transport.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.supervisor.connected || c.supervisor.want == gone {
		return nil, c.notConnected()
	}
	return c.supervisor.conn, nil
}

// first makes the first connection of Connect.
func (c *Client) first(ctx context.Context) (conn *transport.Conn, err error) {
	for range c.supervisor.servers {
		if conn, err = c.connect(ctx, 0); err == nil || ctx.Err() != nil || c.final(err) {
			break
		}
	}
	if err == nil {
		c.announce()
	}
	return conn, err
}

// supervise waits for the connection to end and makes the next one, until the client is
// disconnected or gives up.
func (c *Client) supervise(conn *transport.Conn) {
	var last error
	if conn == nil {
		conn, last = c.reconnect(nil, 0)
	}
	for conn != nil {
		up := time.Now()
		<-conn.Done()
		if time.Since(up) >= stable {
			c.supervisor.failures = 0
		}
		last = c.lost(conn)
		if redirected(last) {
			c.supervisor.server = (c.supervisor.server + 1) % len(c.supervisor.servers)
		}
		c.events.send(Closed{last})
		conn, last = c.reconnect(last, 1)
	}
	c.finish(last)
}

// reconnect makes attempts, counting from n, until one succeeds. It returns neither a
// connection nor an error when the client was disconnected, and an error when it gives
// up.
func (c *Client) reconnect(cause error, n int) (*transport.Conn, error) {
	for ; ; n++ {
		resumed := c.waitResumed()
		if resumed {
			n = 1
		}
		switch {
		case c.wanted() == gone:
			return nil, nil
		case cause != nil && (c.opts.Reconnect == ReconnectNever || c.final(cause)), n > 0 && c.opts.Reconnect == ReconnectNever:
			return nil, cause
		}
		if n > 0 {
			c.waitBackoff(n, resumed)
		}
		conn, err := c.retry(n)
		switch {
		case conn != nil:
			return conn, nil
		case err == nil: // Suspend or Disconnect came first
			n = 0
		default:
			c.events.send(Failed{err})
		}
		cause = err
	}
}

func (c *Client) wanted() want {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.supervisor.want
}

// waitResumed waits while the client is suspended, and reports whether it was.
func (c *Client) waitResumed() (waited bool) {
	for c.wanted() == suspended {
		waited = true
		<-c.supervisor.hurry
	}
	return waited
}

// waitBackoff waits before attempt n. All servers are tried one after the other
// before it waits again. Wake, Suspend and Disconnect end it.
func (c *Client) waitBackoff(n int, atOnce bool) {
	s, delay := &c.supervisor, time.Duration(0)
	if !atOnce && (n-1)%len(s.servers) == 0 {
		s.failures++
		delay = backoff(s.failures, c.opts.ReconnectMin, c.opts.ReconnectMax)
	}
	c.events.send(Reconnecting{n, delay})
	select {
	case <-time.After(delay):
	case <-s.hurry:
	}
}

// backoff returns a random time below a limit that doubles with each attempt (full
// jitter): a thousand clients that lost their broker together don't come back together.
func backoff(attempt int, first, most time.Duration) time.Duration {
	limit := min(first, most)
	for ; attempt > 1 && limit < most; attempt-- {
		limit += min(limit, most-limit)
	}
	return rand.N(limit)
}

// retry makes one attempt. It returns neither a connection nor an error when
// Suspend or Disconnect came before it succeeded.
func (c *Client) retry(n int) (*transport.Conn, error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	a := &attempt{stop, make(chan struct{})}
	defer close(a.over)
	c.mu.Lock()
	if c.supervisor.want != online {
		c.mu.Unlock()
		return nil, nil
	}
	c.supervisor.attempt = a
	c.mu.Unlock()
	conn, err := c.connect(ctx, n)
	if conn != nil {
		if c.announce() {
			return conn, nil
		}
		c.drop(conn)
		return nil, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.supervisor.attempt = nil
	if ctx.Err() != nil || c.supervisor.want == gone {
		return nil, nil
	}
	return nil, err
}

// announce makes a connection the current one and reports it. It returns false when
// Disconnect or Suspend was called before, when there was no connection to close.
func (c *Client) announce() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.supervisor
	s.attempt = nil
	if s.want != online {
		return false
	}
	s.connected = true
	s.server = (s.server + len(s.servers) - 1) % len(s.servers) // the one that worked
	select {                                                    // this connection makes a pending hurry obsolete
	case <-s.hurry:
	default:
	}
	c.events.send(Connected{c.connack})
	return true
}

// drop ends a connection that was not announced.
func (c *Client) drop(conn *transport.Conn) {
	conn.Leave(nil)
	<-conn.Done()
	_ = c.lost(conn)
}

// lost tells the session that a connection is over.
func (c *Client) lost(conn *transport.Conn) (cause error) {
	c.mu.Lock()
	defer c.unlock()
	s := &c.supervisor
	s.conn, s.connected, s.attempt = nil, false, nil
	s.speak()
	if s.disconnect != nil {
		c.events.send(*s.disconnect)
		s.disconnect = nil
	}
	if cause = conn.Err(); s.want == gone {
		cause = nil
	}
	c.session.Lost(cmp.Or[error](cause, wire.NewError(Network, "the connection was closed before the broker answered")))
	return cause
}

// final reports whether no more attempts are made after an error.
func (c *Client) final(err error) bool {
	e, typed := errors.AsType[*Error](err)
	switch {
	case c.opts.Reconnect == ReconnectAlways || !typed:
		return false
	case e.Code == BadOption:
		return true
	case redirected(err):
		return len(c.supervisor.servers) == 1
	case e.Code == Refused, e.Code == Disconnected:
		switch e.ReasonCode {
		case wire.ReasonUnsupportedVersion, wire.ReasonBadClientID, wire.ReasonBadCredentials, wire.ReasonNotAuthorized,
			wire.ReasonBanned, wire.ReasonBadAuthMethod, wire.ReasonSessionTakenOver:
			return true
		}
	}
	return e.Final
}

// redirected reports whether the broker wants another server to be used (4.13).
func redirected(err error) bool {
	e, typed := errors.AsType[*Error](err)
	return typed && (e.ReasonCode == wire.ReasonUseAnotherServer || e.ReasonCode == wire.ReasonServerMoved)
}

// finish releases everything and settles everything that waits.
func (c *Client) finish(err error) {
	c.release(cmp.Or[error](err, wire.NewError(Aborted, "the client was disconnected")))
	c.responses.end()
	c.events.send(Ended{err})
	close(c.ended)
}

// release ends the session and closes the store.
func (c *Client) release(cause error) {
	c.cancel(cause)
	c.mu.Lock()
	c.supervisor.want = gone
	c.session.End(c.notConnected())
	c.unlock()
	c.inbox.Close()
	if c.opts.Store == nil {
		return
	}
	if err := c.opts.Store.Close(); err != nil { // not under mu: it may wait for the last change, whose done takes it
		c.events.send(Failed{session.StorageError("session", err)})
	}
}
