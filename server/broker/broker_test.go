package broker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	mqtt "github.com/mochi-mqtt/server/v2"
	mochi "github.com/mochi-mqtt/server/v2/packets"
	"nhooyr.io/websocket"
)

// panicking panics on messages to the topic "panic".
type panicking struct{ mqtt.HookBase }

func (*panicking) ID() string         { return "panicking" }
func (*panicking) Provides(byte) bool { return true }
func (*panicking) OnPublish(_ *mqtt.Client, pk mochi.Packet) (mochi.Packet, error) {
	if pk.TopicName == "panic" {
		panic("as was asked for")
	}
	return pk, nil
}

// A panic closes the connection that caused it, and affects no other.
func TestPanic(t *testing.T) {
	for _, via := range transports {
		t.Run(via.name, func(t *testing.T) {
			log := newRecords()
			b := start(t, Options{Logger: log.logger()})
			if err := b.server.AddHook(new(panicking), nil); err != nil {
				t.Fatal(err)
			}
			bystander := connect(t, dialTCP(t, b), nil)
			bystander.subscribe("a", 0)

			c := via.dial(t, b)
			culprit := connect(t, c, func(c *packets.Connect) { c.ClientID = "culprit" })
			culprit.subscribe("b", 0)
			culprit.publish(0, 0, false, "panic", "")
			culprit.expectEnd()
			log.wait(t, "ended by a panic")
			if _, ok := b.server.Clients.Get("culprit"); ok {
				t.Error("the session is still there")
			}
			bystander.publish(0, 0, false, "a", "still here")
			if m := expect[packets.Publish](bystander); string(m.Payload) != "still here" {
				t.Errorf("got %q", m.Payload)
			}
		})
	}
}

// 3.14.2.1: clients are told that the server is shutting down.
func TestCloseSaysGoodbye(t *testing.T) {
	for _, via := range transports {
		t.Run(via.name, func(t *testing.T) {
			b := start(t, Options{})
			p := connect(t, via.dial(t, b), nil)
			closed := make(chan error, 1)
			go func() { closed <- b.Close() }()
			if got := expect[packets.Disconnect](p).ReasonCode; got != packets.DisconnectServerShuttingDown {
				t.Errorf("reason %#x", got)
			}
			if _, err := packets.ReadPacket(p.conn); err == nil {
				t.Error("the connection stays open")
			}
			_ = p.conn.Close()
			if err := <-closed; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWebSocketCloseHandshake(t *testing.T) {
	b := start(t, Options{})
	ws, _, err := websocket.Dial(t.Context(), serveHTTP(t, b), &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatal(err)
	}
	connect(t, websocket.NetConn(context.Background(), ws, websocket.MessageBinary), nil)
	go b.Close()
	for {
		if _, _, err = ws.Read(t.Context()); err != nil {
			break
		}
	}
	if got := websocket.CloseStatus(err); got != websocket.StatusNormalClosure {
		t.Errorf("closed with %v, %v", got, err)
	}
}

// Neither an idle connection nor a client that does not read delays Close.
func TestCloseIsBounded(t *testing.T) {
	b := start(t, Options{})
	dialTCP(t, b)
	dialWebSocket(t, b)
	dialPipe(t, b)
	deaf := connect(t, dialPipe(t, b), nil) // a pipe has no buffer: the broker blocks in its first write
	deaf.subscribe("flood", 0)
	pub := connect(t, dialTCP(t, b), nil)
	for range 2 {
		pub.publish(1, 1, false, "flood", "unheard")
		expect[packets.Puback](pub)
	}
	began := time.Now()
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	// Waiting for the idle connections would take at least this long.
	if took := time.Since(began); took >= ConnectTimeout {
		t.Errorf("Close took %v", took)
	}
}

func TestConnackAnnouncesLimits(t *testing.T) {
	b := start(t, Options{})
	for _, test := range []struct {
		name           string
		asked, granted uint16
	}{{"none", 0, 300}, {"too long", 301, 300}, {"short", 20, 0}} {
		t.Run("keep-alive "+test.name, func(t *testing.T) {
			p := connect(t, dialTCP(t, b), func(c *packets.Connect) { c.KeepAlive = test.asked })
			props := p.connack.Properties
			if props.MaximumPacketSize == nil || *props.MaximumPacketSize != maxPacketSize {
				t.Errorf("Maximum Packet Size %v", props.MaximumPacketSize)
			}
			if props.TopicAliasMaximum == nil || *props.TopicAliasMaximum != topicAliasMaximum {
				t.Errorf("Topic Alias Maximum %v", props.TopicAliasMaximum)
			}
			if props.ReceiveMaximum == nil || *props.ReceiveMaximum != receiveMaximum {
				t.Errorf("Receive Maximum %v", props.ReceiveMaximum)
			}
			got := uint16(0)
			if props.ServerKeepAlive != nil {
				got = *props.ServerKeepAlive
			}
			if got != test.granted { // [MQTT-3.1.2-21]
				t.Errorf("Server Keep Alive %d, want %d", got, test.granted)
			}
		})
	}
}

func TestPacketTooLarge(t *testing.T) { // [MQTT-3.2.2-15]
	b := start(t, Options{})
	c := dialTCP(t, b)
	p := connect(t, c, nil)
	p.publish(1, 1, false, "t", strings.Repeat("x", maxPacketSize-100))
	expect[packets.Puback](p)
	if _, err := c.Write([]byte{0x30, 0x80, 0x80, 0x80, 0x04}); err != nil { // announces 8 MiB
		t.Fatal(err)
	}
	p.expectEnd()
}

func TestQuotas(t *testing.T) {
	b := start(t, Options{lower: func(q *quotas) { q.sessions, q.retained = 1, 1+len(b0(t).server.Topics.Retained.GetAll()) }})
	p := connect(t, dialTCP(t, b), nil)
	p.publish(1, 1, true, "a", "kept")
	if got := expect[packets.Puback](p).ReasonCode; got != 0 && got != packets.PubackNoMatchingSubscribers {
		t.Errorf("the first retained message: reason %#x", got)
	}
	p.publish(2, 1, true, "b", "too many")
	if got := expect[packets.Puback](p).ReasonCode; got != packets.PubackQuotaExceeded {
		t.Errorf("PUBACK reason %#x", got)
	}
	p.publish(3, 2, true, "b", "too many")
	if got := expect[packets.Pubrec](p).ReasonCode; got != packets.PubrecQuotaExceeded {
		t.Errorf("PUBREC reason %#x", got)
	}
	p.publish(4, 1, true, "a", "replaced")
	if got := expect[packets.Puback](p).ReasonCode; got != 0 && got != packets.PubackNoMatchingSubscribers {
		t.Errorf("replacing a retained message: reason %#x", got)
	}

	c := dialTCP(t, b)
	cp := packets.NewControlPacket(packets.CONNECT)
	cp.Content.(*packets.Connect).CleanStart = true
	if _, err := cp.WriteTo(c); err != nil {
		t.Fatal(err)
	}
	if got := expect[packets.Connack](&peer{t: t, conn: c}).ReasonCode; got != packets.ConnackQuotaExceeded {
		t.Errorf("a session too many: reason %#x", got)
	}
}

// b0 starts a broker with default options.
func b0(t *testing.T) *Broker { return start(t, Options{}) }

// [MQTT-3.3.2-6]: the broker adds no message expiry of its own.
func TestMessagesAreForwardedAsSent(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), nil)
	p.subscribe("t", 2)
	p.publish(0, 0, false, "t", "")
	m := expect[packets.Publish](p)
	if m.Properties.MessageExpiry != nil || len(m.Payload) != 0 {
		t.Errorf("expiry %v, payload %q", m.Properties.MessageExpiry, m.Payload)
	}
}

// [MQTT-4.1.0-2]: a new session does not inherit the subscriptions of an expired one.
func TestExpiredSession(t *testing.T) {
	b := start(t, Options{})
	lasting := func(c *packets.Connect) {
		c.ClientID = "someone"
		c.Properties.SessionExpiryInterval = ptr(uint32(60))
	}
	p := connect(t, dialTCP(t, b), lasting)
	p.subscribe("t", 1)
	p.disconnect()
	cl, ok := b.server.Clients.Get("someone")
	if !ok {
		t.Fatal("the session did not last")
	}
	b.policy.end(cl)
	if got := b.server.Topics.Subscribers("t").Subscriptions; len(got) != 0 {
		t.Errorf("subscriptions left: %v", got)
	}
}

func TestLogHoldsNoPayload(t *testing.T) {
	log := newRecords()
	b := start(t, Options{Logger: log.logger()})
	p := connect(t, dialTCP(t, b), func(c *packets.Connect) {
		c.UsernameFlag, c.Username = true, "user"
		c.PasswordFlag, c.Password = true, []byte("hunter2")
	})
	cp := packets.NewControlPacket(packets.PUBLISH)
	content := cp.Content.(*packets.Publish)
	content.Topic, content.Payload = "t", []byte("secret")
	content.Properties.TopicAlias = ptr(uint16(topicAliasMaximum + 1)) // 3.3.2.3.4
	p.send(cp)
	if got := expect[packets.Disconnect](p).ReasonCode; got != packets.DisconnectTopicAliasInvalid {
		t.Errorf("reason %#x", got)
	}
	log.wait(t, "topic alias invalid")
	for _, word := range []string{"secret", "hunter2", "c2VjcmV0"} {
		if strings.Contains(log.String(), word) {
			t.Errorf("%q is in the log:\n%s", word, log)
		}
	}
}

func TestHandshake(t *testing.T) {
	for _, test := range []struct {
		name   string
		header http.Header
		allow  []string
		want   int
	}{
		{"no origin", http.Header{}, nil, 101},
		{"same origin", http.Header{"Origin": {"http://HOST"}}, nil, 101},
		{"same host behind TLS", http.Header{"Origin": {"https://HOST"}}, nil, 101},
		{"same host, other port", http.Header{"Origin": {"http://127.0.0.1:1"}}, nil, 403},
		{"not a web origin", http.Header{"Origin": {"evil://HOST"}}, nil, 403},
		{"foreign origin", http.Header{"Origin": {"http://evil.example"}}, nil, 403},
		{"own host as a prefix", http.Header{"Origin": {"http://HOST.evil.example"}}, nil, 403},
		{"opaque origin", http.Header{"Origin": {"null"}}, nil, 403},
		{"allowed origin", http.Header{"Origin": {"http://good.example"}},
			[]string{"http://good.example"}, 101},
		{"allowed origin in capitals", http.Header{"Origin": {"http://GOOD.example"}}, []string{"http://good.example"}, 101},
		{"allowed origin, other scheme", http.Header{"Origin": {"https://good.example"}}, []string{"http://good.example"}, 403},
		{"allowed origin, other port", http.Header{"Origin": {"http://good.example:81"}}, []string{"http://good.example"}, 403},
		{"other name for this server", http.Header{"Origin": {"http://localhost"}}, nil, 403},
		{"no subprotocol", http.Header{"Sec-Websocket-Protocol": nil}, nil, 400},
		{"other subprotocol", http.Header{"Sec-Websocket-Protocol": {"mqttv3.1"}}, nil, 400},
		{"among subprotocols", http.Header{"Sec-Websocket-Protocol": {"mqttv3.1, mqtt"}}, nil, 101},
		{"not a handshake", http.Header{"Upgrade": nil}, nil, 426},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := start(t, Options{Origins: test.allow})
			address := strings.Replace(serveHTTP(t, b), "ws", "http", 1)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header = http.Header{
				"Connection":             {"Upgrade"},
				"Upgrade":                {"websocket"},
				"Sec-Websocket-Version":  {"13"},
				"Sec-Websocket-Key":      {"MDEyMzQ1Njc4OWFiY2RlZg=="},
				"Sec-Websocket-Protocol": {"mqtt"},
			}
			for name, values := range test.header {
				r.Header.Del(name)
				for _, v := range values {
					r.Header.Add(name, strings.ReplaceAll(v, "HOST", r.URL.Host))
				}
			}
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			response, err := transport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != test.want {
				t.Errorf("status %d, want %d", response.StatusCode, test.want)
			}
			if got := response.Header.Get("Sec-Websocket-Protocol"); test.want == 101 && got != "mqtt" {
				t.Errorf("subprotocol %q", got) // [MQTT-6.0.0-4]
			}
		})
	}
}

// [MQTT-6.0.0-1]: MQTT travels in binary frames only.
func TestTextFrame(t *testing.T) {
	b := start(t, Options{})
	ws, _, err := websocket.Dial(t.Context(), serveHTTP(t, b), &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := ws.Write(t.Context(), websocket.MessageText, []byte("\x10")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusUnsupportedData {
		t.Errorf("read: %v", err)
	}
}

// [MQTT-6.0.0-2]: packets need not align with frames.
func TestPacketsAcrossFrames(t *testing.T) {
	b := start(t, Options{})
	c := dialWebSocket(t, b)
	connect(t, c, nil)
	var both bytes.Buffer
	for range 2 {
		_, _ = packets.NewControlPacket(packets.PINGREQ).WriteTo(&both)
	}
	for _, part := range [][]byte{both.Bytes()[:1], both.Bytes()[1:]} {
		if _, err := c.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		expect[packets.Pingresp](&peer{t: t, conn: c})
	}
}

func TestServeConnAfterClose(t *testing.T) {
	b := start(t, Options{})
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	c, s := net.Pipe()
	b.ServeConn(s)
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("read: %v", err)
	}
}

// ServeConn has closed the connection when it returns, even if the peer is slow.
func TestServeConnClosesItsConnection(t *testing.T) {
	b := start(t, Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	after := make(chan error)
	go func() {
		b.ServeConn(accepted)
		after <- accepted.SetDeadline(time.Time{})
	}()
	connect(t, c, nil).disconnect()
	if err := <-after; !errors.Is(err, net.ErrClosed) {
		t.Errorf("it is still open: %v", err)
	}
}
