package transport

import (
	"net"
	"slices"
	"testing"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// endless repeats the same bytes.
type endless struct {
	net.Conn
	frame []byte
	at    int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.frame[e.at:])
	e.at = (e.at + n) % len(e.frame)
	return n, nil
}

func (e *endless) Write(p []byte) (int, error) { return len(p), nil }
func (e *endless) Close() error                { return nil }

// discard is a Handler that keeps nothing.
type discard struct{ bytes int }

func (d *discard) Connack(*wire.Connack) error { return nil }
func (d *discard) Publish(p *wire.Publish, _ float64) error {
	d.bytes += len(p.Payload)
	return nil
}
func (d *discard) Ack(wire.Ack) error          { return nil }
func (d *discard) Suback(*wire.Suback) error   { return nil }
func (d *discard) Disconnect(*wire.Disconnect) {}

// flooded returns an open connection that receives the same packet without end.
func flooded(frame []byte, buffer func(int) []byte) *Conn {
	for len(frame) < 16<<10 {
		frame = append(frame, frame...)
	}
	c := newConn(Config{Conn: &endless{frame: frame}, Handler: &discard{}, Buffer: buffer})
	c.phase = open
	return c
}

func (c *Conn) readOne() error {
	p, err := c.next()
	if err == nil {
		c.trace(false, p.raw)
		err = c.handle(p)
	}
	return err
}

func BenchmarkRead(b *testing.B) {
	for name, size := range map[string]int{"64B": 64, "64KiB": 64 << 10, "256KiB": 256 << 10, "1MiB": 1 << 20} {
		b.Run(name, func(b *testing.B) {
			frame := publishFrame(size)
			spare := make([]byte, 0, headroom+len(frame)) // as recycled by the inbox
			c := flooded(frame, func(size int) []byte {
				if size <= cap(spare) {
					return spare
				}
				return make([]byte, 0, size)
			})
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				if err := c.readOne(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	for name, size := range map[string]int{"64B": 64, "64KiB": 64 << 10} {
		b.Run(name, func(b *testing.B) {
			c := newConn(Config{Conn: &endless{frame: []byte{0}}})
			frame := publishFrame(size)
			list := slices.Repeat([][]byte{frame}, max(1, frameSize/len(frame)))
			b.SetBytes(int64(len(frame) * len(list)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.writeJoined(list); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
