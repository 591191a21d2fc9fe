package mqtt

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

func offline(o *Options) { o.Queue.Offline = true }

// away starts a client whose connection broke, and which waits long before the
// next attempt: until Wake.
func away(t *testing.T, change func(*Options)) (*Client, *scripted, eventLog) {
	t.Helper()
	c, s, b, log := start(t, func(o *Options) {
		o.ReconnectMin, o.ReconnectMax = time.Hour, time.Hour
		o.SessionExpiry = 10 * 3600
		if change != nil {
			change(o)
		}
	})
	b.Close()
	wait[Reconnecting](log)
	return c, s, log
}

func wantTopics(t *testing.T, b *brokerConn, topics ...string) {
	t.Helper()
	for _, topic := range topics {
		if p := publishOf(t, b.read()); p.Topic != topic || p.Duplicate {
			t.Fatalf("got %v, want %s", p, topic)
		}
	}
}

func wantNil(t *testing.T, outcomes ...<-chan error) {
	t.Helper()
	for i, ch := range outcomes {
		if err := <-ch; err != nil {
			t.Errorf("publish %d: %v", i, err)
		}
	}
}

func TestOfflineMessagesGoOutInOrder(t *testing.T) {
	c, s, _ := away(t, offline)
	var done []<-chan error
	for i := range 6 {
		done = append(done, publishAsync(c, Message{Topic: fmt.Sprint(i), QoS: byte(i % 2)}))
	}
	c.Wake()
	b := s.next()
	b.accept(1)
	wantTopics(t, b, "0", "1", "2", "3", "4", "5")
	for id := range byte(3) {
		b.send(0x40, 2, 0, id+1)
	}
	wantNil(t, done...)
}

func TestOfflineWithoutQoS0(t *testing.T) {
	c, s, _ := away(t, func(o *Options) { o.Queue.Offline, o.Queue.OfflineNoQoS0 = true, true })
	wantCode(t, <-publishAsync(c, Message{Topic: "0"}), NotConnected, "")
	one := publishAsync(c, Message{Topic: "1", QoS: 1})
	c.Wake()
	b := s.next()
	b.accept(1)
	wantTopics(t, b, "1")
	b.send(0x40, 2, 0, 1)
	wantNil(t, one)
}

func TestWhatMayNotWaitFailsWithTheConnection(t *testing.T) {
	c, _, b, _ := start(t, func(o *Options) { o.ReconnectMin = time.Hour }, 0x21, 0, 1) // Receive Maximum 1
	inFlight := publishAsync(c, Message{Topic: "1", QoS: 1})
	waiting := publishAsync(c, Message{Topic: "2", QoS: 1})
	wantTopics(t, b, "1")
	b.Close()
	wantCode(t, <-inFlight, SessionLost, "")
	wantCode(t, <-waiting, NotConnected, "")
}

func TestQueueBounds(t *testing.T) {
	frame, _ := encodePublish(&Message{Topic: "0", QoS: 1, Payload: []byte("x")})
	for name, bounds := range map[string]Queue{
		"messages": {Messages: 3},
		"bytes":    {Bytes: 3*len(frame) + 1},
	} {
		for policy, test := range map[QueuePolicy]struct {
			code Code
			lost []int
			sent []string
		}{
			Reject:     {QueueFull, []int{3, 4}, []string{"0", "1", "2"}},
			DropNewest: {Dropped, []int{3, 4}, []string{"0", "1", "2"}},
			DropOldest: {Dropped, []int{0, 1}, []string{"2", "3", "4"}},
		} {
			t.Run(fmt.Sprintf("%s, policy %d", name, policy), func(t *testing.T) {
				c, s, _ := away(t, func(o *Options) { o.Queue = bounds; o.Queue.Policy, o.Queue.Offline = policy, true })
				var done []<-chan error
				for i := range 5 {
					done = append(done, publishAsync(c, Message{Topic: fmt.Sprint(i), QoS: 1, Payload: []byte("x")}))
				}
				for _, i := range test.lost {
					wantCode(t, <-done[i], test.code, "")
				}
				c.Wake()
				b := s.next()
				b.accept(1)
				wantTopics(t, b, test.sent...)
				c.session.mu.Lock()
				if c.session.queue.bytes != 0 || c.session.queue.list.Len() != 0 {
					t.Errorf("an empty queue counts %d bytes", c.session.queue.bytes)
				}
				c.session.mu.Unlock()
			})
		}
	}
	t.Run("nothing gives way to what never fits", func(t *testing.T) {
		c, s, _ := away(t, func(o *Options) { o.Queue = Queue{Offline: true, Bytes: 100, Policy: DropOldest} })
		small := publishAsync(c, Message{Topic: "s"})
		wantCode(t, <-publishAsync(c, Message{Topic: "l", Payload: make([]byte, 100)}), QueueFull, "")
		c.Wake()
		b := s.next()
		b.accept(1)
		wantTopics(t, b, "s")
		wantNil(t, small)
	})
}

// 3.3.2.3.3, [MQTT-3.3.2-6]
func TestExpiryWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _ := away(t, offline)
		short, long := uint32(10), uint32(60)
		begin := time.Now()
		expires := publishAsync(c, Message{Topic: "short", QoS: 1, Properties: Properties{MessageExpiry: &short}})
		lasts := publishAsync(c, Message{Topic: "long", QoS: 1, Properties: Properties{MessageExpiry: &long}})
		wantCode(t, <-expires, Expired, "")
		if d := time.Since(begin); d != 10*time.Second {
			t.Errorf("expired after %v, want 10s", d)
		}
		time.Sleep(5 * time.Second)
		c.Wake()
		b := s.next()
		b.accept(1)
		p := publishOf(t, b.read())
		if p.Topic != "long" || *p.Properties.MessageExpiry != 45 {
			t.Errorf("sent %v, want long with 45 seconds left", p)
		}
		b.Close()
		time.Sleep(5 * time.Second)
		c.Wake()
		b = s.next()
		b.accept(1)
		if p := publishOf(t, b.read()); *p.Properties.MessageExpiry != 40 || !p.Duplicate {
			t.Errorf("sent again %v, want 40 seconds left", p)
		}
		b.send(0x40, 2, 0, 1)
		wantNil(t, lasts)
	})
}

// What a lost session gave back to the queue expires there too.
func TestExpiryAfterRepublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, b, log := start(t, func(o *Options) {
			o.Republish, o.SessionExpiry, o.ReconnectMin, o.ReconnectMax = true, 5, time.Hour, time.Hour
		})
		expiry := uint32(100)
		begin := time.Now()
		done := publishAsync(c, Message{Topic: "t", QoS: 1, Properties: Properties{MessageExpiry: &expiry}})
		publishOf(t, b.read())
		b.Close()
		wait[Reconnecting](log)
		time.Sleep(10 * time.Second)
		c.Wake()
		s.next().Close() // the session was given up before this attempt
		wantCode(t, <-done, Expired, "")
		if d := time.Since(begin); d != 100*time.Second {
			t.Errorf("expired after %v, want 100s", d)
		}
	})
}

func TestCancelTakesAWaitingMessageOut(t *testing.T) {
	c, s, _ := away(t, offline)
	ctx, cancel := context.WithCancel(background)
	gone := make(chan error, 1)
	go func() {
		_, err := c.Publish(ctx, Message{Topic: "gone", QoS: 1})
		gone <- err
	}()
	cancel()
	wantCode(t, <-gone, Aborted, "")
	stays := publishAsync(c, Message{Topic: "stays", QoS: 1})
	c.Wake()
	b := s.next()
	b.accept(1)
	wantTopics(t, b, "stays")
	b.send(0x40, 2, 0, 1)
	wantNil(t, stays)
}

// A message that can't go on must not keep those behind it.
func TestCancelOfTheFirstLetsTheNextGo(t *testing.T) {
	c, _, b, _ := start(t, nil, 0x21, 0, 1)
	publishAsync(c, Message{Topic: "1", QoS: 1})
	wantTopics(t, b, "1")
	second := make(chan error, 1)
	cancel := c.PublishAsync(&Message{Topic: "2", QoS: 1}, func(_ PublishResult, err error) { second <- err })
	third := publishAsync(c, Message{Topic: "3"})
	cancel(newError(Aborted, "enough"))
	wantCode(t, <-second, Aborted, "")
	wantTopics(t, b, "3")
	wantNil(t, third)
}

func TestTighterLimitsAfterReconnect(t *testing.T) {
	c, s, b, log := start(t, func(o *Options) {
		o.Queue.Offline, o.SessionExpiry, o.ReconnectMin, o.ReconnectMax = true, 1000, time.Hour, time.Hour
	})
	inFlight := publishAsync(c, Message{Topic: "flying", QoS: 1, Payload: make([]byte, 100)})
	publishOf(t, b.read())
	b.Close()
	wait[Reconnecting](log)
	large := publishAsync(c, Message{Topic: "large", QoS: 1, Payload: make([]byte, 100)})
	retained := publishAsync(c, Message{Topic: "kept", Retain: true})
	exactly := publishAsync(c, Message{Topic: "exactly", QoS: 2})
	fine := publishAsync(c, Message{Topic: "fine", QoS: 1})
	c.Wake()
	b = s.next()
	b.accept(1, 0x24, 1, 0x25, 0, 0x27, 0, 0, 0, 100) // Maximum QoS 1, nothing retained, 100 bytes
	wantTopics(t, b, "fine")
	wantCode(t, <-inFlight, PacketTooLarge, "payload")
	wantCode(t, <-large, PacketTooLarge, "payload")
	wantCode(t, <-retained, Unsupported, "retain")
	wantCode(t, <-exactly, Unsupported, "qos")
	b.send(0x40, 2, 0, 2)
	wantNil(t, fine)
}

func TestDisconnectSettlesAllThatWaits(t *testing.T) {
	c, _, _ := away(t, offline)
	var done []<-chan error
	for i := range 10 {
		done = append(done, publishAsync(c, Message{Topic: "t", QoS: byte(i % 3)}))
	}
	if err := c.Disconnect(background, DisconnectOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, ch := range done {
		wantCode(t, <-ch, NotConnected, "")
	}
}

// [MQTT-3.3.4-7], with messages that are sent again counted.
func TestReceiveMaximumAfterReconnect(t *testing.T) {
	c, s, b, log := start(t, func(o *Options) {
		o.Queue.Offline, o.SessionExpiry, o.ReconnectMin, o.ReconnectMax = true, 1000, time.Hour, time.Hour
	}, 0x21, 0, 2)
	first := publishAsync(c, Message{Topic: "1", QoS: 1})
	second := publishAsync(c, Message{Topic: "2", QoS: 1})
	wantTopics(t, b, "1", "2")
	b.Close()
	wait[Reconnecting](log)
	third := publishAsync(c, Message{Topic: "3", QoS: 1})
	c.Wake()
	b = s.next()
	b.accept(1, 0x21, 0, 2)
	publishOf(t, b.read())
	publishOf(t, b.read())
	wait[Connected](log)
	c.session.mu.Lock()
	if c.session.sendable() {
		t.Error("a third message may be sent while two are in flight")
	}
	c.session.mu.Unlock()
	b.send(0x40, 2, 0, 1)
	wantTopics(t, b, "3")
	b.send(0x40, 2, 0, 2)
	b.send(0x40, 2, 0, 3)
	wantNil(t, first, second, third)
}

// What is in flight when the broker has forgotten the session.
func TestRepublish(t *testing.T) {
	for name, qos := range map[string]byte{"QoS 1": 1, "QoS 2": 2} {
		for _, received := range []bool{false, true} { // PUBREC came
			for _, republish := range []bool{false, true} {
				if received && qos == 1 {
					continue
				}
				t.Run(fmt.Sprintf("%s, PUBREC %v, republish %v", name, received, republish), func(t *testing.T) {
					c, s, b, _ := start(t, func(o *Options) { o.SessionExpiry, o.Republish = 1000, republish }, 0x21, 0, 1)
					done := publishAsync(c, Message{Topic: "t", QoS: qos})
					waits := publishAsync(c, Message{Topic: "u", QoS: 1})
					wantTopics(t, b, "t")
					if received {
						b.send(0x50, 2, 0, 1)
						b.expect(0x62, 2, 0, 1)
					}
					b.Close()
					b = s.next()
					b.accept(0)
					if !republish {
						wantCode(t, <-done, SessionLost, "")
						wantCode(t, <-waits, NotConnected, "")
						return
					}
					wantCode(t, <-waits, NotConnected, "")
					p := publishOf(t, b.read())
					if p.Topic != "t" || p.Duplicate { // a new message for the broker
						t.Errorf("got %v", p)
					}
					id := byte(p.PacketID)
					if qos == 1 {
						b.send(0x40, 2, 0, id)
					} else {
						b.send(0x50, 2, 0, id)
						b.expect(0x62, 2, 0, id)
						b.send(0x70, 2, 0, id)
					}
					wantNil(t, done)
				})
			}
		}
	}
}

// A message that has its identifier but was never written is no repetition
// [MQTT-3.3.1-1], and is not lost with the session.
func TestNeverAttemptedIsNoDuplicate(t *testing.T) {
	for present := range byte(2) {
		t.Run(fmt.Sprintf("session present %d", present), func(t *testing.T) {
			s := newSession(&Options{Queue: Queue{Messages: 10, Bytes: 1000}}, func(error) {})
			o := newOutgoing(&Message{Topic: "t", QoS: 1})
			o.settle = func(_ PublishResult, err error) { t.Errorf("settled: %v", err) }
			s.limits = limits{qos: 2, retain: true}
			s.conn, s.quota = &link{}, 1
			if err := s.enqueue(o); err != nil {
				t.Fatal(err)
			}
			s.mu.Lock()
			s.queue.remove(o)
			if err := s.admit(o); err != nil {
				t.Fatal(err)
			}
			s.mu.Unlock()
			_ = s.ConnectionLost(nil)
			ours, theirs := bufferedPipe()
			l := newLink(ours, 1000)
			ack := &packets.Connack{SessionPresent: present == 1, Properties: &packets.Properties{}}
			if err := s.ConAckReceived(l, &packets.Connect{}, ack); err != nil {
				t.Fatal(err)
			}
			if present == 0 {
				s.sendSome()
			}
			b := &brokerConn{t: t, Conn: theirs}
			if p := publishOf(t, b.read()); p.Duplicate || p.Topic != "t" {
				t.Errorf("got %v, want no DUP", p)
			}
		})
	}
}

// [MQTT-3.1.2-23], by our own clock
func TestSessionExpiryIsHonouredLocally(t *testing.T) {
	for _, slept := range []time.Duration{99 * time.Second, 100 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			c, s, b, log := start(t, func(o *Options) { o.SessionExpiry, o.ReconnectMin, o.ReconnectMax = 1000, time.Hour, time.Hour },
				0x11, 0, 0, 0, 100) // the broker grants 100 s (3.2.2.3.2)
			done := publishAsync(c, Message{Topic: "t", QoS: 1})
			publishOf(t, b.read())
			b.Close()
			wait[Reconnecting](log)
			time.Sleep(slept)
			c.Wake()
			b = s.next()
			if slept < 100*time.Second {
				if p := b.accept(1); p.CleanStart {
					t.Error("Clean Start before the session expired")
				}
				publishOf(t, b.read())
				b.send(0x40, 2, 0, 1)
				wantNil(t, done)
				return
			}
			wantCode(t, <-done, SessionLost, "")
			if p := b.accept(0); !p.CleanStart {
				t.Error("no Clean Start after the session expired")
			}
		})
	}
}

// [MQTT-3.14.4-1]: nothing follows DISCONNECT, and what was not sent may wait.
func TestNothingFollowsDisconnect(t *testing.T) {
	c, s, b, log := start(t, func(o *Options) { o.Queue.Offline, o.SessionExpiry = true, 1000 })
	c.session.sendMu.Lock() // the sender is slow
	done := publishAsync(c, Message{Topic: "late"})
	c.session.sendMu.Unlock()
	_ = c.Suspend(background)
	wait[Closed](log)
	seen := 0
	for p := b.read(); p != nil && p.Type != packets.DISCONNECT; p = b.read() {
		seen++
	}
	if p := b.read(); p != nil {
		t.Errorf("%v after DISCONNECT", p)
	}
	c.Resume()
	b = s.next()
	b.accept(1)
	if seen == 0 {
		wantTopics(t, b, "late")
	}
	wantNil(t, done)
}

func TestGoodbyeIsTheLastWrite(t *testing.T) {
	ours, theirs := bufferedPipe()
	l := newLink(ours, 1000)
	if err := l.writeOnce([]byte{disconnect << 4, 0}); err != nil {
		t.Fatal(err)
	}
	if err := l.writeOnce(pingFrame); err == nil || !strings.Contains(err.Error(), "DISCONNECT") {
		t.Errorf("got %v", err)
	}
	_ = l.Close()
	b := &brokerConn{t: t, Conn: theirs}
	b.expect(disconnect<<4, 0)
	if p := b.read(); p != nil {
		t.Errorf("got %v", p)
	}
}
