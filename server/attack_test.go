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
	"strings"
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
