package mqtt

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestStoreSettlesWhenDurableAlsoOffline(t *testing.T) {
	d := newDisk()
	m := newMemStore(t, d)
	m.hold = make(chan struct{})
	c, s, _ := away(t, durable(m))
	done := storeAsync(c, Message{Topic: "t", QoS: 1})
	select {
	case err := <-done:
		t.Fatalf("settled before it was durable: %v", err)
	default:
	}
	close(m.hold)
	wantNil(t, done)
	if keys := d.keys(); len(keys) != 1 || keys[0] != journalKey('o', 1) {
		t.Errorf("in the store: %v", keys)
	}
	c.Wake()
	b := s.next()
	b.accept(1)
	wantTopics(t, b, "t")
}

// A message reported as stored can no longer be canceled, and survives a lost
// connection.
func TestStoredIsAPromise(t *testing.T) {
	d := newDisk()
	m := newMemStore(t, d)
	c, s, b, log := start(t, durable(m), 0x21, 0, 1)
	publishAsync(c, Message{Topic: "1", QoS: 1})
	wantTopics(t, b, "1")
	done := make(chan error, 1)
	token := c.PublishAsync(&Message{Topic: "2", QoS: 1}, PublishOptions{Stored: true, OnSettled: func(_ PublishResult, err error) { done <- err }})
	wantNil(t, done)
	token.Cancel(&Error{Code: Aborted, Message: "too late"})
	b.Close()
	wait[Reconnecting](log)
	b = s.next()
	b.accept(1)
	publishOf(t, b.read())
	b.send(0x40, 2, 0, 1)
	wantTopics(t, b, "2")
	// No call is left to report its failure.
	b.send(0x40, 3, 0, 2, 0x97)
	if e := wantCode(t, wait[Failed](log).Err, Refused, ""); e.ReasonCode != 0x97 {
		t.Errorf("%+v", e)
	}
}

func TestStoredExpiresOnTime(t *testing.T) {
	d := newDisk()
	m := newMemStore(t, d)
	c, _, log := away(t, durable(m))
	expiry := time.Second
	wantNil(t, storeAsync(c, Message{Topic: "t", QoS: 1, Properties: Properties{MessageExpiry: &expiry}}))
	wantCode(t, wait[Failed](log).Err, Expired, "")
	<-idle(c)
	if keys := d.keys(); len(keys) > 0 {
		t.Errorf("in the store: %v", keys)
	}
}

func TestStoreQuota(t *testing.T) {
	for name, publish := range map[string]func(*Client, Message) <-chan error{"publish": publishAsync, "store": storeAsync} {
		for _, online := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, online %v", name, online), func(t *testing.T) {
				d := newDisk()
				m := newMemStore(t, d)
				m.fail = failOn("o", true)
				change := func(o *Options) { durable(m)(o); o.Queue.Offline = OfflineAll }
				var c *Client
				var s *scripted
				var b *brokerConn
				var log eventLog
				if online {
					c, _, b, _ = start(t, change, 0x21, 0, 1)
				} else {
					c, s, log = away(t, change)
				}
				failed := publish(c, Message{Topic: "1", QoS: 2})
				e := wantCode(t, <-failed, Storage, "")
				if !strings.Contains(e.Message, "quota exceeded") {
					t.Error(e.Message)
				}
				if !online {
					c.Wake()
					b = s.next()
					b.accept(1)
					wait[Connected](log)
				}
				next := publishAsync(c, Message{Topic: "2"}) // needs no record
				wantTopics(t, b, "2")
				wantNil(t, next)
				<-idle(c)
				if keys := d.keys(); len(keys) > 0 {
					t.Errorf("in the store: %v", keys)
				}
			})
		}
	}
}

// Failures of the other writes are reported, and nothing waits for ever.
func TestStoreFailuresAreTold(t *testing.T) {
	d := newDisk()
	m := newMemStore(t, d)
	m.fail = func(changes []Record) error {
		return errors.Join(failOn("sri", true)(changes), failOn("osri", false)(changes))
	}
	c, _, b, log := start(t, durable(m))
	failed := func() {
		t.Helper()
		wantCode(t, wait[Failed](log).Err, Storage, "")
	}
	done := publishAsync(c, Message{Topic: "t", QoS: 2})
	publishOf(t, b.read())
	failed() // s
	b.send(0x50, 2, 0, 1)
	b.expect(0x62, 2, 0, 1)
	failed() // r
	b.send(0x70, 2, 0, 1)
	wantNil(t, done)
	failed() // the deletion
	b.send(0x34, 6, 0, 1, 't', 0, 8, 0)
	_, batch := receiveOne(t, c)
	batch.Done()
	b.expect(0x50, 2, 0, 8)
	failed() // i
	b.send(0x62, 2, 0, 8)
	b.expect(0x70, 2, 0, 8)
	failed() // the deletion
}

func TestStoreNeedsASession(t *testing.T) {
	for field, change := range map[string]func(*Options){
		"clientId":                         func(o *Options) { o.ClientID = "" },
		"clean":                            func(o *Options) { o.KeepSession = false },
		"properties.sessionExpiryInterval": func(o *Options) { o.SessionExpiry = 0 * time.Second },
	} {
		m := newMemStore(t, newDisk())
		o := newScripted(t).options()
		durable(m)(&o)
		change(&o)
		_, err := Connect(background, o)
		wantCode(t, err, BadOption, field)
		if m.closed != 1 {
			t.Errorf("%s: the store was closed %d times", field, m.closed)
		}
	}
	c, _, _, _ := start(t, nil)
	wantCode(t, <-storeAsync(c, Message{Topic: "t"}), BadOption, "waitFor")
}

func TestStoreIsClosedOnce(t *testing.T) {
	refuse := func(s *scripted) func() {
		return func() { b := s.next(); b.read(); b.send(0x20, 3, 0, 0x87, 0) }
	}
	inUse := &Error{Code: InUse, Message: "another client has it"}
	for name, test := range map[string]struct {
		load error
		code Code
	}{
		"load fails":         {errors.New("broken disk"), Storage},
		"in use":             {inUse, InUse},
		"connection refused": {nil, Refused},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemStore(t, newDisk())
			m.load = test.load
			s := newScripted(t)
			if test.load == nil {
				go refuse(s)()
			}
			o := s.options()
			durable(m)(&o)
			_, err := Connect(background, o)
			wantCode(t, err, test.code, "")
			if m.closed != 1 {
				t.Errorf("closed %d times", m.closed)
			}
		})
	}
	for name, end := range map[string]func(*Client, *scripted, *brokerConn){
		"disconnect": func(c *Client, _ *scripted, _ *brokerConn) { _ = c.Disconnect(background, DisconnectOptions{}) },
		"gives up":   func(_ *Client, s *scripted, b *brokerConn) { b.Close(); refuse(s)() },
		"suspended": func(c *Client, _ *scripted, _ *brokerConn) {
			_ = c.Suspend(background)
			_ = c.Disconnect(background, DisconnectOptions{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemStore(t, newDisk())
			c, s, b, _ := start(t, durable(m))
			b.send(0x34, 6, 0, 1, 't', 0, 8, 0)
			_, batch := receiveOne(t, c)
			end(c, s, b)
			<-c.Done()
			batch.Done() // no longer touches the store
			if m.closed != 1 {
				t.Errorf("closed %d times", m.closed)
			}
		})
	}
}

// patientStore is a Store whose Close waits until its changes are done.
type patientStore struct {
	*memStore
	closing chan struct{}
	changes sync.WaitGroup
}

func (p *patientStore) Apply(changes []Record, done func(error)) {
	p.changes.Add(1)
	p.memStore.Apply(changes, func(err error) {
		done(err)
		p.changes.Done()
	})
}

func (p *patientStore) Close() error {
	close(p.closing)
	p.changes.Wait()
	return p.memStore.Close()
}

func TestStoreMayWaitInClose(t *testing.T) {
	m := newMemStore(t, newDisk())
	m.hold = make(chan struct{})
	p := &patientStore{memStore: m, closing: make(chan struct{})}
	c, _, b, _ := start(t, func(o *Options) { durable(m)(o); o.Store = p })
	b.send(0x34, 6, 0, 1, 't', 0, 8, 0)
	_, batch := receiveOne(t, c)
	batch.Done() // a change that is still pending
	go func() { _ = c.Disconnect(background, DisconnectOptions{}) }()
	<-p.closing
	close(m.hold)
	<-c.Done()
}
