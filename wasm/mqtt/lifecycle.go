package mqtt

import (
	"context"
	"time"

	"github.com/eclipse/paho.golang/paho"
)

// Suspend closes the connection with DISCONNECT, which withdraws the will, and
// makes no other until Resume. The session stays, as long as the broker keeps
// it: what waits is sent then, if Options.Queue lets it wait. It waits until the
// connection is closed; with Timeout or Aborted it is closed a moment later.
func (c *Client) Suspend(ctx context.Context) error {
	c.mu.Lock()
	c.suspended = true
	conn, a := c.conn, c.attempting
	c.mu.Unlock()
	var closed <-chan struct{}
	switch {
	case conn != nil:
		conn.leave(&DisconnectOptions{})
		closed = conn.paho.Done()
	case a != nil:
		c.hurryUp()
		a.stop()
		closed = a.over
	default:
		c.hurryUp()
		return nil
	}
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return fromContext(ctx, "suspend")
	}
}

// Resume connects again after Suspend, at once, in the background. It does not
// wait.
func (c *Client) Resume() {
	c.mu.Lock()
	was := c.suspended
	c.suspended = false
	c.mu.Unlock()
	if was {
		c.hurryUp()
	}
}

// Wake is for when something suggests that the network changed. It makes the
// next attempt now; or, where there is a connection, asks the broker for a sign
// of life, and takes the connection for lost when none comes in 5 seconds. It
// does not wait.
func (c *Client) Wake() {
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	if conn == nil {
		c.hurryUp()
	} else if conn.probing.CompareAndSwap(false, true) {
		go conn.probe()
	}
}

// Ping sends PINGREQ and returns how long the broker's answer took, measured
// where packets are read and written. Calls at the same time share one PINGREQ,
// and so does a later one that finds the earlier unanswered. It fails with
// NotConnected, Timeout, Network when the connection broke meanwhile, or Aborted.
func (c *Client) Ping(ctx context.Context) (time.Duration, error) {
	conn, err := c.current()
	if err != nil {
		return 0, err
	}
	t := conn.link.pinger.measure(conn.link)
	select {
	case <-t.over:
		return t.took, nil
	case <-conn.paho.Done():
		return 0, conn.callError(ctx, "ping", paho.ErrConnectionLost)
	case <-ctx.Done():
		return 0, fromContext(ctx, "ping")
	}
}

// hurryUp ends the wait before the next attempt.
func (c *Client) hurryUp() {
	select {
	case c.hurry <- struct{}{}:
	default:
	}
}

func (c *Client) isSuspended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.suspended
}

// waitResumed waits while the client is suspended, and reports whether it was.
func (c *Client) waitResumed() (waited bool) {
	for c.isSuspended() && c.ctx.Err() == nil {
		waited = true
		select {
		case <-c.ctx.Done():
		case <-c.hurry:
		}
	}
	return waited
}

// probeTime is how long a broker may take to answer a probe.
const probeTime = 5 * time.Second

// probe finds out whether the connection still lives.
func (c *connection) probe() {
	defer c.probing.Store(false)
	p := c.link.pinger
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-c.paho.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	if answered, ok := p.ask(ctx, c.link, probeTime); ok && !answered {
		c.end(newError(Network, "the broker gave no sign of life for %v", probeTime))
	}
}
