package session

import (
	"container/heap"
	"fmt"
	"slices"
	"time"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// maxAcks bounds what a broker that sends and never reads can make us hold.
const maxAcks = 1 << 20 // bytes

// Publish queues a message; messages are sent in the order of the calls (4.6). An error
// says that it was not queued; its owner is not called then.
func (s *Session) Publish(m *Message) error {
	if s.ended || !s.online && !s.mayWait(m) {
		return wire.NoConnection()
	}
	if err := s.limits.publish(m); err != nil {
		return err
	}
	if err := s.makeRoom(m); err != nil {
		return err
	}
	// A QoS 0 message that is sent at once needs no record.
	journaled := s.config.Journal && (m.qos() > 0 || !s.online)
	if m.expiryAt > 0 || journaled {
		m.since = s.config.Now()
	}
	s.enqueue(m, s.queue.last)
	if journaled {
		s.keep(m)
	}
	s.ready.Send = s.ready.Send || s.sendable()
	return nil
}

// mayWait reports whether a message may wait for a connection.
func (s *Session) mayWait(m *Message) bool {
	q := &s.config.Queue
	return m.again || m.OnStored && m.qos() > 0 || q.Offline && (m.qos() > 0 || q.OfflineQoS0) || s.early()
}

// early reports whether calls wait for the first connection.
func (s *Session) early() bool { return s.config.Early && s.connection == 0 }

// makeRoom makes room for a message in the queue, or fails.
func (s *Session) makeRoom(m *Message) error {
	q, size := &s.config.Queue, len(m.frame)
	if size > q.Bytes {
		return wire.NewError(wire.QueueFull, "publish: the message takes %d bytes, and the queue holds at most %d (offlineQueue.bytes, in Go Queue.Bytes); raise that, or publish a smaller message", size, q.Bytes)
	}
	for s.queue.n >= q.Messages || s.queue.bytes+size > q.Bytes {
		full := fmt.Sprintf("%d messages with %d bytes wait to be sent; the queue holds at most %d with %d", s.queue.n, s.queue.bytes, q.Messages, q.Bytes)
		switch {
		case q.DropNewest:
			return wire.NewError(wire.Dropped, "publish: %s; the newest message was dropped", full)
		case !q.DropOldest || s.queue.n == 0:
			return wire.NewError(wire.QueueFull, "publish: %s; publish again when some have been sent", full)
		}
		s.drop(s.queue.first, wire.NewError(wire.Dropped, "publish: %s; the oldest message was dropped", full))
	}
	return nil
}

// enqueue puts a message into the queue, behind another; nil: at the front.
func (s *Session) enqueue(m, after *Message) {
	s.queue.insert(m, after)
	if m.expiryAt > 0 {
		heap.Push(&s.expiring, m)
	}
}

func (s *Session) dequeue(m *Message) {
	s.queue.remove(m)
	if m.heapAt > 0 {
		heap.Remove(&s.expiring, m.heapAt-1)
	}
}

// GiveUp says that the owner waits no longer: a message that was not sent yet is
// withdrawn. One whose owner only waited for the store is still sent.
func (s *Session) GiveUp(m *Message, err error) {
	if m.stored {
		return
	}
	if m.list != nil && !m.attempted {
		s.withdraw(m)
	}
	s.settle(m, Result{}, err)
}

// withdraw removes a message that was not sent.
func (s *Session) withdraw(m *Message) {
	s.remove(m)
	s.ready.Send = true // the next one may have waited for what this one needed
}

// remove removes a message from its list and from the journal.
func (s *Session) remove(m *Message) {
	if m.list == &s.flight {
		s.leaveFlight(m)
	} else {
		s.dequeue(m)
	}
	if m.seq > 0 {
		s.write([]Record{
			{Key: journalKey(keptMessage, m.seq)}, {Key: journalKey(keptSent, m.seq)}, {Key: journalKey(keptReleased, m.seq)},
		}, func() {})
	}
}

// drop removes a message and settles it with an error.
func (s *Session) drop(m *Message, err error) {
	s.remove(m)
	s.settle(m, Result{}, err)
}

// putBack moves messages, which are in order, from flight to the front of the queue,
// regardless of its limits. The journal forgets at once that they had identifiers: a
// program that found only some of them would send those first.
func (s *Session) putBack(messages []*Message) {
	var marks []Record
	for _, m := range slices.Backward(messages) {
		s.leaveFlight(m)
		m.restart()
		marks = append(marks, m.unmark()...)
		s.enqueue(m, nil)
	}
	s.write(marks, func() {})
}

// dropUnheld fails the messages that may not wait for the next connection. What was
// never written is back in the queue by then.
func (s *Session) dropUnheld() {
	var back []*Message
	for m := s.flight.first; m != nil; m = m.next {
		if !m.attempted {
			back = append(back, m)
		}
	}
	s.putBack(back)
	for m, next := s.queue.first, (*Message)(nil); m != nil; m = next {
		if next = m.next; !s.mayWait(m) {
			s.drop(m, wire.NoConnection())
		}
	}
}

// Expire drops queued messages that waited longer than their Message Expiry Interval
// (3.3.2.3.3).
func (s *Session) Expire() {
	now := s.config.Now()
	for len(s.expiring) > 0 && !s.expiring[0].deadline().After(now) {
		s.drop(s.expiring[0], expired())
	}
}

// Deadline is when Expire is to be called next; false: nothing expires.
func (s *Session) Deadline() (time.Time, bool) {
	if len(s.expiring) == 0 {
		return time.Time{}, false
	}
	return s.expiring[0].deadline(), true
}

func expired() error {
	return wire.NewError(wire.Expired, "publish: the Message Expiry Interval passed before the message could be sent")
}

// Ack takes a PUBACK, PUBREC, PUBREL or PUBCOMP. Its error ends the connection.
func (s *Session) Ack(a wire.Ack) error {
	if len(s.acks) > maxAcks {
		return wire.NewError(wire.Network, "the broker keeps sending packets that need a reply, and does not read the replies")
	}
	if a.Kind == wire.TypePubrel {
		s.pubrel(a.ID)
		return nil
	}
	m := s.out[a.ID]
	if m != nil && m.clearing && a.Kind == wire.TypePubcomp {
		m.clearing = false
		m.waits--
		s.cleared[m.id] = true
		s.ready.Send = true
		return nil
	}
	if m == nil || !m.attempted {
		if a.Kind == wire.TypePubrec { // 3.6.2.1
			s.ack(wire.TypePubrel, a.ID, wire.ReasonIDNotFound)
		}
		return nil
	}
	if wrong := (a.Kind == wire.TypePuback) == (m.qos() == 2); wrong {
		return wire.Violation(wire.ReasonProtocolError, "%s for a QoS %d message", wire.TypeName(a.Kind), m.qos())
	}
	switch {
	case a.Kind == wire.TypePubrec && a.Reason < wire.ReasonUnspecified:
		s.release(m)
	case a.Kind == wire.TypePubcomp && !m.released:
		return wire.Violation(wire.ReasonProtocolError, "PUBCOMP before PUBREC")
	default: // an error in PUBREC ends the exchange too (4.3.3)
		s.complete(m, a)
	}
	return nil
}

// ack queues an acknowledgement.
func (s *Session) ack(kind byte, id uint16, reason byte) {
	s.acks = wire.AppendAck(s.acks, kind, id, reason)
	s.ready.Send = true
}

// release sends PUBREL after PUBREC, once PUBREC is in the journal: otherwise the next
// program would send the message again, and the broker, which forgets the identifier
// with PUBREL, would take it for a new one.
func (s *Session) release(m *Message) {
	s.count(m)
	if m.seq == 0 || m.released {
		m.released = true
		s.ack(wire.TypePubrel, m.id, 0)
		return
	}
	id, connection := m.id, s.connection
	s.write([]Record{{journalKey(keptReleased, m.seq), []byte{}}}, func() {
		if s.out[id] != m || connection != s.connection {
			return // the broker's next PUBREC is answered
		}
		m.released = true
		if s.online {
			s.ack(wire.TypePubrel, id, 0)
		}
	})
}

// complete ends the exchange of a message.
func (s *Session) complete(m *Message, a wire.Ack) {
	s.remove(m)
	result := Result{Reason: a.Reason}
	if a.Kind == wire.TypePubcomp {
		result.Reason = 0
	}
	if len(a.Properties) > 0 {
		p := wire.UnpackProperties(a.Properties, a.Kind)
		result.ReasonString, result.User = p.ReasonString, p.User
	}
	var err error
	if result.Reason >= wire.ReasonUnspecified {
		err = wire.RefusedError("publish", result.Reason, result.ReasonString)
	}
	s.settle(m, result, err)
}
