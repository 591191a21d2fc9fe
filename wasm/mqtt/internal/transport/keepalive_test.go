package transport

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
	"mqttwasm/wasm/mqtt/internal/wire"
)

func keepAliveOf(d time.Duration) func(*Config) {
	return func(cfg *Config) { cfg.KeepAlive = d }
}

func TestHalfOpenIsNoticed(t *testing.T) {
	for _, keepAlive := range []time.Duration{1, 2, 60, 600} {
		synctest.Test(t, func(t *testing.T) {
			keepAlive *= time.Second
			f := opened(t, keepAliveOf(keepAlive))
			wantCode(t, f.end(), wire.Network)
			if d, most := time.Since(f.begin), keepAlive*3/2+2*time.Second; d > most {
				t.Errorf("keep alive %v: noticed after %v, want at most %v", keepAlive, d, most)
			}
		})
	}
}

// A peer that neither reads nor sends is noticed just as soon, although PINGREQ cannot
// be written.
func TestStuckWriteIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := opened(t, func(cfg *Config) {
			cfg.KeepAlive = 10 * time.Second
			stuckAfterConnect(cfg)
		})
		f.source.put(message)
		f.Wake()
		wantCode(t, f.end(), wire.Network)
		if d := time.Since(f.begin); d > 16*time.Second {
			t.Errorf("noticed after %v", d)
		}
	})
}

func TestPingKeepsAQuietConnectionOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := opened(t, keepAliveOf(10*time.Second))
		for range 20 {
			f.broker.expect(pingreq...)
			f.broker.send(0xD0, 0)
		}
		if d := time.Since(f.begin); d != 200*time.Second {
			t.Errorf("20 pings took %v", d)
		}
		select {
		case <-f.Done():
			t.Error(f.Err())
		default:
		}
	})
}

// A client that sends all the time probes when nothing arrives, and one that receives
// all the time sends PINGREQ [MQTT-3.1.2-20].
func TestOneWayTraffic(t *testing.T) {
	bubble(t, "to the broker", func(t *testing.T) {
		f := opened(t, keepAliveOf(10*time.Second))
		for range 9 {
			time.Sleep(time.Second)
			f.source.put(message)
			f.Wake()
			f.broker.expect(message...)
		}
		f.broker.expect(pingreq...)
		if d := time.Since(f.begin); d != 10*time.Second {
			t.Errorf("asked after %v", d)
		}
	})
	bubble(t, "from the broker", func(t *testing.T) {
		f := opened(t, keepAliveOf(10*time.Second))
		for range 9 {
			time.Sleep(time.Second)
			f.broker.send(message...)
		}
		f.broker.expect(pingreq...)
		if d := time.Since(f.begin); d != 10*time.Second {
			t.Errorf("sent after %v", d)
		}
	})
}

// A packet that takes longer than the keep-alive time to arrive is not silence.
func TestSlowPacketIsNoSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := opened(t, keepAliveOf(2*time.Second))
		frame := publishFrame(100_000)
		for i := 0; i < len(frame); i += 1000 {
			f.broker.send(frame[i:min(len(frame), i+1000)]...)
			time.Sleep(time.Second)
		}
		if f.handler.messages() != 1 {
			t.Error("it did not arrive")
		}
	})
}

func TestServerKeepAliveIsObeyed(t *testing.T) { // [MQTT-3.1.2-21]
	bubble(t, "sooner", func(t *testing.T) {
		f := opened(t, keepAliveOf(10*time.Minute), 0x13, 0, 5)
		f.broker.expect(pingreq...)
		if d := time.Since(f.begin); d != 5*time.Second {
			t.Errorf("pinged after %v, want 5s", d)
		}
	})
	bubble(t, "off", func(t *testing.T) {
		f := opened(t, keepAliveOf(time.Second), 0x13, 0, 0)
		time.Sleep(time.Hour)
		f.Leave(nil)
		if err := f.end(); err != nil {
			t.Error(err)
		}
		f.broker.expect(0xE0, 0)
		f.broker.expectEnd()
	})
}

// sleeper simulates a machine that sleeps: its clock goes on while its timers stand
// still.
func sleeper(c *Conn) (sleep func()) {
	var slept atomic.Int64
	awake := c.keep.now
	c.keep.now = func() int64 { return awake() + slept.Load() }
	return func() {
		synctest.Wait()
		slept.Add(int64(time.Hour))
	}
}

// asleep is opened, on a machine that can sleep.
func asleep(t *testing.T, keepAlive time.Duration) (f *fixture, sleep func()) {
	ours, theirs := mqtttest.Pipe()
	f = &fixture{handler: &recorder{}, source: &queue{}, broker: &broker{theirs, t}}
	f.Conn = newConn(Config{Conn: ours, Connect: connectFrame, Handler: f.handler, Source: f.source, KeepAlive: keepAlive})
	sleep = sleeper(f.Conn)
	f.run()
	f.broker.expect(connectFrame...)
	f.broker.send(connack()...)
	synctest.Wait()
	return f, sleep
}

// Time spent asleep does not count as silence: the broker is probed again, and the
// connection is dead only if that gets no reply.
func TestClockJump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const keepAlive = 10 * time.Second
		f, sleep := asleep(t, keepAlive)
		sleep() // while idle
		f.broker.expect(pingreq...)
		sleep() // while a reply is pending
		f.broker.expect(pingreq...)
		select {
		case <-f.Done():
			t.Fatalf("given up after sleep: %v", f.Err())
		default:
		}
		f.broker.send(0xD0, 0)
		answered := time.Now()
		f.broker.expect(pingreq...) // never answered
		asked := time.Now()
		if d := asked.Sub(answered); d < keepAlive/2 {
			t.Errorf("asked again after %v, although the broker had answered", d)
		}
		wantCode(t, f.end(), wire.Network)
		if d := time.Since(asked); d > keepAlive/2+graceTime {
			t.Errorf("noticed %v after the last ping", d)
		}
	})
}

func TestProbe(t *testing.T) {
	bubble(t, "dead", func(t *testing.T) {
		f := opened(t, keepAliveOf(10*time.Minute))
		time.Sleep(time.Minute)
		begin := time.Now()
		f.Probe()
		f.Probe()
		wantCode(t, f.end(), wire.Network)
		if d := time.Since(begin); d < probeTime || d > probeTime+graceTime {
			t.Errorf("lost after %v", d)
		}
		f.broker.expect(pingreq...) // just one
		f.broker.expectEnd()
	})
	bubble(t, "alive", func(t *testing.T) {
		f := opened(t, keepAliveOf(10*time.Minute))
		for range 3 {
			f.Probe()
			f.broker.expect(pingreq...)
			time.Sleep(probeTime - time.Second)
			f.broker.send(0xD0, 0)
			time.Sleep(time.Minute)
			select {
			case <-f.Done():
				t.Fatal(f.Err())
			default:
			}
		}
	})
	bubble(t, "ends meanwhile", func(t *testing.T) {
		f := opened(t, nil)
		f.Probe()
		synctest.Wait()
		_ = f.broker.Close()
		wantCode(t, f.end(), wire.Network)
		if d := time.Since(f.begin); d != 0 {
			t.Errorf("done after %v", d)
		}
		f.Probe()
	})
	bubble(t, "the machine sleeps", func(t *testing.T) {
		f, sleep := asleep(t, 0)
		f.Probe()
		sleep()
		f.broker.expect(pingreq...)
		time.Sleep(time.Minute)
		select {
		case <-f.Done():
			t.Errorf("called dead because the machine slept: %v", f.Err())
		default:
		}
		f.Close(nil)
		<-f.Done()
	})
}

// slowLink accepts every write at once, as a browser does, and sends at a fixed rate
// until it stalls.
type slowLink struct {
	net.Conn
	mu     sync.Mutex
	given  int // bytes after CONNECT
	left   int
	at     time.Time // when left was updated
	stalls time.Time
}

const slowRate = 1000 // bytes a second

func (l *slowLink) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at.IsZero() {
		l.at = time.Now()
		return l.Conn.Write(p)
	}
	l.update()
	l.given += len(p)
	return len(p), nil
}

func (l *slowLink) update() {
	now := time.Now()
	if now.After(l.stalls) {
		now = l.stalls
	}
	if now.After(l.at) {
		l.left = min(l.given, l.left+int(now.Sub(l.at).Seconds()*slowRate))
		l.at = now
	}
}

func (l *slowLink) Sent() (left, waiting int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.update()
	return l.left, l.given - l.left
}

// A packet that takes longer to send than the keep-alive, or a Probe, does not end the
// connection while its bytes are leaving: PINGREQ is queued behind it.
func TestSlowLinkIsNotDead(t *testing.T) {
	const leaves, stalls = 30 * time.Second, 20 * time.Second
	for _, c := range []struct {
		name         string
		keepAlive    time.Duration
		probe, stall bool
		within       time.Duration // of the last byte sent
	}{
		{"keep alive", 4 * time.Second, false, false, 6 * time.Second},
		{"keep alive, stalls", 4 * time.Second, false, true, 6 * time.Second},
		{"probe", 0, true, false, 2 * probeTime},
		{"probe, stalls", 0, true, true, 2 * probeTime},
	} {
		bubble(t, c.name, func(t *testing.T) {
			over := time.Now().Add(leaves)
			f := opened(t, func(cfg *Config) {
				cfg.KeepAlive = c.keepAlive
				l := &slowLink{Conn: cfg.Conn, stalls: over}
				if c.stall {
					over = time.Now().Add(stalls)
					l.stalls = over
				}
				cfg.Conn = l
			})
			f.source.put(publishFrame(int(leaves.Seconds()) * slowRate))
			f.Wake()
			for open := true; open; {
				if c.probe {
					f.Probe()
				}
				select {
				case <-f.Done():
					open = false
				case <-time.After(time.Second):
				}
			}
			wantCode(t, f.Err(), wire.Network)
			if d := time.Since(over); d < 0 || d > c.within+time.Second {
				t.Errorf("lost %v after the last byte left", d)
			}
		})
	}
}
