package broker

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	mochi "github.com/mochi-mqtt/server/v2/packets"
)

// lastingAs asks for a session that outlives its connection.
func lastingAs(id string) func(*packets.Connect) {
	return func(c *packets.Connect) {
		c.ClientID, c.CleanStart = id, false
		c.Properties.SessionExpiryInterval = ptr(uint32(60))
	}
}

// The oldest disconnected session makes room for a new one; connected sessions are kept.
func TestOldestSessionGivesWay(t *testing.T) {
	b := start(t, Options{lower: func(q *quotas) { q.sessions = 3 }, DataDir: t.TempDir()})
	connect(t, dialTCP(t, b), lastingAs("connected"))
	for _, id := range []string{"first", "second", "third"} {
		p := connect(t, dialTCP(t, b), lastingAs(id))
		p.subscribe("t", 1)
		p.disconnect()
		waitFor(t, b.policy.sessions.get(id).away)
	}
	for id, want := range map[string]bool{"connected": true, "first": false, "second": true, "third": true} {
		if got := b.policy.sessions.get(id) != nil; got != want {
			t.Errorf("%s is there: %v", id, got)
		}
	}
	if got := len(b.server.Topics.Subscribers("t").Subscriptions); got != 2 {
		t.Errorf("%d subscribers", got)
	}
}

// A disconnected session holds none of a connection's memory.
func TestMemoryOfLeftSessions(t *testing.T) {
	b := start(t, Options{})
	held := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const count, most = 200, 16 << 10
	before := held()
	for i := range count {
		p := connect(t, dialPipe(t, b), lastingAs(fmt.Sprint("left ", i)))
		p.subscribe("t", 1)
		p.disconnect()
		waitFor(t, b.policy.sessions.get(fmt.Sprint("left ", i)).away)
	}
	waitFor(t, func() bool { return held() < before+count*most })
	if got := len(b.server.Topics.Subscribers("t").Subscriptions); got != count {
		t.Errorf("%d subscribers", got)
	}
}

// brokenPipe delivers a CONNECT and fails every write.
type brokenPipe struct {
	net.Conn
	in bytes.Reader
}

func (c *brokenPipe) Read(p []byte) (int, error) { return c.in.Read(p) }
func (*brokenPipe) Write([]byte) (int, error)    { return 0, net.ErrClosed }

// A session whose connection breaks before CONNACK counts as disconnected, and can make
// room like any other.
func TestConnectionsThatBreakAtOnce(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), lastingAs("device"))
	p.subscribe("t", 1)
	p.disconnect()
	pub := connect(t, dialTCP(t, b), nil)
	for i := range 200 { // enough for resending to hit the broken connection
		pub.publish(uint16(i+1), 1, false, "t", "x")
		expect[packets.Puback](pub)
	}
	cp := packets.NewControlPacket(packets.CONNECT)
	lastingAs("device")(cp.Content.(*packets.Connect))
	var connect bytes.Buffer
	if _, err := cp.WriteTo(&connect); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		near, far := net.Pipe()
		_ = far.Close()
		b.ServeConn(&brokenPipe{near, *bytes.NewReader(connect.Bytes())})
		if !b.policy.sessions.get("device").away() {
			t.Fatal("it counts as connected")
		}
	}
}

// A user with too many sessions displaces only their own.
func TestSessionsOfOneUser(t *testing.T) {
	users, err := loadUsers(t, `[{"name": "alice", "hash": "HASH"}, {"name": "bob", "hash": "HASH"}]`)
	if err != nil {
		t.Fatal(err)
	}
	b := start(t, Options{Users: users, lower: func(q *quotas) { q.userSessions = 2 }})
	as := func(name, id string) func(*packets.Connect) {
		return func(c *packets.Connect) {
			lastingAs(id)(c)
			c.UsernameFlag, c.Username = true, name
			c.PasswordFlag, c.Password = true, []byte("pencil")
		}
	}
	connect(t, dialTCP(t, b), as("alice", "hers")).disconnect()
	for i := range 10 {
		id := fmt.Sprint("his", i)
		connect(t, dialTCP(t, b), as("bob", id)).disconnect()
		waitFor(t, b.policy.sessions.get(id).away)
	}
	if b.policy.sessions.get("hers") == nil || b.policy.sessions.get("his9") == nil || b.policy.sessions.get("his7") != nil {
		t.Error("the wrong session gave way")
	}
}

// Wrong passwords are rate-limited by address and by user name.
func TestWrongPasswordsAreSlowedDown(t *testing.T) {
	users, err := loadUsers(t, `[{"name": "alice", "hash": "HASH"}]`)
	if err != nil {
		t.Fatal(err)
	}
	b := start(t, Options{Users: users})
	try := func(password string) byte {
		p := &peer{t: t, conn: dialTCP(t, b)}
		cp := packets.NewControlPacket(packets.CONNECT)
		c := cp.Content.(*packets.Connect)
		c.UsernameFlag, c.Username = true, "alice"
		c.PasswordFlag, c.Password = true, []byte(password)
		p.send(cp)
		return expect[packets.Connack](p).ReasonCode
	}
	for range passwordBurst {
		if got := try("guess"); got != packets.ConnackBadUsernameOrPassword {
			t.Fatalf("reason %#x", got)
		}
	}
	if got := try("guess"); got != packets.ConnackConnectionRateExceeded {
		t.Errorf("reason %#x", got)
	}
}

// Behind a proxy on this machine all clients share its address: wrong passwords of one must
// not lock out the others.
func TestWrongPasswordsBehindAProxy(t *testing.T) {
	users, err := loadUsers(t, `[{"name": "alice", "hash": "HASH"}]`)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 * passwordBurst {
		for _, remote := range []string{"127.0.0.1:1", "[::1]:1", "192.0.2.1:1"} {
			_ = users.Authenticate(fmt.Sprint(remote, i), []byte("guess"), remote)
		}
	}
	for remote, want := range map[string]byte{
		"127.0.0.1:2": 0, "[::1]:2": 0, "192.0.2.1:2": packets.ConnackConnectionRateExceeded, "192.0.2.2:2": 0,
	} {
		if got := users.Authenticate("alice", []byte("pencil"), remote).Code; got != want {
			t.Errorf("from %s: reason %#x, want %#x", remote, got, want)
		}
	}
}

func TestSubscriptionsAreBounded(t *testing.T) {
	b := start(t, Options{lower: func(q *quotas) { q.subscriptions = 2 }})
	p := connect(t, dialTCP(t, b), nil)
	cp := packets.NewControlPacket(packets.SUBSCRIBE)
	s := cp.Content.(*packets.Subscribe)
	s.PacketID = 1
	for i := range 3 {
		s.Subscriptions = append(s.Subscriptions, packets.SubOptions{Topic: fmt.Sprint(i)})
	}
	for range 2 { // existing subscriptions may be replaced
		p.send(cp)
		if got := expect[packets.Suback](p).Reasons; got[0] != 0 || got[1] != 0 || got[2] != packets.SubackQuotaexceeded {
			t.Errorf("reasons %x", got)
		}
	}
}

// Before CONNECT is accepted, no packet makes the broker allocate much memory.
func TestLargeConnect(t *testing.T) {
	b := start(t, Options{})
	for _, first := range []string{"\x10\x80\x80\x40", "\x30\x80\x80\x40", "\x10\xff\xff\xff\xff\xff"} {
		c := dialTCP(t, b)
		if _, err := c.Write([]byte(first)); err != nil {
			t.Fatal(err)
		}
		(&peer{t: t, conn: c}).expectEnd()
	}
}

// 3.1.4: packets behind CONNECT need not wait for CONNACK, and the larger size limit
// applies to them.
func TestLargeMessageBehindConnect(t *testing.T) {
	b := start(t, Options{})
	var both bytes.Buffer
	connect := packets.NewControlPacket(packets.CONNECT)
	connect.Content.(*packets.Connect).CleanStart = true
	publish := packets.NewControlPacket(packets.PUBLISH)
	publish.Flags = 1 << 1
	*publish.Content.(*packets.Publish) = packets.Publish{
		Topic: "t", QoS: 1, PacketID: 1, Payload: make([]byte, 2*MaxConnectSize), Properties: &packets.Properties{},
	}
	for _, cp := range []*packets.ControlPacket{connect, publish} {
		if _, err := cp.WriteTo(&both); err != nil {
			t.Fatal(err)
		}
	}
	p := &peer{t: t, conn: dialTCP(t, b)}
	if _, err := p.conn.Write(both.Bytes()); err != nil {
		t.Fatal(err)
	}
	expect[packets.Connack](p)
	expect[packets.Puback](p)
}

func TestReadPacketFollowsLengths(t *testing.T) {
	stream := "\xc0\x00\x30\x03abc\x30\x80\x01" + strings.Repeat("x", 128) + "\xc0\x00\x30\x83\x01"
	for size := 1; size <= len(stream); size++ {
		in := bufio.NewReader(pieces{strings.NewReader(stream), size})
		for i, want := range []string{stream[:2], stream[2:7], stream[7:138], stream[138:140]} {
			var packet bytes.Buffer
			if err := ReadPacket(in, &packet, 130); err != nil || packet.String() != want {
				t.Fatalf("in pieces of %d, packet %d: % x %v", size, i, packet.Bytes(), err)
			}
		}
		if err := ReadPacket(in, new(bytes.Buffer), 130); !errors.Is(err, mochi.ErrPacketTooLarge) {
			t.Fatalf("in pieces of %d: %v", size, err)
		}
	}
}

// pieces reads at most size bytes at a time.
type pieces struct {
	io.Reader
	size int
}

func (p pieces) Read(b []byte) (int, error) { return p.Reader.Read(b[:min(len(b), p.size)]) }

// [MQTT-3.2.2-15]: a client that exceeds the Maximum Packet Size is told so.
func TestTooLargeIsTold(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), nil)
	if _, err := p.conn.Write([]byte{0x30, 0x80, 0x80, 0x80, 0x04}); err != nil {
		t.Fatal(err)
	}
	if got := expect[packets.Disconnect](p).ReasonCode; got != packets.DisconnectPacketTooLarge {
		t.Errorf("reason %#x", got)
	}
}

// The bytes held by sessions and retained messages are bounded.
func TestBytesAreBounded(t *testing.T) {
	const size = 64 << 10
	b := start(t, Options{lower: func(q *quotas) { q.retainedBytes, q.sessionBytes, q.allSessionBytes = 3*size, 3*size, 5*size }})
	pub := connect(t, dialTCP(t, b), nil)
	payload := strings.Repeat("x", size)
	publish := func(topic string, retain bool) byte {
		pub.publish(1, 1, retain, topic, payload)
		return expect[packets.Puback](pub).ReasonCode
	}
	for i, want := range []byte{0, 0, packets.PubackQuotaExceeded} {
		if got := publish(fmt.Sprint("kept/", i), true); got != want {
			t.Errorf("retained message %d: reason %#x", i, got)
		}
	}
	for _, id := range []string{"one", "two"} {
		p := connect(t, dialTCP(t, b), lastingAs(id))
		p.subscribe(id, 1)
		p.disconnect()
	}
	for range 10 { // the first session is full
		if got := publish("one", false); got != 0 {
			t.Fatalf("reason %#x", got)
		}
	}
	if got := b.policy.sessions.get("one").size(); got > 4*(size+2*overhead) {
		t.Errorf("it holds %d bytes", got)
	}
	refused := false
	for range 5 {
		refused = publish("two", false) == packets.PubackQuotaExceeded || refused
	}
	if held := b.policy.sessions.bytes.Load(); !refused || held > 7*size {
		t.Errorf("refused: %v, all sessions hold %d bytes", refused, held)
	}
	for _, id := range []string{"one", "two"} { // delivered messages no longer count
		p := connect(t, dialTCP(t, b), lastingAs(id))
		session := b.policy.sessions.get(id)
		session.mu.Lock()
		kept := len(session.sent)
		session.mu.Unlock()
		for range kept {
			p.puback(expect[packets.Publish](p).PacketID)
		}
		waitFor(t, func() bool { return b.policy.sessions.get(id).size() == 0 })
	}
}
