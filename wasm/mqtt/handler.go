package mqtt

import (
	"mqttwasm/wasm/mqtt/internal/session"
	"mqttwasm/wasm/mqtt/internal/transport"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// handler joins a connection to the session: it is the connection's Handler and its
// Source, which say what the methods do.
type handler struct {
	client *Client
	conn   *transport.Conn // set before mu is released for the first time
}

func (h *handler) Connack(a *wire.Connack) error {
	if a.Properties.AssignedClientID != "" { // 3.2.2.3.7
		return wire.Violation(wire.ReasonProtocolError, "CONNACK assigns a client identifier although one was given")
	}
	c := h.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.session.Connected(a, c.opts.sessionExpiry); err != nil {
		return err
	}
	if !a.SessionPresent {
		c.inbox.Forget()
	}
	c.supervisor.conn = h.conn
	c.supervisor.speak()
	c.supervisor.quiet = make(chan struct{})
	c.connack = newConnack(a, &c.opts)
	c.flush()
	return nil
}

// Publish passes a message to the session and then, unless it is the response to a
// pending request, to the inbox.
func (h *handler) Publish(p *wire.Publish, at float64) error {
	c := h.client
	c.mu.Lock()
	topic, receipt, fresh, err := c.session.Received(p)
	c.unlock()
	switch {
	case err != nil || !fresh:
		p.Kept.Drop()
		return err
	case !c.responses.take(p, topic, at):
		c.inbox.Put(p, topic, at, receipt)
	case receipt > 0:
		c.taken([]session.Receipt{receipt})
	}
	return nil
}

func (h *handler) Ack(a wire.Ack) error {
	c := h.client
	c.mu.Lock()
	defer c.unlock()
	return c.session.Ack(a)
}

func (h *handler) Suback(a *wire.Suback) error {
	c := h.client
	c.mu.Lock()
	defer c.unlock()
	return c.session.Suback(a)
}

func (h *handler) Disconnect(d *wire.Disconnect) {
	c := h.client
	c.mu.Lock()
	defer c.mu.Unlock()
	c.supervisor.disconnect = &ServerDisconnected{
		ReasonCode: d.Reason, ReasonString: d.ReasonString, ServerReference: d.ServerReference, UserProperties: d.User,
	}
}

func (h *handler) Next(dst [][]byte, max int) [][]byte {
	c := h.client
	c.mu.Lock()
	defer c.unlock()
	return c.session.Next(dst, max)
}

func (h *handler) Written(n int) {
	c := h.client
	c.mu.Lock()
	defer c.unlock()
	c.session.Written(n)
}
