package mqtt

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

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
