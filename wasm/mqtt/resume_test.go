package mqtt

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// Messages in flight when the broker has forgotten the session.
func TestRepublish(t *testing.T) {
	for name, qos := range map[string]byte{"QoS 1": 1, "QoS 2": 2} {
		for _, received := range []bool{false, true} { // PUBREC has arrived
			for _, republish := range []bool{false, true} {
				if received && qos == 1 {
					continue
				}
				t.Run(fmt.Sprintf("%s, PUBREC %v, republish %v", name, received, republish), func(t *testing.T) {
					c, s, b, _ := start(t, func(o *Options) { o.SessionExpiry, o.Republish = 1000*time.Second, republish }, 0x21, 0, 1)
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

// A message that returned to the queue with a lost session expires there, too.
func TestExpiryAfterRepublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, b, log := start(t, func(o *Options) {
			o.Republish, o.SessionExpiry, o.ReconnectMin, o.ReconnectMax = true, 5*time.Second, untilWake, untilWake
		})
		expiry := 100 * time.Second
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

// [MQTT-3.1.2-23], by the client's own clock
func TestSessionExpiryIsHonouredLocally(t *testing.T) {
	for _, slept := range []time.Duration{99 * time.Second, 100 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			c, s, b, log := start(t, func(o *Options) {
				o.SessionExpiry, o.ReconnectMin, o.ReconnectMax = 1000*time.Second, untilWake, untilWake
			},
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

func TestTighterLimitsAfterReconnect(t *testing.T) {
	c, s, b, log := start(t, func(o *Options) {
		o.Queue.Offline, o.SessionExpiry, o.ReconnectMin, o.ReconnectMax = OfflineAll, 1000*time.Second, untilWake, untilWake
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
	b.accept(1, 0x24, 1, 0x25, 0, 0x27, 0, 0, 0, 100) // Maximum QoS 1, no retained messages, 100 bytes
	wantTopics(t, b, "fine")
	wantCode(t, <-inFlight, PacketTooLarge, "payload")
	wantCode(t, <-large, PacketTooLarge, "payload")
	wantCode(t, <-retained, Unsupported, "retain")
	wantCode(t, <-exactly, Unsupported, "qos")
	b.send(0x40, 2, 0, 2)
	wantNil(t, fine)
}

// [MQTT-3.3.4-7]: resent messages count.
func TestReceiveMaximumAfterReconnect(t *testing.T) {
	synctest.Test(t, receiveMaximumAfterReconnect)
}

func receiveMaximumAfterReconnect(t *testing.T) {
	c, s, b, log := start(t, func(o *Options) {
		o.Queue.Offline, o.SessionExpiry, o.ReconnectMin, o.ReconnectMax = OfflineAll, 1000*time.Second, untilWake, untilWake
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
	b.nothing() // no third while two are in flight
	b.send(0x40, 2, 0, 1)
	wantTopics(t, b, "3")
	b.send(0x40, 2, 0, 2)
	b.send(0x40, 2, 0, 3)
	wantNil(t, first, second, third)
}
