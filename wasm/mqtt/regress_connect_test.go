package mqtt

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Every CONNACK reset the back-off: a connection that broke at once, for example on a
// message that the client refused, was retried a thousand times a minute.
func TestBackoffStartsAnewAfterAStableConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const first, longest = time.Second, 1 << 20 * time.Second
		_, s, b, log := start(t, func(o *Options) { o.ReconnectMin, o.ReconnectMax = first, longest })
		next := func(up time.Duration) time.Duration { // the wait after a connection
			wait[Connected](log)
			time.Sleep(up)
			b.Close()
			r := wait[Reconnecting](log)
			if r.Attempt != 1 { // attempts count from the last connection
				t.Errorf("attempt %d", r.Attempt)
			}
			b = s.next()
			b.accept(0)
			return r.Delay
		}
		for round, up := range []time.Duration{0, stable - time.Millisecond} {
			var most time.Duration
			for n := round; n < 20; n++ { // full jitter: up to first, twice that, four times that …
				delay := next(up)
				if limit := first << n; delay > limit {
					t.Errorf("up for %v: after %v, want at most %v", up, delay, limit)
				}
				most = max(most, delay)
			}
			if most < 1000*first {
				t.Errorf("up for %v, 20 times: never waits longer than %v", up, most)
			}
			for range 10 {
				if delay := next(stable); delay > first {
					t.Errorf("up for %v: after %v, want at most %v", stable, delay, first)
				}
			}
		}
	})
}

// A server that said "use another server" ended the client, although Options.Servers
// had another one.
func TestUseAnotherServer(t *testing.T) {
	for _, reason := range []byte{0x9C, 0x9D} {
		t.Run(fmt.Sprintf("0x%02X in CONNACK", reason), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServers(t, "a", "b")
				o := s.options()
				o.URL, o.Servers, o.Dial = "a", []string{"b"}, s.dialOne
				go func() {
					b := s.next()
					b.read()
					b.send(0x20, 3, 0, reason, 0)
					s.next().accept(0)
				}()
				begin := time.Now()
				c, err := Connect(background, o)
				if err != nil {
					t.Fatal(err)
				}
				if got := fmt.Sprint(s.attempts()); got != "[a b]" || time.Since(begin) != 0 {
					t.Errorf("tried %s, for %v", got, time.Since(begin))
				}
				_ = c.Disconnect(background, DisconnectOptions{Force: true})
			})
		})
		t.Run(fmt.Sprintf("0x%02X in DISCONNECT", reason), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServers(t, "a", "b", "c")
				log := make(eventLog, 1000)
				o := s.options()
				o.URL, o.Servers, o.Dial, o.OnEvent = "a", []string{"b", "c"}, s.dialOne, log.on
				accepted := s.accept()
				c, err := Connect(background, o)
				if err != nil {
					t.Fatal(err)
				}
				b := <-accepted
				s.set("a", "b", "c")
				accepted = s.accept()
				b.send(0xE0, 2, reason, 0)
				if e := wantCode(t, wait[Closed](log).Err, Disconnected, ""); e.ReasonCode != reason {
					t.Errorf("%+v", e)
				}
				<-accepted
				if got := fmt.Sprint(s.attempts()); got != "[b]" {
					t.Errorf("tried %s", got)
				}
				_ = c.Disconnect(background, DisconnectOptions{Force: true})
			})
		})
		t.Run(fmt.Sprintf("0x%02X from all", reason), func(t *testing.T) {
			s := newServers(t, "a", "b")
			o := s.options()
			o.URL, o.Servers, o.Dial = "a", []string{"b"}, s.dialOne
			go func() {
				for range 2 {
					b := s.next()
					b.read()
					b.send(0x20, 3, 0, reason, 0)
				}
			}()
			_, err := Connect(background, o)
			if e := wantCode(t, err, Refused, ""); e.ReasonCode != reason {
				t.Errorf("%+v", e)
			}
			if got := fmt.Sprint(s.attempts()); got != "[a b]" {
				t.Errorf("tried %s", got)
			}
		})
	}
}

// A broker that speaks only MQTT 3.1.1 replies with a CONNACK of two bytes and return
// code 1. The client reported a malformed packet, and reason code 0x81 as if the broker
// had sent it.
func TestBrokerOfMQTT311IsNamed(t *testing.T) {
	answer := func(b *brokerConn, code byte) {
		b.read()
		b.send(0x20, 2, 0, code)
	}
	check := func(t *testing.T, err error) {
		t.Helper()
		e := wantCode(t, err, Protocol, "")
		if !strings.Contains(e.Message, "MQTT 3.1.1") || e.ReasonCode != 0 {
			t.Errorf("%+v", e)
		}
	}
	for code := range byte(6) {
		t.Run(fmt.Sprint("Connect, return code ", code), func(t *testing.T) {
			s := newScripted(t)
			go func() { answer(s.next(), code) }()
			_, err := Connect(background, s.options())
			check(t, err)
			if len(s.dials) > 0 {
				t.Error("tried again")
			}
		})
	}
	t.Run("New", func(t *testing.T) {
		s := newScripted(t)
		log := make(eventLog, 100)
		o := s.options()
		o.OnEvent = log.on
		c, err := New(background, o)
		if err != nil {
			t.Fatal(err)
		}
		answer(s.next(), 1)
		check(t, wait[Ended](log).Err)
		<-c.Done()
		if len(s.dials) > 0 {
			t.Error("tried again")
		}
	})
	t.Run("reconnecting", func(t *testing.T) {
		_, s, b, log := start(t, nil)
		b.Close()
		answer(s.next(), 1)
		check(t, wait[Ended](log).Err)
		if len(s.dials) > 0 {
			t.Error("tried again")
		}
	})
}
