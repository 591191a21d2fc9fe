package mqtt

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// An undefined reason code in SUBACK, such as 0x55, counted as granted, because it is
// below 0x80.
func TestSubackWithoutMeaningIsNotGranted(t *testing.T) {
	for _, reason := range []byte{3, 0x11, 0x55, 0x7F, 0x81, 0xFF} {
		t.Run(fmt.Sprintf("0x%02X", reason), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s, b, log := start(t, withSession)
				wait[Connected](log)
				err := subscribing(c, Subscription{Filter: "a", QoS: 1}, Subscription{Filter: "b", QoS: 1})
				b.suback(wantSubscribe(t, b, "a", "b").PacketID, 1, reason)
				if e := wantCode(t, <-err, Protocol, ""); e.ReasonCode != 0 {
					t.Errorf("%+v", e)
				}
				b = again(t, s, b, 0)
				wait[Connected](log)
				b.nothing() // nothing was granted, so nothing is resubscribed
			})
		})
	}
}

// An UNSUBSCRIBE without a connection was forgotten: the subscription came back on the
// next connection.
func TestUnsubscribedOffline(t *testing.T) {
	for name, test := range map[string]struct {
		queue   OfflinePolicy
		present byte
	}{
		"refused, session kept": {OfflineNothing, 1},
		"refused, session lost": {OfflineNothing, 0},
		"waits, session kept":   {OfflineAll, 1},
		"waits, session lost":   {OfflineAll, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s, b, log := start(t, func(o *Options) {
					o.Queue.Offline, o.SessionExpiry, o.ReconnectMin, o.ReconnectMax = test.queue, 10*time.Hour, untilWake, untilWake
				})
				subscribe(t, c, b, "a", "b")
				b.Close()
				wait[Reconnecting](log)
				gone := unsubscribing(c, "a")
				synctest.Wait()
				if test.queue == OfflineNothing {
					wantCode(t, <-gone, NotConnected, "")
				}
				c.Wake()
				b = s.next()
				b.accept(test.present)
				asked := 0
				for !b.silent() {
					switch p := b.read().Content.(type) {
					case *packets.Subscribe:
						if test.present == 1 || len(p.Subscriptions) != 1 || p.Subscriptions[0].Topic != "b" {
							t.Errorf("SUBSCRIBE %v", p)
						}
						b.suback(p.PacketID, 1)
					case *packets.Unsubscribe:
						if !slices.Equal(p.Topics, []string{"a"}) {
							t.Errorf("UNSUBSCRIBE %v", p)
						}
						b.unsuback(p.PacketID, 0)
						asked++
					}
				}
				b.nothing()
				if test.present == 1 && asked != 1 {
					t.Errorf("%d times UNSUBSCRIBE", asked)
				}
				if test.queue == OfflineAll {
					wantNil(t, gone)
				}
				b = again(t, s, b, 0)
				b.suback(wantSubscribe(t, b, "b").PacketID, 1)
				b.nothing()
			})
		})
	}
}

// A SUBSCRIBE whose caller had given up was granted, and stayed: the broker sent
// messages that nobody wanted.
func TestGrantThatComesTooLate(t *testing.T) {
	timesOut := func(t *testing.T, c *Client, s Subscription) {
		t.Helper()
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		_, err := c.Subscribe(ctx, []Subscription{s}, SubscribeOptions{})
		wantCode(t, err, Timeout, "")
	}
	t.Run("on the same connection", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, s, b, _ := start(t, withSession)
			timesOut(t, c, Subscription{Filter: "a"})
			b.suback(wantSubscribe(t, b, "a").PacketID, 0)
			b.unsuback(wantUnsubscribe(t, b, "a").PacketID, 0)
			b.nothing()
			for present := range byte(2) {
				b = again(t, s, b, present)
				b.nothing()
			}
		})
	})
	t.Run("lost with the connection", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, s, b, _ := start(t, withSession)
			timesOut(t, c, Subscription{Filter: "a"})
			wantSubscribe(t, b, "a") // the broker may have granted it
			b = again(t, s, b, 1)
			b.unsuback(wantUnsubscribe(t, b, "a").PacketID, 0)
			b.nothing()
		})
	})
	t.Run("in place of another", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, s, b, _ := start(t, withSession)
			subscribe(t, c, b, "a")
			timesOut(t, c, Subscription{Filter: "a", QoS: 2})
			b.suback(wantSubscribe(t, b, "a").PacketID, 2)
			p := wantSubscribe(t, b, "a")
			if p.Subscriptions[0].QoS != 1 {
				t.Errorf("SUBSCRIBE %v", p)
			}
			b.suback(p.PacketID, 1)
			b.nothing()
			b = again(t, s, b, 1)
			b.nothing()
		})
	})
	t.Run("while another is refused", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, s, b, _ := start(t, withSession)
			subscribe(t, c, b, "a")
			timesOut(t, c, Subscription{Filter: "a", QoS: 2})
			late := wantSubscribe(t, b, "a")
			refused := subscribing(c, Subscription{Filter: "a", QoS: 0})
			other := wantSubscribe(t, b, "a")
			b.suback(late.PacketID, 2)
			b.nothing() // the other call may still set it right
			b.suback(other.PacketID, 0x87)
			wantCode(t, <-refused, Refused, "")
			p := wantSubscribe(t, b, "a")
			if p.Subscriptions[0].QoS != 1 {
				t.Errorf("SUBSCRIBE %v", p)
			}
			b.suback(p.PacketID, 1)
			b = again(t, s, b, 1)
			b.nothing()
		})
	})
	t.Run("while its end is refused", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, s, b, _ := start(t, withSession)
			subscribe(t, c, b, "a")
			timesOut(t, c, Subscription{Filter: "a", QoS: 2})
			late := wantSubscribe(t, b, "a")
			refused := unsubscribing(c, "a")
			end := wantUnsubscribe(t, b, "a")
			b.suback(late.PacketID, 2)
			b.nothing()
			b.unsuback(end.PacketID, 0x87)
			wantCode(t, <-refused, Refused, "")
			p := wantSubscribe(t, b, "a") // the subscription stays as it was
			if p.Subscriptions[0].QoS != 1 {
				t.Errorf("SUBSCRIBE %v", p)
			}
			b.suback(p.PacketID, 1)
			b = again(t, s, b, 1)
			b.nothing()
		})
	})
	t.Run("unsubscribed meanwhile", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, s, b, _ := start(t, withSession)
			subscribe(t, c, b, "a")
			ctx, cancel := context.WithTimeout(background, time.Second)
			defer cancel()
			_, err := c.Unsubscribe(ctx, []string{"a"}, nil)
			wantCode(t, err, Timeout, "")
			wantUnsubscribe(t, b, "a") // never answered
			b = again(t, s, b, 0)
			b.nothing()
		})
	})
}

// Filters with different identifiers go in separate packets, and settle as one call.
func TestSubscribeWithAnIdentifierForEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, b, _ := start(t, nil)
		done := subscribeEach(c, "a", "b", "c")
		var ids []uint16
		for i, f := range []string{"a", "b", "c"} {
			p := wantSubscribe(t, b, f)
			if id := p.Properties.SubscriptionIdentifier; id == nil || *id != i+1 {
				t.Errorf("%s has identifier %v", f, id)
			}
			ids = append(ids, p.PacketID)
		}
		b.suback(ids[2], 1)
		b.suback(ids[0], 0)
		b.suback(ids[1], 0x87)
		if got := <-done; got.err != nil || string(got.r.ReasonCodes) != "\x00\x87\x01" {
			t.Errorf("%+v", got)
		}

		done = subscribeEach(c, "d", "e")
		first, second := wantSubscribe(t, b, "d").PacketID, wantSubscribe(t, b, "e").PacketID
		b.suback(first, 0x87)
		b.suback(second, 0x87)
		got := <-done
		wantCode(t, got.err, Refused, "")
		if string(got.r.ReasonCodes) != "\x87\x87" {
			t.Errorf("%+v", got.r)
		}
	})
}

// A call that fails in part is undone completely.
func TestSubscribeThatFailsInPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, b, log := start(t, nil)
		done := subscribeEach(c, "a", "b")
		b.suback(wantSubscribe(t, b, "a").PacketID, 0)
		wantSubscribe(t, b, "b")
		synctest.Wait()
		b = again(t, s, b, 0)
		wantCode(t, (<-done).err, Network, "")
		wait[Connected](log)
		b.nothing()
	})
}

// Undoing a failed call does not affect earlier subscriptions to its filters, or later
// calls.
func TestSubscribeThatFailsInPartLeavesWhatWasBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, b, _ := start(t, nil)
		wantQoS1 := func(filters ...string) {
			t.Helper()
			p := wantSubscribe(t, b, filters...)
			for _, o := range p.Subscriptions {
				if o.QoS != 1 {
					t.Errorf("subscribes again to %q with QoS %d", o.Topic, o.QoS)
				}
			}
			b.suback(p.PacketID, slices.Repeat([]byte{1}, len(filters))...)
		}
		subscribe(t, c, b, "a", "b") // at QoS 1
		for _, lost := range []bool{false, true} {
			ctx, cancel := context.WithCancel(background)
			done := make(chan error, 1)
			go func() {
				_, err := c.Subscribe(ctx, []Subscription{
					{Filter: "a", Identifier: 1}, {Filter: "c", Identifier: 2}, {Filter: "b", Identifier: 3},
				}, SubscribeOptions{})
				done <- err
			}()
			b.suback(wantSubscribe(t, b, "a").PacketID, 0)
			b.suback(wantSubscribe(t, b, "c").PacketID, 0)
			id := wantSubscribe(t, b, "b").PacketID
			synctest.Wait()
			subscribe(t, c, b, "c")
			if lost {
				b = again(t, s, b, 0)
				wantQoS1("a", "b", "c")
			} else {
				cancel()
				wantQoS1("a")
				b.suback(id, 0)
				wantQoS1("b")
			}
			if err := <-done; err == nil {
				t.Error("the call succeeded")
			}
			cancel()
			b.nothing()
		}
	})
}
