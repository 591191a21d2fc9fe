package mqtt

import (
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
)

// The regress_*_test.go files test faults that the core had before it was rewritten
// (commit 8fbf773). Each comment says what went wrong.

func (b *brokerConn) suback(id uint16, reasons ...byte) {
	b.send(append([]byte{0x90, byte(3 + len(reasons)), byte(id >> 8), byte(id), 0}, reasons...)...)
}

func (b *brokerConn) unsuback(id uint16, reasons ...byte) {
	b.send(append([]byte{0xB0, byte(3 + len(reasons)), byte(id >> 8), byte(id), 0}, reasons...)...)
}

func (b *brokerConn) puback(id uint16) { b.send(answerFrame(0x40, id)...) }

// silent reports whether the client has nothing more to send for now. It needs a
// synctest bubble.
func (b *brokerConn) silent() bool {
	synctest.Wait()
	return len(b.Conn.(*mqtttest.End).Unread()) == 0
}

// wantSubscribe reads a SUBSCRIBE for these filters.
func wantSubscribe(t *testing.T, b *brokerConn, filters ...string) *packets.Subscribe {
	t.Helper()
	p := b.read()
	if p == nil || p.Type != packets.SUBSCRIBE {
		t.Fatalf("got %v, want SUBSCRIBE %q", p, filters)
	}
	s := p.Content.(*packets.Subscribe)
	var got []string
	for _, o := range s.Subscriptions {
		got = append(got, o.Topic)
	}
	if !slices.Equal(got, filters) {
		t.Fatalf("SUBSCRIBE %q, want %q", got, filters)
	}
	return s
}

// wantUnsubscribe reads an UNSUBSCRIBE for these filters.
func wantUnsubscribe(t *testing.T, b *brokerConn, filters ...string) *packets.Unsubscribe {
	t.Helper()
	p := b.read()
	if p == nil || p.Type != packets.UNSUBSCRIBE {
		t.Fatalf("got %v, want UNSUBSCRIBE %q", p, filters)
	}
	u := p.Content.(*packets.Unsubscribe)
	if !slices.Equal(u.Topics, filters) {
		t.Fatalf("UNSUBSCRIBE %q, want %q", u.Topics, filters)
	}
	return u
}

// subscribe subscribes at QoS 1, and the broker grants it.
func subscribe(t *testing.T, c *Client, b *brokerConn, filters ...string) {
	t.Helper()
	var subs []Subscription
	for _, f := range filters {
		subs = append(subs, Subscription{Filter: f, QoS: 1})
	}
	err := subscribing(c, subs...)
	b.suback(wantSubscribe(t, b, filters...).PacketID, slices.Repeat([]byte{1}, len(filters))...)
	if err := <-err; err != nil {
		t.Fatal(err)
	}
}

// subscribing subscribes in the background.
func subscribing(c *Client, subs ...Subscription) <-chan error {
	ch := make(chan error, 1)
	go func() {
		_, err := c.Subscribe(background, subs, SubscribeOptions{})
		ch <- err
	}()
	return ch
}

func unsubscribing(c *Client, filters ...string) <-chan error {
	ch := make(chan error, 1)
	go func() {
		_, err := c.Unsubscribe(background, filters, nil)
		ch <- err
	}()
	return ch
}

// again breaks a connection and accepts the next one.
func again(t *testing.T, s *scripted, b *brokerConn, sessionPresent byte, props ...byte) *brokerConn {
	t.Helper()
	b.Close()
	b = s.next()
	b.accept(sessionPresent, props...)
	return b
}

// seen removes all events from the log, and returns those of type E. It needs a
// synctest bubble.
func seen[E Event](l eventLog) (list []E) {
	synctest.Wait()
	for {
		select {
		case ev := <-l:
			if e, ok := ev.(E); ok {
				list = append(list, e)
			}
		default:
			return list
		}
	}
}

// stuckConn is a connection whose peer stops reading. After stick it takes fit more
// bytes, then Write blocks until Close. Close takes a second, like that of a WebSocket
// whose peer is silent.
type stuckConn struct {
	net.Conn
	mu     sync.Mutex
	stuck  bool
	fit    int
	once   sync.Once
	closed chan struct{}
}

func newStuckConn(conn net.Conn) *stuckConn {
	return &stuckConn{Conn: conn, closed: make(chan struct{})}
}

func (c *stuckConn) stick(fit int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stuck, c.fit = true, fit
}

func (c *stuckConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	n := len(p)
	if c.stuck {
		n = min(n, c.fit)
		c.fit -= n
	}
	c.mu.Unlock()
	taken, err := c.Conn.Write(p[:n])
	if err == nil && n < len(p) {
		<-c.closed
		err = net.ErrClosed
	}
	return taken, err
}

func (c *stuckConn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		time.Sleep(time.Second)
		_ = c.Conn.Close()
	})
	return nil
}

// deliver sends a QoS 1 message.
func (b *brokerConn) deliver(topic string, id byte) {
	body := append([]byte{0, byte(len(topic))}, topic...)
	body = append(body, 0, id, 0)
	b.send(append([]byte{0x32, byte(len(body))}, body...)...)
}

// subscribeEach subscribes to filters, each with its own identifier.
func subscribeEach(c *Client, filters ...string) <-chan subscribed {
	subs := make([]Subscription, len(filters))
	for i, f := range filters {
		subs[i] = Subscription{Filter: f, Identifier: i + 1}
	}
	done := make(chan subscribed, 1)
	go func() {
		r, err := c.Subscribe(background, subs, SubscribeOptions{})
		done <- subscribed{r, err}
	}()
	return done
}

type subscribed struct {
	r   SubscribeResult
	err error
}
