package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

func storeAsync(c *Client, m Message) <-chan error {
	ch := make(chan error, 1)
	c.StoreAsync(&m, func(_ PublishResult, err error) { ch <- err })
	return ch
}

// keeper is a broker that keeps its session, and holds the client to the order
// of packets and records.
type keeper struct {
	t    *testing.T
	disk *disk

	mu        sync.Mutex
	session   bool
	delivered map[string]int  // by payload
	open      map[uint16]bool // QoS 2, PUBREL outstanding
	out       []*kept
	settled   chan struct{} // has an element when out may have become empty
}

// kept is a message of the broker for the client.
type kept struct {
	id       uint16
	qos      byte
	sent     bool
	received bool // PUBREC came
	done     bool
}

func newKeeper(t *testing.T, d *disk) *keeper {
	return &keeper{t: t, disk: d, delivered: map[string]int{}, open: map[uint16]bool{}, settled: make(chan struct{}, 1)}
}

func (k *keeper) serve(conn net.Conn, c *crash) {
	defer conn.Close()
	for {
		p, err := packets.ReadPacket(conn)
		if err != nil || c.step() {
			return
		}
		k.mu.Lock()
		answer := k.handle(p)
		k.mu.Unlock()
		if c.step() {
			return
		}
		if len(answer) > 0 {
			_, _ = conn.Write(answer)
		}
	}
}

func (k *keeper) handle(p *packets.ControlPacket) (answer []byte) {
	id := p.PacketID()
	switch q := p.Content.(type) {
	case *packets.Connect:
		present := byte(0)
		if k.session {
			present = 1
		}
		k.session = true
		answer = []byte{0x20, 3, present, 0, 0}
		for _, m := range k.out {
			answer = append(answer, m.next()...)
		}
	case *packets.Publish:
		if q.QoS > 0 {
			if _, ok := k.disk.sentAs(id); !ok {
				k.t.Errorf("PUBLISH %d before the store knew that it was sent", id)
			}
			if k.delivered[string(q.Payload)] > 0 && !q.Duplicate { // [MQTT-3.3.1-1]
				k.t.Errorf("PUBLISH %d again without DUP", id)
			}
		}
		switch q.QoS {
		case 0:
			k.delivered[string(q.Payload)]++
		case 1:
			k.delivered[string(q.Payload)]++
			answer = answerFrame(0x40, id)
		case 2:
			if !k.open[id] {
				k.open[id] = true
				k.delivered[string(q.Payload)]++
			}
			answer = answerFrame(0x50, id)
		}
	case *packets.Pubrel:
		seq, _ := k.disk.sentAs(id)
		if _, ok := k.disk.get("r" + seq); !ok && k.open[id] {
			k.t.Errorf("PUBREL %d before the store knew that PUBREC came", id)
		}
		answer = answerFrame(0x70, id)
		if !k.open[id] {
			answer = answerFrame(0x70, id, reasonIDNotFound)
		}
		delete(k.open, id)
	case *packets.Puback, *packets.Pubrec, *packets.Pubcomp:
		for _, m := range k.out {
			if m.id == id && !m.done {
				answer = k.answered(m, p.Type)
			}
		}
	}
	return answer
}

func (k *keeper) answered(m *kept, kind byte) []byte {
	_, known := k.disk.get(fmt.Sprintf("i%04x", m.id))
	switch {
	case kind == packets.PUBREC:
		if !known {
			k.t.Errorf("PUBREC %d before the store knew the message", m.id)
		}
		m.received = true
		return m.next()
	case kind == packets.PUBCOMP && known:
		k.t.Errorf("PUBCOMP %d before the store had forgotten the message", m.id)
	}
	m.done = true
	select {
	case k.settled <- struct{}{}:
	default:
	}
	return nil
}

func (m *kept) next() []byte {
	switch {
	case m.done:
		return nil
	case m.received:
		return answerFrame(0x62, m.id)
	}
	header := 0x30 | m.qos<<1
	if m.sent {
		header |= 8
	}
	m.sent = true
	return []byte{header, 7, 0, 1, 't', byte(m.id >> 8), byte(m.id), 0, byte(m.id)}
}

func (k *keeper) allDone() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, m := range k.out {
		if !m.done {
			return false
		}
	}
	return true
}

// program runs a client on the disk until work returns or it crashes.
func (k *keeper) program(c *crash, work func(*Client)) {
	var served sync.WaitGroup
	var conns []net.Conn
	var mu sync.Mutex
	dial := func(context.Context, string) (net.Conn, error) {
		ours, theirs := bufferedPipe()
		mu.Lock()
		conns = append(conns, theirs)
		mu.Unlock()
		served.Go(func() { k.serve(theirs, c) })
		return ours, nil
	}
	store := newMemStore(k.t, k.disk)
	store.crash = c
	client, err := Connect(background, Options{
		URL: "x", Dial: dial, ClientID: "c", KeepSession: true, SessionExpiry: 1000, Store: store, NoReconnect: true,
	})
	if err == nil {
		finished := make(chan struct{})
		go func() { work(client); close(finished) }()
		select {
		case <-finished:
		case <-c.happened:
		}
		mu.Lock()
		for _, conn := range conns {
			_ = conn.Close()
		}
		mu.Unlock()
		_ = client.Disconnect(background, DisconnectOptions{Force: true})
		<-finished
	}
	served.Wait()
	if store.closed != 1 {
		k.t.Errorf("the store was closed %d times", store.closed)
	}
}

// A crash at every step: zero lost, and at QoS 2 zero doubled.
func TestCrashWhilePublishing(t *testing.T) {
	const messages = 4
	for n, crashed := 1, true; crashed; n++ {
		d := newDisk()
		k := newKeeper(t, d)
		c := newCrash(n)
		stored := make([]bool, messages)
		k.program(c, func(client *Client) {
			var done []<-chan error
			for i := range stored {
				done = append(done, storeAsync(client, Message{Topic: "t", QoS: byte(1 + i%2), Payload: []byte{byte(i)}}))
			}
			for i, ch := range done {
				stored[i] = <-ch == nil
			}
			<-client.session.idle()
		})
		crashed = c.deadNow()
		k.program(newCrash(0), func(client *Client) { <-client.session.idle() })
		for i, wasStored := range stored {
			count := k.delivered[string(rune(i))]
			if wasStored && count == 0 {
				t.Errorf("crash at step %d: message %d, QoS %d, was lost", n, i, 1+i%2)
			}
			if i%2 == 1 && count > 1 {
				t.Errorf("crash at step %d: message %d arrived %d times", n, i, count)
			}
		}
		if keys := d.keys(); len(keys) > 0 {
			t.Errorf("crash at step %d: left in the store: %v", n, keys)
		}
		if n > 200 {
			t.Fatal("the exchange never ends")
		}
	}
}

// idle is closed when nothing waits, is in flight, or is left in the store.
func (s *session) idle() <-chan struct{} {
	ch := make(chan struct{})
	go func() {
		defer close(ch)
		s.mu.Lock()
		for !s.ended && (len(s.sent) > 0 || s.queue.list.Len() > 0) {
			s.changed.Wait()
		}
		if s.ended {
			s.mu.Unlock()
			return
		}
		flushed := make(chan struct{})
		s.store.Apply([]Record{{Key: "flush"}}, func(error) { close(flushed) })
		s.mu.Unlock()
		<-flushed
	}()
	return ch
}

func TestCrashWhileReceiving(t *testing.T) {
	for n, crashed := 1, true; crashed; n++ {
		d := newDisk()
		k := newKeeper(t, d)
		for i := range 4 {
			k.out = append(k.out, &kept{id: uint16(i + 1), qos: byte(1 + i%2)})
		}
		seen := map[byte]bool{}
		receive := func(c *crash) func(client *Client) {
			return func(client *Client) {
				go func() {
					for {
						batch, err := client.Receive(background)
						if err != nil {
							return
						}
						k.mu.Lock()
						for m := range batch.Messages() {
							id := m.Payload[0]
							if c.deadNow() {
								continue
							}
							seen[id] = true
							if k.out[id-1].received {
								t.Errorf("crash at step %d: message %d was handed out again after PUBREC", n, id)
							}
						}
						k.mu.Unlock()
						batch.Done()
					}
				}()
				for !k.allDone() {
					select {
					case <-k.settled:
					case <-client.Done():
						return
					case <-c.happened:
						return
					}
				}
			}
		}
		c := newCrash(n)
		k.program(c, receive(c))
		crashed = c.deadNow()
		c2 := newCrash(0)
		k.program(c2, receive(c2))
		if len(seen) != 4 {
			t.Errorf("crash at step %d: only %v arrived", n, seen)
		}
		if keys := d.keys(); len(keys) > 0 {
			t.Errorf("crash at step %d: left in the store: %v", n, keys)
		}
		if n > 200 {
			t.Fatal("the exchange never ends")
		}
	}
}

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
	if keys := d.keys(); len(keys) != 1 || keys[0] != keptKey(keptMessage, 1) {
		t.Errorf("in the store: %v", keys)
	}
	c.Wake()
	b := s.next()
	b.accept(1)
	wantTopics(t, b, "t")
}

// What was promised to be sent is neither taken back by its caller, nor given up
// with the connection.
func TestStoredIsAPromise(t *testing.T) {
	d := newDisk()
	m := newMemStore(t, d)
	c, s, b, log := start(t, durable(m), 0x21, 0, 1)
	publishAsync(c, Message{Topic: "1", QoS: 1})
	wantTopics(t, b, "1")
	done := make(chan error, 1)
	cancel := c.StoreAsync(&Message{Topic: "2", QoS: 1}, func(_ PublishResult, err error) { done <- err })
	wantNil(t, done)
	cancel(newError(Aborted, "too late"))
	b.Close()
	wait[Reconnecting](log)
	b = s.next()
	b.accept(1)
	publishOf(t, b.read())
	b.send(0x40, 2, 0, 1)
	wantTopics(t, b, "2")
	// Its failure has no call that would report it.
	b.send(0x40, 3, 0, 2, 0x97)
	if e := wantCode(t, wait[Failed](log).Err, Refused, ""); e.ReasonCode != 0x97 {
		t.Errorf("%+v", e)
	}
}

func TestStoredExpiresOnTime(t *testing.T) {
	d := newDisk()
	m := newMemStore(t, d)
	c, _, log := away(t, durable(m))
	expiry := uint32(1)
	wantNil(t, storeAsync(c, Message{Topic: "t", QoS: 1, Properties: Properties{MessageExpiry: &expiry}}))
	wantCode(t, wait[Failed](log).Err, Expired, "")
	<-c.session.idle()
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
				change := func(o *Options) { durable(m)(o); o.Queue.Offline = true }
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
				next := publishAsync(c, Message{Topic: "2"}) // which needs no record
				wantTopics(t, b, "2")
				wantNil(t, next)
				<-c.session.idle()
				if keys := d.keys(); len(keys) > 0 {
					t.Errorf("in the store: %v", keys)
				}
			})
		}
	}
}

// A failure of the other writes is told, and nothing waits for ever.
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
		"properties.sessionExpiryInterval": func(o *Options) { o.SessionExpiry = 0 },
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
			batch.Done() // touches the store no more
			if m.closed != 1 {
				t.Errorf("closed %d times", m.closed)
			}
		})
	}
}

// Records that make no sense are deleted and told, and those beside a broken one
// don't fall to the next message of that number.
func TestBrokenRecords(t *testing.T) {
	d := newDisk()
	m := newMemStore(t, d)
	good := keepOne(t, Message{Topic: "good", QoS: 2})
	for key, value := range map[string][]byte{
		"":                       {1},
		"x0000000000000001":      {1},
		"o0000000000000000":      good,
		"offffffffffffffff":      good,
		"o5":                     good,
		keptKey(keptMessage, 1):  {9, 9, 9},
		keptKey(keptSent, 1):     {0, 7},
		keptKey(keptReleased, 1): {},
		keptKey(keptMessage, 2):  good,
		keptKey(keptSent, 2):     {1},
		keptKey(keptSent, 3):     {0, 8},
		"i00001":                 {},
		"i0000":                  {},
		keptKey(keptIncoming, 9): {},
	} {
		d.records[key] = value
	}
	c, _, b, log := start(t, durable(m))
	if e := wantCode(t, wait[Failed](log).Err, Storage, ""); !strings.Contains(e.Message, "12 records") {
		t.Error(e.Message)
	}
	if p := publishOf(t, b.read()); p.Topic != "good" || p.Duplicate {
		t.Errorf("got %v", p)
	}
	b.send(0x50, 2, 0, 1)
	b.expect(0x62, 2, 0, 1)
	b.send(0x70, 2, 0, 1)
	<-c.session.idle()
	if keys := d.keys(); len(keys) > 0 {
		t.Errorf("in the store: %v", keys)
	}
}

// keepOne returns the record of a message.
func keepOne(t testing.TB, m Message) []byte {
	t.Helper()
	var value []byte
	s := newSession(&Options{Queue: Queue{Offline: true, Messages: 1, Bytes: 1 << 20}}, func(error) {})
	s.store = storeFunc(func(changes []Record, _ func(error)) { value = changes[0].Value })
	o := newOutgoing(&m)
	o.settle = func(PublishResult, error) {}
	s.limits = limits{qos: 2, retain: true, alias: 65535}
	if err := s.enqueue(o); err != nil {
		t.Fatal(err)
	}
	s.end(newError(NotConnected, "over"))
	return value
}

type storeFunc func([]Record, func(error))

func (storeFunc) Load(context.Context) ([]Record, error) { return nil, nil }
func (f storeFunc) Apply(r []Record, done func(error))   { f(r, done) }
func (storeFunc) Close() error                           { return nil }

// An alias of another connection means nothing: the topic is sent alone.
func TestRestoredMessageHasNoAlias(t *testing.T) {
	alias, expiry := uint16(3), uint32(4_000_000_000)
	for qos := range byte(3) {
		o := parseKept(keepOne(t, Message{Topic: "topic", QoS: qos, Payload: []byte("payload"),
			Properties: Properties{TopicAlias: &alias, MessageExpiry: &expiry, ContentType: "c"}}))
		want := newOutgoing(&Message{Topic: "topic", QoS: qos, Payload: []byte("payload"),
			Properties: Properties{MessageExpiry: &expiry, ContentType: "c"}})
		if qos > 0 {
			want.setID(1)
		}
		if string(o.frame) != string(want.frame) || o.idAt != want.idAt || o.expiryAt != want.expiryAt || o.alias != 0 {
			t.Errorf("QoS %d: %x, want %x", qos, o.frame, want.frame)
		}
	}
}

func FuzzRestore(f *testing.F) {
	expiry := uint32(1)
	f.Add("o0000000000000001", keepOne(f, Message{Topic: "t", QoS: 2, Payload: []byte("x")}), "s0000000000000001", []byte{0, 1})
	f.Add("o0000000000000001", keepOne(f, Message{Topic: "t", Properties: Properties{MessageExpiry: &expiry}}), "i0001", []byte{})
	f.Add("o0000000000000001", []byte{1}, "r0000000000000001", []byte{})
	f.Fuzz(func(t *testing.T, key1 string, value1 []byte, key2 string, value2 []byte) {
		if key1 == key2 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			deleted := map[string]bool{}
			told := map[Code]int{}
			s := newSession(&Options{Queue: Queue{Messages: 10, Bytes: 1000}}, func(err error) {
				var typed *Error
				if errors.As(err, &typed) {
					told[typed.Code]++
				}
			})
			s.store = storeFunc(func(changes []Record, _ func(error)) {
				for _, r := range changes {
					deleted[r.Key] = true
				}
			})
			s.restore([]Record{{key1, value1}, {key2, value2}})
			time.Sleep(time.Nanosecond) // what has expired goes
			synctest.Wait()
			if told[Storage] > 1 || told[Storage]+told[Expired] == 0 && len(deleted) > 0 {
				t.Errorf("deleted %v, told %v", deleted, told)
			}
			taken := map[uint64]bool{}
			for e := s.queue.list.Front(); e != nil; e = e.Next() {
				o := e.Value.(*outgoing)
				taken[o.seq] = true
				checkKept(t, o)
			}
			for _, o := range s.sent {
				taken[o.seq] = true
				checkKept(t, o)
			}
			for _, key := range []string{key1, key2} {
				kind, number, ok := parseKey(key)
				if ok && kind == keptIncoming {
					ok = s.in[uint16(number)] != nil
				} else {
					ok = ok && taken[number]
				}
				if ok == deleted[key] && (!ok || kind != keptSent) { // of another length, which goes alone
					t.Errorf("record %q: taken %v, deleted %v", key, ok, deleted[key])
				}
			}
			s.end(newError(NotConnected, "over"))
		})
	})
}

func checkKept(t *testing.T, o *outgoing) {
	_, size, _, _ := parseVarint(o.frame[1:])
	p, err := parsePublish(o.frame[0], o.frame[1+size:])
	if err != nil || p.alias != 0 || len(p.topic) == 0 {
		t.Errorf("%x: %v", o.frame, err)
	}
	o.age()
	if _, err := parsePublish(o.frame[0], o.frame[1+size:]); err != nil {
		t.Errorf("%x, with its expiry: %v", o.frame, err)
	}
}
