package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"

	"mqttwasm/server/broker"
)

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
