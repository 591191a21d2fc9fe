package mqtt

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// disk is what survives a crash.
type disk struct {
	mu      sync.Mutex
	records map[string][]byte
}

func newDisk() *disk { return &disk{records: map[string][]byte{}} }

func (d *disk) get(key string) ([]byte, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v, ok := d.records[key]
	return v, ok
}

func (d *disk) keys() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.records))
}

// sentAs returns the number of the message with this packet identifier.
func (d *disk) sentAs(id uint16) (seq string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, v := range d.records {
		if key[0] == 's' && len(v) == 2 && uint16(v[0])<<8|uint16(v[1]) == id {
			return key[1:], true
		}
	}
	return "", false
}

var errCrashed = errors.New("the program crashed")

// crash ends a program at its n-th step; 0: never.
type crash struct {
	mu       sync.Mutex
	n        int
	happened chan struct{}
}

func newCrash(n int) *crash { return &crash{n: n, happened: make(chan struct{})} }

// step counts a step, and reports whether the program is dead.
func (c *crash) step() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n--; c.n == 0 {
		close(c.happened)
	}
	return c.deadNow()
}

func (c *crash) deadNow() bool {
	select {
	case <-c.happened:
		return true
	default:
		return false
	}
}

// memStore is a Store on a disk. Changes become durable one after the other, on their
// own goroutine.
type memStore struct {
	t     *testing.T
	disk  *disk
	crash *crash
	hold  chan struct{}        // each change waits for one element; nil: none waits
	fail  func([]Record) error // nil: nothing fails
	load  error

	mu      sync.Mutex
	pending []func()
	working bool
	closed  int
}

func newMemStore(t *testing.T, d *disk) *memStore {
	return &memStore{t: t, disk: d, crash: newCrash(0)}
}

func (m *memStore) Load(context.Context) ([]Record, error) {
	if m.load != nil {
		return nil, m.load
	}
	var list []Record
	for _, key := range m.disk.keys() {
		v, _ := m.disk.get(key)
		list = append(list, Record{Key: key, Value: v})
	}
	return list, nil
}

func (m *memStore) Apply(changes []Record, done func(error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed > 0 {
		m.t.Errorf("Apply(%v) after Close", changes)
	}
	changes = slices.Clone(changes)
	m.pending = append(m.pending, func() { done(m.write(changes)) })
	if !m.working {
		m.working = true
		go m.work()
	}
}

func (m *memStore) work() {
	for {
		m.mu.Lock()
		if len(m.pending) == 0 {
			m.working = false
			m.mu.Unlock()
			return
		}
		next := m.pending[0]
		m.pending = m.pending[1:]
		m.mu.Unlock()
		if m.hold != nil {
			<-m.hold
		}
		next()
	}
}

func (m *memStore) write(changes []Record) error {
	if m.fail != nil {
		if err := m.fail(changes); err != nil {
			return err
		}
	}
	if m.crash.step() {
		return errCrashed
	}
	m.disk.mu.Lock()
	for _, r := range changes {
		if r.Value == nil {
			delete(m.disk.records, r.Key)
		} else {
			m.disk.records[r.Key] = slices.Clone(r.Value)
		}
	}
	m.disk.mu.Unlock()
	if m.crash.step() {
		return errCrashed
	}
	return nil
}

func (m *memStore) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed++; m.closed > 1 {
		m.t.Error("the store was closed twice")
	}
	return nil
}

// failOn returns a function that fails changes to records of these kinds: writes if
// value is set, else deletions.
func failOn(kinds string, value bool) func([]Record) error {
	return func(changes []Record) error {
		for _, r := range changes {
			if strings.IndexByte(kinds, r.Key[0]) >= 0 && (r.Value != nil) == value {
				return errors.New("quota exceeded")
			}
		}
		return nil
	}
}

func durable(m *memStore) func(*Options) {
	return func(o *Options) {
		o.Store, o.KeepSession, o.SessionExpiry = m, true, 1000*time.Second
	}
}
