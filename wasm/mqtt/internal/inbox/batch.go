package inbox

import (
	"encoding/binary"
	"iter"
	"math"
	"slices"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// A Batch is received messages in their order. Its records are PUBLISH packets (3.3)
// without what a receiver does not need:
//
//	uint32, little endian   bytes that follow in this record
//	byte                    DUP, QoS and RETAIN as in the fixed header; 0x10: the payload is kept
//	float64, little endian  when it was read, milliseconds since 1970
//	UTF-8 string            topic, with any alias resolved
//	variable byte integer   bytes of the properties, then they, in wire form
//	the rest                payload
type Batch struct {
	Records [][]byte // each element holds whole records
	Count   int      // of messages
	More    bool     // others wait, for which it has no room
	// Kept are the payloads of the records with keptFlag, in order. The caller owns
	// them: All fetches them.
	Kept []*wire.Kept
	// Dropped is how many messages were not taken in time since the last batch.
	Dropped uint64
	// Receipts belong to the QoS 1 and 2 messages, in order.
	Receipts []uint64

	segments *segment // that the records lie in
}

// A Record is one message of a batch. Its slices point into the batch.
type Record struct {
	Flags      byte    // DUP, QoS and RETAIN as in the fixed header
	At         float64 // when it was read, milliseconds since 1970
	Topic      []byte
	Properties []byte // in wire form
	Payload    []byte
}

// All iterates over the messages.
func (b *Batch) All() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		rest := Batch{Records: slices.Clone(b.Records), Kept: b.Kept}
		for len(rest.Records) > 0 {
			if !yield(rest.cutFirst()) {
				return
			}
		}
	}
}

// Next takes the first message out of the batch, which must have one, and its receipt,
// which is 0 at QoS 0.
func (b *Batch) Next() (record Record, receipt uint64) {
	record = b.cutFirst()
	b.Count--
	if record.Flags&qosFlags != 0 {
		receipt, b.Receipts = b.Receipts[0], b.Receipts[1:]
	}
	return record, receipt
}

func (b *Batch) cutFirst() Record {
	first := b.Records[0]
	size := 4 + int(binary.LittleEndian.Uint32(first))
	record := Record{Flags: first[4], At: math.Float64frombits(binary.LittleEndian.Uint64(first[5:]))}
	r := wire.Reader{Rest: first[headSize:size:size]}
	record.Topic = r.Binary()
	record.Properties = r.Take(r.Varint())
	record.Payload = r.Rest
	if record.Flags&keptFlag != 0 {
		record.Flags &^= keptFlag
		record.Payload, b.Kept = b.Kept[0].Fetch(), b.Kept[1:]
	}
	if b.Records[0] = first[size:]; len(b.Records[0]) == 0 {
		b.Records = b.Records[1:]
	}
	return record
}

const (
	headSize = 4 + 1 + 8 // bytes before the topic: length, flags, time
	qosFlags = 6
	keptFlag = 0x10 // the payload is not in the record
)

// recordSize is how many bytes the message takes as a record.
func recordSize(p *wire.Publish, topic []byte) int {
	return headSize + 2 + len(topic) + wire.VarintSize(len(p.Properties)) + len(p.Properties) + len(p.Payload)
}

// AppendRecord appends one message as a record. topic is the packet's with any alias
// resolved; at is when it was read, in milliseconds since 1970. One such record can be
// the Records of a batch.
func AppendRecord(b []byte, p *wire.Publish, topic []byte, at float64) []byte {
	size := recordSize(p, topic)
	if b == nil {
		b = make([]byte, 0, size)
	}
	n := size - len(p.Payload)
	b = append(b, make([]byte, n)...)
	writeHead(b[len(b)-n:], size, p, topic, at)
	return append(b, p.Payload...)
}

// writeHead writes to b what comes before the payload in a record of size bytes. The
// topic and the properties may be in b's memory already, as in the packet: before where
// they go by at most a packet identifier and an alias. The properties move first, since
// the topic may overwrite them.
func writeHead(b []byte, size int, p *wire.Publish, topic []byte, at float64) {
	const afterTopic = headSize + 2
	if n := len(p.Properties); n == 0 {
		b[len(b)-1] = 0
	} else {
		copy(b[len(b)-n:], p.Properties)
		wire.AppendVarint(b[:afterTopic+len(topic)], n)
	}
	copy(b[afterTopic:], topic)
	b = b[:afterTopic]
	binary.LittleEndian.PutUint32(b, uint32(size-4))
	b[4] = p.Flags
	if p.Kept != nil {
		b[4] |= keptFlag
	}
	binary.LittleEndian.PutUint64(b[5:], math.Float64bits(at))
	b[13], b[14] = byte(len(topic)>>8), byte(len(topic))
}
