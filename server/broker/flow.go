package broker

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// flow decides which of mochi's packets may be sent now. It holds back
//
//   - QoS 1 and 2 messages that the client's Receive Maximum does not allow yet
//     [MQTT-3.3.4-9], in their order [MQTT-4.6.0-5]. mochi's own flow control sends such
//     messages in the order of a map, and stops sending once as many of them as Receive
//     Maximum have been acknowledged; so mochi is told that there is no limit. What is
//     held back is part of mochi's session all the same.
//   - messages of QoS 2 that are not on disk yet, and what follows them.
//   - acknowledgements, until what they acknowledge has been handed on and is on disk,
//     and then in the order of what they answer [MQTT-4.6.0-2]. mochi writes them before.
//     They go along with what is sent next, or by themselves when all that the client
//     sent has been handled.
//   - whatever would come before CONNACK [MQTT-3.2.0-1].
type flow struct {
	limit    int
	flying   map[uint16]bool  // messages on this connection: true for those that were sent
	unacked  int              // how many of flying were sent
	held     []held           // oldest first
	writing  map[uint16]bool  // messages of QoS 2 that are not on disk
	expires  map[uint16]int64 // Unix seconds
	sent     func(id uint16)  // called for each message that is sent
	begun    bool             // CONNACK was sent
	early    []byte           // what waits for it
	resuming bool
	full     bool // no message may be added to the outbox
	dropped  int  // messages because of that
	acks     []*ack
	current  *ack // of the packet being handled
	ended    bool // DISCONNECT was the last packet [MQTT-3.14.4-1]
}

type held struct {
	id     uint16
	packet []byte
}

// ack is the answer to one packet.
type ack struct {
	packet  []byte
	settled bool
}

func newFlow() flow {
	return flow{
		limit: math.MaxUint16, flying: make(map[uint16]bool), writing: make(map[uint16]bool), expires: make(map[uint16]int64),
		sent: func(uint16) {},
	}
}

// admit returns what may be sent now, of p and of what waits for it; it keeps the rest
// of p. mochi always writes whole packets.
func (f *flow) admit(p []byte) []byte {
	out := f.answers()
	for len(p) > 0 {
		length, n := binary.Uvarint(p[1:]) // the encoding of Remaining Length (2.1.4)
		packet := p[:1+n+int(length)]
		p = p[len(packet):]
		kind := packet[0] >> 4
		id, owed := messageID(packet)
		_, known := f.flying[id]
		switch {
		case owed && known: // the session resends it, and it was delivered meanwhile
		case owed:
			f.flying[id] = false
			f.held = append(f.held, held{id, bytes.Clone(packet)})
			out = append(out, f.release()...)
		case kind == packets.Publish && f.full: // QoS 0
			f.dropped++
		case f.current != nil && kind >= packets.Puback && kind <= packets.Pubcomp:
			f.current.packet = append(f.current.packet, packet...)
		case kind == packets.Connack:
			out = append(append(out, packet...), f.early...)
			f.begun, f.early = true, nil
		case !f.begun:
			f.early = append(f.early, packet...)
		default:
			out = append(out, packet...)
		}
	}
	return out
}

// handle begins a packet that is answered when its changes are on disk.
func (f *flow) handle() {
	f.current = new(ack)
	f.acks = append(f.acks, f.current)
}

// handled ends it, and returns its answer.
func (f *flow) handled() (a *ack) {
	a, f.current = f.current, nil
	return a
}

// answers returns the acknowledgements that are due.
func (f *flow) answers() (due []byte) {
	for len(f.acks) > 0 && f.acks[0].settled {
		due = append(due, f.acks[0].packet...)
		f.acks = f.acks[1:]
	}
	return due
}

// acknowledge returns the held packets that an acknowledgement releases.
func (f *flow) acknowledge(id uint16) []byte {
	if f.flying[id] {
		f.unacked--
		delete(f.flying, id)
	}
	return f.release()
}

// stored returns the held packets that may be sent once a message is on disk, or lost.
func (f *flow) stored(id uint16, lost bool) []byte {
	delete(f.writing, id)
	if lost {
		f.drop(id)
	}
	return f.release()
}

// drop forgets a message that has not been sent.
func (f *flow) drop(id uint16) {
	if sent, ok := f.flying[id]; ok && !sent {
		delete(f.flying, id)
		delete(f.expires, id)
		f.held = slices.DeleteFunc(f.held, func(h held) bool { return h.id == id })
	}
}

func (f *flow) release() (out []byte) {
	for len(f.held) > 0 && !f.resuming && !f.full && !f.writing[f.held[0].id] && f.unacked < f.limit {
		next := f.held[0]
		f.held = f.held[1:]
		expiry := f.expires[next.id]
		if delete(f.expires, next.id); expiry > 0 && expiry < time.Now().Unix() { // [MQTT-3.3.2-5]
			delete(f.flying, next.id)
			continue
		}
		f.unacked++
		f.flying[next.id] = true
		f.sent(next.id)
		out = append(out, next.packet...)
	}
	return out
}

// resumed returns what a resumed session may send first: mochi resends in the random
// order of a map, where the original order is required [MQTT-4.6.0-1].
func (f *flow) resumed(find func(id uint16) sent) []byte {
	f.resuming = false
	slices.SortFunc(f.held, func(a, b held) int { return cmp.Compare(find(a.id).order, find(b.id).order) })
	return f.release()
}

// messageID returns the identifier of a PUBLISH of QoS 1 or 2 (3.3.2.2).
func messageID(packet []byte) (id uint16, ok bool) {
	if packet[0]>>4 != packets.Publish || packet[0]&0b0110 == 0 {
		return 0, false
	}
	_, n := binary.Uvarint(packet[1:])
	rest := packet[1+n:]
	topic := int(binary.BigEndian.Uint16(rest))
	return binary.BigEndian.Uint16(rest[2+topic:]), true
}
