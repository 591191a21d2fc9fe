package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
)

// store keeps retained messages and sessions in one bbolt file.
//
// Hooks only collect what changes. A goroutine of the store's own writes what has been
// collected, in one transaction after the other, and acknowledgements are sent when
// what they depend on is on disk: a killed process loses nothing that it acknowledged.
//
//	packet read      begin: a receipt for the client's packet
//	hooks            put:   a change joins the batch that is being collected, and so does the receipt
//	packet handled   end:   the receipt is settled when its batches are on disk, or could not be written
//
// mochi's badger and pebble hooks would triple the size of the binary, and its bolt
// hook loses messages.
type store struct {
	log     *slog.Logger
	db      *bbolt.DB
	failing atomic.Bool // the last batch could not be written

	mu       sync.Mutex
	changed  sync.Cond // there is something to write, or room for more
	next     *batch    // being collected
	receipts map[string]*receipt
	writing  bool // the batch before it is being written
	closing  bool
	stopped  chan struct{}
}

// batch is what one transaction writes.
type batch struct {
	changes  map[string]change // by bucket and key
	bytes    int
	receipts []*receipt
}

// change is a value to put, or nil to delete it.
type change struct {
	bucket, key []byte
	value       any
	deleted     bool            // what the file has was to be deleted or changed before
	done        func(lost bool) // called on the store's goroutine; may be nil
}

// receipt tracks the changes of one packet of a client.
type receipt struct {
	client  string
	open    int    // its batches that are not on disk, plus 1 while the packet is handled
	last    *batch // the last batch it is in
	patient bool   // waits until the disk can be written again
	gathers bool   // from OnPublish to OnPublished of a message of QoS 2
	whole   []change
	lost    bool
	settle  func(lost, later bool)
}

// maxUnwritten is how many bytes may wait to be written; adding more waits for room.
const maxUnwritten = 16 << 20

// The buckets, with their keys and values. Neither client identifiers nor topics
// hold NUL [MQTT-1.5.4-2].
var (
	retained      = []byte("retained")      // topic: message
	clients       = []byte("clients")       // client: record
	subscriptions = []byte("subscriptions") // client NUL filter: packets.Subscription
	messages      = []byte("messages")      // client NUL identifier: message, or released
	unreleased    = []byte("unreleased")    // client NUL identifier: received
)

func subscriptionKey(client, filter string) []byte { return []byte(client + "\x00" + filter) }

func messageKey(client string, id uint16) []byte {
	return binary.BigEndian.AppendUint16([]byte(client+"\x00"), id)
}

// openStore opens the file in a directory, creating it if there is none, and restores p
// from it.
func openStore(dir string, p *policy) (*store, error) {
	db, err := open(dir)
	if err != nil {
		return nil, err
	}
	s := &store{
		log: p.log, db: db,
		next: newBatch(), receipts: make(map[string]*receipt), stopped: make(chan struct{}),
	}
	s.changed.L = &s.mu
	if err := db.View(func(tx *bbolt.Tx) error { return p.restore(tx, s) }); err != nil {
		return nil, errors.Join(damaged(db.Path(), err), db.Close())
	}
	go s.run()
	return s, nil
}

// close writes what is left.
func (s *store) close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	s.closing = true
	s.changed.Broadcast()
	s.mu.Unlock()
	<-s.stopped
	return s.db.Close()
}

func newBatch() *batch { return &batch{changes: make(map[string]change)} }

// begin opens the receipt for a packet of the client. A client has one packet handled
// at a time.
func (s *store) begin(client string, patient bool) *receipt {
	if s == nil {
		return nil
	}
	r := &receipt{client: client, open: 1, patient: patient}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receipts[client] = r
	return r
}

// end has settle called when all changes of the packet are on disk, or could not be
// written (lost): at once if there are none, otherwise later, on the store's goroutine.
func (s *store) end(r *receipt, settle func(lost, later bool)) {
	if s == nil {
		settle(false, false)
		return
	}
	s.mu.Lock()
	if s.receipts[r.client] == r { // and not a receipt of the connection that has taken over
		delete(s.receipts, r.client)
	}
	r.settle = settle
	r.open--
	waits := r.open > 0
	s.mu.Unlock()
	if !waits {
		settle(r.lost, false)
	}
}

// await is end that blocks. It reports whether the changes are on disk.
func (s *store) await(r *receipt) bool {
	settled := make(chan bool, 1)
	s.end(r, func(lost, _ bool) { settled <- lost })
	return !<-settled
}

// put adds changes to the batch, on the receipt of a client's packet.
func (s *store) put(client string, changes ...change) {
	if s == nil || len(changes) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.next.bytes > maxUnwritten && !s.closing {
		s.changed.Wait()
	}
	for _, c := range changes {
		s.next.add(c)
	}
	s.join(s.receipts[client])
}

// gather keeps a change of a packet of QoS 2 that are to be written together, or reports false.
func (s *store) gather(client string, c change) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.receipts[client]
	if r == nil || !r.gathers {
		return false
	}
	r.whole = append(r.whole, c)
	return true
}

// setGathers begins or ends that, and returns what there is.
func (s *store) setGathers(r *receipt, is bool) (whole []change) {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.gathers, whole, r.whole = is, r.whole, nil
	return whole
}

// join puts a receipt, if there is one, into the batch. The caller holds mu.
func (s *store) join(r *receipt) {
	if r != nil && r.last != s.next {
		r.last = s.next
		r.open++
		s.next.receipts = append(s.next.receipts, r)
	}
	s.changed.Broadcast()
}

// flush waits for what has been put so far.
func (s *store) flush(client string) {
	r := s.begin(client, false)
	s.mu.Lock()
	if s.writing || len(s.next.changes) > 0 {
		s.join(r)
	}
	s.mu.Unlock()
	s.await(r)
}

func (s *store) ready() bool { return s == nil || !s.failing.Load() }

// add replaces what was put under the same key before.
func (b *batch) add(c change) {
	key := string(c.bucket) + string(c.key)
	old, ok := b.changes[key]
	c.deleted = ok && (old.deleted || old.happened())
	b.bytes += c.size() - old.size()
	b.changes[key] = c
}

// happened reports whether a change that can't be written now is written later.
func (c change) happened() bool {
	switch c.value.(type) {
	case nil, released, record:
		return true
	}
	return false
}

func (c change) size() int {
	if m, ok := c.value.(message); ok {
		return len(c.key) + m.size
	}
	return len(c.key)
}

// run writes one batch after the other until close.
func (s *store) run() {
	defer close(s.stopped)
	for {
		s.mu.Lock()
		for len(s.next.changes)+len(s.next.receipts) == 0 && !s.closing {
			s.changed.Wait()
		}
		b, closing := s.next, s.closing
		s.next, s.writing = newBatch(), true
		s.changed.Broadcast()
		s.mu.Unlock()
		if closing && len(b.changes)+len(b.receipts) == 0 {
			return
		}
		lost := !s.write(b)
		s.settle(b, lost)
		if lost && closing {
			return
		}
		if lost {
			time.Sleep(10 * time.Millisecond) // a full disk is not tried without a pause
		}
	}
}

var errUnchanged = errors.New("nothing to write")

// write reports whether the batch is on disk. A failure, such as a full disk, is logged
// once until it is over.
func (s *store) write(b *batch) bool {
	err := s.db.Update(func(tx *bbolt.Tx) (err error) {
		unchanged := errUnchanged // then nothing is written
		for _, c := range b.changes {
			value := encode(c.value)
			switch bucket := tx.Bucket(c.bucket); {
			case bytes.Equal(value, bucket.Get(c.key)):
				continue
			case value == nil:
				err = bucket.Delete(c.key)
			default:
				err = bucket.Put(c.key, value)
			}
			unchanged = nil
			if err != nil {
				return err
			}
		}
		return unchanged
	})
	switch {
	case errors.Is(err, errUnchanged):
		return true
	case err != nil && !s.failing.Swap(true):
		s.log.Error("the broker's state could not be written: messages that must be stored are refused until it can be", "error", err)
	case err == nil && s.failing.Swap(false):
		s.log.Warn("the broker's state can be written again")
	}
	return err == nil
}

// settle tells those who wait for the batch.
func (s *store) settle(b *batch, lost bool) {
	for _, c := range b.changes {
		if c.done != nil {
			c.done(lost)
		}
	}
	var settled []*receipt
	s.mu.Lock()
	s.writing = false
	if lost {
		for key, c := range b.changes {
			if !c.happened() {
				if !c.deleted {
					continue
				}
				c = change{bucket: c.bucket, key: c.key}
			}
			if newer, ok := s.next.changes[key]; ok {
				newer.deleted = true
				c = newer
			}
			s.next.changes[key] = c
		}
	}
	for _, r := range b.receipts {
		if lost && r.patient && !s.closing {
			s.next.receipts = append(s.next.receipts, r)
			continue
		}
		r.lost = r.lost || lost
		if r.open--; r.open == 0 {
			settled = append(settled, r)
		}
	}
	s.mu.Unlock()
	for _, r := range settled {
		r.settle(r.lost, true)
	}
}
