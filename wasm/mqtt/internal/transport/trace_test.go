package transport

import (
	"bytes"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
	"mqttwasm/wasm/mqtt/internal/wire"
)

type traced struct {
	sent   bool
	packet []byte
}

// While OnPacket is set, it is called for every packet, whole and in order.
func TestOnPacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tell atomic.Pointer[func(bool, time.Time, []byte)]
		seen := make(chan traced, 100)
		show := func(sent bool, at time.Time, packet []byte) {
			if at.IsZero() {
				t.Error("no time")
			}
			seen <- traced{sent, packet}
		}
		tell.Store(&show)
		var got [2][]byte
		collect := func() int {
			synctest.Wait()
			n := len(seen)
			for range n {
				p := <-seen
				i := 0
				if p.sent {
					i = 1
				}
				if length, size, _, _ := wire.Varint(p.packet[1:]); 1+size+length != len(p.packet) {
					t.Errorf("% x is not one packet", p.packet)
				}
				got[i] = append(got[i], p.packet...)
			}
			return n
		}
		large := publishFrame(100_000)
		f := opened(t, func(cfg *Config) { cfg.OnPacket = &tell })
		f.source.put(message, []byte{0x40, 2, 0, 1}, large, message)
		f.Wake()
		ch := mqtttest.Pinging(background, f.Ping)
		f.broker.send(append(append([]byte{0xD0, 0, 0x40, 2, 0, 1}, large...), message...)...)
		if n := collect(); n != 1+1+5+4 && n != 1+1+5+3 {
			t.Errorf("%d packets", n)
		}
		tell.Store(nil)
		f.source.put(message)
		f.Wake()
		f.broker.send(message...)
		if n := collect(); n != 0 {
			t.Errorf("%d packets shown although nobody wants to know", n)
		}
		tell.Store(&show)
		bad := []byte{0x36, 4, 0, 1, 'x', 0} // an invalid packet, complete
		f.broker.send(bad...)
		wantCode(t, f.end(), wire.Protocol)
		<-ch
		collect()
		if want := slices.Concat(connack(), []byte{0xD0, 0, 0x40, 2, 0, 1}, large, message, bad); !bytes.Equal(got[0], want) {
			t.Errorf("received %d bytes, want %d", len(got[0]), len(want))
		}
		if !bytes.HasPrefix(got[1], connectFrame) || !bytes.HasSuffix(got[1], []byte{0xE0, 1, 0x81}) || !bytes.Contains(got[1], large) {
			t.Errorf("sent % x", got[1])
		}
	})
}

// OnPacket is not called for a packet of which only a part was written.
func TestOnPacketOfAFailedWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tell atomic.Pointer[func(bool, time.Time, []byte)]
		var sent [][]byte
		show := func(ours bool, _ time.Time, packet []byte) {
			if ours {
				sent = append(sent, packet)
			}
		}
		f := opened(t, func(cfg *Config) {
			failsAfterConnect(len(message) + 3)(cfg)
			cfg.OnPacket = &tell
		})
		tell.Store(&show)
		f.source.put(message, message)
		f.Wake()
		wantCode(t, f.end(), wire.Network)
		if len(sent) != 1 || !bytes.Equal(sent[0], message) {
			t.Errorf("shown % x", sent)
		}
	})
}
