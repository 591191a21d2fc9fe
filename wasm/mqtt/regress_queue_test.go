package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A connection was stuck in Write, and took a while to close. Meanwhile every message
// of the offline queue was tried on it, and failed: 2,000 of 2,000.
func TestQueueOutlivesAStuckConnection(t *testing.T) {
	const n = 2000
	for name, test := range map[string]struct {
		qos byte
		fit int // bytes that the connection takes before it is stuck
	}{
		"QoS 0":               {0, 0},
		"QoS 1":               {1, 0},
		"QoS 0, half-written": {0, 5005},
		"QoS 1, half-written": {1, 5005},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var first *stuckConn
				c, s, b, log := start(t, func(o *Options) {
					dial := o.Dial
					o.Queue.Offline, o.SessionExpiry = OfflineAll, 1000*time.Second
					o.Dial = func(ctx context.Context, url string) (net.Conn, error) {
						conn, err := dial(ctx, url)
						if first != nil {
							return conn, err
						}
						first = newStuckConn(conn)
						return first, err
					}
				})
				first.stick(test.fit)
				var mu sync.Mutex
				outcomes := map[string]error{}
				for i := range n {
					payload := fmt.Sprintf("%04d", i)
					c.PublishAsync(&Message{Topic: "t", QoS: test.qos, Payload: []byte(payload)}, PublishOptions{
						OnSettled: func(_ PublishResult, err error) {
							mu.Lock()
							defer mu.Unlock()
							outcomes[payload] = err
						},
					})
				}
				synctest.Wait()
				before := map[string]bool{} // messages that the broker got on the first connection
				b.Close()
				for p := b.read(); p != nil; p = b.read() {
					before[string(publishOf(t, p).Payload)] = true
				}
				if test.fit > 0 && len(before) < 100 {
					t.Fatalf("only %d messages fit in", len(before))
				}
				wait[Closed](log)
				b = s.next()
				b.accept(1)
				var frame Message
				frame.Topic, frame.QoS, frame.Payload = "t", test.qos, []byte("0000")
				bytes, _ := frame.encode()
				split := test.fit%len(bytes) > 0 // one message was cut in two
				next := 0
				if test.qos == 0 {
					next = len(before) // written, which counts as sent
					if split {
						next++ // it may have arrived
					}
				}
				for i := next; i < n; i++ {
					p := publishOf(t, b.read())
					payload := fmt.Sprintf("%04d", i)
					if string(p.Payload) != payload {
						t.Fatalf("%s in place of %s", p.Payload, payload)
					}
					mayHave := before[payload] || split && i == len(before)
					if test.qos == 0 && mayHave || p.Duplicate != mayHave { // [MQTT-3.3.1-1]
						t.Fatalf("%s comes with DUP %v; it came before: %v", payload, p.Duplicate, before[payload])
					}
					if test.qos == 1 {
						b.puback(p.PacketID)
					}
				}
				b.nothing()
				mu.Lock()
				defer mu.Unlock()
				failed := 0
				for _, err := range outcomes {
					if err != nil {
						failed++
					}
				}
				want := 0
				if test.qos == 0 && split {
					want = 1
					wantCode(t, outcomes[fmt.Sprintf("%04d", len(before))], Network, "")
				}
				if len(outcomes) != n || failed != want {
					t.Errorf("%d settled of %d, %d failed, want %d", len(outcomes), n, failed, want)
				}
			})
		})
	}
}

// The same if the session ends with its connection: a message that was never written
// does not belong to it.
func TestQueueOutlivesAStuckConnectionWithoutASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 2000
		var stuck *stuckConn
		c, s, b, log := start(t, func(o *Options) {
			dial := o.Dial
			o.Queue.Offline = OfflineQoS12
			o.Dial = func(ctx context.Context, url string) (net.Conn, error) {
				conn, err := dial(ctx, url)
				if stuck == nil {
					stuck = newStuckConn(conn)
					conn = stuck
				}
				return conn, err
			}
		})
		stuck.stick(0)
		var done []<-chan error
		for i := range n {
			done = append(done, publishAsync(c, Message{Topic: fmt.Sprint(i), QoS: 1}))
		}
		synctest.Wait()
		b.Close()
		wait[Closed](log)
		b = s.next()
		b.accept(0)
		for i := range n {
			p := publishOf(t, b.read())
			if p.Topic != fmt.Sprint(i) || p.Duplicate {
				t.Fatalf("got %v in place of %d", p, i)
			}
			b.puback(p.PacketID)
		}
		wantNil(t, done...)
		b.nothing()
	})
}

// A client could not be made without a network: Connect failed, and left nothing to
// subscribe or publish with.
func TestNewWithoutABroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted(t)
		log := make(eventLog, 1000)
		var up atomic.Bool
		o := s.options()
		o.Queue.Offline, o.OnEvent, o.SessionExpiry = OfflineAll, log.on, 1000*time.Second
		o.Dial = func(ctx context.Context, url string) (net.Conn, error) {
			if !up.Load() {
				return nil, errors.New("nobody there")
			}
			return s.dial(ctx, url)
		}
		ctx, cancel := context.WithCancel(background)
		c, err := New(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		cancel() // which only affects New
		defer func() { _ = c.Disconnect(background, DisconnectOptions{Force: true}) }()
		granted := subscribing(c, Subscription{Filter: "a", QoS: 1}, Subscription{Filter: "b"})
		synctest.Wait()
		var done []<-chan error
		for qos := range byte(3) {
			done = append(done, publishAsync(c, Message{Topic: fmt.Sprint(qos), QoS: qos}))
		}
		time.Sleep(10 * time.Minute)
		if failed := seen[Failed](log); len(failed) < 10 {
			t.Errorf("%d attempts in ten minutes", len(failed))
		} else {
			wantCode(t, failed[0].Err, Network, "")
		}
		for i, ch := range append(done, granted) {
			select {
			case err := <-ch:
				t.Fatalf("call %d did not wait: %v", i, err)
			default:
			}
		}

		up.Store(true)
		c.Wake()
		b := s.next()
		if p := b.accept(0); !p.CleanStart {
			t.Error("asks for a session that there never was")
		}
		b.suback(wantSubscribe(t, b, "a", "b").PacketID, 1, 0)
		wantTopics(t, b, "0")
		one, two := publishOf(t, b.read()), publishOf(t, b.read())
		if one.Topic != "1" || two.Topic != "2" || one.Duplicate || two.Duplicate {
			t.Errorf("got %v and %v", one, two)
		}
		b.puback(one.PacketID)
		b.send(answerFrame(0x50, two.PacketID)...)
		b.expect(answerFrame(0x62, two.PacketID)...)
		b.send(answerFrame(0x70, two.PacketID)...)
		wantNil(t, append(done, granted)...)
		wait[Connected](log)

		b = again(t, s, b, 1)
		wait[Connected](log)
		b.nothing() // once is enough
		b = again(t, s, b, 0)
		b.suback(wantSubscribe(t, b, "a", "b").PacketID, 1, 0)
		wait[Connected](log)
		b.nothing()
	})
}

// Without an offline queue, too, calls before the first connection wait for it, and
// fail when the client ends.
func TestNewTakesCallsWithoutAQueue(t *testing.T) {
	o := newScripted(t).options()
	o.Dial = func(context.Context, string) (net.Conn, error) { return nil, errors.New("nobody there") }
	c, err := New(background, o)
	if err != nil {
		t.Fatal(err)
	}
	published, subscribed := publishAsync(c, Message{Topic: "t"}), subscribing(c, Subscription{Filter: "a"})
	if err := c.Disconnect(background, DisconnectOptions{}); err != nil {
		t.Error(err)
	}
	wantCode(t, <-published, NotConnected, "")
	wantCode(t, <-subscribed, NotConnected, "")
	wantCode(t, <-publishAsync(c, Message{Topic: "t", QoS: 1}), NotConnected, "")
}
