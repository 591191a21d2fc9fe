package transport

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
	"mqttwasm/wasm/mqtt/internal/wire"
)

func TestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := opened(t, nil)
		for _, delay := range []time.Duration{12 * time.Millisecond, 0, 3 * time.Second} {
			ch := mqtttest.Pinging(background, f.Ping)
			f.broker.expect(pingreq...)
			time.Sleep(delay)
			f.broker.send(0xD0, 0)
			mqtttest.WantRoundTrip(t, ch, delay)
		}
	})
}

// Once Opened is closed, Ping works.
func TestOpenedComesAfterConnack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		taken := make(chan struct{})
		f := connectingTo(t, func(cfg *Config) {
			cfg.Handler.(*recorder).onConnack = func() error { <-taken; return nil }
		})
		f.broker.send(connack()...)
		synctest.Wait()
		select {
		case <-f.Opened():
			t.Error("it is open before the Handler has taken CONNACK")
		default:
		}
		asked := make(chan (<-chan mqtttest.Pinged), 1)
		go func() {
			<-f.Opened()
			asked <- mqtttest.Pinging(background, f.Ping)
		}()
		close(taken)
		f.broker.expect(pingreq...)
		f.broker.send(0xD0, 0)
		mqtttest.WantRoundTrip(t, <-asked, 0)
	})
}

func TestPingsShareOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := opened(t, nil)
		first := mqtttest.Pinging(background, f.Ping)
		f.broker.expect(pingreq...)
		time.Sleep(time.Second)
		second := mqtttest.Pinging(background, f.Ping)
		synctest.Wait()
		time.Sleep(time.Second)
		f.broker.send(0xD0, 0)
		mqtttest.WantRoundTrip(t, first, 2*time.Second)
		mqtttest.WantRoundTrip(t, second, 2*time.Second)
		third := mqtttest.Pinging(background, f.Ping) // none is in progress
		f.broker.expect(pingreq...)
		f.broker.send(0xD0, 0)
		mqtttest.WantRoundTrip(t, third, 0)
	})
}

// Neither the reply to the keep-alive's PINGREQ nor an unsolicited PINGRESP is taken
// for the reply to Ping's.
func TestPingIsNotMistaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := opened(t, keepAliveOf(time.Minute))
		f.broker.send(0xD0, 0)       // unsolicited
		time.Sleep(61 * time.Second) // the keep-alive sends PINGREQ
		f.broker.expect(pingreq...)
		ch := mqtttest.Pinging(background, f.Ping)
		f.broker.expect(pingreq...)
		time.Sleep(5 * time.Second)
		f.broker.send(0xD0, 0)
		synctest.Wait()
		select {
		case got := <-ch:
			t.Fatalf("the keep-alive's answer is taken for %v", got)
		default:
		}
		time.Sleep(2 * time.Second)
		f.broker.send(0xD0, 0)
		mqtttest.WantRoundTrip(t, ch, 7*time.Second)
	})
}

// The time that a PINGREQ spends in the outbox is not part of the round trip.
func TestPingIsTimedFromItsWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, release := writing(t)
		ch := mqtttest.Pinging(background, f.Ping)
		time.Sleep(10 * time.Second)
		release()
		f.broker.expect(message...)
		f.broker.expect(pingreq...)
		time.Sleep(time.Second)
		f.broker.send(0xD0, 0)
		mqtttest.WantRoundTrip(t, ch, time.Second)
	})
}

func TestPingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := connectingTo(t, nil)
		_, err := f.Ping(background)
		wantCode(t, err, wire.NotConnected)
		f.Probe() // no effect

		f.broker.send(connack()...)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		late := mqtttest.Pinging(ctx, f.Ping)
		f.broker.expect(pingreq...)
		wantCode(t, (<-late).Err, wire.Timeout)

		cut := mqtttest.Pinging(background, f.Ping) // joins, and sends no second PINGREQ
		synctest.Wait()
		_ = f.broker.Close()
		wantCode(t, (<-cut).Err, wire.Network)
		wantCode(t, f.end(), wire.Network)
		_, err = f.Ping(background)
		wantCode(t, err, wire.NotConnected)
		f.broker.expectEnd()

		f = opened(t, nil)
		left := mqtttest.Pinging(background, f.Ping)
		synctest.Wait()
		f.Leave(nil)
		wantCode(t, (<-left).Err, wire.Aborted)
	})
}

func TestPingOverMaximumPacketSize(t *testing.T) { // [MQTT-3.2.2-15]
	synctest.Test(t, func(t *testing.T) {
		f := opened(t, nil, 0x27, 0, 0, 0, 1)
		_, err := f.Ping(background)
		wantCode(t, err, wire.PacketTooLarge)
		f.Close(nil)
		<-f.Done()
		f.broker.expectEnd()
	})
}
