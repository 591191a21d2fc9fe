package broker

import (
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
	mochi "github.com/mochi-mqtt/server/v2/packets"
)

// A client that is back while its old connection lives waits for nothing if nothing is under way.
func TestTakeoverIsImmediate(t *testing.T) {
	for _, transport := range []string{"tcp", "websocket"} {
		t.Run(transport, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, Options{})
				began := time.Now()
				for range 3 {
					near, far := net.Pipe()
					t.Cleanup(func() { _ = near.Close() })
					c := near
					if transport == "websocket" {
						c = webSocketOver(t, b, near, far)
					} else {
						go b.ServeConn(far)
					}
					connect(t, c, lastingAs("device"))
				}
				if took := time.Since(began); took > 0 {
					t.Errorf("after %v", took)
				}
			})
		})
	}
}

// Pings of the WebSocket are not the client's packets [MQTT-3.1.2-22].
func TestOnlyPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Options{})
		near, far := net.Pipe()
		c := webSocketOver(t, b, near, far)
		p := connect(t, c, func(c *packets.Connect) { c.KeepAlive = 2 })
		began := time.Now()
		var pings sync.WaitGroup
		pings.Go(func() {
			for err := error(nil); err == nil; {
				time.Sleep(time.Second - time.Millisecond)
				_, err = near.Write([]byte("\x89\x80mask"))
			}
		})
		p.expectEnd()
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("after %v", took)
		}
		_ = near.Close()
		pings.Wait()
	})
}

// A packet of the old connection that is read while the session is taken over changes
// nothing of the new one.
func TestPacketAfterTakeover(t *testing.T) {
	dir := t.TempDir()
	b := start(t, Options{DataDir: dir})
	connect(t, dialTCP(t, b), lastingAs("device"))
	old, _ := b.server.Clients.Get("device")
	p := connect(t, dialTCP(t, b), func(c *packets.Connect) {
		lastingAs("device")(c)
		c.CleanStart = true
	})
	p.publish(5, 2, false, "t", "first")
	expect[packets.Pubrec](p)
	for _, late := range []mochi.Packet{
		{FixedHeader: mochi.FixedHeader{Type: mochi.Publish, Qos: 2}, PacketID: 6, TopicName: "t"},
		{FixedHeader: mochi.FixedHeader{Type: mochi.Pubrel, Qos: 1}, PacketID: 5},
	} {
		late, err := b.policy.OnPacketRead(old, late)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.server.InjectPacket(old, late); err != nil {
			t.Fatal(err)
		}
	}
	p.disconnect()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	b = start(t, Options{DataDir: dir})
	if got := b.policy.sessions.get("device").received; len(got) != 1 || !got[5] {
		t.Errorf("not released: %v", got)
	}
}

// A session without an expiry ends with its connection, also when another one takes its
// place (3.1.2.11.2): a client would have to close one that resumes it [MQTT-3.2.2-4].
func TestTakeoverEndsSession(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), func(c *packets.Connect) { c.ClientID = "device" })
	p.subscribe("t", 1)
	p.publish(1, 1, false, "t", "unacknowledged")
	p = connect(t, dialTCP(t, b), lastingAs("device"))
	if p.connack.SessionPresent {
		t.Error("session present")
	}
	p.publish(1, 1, false, "t", "to nobody")
	expect[packets.Puback](p)
}
