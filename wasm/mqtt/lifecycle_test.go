package mqtt

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

func wantDisconnect(t *testing.T, b *brokerConn) {
	t.Helper()
	p := b.read()
	if p == nil || p.Type != packets.DISCONNECT {
		t.Fatalf("got %v, want DISCONNECT", p)
	}
	if code := p.Content.(*packets.Disconnect).ReasonCode; code != 0 {
		t.Errorf("reason code 0x%02X", code)
	}
	if p := b.read(); p != nil {
		t.Errorf("%v after DISCONNECT", p)
	}
}

// noDial waits for a day, and checks that the client does not connect.
func (s *scripted) noDial(t *testing.T) {
	t.Helper()
	time.Sleep(24 * time.Hour)
	select {
	case <-s.dials:
		t.Error("it connects")
	default:
	}
}

func suspend(t *testing.T, c *Client) {
	t.Helper()
	if err := c.Suspend(background); err != nil {
		t.Fatal(err)
	}
}

func TestSuspendAndResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, b, log := start(t, func(o *Options) {
			o.Queue.Offline, o.SessionExpiry, o.ReconnectMin, o.ReconnectMax = OfflineAll, 7*24*time.Hour, untilWake, untilWake
		})
		suspend(t, c)
		wantDisconnect(t, b)
		if err := wait[Closed](log).Err; err != nil {
			t.Errorf("closed: %v", err)
		}
		s.noDial(t)
		suspend(t, c) // again
		c.Wake()      // does not resume
		s.noDial(t)
		waits := publishAsync(c, Message{Topic: "t"})
		begin := time.Now()
		c.Resume()
		b = s.next()
		b.accept(1)
		if d := time.Since(begin); d != 0 {
			t.Errorf("resumed after %v", d)
		}
		wantTopics(t, b, "t")
		wantNil(t, waits)
		c.Resume() // nothing to resume
		b.Close()
		if d := wait[Reconnecting](log).Delay; d != 0 {
			t.Errorf("resumed with a delay of %v", d)
		}
		wait[Reconnecting](log)
		synctest.Wait()
		select {
		case <-s.dials:
			t.Error("a Resume without Suspend ended a later back-off")
		default:
		}
	})
}

func TestSuspendedDuringBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, log := away(t, nil)
		suspend(t, c)
		s.noDial(t)
		c.Resume()
		s.next().accept(0)
		wait[Connected](log)
	})
}

// When Suspend returns, the connection of an attempt is closed, however far it got.
func TestSuspendedDuringAnAttempt(t *testing.T) {
	for name, further := range map[string]func(*brokerConn){
		"before CONNACK": func(b *brokerConn) { b.read() },
		"subscribing again": func(b *brokerConn) {
			b.accept(0)
			if p := b.read(); p.Type != packets.SUBSCRIBE {
				b.t.Errorf("got %v, want SUBSCRIBE", p)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s, b, log := start(t, func(o *Options) { o.SessionExpiry = 7 * 24 * time.Hour })
				go func() { b.send(0x90, 4, 0, byte(b.read().PacketID()), 0, 1) }()
				if _, err := c.Subscribe(background, []Subscription{{Filter: "a", QoS: 1}}, SubscribeOptions{}); err != nil {
					t.Fatal(err)
				}
				b.Close()
				b = s.next()
				further(b)
				begin := time.Now()
				suspend(t, c)
				for p := b.read(); p != nil; p = b.read() {
				}
				if d := time.Since(begin); d != 0 {
					t.Errorf("suspended after %v", d)
				}
				s.noDial(t)
				c.Resume()
				b = s.next()
				b.accept(1)
				// The broker's session may lack the subscription: CONNACK, or SUBACK,
				// never arrived.
				if p := b.read(); p == nil || p.Type != packets.SUBSCRIBE {
					t.Errorf("got %v, want SUBSCRIBE", p)
				} else {
					b.send(0x90, 4, 0, byte(p.PacketID()), 0, 1)
				}
				wait[Connected](log)
				wait[Connected](log)
			})
		})
	}
}

func TestDisconnectWhileSuspended(t *testing.T) {
	c, _, _, log := start(t, nil)
	suspend(t, c)
	if err := c.Disconnect(background, DisconnectOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := wait[Ended](log).Err; err != nil {
		t.Error(err)
	}
	c.Resume()
	c.Wake()
}

func TestSuspendOnAStuckLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe() // nobody reads from it
		s := newScripted(t)
		o := s.options()
		o.Dial = func(context.Context, string) (net.Conn, error) { return ours, nil }
		go (&brokerConn{t: t, Conn: theirs}).accept(0)
		c, err := Connect(background, o)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		suspend(t, c)
		if d := time.Since(begin); d != time.Second {
			t.Errorf("after %v", d)
		}
		_ = c.Disconnect(background, DisconnectOptions{})
	})
}

func TestWakeEndsTheBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _ := away(t, nil)
		begin := time.Now()
		c.Wake()
		s.next().accept(0)
		if d := time.Since(begin); d != 0 {
			t.Errorf("connected after %v", d)
		}
	})
}

func TestWakeProbesTheLink(t *testing.T) {
	t.Run("dead", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, _, _, log := start(t, func(o *Options) { o.KeepAlive, o.Reconnect = 600*time.Second, ReconnectNever })
			time.Sleep(time.Minute)
			begin := time.Now()
			c.Wake()
			c.Wake()
			wantCode(t, wait[Closed](log).Err, Network, "")
			if d := time.Since(begin); d < 5*time.Second || d > 5*time.Second+100*time.Millisecond {
				t.Errorf("lost after %v", d)
			}
		})
	})
	t.Run("alive", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, _, b, _ := start(t, func(o *Options) { o.KeepAlive, o.Reconnect = 600*time.Second, ReconnectNever })
			for range 3 {
				c.Wake()
				b.expect(0xC0, 0)
				time.Sleep(5*time.Second - time.Second)
				b.send(0xD0, 0)
				time.Sleep(time.Minute)
				if _, err := c.current(); err != nil {
					t.Fatal(err)
				}
			}
		})
	})
	t.Run("ends meanwhile", func(t *testing.T) {
		c, _, b, log := start(t, func(o *Options) { o.Reconnect = ReconnectNever })
		c.Wake()
		b.Close()
		wait[Ended](log)
	})
}
