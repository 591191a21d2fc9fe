package transport

import (
	"io"
	"time"

	"mqttwasm/wasm/mqtt/internal/wire"
)

const (
	// frameSize is how many bytes of packets go into one Write, for a frame costs a browser
	// as much as a hundred small packets. It is what wsconn hands over at a time.
	frameSize = 64 << 10
	// maxControl bounds what a broker that sends and never reads can make us hold.
	maxControl = 64 << 10 // bytes
	// controlOverhead is about what a packet in the outbox takes besides its bytes.
	controlOverhead = 48 // bytes
)

// output is the state that only the writer uses.
type output struct {
	packets [][]byte
	joined  []byte
}

// write is the writer.
func (c *Conn) write() {
	if err := c.writeAll(); err != nil {
		c.end(writeFailed, c.networkError(err))
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeLocked()
}

// writeAll writes until the last packet is written, or the connection closes.
func (c *Conn) writeAll() error {
	if _, err := c.writeOnce(c.cfg.Connect); err != nil {
		return err
	}
	c.cfg.Connect = nil // it may hold a password, and a will
	for {
		turn := c.takeTurn()
		if turn.over {
			return nil
		}
		packets := c.out.packets[:0]
		packets = append(packets, turn.control...)
		control := totalSize(packets)
		if turn.source && control < frameSize {
			packets = c.cfg.Source.Next(packets, frameSize-control)
		}
		if len(packets) == 0 {
			if turn.last != nil {
				_, err := c.writeOnce(turn.last)
				return err
			}
			select {
			case <-c.work:
			case <-c.ctx.Done():
			}
			continue
		}
		n, err := c.writeJoined(packets)
		if len(packets) > len(turn.control) {
			c.cfg.Source.Written(max(0, n-control))
		}
		clear(packets) // so that no large one is held until it is overwritten
		c.out.packets = packets[:0]
		if err != nil {
			return err
		}
	}
}

// turn is what the writer does next.
type turn struct {
	control [][]byte // written first
	source  bool     // then what the Source has
	last    []byte   // when there is neither, this, and nothing after it
	over    bool
}

func (c *Conn) takeTurn() (t turn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.over, t.last = c.state == closing, c.last
	if t.over || c.last != nil && c.flushUntil.IsZero() {
		return t
	}
	t.control = c.control
	c.control, c.controlled = nil, 0
	c.keep.asking()
	t.source = c.phase == open && (c.last == nil || time.Now().Before(c.flushUntil))
	return t
}

// send puts a control packet into the outbox. It does not block. With PacketTooLarge it
// did nothing. The caller holds mu; the connection is running.
func (c *Conn) send(packet []byte) error {
	if c.maximum > 0 && len(packet) > c.maximum { // [MQTT-3.2.2-15]
		return wire.Violation(wire.ReasonPacketTooLarge, "%s would have %d bytes; the broker's Maximum Packet Size is %d",
			wire.TypeName(packet[0]>>4), len(packet), c.maximum)
	}
	if c.controlled > maxControl {
		e := wire.Violation(wire.ReasonQuotaExceeded, "the broker reads nothing, and more than %d bytes wait to be sent to it", maxControl)
		c.endLocked(explained, e, wire.EncodeDisconnect(e.Reason, nil))
		return e
	}
	c.control = append(c.control, packet)
	c.controlled += len(packet) + controlOverhead
	c.Wake()
	return nil
}

// writeJoined writes packets in order, small ones together, others on their own. It
// returns how many of their bytes the connection took.
func (c *Conn) writeJoined(packets [][]byte) (taken int, err error) {
	for len(packets) > 0 {
		n, size := 1, len(packets[0])
		for ; n < len(packets) && size+len(packets[n]) <= frameSize; n++ {
			size += len(packets[n])
		}
		b := packets[0]
		if n > 1 {
			if most := min(frameSize, totalSize(packets)); cap(c.out.joined) < most {
				c.out.joined = make([]byte, 0, most)
			}
			b = c.out.joined[:0]
			for _, p := range packets[:n] {
				b = append(b, p...)
			}
		}
		written, err := c.writeOnce(b)
		if taken += written; err != nil {
			return taken, err
		}
		packets = packets[n:]
	}
	return taken, nil
}

// writeOnce is the only place that writes.
func (c *Conn) writeOnce(b []byte) (int, error) {
	c.keep.lastSent.Store(c.keep.now())
	n, err := c.cfg.Conn.Write(b)
	if n < len(b) && err == nil {
		err = io.ErrShortWrite
	}
	c.trace(true, b[:n])
	return n, err
}

func totalSize(packets [][]byte) (n int) {
	for _, p := range packets {
		n += len(p)
	}
	return n
}
