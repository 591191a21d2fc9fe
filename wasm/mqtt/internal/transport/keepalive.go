package transport

import (
	"context"
	"sync/atomic"
	"time"

	"mqttwasm/wasm/mqtt/internal/wire"
)

const (
	// probeTime is how long a broker may take to answer a Probe.
	probeTime = 5 * time.Second
	// lateTime is how late a timer is when the machine slept or was too busy to read.
	lateTime = time.Second
	// graceTime is how long input is still read before a connection is considered dead.
	graceTime = 100 * time.Millisecond
)

var pingreq = []byte{wire.TypePingreq << 4, 0}

// keepAlive knows when something was last sent and received, and matches PINGRESP with
// PINGREQ: they have no identifier, but arrive in the same order.
type keepAlive struct {
	now                    func() int64 // nanoseconds on a clock that goes on while the machine sleeps
	lastSent, lastReceived atomic.Int64 // when, by now

	// The rest is guarded by Conn.mu.
	asked, answered uint64 // PINGREQ written, PINGRESP received
	waiting         uint64 // PINGREQ in the outbox
	timed           *roundTrip
	probing         bool
}

// roundTrip is a PINGREQ that is timed.
type roundTrip struct {
	number uint64 // of the PINGREQ on its connection, from 1
	sent   int64  // 0: not yet
	took   time.Duration
	over   chan struct{} // closed when took is known
}

func newKeepAlive() keepAlive {
	start := time.Now()
	return keepAlive{now: func() int64 { return int64(time.Since(start)) + 1 }}
}

func (k *keepAlive) idleSince() int64 { return min(k.lastSent.Load(), k.lastReceived.Load()) }

// asking says that the PINGREQ packets in the outbox are about to be written. The
// caller holds Conn.mu.
func (k *keepAlive) asking() {
	k.asked += k.waiting
	k.waiting = 0
	if t := k.timed; t != nil && t.sent == 0 {
		t.sent = k.now()
	}
}

// pingAnswered takes PINGRESP.
func (c *Conn) pingAnswered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := &c.keep
	if k.answered == k.asked {
		return // not requested
	}
	k.answered++
	if t := k.timed; t != nil && t.number == k.answered {
		t.took = time.Duration(k.now() - t.sent)
		k.timed = nil
		close(t.over)
	}
}

// ping sends PINGREQ. The caller holds mu; the connection is open and running.
func (c *Conn) ping() error {
	if err := c.send(pingreq); err != nil {
		return err
	}
	c.keep.waiting++
	return nil
}

// Ping sends PINGREQ and returns how long PINGRESP took, as mqtt.Client.Ping says.
// While one is unanswered it sends no other.
func (c *Conn) Ping(ctx context.Context) (time.Duration, error) {
	t, err := c.timedPing()
	if err != nil {
		return 0, err
	}
	select {
	case <-t.over:
		return t.took, nil
	case <-c.ctx.Done():
		return 0, c.lost("ping")
	case <-ctx.Done():
		return 0, wire.ContextError(ctx, "ping")
	}
}

func (c *Conn) timedPing() (*roundTrip, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := &c.keep
	switch {
	case c.phase != open || c.state != running:
		return nil, wire.NoConnection()
	case k.timed != nil:
		return k.timed, nil
	}
	if err := c.ping(); err != nil {
		return nil, err
	}
	k.timed = &roundTrip{number: k.asked + k.waiting, over: make(chan struct{})}
	return k.timed, nil
}

// Probe sends PINGREQ, and ends the connection when nothing arrives within 5 seconds. It
// does not wait, and does nothing before CONNACK or while another one is in progress.
func (c *Conn) Probe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keep.probing || c.phase != open || c.state != running {
		return
	}
	c.keep.probing = true
	c.wg.Go(func() {
		if alive, ok := c.ask(probeTime); ok && !alive {
			c.end(explained, wire.NewError(wire.Network, "nothing came from the broker within %v of a PINGREQ", probeTime))
		}
		c.mu.Lock()
		c.keep.probing = false
		c.mu.Unlock()
	})
}

// runKeepAlive sends PINGREQ when nothing was sent [MQTT-3.1.2-20] or received for the
// keep-alive time, and gives the broker half that time again to send anything. So a dead
// connection is noticed within 1.5 times the keep-alive time; if bytes are waiting to be
// sent, that counts from the last that left.
//
// The time that the machine slept must not count as silence: a timer that fires late
// starts the wait anew, and input that piled up is read first.
func (c *Conn) runKeepAlive(interval time.Duration) {
	for {
		idle := c.keep.idleSince()
		late, ok := c.wait(idle + int64(interval))
		if !ok {
			return
		}
		if !late && c.keep.idleSince() > idle {
			continue
		}
		alive, ok := c.ask(interval / 2)
		if !ok {
			return
		}
		if !alive {
			c.end(explained, wire.NewError(wire.Network, "keep alive: nothing came from the broker for %v", interval+interval/2))
			return
		}
	}
}

// A Sender is a connection that knows how many of the bytes written have been sent.
type Sender interface {
	// Sent returns how many bytes have left, and how many wait to be sent.
	Sent() (left, waiting int)
}

// sent returns what the connection reports, or zeros if it is no Sender.
func (c *Conn) sent() (left, waiting int) {
	if s, ok := c.cfg.Conn.(Sender); ok {
		return s.Sent()
	}
	return 0, 0
}

// ask sends PINGREQ and reports whether anything arrives in time. If the machine slept,
// or PINGREQ waits behind bytes that are still leaving, it reports true. ok is false when
// the connection ends meanwhile.
func (c *Conn) ask(patience time.Duration) (alive, ok bool) {
	asked := c.keep.now()
	left, waiting := c.sent()
	c.mu.Lock()
	if c.state != running {
		c.mu.Unlock()
		return false, false
	}
	var err error
	if c.keep.waiting == 0 { // else a PINGREQ waits to be written
		err = c.ping()
	}
	c.mu.Unlock()
	if err != nil {
		c.fail(err, 0)
		return false, false
	}
	late, ok := c.wait(asked + int64(patience))
	if ok && !late {
		_, ok = c.wait(c.keep.now() + int64(graceTime))
	}
	if now, _ := c.sent(); waiting > 0 && now > left {
		return true, ok
	}
	return late || c.keep.lastReceived.Load() >= asked, ok
}

// wait waits until the given time. late reports that the timer fired much later; ok is
// false when the connection closes meanwhile.
func (c *Conn) wait(until int64) (late, ok bool) {
	select {
	case <-c.ctx.Done():
		return false, false
	case <-time.After(time.Duration(until - c.keep.now())):
		return c.keep.now()-until > int64(lateTime), true
	}
}
