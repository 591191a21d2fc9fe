package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"
)

// bystanders are clients in normal use that an attack on others must not disturb.
type bystanders map[string]net.Conn

func (s *instance) bystanders(t *testing.T) bystanders {
	t.Helper()
	b := bystanders{"TCP": dialTCP(t, s.tcp), "WebSocket": s.dialWebSocket(t)}
	for name, c := range b {
		connectMQTT(t, c, "")
		subscribe(t, c, 1, name)
	}
	return b
}

func (s *instance) dialWebSocket(t *testing.T) net.Conn {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), strings.Replace(s.url, "http", "ws", 1)+"mqtt", &websocket.DialOptions{
		Subprotocols: []string{"mqtt"},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := websocket.NetConn(context.Background(), ws, websocket.MessageBinary)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// undisturbed checks that messages still reach the bystanders and that new clients are
// served.
func (b bystanders) undisturbed(t *testing.T, s *instance) {
	t.Helper()
	newcomers := map[string]net.Conn{"TCP": dialTCP(t, s.tcp), "WebSocket": s.dialWebSocket(t)}
	for name, c := range newcomers {
		connectMQTT(t, c, "")
		cp := packets.NewControlPacket(packets.PUBLISH)
		cp.Flags = 1 << 1
		content := cp.Content.(*packets.Publish)
		content.PacketID, content.QoS, content.Topic, content.Payload = 1, 1, name, []byte("still here")
		if _, err := cp.WriteTo(c); err != nil {
			t.Fatal(err)
		}
		receive[packets.Puback](t, c)
		m := receive[packets.Publish](t, b[name])
		if string(m.Payload) != "still here" {
			t.Errorf("%s: got %q", name, m.Payload)
		}
		ack := packets.NewControlPacket(packets.PUBACK)
		ack.Content.(*packets.Puback).PacketID = m.PacketID
		if _, err := ack.WriteTo(b[name]); err != nil {
			t.Error(err)
		}
	}
	if response, _ := fetch(t, http.DefaultClient, s.url+"healthz"); response.StatusCode != http.StatusOK {
		t.Errorf("/healthz: %d", response.StatusCode)
	}
}

func (s *instance) dialHTTP(t *testing.T) net.Conn {
	t.Helper()
	return dialTCP(t, strings.Trim(s.url, "htp:/"))
}

// ended waits for the server to close the connection, and returns what it had sent.
func ended(t *testing.T, c net.Conn) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(2 * patience))
	said, err := io.ReadAll(c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection stays open, after %q", said)
	}
	return string(said)
}

func TestSlowHeaders(t *testing.T) {
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "127.0.0.1:0")
	b := s.bystanders(t)
	var slow []net.Conn
	for i := range 100 {
		c := s.dialHTTP(t)
		if _, err := fmt.Fprintf(c, "GET /%d HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", i); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, c)
	}
	b.undisturbed(t, s)
	for _, c := range slow {
		if said := ended(t, c); said != "" && !strings.Contains(said, " 408 ") {
			t.Errorf("a request that never ends was answered: %q", said)
		}
	}
	b.undisturbed(t, s)
}

func TestHeaderFlood(t *testing.T) {
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "127.0.0.1:0")
	b := s.bystanders(t)
	for name, flood := range map[string]string{
		"many":       strings.Repeat("X-Flood: x\r\n", 10_000),
		"long":       "X-Flood: " + strings.Repeat("x", 100_000),
		"long path":  strings.Repeat("x", 100_000),
		"no headers": strings.Repeat("\r\n", 50_000),
	} {
		c := s.dialHTTP(t)
		head := "GET / HTTP/1.1\r\nHost: localhost\r\n"
		switch name {
		case "long path":
			head = "GET /"
		case "no headers":
			head = ""
		}
		go func() { _, _ = io.WriteString(c, head+flood) }() // the server may cut it off
		if said := ended(t, c); said != "" && !strings.HasPrefix(said, "HTTP/1.1 4") {
			t.Errorf("%s: %.100q", name, said)
		}
	}
	b.undisturbed(t, s)
}

func TestPathTraversal(t *testing.T) {
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "")
	for _, path := range []string{
		"/../main.go", "/../../../../etc/passwd", "/assets/../../main.go", "/./.gitkeep", "/.gitkeep", "/.vite/manifest.json",
		"/%2e%2e/main.go", "/%2e%2e%2f%2e%2e%2fetc/passwd", "/..%2f..%2fetc%2fpasswd", "/%252e%252e/etc/passwd", "/..%c0%af..%c0%afetc/passwd",
		"/..%5c..%5cetc%5cpasswd", `/..\..\etc\passwd`, "//etc/passwd", "///etc/passwd", "/%2fetc/passwd", "/etc/passwd",
		"/index.html%00.js", "/%00", "/index.html/", "/assets/", "/assets", "/index.html.br", "/%69ndex.html/../../etc/passwd",
		"http://evil.example/etc/passwd", "*", "/%zz", "/?../../etc/passwd#", "/config.json/..%2f..%2fetc/passwd",
	} {
		c := s.dialHTTP(t)
		if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		page := strings.HasPrefix(path, "/?")
		if response.StatusCode == http.StatusOK && !page || strings.Contains(string(body), "root:") {
			t.Errorf("%s: %d %.100q", path, response.StatusCode, body)
		}
		if location := response.Header.Get("Location"); location != "" && !strings.HasPrefix(location, "/") || strings.HasPrefix(location, "//") {
			t.Errorf("%s is redirected to %s", path, location)
		}
	}
}

// Ten thousand connections that send nothing, or an incomplete request.
func TestHalfOpenSockets(t *testing.T) {
	if testing.Short() {
		t.Skip("opens 10,000 sockets")
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	// A connection that the server keeps takes two file descriptors here, one for each end.
	total := 10_000
	if room := int(limit.Cur) - maxHTTPConns - 3000 - 500; room < total {
		t.Logf("only %d: this process may have %d files open", room, limit.Cur)
		total = room
	}
	if total < 1000 {
		t.Skip("too few files can be open here")
	}
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "127.0.0.1:0")
	b := s.bystanders(t)
	addresses := []string{strings.Trim(s.url, "htp:/"), s.tcp}
	saying := []string{"", "GET / HTTP/1.1\r\nHost:", "", "\x10\x20\x00\x04MQTT"}
	conns := make([]net.Conn, 0, total)
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for i := range total {
		c, err := net.Dial("tcp", addresses[i%2])
		if err != nil {
			t.Fatalf("after %d: %v", i, err)
		}
		conns = append(conns, c)
		// The server may have dropped this connection already.
		_, _ = io.WriteString(c, saying[i%2*2+i/2%2])
		if i%2000 == 0 {
			b.undisturbed(t, s)
		}
	}
	b.undisturbed(t, s)
}

// Every packet, truncated after each byte of its content.
func TestTruncatedPackets(t *testing.T) {
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "127.0.0.1:0")
	b := s.bystanders(t)
	for name, packet := range map[string]string{
		"CONNECT":     "\x10\x17\x00\x04MQTT\x05\xc6\x00\x3c\x00\x00\x01c\x00\x00\x01w\x00\x01p\x00\x00",
		"PUBLISH":     "\x34\x09\x00\x01t\x00\x01\x02\x01\x01x",
		"PUBACK":      "\x40\x04\x00\x01\x00\x00",
		"PUBREL":      "\x62\x04\x00\x01\x00\x00",
		"SUBSCRIBE":   "\x82\x07\x00\x01\x00\x00\x01a\x00",
		"UNSUBSCRIBE": "\xa2\x06\x00\x01\x00\x00\x01a",
		"DISCONNECT":  "\xe0\x07\x00\x05\x11\x00\x00\x00\x00",
		"AUTH":        "\xf0\x06\x18\x04\x15\x00\x01a",
		"reserved":    "\x00\x02ab",
		"length":      "\x30\xff\xff\xff\xff\x7f",
		"too long":    "\x30\xff\xff\xff\x7f",
	} {
		for length := range len(packet) - 1 {
			for transport, c := range map[string]net.Conn{"TCP": dialTCP(t, s.tcp), "WebSocket": s.dialWebSocket(t)} {
				if name != "CONNECT" {
					connectMQTT(t, c, "")
				}
				cut := packet[:1] + string(rune(length)) + packet[2:2+length]
				if packet[1] >= 0x80 { // the length itself is malformed
					cut = packet
				}
				if _, err := io.WriteString(c, cut); err != nil {
					t.Fatalf("%s over %s: %v", name, transport, err)
				}
				_ = c.Close()
			}
		}
	}
	b.undisturbed(t, s)
}

// attack is an attempt by one user, mallory, to exceed the broker's limits, which the
// broker refuses with a reason code.
type attack struct {
	name string
	run  func(t *testing.T, address string)
}

func attacks(identifiers int) []attack {
	return []attack{
		{"topics and filters of 10,000 levels", deepTopics},
		{"100,000 subscriptions of one client", manySubscriptions},
		{fmt.Sprintf("%d client identifiers of one user", identifiers), func(t *testing.T, address string) {
			manySessions(t, address, identifiers)
		}},
	}
}

func as(user string, with func(*packets.Connect)) func(*packets.Connect) {
	return func(content *packets.Connect) {
		with(content)
		content.UsernameFlag, content.Username = true, user
		content.PasswordFlag, content.Password = true, []byte("pencil")
	}
}

func deepTopics(t *testing.T, address string) {
	deep := strings.Repeat("/", 9_999)
	var attacking sync.WaitGroup
	for range 4 {
		c := openStream(t, address, as("mallory", passing)).Conn
		attacking.Go(func() {
			for range 250 {
				for _, filter := range []string{deep, strings.Repeat("+/", 9_999) + "+", deep + "#"} {
					if reason := subscribe(t, c, 1, filter)[0]; reason != packets.SubackTopicFilterinvalid {
						t.Errorf("SUBACK reason %#x", reason)
					}
				}
				cp := packets.NewControlPacket(packets.PUBLISH)
				cp.Flags = 1<<1 | 1
				content := cp.Content.(*packets.Publish)
				content.PacketID, content.QoS, content.Retain, content.Topic, content.Payload = 1, 1, true, deep, []byte("x")
				if _, err := cp.WriteTo(c); err != nil {
					t.Error(err)
				}
				if reason := receive[packets.Puback](t, c).ReasonCode; reason != packets.PubackTopicNameInvalid {
					t.Errorf("PUBACK reason %#x", reason)
				}
			}
		})
	}
	attacking.Wait()
	will := handshake(t, dialTCP(t, address), as("mallory", func(content *packets.Connect) {
		content.WillFlag, content.WillTopic, content.WillMessage = true, deep, []byte("x")
		content.WillProperties = &packets.Properties{}
	}))
	if will.ReasonCode != packets.ConnackTopicNameInvalid {
		t.Errorf("CONNACK reason %#x", will.ReasonCode)
	}
}

func manySubscriptions(t *testing.T, address string) {
	c := openStream(t, address, as("mallory", func(content *packets.Connect) {
		lastingAs("many")(content)
		content.CleanStart = true
	})).Conn
	codes := make(map[byte]int)
	for i := range 100 {
		var filters []string
		for j := range 1000 {
			filters = append(filters, fmt.Sprintf("many/%d/+/%d/#", i, j))
		}
		for _, reason := range subscribe(t, c, 1, filters...) {
			codes[reason]++
		}
	}
	if len(codes) != 2 || codes[1] != 5_000 || codes[packets.SubackQuotaexceeded] != 95_000 {
		t.Errorf("SUBACK reasons, and how often: %v", codes)
	}
}

func manySessions(t *testing.T, address string, identifiers int) {
	const most, workers = 1_000, 16
	var accepted, refused atomic.Int32
	var attacking sync.WaitGroup
	for worker := range workers {
		attacking.Go(func() {
			for i := worker; i < identifiers; i += workers {
				c, err := net.Dial("tcp", address)
				if err != nil {
					t.Error(err)
					return
				}
				switch reason := handshake(t, c, as("mallory", lastingAs(fmt.Sprint("mallory-", i)))).ReasonCode; reason {
				case 0:
					accepted.Add(1)
					t.Cleanup(func() { _ = c.Close() }) // stays open
					continue
				case packets.ConnackQuotaExceeded:
					refused.Add(1)
				default:
					t.Errorf("CONNACK reason %#x", reason)
				}
				_ = c.Close()
			}
		})
	}
	attacking.Wait()
	if accepted.Load() > most+workers || int(accepted.Load()+refused.Load()) != identifiers {
		t.Errorf("%d client identifiers accepted, %d refused", accepted.Load(), refused.Load())
	}
}

// others has clients of another user publish to themselves during the attack, with a pause
// after each message. It returns the round-trip times. A lost message fails the test.
func others(t *testing.T, address string, pause time.Duration, attack func()) []time.Duration {
	const clients = 5
	var done atomic.Bool
	var delays [clients][]time.Duration
	var running sync.WaitGroup
	for i := range clients {
		topic := fmt.Sprint("others/", i)
		s := openStream(t, address, as("alice", func(c *packets.Connect) {
			lastingAs(fmt.Sprint("alice-", i))(c)
			c.CleanStart = true // the last acknowledgement of the previous attack may be unread
		}), topic)
		running.Go(func() {
			defer s.Close()
			for over := false; !over; time.Sleep(pause) {
				over = done.Load()
				began := time.Now()
				s.publish(t, uint16(1+len(delays[i])%50_000), false, topic, "message")
				if !s.returned(t) {
					return
				}
				delays[i] = append(delays[i], time.Since(began))
			}
		})
	}
	attack()
	done.Store(true)
	running.Wait()
	return slices.Sorted(slices.Values(slices.Concat(delays[:]...)))
}

// returned waits for the PUBACK of a message that the client published to itself, and for
// the message.
func (s *stream) returned(t *testing.T) bool {
	for rest := 2; rest > 0; rest-- {
		packet, err := s.next()
		if err == nil && packet[0]>>4 == packets.PUBLISH {
			topic := int(packet[3])
			_, err = s.Write([]byte{0x40, 2, packet[4+topic], packet[5+topic]})
		} else if err == nil && (packet[0] != 0x40 || len(packet) > 4 && packet[4] >= 0x80) {
			err = fmt.Errorf("% x", packet)
		}
		if err != nil {
			t.Errorf("others: %v", err)
			return false
		}
	}
	return true
}

// attacked returns the flags of a server with two users and a data directory.
func attacked(t *testing.T) []string {
	t.Helper()
	users := writeUsers(t, filepath.Join(t.TempDir(), "users.json"), map[string]string{"alice": "#", "mallory": "#"})
	return []string{"-broker-auth", users, "-data", t.TempDir()}
}

func TestAttacksOnLimits(t *testing.T) {
	s := launch(t, append(attacked(t), "-addr", "127.0.0.1:0", "-mqtt-addr", "127.0.0.1:0")...)
	_ = openStream(t, s.tcp, as("alice", lastingAs("kept")), "kept").Close()
	for _, attack := range attacks(1_200) {
		t.Run(attack.name, func(t *testing.T) {
			t.Log(len(others(t, s.tcp, 0, func() { attack.run(t, s.tcp) })), "messages of others")
		})
	}
	if connack := handshake(t, dialTCP(t, s.tcp), as("alice", lastingAs("kept"))); !connack.SessionPresent {
		t.Error("another user's session is gone")
	}
}
