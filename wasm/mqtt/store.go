package mqtt

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Store keeps a session beyond the end of the program (4.1): keys and values,
// in the order of the keys. One client uses it at a time, and any of its errors
// that is no [*Error] becomes one with Storage.
type Store interface {
	// Load returns all records in the order of their keys. It is called first,
	// once, and may block until ctx is done. An error fails Connect.
	Load(ctx context.Context) ([]Record, error)
	// Apply makes changes, all or nothing, and returns at once; a nil Value
	// deletes. Calls take effect in their order. done is called in that order
	// too, after Apply returned and from any goroutine, when the changes will
	// survive the program, or with the error for which they don't. The slices
	// may be kept.
	Apply(changes []Record, done func(error))
	// Close is called once, at the end of the client, also where Connect fails.
	// It may wait until all changes are done.
	Close() error
}

// Record is one entry of a [Store].
type Record struct {
	Key   string // lower-case letters and digits
	Value []byte // what it means is the client's business
}

// The records of a session. A message is written once, whole; what becomes of
// it is written beside it.
//
//	o<seq>  an outgoing message: version, when it was queued, where its packet
//	        identifier stands, its PUBLISH packet
//	s<seq>  its packet identifier, written before it is first sent
//	r<seq>  PUBREC came for it
//	i<id>   a QoS 2 message of the broker that was taken and not released
//
// Where seq is its number, 16 hexadecimal digits, and id 4 of them.
const (
	keptMessage  = 'o'
	keptSent     = 's'
	keptReleased = 'r'
	keptIncoming = 'i'

	keptVersion = 1
	keptHead    = 1 + 8 + 4 // version, time, offset
)

func keptKey(kind byte, number uint64) string {
	if kind == keptIncoming {
		return fmt.Sprintf("%c%04x", kind, number)
	}
	return fmt.Sprintf("%c%016x", kind, number)
}

// keep writes a message to the store. The caller holds mu.
func (s *session) keep(o *outgoing) {
	s.lastSeq++
	o.seq = s.lastSeq
	if o.since.IsZero() {
		o.since = time.Now()
	}
	value := append(make([]byte, 0, keptHead+len(o.frame)), keptVersion)
	value = binary.BigEndian.AppendUint64(value, uint64(o.since.UnixMilli()))
	value = binary.BigEndian.AppendUint32(value, uint32(o.idAt))
	value = append(value, o.frame...)
	s.store.Apply([]Record{{keptKey(keptMessage, o.seq), value}}, func(err error) {
		if err != nil {
			err = storageError("publish", err)
			s.mu.Lock()
			o.unkept = err
			s.queue.remove(o)
			s.changed.Broadcast()
			s.mu.Unlock()
			o.finish(PublishResult{}, err)
		} else if o.onStored {
			s.mu.Lock()
			o.stored = true
			s.mu.Unlock()
			o.finish(PublishResult{}, nil)
		}
	})
}

// unkeep deletes messages from the store, those that are there. The caller holds
// mu.
func (s *session) unkeep(list ...*outgoing) {
	var changes []Record
	for _, o := range list {
		if o.seq > 0 {
			for _, kind := range []byte{keptMessage, keptSent, keptReleased} {
				changes = append(changes, Record{Key: keptKey(kind, o.seq)})
			}
		}
	}
	s.apply(changes, func() {})
}

// unmark writes that a message was not sent after all. The caller holds mu.
func (s *session) unmark(o *outgoing) {
	if o.seq > 0 {
		s.apply([]Record{{Key: keptKey(keptSent, o.seq)}, {Key: keptKey(keptReleased, o.seq)}}, func() {})
	}
}

// apply makes changes and calls then when they are durable, also when that
// failed, which onFailure is told. Without changes or a store it calls at once.
// The caller holds mu, for the order.
func (s *session) apply(changes []Record, then func()) {
	if s.store == nil || len(changes) == 0 {
		then()
		return
	}
	s.store.Apply(changes, func(err error) {
		if err != nil {
			s.onFailure(storageError("session", err))
		}
		then()
	})
}

// restore takes up what an earlier program left. Records that can't be read, or
// belong to no message, are deleted, and onFailure told.
func (s *session) restore(records []Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	messages, beside := map[uint64]*outgoing{}, map[string]Record{}
	var order []*outgoing
	var broken []Record
	for _, r := range records {
		kind, number, ok := parseKey(r.Key)
		switch {
		case ok && kind == keptIncoming:
			s.in[uint16(number)] = &incoming{id: uint16(number), qos: 2, taken: true, kept: true}
			continue
		case ok && kind == keptMessage:
			if o := parseKept(r.Value); o != nil {
				o.seq, o.late = number, s.failedLate
				messages[number] = o
				order = append(order, o)
				continue
			}
		case ok && kind == keptReleased, ok && kind == keptSent && len(r.Value) == 2:
			beside[r.Key] = r
			continue
		}
		broken = append(broken, Record{Key: r.Key})
	}
	for key := range beside {
		if _, number, _ := parseKey(key); messages[number] == nil {
			broken = append(broken, Record{Key: key})
		}
	}
	for _, o := range order {
		s.lastSeq = max(s.lastSeq, o.seq)
		var id uint16
		if r, ok := beside[keptKey(keptSent, o.seq)]; ok {
			id = binary.BigEndian.Uint16(r.Value)
		}
		if id > 0 && s.out[id] == nil && o.qos() > 0 {
			o.setID(id)
			o.attempted.Store(true)
			_, released := beside[keptKey(keptReleased, o.seq)]
			o.released = released && o.qos() == 2
			s.out[id] = o
			s.sent = append(s.sent, o)
			continue
		}
		s.queue.append(o)
		s.expire(o)
	}
	if len(broken) > 0 {
		s.apply(broken, func() {})
		s.onFailure(newError(Storage, "session: %d records in the durable store could not be read, and were deleted", len(broken)))
	}
}

// failedLate tells of a message whose publish was settled when it was stored. At
// the end of the client it stays in the store, and has not failed.
func (s *session) failedLate(err error) {
	var e *Error
	if !errors.As(err, &e) || e.Code != NotConnected {
		s.onFailure(err)
	}
}

// parseKey reads what keptKey wrote. Any other form is refused: it could not be
// deleted later.
func parseKey(key string) (kind byte, number uint64, ok bool) {
	if key == "" {
		return 0, 0, false
	}
	number, err := strconv.ParseUint(key[1:], 16, 63)
	if err != nil || number == 0 || key != keptKey(key[0], number) {
		return 0, 0, false
	}
	switch key[0] {
	case keptMessage, keptSent, keptReleased:
		return key[0], number, true
	case keptIncoming:
		return key[0], number, number <= 65535
	}
	return 0, 0, false
}

// parseKept reads the value of a message's record; nil if it is not one. The
// store's bytes are as foreign as the network's.
func parseKept(value []byte) *outgoing {
	if len(value) < keptHead+2 || value[0] != keptVersion {
		return nil
	}
	o := &outgoing{
		since: time.UnixMilli(int64(binary.BigEndian.Uint64(value[1:]))),
		idAt:  int(binary.BigEndian.Uint32(value[9:])),
		frame: append([]byte(nil), value[keptHead:]...),
		again: true, stored: true,
	}
	o.once.Do(func() {}) // whoever waited is gone
	length, size, ok, bad := parseVarint(o.frame[1:])
	if bad != nil || !ok || 1+size+length != len(o.frame) || o.frame[0]>>4 != publish {
		return nil
	}
	r := reader{rest: o.frame[1+size:]}
	topic := r.string()
	if r.err != nil || len(topic) == 0 || o.frame[0]&8 != 0 || o.idAt != len(o.frame)-len(r.rest) {
		return nil
	}
	if o.qos() > 0 {
		if len(r.rest) < 2 {
			return nil
		}
		o.setID(1) // any valid one, for the check; it gets its own when it is sent
	}
	p, err := parsePublish(o.frame[0], o.frame[1+size:])
	if err != nil || decodeProperties(p.properties).SubscriptionIdentifiers != nil { // [MQTT-3.3.4-6]
		return nil
	}
	if p.alias > 0 { // means nothing on another connection
		o.frame = joinPublish(o.frame[0], topic, o.frame[o.idAt:o.idAt+o.idSize()], p.properties, p.payload)
		o.idAt = len(o.frame) - len(p.payload) - len(p.properties) - varintSize(len(p.properties)) - o.idSize()
	}
	o.findExpiry()
	return o
}

// storageError keeps a typed error, such as InUse, and wraps any other.
func storageError(what string, err error) *Error {
	var typed *Error
	if errors.As(err, &typed) {
		return typed
	}
	return &Error{Code: Storage, Message: what + ": the durable store failed: " + err.Error(), Err: err}
}
