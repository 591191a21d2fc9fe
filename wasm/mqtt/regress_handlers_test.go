package mqtt

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// Handlers get the messages that match their filters, OnMessage the others. A message
// is acknowledged once its handlers have returned.
func TestHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var got []string
		handler := func(name string) func(Message) {
			return func(m Message) {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, name+" "+m.Topic)
			}
		}
		want := func(want ...string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			slices.Sort(got) // handlers of one message run in any order
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			got = nil
		}
		hold := make(chan struct{})
		c, s, b, _ := start(t, func(o *Options) { o.OnMessage, o.SessionExpiry = handler("other"), 1000*time.Second })
		granted := subscribing(c,
			Subscription{Filter: "a/#", Handler: handler("a/#")},
			Subscription{Filter: "a/+/c", Handler: handler("a/+/c")},
			Subscription{Filter: "$share/g/s/+", Handler: handler("shared")},
			Subscription{Filter: "+/d", Handler: handler("+/d")},
			Subscription{Filter: "slow", Handler: func(m Message) { <-hold; handler("slow")(m) }},
			Subscription{Filter: "none"})
		p := b.read()
		b.deliver("a/early", 1) // a retained message may come before SUBACK
		b.suback(p.PacketID(), 0, 0, 0, 0, 0, 0)
		wantNil(t, granted)
		b.expect(0x40, 2, 0, 1)
		want("a/# a/early")
		for i, test := range []struct {
			topic string
			want  []string
		}{
			{"a", []string{"a/# a"}},
			{"a/b/c", []string{"a/# a/b/c", "a/+/c a/b/c"}},
			{"a/d", []string{"+/d a/d", "a/# a/d"}},
			{"$x/d", []string{"other $x/d"}}, // [MQTT-4.7.2-1]
			{"s/1", []string{"shared s/1"}},
			{"none", []string{"other none"}},
			{"b", []string{"other b"}},
		} {
			b.deliver(test.topic, byte(i+2))
			b.expect(0x40, 2, 0, byte(i+2))
			want(test.want...)
		}
		b.deliver("slow", 20)
		b.nothing() // no PUBACK while the handler runs
		close(hold)
		b.expect(0x40, 2, 0, 20)
		want("slow slow")

		_, err := c.Receive(background)
		wantCode(t, err, BadOption, "onMessage")
		for _, err := range c.Messages(background) {
			wantCode(t, err, BadOption, "onMessage")
		}

		gone := unsubscribing(c, "a/+/c", "slow")
		b.unsuback(wantUnsubscribe(t, b, "a/+/c", "slow").PacketID, 0, 0x87)
		wantNil(t, gone)
		b.deliver("a/b/c", 21)
		b.expect(0x40, 2, 0, 21)
		want("a/# a/b/c")
		b.deliver("slow", 22) // the broker refused to unsubscribe
		b.expect(0x40, 2, 0, 22)
		want("slow slow")

		b = again(t, s, b, 1)
		b.deliver("a", 23)
		b.expect(0x40, 2, 0, 23)
		want("a/# a")
	})
}

// A failed subscription removes its own handler, not one that a later call has set. A
// refused filter has no handler.
func TestHandlersOfFailedSubscriptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan string, 10)
		handler := func(name string) func(Message) { return func(Message) { got <- name } }
		c, _, b, _ := start(t, func(o *Options) { o.OnMessage = handler("other") })
		receives := func(topic, want string) {
			t.Helper()
			b.deliver(topic, 1)
			b.expect(0x40, 2, 0, 1)
			if name := <-got; name != want {
				t.Errorf("%s goes to %s, want %s", topic, name, want)
			}
		}
		fails := subscribing(c, Subscription{Filter: "a", Handler: handler("a")})
		first := wantSubscribe(t, b, "a").PacketID
		stays := subscribing(c, Subscription{Filter: "b", Handler: handler("b")}, Subscription{Filter: "c", Handler: handler("c")})
		second := wantSubscribe(t, b, "b", "c").PacketID
		b.suback(first, 0x87)
		wantCode(t, <-fails, Refused, "")
		b.suback(second, 0, 0x87)
		wantNil(t, stays)
		receives("a", "other")
		receives("b", "b")
		receives("c", "other")

		// A failed replacement restores the handler before it.
		fails = subscribing(c, Subscription{Filter: "b", QoS: 1, Handler: handler("new b")})
		b.suback(wantSubscribe(t, b, "b").PacketID, 0x87)
		wantCode(t, <-fails, Refused, "")
		receives("b", "b")
		replaced := subscribing(c, Subscription{Filter: "b", QoS: 1, Handler: handler("new b")})
		b.suback(wantSubscribe(t, b, "b").PacketID, 0)
		wantNil(t, replaced)
		receives("b", "new b")
		replaced = subscribing(c, Subscription{Filter: "b", QoS: 1}) // a replacement without a handler removes it
		b.suback(wantSubscribe(t, b, "b").PacketID, 0)
		wantNil(t, replaced)
		receives("b", "other")
	})
}

// UNSUBSCRIBE removes a handler even without a connection.
func TestHandlerOfASubscriptionEndedOffline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan string, 10)
		handler := func(name string) func(Message) { return func(Message) { got <- name } }
		c, s, b, log := start(t, func(o *Options) {
			o.OnMessage, o.SessionExpiry, o.ReconnectMin, o.ReconnectMax = handler("other"), 10*time.Hour, untilWake, untilWake
		})
		granted := subscribing(c, Subscription{Filter: "a", Handler: handler("a")}, Subscription{Filter: "#", Handler: handler("#")})
		b.suback(wantSubscribe(t, b, "a", "#").PacketID, 0, 0)
		wantNil(t, granted)
		b.Close()
		wait[Reconnecting](log)
		wantCode(t, <-unsubscribing(c, "a"), NotConnected, "")
		c.Wake()
		b = s.next()
		b.accept(1)
		b.unsuback(wantUnsubscribe(t, b, "a").PacketID, 0)
		b.deliver("a", 1)
		b.expect(0x40, 2, 0, 1)
		synctest.Wait()
		if name := <-got; name != "#" || len(got) > 0 {
			t.Errorf("goes to %s", name)
		}
	})
}

// UNSUBSCRIBE ends the existing subscription, not one made before UNSUBACK arrives.
func TestHandlerOfASubscriptionMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan string, 10)
		handler := func(name string) func(Message) { return func(Message) { got <- name } }
		c, _, b, _ := start(t, func(o *Options) { o.OnMessage = handler("other") })
		granted := subscribing(c, Subscription{Filter: "a", Handler: handler("old")})
		b.suback(wantSubscribe(t, b, "a").PacketID, 0)
		wantNil(t, granted)
		ended := unsubscribing(c, "a")
		first := wantUnsubscribe(t, b, "a").PacketID
		granted = subscribing(c, Subscription{Filter: "a", Handler: handler("new")})
		second := wantSubscribe(t, b, "a").PacketID
		b.unsuback(first, 0)
		b.suback(second, 0)
		wantNil(t, ended, granted)
		b.deliver("a", 1)
		b.expect(0x40, 2, 0, 1)
		if name := <-got; name != "new" {
			t.Errorf("goes to %s", name)
		}
	})
}

// Messages dropped before handlers get them are counted, too.
func TestDroppedBeforeHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const each, rounds = 50, 20
		free := make(chan struct{})
		handled := 0
		c, s, b, _ := start(t, func(o *Options) {
			o.InboxLimit, o.ReceiveMaximum = 64<<10, each
			o.OnMessage = func(Message) { <-free; handled++ }
		})
		for round := range rounds {
			if round > 0 {
				b = again(t, s, b, 0)
			}
			for i := range each {
				frame, idAt := wire.EncodePublish(2, "t", nil, make([]byte, 1000))
				frame[idAt+1] = byte(i + 1)
				b.send(frame...)
			}
			synctest.Wait()
		}
		close(free)
		synctest.Wait()
		if dropped := int(c.Dropped()); dropped == 0 || handled+dropped != each*rounds {
			t.Errorf("%d messages were handled, %d counted as dropped, of %d", handled, dropped, each*rounds)
		}
	})
}
