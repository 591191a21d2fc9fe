package mqtt

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// up makes a connection the current one and tells. It returns false when
// Disconnect or Suspend was called before, which then knew of no connection to
// close.
func (c *Client) up(conn *connection) bool {
	c.mu.Lock()
	if c.leaving || c.suspended {
		c.mu.Unlock()
		return false
	}
	c.conn = conn
	c.wasUp = true
	c.server = (c.server + len(c.servers) - 1) % len(c.servers) // the one that worked
	select {                                                    // a hurry that this connection has answered
	case <-c.hurry:
	default:
	}
	ack := c.connack
	c.mu.Unlock()
	c.events.send(Connected{ack})
	return true
}

// supervise waits for the connection to end and makes the next, until the
// client is disconnected or may not go on.
func (c *Client) supervise(conn *connection) {
	var last error
	for conn != nil {
		var lost error
		select {
		case lost = <-conn.lost:
		case <-c.ctx.Done():
		}
		c.mu.Lock()
		c.conn = nil
		leaving := c.leaving
		c.mu.Unlock()
		if lost != nil { // and nobody is about to send DISCONNECT
			_ = conn.link.Close()
		}
		<-conn.paho.Done()
		last = conn.lostCause(lost)
		if leaving {
			last = nil
		}
		c.session.afterConnection(c.notConnected())
		c.events.send(Closed{last})
		conn, last = c.reconnect(last)
	}
	c.finish(last)
}

// reconnect makes attempts until one succeeds. It returns no connection when
// the client was disconnected, with a nil error, or when it gives up.
func (c *Client) reconnect(cause error) (*connection, error) {
	for n := 1; ; n++ {
		resumed := c.waitResumed()
		if resumed {
			n = 1
		}
		switch {
		case c.isLeaving():
			return nil, nil
		case c.opts.NoReconnect || c.hopeless(cause):
			return nil, cause
		}
		c.waitBackoff(n, resumed)
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

// attempting is an attempt under way.
type attempting struct {
	stop context.CancelFunc
	over chan struct{} // closed when it left nothing behind but the connection
}

// retry makes one attempt. It returns neither a connection nor an error when
// Suspend or Disconnect came before it succeeded.
func (c *Client) retry(n int) (*connection, error) {
	ctx, stop := context.WithCancel(c.ctx)
	defer stop()
	a := &attempting{stop, make(chan struct{})}
	defer close(a.over)
	c.mu.Lock()
	if c.leaving || c.suspended {
		c.mu.Unlock()
		return nil, nil
	}
	c.attempting = a
	c.mu.Unlock()
	conn, err := c.attempt(ctx, n)
	if err == nil {
		c.resubscribe(ctx, conn)
		if c.up(conn) {
			return conn, nil
		}
		conn.leave(&DisconnectOptions{})
		<-conn.paho.Done()
	}
	if ctx.Err() != nil {
		return nil, nil
	}
	return nil, err
}

// waitBackoff waits before attempt n. All servers are tried one after the other
// before it waits again. Wake, Suspend and Disconnect end it.
func (c *Client) waitBackoff(n int, atOnce bool) {
	delay := time.Duration(0)
	if round := (n - 1) / len(c.servers); !atOnce && (n-1)%len(c.servers) == 0 {
		delay = backoff(round+1, c.opts.ReconnectMin, c.opts.ReconnectMax)
	}
	c.events.send(Reconnecting{n, delay})
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-c.ctx.Done():
	case <-timer.C:
	case <-c.hurry:
	}
}

func (c *Client) isLeaving() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leaving
}

// backoff returns a random time up to a limit that doubles with each attempt
// (full jitter): a thousand clients that lost their broker together don't come
// back together.
func backoff(attempt int, first, most time.Duration) time.Duration {
	limit := first
	for ; attempt > 1 && limit < most; attempt-- {
		limit *= 2
	}
	return rand.N(min(limit, most) + 1)
}

// hopeless tells errors after which no more attempts are made.
func (c *Client) hopeless(err error) bool { return permanent(err) && !c.opts.RetryRefused }

// permanent tells errors that trying again can't mend.
func permanent(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case BadOption:
		return true
	case Refused, Disconnected:
		switch e.ReasonCode {
		case reasonUnsupportedVersion, reasonBadClientID, reasonBadCredentials, reasonNotAuthorized,
			reasonBanned, reasonBadAuthMethod, reasonSessionTakenOver,
			reasonUseAnotherServer, reasonServerMoved:
			return true
		}
	}
	return false
}

// finish releases everything and settles everything that waits.
func (c *Client) finish(err error) {
	cause := err
	if cause == nil {
		cause = newError(Aborted, "the client was disconnected")
	}
	c.cancel(cause)
	c.session.end(c.notConnected())
	c.responses.end()
	c.inbox.close()
	c.events.send(Ended{err})
	close(c.ended)
}
