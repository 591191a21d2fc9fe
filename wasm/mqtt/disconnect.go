package mqtt

import (
	"context"

	"github.com/eclipse/paho.golang/paho"
)

// DisconnectOptions are the fields of DISCONNECT (3.14).
type DisconnectOptions struct {
	ReasonCode     byte // 0: normal; 0x04: the broker shall publish the will
	ReasonString   string
	SessionExpiry  *uint32 // seconds; nil: as Options.SessionExpiry has it (3.14.2.2.2)
	UserProperties UserProperties
	// Force does not wait until messages in flight are acknowledged.
	Force bool
}

// Disconnect ends the client. Unless forced it first waits, as long as ctx
// lasts, until what was published is acknowledged. It sends DISCONNECT, closes
// the connection, and settles everything that still waits. Calling it again
// waits for the first call's end. It fails with BadOption, and then does
// nothing; or with Timeout or Aborted, and then the client ends without it.
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
