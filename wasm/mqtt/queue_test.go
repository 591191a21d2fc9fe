package mqtt

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func offline(o *Options) { o.Queue.Offline = OfflineAll }

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
	c, s, _ := away(t, func(o *Options) { o.Queue.Offline = OfflineQoS12 })
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
	frame, _ := (&Message{Topic: "0", QoS: 1, Payload: []byte("x")}).encode()
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
				c, s, _ := away(t, func(o *Options) { o.Queue = bounds; o.Queue.Policy, o.Queue.Offline = policy, OfflineAll })
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
			})
		}
	}
	t.Run("nothing gives way to what never fits", func(t *testing.T) {
		c, s, _ := away(t, func(o *Options) { o.Queue = Queue{Offline: OfflineAll, Bytes: 100, Policy: DropOldest} })
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
		short, long := 10*time.Second, 60*time.Second
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

// A canceled message does not hold up those behind it.
func TestCancelOfTheFirstLetsTheNextGo(t *testing.T) {
	c, _, b, _ := start(t, nil, 0x21, 0, 1)
	publishAsync(c, Message{Topic: "1", QoS: 1})
	wantTopics(t, b, "1")
	second := make(chan error, 1)
	token := c.PublishAsync(&Message{Topic: "2", QoS: 1}, PublishOptions{OnSettled: func(_ PublishResult, err error) { second <- err }})
	third := publishAsync(c, Message{Topic: "3"})
	token.Cancel(&Error{Code: Aborted, Message: "enough"})
	wantCode(t, <-second, Aborted, "")
	wantTopics(t, b, "3")
	wantNil(t, third)
}

// With a Message Expiry Interval of 0 a message is sent at once, or expires.
func TestExpiryOfNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, b, log := start(t, func(o *Options) {
			o.Queue.Offline, o.ReconnectMin, o.ReconnectMax = OfflineAll, untilWake, untilWake
		})
		now := Message{Topic: "now", Properties: Properties{MessageExpiry: new(time.Duration(0))}}
		sent := publishAsync(c, now)
		if p := publishOf(t, b.read()); *p.Properties.MessageExpiry != 0 {
			t.Errorf("leaves with %d s", *p.Properties.MessageExpiry)
		}
		wantNil(t, sent)
		b.Close()
		wait[Reconnecting](log)
		waits := publishAsync(c, now)
		time.Sleep(2 * time.Second)
		wantCode(t, <-waits, Expired, "")
		c.Wake()
		s.next().accept(0)
	})
}
