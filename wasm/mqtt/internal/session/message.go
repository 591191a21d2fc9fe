package session

import (
	"encoding/binary"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// A Message is an application message on its way to the broker. The publisher owns the
// memory; a session refers to it from Publish until it is settled.
type Message struct {
	// Owner is told how it ended.
	Owner Owner
	// OnStored settles the message when the store has it, not when the broker has
	// acknowledged it.
	OnStored bool

	frame    []byte    // the PUBLISH packet, whole
	idAt     int       // where in frame its packet identifier stands
	expiryAt int       // where its Message Expiry Interval stands; 0: it has none
	expiry   uint32    // seconds, as the caller gave it
	alias    uint16    // set by the caller
	since    time.Time // when it was queued, if its expiry or the journal needs that

	id        uint16
	waits     int  // for the store, or for the broker to free the identifier
	clearing  bool // PUBCOMP frees the identifier, see Session.cleared
	counted   bool // in the quota of this connection
	attempted bool // it may have reached the broker: sent again it has DUP
	released  bool // PUBREC arrived: PUBREL is sent again
	pubrel    bool // it was sent, on this connection
	again     bool // it waits for a connection regardless of the queue's limits
	settled   bool // its owner has been told

	seq    uint64 // its number in the journal; 0: it is not there
	stored bool   // its owner was told that the store has it

	list       *list
	prev, next *Message
	heapAt     int // in Session.expiring, from 1; 0: it is not there
}

// Owner is told once how a [Message] ended.
type Owner interface{ Settle(Result, error) }

// Result is the broker's acknowledgement of a message (3.4, 3.7).
type Result struct {
	Reason       byte
	ReasonString string
	User         []User
}

// SetFrame gives the message its PUBLISH packet, which the session may change from then
// on. idAt is the offset of its packet identifier.
func (m *Message) SetFrame(frame []byte, idAt int, alias uint16) {
	m.frame, m.idAt, m.alias = frame, idAt, alias
	m.findExpiry()
}

func (m *Message) qos() byte { return m.frame[0] >> 1 & 3 }

// idSize is how many bytes the packet identifier takes.
func (m *Message) idSize() int {
	if m.qos() == 0 {
		return 0
	}
	return 2
}

// findExpiry looks for the Message Expiry Interval in the packet.
func (m *Message) findExpiry() {
	at := m.idAt + m.idSize()
	if m.frame[at] == 0 { // no properties
		return
	}
	r := wire.Reader{Rest: m.frame[at:]}
	for r.Rest = r.Take(r.Varint()); len(r.Rest) > 0; {
		id := r.Varint()
		if id == int(packets.PropMessageExpiry) {
			m.expiryAt = cap(m.frame) - cap(r.Rest)
			m.expiry = r.Uint32()
			return
		}
		r.Skip(id)
	}
}

// deadline is when the message expires, at least a second from when it was queued: an
// interval of 0 is meant for the broker, not for the way to it.
func (m *Message) deadline() time.Time {
	return m.since.Add(time.Duration(max(1, m.expiry)) * time.Second)
}

// age subtracts the time that the message waited from its Message Expiry Interval, as a
// server does [MQTT-3.3.2-6].
func (m *Message) age(now time.Time) {
	seconds := max(1, (m.deadline().Sub(now)+time.Second-1)/time.Second)
	binary.BigEndian.PutUint32(m.frame[m.expiryAt:], uint32(min(time.Duration(m.expiry), seconds)))
}

func (m *Message) setID(id uint16) {
	m.id = id
	m.frame[m.idAt], m.frame[m.idAt+1] = byte(id>>8), byte(id)
}

// restart resets the message to the state before it was first sent.
func (m *Message) restart() {
	m.attempted, m.released, m.pubrel, m.counted = false, false, false, false
	m.frame[0] &^= 8
	if m.expiryAt > 0 {
		binary.BigEndian.PutUint32(m.frame[m.expiryAt:], m.expiry)
	}
}

// topic is the topic in the packet.
func (m *Message) topic() []byte {
	_, size, _, _ := wire.Varint(m.frame[1:])
	return m.frame[1+size+2 : m.idAt]
}

// withAlias returns the packet with another topic, which may be empty, and a
// topic alias.
func (m *Message) withAlias(alias uint16, topic []byte) []byte {
	r := wire.Reader{Rest: m.frame[m.idAt:]}
	id := r.Take(m.idSize())
	properties := append([]byte{packets.PropTopicAlias, byte(alias >> 8), byte(alias)}, r.Take(r.Varint())...)
	return wire.JoinPublish(m.frame[0], topic, id, properties, r.Rest)
}

// list is a list of messages in order. A message is in one list at most.
type list struct {
	first, last *Message
	n, bytes    int
}

// insert puts a message behind another; nil: at the front.
func (l *list) insert(m, after *Message) {
	m.list, m.prev = l, after
	if after == nil {
		m.next, l.first = l.first, m
	} else {
		m.next, after.next = after.next, m
	}
	if m.next == nil {
		l.last = m
	} else {
		m.next.prev = m
	}
	l.n++
	l.bytes += len(m.frame)
}

// remove takes a message out, if it is in.
func (l *list) remove(m *Message) {
	if m.list != l {
		return
	}
	if m.prev == nil {
		l.first = m.next
	} else {
		m.prev.next = m.next
	}
	if m.next == nil {
		l.last = m.prev
	} else {
		m.next.prev = m.prev
	}
	m.list, m.prev, m.next = nil, nil, nil
	l.n--
	l.bytes -= len(m.frame)
}

// expiryHeap holds the queued messages that expire, the next one first.
type expiryHeap []*Message

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].deadline().Before(h[j].deadline()) }
func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapAt, h[j].heapAt = i+1, j+1
}

// Push and Pop are of [heap.Interface].
func (h *expiryHeap) Push(x any) {
	m := x.(*Message)
	*h = append(*h, m)
	m.heapAt = len(*h)
}

func (h *expiryHeap) Pop() any {
	last := len(*h) - 1
	m := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	m.heapAt = 0
	return m
}
