package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"
)

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
