package mqtt

import (
	"cmp"
	"context"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// DisconnectOptions are the fields of DISCONNECT (3.14).
type DisconnectOptions struct {
	ReasonCode     byte // 0: normal; 0x04: the broker is to publish the will
	ReasonString   string
	SessionExpiry  *time.Duration // nil: as Options.SessionExpiry has it (3.14.2.2.2)
	UserProperties UserProperties
	// Force does not wait for packets in flight.
	Force bool
}

// Disconnect ends the client. Unless forced it first waits, as long as ctx and the
// connection last, until the broker has acknowledged what was published, subscribed to
// and unsubscribed from. It sends DISCONNECT, closes the connection, and settles
// everything that still waits. A second call waits no longer than its own ctx and options
// say; the call that stops waiting first determines DISCONNECT. It fails with BadOption
// or PacketTooLarge, and then does nothing; or with Timeout or Aborted when the client
// ends later than ctx.
func (c *Client) Disconnect(ctx context.Context, opts DisconnectOptions) error {
	packet, err := c.disconnectPacket(&opts)
	if err != nil {
		return err
	}
	c.mu.Lock()
	s := &c.supervisor
	s.want = gone
	conn, a := s.conn, s.attempt
	var idle chan struct{}
	if s.connected && !opts.Force && c.pending > 0 {
		if c.idle == nil {
			c.idle = make(chan struct{})
		}
		idle = c.idle
	}
	c.mu.Unlock()
	if idle != nil {
		select { // what is in flight
		case <-idle:
		case <-conn.Done():
		case <-ctx.Done():
		}
	}
	if conn != nil {
		conn.Leave(packet)
	}
	if a != nil {
		a.stop()
	}
	s.hurryUp()
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return wire.ContextError(ctx, "disconnect")
	}
}

// settled updates the number of pending calls. The caller holds mu.
func (c *Client) settled() {
	if c.pending--; c.pending == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

// disconnectPacket validates the options and encodes them as DISCONNECT.
func (c *Client) disconnectPacket(o *DisconnectOptions) ([]byte, error) {
	if !wire.ClientMaySend(o.ReasonCode) {
		return nil, wire.Invalid("reasonCode", "0x%02X is not for a client to send; 0x00 and 0x04 are (3.14.2.1)", o.ReasonCode)
	}
	if err := cmp.Or(wire.CheckText("reasonString", o.ReasonString),
		o.UserProperties.validate("properties.userProperties")); err != nil {
		return nil, err
	}
	p := &packets.Properties{ReasonString: o.ReasonString, User: o.UserProperties}
	if o.SessionExpiry != nil {
		expiry, err := seconds("sessionExpiryInterval", *o.SessionExpiry)
		if err != nil {
			return nil, err
		}
		if expiry > 0 && c.opts.sessionExpiry == 0 {
			return nil, wire.Invalid("sessionExpiryInterval", "must not be set where CONNECT had 0 (3.14.2.2.2)")
		}
		p.SessionExpiryInterval = &expiry
	}
	packet := wire.EncodeDisconnect(o.ReasonCode, p)
	c.mu.Lock()
	defer c.mu.Unlock()
	return packet, c.session.CheckSize("reasonString", packet)
}

// Suspend closes the connection with DISCONNECT, which discards the will, and makes no
// other until Resume. The session continues, as long as the broker keeps it; messages
// wait if Options.Queue lets them. Suspend waits until the connection is closed; with
// Timeout or Aborted it is closed a moment later.
func (c *Client) Suspend(ctx context.Context) error {
	c.mu.Lock()
	s := &c.supervisor
	if s.want == online {
		s.want = suspended
	}
	conn, a := s.conn, s.attempt
	c.mu.Unlock()
	s.hurryUp()
	var closed <-chan struct{}
	switch {
	case a != nil:
		a.stop()
		closed = a.over
	case conn != nil:
		go conn.Leave(nil)
		closed = conn.Done()
	default:
		return nil
	}
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return wire.ContextError(ctx, "suspend")
	}
}

// Resume connects again after Suspend, at once, in the background. It does not
// wait.
func (c *Client) Resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.supervisor.want == suspended {
		c.supervisor.want = online
		c.supervisor.hurryUp()
	}
}

// Wake is for when the network may have changed. It makes the next attempt now; or, if
// there is a connection, sends PINGREQ, and ends the connection when nothing arrives
// within 5 seconds. It does not wait.
func (c *Client) Wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.supervisor.connected {
		c.supervisor.conn.Probe()
	} else {
		c.supervisor.hurryUp()
	}
}

// Ping sends PINGREQ and returns how long PINGRESP took, measured where packets are
// read and written. While a PINGREQ is unanswered, further calls share it. It fails
// with NotConnected, Timeout, Network when the connection was lost meanwhile, or
// Aborted.
func (c *Client) Ping(ctx context.Context) (time.Duration, error) {
	conn, err := c.current()
	if err != nil {
		return 0, err
	}
	return conn.Ping(ctx)
}

// Authenticator does enhanced authentication (4.12); package scram has one.
// Its methods are called one after the other, never on the goroutine that reads
// from the broker, so they may take their time. Their ctx ends with the attempt
// to connect, or with the connection. They return an [*Error], or any other
// error, which is then wrapped in one with Aborted.
type Authenticator interface {
	// Method is the Authentication Method, such as "SCRAM-SHA-256".
	Method() string
	// Start begins an exchange, at every attempt to connect and every
	// re-authentication, and returns the data that the broker gets first; nil:
	// none. An error fails the attempt or the re-authentication.
	Start(ctx context.Context) ([]byte, error)
	// Continue answers a challenge of the broker. An error ends the connection.
	Continue(ctx context.Context, challenge []byte) ([]byte, error)
	// Finish validates the data that came with the broker's acceptance; nil: none came.
	// An error ends the connection.
	Finish(ctx context.Context, data []byte) error
}

// Reauthenticate proves the client's identity once more, on the connection there is
// (4.12.1), and waits for the outcome. It fails with BadOption without
// Options.Authenticator or while another one is in progress, with NotConnected, with
// the error of Start, or with the cause of the connection's end: Disconnected when the
// broker refused. After Timeout or Aborted the exchange goes on by itself, if AUTH was
// sent by then.
func (c *Client) Reauthenticate(ctx context.Context) error {
	conn, err := c.current()
	if err != nil {
		return err
	}
	return conn.Reauthenticate(ctx)
}
