package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// flood is a connection on which, after CONNACK, the same packet arrives again and
// again, until left bytes have been read.
type flood struct {
	net.Conn
	frame []byte
	at    int
	left  int
	over  chan struct{} // closed when everything has been read
	check func(read int)
	read  int
}

func (f *flood) Read(p []byte) (int, error) {
	if f.left <= 0 {
		if f.over != nil {
			close(f.over)
			f.over = nil
		}
		return f.Conn.Read(p)
	}
	total := 0
	for total < len(p) && f.left > 0 {
		n := copy(p[total:], f.frame[f.at:])
		f.at = (f.at + n) % len(f.frame)
		f.left -= n
		total += n
	}
	f.read += total
	f.check(f.read)
	return total, nil
}

// A stalled receiver cost 268 MB although Options.InboxLimit was 1 MB: the inbox held
// more than it counted.
func TestStalledReceiverHoldsItsLimit(t *testing.T) {
	const limit, size = 1 << 20, 1000
	frame, _ := (&Message{Topic: "t", Payload: make([]byte, size)}).encode()
	n := 256 << 20 / len(frame)
	heap := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	over := make(chan struct{})
	before, most, checked := heap(), 0, 0
	s := newScripted(t)
	o := s.options()
	o.InboxLimit = limit
	o.Dial = func(context.Context, string) (net.Conn, error) {
		ours, theirs := mqtttest.Pipe()
		f := &flood{Conn: ours, frame: frame, left: n * len(frame), over: over}
		f.check = func(read int) {
			if read-checked >= 16<<20 {
				checked = read
				most = max(most, heap()-before)
			}
		}
		go (&brokerConn{t: t, Conn: theirs}).accept(0)
		return &afterConnack{Conn: ours, flood: f}, nil
	}
	c, err := Connect(background, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Disconnect(background, DisconnectOptions{Force: true}) }()
	<-over
	if most > 3*limit {
		t.Errorf("holds %d bytes, limit %d", most, limit)
	}
	got, dropped := 0, 0
	for got+dropped < n {
		batch, err := c.Receive(background)
		if err != nil {
			t.Fatal(err)
		}
		got += batch.Count
		dropped += int(batch.Dropped)
		batch.Done()
	}
	if got+dropped != n || got < limit/size/2 {
		t.Errorf("%d received and %d dropped of %d", got, dropped, n)
	}
}

// afterConnack reads CONNACK, which has five bytes, and then the flood.
type afterConnack struct {
	net.Conn
	flood *flood
	read  int
}

func (a *afterConnack) Read(p []byte) (int, error) {
	const connack = 5
	if a.read < connack {
		n, err := a.Conn.Read(p[:min(len(p), connack-a.read)])
		a.read += n
		return n, err
	}
	return a.flood.Read(p)
}

func TestMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, b, _ := start(t, nil)
		for id := range byte(4) {
			b.deliver(fmt.Sprint(id), id+1)
		}
		synctest.Wait() // all four are one batch
		n := 0
		for m, err := range c.Messages(background) {
			if err != nil || m.Topic != fmt.Sprint(n) {
				t.Fatalf("%v %v in place of %d", m.Topic, err, n)
			}
			if n++; n == 2 {
				break // in the middle of a batch
			}
		}
		b.expect(0x40, 2, 0, 1)
		b.nothing() // the broker may send it again
		// What arrived with it was lost: the next loop began behind it. And since "1" was
		// never acknowledged, nothing behind it was [MQTT-4.6.0-2].
		b.deliver("next", 9)
		var got []string
		for m, err := range c.Messages(background) {
			if got = append(got, m.Topic); err != nil || len(got) == 3 {
				break
			}
		}
		if want := []string{"2", "3", "next"}; !slices.Equal(got, want) {
			t.Errorf("then %q, want %q", got, want)
		}
		for id := range byte(3) {
			b.expect(0x40, 2, 0, id+2)
		}
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		for m, err := range c.Messages(ctx) {
			wantCode(t, err, Timeout, "")
			if m.Topic != "" {
				t.Errorf("%v with an error", m.Topic)
			}
		}
		stopped, stop := context.WithCancel(background)
		stop()
		for _, err := range c.Messages(stopped) {
			wantCode(t, err, Aborted, "")
		}
		go func() {
			for b.read() != nil {
			}
		}()
		if err := c.Disconnect(background, DisconnectOptions{}); err != nil {
			t.Error(err)
		}
		ends := 0
		for _, err := range c.Messages(background) {
			wantCode(t, err, NotConnected, "")
			ends++
		}
		if ends != 1 {
			t.Errorf("%d errors", ends)
		}
	})
}

// Messages acknowledges a message when the loop asks for the next one.
func TestMessagesAreAcknowledgedWhenTheLoopGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, b, _ := start(t, nil)
		b.deliver("1", 1)
		for m, err := range c.Messages(background) {
			switch {
			case err != nil:
				t.Fatal(err)
			case m.Topic == "1":
				b.nothing()
				b.deliver("2", 2)
				continue
			}
			b.expect(0x40, 2, 0, 1)
			b.nothing()
			break
		}
	})
}

// Codes were not values that errors.Is could find.
func TestErrorsIsACode(t *testing.T) {
	s := newScripted(t)
	o := s.options()
	go func() {
		b := s.next()
		b.read()
		b.send(0x20, 3, 0, 0x87, 0)
	}()
	_, refused := Connect(background, o)
	_, bad := Connect(background, Options{})
	ctx, cancel := context.WithTimeout(background, time.Millisecond)
	defer cancel()
	_, late := Connect(ctx, o)
	o.Dial = func(context.Context, string) (net.Conn, error) { return nil, net.ErrClosed }
	_, network := Connect(background, o)
	for name, test := range map[string]struct {
		err  error
		code Code
	}{
		"refused": {refused, Refused}, "bad option": {bad, BadOption}, "late": {late, Timeout}, "network": {network, Network},
		"wrapped": {fmt.Errorf("saving: %w", refused), Refused},
		"joined":  {errors.Join(errors.New("other"), late), Timeout},
	} {
		for _, code := range []Code{BadOption, Refused, Timeout, NotConnected, PacketTooLarge, Aborted, Network, Disconnected,
			Protocol, Unsupported, SessionLost, QueueFull, Dropped, Expired, Storage, InUse} {
			if got := errors.Is(test.err, code); got != (code == test.code) {
				t.Errorf("%s: errors.Is(%v, %s) is %v", name, test.err, code, got)
			}
		}
	}
	if !errors.Is(network, net.ErrClosed) || !errors.Is(late, context.DeadlineExceeded) {
		t.Error("the cause is lost")
	}
	if errors.Is(errors.New("timeout"), Timeout) {
		t.Error("a text is no code")
	}
}

// Whenever the session is lost, the broker may send another Receive Maximum of
// messages. If nobody takes them, the oldest are dropped and counted.
func TestStalledReceiverAndSessionsThatAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, size, each, rounds = 64 << 10, 1000, 50, 20
		c, s, b, _ := start(t, func(o *Options) { o.InboxLimit, o.ReceiveMaximum = limit, each })
		for round := range rounds {
			if round > 0 {
				b = again(t, s, b, 0)
			}
			for i := range each {
				frame, idAt := wire.EncodePublish(2, "t", nil, make([]byte, size))
				frame[idAt+1] = byte(i + 1)
				b.send(frame...)
			}
			synctest.Wait()
		}
		count, dropped := 0, 0
		for count+dropped < rounds*each {
			batch, err := c.Receive(background)
			if err != nil {
				t.Fatal(err)
			}
			count, dropped = count+batch.Count, dropped+int(batch.Dropped)
			batch.Done()
		}
		if count > limit/size+each || count < limit/size/2+each {
			t.Errorf("%d messages of %d bytes were held, with a limit of %d", count, size, limit)
		}
	})
}
