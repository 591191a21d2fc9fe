package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
	"mqttwasm/wasm/mqtt/internal/wire"
)

var (
	background   = context.Background()
	connectFrame = wire.EncodeConnect(&packets.Connect{ClientID: "test", CleanStart: true})
	message      = []byte{0x32, 6, 0, 1, 'a', 0, 1, 0} // QoS 1, packet identifier 1
)

// recorder is a Handler that records what it gets, and fails where its fields say so.
type recorder struct {
	mu        sync.Mutex
	connacks  []*wire.Connack
	published []wire.Publish
	at        []float64
	acks      []wire.Ack
	subacks   []*wire.Suback
	goodbyes  []*wire.Disconnect

	onConnack func() error
	onPublish func(*wire.Publish) error
	onAck     func() error
	onSuback  func() error
}

func (r *recorder) Connack(c *wire.Connack) error {
	r.mu.Lock()
	r.connacks = append(r.connacks, c)
	r.mu.Unlock()
	if r.onConnack != nil {
		return r.onConnack()
	}
	return nil
}

func (r *recorder) Publish(p *wire.Publish, at float64) error {
	kept := *p
	if p.Buffer == nil {
		kept.Topic, kept.Properties, kept.Payload = bytes.Clone(p.Topic), bytes.Clone(p.Properties), bytes.Clone(p.Payload)
	}
	r.mu.Lock()
	r.published, r.at = append(r.published, kept), append(r.at, at)
	r.mu.Unlock()
	if r.onPublish != nil {
		return r.onPublish(p)
	}
	return nil
}

func (r *recorder) Ack(a wire.Ack) error {
	a.Properties = bytes.Clone(a.Properties)
	r.mu.Lock()
	r.acks = append(r.acks, a)
	r.mu.Unlock()
	if r.onAck != nil {
		return r.onAck()
	}
	return nil
}

func (r *recorder) Suback(s *wire.Suback) error {
	r.mu.Lock()
	r.subacks = append(r.subacks, s)
	r.mu.Unlock()
	if r.onSuback != nil {
		return r.onSuback()
	}
	return nil
}

func (r *recorder) Disconnect(d *wire.Disconnect) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.goodbyes = append(r.goodbyes, d)
}

func (r *recorder) messages() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.published)
}

// queue is a Source of packets that a test adds.
type queue struct {
	mu      sync.Mutex
	waiting [][]byte
	handed  int // bytes returned since Written
	written []int
	maxima  []int
	failed  bool
	late    int // calls after a failed write
}

func (q *queue) put(packets ...[]byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, packets...)
}

func (q *queue) Next(dst [][]byte, max int) [][]byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.failed {
		q.late++
	}
	if len(q.waiting) > 0 {
		q.maxima = append(q.maxima, max)
	}
	for size := 0; len(q.waiting) > 0 && (size == 0 || size+len(q.waiting[0]) <= max); q.waiting = q.waiting[1:] {
		size += len(q.waiting[0])
		q.handed += len(q.waiting[0])
		dst = append(dst, q.waiting[0])
	}
	return dst
}

func (q *queue) Written(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.written = append(q.written, n)
	if q.failed {
		q.late++
	}
	q.failed = n < q.handed
	q.handed = 0
}

// broker is the other end of a connection. It does, byte by byte, what a test tells it
// to.
type broker struct {
	net.Conn
	t *testing.T
}

func (b *broker) send(bytes ...byte) {
	b.t.Helper()
	if _, err := b.Write(bytes); err != nil {
		b.t.Errorf("broker: write: %v", err)
	}
}

// expect reads exactly these bytes.
func (b *broker) expect(want ...byte) {
	b.t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(b, got); err != nil || !bytes.Equal(got, want) {
		b.t.Errorf("broker: read % x (%v), want % x", got, err, want)
	}
}

// expectEnd checks that nothing more arrives.
func (b *broker) expectEnd() {
	b.t.Helper()
	if rest, _ := io.ReadAll(b); len(rest) > 0 {
		b.t.Errorf("broker: read % x, want the end", rest)
	}
}

func connack(props ...byte) []byte {
	return append([]byte{0x20, byte(3 + len(props)), 0, 0, byte(len(props))}, props...)
}

// fixture is a connection and its surroundings.
type fixture struct {
	*Conn
	handler *recorder
	source  *queue
	broker  *broker
	begin   time.Time
}

// connectingTo starts a connection whose broker has read CONNECT.
func connectingTo(t *testing.T, change func(*Config)) *fixture {
	t.Helper()
	ours, theirs := mqtttest.Pipe()
	f := &fixture{handler: &recorder{}, source: &queue{}, broker: &broker{theirs, t}, begin: time.Now()}
	cfg := Config{Conn: ours, Connect: connectFrame, Handler: f.handler, Source: f.source, MaximumPacketSize: 1 << 20}
	if change != nil {
		change(&cfg)
	}
	f.Conn = Start(cfg)
	f.broker.expect(connectFrame...)
	t.Cleanup(func() {
		f.Close(nil)
		<-f.Done()
	})
	return f
}

// opened starts a connection that its broker has accepted, with these CONNACK
// properties.
func opened(t *testing.T, change func(*Config), props ...byte) *fixture {
	t.Helper()
	f := connectingTo(t, change)
	f.broker.send(connack(props...)...)
	synctest.Wait()
	if len(f.handler.connacks) != 1 {
		t.Fatal("CONNACK did not arrive")
	}
	return f
}

// writing starts a connection whose writer blocks on message until release.
func writing(t *testing.T) (f *fixture, release func()) {
	t.Helper()
	hold := make(chan struct{})
	f = opened(t, func(cfg *Config) {
		conn := cfg.Conn
		cfg.Conn = &wrapped{Conn: conn, write: func(p []byte) (int, error) {
			if bytes.Equal(p, message) {
				<-hold
			}
			return conn.Write(p)
		}}
	})
	f.source.put(message)
	f.Wake()
	synctest.Wait()
	return f, func() { close(hold) }
}

// end waits for the end of the connection, and returns its error.
func (f *fixture) end() error {
	<-f.Done()
	return f.Err()
}

// bubble runs a test in a synctest bubble, which fails if it leaves a goroutine behind.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func wantCode(t *testing.T, err error, code wire.Code) wire.Error {
	t.Helper()
	var e *wire.Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want a *wire.Error with code %s", err, code)
	}
	if e.Code != code {
		t.Fatalf("got code %s (%v), want %s", e.Code, e, code)
	}
	return *e
}

// wrapped is a net.Conn with some methods replaced.
type wrapped struct {
	net.Conn
	write func(p []byte) (int, error)
	close func() error
}

func (w *wrapped) Write(p []byte) (int, error) {
	if w.write != nil {
		return w.write(p)
	}
	return w.Conn.Write(p)
}

func (w *wrapped) Close() error {
	if w.close != nil {
		return w.close()
	}
	return w.Conn.Close()
}

// writes records each Write of a connection after CONNECT.
func writes(cfg *Config, list *[][]byte) {
	conn, first := cfg.Conn, true
	cfg.Conn = &wrapped{Conn: conn, write: func(p []byte) (int, error) {
		if first {
			first = false
		} else {
			*list = append(*list, p)
		}
		return conn.Write(p)
	}}
}
