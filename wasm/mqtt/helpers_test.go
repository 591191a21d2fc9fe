package mqtt

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

var background = context.Background()

func wantCode(t *testing.T, err error, code Code, field string) Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want an *Error with code %s", err, code)
	}
	if e.Code != code || e.Field != field {
		t.Fatalf("got code %s, field %q (%v), want %s, %q", e.Code, e.Field, err, code, field)
	}
	if field != "" && !strings.Contains(e.Message, field) {
		t.Errorf("the message %q does not name the field %s", e.Message, field)
	}
	return *e
}

// untilWake is a back-off that only Wake ends. An hour is too short: the wait is a
// random part of it, and tests sleep for minutes.
const untilWake = 10 * 365 * 24 * time.Hour

// away starts a client whose connection broke, and which waits for Wake before it
// reconnects.
func away(t *testing.T, change func(*Options)) (*Client, *scripted, eventLog) {
	t.Helper()
	c, s, b, log := start(t, func(o *Options) {
		o.ReconnectMin, o.ReconnectMax = untilWake, untilWake
		o.SessionExpiry = 10 * time.Hour
		if change != nil {
			change(o)
		}
	})
	b.Close()
	wait[Reconnecting](log)
	return c, s, log
}

func wantTopics(t *testing.T, b *brokerConn, topics ...string) {
	t.Helper()
	for _, topic := range topics {
		if p := publishOf(t, b.read()); p.Topic != topic || p.Duplicate {
			t.Fatalf("got %v, want %s", p, topic)
		}
	}
}

func wantNil(t *testing.T, outcomes ...<-chan error) {
	t.Helper()
	for i, ch := range outcomes {
		if err := <-ch; err != nil {
			t.Errorf("publish %d: %v", i, err)
		}
	}
}

// publishAsync publishes, and returns a channel for the outcome.
func publishAsync(c *Client, m Message) <-chan error {
	ch := make(chan error, 1)
	c.PublishAsync(&m, PublishOptions{OnSettled: func(_ PublishResult, err error) { ch <- err }})
	return ch
}

func publishOf(t *testing.T, p *packets.ControlPacket) *packets.Publish {
	t.Helper()
	if p == nil || p.Type != packets.PUBLISH {
		t.Fatalf("got %v, want PUBLISH", p)
	}
	return p.Content.(*packets.Publish)
}

func receiveOne(t *testing.T, c *Client) (Message, *Batch) {
	t.Helper()
	batch, err := c.Receive(background)
	if err != nil || batch.Count != 1 {
		t.Fatalf("batch %+v, %v", batch, err)
	}
	for m := range batch.Messages() {
		return m, batch
	}
	panic("empty batch")
}

func storeAsync(c *Client, m Message) <-chan error {
	ch := make(chan error, 1)
	c.PublishAsync(&m, PublishOptions{Stored: true, OnSettled: func(_ PublishResult, err error) { ch <- err }})
	return ch
}

// idle returns a channel that is closed when nothing is queued, in flight or being
// stored.
func idle(c *Client) <-chan struct{} {
	ch := make(chan struct{})
	go func() {
		defer close(ch)
		for over := false; !over; {
			runtime.Gosched()
			c.mu.Lock()
			over = c.session.Idle() || c.ctx.Err() != nil
			c.mu.Unlock()
		}
	}()
	return ch
}

// answerFrame encodes an acknowledgement, with or without a reason code.
func answerFrame(header byte, id uint16, reason ...byte) []byte {
	return append([]byte{header, byte(2 + len(reason)), byte(id >> 8), byte(id)}, reason...)
}

// pending counts messages that are not settled.
type pending struct {
	mu   sync.Mutex
	n    int
	zero chan struct{}
}

func (p *pending) add() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
}

func (p *pending) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n--; p.n == 0 && p.zero != nil {
		close(p.zero)
		p.zero = nil
	}
}

// idle returns a channel that is closed when nothing is pending.
func (p *pending) idle() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n == 0 {
		closed := make(chan struct{})
		close(closed)
		return closed
	}
	if p.zero == nil {
		p.zero = make(chan struct{})
	}
	return p.zero
}

func init() { firstPacketID = func() uint16 { return 0 } } // packet identifiers start at 1 in tests

// reasonsOf lists the reason codes that a broker may send in a packet of this type.
func reasonsOf(kind byte) (list []byte) {
	for code := range 256 {
		if wire.ValidReason(kind, byte(code)) {
			list = append(list, byte(code))
		}
	}
	return list
}
