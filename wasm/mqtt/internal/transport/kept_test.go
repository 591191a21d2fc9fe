package transport

import (
	"bytes"
	"math/rand/v2"
	"net"
	"slices"
	"testing"
	"testing/synctest"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// keepingConn is a connection that can leave payloads in the frames they arrived in, as
// wsconn does in the browser.
type keepingConn struct {
	net.Conn
	frame []byte
	read  int
	kept  map[int][]byte
	last  int
}

func (c *keepingConn) Read(p []byte) (int, error) {
	if c.read == len(c.frame) {
		frame := make([]byte, 1<<20)
		n, err := c.Conn.Read(frame)
		if err != nil {
			return 0, err
		}
		c.frame, c.read = frame[:n], 0
	}
	n := copy(p, c.frame[c.read:])
	c.read += n
	return n, nil
}

func (c *keepingConn) Keep(rest, payload int) (handle int, ok bool) {
	end := c.read + rest
	if end > len(c.frame) || end < payload {
		return 0, false
	}
	c.last++
	c.kept[c.last], c.read = c.frame[end-payload:end], end
	return c.last, true
}

func (c *keepingConn) Fetch(handle int, dst []byte) { copy(dst, c.kept[handle]) }
func (c *keepingConn) Drop(handle int)              { delete(c.kept, handle) }

func keeping(cfg *Config) *keepingConn {
	c := &keepingConn{Conn: cfg.Conn, kept: map[int][]byte{}}
	cfg.Conn = c
	return c
}

// Streams of packets of all sizes arrive intact, whichever payloads stay in their
// frames.
func TestFramingWithKeptPayloads(t *testing.T) {
	kept := 0
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			sizes := []int{0, 1, 100, 10_000, largeSize - 10, largeSize, largeSize + 1, 70_000, 200_000}
			var conn *keepingConn
			f := opened(t, func(cfg *Config) { conn = keeping(cfg) })
			var want []int
			var stream []byte
			for range 60 {
				size := sizes[rng.IntN(len(sizes))]
				want = append(want, size)
				stream = append(stream, publishFrame(size)...)
				switch rng.IntN(4) {
				case 0: // packets share a frame
				case 1: // and one is split
					cut := len(stream) * 2 / 3
					f.broker.send(stream[:cut]...)
					synctest.Wait()
					stream = stream[cut:]
				default:
					f.broker.send(stream...)
					synctest.Wait()
					stream = nil
				}
			}
			f.broker.send(stream...)
			synctest.Wait()
			var got []int
			for _, p := range f.handler.published {
				payload := p.Payload
				if p.Kept != nil {
					kept++
					if len(payload) > 0 || p.Kept.Size < largeSize {
						t.Errorf("%d bytes are kept, %d are not", p.Kept.Size, len(payload))
					}
					payload = p.Kept.Fetch()
				}
				got = append(got, len(payload))
				if !bytes.HasSuffix(publishFrame(len(payload)), payload) || string(p.Topic) != "topic" {
					t.Error("a message was damaged")
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("messages of %v bytes, want %v", got, want)
			}
			if len(conn.kept) > 0 {
				t.Errorf("%d payloads are left", len(conn.kept))
			}
		})
	}
	if kept < 50 {
		t.Errorf("only %d payloads stayed where they arrived", kept)
	}
}

// Packets in frames of their own are hardly copied.
func TestKeptPayloadIsNotCopied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var conn *keepingConn
		f := opened(t, func(cfg *Config) { conn = keeping(cfg) })
		f.broker.send(publishFrame(100_000)...)
		synctest.Wait()
		f.broker.send(publishFrame(100_000)...)
		synctest.Wait()
		if have := len(f.in.buf); len(f.handler.published) != 2 || f.handler.published[1].Kept == nil || have > 2*peekSize {
			t.Errorf("%d messages, %d bytes were read", len(f.handler.published), have)
		}
		if len(conn.kept) != 2 {
			t.Errorf("%d payloads are kept", len(conn.kept))
		}
	})
}

// An invalid packet leaves no payload behind.
func TestKeptPayloadOfAWrongPacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var conn *keepingConn
		f := opened(t, func(cfg *Config) { conn = keeping(cfg) })
		frame := wire.JoinPublish(0x30, []byte("a/#"), nil, nil, make([]byte, 100_000))
		f.broker.send(frame...)
		<-f.Done()
		if len(conn.kept) > 0 || len(f.handler.published) > 0 {
			t.Errorf("%d payloads are kept, %d messages", len(conn.kept), len(f.handler.published))
		}
	})
}
