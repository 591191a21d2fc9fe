package mqtt

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
)

// scripted is a broker that does, byte by byte, what a test tells it to. It works
// natively and as WebAssembly, because nothing leaves the process.
type scripted struct {
	t     *testing.T
	dials chan *brokerConn
}

func newScripted(t *testing.T) *scripted {
	return &scripted{t: t, dials: make(chan *brokerConn, 16)}
}

func (s *scripted) dial(context.Context, string) (net.Conn, error) {
	ours, theirs := mqtttest.Pipe()
	s.dials <- &brokerConn{t: s.t, Conn: theirs}
	return ours, nil
}

func (s *scripted) options() Options {
	return Options{URL: "ws://broker.example/mqtt", Dial: s.dial, ClientID: "test", ReconnectMin: time.Millisecond}
}

// next returns the next connection that the client makes.
func (s *scripted) next() *brokerConn { return <-s.dials }

type brokerConn struct {
	net.Conn
	t *testing.T
}

func (b *brokerConn) send(bytes ...byte) {
	if _, err := b.Write(bytes); err != nil {
		b.t.Errorf("broker: write: %v", err)
	}
}

// read returns the client's next packet other than PINGREQ; nil at the end.
func (b *brokerConn) read() *packets.ControlPacket {
	for {
		p, err := readPacket(b)
		if err != nil {
			return nil
		}
		if p.Type != packets.PINGREQ {
			return p
		}
	}
}

func readPacket(r io.Reader) (*packets.ControlPacket, error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	if bytes.Equal(head, []byte{0xE0, 0}) { // which paho can't read (3.14.2.1)
		return packets.NewControlPacket(packets.DISCONNECT), nil
	}
	return packets.ReadPacket(io.MultiReader(bytes.NewReader(head), r))
}

// nothing checks that the client sends nothing more. It needs a synctest bubble.
func (b *brokerConn) nothing() {
	b.t.Helper()
	synctest.Wait()
	if came := b.Conn.(*mqtttest.End).Unread(); len(came) > 0 {
		b.t.Errorf("broker: % x came", came)
	}
}

// expect reads exactly these bytes.
func (b *brokerConn) expect(want ...byte) {
	b.t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(b, got); err != nil || !bytes.Equal(got, want) {
		b.t.Errorf("broker: read % x (%v), want % x", got, err, want)
	}
}

// accept answers CONNECT with success and the given CONNACK properties.
func (b *brokerConn) accept(sessionPresent byte, props ...byte) *packets.Connect {
	b.t.Helper()
	p := b.read()
	if p == nil || p.Type != packets.CONNECT {
		b.t.Errorf("broker: got %v, want CONNECT", p)
		return nil
	}
	b.send(append([]byte{0x20, byte(3 + len(props)), sessionPresent, 0, byte(len(props))}, props...)...)
	return p.Content.(*packets.Connect)
}

// eventLog collects a client's events.
type eventLog chan Event

func (l eventLog) on(ev Event) { l <- ev }

// wait returns the next event of type E.
func wait[E Event](l eventLog) E {
	for ev := range l {
		if e, ok := ev.(E); ok {
			return e
		}
	}
	panic("no event")
}

// start connects a client to a scripted broker whose CONNACK has these
// properties.
func start(t *testing.T, change func(*Options), props ...byte) (*Client, *scripted, *brokerConn, eventLog) {
	t.Helper()
	s := newScripted(t)
	log := make(eventLog, 1000)
	o := s.options()
	o.OnEvent = log.on
	if change != nil {
		change(&o)
	}
	conns := make(chan *brokerConn, 1)
	go func() {
		b := s.next()
		b.accept(0, props...)
		conns <- b
	}()
	c, err := Connect(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	b := <-conns
	t.Cleanup(func() {
		_ = b.Close()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = c.Disconnect(ctx, DisconnectOptions{Force: true})
		<-c.Done()
	})
	return c, s, b, log
}
