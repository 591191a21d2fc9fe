package broker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"go.uber.org/goleak"
	"nhooyr.io/websocket"
)

func TestMain(m *testing.M) {
	status := m.Run()
	if status == 0 {
		if err := goleak.Find(); err != nil {
			_, _ = io.WriteString(os.Stderr, err.Error()+"\n")
			status = 1
		}
	}
	os.Exit(status)
}

// patience bounds the wait for an event; only a failing test waits that long.
const patience = 10 * time.Second

func start(t *testing.T, opts Options) *Broker {
	t.Helper()
	b, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// A transport opens one connection to b.
type transport struct {
	name string
	dial func(t *testing.T, b *Broker) net.Conn
}

var transports = []transport{{"tcp", dialTCP}, {"websocket", dialWebSocket}}

func dialTCP(t *testing.T, b *Broker) net.Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- b.Serve(l) }()
	t.Cleanup(func() {
		_ = l.Close()
		if err := <-done; !errors.Is(err, ErrClosed) && !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func dialPipe(t *testing.T, b *Broker) net.Conn {
	t.Helper()
	c, s := net.Pipe()
	go b.ServeConn(s)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func dialWebSocket(t *testing.T, b *Broker) net.Conn {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), serveHTTP(t, b), &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatal(err)
	}
	c := websocket.NetConn(context.Background(), ws, websocket.MessageBinary)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// serveHTTP serves b over WebSocket and returns its URL.
func serveHTTP(t *testing.T, b *Broker) string {
	t.Helper()
	s := httptest.NewServer(b.Handler())
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "http", "ws", 1) + "/mqtt"
}

// A peer speaks MQTT 5 packet by packet.
type peer struct {
	t    *testing.T
	conn net.Conn
	// connack is the broker's reply to CONNECT.
	connack *packets.Connack
}

func connect(t *testing.T, c net.Conn, options func(*packets.Connect)) *peer {
	t.Helper()
	p := &peer{t: t, conn: c}
	cp := packets.NewControlPacket(packets.CONNECT)
	content := cp.Content.(*packets.Connect)
	content.CleanStart = true
	content.KeepAlive = 60
	if options != nil {
		options(content)
	}
	p.send(cp)
	p.connack = expect[packets.Connack](p)
	if p.connack.ReasonCode != 0 {
		t.Fatalf("CONNACK reason %#x", p.connack.ReasonCode)
	}
	return p
}

func (p *peer) send(cp *packets.ControlPacket) {
	p.t.Helper()
	// A single write: on a net.Pipe each write blocks until it is read.
	var b bytes.Buffer
	if _, err := cp.WriteTo(&b); err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.conn.Write(b.Bytes()); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) publish(id uint16, qos byte, retain bool, topic, payload string) {
	p.t.Helper()
	cp := packets.NewControlPacket(packets.PUBLISH)
	cp.Flags = qos<<1 | map[bool]byte{true: 1}[retain]
	content := cp.Content.(*packets.Publish)
	content.PacketID, content.QoS, content.Retain = id, qos, retain
	content.Topic, content.Payload = topic, []byte(payload)
	p.send(cp)
}

func (p *peer) subscribe(filter string, qos byte) {
	p.t.Helper()
	cp := packets.NewControlPacket(packets.SUBSCRIBE)
	content := cp.Content.(*packets.Subscribe)
	content.PacketID = 1
	content.Subscriptions = []packets.SubOptions{{Topic: filter, QoS: qos}}
	p.send(cp)
	if suback := expect[packets.Suback](p); suback.Reasons[0] != qos {
		p.t.Fatalf("SUBACK reason %#x for %q", suback.Reasons[0], filter)
	}
}

func (p *peer) puback(id uint16) {
	p.t.Helper()
	cp := packets.NewControlPacket(packets.PUBACK)
	cp.Content.(*packets.Puback).PacketID = id
	p.send(cp)
}

// disconnect sends DISCONNECT and waits for the broker to close the connection.
func (p *peer) disconnect() {
	p.t.Helper()
	p.send(packets.NewControlPacket(packets.DISCONNECT))
	p.expectEnd()
}

func (p *peer) expectEnd() {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		if cp, err := packets.ReadPacket(p.conn); errors.Is(err, os.ErrDeadlineExceeded) {
			p.t.Fatal("the connection stays open")
		} else if err != nil {
			return
		} else if cp.Type == packets.DISCONNECT {
			continue
		}
	}
}

func (p *peer) next() *packets.ControlPacket {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	cp, err := packets.ReadPacket(p.conn)
	if err != nil {
		p.t.Fatalf("waiting for a packet: %v", err)
	}
	return cp
}

// expect reads the next packet, which must be a T.
func expect[T any](p *peer) *T {
	p.t.Helper()
	cp := p.next()
	content, ok := any(cp.Content).(*T)
	if !ok {
		p.t.Fatalf("got %s where %T was expected", cp, *new(T))
	}
	return content
}

// records collects log records and lets a test wait for one.
type records struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wrote chan struct{}
}

func newRecords() *records { return &records{wrote: make(chan struct{}, 1000)} }

func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrote <- struct{}{}
	return r.text.Write(p)
}

func (r *records) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (r *records) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// wait returns once the log contains text.
func (r *records) wait(t *testing.T, text string) {
	t.Helper()
	for deadline := time.After(patience); !strings.Contains(r.String(), text); {
		select {
		case <-r.wrote:
		case <-deadline:
			t.Fatalf("the log never said %q:\n%s", text, r)
		}
	}
}

// waitFor polls for a condition that no event announces.
func waitFor(t *testing.T, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never became so")
		}
	}
}

// away reports whether the session has no connection and the last one has been cleaned up.
func (s *session) away() bool {
	s.all.mu.Lock()
	left := !s.left.IsZero()
	s.all.mu.Unlock()
	cl, ok := s.all.server.Clients.Get(s.client)
	return left && (!ok || connOf(cl) == nil)
}
