package broker

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/eclipse/paho.golang/packets"
)

// held returns the number of acks that wait for the disk.
func (c *conn) held() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.flow.acks)
}

// readable yields PINGREQ packets without end, and reports how many acks are held at each
// Read.
type readable struct {
	net.Conn
	owner *conn
	held  chan int
}

func (r *readable) Read(p []byte) (int, error) {
	r.held <- r.owner.held()
	return copy(p, "\xc0\x00"), nil
}

// A client that keeps sending while its acks wait for the disk is not read until they are
// sent or the connection is closed.
func TestAnswersAreBounded(t *testing.T) {
	for name, end := range map[string]func(c *conn, answers []*ack){
		"answered": func(c *conn, answers []*ack) {
			_ = c.transmit(func(f *flow) []byte { answers[0].settled, answers[1].settled = true, true; return f.answers() })
		},
		"closed": func(c *conn, _ []*ack) { _ = c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				go func() { _, _ = io.Copy(io.Discard, far) }()
				in := &readable{Conn: near, held: make(chan int, 1)}
				c := newConn(in, &budget{one: 1 << 20, all: 1 << 20, dropped: new(int64)}, func() { _ = near.Close() })
				in.owner = c
				var answers []*ack
				_ = c.transmit(func(f *flow) []byte {
					for range receiveMaximum + 2 {
						f.handle()
						f.current.packet = []byte{0x40, 2, 0, 1}
						answers = append(answers, f.handled())
					}
					return nil
				})
				read := make(chan error, 1)
				go func() {
					_, err := c.Read(make([]byte, 2))
					read <- err
				}()
				synctest.Wait()
				select {
				case held := <-in.held:
					t.Errorf("it is read while %d answers wait", held)
				default:
				}
				end(c, answers)
				if err := <-read; (err != nil) != (name == "closed") {
					t.Error(err)
				}
				c.leave(nil)
				_ = c.Close()
				<-c.gone
			})
		})
	}
}

// No packet is lost while acks wait for the disk.
func TestAnswersThatWaitForTheDisk(t *testing.T) {
	const total = 3 * receiveMaximum
	b := start(t, Options{DataDir: t.TempDir()})
	p := connect(t, dialTCP(t, b), lastingAs("device"))
	p.publish(1, 2, false, "t", "x")
	expect[packets.Pubrec](p)
	hold, err := b.policy.store.db.Begin(true) // nothing is written meanwhile
	if err != nil {
		t.Fatal(err)
	}
	var release bytes.Buffer
	for id := range total {
		release.Write([]byte{0x62, 2, byte((id + 1) >> 8), byte(id + 1)})
	}
	sent := make(chan error, 1)
	go func() {
		_, err := p.conn.Write(release.Bytes())
		sent <- err
	}()
	cl, _ := b.server.Clients.Get("device")
	waitFor(t, func() bool { return connOf(cl).held() > receiveMaximum })
	if err := hold.Rollback(); err != nil {
		t.Fatal(err)
	}
	for id := range total {
		if ack := expect[packets.Pubcomp](p); int(ack.PacketID) != id+1 {
			t.Fatalf("PUBCOMP for %d where %d is due", ack.PacketID, id+1)
		}
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}
