//go:build !js

package wsconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"nhooyr.io/websocket"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		http.DefaultClient.CloseIdleConnections()
		if err := goleak.Find(); err != nil && code == 0 {
			fmt.Println(err)
			code = 1
		}
		os.Exit(code)
	}))
}

// serve runs f on every WebSocket, and returns the URL.
func serve(t *testing.T, subprotocols []string, f func(*websocket.Conn)) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: subprotocols})
		if err != nil {
			return
		}
		defer func() { _ = ws.CloseNow() }()
		f(ws)
	}))
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http")
}

func mustDial(t *testing.T, url string) *Conn {
	t.Helper()
	c, err := Dial(context.Background(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// frames returns the content of each frame until the peer closes.
func frames(ws *websocket.Conn) (list []string) {
	for {
		typ, data, err := ws.Read(context.Background())
		if err != nil {
			return list
		}
		list = append(list, typ.String()+" "+string(data))
	}
}

func TestEachWriteIsOneFrame(t *testing.T) {
	got := make(chan []string, 1)
	c := mustDial(t, serve(t, []string{"mqtt"}, func(ws *websocket.Conn) { got <- frames(ws) }))
	for _, frame := range []string{"abc", "", "d", "e"} {
		if n, err := io.WriteString(c, frame); n != len(frame) || err != nil {
			t.Errorf("Write: %d, %v", n, err)
		}
	}
	c.Close()
	want := "MessageBinary abc|MessageBinary d|MessageBinary e"
	if list := strings.Join(<-got, "|"); list != want {
		t.Errorf("frames %q, want %q", list, want)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read after Close: %v", err)
	}
}

func TestReadIsAStream(t *testing.T) {
	c := mustDial(t, serve(t, []string{"mqtt"}, func(ws *websocket.Conn) {
		for _, s := range []string{"ab", "", "cde"} {
			_ = ws.Write(context.Background(), websocket.MessageBinary, []byte(s))
		}
		_ = ws.Close(4001, "enough")
	}))
	all, err := io.ReadAll(c)
	if string(all) != "abcde" {
		t.Errorf("read %q", all)
	}
	var closed *CloseError
	if !errors.As(err, &closed) || closed.Code != 4001 || closed.Reason != "enough" {
		t.Errorf("error %v", err)
	}
	if code, reason := closed.CloseStatus(); code != 4001 || reason != "enough" {
		t.Errorf("%d %q", code, reason)
	}
}

func TestTextFramesAreRefused(t *testing.T) { // [MQTT-6.0.0-1]
	c := mustDial(t, serve(t, []string{"mqtt"}, func(ws *websocket.Conn) {
		_ = ws.Write(context.Background(), websocket.MessageText, []byte("hello"))
		frames(ws)
	}))
	_, err := c.Read(make([]byte, 1))
	var closed *CloseError
	if !errors.As(err, &closed) || closed.Code != 1003 || !closed.Violation() {
		t.Errorf("error %v", err)
	}
}

func TestSubprotocolIsRequired(t *testing.T) { // [MQTT-6.0.0-4]
	url := serve(t, nil, func(ws *websocket.Conn) { frames(ws) })
	if _, err := Dial(context.Background(), url, Options{}); !errors.Is(err, errNoSubprotocol) {
		t.Errorf("error %v", err)
	}
}

func TestDialFails(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	if _, err := Dial(context.Background(), "ws"+strings.TrimPrefix(server.URL, "http"), Options{}); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Dial(ctx, "ws://127.0.0.1:1/", Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
