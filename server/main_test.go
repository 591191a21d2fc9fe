package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"go.uber.org/goleak"
	"nhooyr.io/websocket"
)

// asServer in the environment makes the test binary run the server.
const asServer = "MQTTWASM_TEST_AS_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// patience bounds the wait for an event; only a failing test waits that long.
const patience = 15 * time.Second

// logs is a writer that a test can wait on.
type logs struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wrote chan struct{}
}

func newLogs() *logs { return &logs{wrote: make(chan struct{}, 1000)} }

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrote <- struct{}{}
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// after waits for a line that contains mark, and returns the rest of the line.
func (l *logs) after(t *testing.T, mark string) string {
	t.Helper()
	for deadline := time.After(patience); ; {
		if _, rest, ok := strings.Cut(l.String(), mark); ok {
			if line, _, ok := strings.Cut(rest, "\n"); ok {
				return line
			}
		}
		select {
		case <-l.wrote:
		case <-deadline:
			t.Fatalf("%q never came:\n%s", mark, l)
		}
	}
}

// instance is a server running in this process.
type instance struct {
	url, tcp string
	stderr   *logs
	// stop ends the server and returns its exit status.
	stop func() int
}

func launch(t *testing.T, args ...string) *instance { t.Helper(); return launchWith(t, nil, args...) }

func launchWith(t *testing.T, env map[string]string, args ...string) *instance {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stdout, stderr := newLogs(), newLogs()
	status := make(chan int, 1)
	go func() { status <- run(ctx, args, environment(env), stdout, stderr) }()
	s := &instance{stderr: stderr, stop: sync.OnceValue(func() int { cancel(); return <-status })}
	t.Cleanup(func() { s.stop() })
	s.url = stdout.after(t, "Open ")
	if log := stderr.String(); strings.Contains(log, "address=") {
		s.tcp = stderr.after(t, "address=")
	}
	return s
}

// fetch requests an address and leaves no connection open.
func fetch(t *testing.T, client *http.Client, address string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func connectMQTT(t *testing.T, c net.Conn, clientID string) (sessionPresent bool) {
	t.Helper()
	connack := handshake(t, c, func(content *packets.Connect) {
		content.ClientID, content.CleanStart = clientID, clientID == ""
		expiry := uint32(60)
		content.Properties.SessionExpiryInterval = &expiry
	})
	if connack.ReasonCode != 0 {
		t.Fatalf("CONNACK reason %#x", connack.ReasonCode)
	}
	return connack.SessionPresent
}

func handshake(t *testing.T, c net.Conn, with func(*packets.Connect)) *packets.Connack {
	t.Helper()
	cp := packets.NewControlPacket(packets.CONNECT)
	with(cp.Content.(*packets.Connect))
	if _, err := cp.WriteTo(c); err != nil {
		t.Fatal(err)
	}
	return receive[packets.Connack](t, c)
}

// subscribe returns the reason codes of SUBACK.
func subscribe(t *testing.T, c net.Conn, qos byte, filters ...string) []byte {
	t.Helper()
	cp := packets.NewControlPacket(packets.SUBSCRIBE)
	content := cp.Content.(*packets.Subscribe)
	content.PacketID = 1
	for _, filter := range filters {
		content.Subscriptions = append(content.Subscriptions, packets.SubOptions{Topic: filter, QoS: qos})
	}
	if _, err := cp.WriteTo(c); err != nil {
		t.Fatal(err)
	}
	return receive[packets.Suback](t, c).Reasons
}

func receive[T any](t *testing.T, c net.Conn) *T {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	cp, err := packets.ReadPacket(c)
	if err != nil {
		t.Fatalf("waiting for %T: %v", *new(T), err)
	}
	content, ok := any(cp.Content).(*T)
	if !ok {
		t.Fatalf("got %s where %T was expected", cp, *new(T))
	}
	return content
}

func dialTCP(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestServer(t *testing.T) {
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "127.0.0.1:0")
	for path, want := range map[string]string{"healthz": "ok\n", "readyz": "ok\n", "config.json": `"EMQX public broker"`} {
		response, body := fetch(t, http.DefaultClient, s.url+path)
		if response.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("/%s: %d %s", path, response.StatusCode, body)
		}
		if response.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("/%s: no security headers", path)
		}
	}

	over := map[string]net.Conn{"TCP": dialTCP(t, s.tcp)}
	ws, _, err := websocket.Dial(t.Context(), strings.Replace(s.url, "http", "ws", 1)+"mqtt", &websocket.DialOptions{
		Subprotocols: []string{"mqtt"},
		HTTPHeader:   http.Header{"Origin": {strings.TrimSuffix(s.url, "/")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	over["WebSocket"] = websocket.NetConn(context.Background(), ws, websocket.MessageBinary)
	for _, c := range over {
		connectMQTT(t, c, "")
	}
	status := make(chan int)
	go func() { status <- s.stop() }()
	for name, c := range over {
		if got := receive[packets.Disconnect](t, c).ReasonCode; got != packets.DisconnectServerShuttingDown {
			t.Errorf("%s: DISCONNECT reason %#x", name, got)
		}
		_ = c.Close()
	}
	if got := <-status; got != 0 {
		t.Errorf("exit status %d", got)
	}
}

// systemd waits for notifications from a service with Type=notify (sd_notify(3)).
func TestNotify(t *testing.T) {
	for _, socket := range []string{filepath.Join(t.TempDir(), "notify"), fmt.Sprintf("@mqttwasm-test-%d", os.Getpid())} {
		l, err := net.ListenPacket("unixgram", socket)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		said := func() string {
			buffer := make([]byte, 100)
			_ = l.SetReadDeadline(time.Now().Add(patience))
			n, _, err := l.ReadFrom(buffer)
			if err != nil {
				t.Fatal(err)
			}
			return string(buffer[:n])
		}
		s := launchWith(t, map[string]string{"NOTIFY_SOCKET": socket}, "-addr", "127.0.0.1:0", "-mqtt-addr", "")
		if got := said(); got != "READY=1" {
			t.Errorf("%s: %q", socket, got)
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil { // systemctl reload, with nothing to read again
			t.Fatal(err)
		}
		if response, _ := fetch(t, http.DefaultClient, s.url+"healthz"); response.StatusCode != http.StatusOK {
			t.Errorf("/healthz: %d", response.StatusCode)
		}
		s.stop()
		if got := said(); got != "STOPPING=1" {
			t.Errorf("%s: %q", socket, got)
		}
	}
}

func TestLogLevel(t *testing.T) {
	for level, want := range map[string]bool{"info": true, "warn": false} {
		s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "127.0.0.1:0", "-log-level", level)
		s.stop()
		if got := strings.Contains(s.stderr.String(), "level=INFO"); got != want {
			t.Errorf("%s: %s", level, s.stderr)
		}
	}
}

func TestForeignPageIsRefused(t *testing.T) {
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "", "-broker-open", "-allow-origin", "http://good.example")
	for origin, want := range map[string]bool{"http://evil.example": false, "http://good.example": true} {
		ws, response, err := websocket.Dial(t.Context(), strings.Replace(s.url, "http", "ws", 1)+"mqtt", &websocket.DialOptions{
			Subprotocols: []string{"mqtt"},
			HTTPHeader:   http.Header{"Origin": {origin}},
		})
		if err == nil {
			_ = ws.CloseNow()
		}
		if got := err == nil; got != want || !want && response.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %v", origin, err)
		}
	}
	refusesForeignHost(t, s.url+"config.json")
}

// refusesForeignHost checks that a request with a foreign Host is refused.
func refusesForeignHost(t *testing.T, url string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host, r.Close = "evil.example", true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("foreign Host: %d", response.StatusCode)
	}
}

func TestWithoutBroker(t *testing.T) {
	s := launch(t, "-addr", "127.0.0.1:0", "-broker=false")
	if s.tcp != "" {
		t.Errorf("listens on %s", s.tcp)
	}
	if response, _ := fetch(t, http.DefaultClient, s.url+"mqtt"); response.StatusCode != http.StatusNotFound {
		t.Errorf("/mqtt: %d", response.StatusCode)
	}
	_, body := fetch(t, http.DefaultClient, s.url+"config.json")
	var config struct{ Brokers []brokerEntry }
	if err := json.Unmarshal([]byte(body), &config); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(config.Brokers, func(b brokerEntry) bool { return b.Embedded }) {
		t.Errorf("the page is told of an embedded broker: %s", body)
	}
}

func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	for _, test := range []struct {
		flag string
		args []string
	}{
		{"-addr", []string{"-addr", taken}},
		{"-mqtt-addr", []string{"-addr", "127.0.0.1:0", "-mqtt-addr", taken}},
	} {
		var stderr bytes.Buffer
		if status := run(t.Context(), test.args, environment(nil), io.Discard, &stderr); status != 1 {
			t.Errorf("%s: exit status %d", test.flag, status)
		}
		for _, want := range []string{taken + " is in use", test.flag + " ", envName(test.flag[1:])} {
			if !strings.Contains(stderr.String(), want) {
				t.Errorf("%s: no %q in: %s", test.flag, want, &stderr)
			}
		}
	}
}

// Another broker on the default port is common, and no reason to exit.
func TestDefaultMQTTPortTaken(t *testing.T) {
	if l, err := net.Listen("tcp", defaultMQTTAddr); err == nil {
		defer l.Close()
	} // or another process already has it
	s := launch(t, "-addr", "127.0.0.1:0")
	s.stderr.after(t, "no MQTT over TCP")
	if !strings.Contains(s.stderr.String(), "-mqtt-addr") {
		t.Errorf("the warning does not name the flag:\n%s", s.stderr)
	}
	if response, _ := fetch(t, http.DefaultClient, s.url+"healthz"); response.StatusCode != http.StatusOK {
		t.Errorf("/healthz: %d", response.StatusCode)
	}
}

func TestBadUsage(t *testing.T) {
	var stderr bytes.Buffer
	if status := run(t.Context(), []string{"-default-broker", "http://x"}, environment(nil), io.Discard, &stderr); status != 2 {
		t.Errorf("exit status %d", status)
	}
	if !strings.Contains(stderr.String(), "ws://") {
		t.Errorf("message: %s", &stderr)
	}
	var stdout bytes.Buffer
	if status := run(t.Context(), []string{"-version"}, environment(nil), &stdout, io.Discard); status != 0 || stdout.String() != "mqttwasm "+version+"\n" {
		t.Errorf("-version: %d %s", status, &stdout)
	}
}
