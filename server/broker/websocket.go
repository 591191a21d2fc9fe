package broker

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"nhooyr.io/websocket"
)

const subprotocol = "mqtt" // [MQTT-6.0.0-4]

// Handler accepts MQTT over WebSocket. A client must offer the subprotocol
// "mqtt" [MQTT-6.0.0-3] and, if it is a browser, come from an allowed origin.
func (b *Broker) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := AcceptWebSocket(w, r, b.origins, b.log); c != nil {
			b.serve(c.raw.carry(newConn(c, &b.unsent, func() {
				c.End(websocket.StatusNormalClosure, "")
				_ = c.Close()
			})))
		}
	})
}

// WebSocket is a connection of a client that speaks MQTT over WebSocket.
type WebSocket struct {
	net.Conn
	ws  *websocket.Conn
	raw *socket
}

// Read drops what comes with an error: the bytes of a frame that is cut off are masked.
func (c *WebSocket) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		n = 0
	}
	return n, err
}

// End closes the connection with a status code and a reason of up to 123 bytes (RFC
// 6455, 7.4). It waits for the peer to do the same, for a second at most.
func (c *WebSocket) End(code websocket.StatusCode, reason string) {
	// Close of Conn cuts off a blocked reader, and with it the close handshake; the
	// WebSocket's own waits five seconds for the peer.
	cut := time.AfterFunc(CloseTimeout, func() { _ = c.raw.Close() })
	defer cut.Stop()
	c.raw.ending.Store(true)
	_ = c.ws.Close(code, reason)
}

// Close cuts the connection off, without the close handshake, which may take seconds.
func (c *WebSocket) Close() error { return c.ws.CloseNow() }

// AcceptWebSocket does the handshake with a client that offers the subprotocol and, if
// it is a browser, comes from this server or one of origins. If it returns nil it has
// answered the request.
func AcceptWebSocket(w http.ResponseWriter, r *http.Request, origins []string, log *slog.Logger) *WebSocket {
	if r.Header.Get("Upgrade") == "" {
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, "this address speaks MQTT over WebSocket: open it with an MQTT client", http.StatusUpgradeRequired)
		return nil
	}
	// Browsers always send Origin with a handshake; without one it is another program.
	// The scheme of this server's origin is ignored: behind a proxy that terminates TLS
	// it differs, Python's paho always claims https, and nobody else can serve a page
	// from this host and port.
	origin, host := strings.ToLower(r.Header.Get("Origin")), strings.ToLower(r.Host)
	own := origin == "" || origin == "http://"+host || origin == "https://"+host
	if !own && !slices.Contains(origins, origin) {
		log.Warn("refused a WebSocket from an origin that is not allowed", "origin", origin, "host", r.Host)
		http.Error(w, "this origin is not allowed: see the server's -allow-origin flag", http.StatusForbidden)
		return nil
	}
	offered := strings.Split(strings.Join(r.Header.Values("Sec-WebSocket-Protocol"), ","), ",")
	if !slices.ContainsFunc(offered, func(p string) bool { return strings.EqualFold(strings.TrimSpace(p), subprotocol) }) {
		http.Error(w, `the WebSocket subprotocol must be "mqtt"`, http.StatusBadRequest)
		return nil
	}
	raw := &hijacked{ResponseWriter: w}
	ws, err := websocket.Accept(raw, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true, // checked above: by exact origin, where Accept compares hosts only
	})
	if err != nil {
		log.Debug("WebSocket handshake failed", "remote", r.RemoteAddr, "error", err)
		return nil
	}
	// Only binary frames: a text frame closes the connection [MQTT-6.0.0-1].
	return &WebSocket{websocket.NetConn(context.Background(), ws, websocket.MessageBinary), ws, raw.conn}
}

// hijacked keeps a reference to the connection under a WebSocket.
type hijacked struct {
	http.ResponseWriter
	conn *socket
}

func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err == nil {
		h.conn = &socket{Conn: c, webSocket: true}
		rw.Writer.Reset(h.conn)
	}
	return h.conn, rw, err
}
