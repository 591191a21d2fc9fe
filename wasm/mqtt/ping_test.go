package mqtt

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
)

func TestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, b, _ := start(t, nil)
		for _, delay := range []time.Duration{12 * time.Millisecond, 0, 3 * time.Second} {
			ch := mqtttest.Pinging(background, c.Ping)
			b.expect(0xC0, 0)
			time.Sleep(delay)
			b.send(0xD0, 0)
			mqtttest.WantRoundTrip(t, ch, delay)
		}
	})
}

func TestPingsShareOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, b, _ := start(t, nil)
		first := mqtttest.Pinging(background, c.Ping)
		b.expect(0xC0, 0)
		time.Sleep(time.Second)
		second := mqtttest.Pinging(background, c.Ping)
		synctest.Wait()
		time.Sleep(time.Second)
		b.send(0xD0, 0)
		mqtttest.WantRoundTrip(t, first, 2*time.Second)
		mqtttest.WantRoundTrip(t, second, 2*time.Second)
		third := mqtttest.Pinging(background, c.Ping) // none is in progress
		b.expect(0xC0, 0)
		b.send(0xD0, 0)
		mqtttest.WantRoundTrip(t, third, 0)
	})
}

// Neither the reply to the keep-alive's PINGREQ nor an unsolicited PINGRESP is taken
// for the reply to Ping's.
func TestPingIsNotMistaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, b, _ := start(t, func(o *Options) { o.KeepAlive = 60 * time.Second })
		b.send(0xD0, 0)              // unsolicited
		time.Sleep(61 * time.Second) // the keep-alive sends PINGREQ
		b.expect(0xC0, 0)
		ch := mqtttest.Pinging(background, c.Ping)
		b.expect(0xC0, 0)
		time.Sleep(5 * time.Second)
		b.send(0xD0, 0)
		synctest.Wait()
		select {
		case got := <-ch:
			t.Fatalf("the keep-alive's answer is taken for %v", got)
		default:
		}
		time.Sleep(2 * time.Second)
		b.send(0xD0, 0)
		mqtttest.WantRoundTrip(t, ch, 7*time.Second)
	})
}

func TestPingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, b, log := start(t, nil)
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		late := mqtttest.Pinging(ctx, c.Ping)
		b.expect(0xC0, 0)
		wantCode(t, (<-late).Err, Timeout, "")

		cut := mqtttest.Pinging(background, c.Ping) // joins, and sends no second PINGREQ
		synctest.Wait()
		_ = b.Close()
		wantCode(t, (<-cut).Err, Network, "")

		wait[Closed](log)
		_, err := c.Ping(background)
		wantCode(t, err, NotConnected, "")

		b = s.next() // replies belong to their connection
		b.accept(0)
		wait[Connected](log)
		again := mqtttest.Pinging(background, c.Ping)
		b.expect(0xC0, 0)
		b.send(0xD0, 0)
		mqtttest.WantRoundTrip(t, again, 0)

		if err := c.Disconnect(background, DisconnectOptions{}); err != nil {
			t.Fatal(err)
		}
		_, err = c.Ping(background)
		wantCode(t, err, NotConnected, "")
	})
}

func TestHalfOpenIsNoticed(t *testing.T) {
	for _, keepAlive := range []time.Duration{1, 2, 60, 600} {
		synctest.Test(t, func(t *testing.T) {
			_, _, _, log := start(t, func(o *Options) { o.KeepAlive, o.Reconnect = keepAlive*time.Second, ReconnectNever })
			begin := time.Now()
			err := wait[Closed](log).Err
			most := keepAlive*time.Second*3/2 + 2*time.Second
			if d := time.Since(begin); d > most {
				t.Errorf("keep alive %d s: noticed after %v, want at most %v", keepAlive, d, most)
			}
			wantCode(t, err, Network, "")
		})
	}
}

func TestPingKeepsAQuietLinkOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, b, log := start(t, func(o *Options) { o.KeepAlive, o.Reconnect = 10*time.Second, ReconnectNever })
		for range 20 {
			b.expect(0xC0, 0)
			b.send(0xD0, 0)
		}
		select {
		case ev := <-log:
			if _, up := ev.(Connected); !up {
				t.Errorf("event %T", ev)
			}
		default:
		}
		if _, err := c.current(); err != nil {
			t.Error(err)
		}
	})
}

func TestServerKeepAliveIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, b, _ := start(t, func(o *Options) { o.KeepAlive = 600 * time.Second }, 0x13, 0, 5)
		begin := time.Now()
		b.expect(0xC0, 0)
		if d := time.Since(begin); d > 5*time.Second {
			t.Errorf("pinged after %v, want 5s", d)
		}
	})
}
