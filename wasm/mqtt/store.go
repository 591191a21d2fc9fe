package mqtt

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"
)

// Store keeps a session beyond the end of the program (4.1): keys and values,
// in the order of the keys. One client uses it at a time.
type Store interface {
	// Load returns all records in the order of their keys.
	Load(ctx context.Context) ([]Record, error)
	// Apply makes changes, all or nothing, and returns at once; a nil Value
	// deletes. Calls take effect in their order. done is called in that order
	// too, after Apply returned and from any goroutine, when the changes will
	// survive the program.
	Apply(changes []Record, done func(error))
	Close() error
}

// Record is one entry of a [Store].
type Record struct {
	Key   string
	Value []byte
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
			o.seq, o.unkept = 0, err
			s.queue.remove(o)
			s.mu.Unlock()
			o.finish(PublishResult{}, err)
		} else if o.onStored {
			o.finish(PublishResult{}, nil)
		}
	})
}

// unkeep deletes a message from the store, if it is there.
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

// markSent writes that messages are about to be sent, with their identifiers,
// and waits until that is durable: or the next program would take them for new
// ones, and send them a second time.
func (s *session) markSent(list []*outgoing) {
	var changes []Record
	for _, o := range list {
		if o.seq > 0 && o.qos() > 0 {
			changes = append(changes, Record{keptKey(keptSent, o.seq), binary.BigEndian.AppendUint16(nil, o.id)})
		}
	}
	if len(changes) > 0 {
		durable := make(chan struct{})
		s.apply(changes, func() { close(durable) })
		<-durable
	}
}

// restore takes up what an earlier program left. A record that can't be read is
// deleted, and onFailure told.
func (s *session) restore(records []Record) {
	sent, released := map[uint64]uint16{}, map[uint64]bool{}
	var messages []*outgoing
	var broken []Record
	for _, r := range records {
		number, err := strconv.ParseUint(r.Key[min(1, len(r.Key)):], 16, 64)
		switch {
		case err != nil:
			broken = append(broken, Record{Key: r.Key})
		case r.Key[0] == keptSent && len(r.Value) == 2:
			sent[number] = binary.BigEndian.Uint16(r.Value)
		case r.Key[0] == keptReleased:
			released[number] = true
		case r.Key[0] == keptIncoming && number > 0 && number <= 65535:
			s.in[uint16(number)] = &incoming{qos: 2, taken: true, kept: true}
		case r.Key[0] == keptMessage:
			if o := parseKept(r.Value); o != nil {
				o.seq = number
				messages = append(messages, o)
				continue
			}
			broken = append(broken, Record{Key: r.Key})
		default:
			broken = append(broken, Record{Key: r.Key})
		}
	}
	for _, o := range messages {
		s.lastSeq = max(s.lastSeq, o.seq)
		id, wasSent := sent[o.seq]
		if wasSent && id > 0 && s.out[id] == nil && o.qos() > 0 {
			o.setID(id)
			o.attempted.Store(true)
			o.released = released[o.seq] && o.qos() == 2
			s.out[id] = o
			s.sent = append(s.sent, o)
			continue
		}
		s.queue.list.PushBack(o)
		o.place = s.queue.list.Back()
		s.queue.bytes += len(o.frame)
		s.expire(o)
	}
	if len(broken) > 0 {
		s.apply(broken, func() {})
		s.onFailure(newError(Storage, "session: %d records in the durable store could not be read, and were deleted", len(broken)))
	}
}

// parseKept reads the value of a message's record; nil if it is not one. The
// store's bytes are as foreign as the network's.
func parseKept(value []byte) *outgoing {
	if len(value) < keptHead+2 || value[0] != keptVersion {
		return nil
	}
	o := &outgoing{
		since:  time.UnixMilli(int64(binary.BigEndian.Uint64(value[1:]))),
		idAt:   int(binary.BigEndian.Uint32(value[9:])),
		frame:  append([]byte(nil), value[keptHead:]...),
		settle: func(PublishResult, error) {}, // whoever waited is gone
	}
	length, size, ok, bad := parseVarint(o.frame[1:])
	if bad != nil || !ok || 1+size+length != len(o.frame) || o.frame[0]>>4 != publish {
		return nil
	}
	r := reader{rest: o.frame[1+size:]}
	topic := r.string()
	if r.err != nil || len(topic) == 0 || o.qos() > 2 || o.idAt != len(o.frame)-len(r.rest) {
		return nil
	}
	if o.qos() > 0 {
		if len(r.rest) < 2 {
			return nil
		}
		o.setID(1) // any valid one, for the check; it gets its own when it is sent
	}
	p, err := parsePublish(o.frame[0], o.frame[1+size:])
	if err != nil {
		return nil
	}
	o.alias = p.alias
	o.findExpiry()
	return o
}

func storageError(what string, err error) *Error {
	e := networkError(err, what)
	if e.Code == Network {
		e = &Error{Code: Storage, Message: what + ": the durable store failed: " + err.Error(), Err: err}
	}
	return e
}
