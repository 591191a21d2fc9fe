package mqtt

import (
	"sync/atomic"
	"time"
)

// Packet is an MQTT packet as it crossed the wire.
type Packet struct {
	Sent  bool // by this client
	At    time.Time
	Bytes []byte // whole, from the fixed header on
}

// onPacket holds the function that packets are passed to; nil: none.
type onPacket = atomic.Pointer[func(sent bool, at time.Time, packet []byte)]

// OnPacket sets the function that is called with every packet from now on, as
// Options.OnPacket says; nil: none.
func (c *Client) OnPacket(f func(Packet)) {
	if f == nil {
		c.onPacket.Store(nil)
		return
	}
	tell := func(sent bool, at time.Time, packet []byte) { f(Packet{sent, at, packet}) }
	c.onPacket.Store(&tell)
}
