package broker

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"nhooyr.io/websocket"
)

const subprotocol = "mqtt" // [MQTT-6.0.0-4]

// Handler accepts MQTT over WebSocket. A client must offer the subprotocol
// "mqtt" [MQTT-6.0.0-3] and, if it is a browser, come from an allowed origin.
func (b *Broker) Handler() http.Handler { return http.HandlerFunc(b.serveWebSocket) }

func (b *Broker) serveWebSocket(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, "this address speaks MQTT over WebSocket: open it with an MQTT client", http.StatusUpgradeRequired)
		return
	}
	// Browsers always send Origin with a handshake; without one it is another program.
	origin := strings.ToLower(r.Header.Get("Origin"))
	if origin != "" && !sameOrigin(origin, r.Host) && !slices.Contains(b.origins, origin) {
		b.log.Warn("refused a WebSocket from a foreign origin", "origin", origin, "host", r.Host)
		http.Error(w, "this origin is not allowed: see the server's -allow-origin flag", http.StatusForbidden)
		return
	}
	offered := strings.Split(strings.Join(r.Header.Values("Sec-WebSocket-Protocol"), ","), ",")
	if !slices.ContainsFunc(offered, func(p string) bool { return strings.EqualFold(strings.TrimSpace(p), subprotocol) }) {
		http.Error(w, `the WebSocket subprotocol must be "mqtt"`, http.StatusBadRequest)
		return
	}
	raw := &hijacked{ResponseWriter: w}
	ws, err := websocket.Accept(raw, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true, // checked above: by exact origin, where Accept compares hosts only
	})
	if err != nil {
		b.log.Debug("WebSocket handshake failed", "remote", r.RemoteAddr, "error", err)
		return
	}
	// Only binary frames: a text frame closes the connection [MQTT-6.0.0-1].
	nc := websocket.NetConn(context.Background(), ws, websocket.MessageBinary)
	raw.conn.owner = newConn(nc, &b.unsent, func() {
		// NetConn's Close cuts off a blocked reader, and with it the close
		// handshake; the WebSocket's own waits five seconds for the peer.
		cut := time.AfterFunc(closeTimeout, func() { _ = raw.conn.Close() })
		defer cut.Stop()
		_ = ws.Close(websocket.StatusNormalClosure, "")
		_ = nc.Close()
	})
	b.serve(raw.conn.owner)
}

// sameOrigin reports whether the request comes from a page of this very server.
// The scheme is left out: behind a proxy that ends TLS it differs, Python's paho
// always claims https, and nobody else can serve a page from our host and port.
func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && strings.EqualFold(u.Host, host)
}

// hijacked keeps hold of the connection under a WebSocket.
type hijacked struct {
	http.ResponseWriter
	conn *input
}

func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	h.conn = &input{Conn: c}
	return h.conn, rw, err
}
