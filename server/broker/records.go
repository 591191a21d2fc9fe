// What a session writes.

package broker

import (
	"bytes"
	"encoding/json"

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

// establish writes what a session is at the beginning of its connection: nothing, where
// the file has it. False says that it can't be promised to last.
func (s *store) establish(cl *mqtt.Client, session *session) bool {
	if s == nil {
		return true
	}
	if lasting(cl) { // a message of QoS 2 is not resumed before it is on disk
		s.flush(cl.ID)
	}
	s.begin(cl.ID, false)
	switch known := session.record != nil; {
	case lasting(cl) && (!known || session.unwritten):
		s.rewrite(cl, session, false)
	case !lasting(cl) && known:
		s.rewrite(cl, session, true)
	}
	s.putRecord(cl, session)
	session.unwritten = !s.await(cl.ID)
	return !session.unwritten
}

// rewrite puts all of a session that was not written so far, or deletes it.
func (s *store) rewrite(cl *mqtt.Client, session *session, gone bool) {
	var changes []change
	value := func(v any) any {
		if gone {
			return nil
		}
		return v
	}
	for filter, sub := range cl.State.Subscriptions.GetAll() {
		changes = append(changes, change{bucket: subscriptions, key: subscriptionKey(cl.ID, filter), value: value(sub), lasting: gone})
	}
	for _, pk := range cl.State.Inflight.GetAll(false) {
		changes = append(changes, change{bucket: messages, key: messageKey(cl.ID, pk.PacketID), value: value(session.message(pk)), lasting: gone})
	}
	s.put(cl.ID, changes...)
}

// putRecord writes what has changed of a session's properties.
func (s *store) putRecord(cl *mqtt.Client, session *session) {
	if s == nil {
		return
	}
	var record []byte // of a session that does not last, none
	if lasting(cl) {
		record = newRecord(cl)
	}
	if old := session.record; !bytes.Equal(old, record) {
		c := change{bucket: clients, key: []byte(cl.ID), lasting: true}
		if record != nil {
			c.value = json.RawMessage(record)
		}
		s.put(cl.ID, c)
		session.record = record
	}
}

// subscribe reports whether the subscriptions of a lasting session are on disk.
func (s *store) subscribe(cl *mqtt.Client, subs []packets.Subscription) bool {
	if s == nil || !lasting(cl) {
		return true
	}
	s.begin(cl.ID, false)
	for _, sub := range subs {
		s.put(cl.ID, change{bucket: subscriptions, key: subscriptionKey(cl.ID, sub.Filter), value: sub})
	}
	return s.await(cl.ID)
}

func (s *store) unsubscribe(cl *mqtt.Client, filter string) {
	if lasting(cl) {
		s.put(cl.ID, change{bucket: subscriptions, key: subscriptionKey(cl.ID, filter), lasting: true})
	}
}

// forget deletes a session.
func (s *store) forget(cl *mqtt.Client, session *session) {
	if session == nil || session.record == nil {
		return
	}
	s.rewrite(cl, session, true)
	s.put(cl.ID, change{bucket: clients, key: []byte(cl.ID), lasting: true})
}

// retain keeps a message for its topic, or forgets the one that there is.
func (s *store) retain(pk packets.Packet) {
	c := change{bucket: retained, key: []byte(pk.TopicName), lasting: true}
	if len(pk.Payload) > 0 {
		c.value, c.lasting = message{Packet: pk, size: sizeOf(pk)}, false
	}
	s.put(pk.Origin, c)
}

// publish keeps a message for a client. It is sent at once at QoS 1, where to come twice
// is no harm; at QoS 2 when it is on disk. One that can't be written is refused to its
// publisher, and nobody's.
func (s *store) publish(cl *mqtt.Client, session *session, m message) {
	if s == nil || !lasting(cl) {
		return
	}
	exactlyOnce := m.FixedHeader.Qos == 2
	if exactlyOnce {
		transmit(cl, func(f *flow) []byte { f.withhold(m.PacketID); return nil })
	}
	s.put(m.Origin, change{bucket: messages, key: messageKey(cl.ID, m.PacketID), value: m, done: func(lost bool) {
		if lost {
			session.remove(m.PacketID) // before the identifier is free
			cl.State.Inflight.Delete(m.PacketID)
		}
		if exactlyOnce {
			transmit(cl, func(f *flow) []byte { return f.stored(m.PacketID, lost) })
		}
	}})
}

// mark keeps how far a message of QoS 2 is: received or released.
func (s *store) mark(cl *mqtt.Client, id uint16, state any) {
	if lasting(cl) {
		s.put(cl.ID, change{bucket: messages, key: messageKey(cl.ID, id), value: state, lasting: state == released{}})
	}
}

// complete forgets a message.
func (s *store) complete(cl *mqtt.Client, id uint16) {
	if lasting(cl) {
		s.put(cl.ID, change{bucket: messages, key: messageKey(cl.ID, id), lasting: true})
	}
}
