package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// Record is one entry of the journal; a nil Value deletes it.
type Record struct {
	Key   string
	Value []byte
}

// Write is a change of the journal, all or nothing.
type Write struct{ Records []Record }

// The records of a session. A message is written once, whole; its progress is written
// to records of its own.
//
//	o<seq>  an outgoing message: version, when it was queued, where its packet
//	        identifier stands, its PUBLISH packet
//	s<seq>  its packet identifier, written before it is first sent; at QoS 0, where it
//	        has none, the message is deleted then
//	r<seq>  PUBREC came for it
//	i<id>   a QoS 2 message of the broker that was taken and not released
//	h<id>   the broker may hold this identifier for a message that was given up
//
// Where seq is its number, 16 hexadecimal digits, and id 4 of them.
const (
	keptMessage  = 'o'
	keptSent     = 's'
	keptReleased = 'r'
	keptIncoming = 'i'
	keptHeld     = 'h'

	keptVersion = 1
	keptHead    = 1 + 8 + 4 // version, time, offset
)

func journalKey(kind byte, number uint64) string {
	if kind == keptIncoming || kind == keptHeld {
		return fmt.Sprintf("%c%04x", kind, number)
	}
	return fmt.Sprintf("%c%016x", kind, number)
}

// write requests a change of the journal, and calls then when it is durable or has
// failed; a failure is reported. Without records or a journal it calls then at once.
func (s *Session) write(records []Record, then func()) {
	if !s.config.Journal || len(records) == 0 {
		then()
		return
	}
	s.enter(records, func(err error) {
		if err != nil {
			s.fail(StorageError("session", err))
		}
		then()
	})
}

func (s *Session) enter(records []Record, then func(error)) {
	s.ready.Writes = append(s.ready.Writes, Write{records})
	s.unfinished = append(s.unfinished, then)
}

// keep writes a message to the journal. It is sent only after that has succeeded.
func (s *Session) keep(m *Message) {
	s.lastSeq++
	m.seq = s.lastSeq
	m.waits++
	s.enter([]Record{m.record()}, func(err error) {
		m.waits--
		s.ready.Send = true
		switch {
		case err != nil:
			if m.list != nil {
				s.withdraw(m)
			}
			s.settle(m, Result{}, StorageError("publish", err))
		case m.OnStored:
			s.settle(m, Result{}, nil)
			m.stored = true
		}
	})
}

// record is the record of the message itself.
func (m *Message) record() Record {
	value := append(make([]byte, 0, keptHead+len(m.frame)), keptVersion)
	value = binary.BigEndian.AppendUint64(value, uint64(m.since.UnixMilli()))
	value = binary.BigEndian.AppendUint32(value, uint32(m.idAt))
	return Record{journalKey(keptMessage, m.seq), append(value, m.frame...)}
}

// mark is what the journal must hold before the message is first sent: its packet
// identifier, since otherwise the next program would take it for unsent and send it
// again as new. At QoS 0 the message is deleted, for it must not be sent twice.
func (m *Message) mark() Record {
	if m.qos() == 0 {
		return Record{Key: journalKey(keptMessage, m.seq)}
	}
	return Record{journalKey(keptSent, m.seq), binary.BigEndian.AppendUint16(nil, m.id)}
}

// unmark undoes mark, for a message that was not sent after all.
func (m *Message) unmark() []Record {
	switch {
	case m.seq == 0:
		return nil
	case m.qos() == 0:
		return []Record{m.record()}
	}
	return []Record{{Key: journalKey(keptSent, m.seq)}, {Key: journalKey(keptReleased, m.seq)}}
}

// Restore loads what an earlier program left, in the order of the keys, before anything
// else. Records that can't be read, or belong to no message, are deleted and reported.
func (s *Session) Restore(records []Record) {
	beside := map[string][]byte{}
	var messages []*Message
	var broken []Record
	for _, r := range records {
		kind, number, ok := parseKey(r.Key)
		switch {
		case ok && kind == keptIncoming:
			// Doubtful: the broker may have begun another session since.
			s.in[uint16(number)] = &incoming{id: uint16(number), qos: 2, taken: true, journaled: true, doubtful: true}
			continue
		case ok && kind == keptHeld:
			s.held[uint16(number)] = true
			continue
		case ok && kind == keptMessage:
			if m := parseMessage(r.Value); m != nil {
				m.seq = number
				messages = append(messages, m)
				continue
			}
		case ok:
			beside[r.Key] = r.Value
			continue
		}
		broken = append(broken, Record{Key: r.Key})
	}
	for _, m := range messages {
		s.lastSeq = max(s.lastSeq, m.seq)
		sent, released := journalKey(keptSent, m.seq), journalKey(keptReleased, m.seq)
		var id uint16
		if len(beside[sent]) == 2 {
			id = binary.BigEndian.Uint16(beside[sent])
		}
		if id == 0 || s.out[id] != nil || m.qos() == 0 {
			s.enqueue(m, s.queue.last)
			continue
		}
		m.setID(id)
		m.attempted = true
		delete(beside, sent)
		if _, ok := beside[released]; ok && m.qos() == 2 {
			m.released = true
			delete(beside, released)
		}
		s.out[id] = m
		s.flight.insert(m, s.flight.last)
	}
	for _, key := range slices.Sorted(maps.Keys(beside)) {
		broken = append(broken, Record{Key: key})
	}
	s.restored = len(messages)+len(s.in)+len(s.held) > 0
	if len(broken) > 0 {
		s.write(broken, func() {})
		s.fail(wire.NewError(wire.Storage, "session: %d records in the durable store could not be read, and were deleted", len(broken)))
	}
}

// parseKey reads what journalKey wrote. Any other form is refused, since it could not
// be deleted later.
func parseKey(key string) (kind byte, number uint64, ok bool) {
	if key == "" {
		return 0, 0, false
	}
	number, err := strconv.ParseUint(key[1:], 16, 63)
	if err != nil || number == 0 || key != journalKey(key[0], number) {
		return 0, 0, false
	}
	switch key[0] {
	case keptMessage, keptSent, keptReleased:
		return key[0], number, true
	case keptIncoming, keptHeld:
		return key[0], number, number <= 65535
	}
	return 0, 0, false
}

// parseMessage reads the value of a message's record; nil if it is not one. The store's
// bytes are no more trusted than the network's.
func parseMessage(value []byte) *Message {
	if len(value) < keptHead+2 || value[0] != keptVersion {
		return nil
	}
	frame := append([]byte(nil), value[keptHead:]...)
	m := &Message{
		since: time.UnixMilli(int64(binary.BigEndian.Uint64(value[1:]))),
		frame: frame, idAt: int(binary.BigEndian.Uint32(value[9:])),
		again: true, stored: true, settled: true, // its caller is gone
	}
	length, size, ok, bad := wire.Varint(frame[1:])
	if bad != nil || !ok || 1+size+length != len(frame) || frame[0]>>4 != wire.TypePublish {
		return nil
	}
	r := wire.Reader{Rest: frame[1+size:]}
	topic := r.String()
	if r.Err != nil || len(topic) == 0 || frame[0]&8 != 0 || m.idAt != len(frame)-len(r.Rest) {
		return nil
	}
	if m.qos() > 0 {
		if len(r.Rest) < 2 {
			return nil
		}
		m.setID(1) // any valid one, for the check; it gets its own when it is sent
	}
	var p wire.Publish
	err := wire.ParsePublish(frame[0], frame[1+size:], &p)
	_, identified := wire.FindProperty(p.Properties, packets.PropSubscriptionIdentifier)
	if err != nil || identified { // [MQTT-3.3.4-6]
		return nil
	}
	if p.Alias > 0 { // means nothing on another connection
		m.frame = wire.JoinPublish(frame[0], topic, frame[m.idAt:m.idAt+m.idSize()], p.Properties, p.Payload)
		m.idAt = len(m.frame) - len(p.Payload) - len(p.Properties) - wire.VarintSize(len(p.Properties)) - m.idSize()
	}
	m.findExpiry()
	return m
}

// StorageError keeps a typed error, and wraps any other.
func StorageError(what string, err error) error {
	if typed, ok := errors.AsType[*wire.Error](err); ok {
		return typed
	}
	return &wire.Error{Code: wire.Storage, Message: what + ": the durable store failed: " + err.Error(), Err: err}
}
