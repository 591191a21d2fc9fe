package mqtt

import (
	"container/list"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// outgoing is a packet of ours with a packet identifier, or a QoS 0 PUBLISH.
type outgoing struct {
	frame    []byte    // the PUBLISH packet, whole
	idAt     int       // where in frame its packet identifier stands
	expiryAt int       // where its Message Expiry Interval stands; 0: it has none
	expiry   uint32    // seconds, as the caller gave it
	alias    uint16    // that the caller gave it
	since    time.Time // when it was queued, where its expiry or the store needs that

	id        uint16
	attempted atomic.Bool                  // it may be on its way: what is sent again has DUP
	released  bool                         // PUBREC came: PUBREL is what is sent again
	again     bool                         // it waits for a connection whatever Options.Queue says: a session that is gone had it
	answer    chan<- packets.ControlPacket // of SUBSCRIBE and UNSUBSCRIBE

	place *list.Element // in the queue; nil: it left it
	timer *time.Timer   // of its expiry, while it is in the queue

	seq      uint64 // its number in the store; 0: it is not there
	unkept   error  // why the store could not take it
	onStored bool   // its publish waits for the store, not for the broker
	stored   bool   // and is settled, since the store has it

	once   sync.Once
	settle func(PublishResult, error)
	late   func(error) // is told when it fails after it was settled; may be nil
}

func newOutgoing(m *Message) *outgoing {
	o := &outgoing{}
	o.frame, o.idAt = encodePublish(m)
	override(&o.alias, m.Properties.TopicAlias)
	if m.Properties.MessageExpiry != nil {
		o.since = time.Now()
		o.findExpiry()
	}
	return o
}

// isPublish tells a PUBLISH of that QoS from others and from SUBSCRIBE.
func (o *outgoing) isPublish(qos byte) bool { return o.answer == nil && o.qos() == qos }

func (o *outgoing) qos() byte { return o.frame[0] >> 1 & 3 }

// idSize is how many bytes the packet identifier takes.
func (o *outgoing) idSize() int {
	if o.qos() == 0 {
		return 0
	}
	return 2
}

// findExpiry looks for the Message Expiry Interval in the packet.
func (o *outgoing) findExpiry() {
	r := reader{rest: o.frame[o.idAt+o.idSize():]}
	for r.rest = r.take(r.varint()); len(r.rest) > 0; {
		id := r.byte()
		if id == propMessageExpiry {
			o.expiryAt = cap(o.frame) - cap(r.rest)
			o.expiry = r.uint32()
			return
		}
		r.property(id, nil)
	}
}

// remaining is how long the message may still wait (3.3.2.3.3). It has no
// meaning when it has no expiry.
func (o *outgoing) remaining() time.Duration {
	return time.Duration(o.expiry)*time.Second - time.Since(o.since)
}

// age takes the time that the message waited off its Message Expiry Interval,
// as a server does [MQTT-3.3.2-6].
func (o *outgoing) age() {
	if o.expiryAt > 0 {
		seconds := max(1, (o.remaining()+time.Second-1)/time.Second)
		binary.BigEndian.PutUint32(o.frame[o.expiryAt:], uint32(min(time.Duration(o.expiry), seconds)))
	}
}

// finish settles a publish, once.
func (o *outgoing) finish(r PublishResult, err error) {
	first := false
	o.once.Do(func() {
		first = true
		o.settle(r, err)
	})
	if !first && err != nil && o.late != nil {
		o.late(err)
	}
}

func (o *outgoing) setID(id uint16) {
	o.id = id
	o.frame[o.idAt], o.frame[o.idAt+1] = byte(id>>8), byte(id)
}

// answerFrame is PUBACK, PUBREC, PUBREL or PUBCOMP. Without a reason code it
// says success (3.4.2.1).
func answerFrame(header byte, id uint16, reason ...byte) []byte {
	return append([]byte{header, byte(2 + len(reason)), byte(id >> 8), byte(id)}, reason...)
}

// repetition is the packet that continues the exchange on a new connection.
func (o *outgoing) repetition() []byte {
	if o.released {
		return answerFrame(pubrel<<4|2, o.id)
	}
	if o.attempted.Swap(true) {
		o.frame[0] |= 8 // DUP [MQTT-3.3.1-1], [MQTT-3.3.1-2]
	}
	o.age()
	return o.frame
}

// restart takes the message back to before it was first sent.
func (o *outgoing) restart() {
	o.attempted.Store(false)
	o.released = false
	o.again = true
	o.frame[0] &^= 8
}
