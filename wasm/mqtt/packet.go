package mqtt

import (
	"bytes"
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
type onPacket = atomic.Pointer[func(Packet)]

// OnPacket tells f of every packet from now on, in place of Options.OnPacket and
// as that says; nil tells nobody.
func (c *Client) OnPacket(f func(Packet)) {
	if f == nil {
		c.onPacket.Store(nil)
	} else {
		c.onPacket.Store(&f)
	}
}

// show tells who wants to know of a packet that came.
func (l *link) show(raw []byte) {
	if tell := l.onPacket.Load(); tell != nil {
		(*tell)(Packet{At: time.Now(), Bytes: bytes.Clone(raw)})
	}
}

// send writes, and remembers for showWritten.
func (l *link) send(p []byte) (int, error) {
	if l.shown {
		l.written = append(l.written, p...)
	}
	return l.Conn.Write(p)
}

// showWritten tells of the packets that one write held.
func (l *link) showWritten() {
	tell, rest := l.onPacket.Load(), l.written
	l.written = nil
	if tell == nil {
		return
	}
	for at := time.Now(); len(rest) > 1; {
		length, size, ok, bad := parseVarint(rest[1:])
		total := 1 + size + length
		if bad != nil || !ok || total > len(rest) {
			return // a write that failed half-way
		}
		(*tell)(Packet{Sent: true, At: at, Bytes: rest[:total]})
		rest = rest[total:]
	}
}
