package broker

import (
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// A slow subscriber within its limits gets every message.
func TestSlowSubscriber(t *testing.T) {
	b := start(t, Options{})
	const total = 4 * receiveMaximum
	slow := connect(t, dialTCP(t, b), func(c *packets.Connect) { c.Properties.ReceiveMaximum = ptr(uint16(1)) })
	slow.subscribe("many", 2)
	pub := connect(t, dialTCP(t, b), nil)
	for i := range total { // all of them are queued before the first is acknowledged
		pub.publish(uint16(i+1), 1, false, "many", fmt.Sprint(i))
		expect[packets.Puback](pub)
	}
	for i := range total {
		m := expect[packets.Publish](slow)
		if got, want := string(m.Payload), fmt.Sprint(i); got != want {
			t.Fatalf("message %s where %s was expected", got, want)
		}
		slow.puback(m.PacketID)
	}
}

// A subscriber that exceeds its limit is told so (4.13), and later gets everything its
// session holds.
func TestSubscriberBeyondItsLimit(t *testing.T) {
	const limit = 10
	b := start(t, Options{lower: func(q *quotas) { q.inflight = limit }})
	lasting := func(c *packets.Connect) {
		c.ClientID, c.CleanStart = "slow", false
		c.Properties.SessionExpiryInterval = ptr(uint32(60))
		c.Properties.ReceiveMaximum = ptr(uint16(1))
	}
	slow := connect(t, dialTCP(t, b), lasting)
	slow.subscribe("many", 1)
	pub := connect(t, dialTCP(t, b), nil)
	for i := range limit {
		pub.publish(uint16(i+1), 1, false, "many", fmt.Sprint(i))
		expect[packets.Puback](pub)
		if i == 0 { // Receive Maximum allows only this one; DISCONNECT overtakes unsent messages
			expect[packets.Publish](slow)
		}
	}
	if got := expect[packets.Disconnect](slow).ReasonCode; got != packets.DisconnectQuotaExceeded {
		t.Errorf("DISCONNECT reason %#x", got)
	}
	slow.expectEnd()

	slow = connect(t, dialTCP(t, b), lasting)
	for i := range limit {
		m := expect[packets.Publish](slow)
		if got, want := string(m.Payload), fmt.Sprint(i); got != want {
			t.Fatalf("message %s where %s was expected", got, want)
		}
		slow.puback(m.PacketID)
	}
}

// [MQTT-3.1.4-3]: a connection that does not read neither keeps its successor out nor
// delays publishers.
func TestStalledConnection(t *testing.T) {
	b := start(t, Options{})
	same := func(c *packets.Connect) { c.ClientID = "same" }
	stalled := connect(t, dialPipe(t, b), same) // a pipe has no buffer
	stalled.subscribe("t", 0)
	pub := connect(t, dialTCP(t, b), nil)
	for range maxPending + 10 {
		pub.publish(1, 1, false, "t", "unread")
		expect[packets.Puback](pub)
	}
	connect(t, dialTCP(t, b), same)
}

// [MQTT-4.3.3-10]: a QoS 2 message that is sent twice is acknowledged twice and delivered
// once.
func TestResentPublish(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), nil)
	p.subscribe("t", 0)
	for range 2 {
		p.publish(7, 2, false, "t", "once")
	}
	release := packets.NewControlPacket(packets.PUBREL)
	release.Content.(*packets.Pubrel).PacketID = 7
	p.send(release)
	p.publish(0, 0, false, "t", "last") // delivered in order
	publishes, pubrecs := 0, 0
	for last := false; !last || pubrecs < 2; {
		cp, err := packets.ReadPacket(p.conn)
		if err != nil {
			t.Fatal(err)
		}
		switch m := cp.Content.(type) {
		case *packets.Publish:
			if last = string(m.Payload) == "last"; !last {
				publishes++
			}
		case *packets.Pubrec:
			pubrecs++
			if m.ReasonCode != 0 {
				t.Errorf("PUBREC reason %#x", m.ReasonCode)
			}
		}
	}
	if publishes != 1 {
		t.Errorf("%d deliveries", publishes)
	}
}

// Idle connections make room for clients.
func TestSilentConnections(t *testing.T) {
	const most = 10
	b := start(t, Options{lower: func(q *quotas) { q.connections = most }})
	var silent []net.Conn
	for range 3 * most {
		near, far := net.Pipe()
		silent = append(silent, near)
		go b.ServeConn(far)
		waitFor(t, func() bool { return b.gate.has(far) }) // one registered later could displace a client
	}
	for range most { // displaces all of them
		connect(t, dialTCP(t, b), nil)
	}
	for _, c := range silent {
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("a silent connection got an answer")
		}
	}
	// No idle connection is left to displace.
	if _, err := dialTCP(t, b).Read(make([]byte, 1)); err == nil {
		t.Error("a connection too many got an answer")
	}
}

// A subscriber that stops reading, at any QoS, delays neither publishers nor other
// subscribers. Its messages stay in its session.
func TestStalledSubscriberHoldsUpNobody(t *testing.T) {
	b := start(t, Options{})
	stalled := connect(t, dialPipe(t, b), func(c *packets.Connect) {
		c.ClientID, c.CleanStart = "stalled", false
		c.Properties.SessionExpiryInterval = ptr(uint32(60))
	})
	stalled.subscribe("t", 2)
	healthy := connect(t, dialTCP(t, b), nil)
	healthy.subscribe("t", 1)
	pub := connect(t, dialTCP(t, b), nil)
	const total = 200
	began := time.Now()
	for i := range total {
		pub.publish(uint16(i+1), 1, false, "t", fmt.Sprint(i))
		expect[packets.Puback](pub)
		m := expect[packets.Publish](healthy)
		if string(m.Payload) != fmt.Sprint(i) {
			t.Fatalf("message %s where %d was expected", m.Payload, i)
		}
		healthy.puback(m.PacketID)
	}
	if took := time.Since(began); took > stallTimeout/2 {
		t.Errorf("it took %v", took)
	}
	for i := range total { // reading again
		if m := expect[packets.Publish](stalled); string(m.Payload) != fmt.Sprint(i) {
			t.Fatalf("message %s where %d was expected", m.Payload, i)
		}
	}
}

// The bytes queued for clients that do not read are bounded, for each client and in total.
// Other clients go on, and no QoS 1 message is lost.
func TestUnreadBytesAreBounded(t *testing.T) {
	const one, size, clients, total = 256 << 10, 4 << 10, 20, 60
	b := start(t, Options{lower: func(q *quotas) { q.unsent = one }})
	deaf := make([]*peer, clients)
	for i := range deaf {
		deaf[i] = connect(t, dialPipe(t, b), nil)
		deaf[i].subscribe("flood/#", byte(i%2))
	}
	healthy := connect(t, dialTCP(t, b), nil)
	healthy.subscribe("flood/0", 0)
	pub := connect(t, dialTCP(t, b), nil)
	payload := strings.Repeat("x", size)
	for i := range total {
		pub.publish(uint16(i+1), 1, false, fmt.Sprintf("flood/%d", i%2), payload)
		expect[packets.Puback](pub)
		if i%2 == 0 {
			expect[packets.Publish](healthy)
		}
		if got := b.unsent.used.Load(); got > b.unsent.all+clients*(one/32+2*size) {
			t.Fatalf("%d KiB wait", got>>10)
		}
	}
	for range total {
		m := expect[packets.Publish](deaf[1])
		deaf[1].puback(m.PacketID)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if got := b.unsent.used.Load(); got != 0 {
		t.Errorf("%d bytes are still counted", got)
	}
}

func (g *Gate) has(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for open := range g.open {
		if in, ok := open.(*socket); ok && in.Conn == c {
			return true
		}
	}
	return false
}

// Messages dropped for a client that does not read are counted.
func TestDroppedMessagesAreCounted(t *testing.T) {
	const total = 300
	b := start(t, Options{lower: func(q *quotas) { q.unsent = 64 << 10 }})
	deaf := connect(t, dialPipe(t, b), nil)
	deaf.subscribe("flood", 0)
	deaf.subscribe("end", 1)
	pub := connect(t, dialTCP(t, b), nil)
	for range total {
		pub.publish(1, 1, false, "flood", strings.Repeat("x", 4<<10))
		expect[packets.Puback](pub)
	}
	pub.publish(1, 1, false, "end", "")
	expect[packets.Puback](pub)
	received := 0
	for expect[packets.Publish](deaf).Topic != "end" {
		received++
	}
	if got := b.Stats()["messages_dropped_total"]; got == 0 || got != int64(total-received) {
		t.Errorf("%d are counted as dropped, of %d with %d received", got, total, received)
	}
}

// slowToClose is a connection whose Close blocks until the test releases it.
type slowToClose struct {
	net.Conn
	let chan struct{}
}

func (c slowToClose) Close() error { <-c.let; return nil }

// The gate does not wait for a displaced connection to close.
func TestGateWaitsForNoClose(t *testing.T) {
	g, let := NewGate(1), make(chan struct{})
	old, _ := net.Pipe()
	g.Watch(slowToClose{old, let}, http.StateNew)
	first, second := make(chan struct{}), make(chan struct{})
	one, other := net.Pipe()
	go func() { g.Watch(one, http.StateNew); close(first) }() // closes old
	for {
		g.mu.Lock()
		_, open := g.open[one]
		g.mu.Unlock()
		if open {
			break
		}
		runtime.Gosched()
	}
	go func() { g.Watch(other, http.StateClosed); close(second) }()
	<-second
	close(let)
	<-first
}

// A WebSocket that is displaced while its password is checked does not delay the newcomer
// by its close handshake.
func TestGateWaitsForNoHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		users, err := loadUsers(t, `[{"name": "alice", "hash": "HASH"}]`)
		if err != nil {
			t.Fatal(err)
		}
		b := start(t, Options{Users: users, lower: func(q *quotas) { q.connections = 1 }})
		for range cap(users.hashing) {
			users.hashing <- struct{}{}
		}
		near, far := net.Pipe()
		p := &peer{t: t, conn: webSocketOver(t, b, near, far)}
		p.send(packets.NewControlPacket(packets.CONNECT))
		synctest.Wait()
		began := time.Now()
		_, newcomer := net.Pipe()
		b.gate.Watch(newcomer, http.StateNew)
		if took := time.Since(began); took > 0 {
			t.Errorf("it took %v", took)
		}
		_ = newcomer.Close()
		for range cap(users.hashing) {
			<-users.hashing
		}
	})
}

// What can't be sent any more does not count against the budget of all connections.
func TestBudgetOfDeadConnections(t *testing.T) {
	near, far := net.Pipe()
	all := &budget{one: 1 << 20, all: 1 << 20, dropped: new(int64)}
	raw := &socket{Conn: far}
	c := raw.carry(newConn(raw, all, func() {}))
	c.depart() // nobody reads
	_ = near.Close()
	_, _ = c.Write([]byte("\x20\x03\x00\x00\x00"))
	<-c.gone
	c.leave([]byte("\xe0\x01\x82"))
	if used := all.used.Load(); used != 0 {
		t.Errorf("%d bytes are counted", used)
	}
}
