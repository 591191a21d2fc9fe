package transport

import (
	"errors"
	"io"
	"math"
	"time"

	"mqttwasm/wasm/mqtt/internal/wire"
)

const (
	// readSize is the initial size of the read buffer, about what a read has room for.
	readSize = 32 << 10
	// largeSize is the size from which on a PUBLISH gets a buffer of its own.
	largeSize = 32 << 10
	// firstLarge is the initial size of that buffer.
	firstLarge = 64 << 10
	// peekSize is how much is read when the next payload may stay where it arrives.
	peekSize = 1 << 10
	// headroom is how many bytes of that buffer are before the topic's length.
	headroom = 16
)

// errEnded says that the connection ends, for a cause that is known already.
var errEnded = errors.New("the connection has ended")

// input is the state that only the reader uses.
type input struct {
	buf     []byte // read and not yet consumed
	start   int    // of the next packet in buf
	at      float64
	publish wire.Publish
	proved  int  // size of the largest buffer that the broker has filled
	peek    bool // the last packet's payload stayed where it arrived; the next one's may, too
}

// packet is a whole packet. Its slices are valid until the next one is read.
type packet struct {
	header byte
	body   []byte // what follows the fixed header
	raw    []byte // with it
	buffer []byte // of a large PUBLISH; see [wire.Publish]
	kept   *wire.Kept
}

// read is the reader.
func (c *Conn) read() {
	for {
		p, err := c.next()
		if err == nil {
			c.trace(false, p.raw)
			err = c.handle(p)
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, errEnded) {
			c.fail(err, 0)
		}
		return
	}
}

// next returns the next packet. The buffer grows with what arrives, not with
// what is announced.
func (c *Conn) next() (packet, error) {
	in := &c.in
	for {
		have := in.buf[in.start:]
		// A fast path for the packets of a flood.
		if len(have) > 1 && have[0]>>4 == wire.TypePublish && have[1] < 0x80 && c.phase == open {
			if total := 2 + int(have[1]); total <= len(have) && total <= c.cfg.MaximumPacketSize {
				in.start += total
				return packet{header: have[0], body: have[2:total], raw: have[:total]}, nil
			}
		}
		if len(have) > 0 {
			if err := c.checkType(have[0]); err != nil {
				return packet{}, err
			}
			length, size, ok, bad := wire.Varint(have[1:])
			if bad != nil {
				return packet{}, bad
			}
			total := 1 + size + length
			switch {
			case !ok:
			case total > c.cfg.MaximumPacketSize: // [MQTT-3.1.2-24]
				return packet{}, wire.Violation(wire.ReasonPacketTooLarge,
					"a packet of %d bytes, more than the Maximum Packet Size of %d", total, c.cfg.MaximumPacketSize)
			case total <= len(have):
				in.start += total
				return packet{header: have[0], body: have[1+size : total], raw: have[:total]}, nil
			case total > largeSize && have[0]>>4 == wire.TypePublish:
				if p, ok := c.nextKept(have, 1+size, total); ok {
					return p, nil
				}
				return c.nextLarge(have, 1+size, length)
			}
		}
		if err := c.fill(); err != nil {
			return packet{}, err
		}
	}
}

// A Keeper is a connection that can leave the payload of a PUBLISH where it arrived.
type Keeper interface {
	wire.Keeper
	// Keep leaves the next rest bytes, which end with a payload of that many bytes, where
	// they arrived, if it is in one piece. Its first bytes may have been read.
	Keep(rest, payload int) (handle int, ok bool)
}

// nextKept returns a PUBLISH whose payload stays where it arrived, if possible. have
// are its bytes so far, the first head of them its fixed header.
func (c *Conn) nextKept(have []byte, head, total int) (packet, bool) {
	keeper, ok := c.cfg.Conn.(Keeper)
	if !ok || c.cfg.OnPacket.Load() != nil {
		return packet{}, false
	}
	size, ok := wire.PublishHead(have[0], have[head:])
	payload := total - head - size
	if !ok || payload < largeSize {
		return packet{}, false
	}
	in := &c.in
	handle, ok := keeper.Keep(total-len(have), payload)
	if in.peek = ok; !ok {
		return packet{}, false
	}
	in.start += len(have)
	c.arrived()
	kept := &wire.Kept{Keeper: keeper, Handle: handle, Size: payload, Packet: total}
	return packet{header: have[0], body: have[head : head+size], kept: kept}, true
}

// nextLarge reads the rest of a PUBLISH into a buffer that is kept with its message, so
// that the payload is not copied. have and head are those of nextKept; length bytes follow
// the fixed header. The buffer grows to at most twice what has arrived, unless the broker
// has filled one as large before.
func (c *Conn) nextLarge(have []byte, head, length int) (packet, error) {
	in := &c.in
	start, end := headroom-head, headroom+length
	b := c.cfg.Buffer(min(end, max(firstLarge, in.proved, start+len(have))))
	b = append(b[:start], have...)
	header := have[0]
	in.buf, in.start = in.buf[:0], 0
	for len(b) < end {
		if len(b) == cap(b) {
			b = append(c.cfg.Buffer(min(end, 2*len(b))), b...)
		}
		n, err := c.readSome(b[len(b):min(cap(b), end)])
		if err != nil {
			return packet{}, err
		}
		b = b[:len(b)+n]
	}
	in.proved = max(in.proved, end)
	return packet{header: header, body: b[headroom:], raw: b[start:], buffer: b}, nil
}

// fill reads more into the buffer.
func (c *Conn) fill() error {
	in := &c.in
	if in.start > 0 {
		in.buf = in.buf[:copy(in.buf, in.buf[in.start:])]
		in.start = 0
	}
	if len(in.buf) == 0 && cap(in.buf) > 4*readSize {
		in.buf = make([]byte, 0, readSize)
	}
	if cap(in.buf)-len(in.buf) < readSize/2 {
		in.buf = append(make([]byte, 0, 2*cap(in.buf)), in.buf...)
	}
	room := in.buf[len(in.buf):cap(in.buf)]
	if in.peek {
		room, in.peek = room[:peekSize], false
	}
	n, err := c.readSome(room)
	in.buf = in.buf[:len(in.buf)+n]
	return err
}

// readSome reads at least one byte, or ends the connection.
func (c *Conn) readSome(b []byte) (int, error) {
	n, err := c.cfg.Conn.Read(b)
	if n > 0 { // the next read returns the error again
		c.arrived()
		return n, nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	c.end(readFailed, c.networkError(err))
	return 0, errEnded
}

// arrived notes when something was read. A part of a packet counts: on a slow link a
// whole one may take longer than the keep-alive time.
func (c *Conn) arrived() {
	c.in.at = float64(time.Now().UnixMicro()) / 1000
	c.keep.lastReceived.Store(c.keep.now())
}

// checkType checks the first byte of a packet before more is read: data that is not MQTT
// must not make the reader wait for the length it seems to announce.
func (c *Conn) checkType(header byte) error {
	switch kind := header >> 4; {
	case header == wire.TypeAuth<<4 && c.cfg.Authenticator == nil: // [MQTT-4.12.0-6]
		return wire.Violation(wire.ReasonBadAuthMethod, "the broker asks for enhanced authentication, for which the client has no options")
	case kind == wire.TypeConnack && c.phase != connecting: // 3.2
		return wire.Violation(wire.ReasonProtocolError, "a second CONNACK")
	case c.phase == connecting && kind != wire.TypeConnack && kind != wire.TypeDisconnect && kind != wire.TypeAuth: // [MQTT-3.2.0-1]
		return wire.Violation(wire.ReasonProtocolError, "the answer to CONNECT is not CONNACK; is this an MQTT 5 broker?")
	}
	return wire.CheckHeader(header)
}

// handle validates a packet and passes it on.
func (c *Conn) handle(p packet) error {
	switch kind := p.header >> 4; kind {
	case wire.TypePublish:
		m := &c.in.publish
		if err := wire.ParsePublish(p.header, p.body, m); err != nil {
			p.kept.Drop()
			return err
		}
		m.Buffer, m.Kept = p.buffer, p.kept
		err := c.cfg.Handler.Publish(m, c.in.at)
		if p.buffer != nil || p.kept != nil {
			*m = wire.Publish{} // the Handler owns it now
		}
		return err
	case wire.TypePuback, wire.TypePubrec, wire.TypePubrel, wire.TypePubcomp:
		a, err := wire.ParseAck(kind, p.body)
		if err != nil {
			return err
		}
		return c.cfg.Handler.Ack(a)
	case wire.TypeSuback, wire.TypeUnsuback:
		s, err := wire.ParseSuback(kind, p.body)
		if err != nil {
			return err
		}
		return c.cfg.Handler.Suback(s)
	case wire.TypePingresp:
		err := wire.CheckPingresp(p.body)
		if err == nil {
			c.pingAnswered()
		}
		return err
	case wire.TypeConnack:
		return c.accept(p.body)
	case wire.TypeAuth:
		a, err := wire.ParseAuth(p.body)
		if err != nil {
			return err
		}
		return c.authReceived(a)
	default: // checkType lets nothing through but DISCONNECT
		return c.disconnected(p.body)
	}
}

// accept takes CONNACK.
func (c *Conn) accept(body []byte) error {
	ack, err := wire.ParseConnack(body)
	if err != nil {
		return err
	}
	props := &ack.Properties
	if ack.Reason != wire.ReasonSuccess {
		e := wire.RefusedError("connect", ack.Reason, props.ReasonString)
		e.ServerReference = props.ServerReference
		return e
	}
	keepAlive := c.cfg.KeepAlive
	if props.ServerKeepAlive != nil { // [MQTT-3.1.2-21]
		keepAlive = time.Duration(*props.ServerKeepAlive) * time.Second
	}
	c.mu.Lock()
	c.phase = greeted
	c.maximum = int(min(wire.ValueOr(props.MaximumPacketSize, 0), math.MaxInt32))
	c.mu.Unlock()
	if err := c.authAccepted(props.AuthMethod, props.AuthData); err != nil {
		return err
	}
	if err := c.cfg.Handler.Connack(ack); err != nil {
		return err
	}
	c.mu.Lock()
	c.phase = open
	close(c.opened)
	c.mu.Unlock()
	c.Wake()
	if keepAlive > 0 {
		c.wg.Go(func() { c.runKeepAlive(keepAlive) })
	}
	return nil
}

// disconnected takes the broker's DISCONNECT.
func (c *Conn) disconnected(body []byte) error {
	d, err := wire.ParseDisconnect(body)
	if err != nil {
		return err
	}
	c.cfg.Handler.Disconnect(d)
	e := wire.NewError(wire.Disconnected, "the broker ended the connection: %s", wire.ReasonName(d.Reason))
	e.ReasonCode, e.ReasonString, e.ServerReference = d.Reason, d.ReasonString, d.ServerReference
	return e
}
