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

// onPacket holds who wants to know; nil: nobody does.
type onPacket = atomic.Pointer[func(sent bool, at time.Time, packet []byte)]

// OnPacket tells f of every packet from now on, in place of Options.OnPacket and
// as that says; nil tells nobody.
func (c *Client) OnPacket(f func(Packet)) {
	if f == nil {
		c.onPacket.Store(nil)
		return
	}
	tell := func(sent bool, at time.Time, packet []byte) { f(Packet{sent, at, packet}) }
	c.onPacket.Store(&tell)
}
