package mqtt

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// readSize is the first size of the read buffer, and how much room a read gets.
const readSize = 32 << 10

// link is the connection as paho sees it. On the way in it checks every packet
// and takes the PUBLISH packets and their answers for itself, since paho's
// general decoder costs a dozen allocations for each; what is left, paho
// reads here. On the way out it is the net.Conn, whose Lock and Unlock make
// a packet one write.
type link struct {
	net.Conn
	sync.Locker

	limit     int                                      // Maximum Packet Size that we announced, bytes
	onPublish func(p *publishPacket, at float64) error // must keep neither the packet nor its slices
	onAnswer  func(p answerPacket) error               // nor here
	auth      *authentication
	pinger    *pinger
	aliases   *sentAliases // nil: topics are sent as they are
	onPacket  *onPacket
	written   []byte // since Lock, for onPacket

	connect []byte // to be sent in place of the first packet that paho writes
	replace bool   // what paho writes is not sent, until Unlock
	midway  bool   // of a packet that is being written
	shown   bool   // and onPacket is to hear of it
	last    bool   // and it is DISCONNECT
	said    bool   // DISCONNECT was written

	buf       []byte  // bytes read and not yet consumed
	start     int     // of the next packet in buf
	at        float64 // of the last read, milliseconds since 1970; the clock is not looked at for each packet
	publish   publishPacket
	forPaho   []byte // a checked packet, or its rest
	connected bool   // CONNACK was seen; the reader writes it, holding mu

	mu       sync.Mutex
	cause    *Error        // why the link ended, when we know better than the conn
	replies  []byte        // acknowledgements that wait to be written
	replying chan struct{} // closed when the goroutine that writes them has done so
}

func newLink(conn net.Conn, limit int) *link {
	locker, ok := conn.(sync.Locker)
	if !ok {
		conn = packets.NewThreadSafeConn(conn)
		locker = conn.(sync.Locker)
	}
	return &link{Conn: conn, Locker: locker, limit: limit, buf: make([]byte, 0, readSize),
		auth: &authentication{}, pinger: newPinger(), onPacket: &onPacket{}}
}

// errGoodbye says that nothing was sent because DISCONNECT was.
var errGoodbye = errors.New("DISCONNECT was sent")

// Write sends what paho writes, or in place of its first packet our own.
func (l *link) Write(p []byte) (int, error) {
	if l.said { // [MQTT-3.14.4-1]
		return 0, errGoodbye
	}
	if !l.midway {
		l.midway, l.last = true, len(p) > 0 && p[0]>>4 == disconnect
		l.shown = l.onPacket.Load() != nil // whole packets only
	}
	if frame := l.connect; frame != nil {
		l.connect, l.replace = nil, true
		if _, err := l.send(frame); err != nil {
			return 0, err
		}
	}
	if l.replace {
		return len(p), nil
	}
	return l.send(p)
}

// Unlock ends a packet.
func (l *link) Unlock() {
	l.showWritten()
	l.said = l.last
	l.replace, l.midway = false, false
	l.Locker.Unlock()
}

// Read hands paho the next bytes of the packets that are left to it.
func (l *link) Read(p []byte) (int, error) {
	for len(l.forPaho) == 0 {
		if err := l.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, l.forPaho)
	l.forPaho = l.forPaho[n:]
	return n, nil
}

// next reads one packet, checks it, and leaves it in forPaho or consumes it.
func (l *link) next() error {
	header, body, raw, err := l.packet()
	if err == nil {
		l.show(raw)
		switch header >> 4 {
		case publish:
			p := &l.publish
			if !plainPublish(header, body, p) {
				*p, err = parsePublish(header, body)
			}
			if err == nil {
				err = l.onPublish(p, l.at)
			}
		case puback, pubrec, pubrel, pubcomp:
			var p answerPacket
			if p, err = parseAnswer(header>>4, body); err == nil {
				err = l.onAnswer(p)
			}
		case auth:
			var p authPacket
			if p, err = parseAuth(body); err == nil {
				err = l.auth.received(p)
			}
		default:
			if err = checkPacket(header, body); err == nil {
				err = l.give(header, body, raw)
			}
		}
	}
	if err == nil {
		return nil
	}
	return l.fail(err)
}

// give leaves a packet for paho to read.
func (l *link) give(header byte, body, raw []byte) error {
	l.forPaho = raw
	switch kind := header >> 4; {
	case kind == connack && body[1] == reasonNormal:
		l.mu.Lock()
		l.connected = true
		l.mu.Unlock()
		r := reader{rest: body[2:]}
		return l.auth.accepted(r.take(r.varint()))
	case len(body) == 0 && kind == disconnect:
		l.forPaho = []byte{header, 1, reasonNormal} // paho insists on a reason code
	}
	return nil
}

// admit looks at the first byte of a packet, before there is more: what is no
// MQTT at all must not make us wait for the length it seems to announce.
func (l *link) admit(header byte) error {
	kind := header >> 4
	switch {
	case kind == auth && l.auth.calls == nil: // [MQTT-4.12.0-6]
		return violation(reasonBadAuthMethod, "the broker asks for enhanced authentication; give the options an authenticator")
	case kind == connack && l.connected: // 3.2
		return violation(reasonProtocolError, "a second CONNACK")
	case !l.connected && kind != connack && kind != disconnect && kind != auth: // [MQTT-3.2.0-1]
		return violation(reasonProtocolError, "the answer to CONNECT is not CONNACK; is this an MQTT 5 broker?")
	}
	return checkHeader(header)
}

// packet returns the next packet, whole. The buffer grows with what arrives,
// not with what is announced.
func (l *link) packet() (header byte, body, raw []byte, err error) {
	for {
		have := l.buf[l.start:]
		// The same as below for what a flood consists of.
		if len(have) > 1 && have[0]>>4 == publish && have[1] < 0x80 && l.connected {
			if total := 2 + int(have[1]); total <= len(have) && total <= l.limit {
				l.start += total
				return have[0], have[2:total], have[:total], nil
			}
		}
		if len(have) > 0 {
			if err := l.admit(have[0]); err != nil {
				return 0, nil, nil, err
			}
			length, size, ok, bad := parseVarint(have[1:])
			if bad != nil {
				return 0, nil, nil, bad
			}
			if ok {
				total := 1 + size + length
				if total > l.limit { // [MQTT-3.1.2-24]
					return 0, nil, nil, violation(reasonPacketTooLarge,
						"a packet of %d bytes, more than the Maximum Packet Size of %d", total, l.limit)
				}
				if len(have) >= total {
					l.start += total
					return have[0], have[1+size : total], have[:total], nil
				}
			}
		}
		if err := l.fill(); err != nil {
			return 0, nil, nil, err
		}
	}
}

func (l *link) fill() error {
	if l.start > 0 {
		l.buf = l.buf[:copy(l.buf, l.buf[l.start:])]
		l.start = 0
		if len(l.buf) == 0 && cap(l.buf) > 4*readSize {
			l.buf = make([]byte, 0, readSize)
		}
	}
	if cap(l.buf)-len(l.buf) < readSize/2 {
		l.buf = append(make([]byte, 0, 2*cap(l.buf)), l.buf...)
	}
	n, err := l.Conn.Read(l.buf[len(l.buf):cap(l.buf)])
	l.buf = l.buf[:len(l.buf)+n]
	if n > 0 {
		l.at = milliseconds(time.Now())
		l.pinger.PacketReceived() // a part is enough: on a slow link a packet takes longer than the keep-alive time
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// fail tells the broker why, where we are the ones who end it, and remembers.
func (l *link) fail(err error) error {
	var typed *Error
	if !errors.As(err, &typed) {
		return err
	}
	first := l.remember(typed)
	l.mu.Lock()
	connected := l.connected
	l.mu.Unlock()
	if first && connected {
		l.farewell(func() { _ = l.writeOnce([]byte{disconnect << 4, 1, farewellReason(typed)}) })
	}
	return typed
}

// remember keeps why the link ended, and tells whether nothing was known before.
func (l *link) remember(cause *Error) (first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause != nil {
		return false
	}
	l.cause = cause
	return true
}

// farewellTime is how long a last packet may take on a link that may be stuck.
const farewellTime = time.Second

// farewell waits until f has written its packet, but not longer than
// farewellTime.
func (l *link) farewell(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	timer := time.NewTimer(farewellTime)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		_ = l.Close() // frees the writer
	}
}

// endCause returns what is known better here than by the error paho got.
func (l *link) endCause() *Error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}

// maxReplies bounds what a broker can make us hold that asks and never reads.
const maxReplies = 1 << 20 // bytes

// reply queues acknowledgements. The goroutine that reads must not write: two
// ends that both wait for the other to read would wait for ever. Those that
// gather while one write is under way leave together.
func (l *link) reply(frame []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.replies) > maxReplies {
		go l.Close()
		return
	}
	l.replies = append(l.replies, frame...)
	if l.replying == nil {
		l.replying = make(chan struct{})
		go l.writeReplies()
	}
}

func (l *link) writeReplies() {
	for {
		l.mu.Lock()
		frame := l.replies
		l.replies = nil
		if len(frame) == 0 {
			close(l.replying)
			l.replying = nil
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		_ = l.writeOnce(frame) // a failed write shows as the end of the connection
	}
}

// flushReplies waits until no acknowledgement is left to be written.
func (l *link) flushReplies() {
	l.mu.Lock()
	replying := l.replying
	l.mu.Unlock()
	if replying != nil {
		<-replying
	}
}

// writeOnce sends b in one write of its own.
func (l *link) writeOnce(b []byte) error {
	l.Lock()
	defer l.Unlock()
	l.pinger.PacketSent()
	_, err := l.Write(b)
	return err
}
