package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
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
