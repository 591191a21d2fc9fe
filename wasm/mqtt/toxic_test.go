//go:build !js

package mqtt

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"mqttwasm/server/broker"
)

// toxic is the embedded broker behind a network that can be disturbed.
type toxic struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

func newToxic(t *testing.T) *toxic {
	t.Helper()
	b, err := broker.New(broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = b.Serve(patient{l}) }()
	zerolog.SetGlobalLevel(zerolog.Disabled)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	x := &toxic{t: t, proxy: toxiproxy.NewProxy(server, t.Name(), "127.0.0.1:0", l.Addr().String())}
	if err := x.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		x.heal()
		x.proxy.Stop()
		_ = b.Close()
	})
	return x
}

// patient accepts connections without deadlines: the broker does not close those of a
// silent client, so the client has to notice.
type patient struct{ net.Listener }

type patientConn struct{ net.Conn }

func (p patient) Accept() (net.Conn, error) {
	c, err := p.Listener.Accept()
	return patientConn{c}, err
}

func (patientConn) SetDeadline(time.Time) error     { return nil }
func (patientConn) SetReadDeadline(time.Time) error { return nil }

// poison adds a toxic in one direction; upstream is toward the broker.
func (x *toxic) poison(kind, direction, attributes string) {
	x.t.Helper()
	toxic := fmt.Sprintf(`{"type": %q, "stream": %q, "attributes": {%s}}`, kind, direction, attributes)
	if _, err := x.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		x.t.Fatal(err)
	}
}

func (x *toxic) heal() { x.proxy.Toxics.ResetToxics(background) }

// connect connects a client with a session through the network, and subscribes
// to everything.
func (x *toxic) connect(change func(*Options)) (*Client, eventLog) {
	x.t.Helper()
	log := make(eventLog, 1000)
	o := Options{
		URL: "tcp", ClientID: "toxic", SessionExpiry: 1000 * time.Second, ReconnectMin: time.Millisecond, OnEvent: log.on,
		Dial: func(ctx context.Context, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", x.proxy.Listen)
		},
	}
	if change != nil {
		change(&o)
	}
	c, err := Connect(background, o)
	if err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(func() {
		x.heal()
		_ = c.Disconnect(background, DisconnectOptions{Force: true})
	})
	if _, err := c.Subscribe(background, []Subscription{{Filter: "#", QoS: 2}}, SubscribeOptions{}); err != nil {
		x.t.Fatal(err)
	}
	return c, log
}

func TestLatency(t *testing.T) {
	x := newToxic(t)
	x.poison("latency", "upstream", `"latency": 20, "jitter": 10`)
	x.poison("latency", "downstream", `"latency": 20, "jitter": 10`)
	c, _ := x.connect(nil)
	next := messages(t, c)
	const n = 60
	done := make(chan error, n)
	for i := range n {
		c.PublishAsync(&Message{Topic: "t", QoS: byte(i % 3), Payload: fmt.Append(nil, i)}, PublishOptions{OnSettled: func(_ PublishResult, err error) { done <- err }})
	}
	for i := range n {
		if m := next(); string(m.Payload) != fmt.Sprint(i) {
			t.Errorf("message %s in place of %d", m.Payload, i)
		}
	}
	for range n {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// A message that takes longer than the keep-alive to arrive is not silence.
func TestBandwidthLimit(t *testing.T) {
	x := newToxic(t)
	x.poison("bandwidth", "downstream", `"rate": 250`) // kB/s
	c, _ := x.connect(func(o *Options) { o.KeepAlive, o.Reconnect = time.Second, ReconnectNever })
	payload := make([]byte, 500_000)
	for i := range payload {
		payload[i] = byte(rand.Uint32())
	}
	published := publishAsync(c, Message{Topic: "t", QoS: 1, Payload: payload})
	batch, err := c.Receive(background)
	if err != nil {
		t.Fatal(err)
	}
	for m := range batch.Messages() {
		if !bytes.Equal(m.Payload, payload) {
			t.Error("the message was damaged")
		}
	}
	batch.Done()
	if err := <-published; err != nil {
		t.Error(err)
	}
}

// Disconnect does not wait for a peer that is slow to close.
func TestSlowClose(t *testing.T) {
	x := newToxic(t)
	x.poison("slow_close", "upstream", `"delay": 60000`)
	x.poison("slow_close", "downstream", `"delay": 60000`)
	c, _ := x.connect(nil)
	begin := time.Now()
	if err := c.Disconnect(background, DisconnectOptions{}); err != nil {
		t.Error(err)
	}
	if d := time.Since(begin); d > 10*time.Second {
		t.Errorf("took %v", d)
	}
}

// A message in flight when the connection is reset arrives on the next one, once.
func TestReset(t *testing.T) {
	x := newToxic(t)
	c, log := x.connect(nil)
	next := messages(t, c)
	wait[Connected](log)
	x.poison("reset_peer", "upstream", `"timeout": 0`)
	first := publishAsync(c, Message{Topic: "t", QoS: 2, Payload: []byte("first")})
	wantCode(t, wait[Closed](log).Err, Network, "")
	x.heal()
	wait[Connected](log)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if _, err := c.Publish(background, Message{Topic: "t", QoS: 2, Payload: []byte("second")}); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"first", "second"} {
		if m := next(); string(m.Payload) != want {
			t.Errorf("got %s, want %s", m.Payload, want)
		}
	}
}

// A link that loses everything is noticed within 1.5 times the keep-alive, and the
// message in flight arrives on the next connection.
func TestBlackHole(t *testing.T) {
	x := newToxic(t)
	c, log := x.connect(func(o *Options) { o.KeepAlive = time.Second })
	next := messages(t, c)
	wait[Connected](log)
	x.poison("timeout", "upstream", `"timeout": 0`)
	x.poison("timeout", "downstream", `"timeout": 0`)
	begin := time.Now()
	swallowed := publishAsync(c, Message{Topic: "t", QoS: 2, Payload: []byte("swallowed")})
	if e := wantCode(t, wait[Closed](log).Err, Network, ""); !strings.HasPrefix(e.Message, "keep alive") {
		t.Errorf("noticed by chance: %v", e.Message)
	}
	if d := time.Since(begin); d > 1500*time.Millisecond+time.Second { // a second for a busy machine
		t.Errorf("noticed after %v", d)
	}
	x.heal()
	wait[Connected](log)
	if err := <-swallowed; err != nil {
		t.Error(err)
	}
	if m := next(); string(m.Payload) != "swallowed" {
		t.Errorf("got %s", m.Payload)
	}
}
