package mqtt

import (
	"bytes"
	"time"
)

// Packet is an MQTT packet as it crossed the wire.
type Packet struct {
	Sent  bool // by this client
	At    time.Time
	Bytes []byte // whole, from the fixed header on
}

// show tells who wants to know of a packet that came.
func (l *link) show(raw []byte) {
	if l.onPacket != nil {
		l.onPacket(Packet{At: time.Now(), Bytes: bytes.Clone(raw)})
	}
}

// send writes, and remembers for showWritten.
func (l *link) send(p []byte) (int, error) {
	if l.onPacket != nil {
		l.written = append(l.written, p...)
	}
	return l.Conn.Write(p)
}

// showWritten tells of the packets that one write held.
func (l *link) showWritten() {
	rest, at := l.written, time.Now()
	l.written = nil
	for len(rest) > 1 {
		length, size, ok, bad := parseVarint(rest[1:])
		total := 1 + size + length
		if bad != nil || !ok || total > len(rest) {
			return // a write that failed half-way
		}
		l.onPacket(Packet{Sent: true, At: at, Bytes: rest[:total]})
		rest = rest[total:]
	}
}
