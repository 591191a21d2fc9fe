package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"nhooyr.io/websocket"
)

// client is the other end of the flooder, packet by packet.
type client struct {
	t      *testing.T
	conn   *websocket.Conn
	frames int // read so far
	rest   []byte
}

func dial(t *testing.T, version byte, query string) (c *client, origin string) {
	t.Helper()
	all := newRegister()
	mux := http.NewServeMux()
	mux.HandleFunc("/flood", func(w http.ResponseWriter, r *http.Request) { serveFlood(w, r, all) })
	mux.HandleFunc("/stats", func(w http.ResponseWriter, r *http.Request) { serveStats(w, r, all) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	conn, _, err := websocket.Dial(ctx, server.URL+"/flood?"+query, &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(-1)
	c = &client{t: t, conn: conn}
	hello := append(appendText(nil, "MQTT"), version, 2, 0, 0)
	if version == 5 {
		hello = append(hello, 3, 0x21, 0, 30) // Receive Maximum 30
	}
	c.send(appendPacket(nil, connect<<4, append(hello, 0, 0)))
	if p := c.next(); p.kind() != connack || p.body[1] != 0 {
		t.Fatalf("got %x % x, want CONNACK", p.first, p.body)
	}
	return c, server.URL
}

func (c *client) send(b []byte) {
	c.t.Helper()
	if err := c.conn.Write(context.Background(), websocket.MessageBinary, b); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) next() packet {
	c.t.Helper()
	for {
		if p, rest, ok := cut(c.rest); ok {
			c.rest = rest
			return p
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		_, frame, err := c.conn.Read(ctx)
		cancel()
		if err != nil {
			c.t.Fatal(err)
		}
		c.frames++
		c.rest = append(bytes.Clone(c.rest), frame...)
	}
}

func (c *client) start(messages int, version byte) {
	c.send(appendPublish(nil, version, startTopic, 0, 0, strconv.AppendInt(nil, int64(messages), 10)))
}

func TestFlood(t *testing.T) {
	for _, version := range []byte{4, 5} {
		for _, query := range []string{"size=64&frame=20", "size=64", "size=200000&frame=3", "size=16&frame=20&topics=1000"} {
			t.Run(strconv.Itoa(int(version))+" "+query, func(t *testing.T) {
				c, _ := dial(t, version, query)
				c.start(600, version)
				frames := c.frames
				got := 0
				for ; ; got++ {
					p := c.next()
					if p.kind() != publish || p.qos() != 0 {
						t.Fatalf("got %x, want PUBLISH of QoS 0", p.first)
					}
					r := reader{p.body}
					if string(r.skip(int(r.u16()))) == endTopic {
						break
					}
				}
				frames = c.frames - frames - 1
				values, err := url.ParseQuery(query)
				if err != nil {
					t.Fatal(err)
				}
				perFrame := planOf(values).frame
				if got != 600 || frames != 600/perFrame {
					t.Errorf("got %d messages in %d frames, want 600 in %d", got, frames, 600/perFrame)
				}
			})
		}
	}
}

// A flood at QoS 1 goes on as it is acknowledged, and no identifier is in use twice.
func TestFloodIsAcknowledged(t *testing.T) {
	c, _ := dial(t, 5, "size=16&frame=10&qos=1")
	c.start(200, 5)
	inFlight := map[uint16]bool{}
	var acks []byte
	for got := 1; got <= 200; got++ {
		p := c.next()
		r := reader{p.body}
		r.skip(int(r.u16()))
		id := r.u16()
		if p.qos() != 1 || inFlight[id] {
			t.Fatalf("got QoS %d, identifier %d, in flight already: %v", p.qos(), id, inFlight[id])
		}
		inFlight[id] = true
		acks = append(acks, puback<<4, 2, byte(id>>8), byte(id))
		if got%30 == 0 { // the client's Receive Maximum, see dial
			c.send(acks)
			acks = nil
			clear(inFlight)
		}
	}
}

// The window keeps to the client's Receive Maximum [MQTT-3.3.4-9].
func TestWindow(t *testing.T) {
	p := plan{size: 16, frame: 10}
	if got := windowFor(p, 30); got != 30 {
		t.Errorf("the window is %d, want the Receive Maximum", got)
	}
	w := newWindow(35)
	if got := w.reserve(100, p.frame, nil); got != 3 {
		t.Errorf("reserved %d frames of 10, want 3 with a window of 35", got)
	}
	for range 5 {
		w.release()
	}
	if got := w.reserve(100, p.frame, nil); got != 1 {
		t.Errorf("reserved %d frames after 5 acknowledgements, want 1", got)
	}
	ended := make(chan struct{})
	close(ended)
	w.released = nil // what woke it before must not wake it again
	if got := w.reserve(1, p.frame, ended); got != 0 {
		t.Errorf("reserved %d frames when ended, want 0", got)
	}
}

func TestEchoAnswersAndCounts(t *testing.T) {
	c, origin := dial(t, 5, "id=me&echo=1")
	c.send(bytes.Join([][]byte{
		appendPublish(nil, 5, "t", 1, 7, []byte("one")),
		appendPublish(nil, 5, "t", 2, 8, []byte("two")),
	}, nil))
	for _, want := range []packet{
		{publish << 4, appendPublish(nil, 5, "t", 0, 0, []byte("one"))[2:]},
		{puback << 4, []byte{0, 7}},
		{publish << 4, appendPublish(nil, 5, "t", 0, 0, []byte("two"))[2:]},
		{pubrec << 4, []byte{0, 8}},
	} {
		if p := c.next(); p.first != want.first || !bytes.Equal(p.body, want.body) {
			t.Fatalf("got %x % x, want %x % x", p.first, p.body, want.first, want.body)
		}
	}
	response, err := http.Get(origin + "/stats?id=me&published=2&reset")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var got counts
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Published != 2 || got.In == 0 || got.Out == 0 {
		t.Errorf("got %+v", got)
	}
}
