package mqtt

import (
	"context"
	"net"
	"reflect"
	"testing"
)

// The quick way through a PUBLISH is to accept nothing that the other refuses,
// and to understand the same.
func FuzzPlainPublish(f *testing.F) {
	f.Add(byte(0x30), []byte{0, 1, 't', 0, 'p'})
	f.Add(byte(0x3B), []byte{0, 1, 't', 0, 7, 0})
	f.Add(byte(0x32), []byte{0, 1, 't', 0, 0, 0})
	f.Add(byte(0x36), []byte{0, 1, 't', 0, 7, 0})
	f.Add(byte(0x30), []byte{0, 1, '#', 0})
	f.Add(byte(0x30), []byte{0, 2, 0xC3, 0xBC, 0})
	f.Add(byte(0x30), []byte{0, 0, 0})
	f.Add(byte(0x30), []byte{0, 1, 't', 2, 0x01, 1, 'p'})
	f.Fuzz(func(t *testing.T, flags byte, body []byte) {
		header := publish<<4 | flags&0x0F
		var quick publishPacket
		if !plainPublish(header, body, &quick) {
			return
		}
		slow, err := parsePublish(header, body)
		if err != nil || !reflect.DeepEqual(quick, slow) {
			t.Fatalf("% x: %+v, %+v, %v", body, quick, slow, err)
		}
	})
}

func TestPlainPublish(t *testing.T) {
	var p publishPacket
	if !plainPublish(0x3B, []byte{0, 3, 'a', '/', 'b', 1, 2, 0, 'x', 'y'}, &p) {
		t.Fatal("a plain PUBLISH is not known as one")
	}
	want := publishPacket{flags: 0x0B, topic: []byte("a/b"), id: 0x0102, payload: []byte("xy")}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("%+v instead of %+v", p, want)
	}
}

// endless gives the same frame whenever it is read.
type endless struct {
	net.Conn
	frame []byte
}

func (e endless) Read(p []byte) (int, error) { return copy(p, e.frame), nil }
func (endless) Lock()                        {}
func (endless) Unlock()                      {}

// BenchmarkReceive takes messages from the bytes that the socket gave to the batch that is handed over.
func BenchmarkReceive(b *testing.B) {
	const topic = "bench/flood/000000"
	packet := append([]byte{publish << 4, byte(2 + len(topic) + 1 + 64), 0, byte(len(topic))}, topic...)
	packet = append(packet, make([]byte, 1+64)...)
	var frame []byte
	for range 20 * 10 {
		frame = append(frame, packet...)
	}
	c := &Client{inbox: newInbox(1 << 40)}
	aliases := newAliases(0)
	l := newLink(endless{frame: frame}, 1<<20)
	l.connected = true
	l.onPublish = func(p *publishPacket, at float64) error { return c.accept(p, aliases, at) }
	for n := 0; b.Loop(); n++ {
		if err := l.next(); err != nil {
			b.Fatal(err)
		}
		if n%1000 == 999 {
			if _, _, err := c.inbox.take(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	}
}
