package mqtt

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// [MQTT-3.8.4-6]: a SUBACK with one reason code too many, or too few, while
// resubscribing caused an index out of range: the panic ended every client of the
// program.
func TestSubackThatDoesNotFit(t *testing.T) {
	for name, reasons := range map[string][]byte{
		"too many":        {1, 0x80},
		"too few":         {},
		"far too many":    slices.Repeat([]byte{0}, 100),
		"not a reason":    {0x55},
		"one of UNSUBACK": {0x11},
		"QoS 3":           {3},
		"below 0x80":      {0x7F},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s, b, log := start(t, withSession)
				subscribe(t, c, b, "a")
				wait[Connected](log)
				b.Close()
				b = s.next()
				b.accept(0)
				b.suback(wantSubscribe(t, b, "a").PacketID, reasons...)
				wantCode(t, wait[Failed](log).Err, Protocol, "")
				wait[Connected](log)
				wantNil(t, publishAsync(c, Message{Topic: "alive"}))
				wantTopics(t, b, "alive")
				// The filter was not granted, so the next connection tries again.
				b = again(t, s, b, 1)
				b.suback(wantSubscribe(t, b, "a").PacketID, 1)
				wait[Connected](log)
				b = again(t, s, b, 1)
				wait[Connected](log)
				b.nothing()
			})
		})
	}
}

// The client resubscribed with all filters in one SUBSCRIBE. AWS IoT Core allows eight,
// and closes the connection on nine, every time.
func TestSubscribesAgainInBatches(t *testing.T) {
	var all []string
	for i := range 20 {
		all = append(all, fmt.Sprintf("filter/%02d", i))
	}
	const each = 2 + 9 + 1 // bytes of a filter
	for name, test := range map[string]struct {
		option int
		props  []byte // of CONNACK
		want   []int  // filters in each SUBSCRIBE
	}{
		"eight by default":         {0, nil, []int{8, 8, 4}},
		"an option":                {3, nil, []int{3, 3, 3, 3, 3, 3, 2}},
		"an option for all":        {100, nil, []int{20}},
		"a broker's small packets": {0, []byte{0x27, 0, 0, 0, 16 + 4*each}, []int{4, 4, 4, 4, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s, b, log := start(t, func(o *Options) { o.SubscribeBatchSize = test.option })
				subscribe(t, c, b, all...)
				wait[Connected](log)
				b = again(t, s, b, 0, test.props...)
				rest := all
				for i, n := range test.want {
					if len(seen[Connected](log)) > 0 {
						t.Fatal("connected before it had its subscriptions")
					}
					p := wantSubscribe(t, b, rest[:n]...)
					rest = rest[n:]
					b.suback(p.PacketID, slices.Repeat([]byte{1}, n)...)
					for _, o := range p.Subscriptions {
						if o.QoS != 1 {
							t.Errorf("SUBSCRIBE %d: %+v", i, o)
						}
					}
				}
				if n := len(seen[Connected](log)); n != 1 {
					t.Errorf("%d times connected", n)
				}
				b.nothing()
			})
		})
	}
}

// A subscription keeps its options and its identifier, which belongs to a whole
// SUBSCRIBE.
func TestSubscribesAgainAsItWas(t *testing.T) {
	c, s, b, _ := start(t, nil)
	for id := 1; id <= 2; id++ {
		done := make(chan error, 1)
		go func() {
			_, err := c.Subscribe(background, []Subscription{{Filter: fmt.Sprint(id), QoS: 2, NoLocal: true, RetainAsPublished: true, RetainHandling: 2}},
				SubscribeOptions{Identifier: id})
			done <- err
		}()
		b.suback(wantSubscribe(t, b, fmt.Sprint(id)).PacketID, 2)
		wantNil(t, done)
	}
	b = again(t, s, b, 0)
	for id := 1; id <= 2; id++ {
		p := wantSubscribe(t, b, fmt.Sprint(id))
		o := p.Subscriptions[0]
		if p.Properties.SubscriptionIdentifier == nil || *p.Properties.SubscriptionIdentifier != id ||
			o.QoS != 2 || !o.NoLocal || !o.RetainAsPublished || o.RetainHandling != 2 {
			t.Errorf("SUBSCRIBE %v", p)
		}
	}
}

// If the broker never answered the resubscription, the client reported that it was
// connected, and received nothing.
func TestSubscribingAgainTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, b, log := start(t, func(o *Options) { o.ConnectTimeout, o.SessionExpiry = 5*time.Second, 1000*time.Second })
		subscribe(t, c, b, "a")
		wait[Connected](log)
		b.Close()
		for present := range byte(2) {
			b = s.next()
			begin := time.Now()
			b.accept(present)
			wantSubscribe(t, b, "a")
			wantDisconnect(t, b)
			if d := time.Since(begin); d != 5*time.Second {
				t.Errorf("given up after %v", d)
			}
			for failed := false; !failed; {
				switch ev := (<-log).(type) {
				case Connected:
					t.Error("connected without its subscriptions")
				case Failed:
					failed = codeOf(ev.Err) == Timeout
				}
			}
		}
		b = s.next()
		b.accept(1)
		b.suback(wantSubscribe(t, b, "a").PacketID, 1)
		wait[Connected](log)
	})
}

// The broker had forgotten the session, and the CONNACK that said so was lost. The next
// CONNACK reported a session, the new and empty one: the client was connected without
// subscriptions.
func TestConnackLostBrokerForgot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, b, log := start(t, withSession)
		subscribe(t, c, b, "a", "b")
		wait[Connected](log)
		for lost := range 3 {
			b.Close()
			for range lost {
				b = s.next()
				b.read()
				b.Close()
			}
			b = s.next()
			b.accept(1)
			if lost > 0 {
				if n := len(seen[Connected](log)); n > 0 {
					t.Fatal("connected without its subscriptions")
				}
				p := wantSubscribe(t, b, "a", "b")
				for _, o := range p.Subscriptions {
					if o.RetainHandling != 1 { // else retained messages come again for subscriptions that exist
						t.Errorf("%+v", o)
					}
				}
				b.suback(p.PacketID, 1, 1)
			}
			wait[Connected](log)
			b.nothing()
		}
	})
}
