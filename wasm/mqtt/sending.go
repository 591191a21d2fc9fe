package mqtt

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"
)

// enqueue takes a message to be sent. An error says that it was not taken.
func (s *session) enqueue(o *outgoing) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.conn == nil && !s.held(o) {
		return newError(NotConnected, "there is no connection to the broker")
	}
	if err := s.limits.admits(o); err != nil {
		return err
	}
	gaveWay, err := s.queue.put(o)
	for _, old := range gaveWay {
		s.unkeep(old)
		old.finish(PublishResult{}, newError(Dropped, "publish: %s; the oldest message gave way", s.queue.full()))
	}
	if err != nil {
		return err
	}
	s.expire(o)
	// What is sent at once at QoS 0 is not worth a record.
	if s.store != nil && (o.qos() > 0 || s.conn == nil) {
		s.keep(o)
	}
	s.changed.Broadcast()
	return nil
}

// held tells whether a message may wait for a connection.
func (s *session) held(o *outgoing) bool {
	return o.again || o.onStored && o.qos() > 0 ||
		s.queue.limit.Offline && (o.qos() > 0 || !s.queue.limit.OfflineNoQoS0)
}

// expire gives a message up when its Message Expiry Interval has passed and it
// still waits in the queue (3.3.2.3.3). The caller holds mu.
func (s *session) expire(o *outgoing) {
	if o.expiryAt > 0 && o.place != nil {
		o.timer = time.AfterFunc(o.remaining(), func() { s.withdraw(o, expired()) })
	}
}

func expired() error {
	return newError(Expired, "publish: the Message Expiry Interval passed before the message could be sent")
}

// giveUp is for a caller that waits no longer. A message that the store took for
// its caller is sent nevertheless.
func (s *session) giveUp(o *outgoing, err error) {
	s.mu.Lock()
	stored := o.stored
	s.mu.Unlock()
	if !stored && !s.withdraw(o, err) {
		o.finish(PublishResult{}, err)
	}
}

// withdraw takes back a message that was not sent, which then fails with err.
// It reports whether it did.
func (s *session) withdraw(o *outgoing, err error) bool {
	s.mu.Lock()
	waited := s.queue.remove(o)
	if waited {
		s.unkeep(o)
		s.changed.Broadcast() // the sender may wait for what this message needed
	}
	s.mu.Unlock()
	if waited {
		o.finish(PublishResult{}, err)
	}
	return waited
}

// afterConnection ends a session that ends with its connection [MQTT-3.1.2-23],
// and fails the messages that may not wait for the next one.
func (s *session) afterConnection(err error) {
	s.sendMu.Lock() // a sender that was interrupted puts back what it had left
	defer s.sendMu.Unlock()
	s.mu.Lock()
	if s.expiry == 0 {
		s.forget()
	}
	dropped := s.queue.takeAll(func(o *outgoing) bool { return !s.held(o) })
	s.unkeep(dropped...)
	s.mu.Unlock()
	for _, o := range dropped {
		o.finish(PublishResult{}, err)
	}
}

// send puts messages on the wire, in the order of the queue, until the session
// ends.
func (s *session) send() {
	for {
		s.mu.Lock()
		for !s.ended && !s.sendable() {
			s.changed.Wait()
		}
		ended := s.ended
		s.mu.Unlock()
		if ended {
			return
		}
		s.sendSome()
	}
}

// sendable tells whether the queue's first message may be sent now: there is a
// connection, and the broker's Receive Maximum is not used up [MQTT-3.3.4-7].
// The caller holds mu.
func (s *session) sendable() bool {
	o := s.queue.first()
	return o != nil && s.conn != nil && (o.qos() == 0 || s.quota > 0)
}

// sendAtOnce is how many messages are prepared together, which in a durable
// session means one wait for the store.
const sendAtOnce = 256

func (s *session) sendSome() {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	s.mu.Lock()
	conn := s.conn
	var batch []*outgoing
	var marks []Record
	for s.sendable() && len(batch) < sendAtOnce {
		o := s.queue.first()
		s.queue.remove(o)
		if err := s.admit(o); err != nil {
			s.unkeep(o)
			o.finish(PublishResult{}, err)
			continue
		}
		batch = append(batch, o)
		if o.seq > 0 && o.qos() > 0 {
			marks = append(marks, Record{keptKey(keptSent, o.seq), binary.BigEndian.AppendUint16(nil, o.id)})
		}
	}
	durable := make(chan struct{})
	s.apply(marks, func() { close(durable) })
	s.mu.Unlock()
	// Or the next program would take them for messages that were never sent, and
	// send them a second time.
	<-durable
	for len(batch) > 0 {
		var err error
		if batch, err = s.writeTogether(conn, batch); err != nil {
			s.putBackRest(batch)
			return
		}
	}
}

// frameSize is how many bytes of packets that are ready together leave as one
// frame: a frame costs a browser as much as a hundred small packets, and more
// than this saves nothing.
const frameSize = 16 << 10

// writeTogether sends as many messages as fit into a frame, at least one, and
// returns those that are left. Those that it wrote and that nobody will answer
// it settles.
func (s *session) writeTogether(conn *link, rest []*outgoing) (left []*outgoing, err error) {
	var written []*outgoing
	conn.Lock()
	conn.pinger.PacketSent()
	for size := 0; len(rest) > 0 && err == nil; {
		o := rest[0]
		if size > 0 && size+len(o.frame) > frameSize {
			break
		}
		if s.withdrawn(o) {
			rest = rest[1:]
			continue
		}
		o.age()
		o.attempted.Store(true)
		_, err = conn.Write(conn.aliases.shorten(o))
		if errors.Is(err, errGoodbye) {
			o.attempted.Store(false)
			break
		}
		written, rest, size = append(written, o), rest[1:], size+len(o.frame)
	}
	conn.Unlock()
	for i, o := range written {
		if o.qos() > 0 {
			continue
		}
		var failed error
		if i == len(written)-1 && !errors.Is(err, errGoodbye) {
			failed = err
		}
		s.sentAtMostOnce(o, failed)
	}
	return rest, err
}

// admit gives a message its packet identifier, or says why it can't be sent. The
// caller holds mu.
func (s *session) admit(o *outgoing) error {
	if o.expiryAt > 0 && o.remaining() <= 0 {
		return expired()
	}
	if err := s.limits.admits(o); err != nil {
		return err
	}
	if o.qos() == 0 {
		return nil
	}
	id, ok := s.freeID()
	if !ok {
		return newError(Unsupported, "publish: all 65,535 packet identifiers are in use")
	}
	o.setID(id)
	s.out[id] = o
	s.sent = append(s.sent, o)
	s.quota--
	return nil
}

// freeID returns the next packet identifier not in use [MQTT-2.2.1-3].
func (s *session) freeID() (uint16, bool) {
	for range 65535 {
		s.lastID++
		if s.lastID == 0 {
			s.lastID = 1
		}
		if _, used := s.out[s.lastID]; !used {
			return s.lastID, true
		}
	}
	return 0, false
}

// withdrawn takes back a message that the store could not keep: its publish has
// failed already. What was written beside it goes too.
func (s *session) withdrawn(o *outgoing) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.unkept == nil {
		return false
	}
	s.unkeep(o)
	if o.qos() > 0 {
		s.remove(o)
	}
	return true
}

func (s *session) sentAtMostOnce(o *outgoing, err error) {
	s.mu.Lock()
	s.unkeep(o)
	s.mu.Unlock()
	if err != nil {
		err = networkError(err, "publish")
	}
	o.finish(PublishResult{}, err)
}

// putBackRest returns the QoS 0 messages that an ended connection left over. The
// others are in flight, and are sent when the session goes on.
func (s *session) putBackRest(list []*outgoing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range slices.Backward(list) {
		if o.qos() == 0 {
			s.putBack(o)
		}
	}
}

// putBack makes a message the first of the queue again. The caller holds mu.
func (s *session) putBack(o *outgoing) {
	s.queue.putBack(o)
	s.expire(o)
}
