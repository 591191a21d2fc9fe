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
	held       [][]byte
	resuming   bool
	processing bool
	acks       []byte // of the message that is handed on
	due        []byte // of those that have been
	ended      bool   // DISCONNECT was the last packet [MQTT-3.14.4-1]
}

// admit returns what may leave now, of p and of what waits for it; it keeps the rest of p.
func (f *flow) admit(p []byte) []byte {
	var out []byte
	holding := false
	for at := 0; at < len(p); {
		packet := p[at : at+packetLen(p[at:])]
		if f.hold(packet) {
			if !holding {
				holding, out = true, bytes.Clone(p[:at])
			}
		} else if holding {
			out = append(out, packet...)
		}
		at += len(packet)
	}
	if !holding {
		out = p
	}
	if len(f.due) == 0 {
		return out
	}
	return append(f.answers(), out...)
}

// hold keeps a packet that may not leave yet, and reports whether it did.
func (f *flow) hold(packet []byte) bool {
	switch packet[0] >> 4 {
	case packets.Puback, packets.Pubrec:
		if f.processing {
			f.acks = append(f.acks, packet...)
		}
		return f.processing
	}
	id, ok := messageID(packet)
	if !ok || f.take(id) {
		return false
	}
	f.held = append(f.held, bytes.Clone(packet))
	return true
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

func (f *flow) take(id uint16) bool {
	if f.resuming || len(f.held) > 0 || len(f.unacked) >= f.limit {
		return false
	}
	f.unacked[id] = struct{}{}
	return true
}

// acknowledge returns the held packets that an acknowledgement sets free.
func (f *flow) acknowledge(id uint16) []byte {
	delete(f.unacked, id)
	return f.release()
}

func (f *flow) release() (out []byte) {
	for len(f.held) > 0 && !f.resuming && len(f.unacked) < f.limit {
		id, _ := messageID(f.held[0])
		f.unacked[id] = struct{}{}
		out = append(out, f.held[0]...)
		f.held = f.held[1:]
	}
	return out
}

// resumed returns what a resumed session may send first: mochi sends again in
// the order of a map, where the original order is due [MQTT-4.6.0-1].
func (f *flow) resumed() []byte {
	f.resuming = false
	ids := make([]uint16, len(f.held))
	for i, packet := range f.held {
		ids[i], _ = messageID(packet)
	}
	newest := newestID(ids)
	age := func(packet []byte) uint16 { id, _ := messageID(packet); return newest - id }
	slices.SortFunc(f.held, func(a, b []byte) int { return cmp.Compare(age(b), age(a)) })
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

// packetLen returns the length of the whole packet that p begins with (2.1.4);
// mochi always writes whole packets.
func packetLen(p []byte) int {
	length, shift := 0, 0
	for i, b := range p[1:] {
		length |= int(b&0x7f) << shift
		shift += 7
		if b < 0x80 {
			return 2 + i + length
		}
	}
	return len(p)
}

// messageID returns the identifier of a PUBLISH of QoS 1 or 2 (3.3.2.2).
func messageID(packet []byte) (id uint16, ok bool) {
	if packet[0]>>4 != packets.Publish || packet[0]&0b0110 == 0 {
		return 0, false
	}
	rest := packet[1:]
	for rest[0] >= 0x80 {
		rest = rest[1:]
	}
	topic := int(binary.BigEndian.Uint16(rest[1:]))
	return binary.BigEndian.Uint16(rest[3+topic:]), true
}
