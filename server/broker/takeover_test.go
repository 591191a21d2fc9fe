package broker

import (
	"net"
	"testing"
	"testing/synctest"
	"time"
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
