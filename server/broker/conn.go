package broker

import (
	"bufio"
	"bytes"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// conn is a connection as mochi sees it. It enforces the peer's Receive Maximum, and
// its Close lets the peer read what was written last: an abrupt close would lose a
// DISCONNECT and its reason (RFC 1122, 4.2.2.13).
//
// Write never blocks, since mochi calls it with locks held that publishers need. What
// is written goes to an outbox, and a goroutine of the connection sends it.
type conn struct {
	net.Conn
	// farewell closes Conn within CloseTimeout.
	farewell func()
	gone     chan struct{} // closed when that is done, after the last packet
	raw      *socket       // under Conn
	closed   atomic.Bool
	reading  atomic.Bool
	budget   *budget

	// used by the goroutine that reads
	in       *bufio.Reader
	packet   bytes.Buffer  // the packet being read
	unread   []byte        // what mochi has not read of it
	idle     time.Duration // that is allowed; 0: any
	waits    time.Time     // since when there was nothing of the packet
	version  int           // of MQTT; 0: before CONNECT
	told     bool          // its end was reported (policy.tell)
	asks     bool          // it expects a CONNACK of MQTT 5
	handling bool          // mochi is handling a packet that it has decoded
	session  *session
	resumes  bool            // the session was there before
	reply    packets.Packet  // to the packet that is handled, if it has a type
	receipt  *receipt        // and what it waits for
	filters  int             // in the SUBSCRIBE that is handled
	client   *mqtt.Client    // nil until the broker has accepted it
	will     *packets.Packet // nil without one, and after DISCONNECT
	parting  *packets.Packet // a will that is due
	locked   sync.Locker     // held while a message is delivered, or a session taken over

	mu       sync.Mutex // guards the following, and the deadline for reading
	began    time.Time  // when the first bytes of the packet arrived
	arrived  int        // bytes since then
	moved    sync.Cond  // something was put into the outbox, or nothing will be any more
	flow     flow
	outbox   []byte
	unsent   int           // bytes: those in the outbox and those being sent
	dead     bool          // a write has failed
	departed bool          // OnDisconnect was called
	drained  chan struct{} // not nil: somebody waits for it to be closed (drain)
}

// budget bounds what waits to be sent, in bytes.
type budget struct {
	one     int   // to one client
	all     int64 // to all of them; above it each may have only its share
	used    atomic.Int64
	dropped *int64 // messages of QoS 0
}

// full reports whether a client with so many unsent bytes gets nothing more.
func (b *budget) full(unsent int) bool {
	return unsent > b.one || unsent > b.one/32 && b.used.Load() > b.all
}

// newConn also starts the goroutine that sends.
func newConn(c net.Conn, most *budget, farewell func()) *conn {
	owner := &conn{Conn: c, in: bufio.NewReader(c), farewell: farewell, budget: most, gone: make(chan struct{}), flow: newFlow()}
	owner.moved.L = &owner.mu
	go owner.sendAll()
	return owner
}

// answer sends the acknowledgements that are due.
func (c *conn) answer() {
	c.mu.Lock()
	due := len(c.flow.acks) > 0 && c.flow.acks[0].settled
	c.mu.Unlock()
	if due {
		// A client that subscribed to what it publishes is about to get that message:
		// let it go first, so that the acknowledgement shares its frame.
		runtime.Gosched()
		_ = c.transmit((*flow).answers)
	}
}

func (c *conn) Read(p []byte) (int, error) {
	c.reading.Store(true)
	defer c.reading.Store(false)
	if c.makeRoom(); c.closed.Load() {
		return 0, net.ErrClosed
	}
	if len(c.unread) == 0 {
		err := c.next()
		if c.closed.Load() {
			return 0, net.ErrClosed
		}
		if err != nil {
			return 0, err
		}
		c.unread = c.packet.Bytes()
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

// next reads and checks a packet.
func (c *conn) next() error {
	if c.packet.Reset(); c.packet.Cap() > sendSize { // an idle connection needs none
		c.packet = bytes.Buffer{}
	}
	c.waits = time.Now()
	c.mu.Lock()
	c.arrived = 0
	c.mu.Unlock()
	most := maxPacketSize
	if c.version == 0 {
		most = MaxConnectSize
	}
	if err := ReadPacket(c.in, &c.packet, most); err != nil {
		if c.version == 0 && c.packet.Bytes()[0]>>4 == packets.Connect { // for example too large (4.13.1)
			head, _ := c.in.Peek(min(7, c.in.Buffered()))
			c.asks = string(head) == "\x00\x04MQTT\x05"
		}
		return err
	}
	return c.check(c.packet.Bytes())
}

// makeRoom waits while more acknowledgements are held back than the broker's Receive
// Maximum: a client that goes on publishing, as on a full disk, is not read.
func (c *conn) makeRoom() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.flow.acks) > receiveMaximum && !c.flow.ended && !c.dead {
		waiting := len(c.flow.acks)
		if c.put(c.flow.answers()); len(c.flow.acks) == waiting {
			c.moved.Wait()
		}
	}
}

func (c *conn) Write(p []byte) (int, error) {
	return len(p), c.transmit(func(f *flow) []byte { return f.admit(p) })
}

// transmit puts what the flow releases into the outbox. A lost connection ends in its
// Read, not here: DISCONNECT may have arrived before.
func (c *conn) transmit(step func(*flow) []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flow.ended || c.dead {
		return nil
	}
	c.flow.full = c.budget.full(c.unsent)
	c.put(step(&c.flow))
	if c.flow.dropped > 0 {
		atomic.AddInt64(c.budget.dropped, int64(c.flow.dropped))
		c.flow.dropped = 0
	}
	if c.unsent > c.budget.one+2*maxPacketSize { // answers to a peer that sends without reading
		c.dead = true
		go c.Conn.Close() // mochi notices when it reads; it must not wait now
		return net.ErrClosed
	}
	return nil
}

// put adds to the outbox, which nobody empties any more once a write has failed. The
// caller holds mu.
func (c *conn) put(p []byte) {
	if len(p) == 0 || c.dead {
		return
	}
	c.outbox = append(c.outbox, p...)
	c.count(len(p))
	c.moved.Broadcast()
}

// count updates the number of unsent bytes. The caller holds mu.
func (c *conn) count(bytes int) {
	c.unsent += bytes
	c.budget.used.Add(int64(bytes))
}

// sendAll sends what is put into the outbox until the last packet is sent, or the peer
// has read nothing for stallTimeout, and then calls farewell.
func (c *conn) sendAll() {
	defer close(c.gone)
	defer c.farewell()
	var out []byte
	for {
		c.mu.Lock()
		for len(c.outbox) == 0 && !c.flow.ended {
			c.flow.full = false
			if c.put(c.flow.release()); len(c.outbox) == 0 { // what the full outbox held back
				c.moved.Wait()
			}
		}
		out, c.outbox = c.outbox, out[:0]
		c.mu.Unlock()
		if len(out) == 0 {
			return
		}
		for chunk := range slices.Chunk(out, sendSize) {
			if err := c.send(chunk); err != nil {
				c.drain() // the peer may have left in order
				_ = c.Conn.Close()
				return
			}
		}
		if cap(out) > 4*sendSize { // an idle connection needs none
			out = nil
		}
	}
}

func (c *conn) send(p []byte) error {
	c.mu.Lock()
	patience := stallTimeout
	if c.flow.ended {
		patience = CloseTimeout
	}
	_ = c.SetWriteDeadline(time.Now().Add(patience))
	c.mu.Unlock()
	_, err := c.Conn.Write(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count(-len(p))
	if err != nil {
		c.count(-c.unsent)
		c.dead, c.outbox = true, nil
		c.moved.Broadcast()
	}
	return err
}

// leave sends what is due and DISCONNECT, if any, as the last packet. mochi would queue
// it behind what a slow peer has not read yet.
func (c *conn) leave(disconnect []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.SetWriteDeadline(time.Now().Add(CloseTimeout))
	if !c.flow.ended {
		c.put(append(c.flow.answers(), disconnect...))
		c.flow.ended = true
	}
	c.moved.Broadcast()
}

// Close returns at once: the farewell goes on in the background, once the goroutine
// that reads has reported the cause (tell). If that is waiting for the peer there is no
// cause to report.
func (c *conn) Close() error {
	if !c.closed.Swap(true) && c.reading.Load() {
		c.leave(nil)
	}
	return nil
}

// SetDeadline sets how long the client may be silent from when its next packet is read:
// writing and the farewell have deadlines of their own.
func (c *conn) SetDeadline(t time.Time) error {
	c.idle = 0 // without a limit
	if !t.IsZero() {
		c.idle = time.Until(t)
	}
	return nil
}

// connOf returns nil for a client that has no connection.
func connOf(cl *mqtt.Client) *conn {
	c, _ := cl.Net.Conn.(*conn)
	return c
}

func transmit(cl *mqtt.Client, step func(*flow) []byte) {
	if c := connOf(cl); c != nil {
		_ = c.transmit(step)
	}
}

// lock holds off deliveries, or a takeover of the session, until delivered.
func (c *conn) lock(by sync.Locker) {
	by.Lock()
	c.locked = by
}

func (c *conn) delivered() {
	if c.locked != nil {
		c.locked.Unlock()
		c.locked = nil
	}
}
