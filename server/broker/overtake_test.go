package broker

import (
	"context"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"

	mochi "github.com/mochi-mqtt/server/v2/packets"
)

// A DISCONNECT that arrives before the client's next CONNECT is processed first: it
// discards the will [MQTT-3.14.4-3] and may end the session (3.14.2.2.2).
func TestDisconnectIsNotOvertaken(t *testing.T) {
	for _, transport := range append(transports, transport{"websocket over TLS", dialTLS}) {
		for name, properties := range map[string]*packets.Properties{
			"the session goes on": {}, "the session ends": {SessionExpiryInterval: ptr(uint32(0))},
		} {
			t.Run(transport.name+", "+name, func(t *testing.T) {
				b := start(t, Options{})
				watcher := connect(t, dialTCP(t, b), nil)
				watcher.subscribe("will", 0)
				leave := packets.NewControlPacket(packets.DISCONNECT)
				leave.Content.(*packets.Disconnect).Properties = properties
				next := transport.dial(t, b)
				const times = 200
				for i := range times {
					device := connectOver(t, next, func(*mochi.Packet) {})
					if want := i > 0 && properties.SessionExpiryInterval == nil; device.connack.SessionPresent != want {
						t.Fatalf("session present: %v", !want)
					}
					next = transport.dial(t, b) // only CONNECT remains to be sent
					device.publish(0, 0, false, "will", "before")
					device.send(leave)
				}
				connectOver(t, next, func(*mochi.Packet) {})
				watcher.publish(0, 0, false, "will", "none")
				for range times {
					if m := expect[packets.Publish](watcher); string(m.Payload) != "before" {
						t.Fatalf("%s where the client's own message was expected", m.Payload)
					}
				}
				if m := expect[packets.Publish](watcher); string(m.Payload) != "none" {
					t.Errorf("the will was published: %s", m.Payload)
				}
			})
		}
	}
}

func dialTLS(t *testing.T, b *Broker) net.Conn {
	t.Helper()
	s := httptest.NewTLSServer(b.Handler())
	t.Cleanup(s.Close)
	ws, _, err := websocket.Dial(t.Context(), s.URL, &websocket.DialOptions{HTTPClient: s.Client(), Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	return websocket.NetConn(context.Background(), ws, websocket.MessageBinary)
}

// The same holds if the network fails after DISCONNECT and the broker notices on a write.
func TestDisconnectBeforeReset(t *testing.T) {
	b := start(t, Options{})
	watcher := connect(t, dialTCP(t, b), nil)
	watcher.subscribe("will", 0)
	pub, stop, stopped := connect(t, dialTCP(t, b), nil), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				pub.publish(0, 0, false, "flood", strings.Repeat("x", 1000))
			}
		}
	}()
	for range 100 {
		device := connectOver(t, dialTCP(t, b), func(*mochi.Packet) {})
		flood := packets.NewControlPacket(packets.SUBSCRIBE)
		flood.Content.(*packets.Subscribe).PacketID = 1
		flood.Content.(*packets.Subscribe).Subscriptions = []packets.SubOptions{{Topic: "flood"}}
		device.send(flood)
		for range 2 { // SUBACK and a message, in either order
			device.next()
		}
		device.send(packets.NewControlPacket(packets.DISCONNECT))
		_ = device.conn.(*net.TCPConn).SetLinger(0)
		_ = device.conn.Close()
	}
	close(stop)
	<-stopped
	watcher.publish(0, 0, false, "will", "none")
	if m := expect[packets.Publish](watcher); string(m.Payload) != "none" {
		t.Errorf("the will was published: %s", m.Payload)
	}
}
