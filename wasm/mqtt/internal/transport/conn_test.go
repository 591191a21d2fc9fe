package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
	"mqttwasm/wasm/mqtt/internal/wire"
)

var errBroken = errors.New("broken pipe")

// stuckAfterConnect makes a connection whose peer reads nothing after CONNECT.
func stuckAfterConnect(cfg *Config) {
	conn, first, closed := cfg.Conn, true, make(chan struct{})
	cfg.Conn = &wrapped{
		Conn: conn,
		write: func(p []byte) (int, error) {
			if first {
				first = false
				return conn.Write(p)
			}
			<-closed
			return 0, net.ErrClosed
		},
		close: func() error {
			close(closed)
			return conn.Close()
		},
	}
}

// failsAfterConnect makes a connection on which every write after CONNECT fails after n
// bytes.
func failsAfterConnect(n int) func(*Config) {
	return func(cfg *Config) {
		conn, first := cfg.Conn, true
		cfg.Conn = &wrapped{Conn: conn, write: func(p []byte) (int, error) {
			if first {
				first = false
				return conn.Write(p)
			}
			return min(n, len(p)), errBroken
		}}
	}
}

func TestServerDisconnectReasonIsNeverLost(t *testing.T) {
	for _, busy := range []bool{false, true} {
		bubble(t, fmt.Sprintf("writing %v", busy), func(t *testing.T) {
			for range 100 {
				f := opened(t, nil)
				if busy { // the writer may notice the closed pipe before the reader does
					f.source.put(slices.Repeat([][]byte{message}, 100)...)
				}
				f.broker.send(0xE0, 8, 0x98, 6, 0x1F, 0, 3, 'b', 'y', 'e')
				f.Wake()
				_ = f.broker.Close()
				if e := wantCode(t, f.end(), wire.Disconnected); e.ReasonCode != 0x98 || e.ReasonString != "bye" || e.Reason != 0 {
					t.Fatalf("%+v", e)
				}
				if len(f.handler.goodbyes) != 1 || f.handler.goodbyes[0].Reason != 0x98 || f.handler.goodbyes[0].ReasonString != "bye" {
					t.Fatalf("the handler got %+v", f.handler.goodbyes)
				}
			}
		})
	}
}

func TestServerDisconnectWithEveryReason(t *testing.T) {
	for reason := range 256 {
		if !wire.ValidReason(wire.TypeDisconnect, byte(reason)) {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			f := opened(t, nil)
			f.broker.send(0xE0, 2, byte(reason), 0)
			if e := wantCode(t, f.end(), wire.Disconnected); e.ReasonCode != byte(reason) {
				t.Errorf("%+v", e)
			}
			f.broker.expectEnd() // [MQTT-3.14.4-1] applies to both sides
		})
	}
	bubble(t, "without a body", func(t *testing.T) {
		f := opened(t, nil)
		f.broker.send(0xE0, 0)
		if e := wantCode(t, f.end(), wire.Disconnected); e.ReasonCode != 0 {
			t.Errorf("%+v", e)
		}
	})
	bubble(t, "in place of CONNACK", func(t *testing.T) {
		f := connectingTo(t, nil)
		f.broker.send(0xE0, 1, 0x89)
		if e := wantCode(t, f.end(), wire.Disconnected); e.ReasonCode != 0x89 {
			t.Errorf("%+v", e)
		}
	})
}

// What the reader finds after a failed write explains it better.
func TestFailedWriteIsExplained(t *testing.T) {
	fail := func(t *testing.T) *fixture {
		f := opened(t, failsAfterConnect(0))
		f.source.put(message)
		f.Wake()
		synctest.Wait()
		time.Sleep(lastTime / 2)
		return f
	}
	bubble(t, "by nothing", func(t *testing.T) {
		f := fail(t)
		wantCode(t, f.end(), wire.Network)
		if !errors.Is(f.Err(), errBroken) {
			t.Error(f.Err())
		}
		if d := time.Since(f.begin); d != lastTime {
			t.Errorf("done after %v", d)
		}
	})
	bubble(t, "by DISCONNECT", func(t *testing.T) {
		f := fail(t)
		f.broker.send(0xE0, 1, 0x8E)
		if e := wantCode(t, f.end(), wire.Disconnected); e.ReasonCode != 0x8E {
			t.Errorf("%+v", e)
		}
		if d := time.Since(f.begin); d != lastTime/2 {
			t.Errorf("done after %v", d)
		}
	})
	bubble(t, "by a violation", func(t *testing.T) {
		f := fail(t)
		f.broker.send(0x00)
		wantCode(t, f.end(), wire.Protocol)
		if d := time.Since(f.begin); d != lastTime/2 {
			t.Errorf("done after %v", d)
		}
	})
	bubble(t, "by how the WebSocket was closed", func(t *testing.T) {
		f := fail(t)
		_ = f.broker.Close()
		wantCode(t, f.end(), wire.Network)
		if errors.Is(f.Err(), errBroken) || !errors.Is(f.Err(), io.EOF) {
			t.Error(f.Err())
		}
	})
}

// The first cause is reported, and nothing that Close itself causes.
func TestClose(t *testing.T) {
	first := wire.NewError(wire.Timeout, "first")
	for name, test := range map[string]struct {
		end  func(f *fixture)
		want error
	}{
		"twice":               {func(f *fixture) { f.Close(first); f.Close(errBroken) }, first},
		"without a cause":     {func(f *fixture) { f.Close(nil); f.Close(first) }, nil},
		"before Leave":        {func(f *fixture) { f.Close(first); f.Leave(nil) }, first},
		"after Leave":         {func(f *fixture) { f.Leave(nil); f.Close(first) }, nil},
		"before a violation":  {func(f *fixture) { f.Close(first); _, _ = f.broker.Write([]byte{0}) }, first},
		"while it is stuck":   {func(f *fixture) { f.source.put(message); f.Wake(); synctest.Wait(); f.Close(first) }, first},
		"an error of no type": {func(f *fixture) { f.Close(errBroken) }, errBroken},
		"with a call that asks": {func(f *fixture) {
			ch := mqtttest.Pinging(background, f.Ping)
			synctest.Wait()
			f.Close(first)
			if got := <-ch; !errors.Is(got.Err, first) {
				f.broker.t.Error(got.Err)
			}
		}, first},
	} {
		for _, accepted := range []bool{true, false} {
			if !accepted && name == "with a call that asks" {
				continue
			}
			bubble(t, fmt.Sprintf("%s, accepted %v", name, accepted), func(t *testing.T) {
				change := stuckAfterConnect
				if name == "after Leave" {
					change = nil
				}
				begin := connectingTo
				if accepted {
					begin = func(t *testing.T, change func(*Config)) *fixture { return opened(t, change) }
				}
				f := begin(t, change)
				test.end(f)
				if err := f.end(); !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
				if d := time.Since(f.begin); d != 0 {
					t.Errorf("done after %v", d)
				}
			})
		}
	}
}

// Only Done waits for net.Conn.Close, which may take a second.
func TestSlowClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := opened(t, func(cfg *Config) {
			conn := cfg.Conn
			cfg.Conn = &wrapped{Conn: conn, close: func() error {
				time.Sleep(time.Second)
				return conn.Close()
			}}
		})
		ch := mqtttest.Pinging(background, f.Ping)
		synctest.Wait()
		f.Close(errBroken)
		wantCode(t, (<-ch).Err, wire.Network)
		f.Wake()
		f.Probe()
		_, err := f.Ping(background)
		wantCode(t, err, wire.NotConnected)
		f.Close(nil)
		if f.Err() != nil {
			t.Error("it tells why before it is done")
		}
		if d := time.Since(f.begin); d != 0 {
			t.Errorf("waited for %v", d)
		}
		if err := f.end(); !errors.Is(err, errBroken) {
			t.Error(err)
		}
		if d := time.Since(f.begin); d != time.Second {
			t.Errorf("done after %v", d)
		}
	})
}

func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := connectingTo(t, nil)
		f.broker.send(0x20, 17, 0, 0x9C, 14, 0x1C, 0, 5, 'o', 't', 'h', 'e', 'r', 0x1F, 0, 3, 'w', 'h', 'y')
		e := wantCode(t, f.end(), wire.Refused)
		if e.ReasonCode != 0x9C || e.ServerReference != "other" || e.ReasonString != "why" || e.Reason != 0 {
			t.Errorf("%+v", e)
		}
		if len(f.handler.connacks) > 0 {
			t.Error("the handler was told")
		}
		f.broker.expectEnd()
	})
}

// An error of the Handler ends the connection. The broker is told if there is a reason
// code for it.
func TestHandlerFails(t *testing.T) {
	for name, test := range map[string]struct {
		change func(r *recorder, err error)
		send   []byte
	}{
		"CONNACK": {func(r *recorder, err error) { r.onConnack = func() error { return err } }, nil},
		"PUBLISH": {func(r *recorder, err error) { r.onPublish = func(*wire.Publish) error { return err } }, message},
		"PUBACK":  {func(r *recorder, err error) { r.onAck = func() error { return err } }, []byte{0x40, 2, 0, 1}},
		"SUBACK":  {func(r *recorder, err error) { r.onSuback = func() error { return err } }, []byte{0x90, 4, 0, 1, 0, 0}},
	} {
		for kind, err := range map[string]error{
			"violation": wire.Violation(wire.ReasonAliasInvalid, "no"), "other": wire.NewError(wire.Storage, "full"), "of no type": errBroken,
		} {
			bubble(t, name+", "+kind, func(t *testing.T) {
				r := &recorder{}
				test.change(r, err)
				f := connectingTo(t, func(cfg *Config) { cfg.Handler = r })
				f.source.put(message)
				f.broker.send(append(connack(), test.send...)...)
				if got := f.end(); !errors.Is(got, err) {
					t.Errorf("ended with %v", got)
				}
				sent, _ := io.ReadAll(f.broker)
				sent, told := bytes.CutSuffix(sent, []byte{0xE0, 1, 0x94})
				if told != (kind == "violation") {
					t.Errorf("told the broker: %v", told)
				}
				if name == "CONNACK" && len(sent) > 0 {
					t.Errorf("sent % x", sent)
				}
			})
		}
	}
}

// DISCONNECT after a violation takes a second at most, whatever is queued before it.
func TestViolationOnAStuckConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := opened(t, stuckAfterConnect)
		f.source.put(message)
		f.Wake()
		synctest.Wait()
		f.broker.send(0)
		wantCode(t, f.end(), wire.Protocol)
		if d := time.Since(f.begin); d != lastTime {
			t.Errorf("after %v", d)
		}
		if !slices.Equal(f.source.written, []int{0}) || f.source.late > 0 {
			t.Errorf("written %v, %d calls too many", f.source.written, f.source.late)
		}
	})
}

// After a violation nothing queued is sent, and nothing received is handled.
func TestViolationIsTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, release := writing(t)
		ch := mqtttest.Pinging(background, f.Ping)
		synctest.Wait()
		f.source.put(message)
		f.broker.send(append([]byte{0x36, 0}, message...)...)
		synctest.Wait()
		release()
		wantCode(t, f.end(), wire.Protocol)
		wantCode(t, (<-ch).Err, wire.Protocol)
		f.broker.expect(message...)
		f.broker.expect(0xE0, 1, 0x81)
		f.broker.expectEnd()
		if f.handler.messages() > 0 {
			t.Error("a message was taken")
		}
	})
}

func TestNothingIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // fails if a goroutine outlives it
		for i := range 1000 {
			f := opened(t, keepAliveOf(time.Minute))
			f.source.put(message)
			f.Wake()
			if i%2 == 0 {
				f.Leave(nil)
			} else {
				_ = f.broker.Close()
			}
			<-f.Done()
		}
	})
}
