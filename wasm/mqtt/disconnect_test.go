package mqtt

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

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

// [MQTT-3.14.4-1]: nothing follows DISCONNECT, and unsent messages stay queued.
func TestNothingFollowsDisconnect(t *testing.T) {
	c, s, b, log := start(t, func(o *Options) { o.Queue.Offline, o.SessionExpiry = OfflineAll, 1000*time.Second })
	done := publishAsync(c, Message{Topic: "late"})
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

// A later call has its own limits: with Force, or when its context ends, the client
// ends although an earlier call still waits for messages in flight.
func TestDisconnectAgainIsNotBoundToTheFirst(t *testing.T) {
	for name, again := range map[string]func(c *Client) error{
		"with force": func(c *Client) error {
			return c.Disconnect(background, DisconnectOptions{Force: true})
		},
		"with a time limit": func(c *Client) error {
			ctx, cancel := context.WithTimeout(background, 20*time.Millisecond)
			defer cancel()
			if err := c.Disconnect(ctx, DisconnectOptions{}); !errors.Is(err, Timeout) {
				return err // nil if the client has just ended
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, b, _ := start(t, nil)
			unacknowledged := publishAsync(c, Message{Topic: "t", QoS: 1})
			b.read()
			first := make(chan error, 1)
			go func() { first <- c.Disconnect(background, DisconnectOptions{}) }()
			for leaving := false; !leaving; runtime.Gosched() {
				c.mu.Lock()
				leaving = c.supervisor.want == gone
				c.mu.Unlock()
			}
			if err := again(c); err != nil {
				t.Fatal(err)
			}
			wantNil(t, first)
			wantCode(t, <-unacknowledged, SessionLost, "")
		})
	}
}

// Disconnect waited for publishes only: a SUBSCRIBE or UNSUBSCRIBE sent right before it
// failed.
func TestDisconnectWaitsForSubackAndUnsuback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, b, _ := start(t, nil)
		subscribe(t, c, b, "old")
		made, ended := subscribing(c, Subscription{Filter: "new"}), unsubscribing(c, "old")
		synctest.Wait()
		left := make(chan error, 1)
		go func() { left <- c.Disconnect(background, DisconnectOptions{}) }()
		synctest.Wait()
		for range 2 {
			switch p := b.read().Content.(type) {
			case *packets.Subscribe:
				b.suback(p.PacketID, 1)
			case *packets.Unsubscribe:
				b.unsuback(p.PacketID, 0)
			default:
				t.Fatalf("got %v", p)
			}
		}
		wantNil(t, made, ended, left)
	})
}

// Disconnect does not wait for the SUBACK of an abandoned call.
func TestDisconnectDoesNotWaitForACallThatWasGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, b, _ := start(t, nil)
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		_, err := c.Subscribe(ctx, []Subscription{{Filter: "a"}}, SubscribeOptions{})
		wantCode(t, err, Timeout, "")
		wantSubscribe(t, b, "a")
		if err := c.Disconnect(background, DisconnectOptions{}); err != nil {
			t.Error(err)
		}
	})
}

// While the subscriptions of a lost session were made again, DISCONNECT was a plain one,
// whatever Disconnect was called with: the will was discarded although it was wanted.
func TestDisconnectWhileSubscribingAgainSendsWhatIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, b, _ := start(t, nil)
		subscribe(t, c, b, "a")
		b.Close()
		b = s.next()
		b.accept(0)
		wantSubscribe(t, b, "a") // which is not answered
		left := make(chan error, 1)
		go func() { left <- c.Disconnect(background, DisconnectOptions{ReasonCode: 4}) }()
		p := b.read()
		if d, ok := p.Content.(*packets.Disconnect); !ok || d.ReasonCode != 4 {
			t.Errorf("got %v, want DISCONNECT with 0x04", p)
		}
		wantNil(t, left)
	})
}

// Wherever an attempt to connect is when it is called, Disconnect ends the client.
func TestDisconnectDuringAnAttempt(t *testing.T) {
	for range 1000 {
		synctest.Test(t, func(t *testing.T) {
			c, s, b, log := start(t, nil)
			b.Close()
			b = s.next()
			go func() {
				b.accept(0)
				for b.read() != nil {
				}
			}()
			for accepted := false; !accepted; runtime.Gosched() {
				c.mu.Lock()
				accepted = c.supervisor.conn != nil
				c.mu.Unlock()
			}
			if err := c.Disconnect(background, DisconnectOptions{}); err != nil {
				t.Error(err)
			}
			if err := wait[Ended](log).Err; err != nil {
				t.Error(err)
			}
		})
	}
}
