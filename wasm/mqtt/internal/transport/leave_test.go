package transport

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// Queued packets are sent first, and nothing after DISCONNECT [MQTT-3.14.4-1].
func TestLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, release := writing(t)
		ch := mqtttest.Pinging(background, f.Ping)
		synctest.Wait()
		f.source.put([]byte{0x40, 2, 0, 1}, []byte{0x40, 2, 0, 2})
		f.Wake()
		go func() {
			synctest.Wait()
			release()
		}()
		f.Leave([]byte{0xE0, 1, 0x04})
		f.source.put(message)
		f.Wake()
		if err := f.end(); err != nil {
			t.Error(err)
		}
		wantCode(t, (<-ch).Err, wire.Aborted)
		f.broker.expect(message...)
		f.broker.expect(0xC0, 0, 0x40, 2, 0, 1, 0x40, 2, 0, 2)
		f.broker.expect(0xE0, 1, 0x04)
		f.broker.expectEnd()
		if !slices.Equal(f.source.written, []int{8, 8}) {
			t.Errorf("written %v", f.source.written)
		}
		if d := time.Since(f.begin); d != 0 {
			t.Errorf("left after %v", d)
		}
		f.Leave(nil) // again
	})
}

func TestLeaveBeforeConnack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := connectingTo(t, nil)
		f.source.put(message)
		f.Leave(nil)
		if err := f.end(); err != nil {
			t.Error(err)
		}
		f.broker.expect(0xE0, 0)
		f.broker.expectEnd()
	})
}

func TestLeaveTakesASecondAtMost(t *testing.T) {
	bubble(t, "nobody reads", func(t *testing.T) {
		f := opened(t, stuckAfterConnect)
		f.Leave(nil)
		if d := time.Since(f.begin); d != lastTime {
			t.Errorf("after %v", d)
		}
		if err := f.end(); err != nil {
			t.Error(err)
		}
		if d := time.Since(f.begin); d != lastTime {
			t.Errorf("done after %v", d)
		}
	})
	bubble(t, "net.Conn.Close hangs", func(t *testing.T) {
		f := opened(t, func(cfg *Config) {
			stuckAfterConnect(cfg)
			conn := cfg.Conn
			cfg.Conn = &wrapped{Conn: conn, close: func() error {
				time.Sleep(time.Second)
				return conn.Close()
			}}
		})
		f.Leave(nil)
		if d := time.Since(f.begin); d != lastTime {
			t.Errorf("after %v", d)
		}
		<-f.Done()
		if d := time.Since(f.begin); d != 2*time.Second {
			t.Errorf("done after %v", d)
		}
	})
	bubble(t, "the write fails", func(t *testing.T) {
		f := opened(t, failsAfterConnect(0))
		f.Leave(nil)
		if err := f.end(); err != nil {
			t.Error(err)
		}
		if d := time.Since(f.begin); d != 0 {
			t.Errorf("after %v", d)
		}
	})
	bubble(t, "the source never runs dry", func(t *testing.T) {
		f := opened(t, func(cfg *Config) {
			conn := cfg.Conn
			cfg.Conn = &wrapped{Conn: conn, write: func(p []byte) (int, error) {
				if p[0]>>4 == wire.TypePublish {
					time.Sleep(30 * time.Millisecond)
				}
				return conn.Write(p)
			}}
		})
		frame := publishFrame(10_000)
		f.source.put(slices.Repeat([][]byte{frame}, 1000)...)
		f.Wake()
		f.Leave(nil)
		if d := time.Since(f.begin); d < lastTime/2 || d >= lastTime {
			t.Errorf("after %v", d)
		}
		sent, _ := io.ReadAll(f.broker)
		if len(sent)%len(frame) != 2 || !bytes.HasSuffix(sent, []byte{0xE0, 0}) {
			t.Error("DISCONNECT is not the last packet")
		}
	})
}

// [MQTT-3.14.2-2], [MQTT-3.14.2-3]
func TestLeaveWithinMaximumPacketSize(t *testing.T) {
	long := wire.EncodeDisconnect(0x04, &packets.Properties{ReasonString: strings.Repeat("r", 200)})
	for maximum, want := range map[byte][]byte{20: {0xE0, 1, 0x04}, 255: long} {
		synctest.Test(t, func(t *testing.T) {
			f := opened(t, nil, 0x27, 0, 0, 0, maximum)
			f.Leave(long)
			f.broker.expect(want...)
			f.broker.expectEnd()
		})
	}
}
