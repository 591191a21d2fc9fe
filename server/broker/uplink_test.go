package broker

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"
)

// uplink sends atOnce bytes immediately, then rate bytes a second, and drops everything
// beyond size bytes.
type uplink struct {
	net.Conn
	mu                 sync.Mutex
	atOnce, rate, size int
}

func (u *uplink) Write(p []byte) (n int, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for n < len(p) && err == nil && u.size > 0 {
		most := u.atOnce
		if most == 0 {
			time.Sleep(time.Second)
			most = u.rate
		}
		piece := p[n:min(len(p), n+most, n+u.size)]
		sent := 0
		sent, err = u.Conn.Write(piece)
		n, u.size, u.atOnce = n+sent, u.size-sent, max(0, u.atOnce-sent)
	}
	if u.size == 0 {
		n = len(p)
	}
	return n, err
}

// once is a listener for one connection.
type once struct{ conns chan net.Conn }

func (l once) Accept() (net.Conn, error) {
	if c, ok := <-l.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (l once) Close() error   { return nil }
func (l once) Addr() net.Addr { return &net.UnixAddr{} }

// [MQTT-3.1.2-22]: a packet may take longer to arrive than the keep-alive. A sender that
// falls silent or is too slow is cut off.
func TestSlowUplink(t *testing.T) {
	const keepAlive, silence = 2, 3 * time.Second
	for _, test := range []struct {
		name         string
		rate, size   int
		acknowledged bool
		after        time.Duration
	}{
		{"a slow packet", 2 << 10, 1 << 30, true, 33 * time.Second},
		{"a packet that stops", 2 << 10, 20 << 10, false, 10*time.Second + silence},
		{"a packet that trickles", 100, 1 << 30, false, time.Second + silence},
	} {
		for _, transport := range []string{"tcp", "websocket"} {
			t.Run(test.name+", "+transport, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := start(t, Options{})
					near, far := net.Pipe()
					slow := &uplink{Conn: near, atOnce: 1 << 30, size: 1 << 30}
					c := net.Conn(slow)
					if transport == "websocket" {
						c = webSocketOver(t, b, slow, far)
					} else {
						go b.ServeConn(far)
					}
					p := connect(t, c, func(c *packets.Connect) { c.KeepAlive = keepAlive })
					time.Sleep(silence / 2) // a packet's time starts with its first byte
					slow.mu.Lock()
					slow.atOnce, slow.rate, slow.size = 0, test.rate, test.size
					slow.mu.Unlock()
					began, done := time.Now(), make(chan struct{})
					go func() {
						defer close(done)
						_ = c.SetReadDeadline(time.Now().Add(time.Hour))
						got, err := packets.ReadPacket(c)
						if acknowledged := err == nil && got.Type == packets.PUBACK; acknowledged != test.acknowledged {
							t.Errorf("got %v, %v", got, err)
						}
						if took := time.Since(began); took < test.after-time.Second || took > test.after+time.Second {
							t.Errorf("after %v", took)
						}
						_ = near.Close()
					}()
					cp := packets.NewControlPacket(packets.PUBLISH)
					cp.Flags = 2
					cp.Content.(*packets.Publish).QoS, cp.Content.(*packets.Publish).PacketID = 1, 1
					cp.Content.(*packets.Publish).Topic, cp.Content.(*packets.Publish).Payload = "t", make([]byte, 64<<10)
					var out bytes.Buffer
					_, _ = cp.WriteTo(&out)
					_, _ = p.conn.Write(out.Bytes()) // fails once the broker closes the connection
					<-done
				})
			})
		}
	}
}

func webSocketOver(t *testing.T, b *Broker, near, far net.Conn) net.Conn {
	t.Helper()
	l := once{make(chan net.Conn, 1)}
	l.conns <- far
	server := &http.Server{Handler: b.Handler()}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { close(l.conns); _ = server.Close() })
	dial := func(context.Context, string, string) (net.Conn, error) { return near, nil }
	client := &http.Client{Transport: &http.Transport{DialContext: dial}}
	ws, _, err := websocket.Dial(t.Context(), "ws://localhost/mqtt", &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	return websocket.NetConn(t.Context(), ws, websocket.MessageBinary)
}
