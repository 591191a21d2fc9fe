package broker

import (
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
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
