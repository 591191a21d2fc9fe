package mqtt

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/paho/log"
)

// pinger keeps the connection alive and finds out when it is dead: it sends
// PINGREQ when for the keep-alive time nothing was sent [MQTT-3.1.2-20] or
// nothing came, and gives the link half that time again to bring anything. So a
// dead link is noticed within 1.5 times the keep-alive time.
//
// A machine that slept must not take the time it slept for silence: a timer
// that fires late starts the wait anew, and input that piled up is read first.
type pinger struct {
	lastSent, lastReceived atomic.Int64 // when, by now
	now                    func() int64 // nanoseconds on a clock that goes on while the machine sleeps

	// Answers bear no name, but come in the order of the questions: the nth
	// PINGRESP is for the nth PINGREQ.
	mu              sync.Mutex
	asked, answered uint64     // PINGREQ sent, PINGRESP received
	timed           *roundTrip // nil while nobody waits for one
}

// roundTrip is a PINGREQ and, when it has come, its PINGRESP.
type roundTrip struct {
	number uint64 // of the PINGREQ on its connection, from 1; 0 until it is sent
	sent   int64
	took   time.Duration
	over   chan struct{} // closed when took is known
}

const (
	// A timer this late means that the machine slept or was too busy to read.
	pingerLate = time.Second
	// Before a link is called dead, what has arrived is read for this long.
	pingerGrace = 100 * time.Millisecond
)

var pingFrame = []byte{0xC0, 0}

func newPinger() *pinger {
	start := time.Now()
	return &pinger{now: func() int64 { return int64(time.Since(start)) }}
}

func (p *pinger) PacketSent()     { p.lastSent.Store(p.now()) }
func (p *pinger) PacketReceived() { p.lastReceived.Store(p.now()) }

// PingResp is called by paho when PINGRESP came.
func (p *pinger) PingResp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answered == p.asked {
		return // nobody asked
	}
	p.answered++
	if t := p.timed; t != nil && t.number == p.answered {
		t.took = time.Duration(p.now() - t.sent)
		p.timed = nil
		close(t.over)
	}
}

// measure sends a PINGREQ whose answer is timed, or joins the one under way. A
// broker that does not answer is not asked again.
func (p *pinger) measure(conn net.Conn) *roundTrip {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timed == nil {
		p.timed = &roundTrip{over: make(chan struct{})}
		go p.ping(conn, p.timed)
	}
	return p.timed
}

// Run is called by paho with the keep-alive time in force, in seconds.
func (p *pinger) Run(ctx context.Context, conn net.Conn, keepAlive uint16) error {
	if keepAlive == 0 {
		return nil
	}
	interval := time.Duration(keepAlive) * time.Second
	p.PacketSent()
	p.PacketReceived()
	for {
		idle := p.idleSince()
		late, ok := p.wait(ctx, idle+int64(interval))
		if !ok {
			return nil
		}
		if !late && p.idleSince() > idle {
			continue
		}
		answered, ok := p.ask(ctx, conn, interval/2)
		if !ok {
			return nil
		}
		if !answered {
			dead := newError(Network, "keep alive: nothing came from the broker for %v", interval+interval/2)
			if l, ok := conn.(*link); ok {
				l.remember(dead) // paho may tell that the link was closed before it tells why
			}
			return dead
		}
	}
}

// ask sends PINGREQ and waits whether anything comes. A machine that slept gets
// the benefit of the doubt. ok is false when ctx is done.
func (p *pinger) ask(ctx context.Context, conn net.Conn, patience time.Duration) (answered, ok bool) {
	asked := p.now()
	go p.ping(conn, nil) // a write may block as long as the link is stuck
	late, ok := p.wait(ctx, asked+int64(patience))
	if ok && !late {
		_, ok = p.wait(ctx, p.now()+int64(pingerGrace))
	}
	return late || p.lastReceived.Load() >= asked, ok
}

func (p *pinger) idleSince() int64 { return min(p.lastSent.Load(), p.lastReceived.Load()) }

// ping sends PINGREQ. It counts when its turn to be written has come, so that
// the count is of the order on the wire.
func (p *pinger) ping(conn net.Conn, t *roundTrip) {
	l, ok := conn.(*link)
	if !ok {
		return
	}
	l.Lock()
	defer l.Unlock()
	p.PacketSent()
	p.mu.Lock()
	p.asked++
	if t != nil {
		t.number, t.sent = p.asked, p.now()
	}
	p.mu.Unlock()
	_, _ = l.Write(pingFrame) // a failed write shows as the end of the connection
}

// wait sleeps until the given time. late tells that the timer fired much after
// it; ok is false when ctx is done.
func (p *pinger) wait(ctx context.Context, until int64) (late, ok bool) {
	timer := time.NewTimer(time.Duration(until - p.now()))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false, false
	case <-timer.C:
		return p.now()-until > int64(pingerLate), true
	}
}

func (p *pinger) SetDebug(log.Logger) {}
