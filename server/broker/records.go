// What is stored of a session.

package broker

import (
	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// lasting reports whether the client's session outlives its connection
// (3.1.2.11.2). Other sessions are never written.
func lasting(cl *mqtt.Client) bool {
	if cl.Properties.ProtocolVersion == 5 {
		return cl.Properties.Props.SessionExpiryInterval > 0
	}
	return !cl.Properties.Clean
}

// establish stores a session at the beginning of its connection. False says that it
// can't be stored.
func (s *store) establish(cl *mqtt.Client, session *session) bool {
	if s == nil {
		return true
	}
	session.file.Lock()
	defer session.file.Unlock()
	if lasting(cl) { // a message of QoS 2 is not resumed before it is on disk
		s.flush(cl.ID)
	}
	r := s.begin(cl.ID, false)
	if lasting(cl) {
		s.putRecord(cl, session)
	} else {
		s.forget(cl, session)
	}
	return s.await(r)
}

// putRecord stores the properties of a lasting session.
func (s *store) putRecord(cl *mqtt.Client, session *session) {
	if s == nil {
		return
	}
	s.put(cl.ID, change{bucket: clients, key: []byte(cl.ID), value: newRecord(cl, session)})
	session.file.written = true
}

// forget deletes a session.
func (s *store) forget(cl *mqtt.Client, session *session) {
	if session == nil || !session.file.written {
		return
	}
	changes := []change{{bucket: clients, key: []byte(cl.ID)}}
	for filter := range cl.State.Subscriptions.GetAll() {
		changes = append(changes, change{bucket: subscriptions, key: subscriptionKey(cl.ID, filter)})
	}
	for _, pk := range cl.State.Inflight.GetAll(false) {
		changes = append(changes, change{bucket: messages, key: messageKey(cl.ID, pk.PacketID)})
	}
	session.mu.Lock()
	for id := range session.received {
		changes = append(changes, change{bucket: unreleased, key: messageKey(cl.ID, id)})
	}
	session.mu.Unlock()
	s.put(cl.ID, changes...)
	session.file.written = false
}

// subscribe reports whether the subscriptions of a lasting session are on disk.
func (s *store) subscribe(cl *mqtt.Client, subs []packets.Subscription) bool {
	if s == nil || !lasting(cl) {
		return true
	}
	r := s.begin(cl.ID, false)
	for _, sub := range subs {
		s.set(cl, subscriptions, subscriptionKey(cl.ID, sub.Filter), sub)
	}
	return s.await(r)
}

// set stores a value of a persistent session; nil deletes it.
func (s *store) set(cl *mqtt.Client, bucket, key []byte, value any) {
	if lasting(cl) {
		s.put(cl.ID, change{bucket: bucket, key: key, value: value})
	}
}

// retain keeps a message for its topic, or forgets the one that there is.
func (s *store) retain(pk packets.Packet) {
	c := change{bucket: retained, key: []byte(pk.TopicName)}
	if len(pk.Payload) > 0 {
		c.value = message{Packet: pk, size: sizeOf(pk)}
	}
	s.put(pk.Origin, c)
}

// publish stores a message for a client. At QoS 1, where duplicates are allowed, it is
// sent at once; at QoS 2 when it is on disk. If it can't be written, the publisher gets
// a refusal and no client gets the message.
func (s *store) publish(cl *mqtt.Client, session *session, m message) {
	if s == nil || !lasting(cl) {
		return
	}
	exactlyOnce := m.FixedHeader.Qos == 2
	if exactlyOnce {
		transmit(cl, func(f *flow) []byte { f.writing[m.PacketID] = true; return nil })
	}
	c := change{bucket: messages, key: messageKey(cl.ID, m.PacketID), value: m, done: func(lost bool) {
		if lost {
			session.remove(m.PacketID) // before the identifier is free
			cl.State.Inflight.Delete(m.PacketID)
		}
		if exactlyOnce {
			transmit(cl, func(f *flow) []byte { return f.stored(m.PacketID, lost) })
		}
	}}
	if !exactlyOnce || !s.gather(m.Origin, c) {
		s.put(m.Origin, c)
	}
}
