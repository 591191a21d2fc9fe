package mqtt

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/eclipse/paho.golang/paho"
)

// connection is one network connection: paho's client on a link.
type connection struct {
	link    *link
	paho    *paho.Client
	lost    chan error // receives once
	once    sync.Once
	probing atomic.Bool
}

// end says why the connection ended: nil when we ended it. The first call counts.
func (c *connection) end(err error) {
	c.once.Do(func() {
		c.link.auth.lost(c.lostCause(err))
		c.lost <- err
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

// serverDisconnected is paho's word that DISCONNECT came.
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

// accept takes a PUBLISH from the link into the session and the inbox.
func (c *Client) accept(p *publishPacket, aliases *aliases, at float64) error {
	topic, err := aliases.resolve(p)
	if err != nil {
		return err
	}
	if p.qos() == 0 {
		if !c.responses.take(p, topic, at) {
			c.inbox.put(p, topic, at, nil)
		}
		return nil
	}
	d, err := c.session.receive(p)
	if err != nil || d == nil {
		return err
	}
	if c.responses.take(p, topic, at) {
		c.session.acknowledge([]delivery{*d})
	} else {
		c.inbox.put(p, topic, at, d)
	}
	return nil
}

// callError explains why a call had no answer.
func (conn *connection) callError(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return fromContext(ctx, what)
	}
	if cause := conn.link.endCause(); cause != nil {
		return cause
	}
	if errors.Is(err, paho.ErrConnectionLost) {
		return newError(Network, "%s: the connection broke before the broker answered", what)
	}
	return networkError(err, what)
}
