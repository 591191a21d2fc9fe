package mqtt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// [MQTT-3.2.2-4]: Session Present ends the connection if the client has no session and
// asked for none.
func TestSessionPresentWithoutASession(t *testing.T) {
	for name, test := range map[string]struct {
		expiry time.Duration
		away   time.Duration
	}{
		"it ended with the connection": {0, 0},
		"it expired while away":        {10 * time.Second, 11 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s, b, log := start(t, func(o *Options) {
					o.SessionExpiry, o.ReconnectMin, o.ReconnectMax = test.expiry, untilWake, untilWake
				})
				wait[Connected](log)
				b.Close()
				wait[Reconnecting](log)
				time.Sleep(test.away)
				c.Wake()
				b = s.next()
				if p := b.accept(1); !p.CleanStart {
					t.Error("asks for a session that is gone")
				}
				b.expect(0xE0, 1, 0x82)
				if p := b.read(); p != nil {
					t.Errorf("%v after DISCONNECT", p)
				}
				wantCode(t, wait[Failed](log).Err, Protocol, "")
				c.Wake()
				s.next().accept(0)
				wait[Connected](log)
			})
		})
	}
}

var defaultFirstPacketID = firstPacketID // helpers_test.go sets it to 0

// Every program started with packet identifier 1, which the broker might still hold for
// the previous one.
func TestIdentifiersDontStartAtOne(t *testing.T) {
	count := firstPacketID
	firstPacketID = defaultFirstPacketID
	defer func() { firstPacketID = count }()
	const programs = 16
	var ids []uint16
	for range programs {
		c, _, b, _ := start(t, nil)
		publishAsync(c, Message{Topic: "t", QoS: 1})
		id := publishOf(t, b.read()).PacketID
		if id == 0 { // [MQTT-2.2.1-2]
			t.Error("packet identifier 0")
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if n := len(slices.Compact(ids)); n < programs/2 {
		t.Errorf("%d programs began with %d different identifiers", programs, n)
	}
}

// [MQTT-4.3.3-10]: a program died after PUBREC. The next one sent another message with
// the same identifier; the broker took it for a duplicate, acknowledged it, and dropped
// it.
func TestQoS2IsNotTakenForAnotherProgramsMessage(t *testing.T) {
	keep := func(o *Options) { o.KeepSession, o.SessionExpiry = true, 1000*time.Second }
	held := map[uint16]bool{} // by the broker, from PUBREC to PUBREL
	var passedOn []string
	// serve plays the broker until this many messages were released; -1: until the
	// first PUBREC.
	serve := func(b *brokerConn, messages int) {
		for messages != 0 {
			p := b.read()
			if p == nil {
				return
			}
			switch q := p.Content.(type) {
			case *packets.Publish:
				if !held[q.PacketID] {
					passedOn = append(passedOn, string(q.Payload))
				}
				held[q.PacketID] = true
				b.send(answerFrame(0x50, q.PacketID)...)
				if messages < 0 {
					return
				}
			case *packets.Pubrel:
				if held[q.PacketID] {
					b.send(answerFrame(0x70, q.PacketID)...)
				} else {
					b.send(answerFrame(0x70, q.PacketID, 0x92)...)
				}
				delete(held, q.PacketID)
				if len(passedOn) == messages {
					messages = 0
				}
			}
		}
	}
	synctest.Test(t, func(t *testing.T) { // the program that dies
		c, _, b, _ := start(t, keep)
		publishAsync(c, Message{Topic: "t", QoS: 2, Payload: []byte("first")})
		serve(b, -1)
		b.Close()
	})
	if len(held) != 1 {
		t.Fatalf("the broker holds %v", held)
	}
	synctest.Test(t, func(t *testing.T) {
		s := newScripted(t)
		o := s.options()
		keep(&o)
		conns := make(chan *brokerConn, 1)
		go func() {
			b := s.next()
			b.accept(1)
			conns <- b
		}()
		c, err := Connect(background, o)
		if err != nil {
			t.Fatal(err)
		}
		b := <-conns
		go serve(b, 4)
		for i := range 3 {
			if _, err := c.Publish(background, Message{Topic: "t", QoS: 2, Payload: fmt.Append(nil, i)}); err != nil {
				t.Error(err)
			}
		}
		if want := []string{"first", "0", "1", "2"}; !slices.Equal(passedOn, want) {
			t.Errorf("passed on %q, want %q", passedOn, want)
		}
		_ = c.Disconnect(background, DisconnectOptions{Force: true})
		b.Close()
	})
}

// 1.5.4: text should not include control characters, and a receiver may end the
// connection for one. We did: a stored message with one in a user property came again
// on every connection, and locked its client out.
func TestControlCharactersAreReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, b, log := start(t, nil)
		wait[Connected](log)
		var text []string
		for r := rune(1); r < 0xA0; r++ {
			if r < 0x20 || r >= 0x7F {
				text = append(text, fmt.Sprintf("a%cb", r))
			}
		}
		text = append(text, "\uFDD0", "\uFFFE", "\uFFFF", "\U0001FFFF", "\uFEFF")
		for i, value := range text {
			id := uint16(i + 1)
			b.send(messageWith(id, value)...)
			m, batch := receiveOne(t, c)
			if got := fmt.Sprintf("%q", m.Properties.User); got != fmt.Sprintf("[{%q %q}]", "k", value) || m.Topic != value {
				t.Errorf("%q: got topic %q, user properties %s", value, m.Topic, got)
			}
			batch.Done()
			b.expect(answerFrame(0x40, id)...)
		}
		if n := len(seen[Closed](log)); n > 0 {
			t.Errorf("closed %d times", n)
		}
	})
}

// [MQTT-1.5.4-1], [MQTT-1.5.4-2]: text that must not be sent still ends the connection.
func TestIllFormedTextIsNotReceived(t *testing.T) {
	for _, value := range []string{"a\x00b", "\xED\xA0\x80", "\xFF", "\xC0\x80"} {
		t.Run(fmt.Sprintf("%q", value), func(t *testing.T) {
			_, _, b, log := start(t, func(o *Options) { o.Reconnect = ReconnectNever })
			b.send(messageWith(1, value)...)
			b.expect(0xE0, 1, 0x81)
			wantCode(t, wait[Closed](log).Err, Protocol, "")
		})
	}
}

// messageWith returns a QoS 1 PUBLISH with this text as its topic, and as the value of
// user property k.
func messageWith(id uint16, text string) []byte {
	str := func(s string) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) }
	property := slices.Concat([]byte{0x26}, str("k"), str(text))
	body := slices.Concat(str(text), binary.BigEndian.AppendUint16(nil, id), []byte{byte(len(property))}, property, []byte("P"))
	return append([]byte{0x32, byte(len(body))}, body...)
}

// A client that was resending its messages in flight did not read. A broker that did
// the same did not read either: a deadlock.
func TestResendDoesNotWaitForThePeer(t *testing.T) {
	const n = 100 // messages in flight in each direction
	synctest.Test(t, func(t *testing.T) {
		unbuffered := make(chan net.Conn, 1)
		c, _, b, log := start(t, func(o *Options) {
			dial, first := o.Dial, true
			o.SessionExpiry, o.ReconnectMin, o.ReconnectMax = 1000*time.Second, untilWake, untilWake
			o.Dial = func(ctx context.Context, url string) (net.Conn, error) {
				if first {
					first = false
					return dial(ctx, url)
				}
				ours, theirs := net.Pipe()
				unbuffered <- theirs
				return ours, nil
			}
		})
		wait[Connected](log)
		var done []<-chan error
		for i := range n {
			done = append(done, publishAsync(c, Message{Topic: fmt.Sprint(i), QoS: 1}))
			wantTopics(t, b, fmt.Sprint(i))
		}
		b.Close()
		wait[Reconnecting](log)
		c.Wake()
		b = &brokerConn{t: t, Conn: <-unbuffered}
		b.accept(1)
		for id := range byte(n) { // before it reads anything
			b.send(0x3A, 6, 0, 1, 't', 0, id+1, 0)
		}
		for got := 0; got < n; {
			batch, err := c.Receive(background)
			if err != nil {
				t.Fatal(err)
			}
			got += batch.Count
			batch.Done()
		}
		acks := make(chan uint16, n)
		published, acked := 0, 0
		go func() {
			for id := range acks {
				b.puback(id)
			}
		}()
		for published < n || acked < n {
			switch p := b.read(); {
			case p == nil:
				t.Fatalf("closed after %d messages and %d acknowledgements", published, acked)
			case p.Type == packets.PUBACK:
				acked++
			default:
				if !publishOf(t, p).Duplicate {
					t.Errorf("got %v", p)
				}
				published++
				acks <- p.PacketID()
			}
		}
		close(acks)
		wantNil(t, done...)
		wait[Connected](log)
		if closed := seen[Closed](log); len(closed) > 0 {
			t.Errorf("closed: %v", closed)
		}
		_ = c.Disconnect(background, DisconnectOptions{Force: true})
		_ = b.Close()
	})
}

// Only the broker sets ReasonCode: errors that we find have none.
func TestReasonCodeIsTheBrokers(t *testing.T) {
	for name, bad := range map[string][]byte{
		"malformed":           {0x36, 5, 0, 1, 't', 0, 0},
		"reserved type":       {0x00, 0},
		"PUBLISH without end": bytes.Repeat([]byte{0xFF}, 10),
		"CONNACK twice":       {0x20, 3, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, b, log := start(t, func(o *Options) { o.Reconnect = ReconnectNever })
			b.send(bad...)
			if e := wantCode(t, wait[Closed](log).Err, Protocol, ""); e.ReasonCode != 0 || e.ReasonString != "" {
				t.Errorf("%+v", e)
			}
		})
	}
}
