//go:build !js

package wsconn

import (
	"context"
	"net/http"

	"nhooyr.io/websocket"
)

// Options of [Dial].
type Options struct {
	// Header is sent with the handshake.
	Header http.Header
	// Client makes the handshake request; http.DefaultClient when nil.
	Client *http.Client
}

const rereads = 0

// socket is empty: natively a write blocks by itself, and errors say everything.
type socket struct{}

func (*socket) drain(int, <-chan struct{}) error { return nil }
func (*socket) take([]byte) (n int, more bool)   { return 0, false }
func (*socket) closeError(err error) error       { return err }
func (*socket) release()                         {}
func (*socket) keep(rest, payload int) int       { return 0 }
func (*socket) fetch(int, []byte)                {}
func (*socket) drop(int)                         {}
func (*socket) unsent() int                      { return 0 }

func (*socket) send(ws *websocket.Conn, p []byte) error {
	return ws.Write(context.Background(), websocket.MessageBinary, p)
}

func dial(ctx context.Context, url string, opts Options) (*websocket.Conn, *socket, error) {
	ws, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		Subprotocols:    []string{Subprotocol},
		HTTPHeader:      opts.Header,
		HTTPClient:      opts.Client,
		CompressionMode: websocket.CompressionDisabled,
	})
	return ws, &socket{}, err
}
