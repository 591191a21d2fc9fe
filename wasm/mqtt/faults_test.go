package mqtt

import (
	"encoding/binary"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// The broker's DISCONNECT is a typed error. It ends the client if reconnecting would be
// pointless.
func TestServerDisconnectWithEveryReason(t *testing.T) {
	vain := map[byte]bool{0x87: true, 0x8C: true, 0x8E: true, 0x9C: true, 0x9D: true}
	for _, reason := range reasonsOf(wire.TypeDisconnect) {
		t.Run(wire.ReasonName(reason), func(t *testing.T) {
			_, s, b, log := start(t, nil)
			b.send(0xE0, 2, reason, 0)
			b.Close()
			if e := wantCode(t, wait[Closed](log).Err, Disconnected, ""); e.ReasonCode != reason {
				t.Errorf("%+v", e)
			}
			if vain[reason] {
				if e := wantCode(t, wait[Ended](log).Err, Disconnected, ""); e.ReasonCode != reason {
					t.Errorf("%+v", e)
				}
				return
			}
			b = s.next()
			b.accept(0)
			wait[Connected](log)
			b.Close()
		})
	}
}

func TestAliasOverOurMaximum(t *testing.T) { // [MQTT-3.1.2-26], [MQTT-3.1.2-27]
	for _, maximum := range []uint16{0, 10} {
		_, _, b, log := start(t, func(o *Options) { o.TopicAliasMaximum, o.Reconnect = maximum, ReconnectNever })
		b.send(0x30, 7, 0, 1, 'a', 3, 0x23, 0, byte(maximum+1))
		b.expect(0xE0, 1, 0x94)
		if e := wantCode(t, wait[Closed](log).Err, Protocol, ""); e.ReasonCode != 0 { // ReasonCode is for the broker's codes only
			t.Errorf("%+v", e)
		}
	}
}

func TestPacketOverOurMaximum(t *testing.T) { // [MQTT-3.1.2-24]
	const maximum = 100
	c, _, b, log := start(t, func(o *Options) { o.MaximumPacketSize, o.Reconnect = maximum, ReconnectNever })
	packet := func(size int) []byte {
		return append([]byte{0x30, byte(size - 2), 0, 1, 't', 0}, make([]byte, size-6)...)
	}
	b.send(packet(maximum)...)
	if m, _ := receiveOne(t, c); len(m.Payload) != maximum-6 {
		t.Errorf("%d bytes", len(m.Payload))
	}
	b.send(packet(maximum + 1)...)
	b.expect(0xE0, 1, 0x95)
	wantCode(t, wait[Closed](log).Err, PacketTooLarge, "")
}

// subscribeAtFlood subscribes at a broker that replies with SUBACK and n retained
// messages at once, numbered in their payload. At QoS 1 at most receiveMaximum of them
// are unacknowledged. The broker answers UNSUBSCRIBE after the last one.
func subscribeAtFlood(t *testing.T, c *Client, b *brokerConn, qos byte, n, receiveMaximum int) {
	t.Helper()
	acked := make(chan struct{}, receiveMaximum)
	sent := make(chan struct{})
	go func() {
		p := b.read()
		b.send(0x90, 4, byte(p.PacketID()>>8), byte(p.PacketID()), 0, qos)
		go func() {
			for p := b.read(); p != nil; p = b.read() {
				switch p.Content.(type) {
				case *packets.Puback:
					<-acked
				case *packets.Unsubscribe:
					<-sent
					b.send(0xB0, 4, byte(p.PacketID()>>8), byte(p.PacketID()), 0, 0)
				}
			}
		}()
		for i := range n {
			frame, idAt := (&Message{Topic: "r", QoS: qos, Retain: true, Payload: binary.BigEndian.AppendUint32(nil, uint32(i))}).encode()
			if qos > 0 {
				acked <- struct{}{}
				binary.BigEndian.PutUint16(frame[idAt:], uint16(i%60_000)+1)
			}
			b.send(frame...)
		}
		close(sent)
	}()
	if _, err := c.Subscribe(background, []Subscription{{Filter: "r", QoS: qos}}, SubscribeOptions{}); err != nil {
		t.Fatal(err)
	}
}

const retainedFlood = 20_000 // messages

func TestRetainedFloodLosesNothingAtQoS1(t *testing.T) {
	const receiveMaximum = 100
	c, _, b, _ := start(t, func(o *Options) { o.ReceiveMaximum, o.InboxLimit = receiveMaximum, 1 })
	subscribeAtFlood(t, c, b, 1, retainedFlood, receiveMaximum)
	for next := uint32(0); next < retainedFlood; {
		batch, err := c.Receive(background)
		if err != nil || batch.Dropped > 0 {
			t.Fatalf("%d dropped, %v", batch.Dropped, err)
		}
		for m := range batch.Messages() {
			if i := binary.BigEndian.Uint32(m.Payload); i != next {
				t.Fatalf("message %d in place of %d", i, next)
			}
			next++
		}
		batch.Done()
	}
}

func TestRetainedFloodCountsWhatItDropsAtQoS0(t *testing.T) {
	c, _, b, _ := start(t, func(o *Options) { o.InboxLimit = 128 << 10 })
	subscribeAtFlood(t, c, b, 0, retainedFlood, 0)
	if _, err := c.Unsubscribe(background, []string{"r"}, nil); err != nil { // all have arrived, and none has been received
		t.Fatal(err)
	}
	got, dropped, last := 0, 0, -1
	for got+dropped < retainedFlood {
		batch, err := c.Receive(background)
		if err != nil {
			t.Fatal(err)
		}
		dropped += int(batch.Dropped)
		for m := range batch.Messages() {
			i := int(binary.BigEndian.Uint32(m.Payload))
			if i <= last {
				t.Fatalf("message %d after %d", i, last)
			}
			got, last = got+1, i
		}
	}
	if got+dropped != retainedFlood || dropped == 0 || last != retainedFlood-1 {
		t.Errorf("%d received and %d dropped of %d, the last is %d", got, dropped, retainedFlood, last)
	}
}

// A receiver that never calls Done holds the broker back, and memory does not grow.
func TestNeverDoneHoldsTheBrokerBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const flood, size, receiveMaximum = 2000, 10_000, 10
		broker := newChaosBroker(t, nil)
		r := newChaosRound(t, broker)
		o := r.options()
		o.ReceiveMaximum = receiveMaximum
		c, err := Connect(background, o)
		if err != nil {
			t.Fatal(err)
		}
		payload := string(make([]byte, size))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range flood {
			broker.publish("from", 1, payload)
		}
		got := 0
		for got < receiveMaximum {
			batch, err := c.Receive(background)
			if err != nil {
				t.Fatal(err)
			}
			got += batch.Count
		}
		synctest.Wait() // nothing moves any more
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
			t.Errorf("allocated %d bytes", grown)
		}
		broker.mu.Lock()
		for i, m := range broker.session.out {
			if sent := m.id > 0; sent != (i < receiveMaximum) {
				t.Errorf("message %d: sent %v", i, sent)
			}
		}
		if len(broker.session.out) != flood || got != receiveMaximum {
			t.Errorf("%d messages unacknowledged, want all %d; %d received", len(broker.session.out), flood, got)
		}
		broker.mu.Unlock()
		if err := c.Disconnect(background, DisconnectOptions{}); err != nil {
			t.Error(err)
		}
	})
}
