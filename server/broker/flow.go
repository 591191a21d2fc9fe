package broker

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/mochi-mqtt/server/v2/packets"
)

// flow holds back QoS 1 and 2 messages that the client's Receive Maximum does
// not allow yet [MQTT-3.3.4-9], and keeps their order [MQTT-4.6.0-5]. mochi's own
// flow control sends such messages in the order of a map, and stops sending once
// as many of them as Receive Maximum have been acknowledged; so mochi is told
// that there is no limit, and its packets are sorted out here, on their way to
// the connection. What is held back is part of mochi's session all the same.
//
// Acknowledgements are held back too, while the message that they are for is
// handed on: mochi writes them before, and a broker killed in between would have
// lost what it acknowledged. From then on they are due: they go along with what
// is sent next, or by themselves when all that the client sent has been handled.
type flow struct {
	limit      int
	unacked    map[uint16]struct{}
	held       []message // oldest first
	resuming   bool
	processing bool
	full       bool   // no message may be added to what waits to be sent
	acks       []byte // of the message that is handed on
	due        []byte // of those that have been
	ended      bool   // DISCONNECT was the last packet [MQTT-3.14.4-1]
}

type message struct {
	id     uint16
	packet []byte
}

// admit returns what may leave now, of p and of what waits for it; it keeps the
// rest of p. mochi always writes whole packets.
func (f *flow) admit(p []byte) []byte {
	out := f.answers()
	for len(p) > 0 {
		length, n := binary.Uvarint(p[1:]) // the encoding of Remaining Length (2.1.4)
		packet := p[:1+n+int(length)]
		p = p[len(packet):]
		kind := packet[0] >> 4
		id, owed := messageID(packet)
		switch {
		case owed:
			f.held = append(f.held, message{id, bytes.Clone(packet)})
			out = append(out, f.release()...)
		case kind == packets.Publish && f.full: // QoS 0 is dropped
		case f.processing && (kind == packets.Puback || kind == packets.Pubrec):
			f.acks = append(f.acks, packet...)
		default:
			out = append(out, packet...)
		}
	}
	return out
}

// processed tells that the message has been handed on.
func (f *flow) processed() []byte {
	f.due = append(f.due, f.acks...)
	f.processing, f.acks = false, nil
	return nil
}

// answers returns the acknowledgements that are due.
func (f *flow) answers() []byte {
	due := f.due
	f.due = nil
	return due
}

// acknowledge returns the held packets that an acknowledgement sets free.
func (f *flow) acknowledge(id uint16) []byte {
	delete(f.unacked, id)
	return f.release()
}

func (f *flow) release() (out []byte) {
	for len(f.held) > 0 && !f.resuming && !f.full && len(f.unacked) < f.limit {
		f.unacked[f.held[0].id] = struct{}{}
		out = append(out, f.held[0].packet...)
		f.held = f.held[1:]
	}
	return out
}

// resumed returns what a resumed session may send first: mochi sends again in
// the order of a map, where the original order is due [MQTT-4.6.0-1].
func (f *flow) resumed() []byte {
	f.resuming = false
	var ids []uint16
	for _, m := range f.held {
		ids = append(ids, m.id)
	}
	newest := newestID(ids)
	slices.SortFunc(f.held, func(a, b message) int { return cmp.Compare(newest-b.id, newest-a.id) })
	return f.release()
}

// newestID returns the last assigned of the identifiers in use. They are
// assigned one after the other and in a circle, so it is the one before the
// widest gap. It returns 0 for none.
func newestID(ids []uint16) (newest uint16) {
	if len(ids) == 0 {
		return 0
	}
	ids = slices.Sorted(slices.Values(ids))
	previous, widest := ids[len(ids)-1], -1
	for _, id := range ids {
		if gap := int(id - previous); gap > widest {
			newest, widest = previous, gap
		}
		previous = id
	}
	return newest
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
