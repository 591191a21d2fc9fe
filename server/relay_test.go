package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"

	"mqttwasm/server/broker"
)

// connectThrough sends a CONNECT through a relay, and returns the broker's end of the
// connection.
func connectThrough(t *testing.T, c net.Conn, target net.Listener) net.Conn {
	t.Helper()
	sendConnect(t, c)
	far := accept(t, target)
	receive[packets.Connect](t, far)
	return far
}

// brokersFile writes a broker list with one relay, and returns its path.
func brokersFile(t *testing.T, name, relay string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "brokers.json")
	if err := os.WriteFile(file, fmt.Appendf(nil, `[{"name": %q, "relay": %s}]`, name, relay), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// plain is a relay to a TCP address.
func plain(address string) string { return fmt.Sprintf(`{"address": "mqtt://%s"}`, address) }

// fakeBroker is a TCP listener on which the test plays the broker.
func fakeBroker(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func accept(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// realBroker serves an embedded broker over TCP.
func realBroker(t *testing.T) (address string) {
	t.Helper()
	b, err := broker.New(broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := fakeBroker(t)
	done := make(chan error, 1)
	go func() { done <- b.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(b.Close(), <-done); !errors.Is(err, broker.ErrClosed) {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// dialRelay connects to the first broker in config.json.
func (s *instance) dialRelay(t *testing.T) net.Conn {
	t.Helper()
	_, body := fetch(t, http.DefaultClient, s.url+"config.json")
	var config struct{ Brokers []brokerEntry }
	if err := json.Unmarshal([]byte(body), &config); err != nil {
		t.Fatal(err)
	}
	return dialWS(t, s.url+config.Brokers[0].URL)
}

func dialWS(t *testing.T, address string) net.Conn {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), strings.Replace(address, "http", "ws", 1), &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	return websocket.NetConn(context.Background(), ws, websocket.MessageBinary)
}

func sendConnect(t *testing.T, c net.Conn) {
	t.Helper()
	cp := packets.NewControlPacket(packets.CONNECT)
	cp.Content.(*packets.Connect).CleanStart = true
	write(t, c, cp)
}

func write(t *testing.T, c net.Conn, cp *packets.ControlPacket) {
	t.Helper()
	if _, err := cp.WriteTo(c); err != nil {
		t.Fatal(err)
	}
}

// expectClose waits for a status code and a reason that contains why.
func expectClose(t *testing.T, c net.Conn, code websocket.StatusCode, why string) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	_, err := io.Copy(io.Discard, c)
	var closed websocket.CloseError
	if code == websocket.StatusNormalClosure || code == websocket.StatusGoingAway {
		if err != nil { // a net.Conn reports both as the end
			t.Errorf("%v instead of the end", err)
		}
	} else if !errors.As(err, &closed) || closed.Code != code || !strings.Contains(closed.Reason, why) {
		t.Errorf("%v instead of %d %q", err, code, why)
	}
}

func TestRelay(t *testing.T) {
	const name = "Ours / 50 % {more}?"
	address := realBroker(t)
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "", "-brokers", brokersFile(t, name, plain(address)))
	if _, body := fetch(t, http.DefaultClient, s.url+"config.json"); strings.Contains(body, address) || !strings.Contains(body, name) {
		t.Errorf("the page is told %s", body)
	}
	watcher := dialTCP(t, address)
	connectMQTT(t, watcher, "")
	subscribe := func(c net.Conn, filter string) {
		cp := packets.NewControlPacket(packets.SUBSCRIBE)
		content := cp.Content.(*packets.Subscribe)
		content.PacketID, content.Subscriptions = 1, []packets.SubOptions{{Topic: filter}}
		write(t, c, cp)
		receive[packets.Suback](t, c)
	}
	subscribe(watcher, "will/#")

	c := s.dialRelay(t)
	connectMQTT(t, c, "")
	subscribe(c, "echo")
	payload := bytes.Repeat([]byte("0123456789abcdef"), 64<<10) // 1 MiB, in many pieces
	cp := packets.NewControlPacket(packets.PUBLISH)
	cp.Content.(*packets.Publish).Topic, cp.Content.(*packets.Publish).Payload = "echo", payload
	write(t, c, cp)
	if got := receive[packets.Publish](t, c); !bytes.Equal(got.Payload, payload) {
		t.Errorf("%d bytes came back", len(got.Payload))
	}

	// DISCONNECT discards the will; a connection that is cut off does not.
	for _, goodbye := range []bool{true, false} {
		c := s.dialRelay(t)
		cp := packets.NewControlPacket(packets.CONNECT)
		content := cp.Content.(*packets.Connect)
		content.CleanStart = true
		content.WillFlag, content.WillTopic, content.WillMessage = true, fmt.Sprint("will/", goodbye), []byte("gone")
		write(t, c, cp)
		receive[packets.Connack](t, c)
		if goodbye {
			write(t, c, packets.NewControlPacket(packets.DISCONNECT))
		}
		_ = c.Close()
	}
	if m := receive[packets.Publish](t, watcher); m.Topic != "will/false" {
		t.Errorf("%s was published", m.Topic)
	}
}

func TestRelayRefusesStrangers(t *testing.T) {
	target := fakeBroker(t)
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "", "-brokers", brokersFile(t, "Ours", plain(target.Addr().String())))
	dial := func(path string, header http.Header, protocols ...string) int {
		ws, response, err := websocket.Dial(t.Context(), strings.Replace(s.url, "http", "ws", 1)+path, &websocket.DialOptions{
			Subprotocols: protocols, HTTPHeader: header, Host: header.Get("Host"),
		})
		if err == nil {
			_ = ws.CloseNow()
		}
		return response.StatusCode
	}
	for _, test := range []struct {
		name, path string
		header     http.Header
		protocol   string
		want       int
	}{
		{"its own page", "relay/Ours", http.Header{"Origin": {strings.TrimSuffix(s.url, "/")}}, "mqtt", http.StatusSwitchingProtocols},
		{"a foreign page", "relay/Ours", http.Header{"Origin": {"http://evil.example"}}, "mqtt", http.StatusForbidden},
		{"a foreign name", "relay/Ours", http.Header{"Host": {"evil.example"}}, "mqtt", http.StatusForbidden},
		{"another subprotocol", "relay/Ours", nil, "chat", http.StatusBadRequest},
		{"another relay", "relay/Theirs", nil, "mqtt", http.StatusNotFound},
		{"an address", "relay/" + target.Addr().String(), nil, "mqtt", http.StatusNotFound},
	} {
		if got := dial(test.path, test.header, test.protocol); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
	if response, _ := fetch(t, http.DefaultClient, s.url+"relay/Ours"); response.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("over HTTP: %d", response.StatusCode)
	}
	// Nothing but MQTT reaches the broker.
	for _, garbage := range []string{"GET / HTTP/1.1\r\n\r\n", "\x10\xff\xff\x7f", "\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", "\x10\x02\x00\x09"} {
		c := s.dialRelay(t)
		if _, err := c.Write([]byte(garbage)); err != nil {
			t.Fatal(err)
		}
		expectClose(t, c, websocket.StatusProtocolError, "CONNECT")
	}
	ws, _, err := websocket.Dial(t.Context(), strings.Replace(s.url, "http", "ws", 1)+"relay/Ours", &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatal(err)
	}
	sendConnect(t, websocket.NetConn(context.Background(), ws, websocket.MessageText))
	if _, _, err := ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusUnsupportedData {
		t.Errorf("a text frame: %v", err) // [MQTT-6.0.0-1]
	}
	_ = ws.CloseNow()

	c := s.dialRelay(t)
	cp := packets.NewControlPacket(packets.CONNECT)
	cp.Content.(*packets.Connect).ClientID = "the first that the broker hears of"
	write(t, c, cp)
	if got := receive[packets.Connect](t, accept(t, target)); got.ClientID != cp.Content.(*packets.Connect).ClientID {
		t.Errorf("the broker got %v", got)
	}
}

func TestRelayTargetDown(t *testing.T) {
	target := fakeBroker(t)
	address := target.Addr().String()
	_ = target.Close()
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "", "-brokers", brokersFile(t, "Ours", plain(address)))
	for range 3 {
		c := s.dialRelay(t)
		sendConnect(t, c)
		expectClose(t, c, websocket.StatusBadGateway, "cannot reach its broker")
	}
	target, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	silent := s.dialRelay(t)
	sendConnect(t, silent)
	hungUp := accept(t, target)
	receive[packets.Connect](t, hungUp)
	_ = hungUp.Close()
	expectClose(t, silent, websocket.StatusBadGateway, "without an answer")

	c := s.dialRelay(t)
	sendConnect(t, c)
	write(t, accept(t, target), packets.NewControlPacket(packets.CONNACK))
	receive[packets.Connack](t, c)
	s.stderr.after(t, "reaches its broker again")
	if n := strings.Count(s.stderr.String(), "cannot reach its broker"); n != 1 {
		t.Errorf("%d warnings about one outage:\n%s", n, s.stderr)
	}
}

func TestRelayOfExposedAddress(t *testing.T) {
	file := brokersFile(t, "Ours", plain("127.0.0.1:1"))
	users := writeUsers(t, filepath.Join(t.TempDir(), "users.json"), map[string]string{"alice": "#"})
	for _, test := range []struct {
		args []string
		want string // part of the error; empty: the server starts
	}{
		{[]string{"-addr", "0.0.0.0:0", "-broker=false"}, "-relay-open"},
		{[]string{"-addr", "0.0.0.0:0", "-broker-open"}, "-relay-open"},
		{[]string{"-addr", "127.0.0.1:0", "-broker=false", "-allow-origin", "https://mqtt.example.com"}, "-relay-open"},
		{[]string{"-addr", "0.0.0.0:0", "-broker=false", "-relay-open"}, ""},
		{[]string{"-addr", "0.0.0.0:0", "-broker=false", "-broker-auth", users}, ""},
		{[]string{"-addr", "127.0.0.1:0", "-broker=false"}, ""},
		{[]string{"-static", filepath.Join(t.TempDir(), "site")}, "-static"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		stdout, stderr, status := newLogs(), newLogs(), make(chan int, 1)
		go func() {
			status <- run(ctx, append(test.args, "-brokers", file), environment(nil), stdout, stderr)
		}()
		if test.want == "" {
			stdout.after(t, "Open ")
		} else {
			stderr.after(t, "mqttwasm:")
		}
		cancel()
		if got := <-status; (got != 0) != (test.want != "") || !strings.Contains(stderr.String(), test.want) {
			t.Errorf("%q: %d %s", test.args, got, stderr)
		}
	}
	var stderr bytes.Buffer
	list := filepath.Join(t.TempDir(), "brokers.json")
	if err := os.WriteFile(list, []byte(`[{"name": "Ours", "url": "wss://ours.example/mqtt"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-addr", "127.0.0.1:0", "-broker=false", "-brokers", list, "-broker-auth", users}
	if status := run(t.Context(), args, environment(nil), io.Discard, &stderr); status != 1 || !strings.Contains(stderr.String(), "neither") {
		t.Errorf("users of nothing: %d %s", status, &stderr)
	}
}

// With -broker-auth a relay admits users only, and passes CONNECT on unchanged.
func TestRelayUsers(t *testing.T) {
	listener := fakeBroker(t)
	users := writeUsers(t, filepath.Join(t.TempDir(), "users.json"), map[string]string{"alice": "#", "bob": "#"})
	s := launch(t, "-addr", "127.0.0.1:0", "-broker=false", "-broker-auth", users,
		"-brokers", brokersFile(t, "Ours", plain(listener.Addr().String())))
	for _, test := range []struct{ name, password string }{{"alice", "pen"}, {"mallory", "pencil"}, {"", ""}} {
		c := s.dialRelay(t)
		if code := connectAs(t, c, test.name, test.password); code != packets.ConnackBadUsernameOrPassword {
			t.Errorf("%s with %s: CONNACK reason %#x", test.name, test.password, code)
		}
		expectClose(t, c, websocket.StatusNormalClosure, "")
	}
	old := s.dialRelay(t) // MQTT 3.1.1
	if _, err := old.Write([]byte("\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00")); err != nil {
		t.Fatal(err)
	}
	if got := ended(t, old); got != "\x20\x02\x00\x04" {
		t.Errorf("MQTT 3.1.1: %q", got)
	}

	through := func(name string) (client, target net.Conn) {
		cp := packets.NewControlPacket(packets.CONNECT)
		content := cp.Content.(*packets.Connect)
		content.CleanStart = true
		content.UsernameFlag, content.Username, content.PasswordFlag, content.Password = true, name, true, []byte("pencil")
		content.Properties.User = []packets.User{{Key: "k", Value: strings.Repeat("v", 40_000)}}
		var sent bytes.Buffer
		if _, err := cp.WriteTo(&sent); err != nil {
			t.Fatal(err)
		}
		client = s.dialRelay(t)
		if _, err := client.Write(sent.Bytes()); err != nil {
			t.Fatal(err)
		}
		target = accept(t, listener)
		got := make([]byte, sent.Len())
		if _, err := io.ReadFull(target, got); err != nil || !bytes.Equal(got, sent.Bytes()) {
			t.Errorf("CONNECT was changed: %v", err)
		}
		write(t, target, packets.NewControlPacket(packets.CONNACK))
		receive[packets.Connack](t, client)
		return client, target
	}
	alice, _ := through("alice")
	bob, bobsEnd := through("bob")
	writeUsers(t, users, map[string]string{"alice": "#"})
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	expectClose(t, bob, websocket.StatusPolicyViolation, "no longer a user")
	ended(t, bobsEnd)
	write(t, alice, packets.NewControlPacket(packets.PINGREQ)) // still connected
}

// A relay does not get around the delays between wrong passwords.
func TestRelaySlowsDownWrongPasswords(t *testing.T) {
	users := writeUsers(t, filepath.Join(t.TempDir(), "users.json"), map[string]string{"alice": "#"})
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "", "-broker-auth", users,
		"-brokers", brokersFile(t, "Ours", plain(fakeBroker(t).Addr().String())))
	for range 10 {
		if code := connectAs(t, s.dialRelay(t), "alice", "guess"); code != packets.ConnackBadUsernameOrPassword {
			t.Fatalf("CONNACK reason %#x", code)
		}
	}
	for _, c := range []net.Conn{s.dialRelay(t), dialWS(t, s.url+"mqtt")} {
		if code := connectAs(t, c, "alice", "guess"); code != packets.ConnackConnectionRateExceeded {
			t.Errorf("CONNACK reason %#x", code)
		}
	}
}

func TestRelayEndsWithServer(t *testing.T) {
	target := fakeBroker(t)
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "", "-brokers", brokersFile(t, "Ours", plain(target.Addr().String())))
	c, silent := s.dialRelay(t), s.dialRelay(t)
	far := connectThrough(t, c, target)
	write(t, far, packets.NewControlPacket(packets.CONNACK))
	receive[packets.Connack](t, c)
	began, status := time.Now(), make(chan int)
	go func() { status <- s.stop() }()
	expectClose(t, c, websocket.StatusGoingAway, "")
	ended(t, far)
	_ = silent // it neither replies nor reads
	if got, took := <-status, time.Since(began); got != 0 || took > 3*time.Second {
		t.Errorf("exit status %d after %v", got, took)
	}
}

// While a client does not read, its broker cannot write.
func TestRelayBackpressure(t *testing.T) {
	target := fakeBroker(t)
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "", "-brokers", brokersFile(t, "Ours", plain(target.Addr().String())))
	c := s.dialRelay(t)
	far := connectThrough(t, c, target)
	chunk, total := make([]byte, 1<<20), 0
	for total < 64<<20 {
		_ = far.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := far.Write(chunk)
		total += n
		if err != nil {
			return // blocked, with the system's buffers full
		}
	}
	t.Errorf("%d bytes went to a client that reads nothing", total)
}

// What a client sends before it leaves reaches the broker, even if the broker is still
// sending.
func TestRelayClientLeaves(t *testing.T) {
	target := fakeBroker(t)
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "", "-brokers", brokersFile(t, "Ours", plain(target.Addr().String())))
	c := s.dialRelay(t)
	far := connectThrough(t, c, target)
	write(t, far, packets.NewControlPacket(packets.CONNACK))
	receive[packets.Connack](t, c)
	write(t, c, packets.NewControlPacket(packets.DISCONNECT))
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	_ = far.SetDeadline(time.Now().Add(patience))
	if _, err := far.Write(make([]byte, 16<<20)); err != nil {
		t.Errorf("the connection broke off: %v", err)
	}
	if got := ended(t, far); got != "\xe0\x02\x00\x00" {
		t.Errorf("the broker got %q", got)
	}
}

func TestRelayFull(t *testing.T) {
	target := fakeBroker(t)
	s := &relays{ctx: t.Context(), gate: broker.NewGate(1), log: slog.New(slog.DiscardHandler),
		byName: map[string]*relay{"Ours": {name: "Ours", host: target.Addr().String()}}}
	mux := http.NewServeMux()
	mux.Handle("GET /relay/{name}", s)
	server := httptest.NewServer(mux)
	defer server.Close()
	// Of two idle connections one displaces the other, whichever came first.
	clients := []net.Conn{dialWS(t, server.URL+"/relay/Ours"), dialWS(t, server.URL+"/relay/Ours")}
	heard := make(chan int)
	var errs [2]error
	for i, c := range clients {
		go func() {
			_, errs[i] = c.Read(make([]byte, 100))
			heard <- i
		}()
	}
	gone := <-heard
	if err := errs[gone]; websocket.CloseStatus(err) != websocket.StatusTryAgainLater {
		t.Errorf("%v instead of %d", err, websocket.StatusTryAgainLater)
	}
	sendConnect(t, clients[1-gone])
	write(t, accept(t, target), packets.NewControlPacket(packets.CONNACK))
	if i := <-heard; errs[i] != nil {
		t.Error(errs[i])
	}
	expectClose(t, dialWS(t, server.URL+"/relay/Ours"), websocket.StatusTryAgainLater, "too many connections")
	if n := s.count(); n == 0 {
		t.Error("none is open")
	}
}

// authority issues certificates for 127.0.0.1 and for clients, as PEM files in dir.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, dir string) *authority {
	t.Helper()
	a := &authority{dir: dir}
	a.cert, a.key = a.issue(t, "ca")
	return a
}

func (a *authority) issue(t *testing.T, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	keyBytes, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		name + ".pem": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: keyBytes},
	} {
		if err := os.WriteFile(filepath.Join(a.dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// A mosquitto with only a TLS listener, which requires client certificates.
func TestRelayToMosquittoWithClientCertificates(t *testing.T) {
	dir := t.TempDir()
	ca := newAuthority(t, dir)
	ca.issue(t, "server")
	ca.issue(t, "client")
	stranger := newAuthority(t, t.TempDir())
	stranger.issue(t, "client")

	free := fakeBroker(t)
	address := free.Addr().String()
	_ = free.Close()
	_, port, _ := net.SplitHostPort(address)
	conf := filepath.Join(dir, "mosquitto.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "user root\nlog_dest stderr\nlistener %s 127.0.0.1\ncafile %[2]s/ca.pem\ncertfile %[2]s/server.pem\n"+
		"keyfile %[2]s/server.key\nrequire_certificate true\nuse_identity_as_username true\n", port, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	output := newLogs()
	mosquitto := exec.Command("/usr/sbin/mosquitto", "-c", conf)
	mosquitto.Stderr = output
	if err := mosquitto.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mosquitto.Process.Kill(); _ = mosquitto.Wait() }()
	output.after(t, "running")

	list := filepath.Join(dir, "brokers.json") // beside the files that it names
	entries := fmt.Sprintf(`[
		{"name": "ours", "relay": {"address": "mqtts://%[1]s", "ca": "ca.pem", "cert": "client.pem", "key": "client.key"}},
		{"name": "without a certificate", "relay": {"address": "mqtts://%[1]s", "ca": "ca.pem"}},
		{"name": "with a certificate of others", "relay": {"address": "mqtts://%[1]s", "ca": "ca.pem", "cert": "%[2]s/client.pem", "key": "%[2]s/client.key"}},
		{"name": "trusting others", "relay": {"address": "mqtts://%[1]s", "ca": "%[2]s/ca.pem", "cert": "client.pem", "key": "client.key"}},
		{"name": "trusting the system's", "relay": {"address": "mqtts://%[1]s", "cert": "client.pem", "key": "client.key"}}]`, address, stranger.dir)
	if err := os.WriteFile(list, []byte(entries), 0o600); err != nil {
		t.Fatal(err)
	}
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "", "-brokers", list)
	for _, name := range []string{"without a certificate", "with a certificate of others", "trusting others", "trusting the system's"} {
		c := dialWS(t, s.url+"relay/"+strings.ReplaceAll(name, " ", "%20"))
		sendConnect(t, c)
		expectClose(t, c, websocket.StatusBadGateway, "cannot reach its broker")
		s.stderr.after(t, fmt.Sprintf("relay=%q", name))
	}
	c := s.dialRelay(t)
	connectMQTT(t, c, "")
	cp := packets.NewControlPacket(packets.SUBSCRIBE)
	content := cp.Content.(*packets.Subscribe)
	content.PacketID, content.Subscriptions = 1, []packets.SubOptions{{Topic: "hello", QoS: 1}}
	write(t, c, cp)
	receive[packets.Suback](t, c)
	cp = packets.NewControlPacket(packets.PUBLISH)
	cp.Content.(*packets.Publish).Topic, cp.Content.(*packets.Publish).Payload = "hello", []byte("through TLS")
	write(t, c, cp)
	if m := receive[packets.Publish](t, c); string(m.Payload) != "through TLS" {
		t.Errorf("got %q", m.Payload)
	}
}

func TestRelayEntries(t *testing.T) {
	dir := t.TempDir()
	ca := newAuthority(t, dir)
	ca.issue(t, "client")
	for relay, want := range map[string]string{
		`{}`:                                                                        "mqtts://host:8883",
		`{"address": "wss://x"}`:                                                    "mqtts://host:8883",
		`{"address": "mqtt://"}`:                                                    "mqtts://host:8883",
		`{"address": "mqtt://x/path"}`:                                              "mqtts://host:8883",
		`{"address": "mqtt://u:p@x"}`:                                               "user name or password",
		`{"address": "mqtts://x", "cert": "c"}`:                                     "both or neither",
		`{"address": "mqtt://x", "ca": "ca.pem"}`:                                   "mqtts://",
		`{"address": "mqtts://x", "password": ""}`:                                  "password",
		`{"address": "mqtts://x", "ca": "none.pem"}`:                                filepath.Join(dir, "none.pem"),
		`{"address": "mqtts://x", "ca": "client.key"}`:                              "no PEM certificate",
		`{"address": "mqtts://x", "cert": "client.pem", "key": "ca.key"}`:           "cert and key",
		`{"address": "mqtts://x"}, "url": "wss://x"`:                                "leave out url",
		`{"address": "mqtt://x"}}, {"name": "a", "relay": {"address": "mqtt://y"}`:  "a name of its own",
		`{"address": "mqtt://x"}}, {"name": "..", "relay": {"address": "mqtt://y"}`: ". and .. are not allowed",
	} {
		list := filepath.Join(dir, "brokers.json")
		if err := os.WriteFile(list, fmt.Appendf(nil, `[{"name": "a", "relay": %s}]`, relay), 0o600); err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		status := run(t.Context(), []string{"-addr", "127.0.0.1:0", "-mqtt-addr", "", "-brokers", list}, environment(nil), io.Discard, &stderr)
		if status != 1 || !strings.Contains(stderr.String(), want) || !strings.Contains(stderr.String(), list) {
			t.Errorf("%s: %d %s, want a message about %q", relay, status, &stderr, want)
		}
	}
	for address, want := range map[string]string{"mqtt://a": "a:1883", "mqtts://[::1]": "[::1]:8883", "mqtts://b:1": "b:1"} {
		r := relay{Address: address}
		if err := r.check(dir); err != nil || r.host != want {
			t.Errorf("%s: %s, %v", address, r.host, err)
		}
	}
	for given, want := range map[string]string{"/relay/Ours": "relay/Ours", "relay/Ours%20two": "relay/Ours%20two", "relay/a%2Fb": "relay/a%2Fb"} {
		if got, err := parseBrokerURL(given); got != want || err != nil {
			t.Errorf("-default-broker %s: %s, %v", given, got, err)
		}
	}
}

// If anything follows the Close frame, a browser reports neither its code nor its reason.
func TestRelayEndsWithOneCloseFrame(t *testing.T) {
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "", "-brokers", brokersFile(t, "Ours", plain("127.0.0.1:1")))
	c := s.dialHTTP(t)
	if _, err := io.WriteString(c, "GET /relay/Ours HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"+
		"\x82\x81\x00\x00\x00\x00x"+"\x88\x82\x00\x00\x00\x00\x03\xea"); err != nil {
		t.Fatal(err)
	}
	const want = "\x88\x12\x03\xeaCONNECT expected"
	if _, frames, _ := strings.Cut(ended(t, c), "\r\n\r\n"); frames != want {
		t.Errorf("%q, want %q", frames, want)
	}
}
