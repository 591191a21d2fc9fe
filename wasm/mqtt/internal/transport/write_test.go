package transport

import (
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// publishFrame returns a QoS 0 PUBLISH with a payload of size bytes.
func publishFrame(size int) []byte {
	payload := make([]byte, size)
	for i := range payload {
		payload[i] = byte(i * 7 >> 3)
	}
	frame, _ := wire.EncodePublish(0, "topic", nil, payload)
	return frame
}

// Small packets that are ready together are joined in frames of at most frameSize; a
// larger packet is written by itself.
func TestSmallPacketsAreJoined(t *testing.T) {
	small, medium, large := publishFrame(50), publishFrame(frameSize/2), publishFrame(200_000)
	for name, test := range map[string]struct {
		packets [][]byte
		want    []int // bytes of each Write
	}{
		"one":                    {[][]byte{small}, []int{len(small)}},
		"hundred":                {slices.Repeat([][]byte{small}, 100), []int{100 * len(small)}},
		"more than a frame":      {slices.Repeat([][]byte{small}, 2000), []int{frameSize / len(small) * len(small), (2000 - frameSize/len(small)) * len(small)}},
		"a large one":            {[][]byte{large}, []int{len(large)}},
		"a large one in between": {[][]byte{small, small, large, small, small}, []int{2 * len(small), len(large), 2 * len(small)}},
		"that don't fit":         {[][]byte{medium, medium, small}, []int{len(medium), len(medium) + len(small)}},
	} {
		for _, greedy := range []bool{false, true} { // a Source may return more than max
			bubble(t, name, func(t *testing.T) {
				var list [][]byte
				var source *queue
				f := opened(t, func(cfg *Config) {
					source = cfg.Source.(*queue)
					if greedy {
						cfg.Source = everything{source}
					}
					writes(cfg, &list)
				})
				source.put(test.packets...)
				f.Wake()
				synctest.Wait()
				var sizes []int
				for _, p := range list {
					sizes = append(sizes, len(p))
					if len(p) >= len(large) && !slices.ContainsFunc(test.packets, func(q []byte) bool { return &q[0] == &p[0] }) {
						t.Error("a large packet was copied")
					}
				}
				if !slices.Equal(sizes, test.want) {
					t.Errorf("frames of %v bytes, want %v", sizes, test.want)
				}
				all := bytes.Join(test.packets, nil)
				f.broker.expect(all...)
				if total := sum(source.written); total != len(all) {
					t.Errorf("%d bytes reported, of %d", total, len(all))
				}
			})
		}
	}
}

// everything is a Source that ignores max.
type everything struct{ *queue }

func (e everything) Next(dst [][]byte, _ int) [][]byte { return e.queue.Next(dst, 1<<30) }

func sum(list []int) (n int) {
	for _, i := range list {
		n += i
	}
	return n
}

// PINGREQ is sent before the Source's packets, in the same Write, and does not count in
// Written.
func TestControlPacketsGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var list [][]byte
		hold := make(chan struct{})
		f := opened(t, func(cfg *Config) {
			writes(cfg, &list)
			conn := cfg.Conn
			cfg.Conn = &wrapped{Conn: conn, write: func(p []byte) (int, error) {
				n, err := conn.Write(p)
				if bytes.Equal(p, message) {
					<-hold
				}
				return n, err
			}}
		})
		f.source.put(message)
		f.Wake()
		synctest.Wait()
		f.source.put(message, message)
		f.Probe()
		synctest.Wait()
		close(hold)
		synctest.Wait()
		want := slices.Concat(pingreq, message, message)
		if len(list) != 2 || !bytes.Equal(list[1], want) {
			t.Errorf("wrote % x", list)
		}
		if !slices.Equal(f.source.written, []int{8, 16}) || !slices.Equal(f.source.maxima, []int{frameSize, frameSize - 2}) {
			t.Errorf("written %v, asked for %v", f.source.written, f.source.maxima)
		}
	})
}

// After a failed write, the Source learns exactly how many of its bytes were written,
// and is not called again.
func TestFailedWriteReportsItsBytes(t *testing.T) {
	large := publishFrame(20_000)
	packets := [][]byte{message, message, large, message, message}
	all := append(slices.Clone(pingreq), bytes.Join(packets, nil)...)
	for cut := range len(all) {
		if cut > 30 && cut < len(all)-30 && cut%997 > 0 {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			taken, hold := -len(connectFrame), make(chan struct{})
			f := opened(t, func(cfg *Config) {
				cfg.Source = everything{cfg.Source.(*queue)}
				conn := cfg.Conn
				cfg.Conn = &wrapped{Conn: conn, write: func(p []byte) (int, error) {
					if taken >= 0 {
						<-hold
					}
					n := min(len(p), cut-taken)
					if taken < 0 {
						n = len(p)
					}
					taken += n
					_, _ = conn.Write(p[:n])
					if n < len(p) {
						return n, errBroken
					}
					return n, nil
				}}
			})
			f.source.put(packets...)
			f.mu.Lock() // both are there when the writer looks
			err := f.ping()
			f.mu.Unlock()
			close(hold)
			if err != nil {
				t.Fatal(err)
			}
			wantCode(t, f.end(), wire.Network)
			if want := []int{max(0, cut-2)}; !slices.Equal(f.source.written, want) {
				t.Errorf("cut after %d bytes: reported %v, want %v", cut, f.source.written, want)
			}
			f.source.put(message)
			f.Wake()
			synctest.Wait()
			if f.source.late > 0 {
				t.Errorf("cut after %d bytes: %d calls after the failed write", cut, f.source.late)
			}
		})
	}
}

// A Write that is short without an error has failed, too.
func TestShortWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := opened(t, func(cfg *Config) {
			conn, first := cfg.Conn, true
			cfg.Conn = &wrapped{Conn: conn, write: func(p []byte) (int, error) {
				if first {
					first = false
					return conn.Write(p)
				}
				return conn.Write(p[:5])
			}}
		})
		f.source.put(message)
		f.Wake()
		wantCode(t, f.end(), wire.Network)
		if !slices.Equal(f.source.written, []int{5}) {
			t.Errorf("written %v", f.source.written)
		}
	})
}

// The Source is called neither before CONNACK nor after the end.
func TestSourceIsAskedWhileOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := connectingTo(t, nil)
		f.source.put(message)
		f.Wake()
		synctest.Wait()
		if len(f.source.maxima) > 0 {
			t.Error("asked before CONNACK")
		}
		f.broker.send(connack()...)
		f.broker.expect(message...)
		f.Close(nil)
		f.source.put(message)
		f.Wake()
		<-f.Done()
		if len(f.source.maxima) > 1 {
			t.Error("asked after Close")
		}
	})
}

// Two ends that send everything they have before they read do not block each other.
func TestBothSendBeforeTheyRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		const n = 100
		h, q := &recorder{}, &queue{}
		h.onPublish = func(*wire.Publish) error { // as a session does
			q.put([]byte{0x40, 2, 0, 1})
			return nil
		}
		c := Start(Config{Conn: ours, Connect: connectFrame, Handler: h, Source: q})
		b := &broker{theirs, t}
		b.expect(connectFrame...)
		q.put(slices.Repeat([][]byte{message}, n)...)
		b.send(connack()...)
		for range n { // while the client writes its packets
			b.send(message...)
		}
		synctest.Wait()
		if h.messages() != n {
			t.Errorf("%d messages arrived", h.messages())
		}
		c.Wake()
		b.expect(slices.Repeat(message, n)...)
		b.expect(slices.Repeat([]byte{0x40, 2, 0, 1}, n)...)
		c.Close(nil)
		<-c.Done()
	})
}

// A peer that sends without end and never reads cannot make the outbox grow without
// bound.
func TestPeerThatNeverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := opened(t, func(cfg *Config) {
			stuckAfterConnect(cfg)
			withAuth(&mqtttest.Auth{OnContinue: func(context.Context, []byte) ([]byte, error) { return make([]byte, 10_000), nil }})(cfg)
		}, methodM...)
		result := reauthenticating(f.Conn, background)
		synctest.Wait()
		asked := 0
		for ; f.isRunning() && asked < 1000; asked++ {
			f.broker.send(wire.EncodeAuth(0x18, "m", nil)...)
			synctest.Wait()
		}
		f.mu.Lock()
		held := totalSize(f.control)
		f.mu.Unlock()
		if asked > 10 || held > maxControl+11_000 {
			t.Errorf("asked %d times, %d bytes wait", asked, held)
		}
		if e := wantCode(t, f.end(), wire.Protocol); e.Reason != wire.ReasonQuotaExceeded {
			t.Errorf("%+v", e)
		}
		wantCode(t, <-result, wire.Protocol)
		if d := time.Since(f.begin); d != lastTime {
			t.Errorf("after %v", d)
		}
	})
}

func (f *fixture) isRunning() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state == running
}

// The writer does not keep a large packet that it has sent.
func TestWriterLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := opened(t, nil)
		f.source.put(publishFrame(1 << 20))
		f.Wake()
		_, _ = io.CopyN(io.Discard, f.broker, int64(len(publishFrame(1<<20))))
		synctest.Wait()
		for _, p := range f.out.packets[:cap(f.out.packets)] {
			if p != nil {
				t.Errorf("it holds a packet of %d bytes", len(p))
			}
		}
		if cap(f.out.joined) > frameSize {
			t.Errorf("it holds %d bytes", cap(f.out.joined))
		}
	})
}
