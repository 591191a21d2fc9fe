package mqtt

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mqttwasm/wasm/mqtt/internal/session"
)

// Invalid records are deleted and reported. Records that belong to a broken one do not
// apply to the next message with its number.
func TestBrokenRecords(t *testing.T) {
	d := newDisk()
	m := newMemStore(t, d)
	good := keepOne(t, Message{Topic: "good", QoS: 2})
	for key, value := range map[string][]byte{
		"":                  {1},
		"x0000000000000001": {1},
		"o0000000000000000": good,
		"offffffffffffffff": good,
		"o5":                good,
		journalKey('o', 1):  {9, 9, 9},
		journalKey('s', 1):  {0, 7},
		journalKey('r', 1):  {},
		journalKey('o', 2):  good,
		journalKey('s', 2):  {1},
		journalKey('s', 3):  {0, 8},
		"i00001":            {},
		"i0000":             {},
		"i0009":             {},
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
	<-idle(c)
	if keys := d.keys(); len(keys) > 0 {
		t.Errorf("in the store: %v", keys)
	}
}

// keepOne returns the record of a message.
func keepOne(t testing.TB, m Message) []byte {
	t.Helper()
	s := session.New(session.Config{Now: time.Now, Journal: true, Queue: session.Queue{Offline: true, Messages: 1, Bytes: 1 << 20}})
	frame, idAt := m.encode()
	var message session.Message
	message.SetFrame(frame, idAt, 0)
	if err := s.Publish(&message); err != nil {
		t.Fatal(err)
	}
	return s.Ready().Writes[0].Records[0].Value
}

// journalKey is the key of a record of a session's journal.
func journalKey(kind byte, number uint64) string { return fmt.Sprintf("%c%016x", kind, number) }
