package mqtt

import (
	"math"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

func TestResubscribes(t *testing.T) {
	c, s, b, log := start(t, nil)
	go func() {
		id := byte(b.read().PacketID())
		b.send(0x90, 5, 0, id, 0, 1, 0x87)
	}()
	_, err := c.Subscribe(background, []Subscription{{Filter: "a", QoS: 1}, {Filter: "refused"}}, SubscribeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	b = s.next()
	b.accept(0)
	p := b.read().Content.(*packets.Subscribe)
	if len(p.Subscriptions) != 1 || p.Subscriptions[0].Topic != "a" || p.Subscriptions[0].QoS != 1 {
		t.Errorf("SUBSCRIBE %v", p)
	}
	wait[Connected](log) // the first
	select {
	case ev := <-log:
		if _, early := ev.(Connected); early {
			t.Error("announced before it had its subscriptions")
		}
	default:
	}
	b.send(0x90, 4, 0, byte(p.PacketID), 0, 1)
	wait[Connected](log)
}

// Disconnect during a reconnection attempt must close its connection.
func TestDisconnectWhileSubscribingAgain(t *testing.T) {
	c, s, b, _ := start(t, nil)
	go func() { b.send(0x90, 4, 0, byte(b.read().PacketID()), 0, 1) }()
	if _, err := c.Subscribe(background, []Subscription{{Filter: "a", QoS: 1}}, SubscribeOptions{}); err != nil {
		t.Fatal(err)
	}
	b.Close()
	b = s.next()
	b.accept(0)
	b.read() // SUBSCRIBE, never answered
	if err := c.Disconnect(background, DisconnectOptions{}); err != nil {
		t.Fatal(err)
	}
	if p := b.read(); p == nil || p.Type != packets.DISCONNECT {
		t.Errorf("got %v, want DISCONNECT", p)
	}
}

func TestNoRetryWhereItIsVain(t *testing.T) {
	for _, reason := range []byte{0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C} {
		t.Run(wire.ReasonName(reason), func(t *testing.T) {
			_, s, b, log := start(t, nil)
			b.Close()
			b = s.next()
			b.read()
			b.send(0x20, 3, 0, reason, 0)
			if e := wantCode(t, wait[Ended](log).Err, Refused, ""); e.ReasonCode != reason {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestBackoffGrowsAndIsBounded(t *testing.T) {
	const first, most = 1000, 30_000
	for attempt, limit := range map[int]int64{1: 1000, 2: 2000, 3: 4000, 5: 16_000, 6: 30_000, 1000: 30_000} {
		var highest int64
		for range 1000 {
			d := int64(backoff(attempt, first, most))
			if d < 0 || d > limit {
				t.Fatalf("attempt %d: %d, want 0 to %d", attempt, d, limit)
			}
			highest = max(highest, d)
		}
		if highest < limit/2 {
			t.Errorf("attempt %d: never above %d of %d; full jitter uses the whole range", attempt, highest, limit)
		}
	}
}

// A time that stands for "never" overflowed, and the program ended.
func TestBackoffTakesAnyTime(t *testing.T) {
	const never = math.MaxInt64
	for _, first := range []time.Duration{1, time.Second, never/2 + 1, never} {
		for _, attempt := range []int{1, 2, 30, 100} {
			if d := backoff(attempt, first, never); d < 0 {
				t.Errorf("attempt %d, %v at first: %v", attempt, first, d)
			}
		}
	}
}
