package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"nhooyr.io/websocket"

	"mqttwasm/server/broker"
)

// Other limits of a relay are the embedded broker's.
const (
	maxRelayed    = 500             // open connections
	dialTimeout   = 3 * time.Second // less than the page's 4 s, so that it gets the reason
	relayPatience = time.Minute     // after which a side that reads nothing is closed: brokers may pause longer than clients
)

// relay is a broker without WebSocket, as an entry of -brokers describes it.
type relay struct {
	Address string `json:"address"` // mqtt://host:port, or mqtts:// for TLS
	CA      string `json:"ca"`      // PEM file; empty: the system's
	Cert    string `json:"cert"`    // PEM file with a client certificate for the broker
	Key     string `json:"key"`     // PEM file

	name   string
	host   string // with port
	secure bool
	down   atomic.Bool // so that changes are logged, not attempts
}

// check validates the address, and loads the files, whose paths are relative to dir.
func (r *relay) check(dir string) error {
	u, err := url.Parse(r.Address)
	ports := map[string]string{"mqtt": "1883", "mqtts": "8883"}
	switch {
	case err != nil || ports[u.Scheme] == "" || u.Hostname() == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("relay: %q is not the address of a broker: give mqtt://host:1883, or mqtts://host:8883 for TLS", r.Address)
	case u.User != nil:
		return errors.New("relay: the address must not contain a user name or password: the page asks for them")
	case (r.Cert == "") != (r.Key == ""):
		return errors.New("relay: cert and key belong together: give both or neither")
	case u.Scheme == "mqtt" && (r.CA != "" || r.Cert != ""):
		return errors.New("relay: ca, cert and key are for TLS: give an address that begins with mqtts://")
	}
	r.host, r.secure = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), ports[u.Scheme])), u.Scheme == "mqtts"
	for _, file := range []*string{&r.CA, &r.Cert, &r.Key} {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(dir, *file)
		}
	}
	return nil
}

// tlsConfig reads the files, for each connection: a renewed certificate needs no restart.
func (r *relay) tlsConfig() (*tls.Config, error) {
	config := new(tls.Config)
	if r.CA != "" {
		pem, err := os.ReadFile(r.CA)
		if err != nil {
			return nil, fmt.Errorf("relay: ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("relay: ca: there is no PEM certificate in %s", r.CA)
		}
	}
	if r.Cert != "" {
		pair, err := tls.LoadX509KeyPair(r.Cert, r.Key)
		if err != nil {
			return nil, fmt.Errorf("relay: cert and key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

func (r *relay) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if !r.secure {
		return new(net.Dialer).DialContext(ctx, "tcp", r.host)
	}
	config, err := r.tlsConfig()
	if err != nil {
		return nil, err
	}
	return (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", r.host)
}

// relays returns the relays of the list by name, or an error if they must not be
// offered.
func (c *config) relays(list []brokerEntry) (map[string]*relay, error) {
	byName := make(map[string]*relay)
	for _, b := range list {
		if b.relay == nil {
			continue
		}
		byName[b.Name] = b.relay
		if _, err := b.relay.tlsConfig(); err != nil {
			return nil, fmt.Errorf("-brokers: %s: %s: %w", c.brokers, b.Name, err)
		}
	}
	switch from := c.exposures(c.addr); {
	case len(byName) == 0 && !c.broker && c.brokerAuth != "":
		return nil, errors.New("-broker-auth is for the embedded broker and for relays, and there is neither")
	case len(byName) > 0 && c.static != "":
		return nil, errors.New("-static: a host of static files has no relays: leave them out of -brokers")
	case len(byName) > 0 && len(from) > 0 && c.brokerAuth == "" && !c.relayOpen:
		return nil, fmt.Errorf("the relays of -brokers would be open to everybody who reaches %s: give them users with "+
			"-broker-auth FILE, or say -relay-open if that is what you want", from[0])
	}
	return byName, nil
}

// relays serve /relay/{name}: MQTT over WebSocket, passed on to the broker of that
// name and to nothing else.
type relays struct {
	ctx     context.Context // relays end with it
	byName  map[string]*relay
	origins []string
	users   *broker.Users // nil: everybody
	gate    *broker.Gate
	log     *slog.Logger
	open    sync.Map // from each *relayed to the name of its user
	running sync.WaitGroup
}

// relayed is a client's connection.
type relayed struct{ *broker.WebSocket }

// Close implements io.Closer for the gate.
func (c *relayed) Close() error {
	c.End(websocket.StatusTryAgainLater, "the relay has too many connections")
	return nil
}

func (s *relays) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to, ok := s.byName[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	s.running.Add(1)
	defer s.running.Done()
	ws := broker.AcceptWebSocket(w, r, s.origins, s.log)
	if ws == nil {
		return
	}
	c := &relayed{ws}
	defer c.End(websocket.StatusInternalError, "") // has an effect only after a panic
	defer s.open.Delete(c)
	s.open.Store(c, "")
	defer s.gate.Watch(c, http.StateClosed)
	s.gate.Watch(c, http.StateNew)
	defer context.AfterFunc(s.ctx, func() { c.End(websocket.StatusGoingAway, "the server is shutting down") })()
	c.End(s.serve(c, to, r.RemoteAddr))
}

func (s *relays) count() (n int) {
	s.open.Range(func(any, any) bool { n++; return true })
	return n
}

// revoke ends the connections of these users.
func (s *relays) revoke(names []string) {
	s.open.Range(func(c, user any) bool {
		if slices.Contains(names, user.(string)) {
			s.running.Go(func() { c.(*relayed).End(websocket.StatusPolicyViolation, "no longer a user of this server") })
		}
		return true
	})
}

// serve runs one connection, and returns the code and reason to close it with.
func (s *relays) serve(c *relayed, to *relay, remote string) (code websocket.StatusCode, reason string) {
	_ = c.SetReadDeadline(time.Now().Add(broker.ConnectTimeout))
	in := bufio.NewReaderSize(c, 32<<10)
	connect, pk, err := readConnect(in)
	if err != nil {
		return websocket.StatusProtocolError, "CONNECT expected"
	}
	_ = c.SetReadDeadline(time.Time{})
	if user := string(pk.Connect.Username); s.users != nil {
		s.open.Store(c, user) // before the check, so that a user revoked meanwhile is disconnected, too
		if why := s.users.Authenticate(user, pk.Connect.Password, remote); why != packets.CodeSuccess {
			code := packets.Err3ServerUnavailable.Code // of MQTT 3.1.1
			if why == packets.ErrBadUsernameOrPassword {
				code = packets.ErrMalformedUsernameOrPassword.Code
				s.log.Warn("refused a client of a relay: wrong user name or password", "relay", to.name, "remote", remote)
			}
			refusal := []byte{packets.Connack << 4, 2, 0, code}
			if pk.ProtocolVersion == 5 {
				refusal = []byte{packets.Connack << 4, 3, 0, why.Code, 0}
			}
			_, _ = patient{c}.Write(refusal)
			return websocket.StatusNormalClosure, ""
		}
	}
	target, err := to.dial(s.ctx)
	if err != nil {
		return s.failed(to, err)
	}
	defer target.Close()

	var left atomic.Bool // the client is gone
	s.running.Go(func() {
		if _, err := (patient{target}).Write(connect); err == nil {
			_, _ = in.WriteTo(patient{target})
			left.Store(true)
		}
		_ = target.SetReadDeadline(time.Now().Add(broker.CloseTimeout))
	})
	buffer := make([]byte, 32<<10)
	n, err := target.Read(buffer) // in TLS 1.3 a refused certificate fails here
	switch {
	case n > 0:
		if to.down.Swap(false) {
			s.log.Info("a relay reaches its broker again", "relay", to.name)
		}
		s.gate.Watch(c, http.StateActive)
		if _, err = (patient{c}).Write(buffer[:n]); err == nil {
			_, err = io.CopyBuffer(patient{c}, struct{ io.Reader }{target}, buffer)
		}
	case left.Load():
	case errors.Is(err, io.EOF): // the broker was reached; this client's CONNECT may be to blame
		return websocket.StatusBadGateway, "the broker closed the connection without an answer"
	default:
		return s.failed(to, err)
	}
	if left.Load() { // closing with unread data would lose what was sent last, such as DISCONNECT
		_, _ = io.Copy(io.Discard, target)
	} else if err != nil {
		return websocket.StatusBadGateway, "the relay lost its connection to the broker"
	}
	return websocket.StatusNormalClosure, ""
}

// failed logs the first failure in a row.
func (s *relays) failed(to *relay, err error) (code websocket.StatusCode, reason string) {
	if s.ctx.Err() == nil && !to.down.Swap(true) {
		s.log.Warn("a relay cannot reach its broker", "relay", to.name, "address", to.Address, "error", err)
	}
	return websocket.StatusBadGateway, "the relay cannot reach its broker" // the details are for the log only
}

// readConnect reads the CONNECT packet that begins every connection (3.1), and also
// returns its bytes.
func readConnect(in *bufio.Reader) ([]byte, packets.Packet, error) {
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Connect}}
	if first, err := in.Peek(1); err != nil || first[0] != packets.Connect<<4 {
		return nil, pk, packets.ErrMalformedPacket
	}
	var packet bytes.Buffer
	if err := broker.ReadPacket(in, &packet, broker.MaxConnectSize); err != nil {
		return nil, pk, err
	}
	_, length := binary.Uvarint(packet.Bytes()[1:])
	return packet.Bytes(), pk, pk.ConnectDecode(packet.Bytes()[1+length:])
}

// patient is a connection whose writes have relayPatience, renewed with each.
type patient struct{ net.Conn }

func (p patient) Write(b []byte) (int, error) {
	_ = p.SetWriteDeadline(time.Now().Add(relayPatience))
	return p.Conn.Write(b)
}
