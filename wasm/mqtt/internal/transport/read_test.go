package transport

import (
	"bytes"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
	"mqttwasm/wasm/mqtt/internal/wire"
)

func TestHostileLengthsTakeNoMemory(t *testing.T) {
	for name, test := range map[string]struct {
		bytes  []byte
		reason byte // 0: legal, but incomplete
	}{
		"256 MiB announced":              {[]byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F}, 0x95},
		"a five byte length":             {[]byte{0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, 0x81},
		"a length longer than it needs":  {[]byte{0x30, 0x80, 0x00}, 0x81},
		"16 MiB announced":               {[]byte{0x30, 0xF0, 0xFF, 0xFF, 0x07}, 0},
		"16 MiB announced, 100 KiB come": {append([]byte{0x30, 0xF0, 0xFF, 0xFF, 0x07}, make([]byte, 100<<10)...), 0},
		"16 MiB of SUBACK announced":     {[]byte{0x90, 0xF0, 0xFF, 0xFF, 0x07}, 0},
		"16 MiB of SUBACK, 100 KiB come": {append([]byte{0x90, 0xF0, 0xFF, 0xFF, 0x07}, make([]byte, 100<<10)...), 0},
	} {
		bubble(t, name, func(t *testing.T) {
			f := opened(t, func(cfg *Config) { cfg.MaximumPacketSize = 20 << 20 })
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			f.broker.send(test.bytes...)
			synctest.Wait()
			runtime.ReadMemStats(&after)
			if test.reason == 0 {
				_ = f.broker.Close()
				wantCode(t, f.end(), wire.Network)
			} else {
				f.broker.expect(0xE0, 1, test.reason)
				<-f.Done()
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 512<<10 { // includes the pipe's own
				t.Errorf("allocated %d bytes", grown)
			}
		})
	}
}

func TestPacketOverOurMaximum(t *testing.T) { // [MQTT-3.1.2-24]
	for _, maximum := range []int{100, 1000, 100_000} {
		synctest.Test(t, func(t *testing.T) {
			f := opened(t, func(cfg *Config) { cfg.MaximumPacketSize = maximum })
			over := maximum - 20
			for len(publishFrame(over)) <= maximum {
				over++
			}
			f.broker.send(publishFrame(over - 1)...)
			synctest.Wait()
			if f.handler.messages() != 1 {
				t.Error("a packet of that size did not arrive")
			}
			f.broker.send(publishFrame(over)[:5]...)
			f.broker.expect(0xE0, 1, 0x95)
			if e := wantCode(t, f.end(), wire.PacketTooLarge); e.Reason != 0x95 || e.ReasonCode != 0 {
				t.Errorf("%+v", e)
			}
		})
	}
}

// A violation ends the connection with this reason code, and nothing after it is
// handled.
func TestViolations(t *testing.T) {
	for name, test := range map[string]struct {
		bytes  []byte
		reason byte
	}{
		"type 0":                        {[]byte{0x00}, 0x82},
		"CONNECT":                       {[]byte{0x10}, 0x82},
		"SUBSCRIBE":                     {[]byte{0x82}, 0x82},
		"UNSUBSCRIBE":                   {[]byte{0xA2}, 0x82},
		"PINGREQ":                       {[]byte{0xC0}, 0x82},
		"a second CONNACK":              {[]byte{0x20}, 0x82},
		"reserved flags [MQTT-2.1.3-1]": {[]byte{0x41}, 0x81},
		"AUTH with reserved flags":      {[]byte{0xFF}, 0x81},
		"PUBREL without its flags [MQTT-3.6.1-1]":       {[]byte{0x60}, 0x81},
		"QoS 3 [MQTT-3.3.1-4]":                          {[]byte{0x36, 6, 0, 1, 'a', 0, 1, 0}, 0x81},
		"PUBLISH with identifier 0 [MQTT-2.2.1-3]":      {[]byte{0x32, 6, 0, 1, 'a', 0, 0, 0}, 0x82},
		"PUBLISH without a topic":                       {[]byte{0x30, 3, 0, 0, 0}, 0x82},
		"PUBLISH with a wildcard [MQTT-3.3.2-2]":        {[]byte{0x30, 4, 0, 1, '#', 0}, 0x81},
		"PUBLISH that ends too early":                   {[]byte{0x30, 2, 0, 9}, 0x81},
		"PUBACK with bytes too many":                    {[]byte{0x40, 5, 0, 1, 0, 0, 0}, 0x81},
		"PUBACK with a reason code that does not exist": {[]byte{0x40, 3, 0, 1, 0x01}, 0x82},
		"SUBACK with identifier 0":                      {[]byte{0x90, 4, 0, 0, 0, 0}, 0x82},
		"PINGRESP with a body":                          {[]byte{0xD0, 1, 0}, 0x81},
		"DISCONNECT with a client's reason":             {[]byte{0xE0, 1, 0x04}, 0x82},
	} {
		bubble(t, name, func(t *testing.T) {
			f := opened(t, nil)
			f.broker.send(append(slices.Clone(test.bytes), message...)...)
			f.broker.expect(0xE0, 1, test.reason)
			f.broker.expectEnd()
			if e := wantCode(t, f.end(), wire.Protocol); e.Reason != test.reason || e.ReasonCode != 0 {
				t.Errorf("%+v", e)
			}
			if f.handler.messages()+len(f.handler.acks)+len(f.handler.subacks)+len(f.handler.goodbyes) > 0 {
				t.Error("the handler was told")
			}
			if d := time.Since(f.begin); d != 0 {
				t.Errorf("after %v", d)
			}
		})
	}
}

// Before CONNACK, a peer that does not speak MQTT 5 gets no DISCONNECT, and an invalid
// first byte is enough to close the connection.
func TestFirstPacket(t *testing.T) {
	for name, test := range map[string][]byte{
		"HTTP":                             []byte("H"),
		"TLS":                              {0x15},
		"PUBLISH [MQTT-3.2.0-1]":           {0x30},
		"PINGRESP":                         {0xD0},
		"CONNACK with flags":               {0x21},
		"CONNACK with reserved flags":      {0x20, 3, 2, 0, 0},
		"CONNACK of MQTT 3.1.1":            {0x20, 2, 0, 0},
		"CONNACK with bytes too many":      {0x20, 4, 0, 0, 0, 0},
		"a refusal with a session":         {0x20, 3, 1, 0x87, 0},
		"a reason code that doesn't exist": {0x20, 3, 0, 0x01, 0},
	} {
		bubble(t, name, func(t *testing.T) {
			f := connectingTo(t, nil)
			f.broker.send(test...)
			f.broker.expectEnd()
			wantCode(t, f.end(), wire.Protocol)
			if d := time.Since(f.begin); d != 0 {
				t.Errorf("after %v", d)
			}
			if len(f.handler.connacks) > 0 {
				t.Error("the handler was told")
			}
		})
	}
}

func TestPacketsReachTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := connectingTo(t, nil)
		f.broker.send(0x20, 6, 1, 0, 3, 0x21, 0, 20)
		f.broker.send(0x90, 5, 0, 7, 0, 1, 0x87, 0xB0, 4, 0, 8, 0, 0x11)
		f.broker.send(0x40, 2, 0, 1, 0x50, 3, 0, 2, 0x10, 0x62, 3, 0, 3, 0x92, 0x70, 2, 0, 4)
		f.broker.send(message...)
		synctest.Wait()
		h := f.handler
		if c := h.connacks[0]; !c.SessionPresent || *c.Properties.ReceiveMaximum != 20 {
			t.Errorf("CONNACK %+v", c)
		}
		if s := h.subacks; len(s) != 2 || s[0].ID != 7 || string(s[0].Reasons) != "\x01\x87" || s[1].Kind != wire.TypeUnsuback {
			t.Errorf("SUBACK %+v", s)
		}
		want := []wire.Ack{{Kind: 4, ID: 1}, {Kind: 5, ID: 2, Reason: 0x10}, {Kind: 6, ID: 3, Reason: 0x92}, {Kind: 7, ID: 4}}
		for i, a := range h.acks {
			if a.Kind != want[i].Kind || a.ID != want[i].ID || a.Reason != want[i].Reason {
				t.Errorf("ack %+v", a)
			}
		}
		if len(h.acks) != 4 || len(h.published) != 1 || h.published[0].ID != 1 || h.at[0] != float64(time.Now().UnixMilli()) {
			t.Errorf("%d acks, PUBLISH %+v at %v", len(h.acks), h.published, h.at)
		}
	})
}

// Streams of packets of all sizes arrive intact, however they are split.
func TestFraming(t *testing.T) {
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			sizes := []int{0, 1, 100, 121, 122, 10_000, largeSize - 20, largeSize - 10, largeSize, largeSize + 1, 50_000, 70_000, 200_000, 600_000}
			var stream []byte
			var want []int
			for range 30 {
				size := sizes[rng.IntN(len(sizes))]
				want = append(want, size)
				stream = append(stream, publishFrame(size)...)
				if rng.IntN(3) == 0 {
					stream = append(stream, 0x40, 2, 0, 1)
				}
				if rng.IntN(10) == 0 { // other packets may be large too
					stream = append(wire.AppendVarint(append(stream, 0x90), 103_000), append([]byte{0, 1, 0}, make([]byte, 102_997)...)...)
				}
			}
			f := opened(t, func(cfg *Config) {
				if seed%2 == 0 {
					more := rand.New(rand.NewPCG(seed, 1))
					cfg.Buffer = func(size int) []byte { return make([]byte, 0, size+more.IntN(2)*more.IntN(1<<20)) }
				}
			})
			for len(stream) > 0 {
				n := min(len(stream), 1+rng.IntN(100_000))
				if rng.IntN(2) == 0 {
					n = min(len(stream), 1+rng.IntN(100))
				}
				f.broker.send(stream[:n]...)
				stream = stream[n:]
				if rng.IntN(2) == 0 {
					synctest.Wait()
				}
			}
			synctest.Wait()
			var got []int
			for _, p := range f.handler.published {
				got = append(got, len(p.Payload))
				wantInPlace(t, &p)
				if frame := publishFrame(len(p.Payload)); !bytes.HasSuffix(frame, p.Payload) || string(p.Topic) != "topic" {
					t.Error("a message was damaged")
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("messages of %v bytes, want %v", got, want)
			}
		})
	}
}

// wantInPlace checks [wire.Publish].Buffer: it is set for packets that do not fit in
// the read buffer, ends with the payload, and has room before the topic's length.
func wantInPlace(t *testing.T, p *wire.Publish) {
	t.Helper()
	size := 2 + len(p.Topic) + 1 + len(p.Payload)
	if p.Buffer == nil {
		if size > 4*readSize {
			t.Errorf("a packet of %d bytes has no buffer of its own", size)
		}
		return
	}
	if size+4 <= largeSize {
		t.Errorf("a packet of %d bytes has a buffer of its own", size)
	}
	before := len(p.Buffer) - size
	if before < headroom || &p.Buffer[before+2] != &p.Topic[0] || &p.Buffer[len(p.Buffer)-1] != &p.Payload[len(p.Payload)-1] {
		t.Errorf("%d bytes before the topic's length, in a buffer of %d with a packet of %d", before, len(p.Buffer), size)
	}
}

// The buffer of a large packet grows with the bytes that arrive. After that, a packet
// as large gets its whole buffer at once.
func TestLargeBufferGrowsWithWhatArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sizes []int
		f := opened(t, func(cfg *Config) {
			cfg.Buffer = func(size int) []byte {
				sizes = append(sizes, size)
				return make([]byte, 0, size)
			}
		})
		frame := publishFrame(500_000)
		arrived := 0
		for part := range slices.Chunk(frame, 10_000) {
			f.broker.send(part...)
			arrived += len(part)
			synctest.Wait()
			if n := len(sizes); n > 0 && sizes[n-1] > max(firstLarge, 2*(arrived+headroom)) {
				t.Fatalf("a buffer of %d bytes for %d that arrived", sizes[n-1], arrived)
			}
		}
		end := headroom + len(frame) - 4
		if want := []int{64 << 10, 128 << 10, 256 << 10, end}; !slices.Equal(sizes, want) {
			t.Errorf("buffers of %v, want %v", sizes, want)
		}
		sizes = nil
		f.broker.send(frame...)
		f.broker.send(publishFrame(400_000)...)
		f.broker.send(publishFrame(1_000_000)...)
		synctest.Wait()
		if want := []int{end, end - 100_000, end, end + 500_000}; !slices.Equal(sizes, want) {
			t.Errorf("buffers of %v, want %v", sizes, want)
		}
		if f.handler.messages() != 4 {
			t.Errorf("%d messages", f.handler.messages())
		}
		f.Close(nil)
		<-f.Done()
		if f.in.publish.Buffer != nil || f.in.publish.Payload != nil {
			t.Error("the reader holds a buffer that it gave away")
		}
		if cap(f.in.buf) > 4*readSize {
			t.Errorf("the read buffer has %d bytes", cap(f.in.buf))
		}
	})
}

// A larger recycled buffer is used as it is.
func TestLargeBufferIsRecycled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recycled := bytes.Repeat([]byte{0xAA}, 1<<20)
		calls := 0
		f := opened(t, func(cfg *Config) {
			cfg.Buffer = func(int) []byte {
				calls++
				return recycled[:0]
			}
		})
		f.broker.send(publishFrame(700_000)...)
		synctest.Wait()
		p := f.handler.published[0]
		if calls != 1 || &p.Buffer[0] != &recycled[0] {
			t.Errorf("asked for %d buffers", calls)
		}
		wantInPlace(t, &p)
	})
}

// The read buffer shrinks again after a large packet of another type.
func TestReadBufferShrinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := opened(t, nil)
		f.broker.send(append(wire.AppendVarint([]byte{0x90}, 500_000), append([]byte{0, 1, 0}, make([]byte, 499_997)...)...)...)
		f.broker.send(message...)
		f.broker.send(message...)
		synctest.Wait()
		f.Close(nil)
		<-f.Done()
		if len(f.handler.subacks) != 1 || f.handler.messages() != 2 {
			t.Error("a packet was lost")
		}
		if cap(f.in.buf) > 4*readSize {
			t.Errorf("the read buffer has %d bytes", cap(f.in.buf))
		}
	})
}

func TestSmallPacketsTakeNoMemory(t *testing.T) {
	for name, frame := range map[string][]byte{
		"QoS 0": publishFrame(64), "QoS 1": message, "1 KiB": publishFrame(1000), "PUBACK": {0x40, 2, 0, 1}, "PINGRESP": {0xD0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := flooded(frame, nil)
			for range 10_000 { // until the buffer has its final size
				if err := c.readOne(); err != nil {
					t.Fatal(err)
				}
			}
			if n := testing.AllocsPerRun(10_000, func() { _ = c.readOne() }); n != 0 {
				t.Errorf("%v allocations per packet", n)
			}
		})
	}
}

// Whatever arrives, the reader ends in time, and reports why.
func FuzzRead(f *testing.F) {
	f.Add(true, slices.Concat(message, []byte{0x40, 2, 0, 1, 0xD0, 0, 0xE0, 1, 0x8E}))
	f.Add(false, connack(0x13, 0, 5))
	f.Add(true, publishFrame(40_000))
	f.Add(true, []byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F})
	f.Fuzz(func(t *testing.T, accepted bool, data []byte) {
		ours, theirs := mqtttest.Pipe()
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		if accepted {
			data = append(connack(), data...)
		}
		_, _ = theirs.Write(data)
		theirs.CloseWrite()
		c := Start(Config{Conn: ours, Connect: connectFrame, Handler: &discard{}, Source: &queue{}, MaximumPacketSize: 1 << 20})
		<-c.Done()
		if c.Err() == nil {
			t.Error("no reason")
		}
	})
}
