package inbox

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// model records what a run has put and taken.
type model struct {
	*testing.T
	in      *Inbox
	rng     *rand.Rand
	limit   int
	put     []byte // QoS of each message
	last    int    // the last message taken
	counted int    // messages taken or dropped
	acked   []uint64
	waiting int // bytes of QoS 1 and 2 messages that were not taken
	keeper  *keeper
	size    []int // of each message
	largest int   // of a record
	batches []Batch
}

// add puts a message. Its number is its topic, and fills its payload.
func (m *model) add(size int) {
	i := len(m.put)
	qos := byte(0)
	if m.rng.IntN(4) == 0 {
		qos = 1 + byte(m.rng.IntN(2))
	}
	receipt := uint64(0)
	properties := []byte(nil)
	if m.rng.IntN(5) == 0 {
		properties = append([]byte{0x26, 0, 1, 'k', 0, 150}, bytes.Repeat([]byte{'a' + byte(i%26)}, 150)...)
	}
	payload := bytes.Repeat([]byte{byte(i)}, size)
	frame, idAt := wire.EncodePublish(qos<<1, strconv.Itoa(i), properties, payload)
	p := &wire.Publish{Flags: qos << 1, Topic: []byte(strconv.Itoa(i)), Properties: properties, Payload: payload}
	if qos > 0 {
		receipt, frame[idAt] = uint64(i+1), 1
	}
	if size > 20_000 && m.rng.IntN(3) > 0 {
		buf := m.in.Spare(len(frame) + 16)
		switch {
		case buf != nil:
		case m.rng.IntN(10) == 0:
			buf = make([]byte, 0, 3*len(frame))
		default:
			buf = m.in.Buffer(len(frame) + 16)
		}
		p = inBuffer(m, buf, frame)
	} else if size > 20_000 {
		m.keeper.keep(p)
	}
	record := len(frame) + headSize + 5
	m.size = append(m.size, record)
	if qos > 0 {
		m.waiting += record
	}
	m.largest = max(m.largest, record)
	m.put = append(m.put, qos)
	m.in.Put(p, p.Topic, float64(i), receipt)
}

func (m *model) take() {
	b := take(m, m.in)
	m.counted += int(b.Dropped)
	n := 0
	for r := range b.All() {
		n++
		i, _ := strconv.Atoi(string(r.Topic))
		if i <= m.last || r.At != float64(i) || r.Flags>>1 != m.put[i] {
			m.Fatalf("message %d after %d, with QoS %d, flags %d", i, m.last, m.put[i], r.Flags)
		}
		m.last = i
		if len(bytes.TrimLeft(r.Payload, string([]byte{byte(i)}))) > 0 || len(r.Properties) > 0 && r.Properties[155] != 'a'+byte(i%26) {
			m.Fatalf("message %d is not what was put", i)
		}
		if m.put[i] > 0 {
			m.acked = append(m.acked, uint64(i+1))
			m.waiting -= m.size[i]
		}
	}
	if n != b.Count {
		m.Fatalf("%d messages in a batch of %d", n, b.Count)
	}
	m.counted += n
	if got := m.acked[len(m.acked)-len(b.Receipts):]; !slices.Equal(b.Receipts, got) {
		m.Fatalf("receipts %v, want %v", b.Receipts, got)
	}
	m.batches = append(m.batches, b)
}

func (m *model) check() {
	// Two adjacent segments together fill at least one, except for a record that did
	// not fit; receipts grow by doubling.
	most := 2*m.waiting + 8*m.largest + 4*maxSegment + 16*len(m.put)
	if got := held(m, m.in); got > max(m.limit, most) {
		m.Fatalf("holds %d bytes, limit %d, %d waiting that must not be dropped", got, m.limit, m.waiting)
	}
}

// In any order of events, all QoS 1 and 2 messages arrive, once and in order; missing
// QoS 0 messages are counted; and memory is bounded.
func TestRandomRuns(t *testing.T) {
	for seed := range uint64(50) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			limit := 1 << (10 + rng.IntN(14))
			m := &model{T: t, in: New(limit), rng: rng, limit: limit, last: -1, keeper: newKeeper(t)}
			sizes := []int{10, 200, 3000, 40_000, 150_000}[:1+rng.IntN(5)]
			takes := rng.IntN(400) // one step in this many; 0: never
			for range 1000 {
				switch {
				case takes > 0 && rng.IntN(takes) == 0:
					m.take()
				case len(m.batches) > 0 && rng.IntN(20) == 0:
					k := rng.IntN(len(m.batches))
					m.in.Recycle(&m.batches[k])
					m.batches = slices.Delete(m.batches, k, k+1)
				default:
					m.add(rng.IntN(1 + sizes[rng.IntN(len(sizes))]))
				}
				if rng.IntN(10) == 0 {
					m.check()
				}
			}
			for before := -1; before != m.counted; {
				before = m.counted
				m.take()
			}
			acked := 0
			for _, qos := range m.put {
				if qos > 0 {
					acked++
				}
			}
			if m.counted != len(m.put) || len(m.acked) != acked {
				t.Errorf("%d of %d messages, %d of %d acknowledged", m.counted, len(m.put), len(m.acked), acked)
			}
			if left := len(m.keeper.payloads); left > 0 {
				t.Errorf("%d payloads are kept, and all messages are gone", left)
			}
			m.check()
		})
	}
}
