package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// servers are scripted brokers by URL; the others are unreachable.
type servers struct {
	*scripted
	mu    sync.Mutex
	up    map[string]bool
	tried []string
}

func newServers(t *testing.T, up ...string) *servers {
	s := &servers{scripted: newScripted(t), up: map[string]bool{}}
	s.set(up...)
	return s
}

func (s *servers) set(up ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.up)
	for _, url := range up {
		s.up[url] = true
	}
	s.tried = nil
}

func (s *servers) attempts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.tried)
}

func (s *servers) dialOne(ctx context.Context, url string) (net.Conn, error) {
	s.mu.Lock()
	s.tried = append(s.tried, url)
	up := s.up[url]
	s.mu.Unlock()
	if !up {
		return nil, errors.New("nobody there")
	}
	return s.dial(ctx, url)
}

func (s *servers) accept() <-chan *brokerConn {
	ch := make(chan *brokerConn, 1)
	go func() {
		b := s.next()
		b.accept(0)
		ch <- b
	}()
	return ch
}

func TestServersAreTriedInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServers(t, "b")
		log := make(eventLog, 1000)
		o := s.options()
		o.URL, o.Servers, o.Dial, o.OnEvent = "a", []string{"b", "c"}, s.dialOne, log.on
		o.ReconnectMin, o.ReconnectMax = time.Hour, time.Hour
		accepted := s.accept()
		begin := time.Now()
		c, err := Connect(background, o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Disconnect(background, DisconnectOptions{Force: true}) }()
		if got := fmt.Sprint(s.attempts()); got != "[a b]" || time.Since(begin) != 0 {
			t.Errorf("first tried %s, for %v", got, time.Since(begin))
		}
		s.set()
		(<-accepted).Close()
		var delays []time.Duration
		for range 7 {
			delays = append(delays, wait[Reconnecting](log).Delay)
		}
		synctest.Wait()
		if got := fmt.Sprint(s.attempts()); got != "[b c a b c a]" { // the seventh waits
			t.Errorf("tried %s", got)
		}
		for i, d := range delays {
			if (d == 0) != (i%3 != 0) {
				t.Errorf("attempt %d after %v", i+1, d)
			}
		}
		s.set("a")
		accepted = s.accept()
		b := <-accepted
		wait[Connected](log)
		s.set("a")
		accepted = s.accept()
		b.Close()
		b = <-accepted
		if got := fmt.Sprint(s.attempts()); got != "[a]" { // the one that worked
			t.Errorf("tried %s", got)
		}
		go func() {
			for b.read() != nil {
			}
		}()
	})
}

func TestFirstConnectionTriesAll(t *testing.T) {
	s := newServers(t)
	o := s.options()
	o.URL, o.Servers, o.Dial = "a", []string{"b"}, s.dialOne
	_, err := Connect(background, o)
	wantCode(t, err, Network, "")
	if got := fmt.Sprint(s.attempts()); got != "[a b]" {
		t.Errorf("tried %s", got)
	}
}

func TestPrepare(t *testing.T) {
	numbers := make(chan int, 10)
	_, s, b, log := start(t, func(o *Options) {
		o.Prepare = func(_ context.Context, a *Attempt) error {
			numbers <- a.Number
			if a.Number == 1 {
				return errors.New("no token")
			}
			a.Username, a.Password = fmt.Sprint("user", a.Number), []byte("secret")
			return nil
		}
	})
	b.Close()
	wantCode(t, wait[Failed](log).Err, Network, "")
	if p := s.next().accept(0); p.Username != "user2" || string(p.Password) != "secret" {
		t.Errorf("CONNECT %v", p)
	}
	for want := range 3 {
		if n := <-numbers; n != want {
			t.Errorf("attempt %d, want %d", n, want)
		}
	}
}

func TestPrepareFails(t *testing.T) {
	typed := &Error{Code: Refused, Message: "no licence"}
	for name, test := range map[string]struct {
		prepare func(context.Context, *Attempt) error
		code    Code
		field   string
	}{
		"an error":       {func(context.Context, *Attempt) error { return errors.New("no token") }, Network, ""},
		"a typed error":  {func(context.Context, *Attempt) error { return typed }, Refused, ""},
		"a bad username": {func(_ context.Context, a *Attempt) error { a.Username = "\x00"; return nil }, BadOption, "username"},
		"a long password": {func(_ context.Context, a *Attempt) error {
			a.Password = make([]byte, 65536)
			return nil
		}, BadOption, "password"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newScripted(t).options()
			o.Prepare = test.prepare
			_, err := Connect(background, o)
			wantCode(t, err, test.code, test.field)
		})
	}
}

func TestPrepareCountsTowardsConnectTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newScripted(t).options()
		o.ConnectTimeout = 5 * time.Second
		o.Prepare = func(ctx context.Context, _ *Attempt) error { <-ctx.Done(); return ctx.Err() }
		begin := time.Now()
		_, err := Connect(background, o)
		wantCode(t, err, Timeout, "")
		if d := time.Since(begin); d != 5*time.Second {
			t.Errorf("after %v", d)
		}
	})
}

func TestRetryRefused(t *testing.T) {
	_, s, b, log := start(t, func(o *Options) { o.Reconnect = ReconnectAlways })
	b.Close()
	b = s.next()
	b.read()
	b.send(0x20, 3, 0, wire.ReasonBadCredentials, 0)
	if e := wantCode(t, wait[Failed](log).Err, Refused, ""); e.ReasonCode != wire.ReasonBadCredentials {
		t.Errorf("%+v", e)
	}
	s.next().accept(0)
	wait[Connected](log)
}

// A broker that does not read resent messages is noticed by the keep-alive, like any
// dead one.
func TestStuckWhileSendingAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		second := make(chan net.Conn, 1)
		c, _, b, log := start(t, func(o *Options) {
			dial := o.Dial
			o.KeepAlive, o.SessionExpiry, o.ReconnectMin, o.ReconnectMax = 10*time.Second, 1000*time.Second, untilWake, untilWake
			o.Dial = func(ctx context.Context, url string) (net.Conn, error) {
				if first {
					first = false
					return dial(ctx, url)
				}
				ours, theirs := net.Pipe() // nobody reads, and there is no buffer
				second <- theirs
				return ours, nil
			}
		})
		publishAsync(c, Message{Topic: "t", QoS: 1})
		publishOf(t, b.read())
		b.Close()
		wait[Reconnecting](log)
		c.Wake()
		(&brokerConn{t: t, Conn: <-second}).accept(1)
		begin := time.Now()
		wantCode(t, wait[Closed](log).Err, Network, "")
		if d := time.Since(begin); d > 15*time.Second+time.Second {
			t.Errorf("after %v", d)
		}
	})
}
