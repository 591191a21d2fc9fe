package mqtt

import (
	"bytes"
	"context"
	"fmt"
	"testing"
)

func put(in *inbox, topic string, qos byte, payload []byte) {
	p := publishPacket{flags: qos << 1, topic: []byte(topic), payload: payload}
	var ack *delivery
	if qos > 0 {
		ack = &delivery{id: 1, qos: qos}
	}
	in.put(&p, p.topic, 1700000000123, ack)
}

func TestInboxKeepsOrderAndContent(t *testing.T) {
	in := newInbox(DefaultInboxLimit)
	p := publishPacket{
		flags: 0x0B, topic: []byte("t/ü"), payload: []byte{0, 255},
		properties: []byte{0x01, 1, 0x02, 0, 0, 0, 9, 0x03, 0, 1, 'c', 0x08, 0, 1, 'r', 0x09, 0, 1, 7, 0x0B, 5, 0x0B, 0x80, 1, 0x26, 0, 1, 'k', 0, 1, 'v', 0x26, 0, 1, 'k', 0, 1, 'w'},
	}
	in.put(&p, p.topic, 1700000000123, &delivery{id: 1, qos: 1})
	batch, more, err := in.take(background)
	if err != nil || more || batch.Count != 1 || len(batch.acks) != 1 {
		t.Fatalf("%+v %v %v", batch, more, err)
	}
	for m := range batch.Messages() {
		if m.Topic != "t/ü" || !bytes.Equal(m.Payload, []byte{0, 255}) || m.QoS != 1 || !m.Retain || !m.Duplicate ||
			m.ReceivedAt.UnixMilli() != 1700000000123 {
			t.Errorf("%+v", m)
		}
		q := m.Properties
		if *q.PayloadFormat != 1 || *q.MessageExpiry != 9 || q.ContentType != "c" || q.ResponseTopic != "r" ||
			q.CorrelationData[0] != 7 || fmt.Sprint(q.SubscriptionIdentifiers) != "[5 128]" || fmt.Sprint(q.User) != "[{k v} {k w}]" {
			t.Errorf("%+v", q)
		}
	}
}

func TestInboxDropsTheOldestQoS0AndCounts(t *testing.T) {
	const limit = 256 << 10
	in := newInbox(limit)
	payload := make([]byte, 1000)
	const n = 1000
	for i := range n {
		put(in, fmt.Sprint(i), byte(i%10)/9, payload) // one in ten is QoS 1
	}
	if in.bytes > limit {
		t.Errorf("holds %d bytes, limit %d", in.bytes, limit)
	}
	var got []int
	var dropped uint64
	for more := true; more; {
		var batch *Batch
		var err error
		batch, more, err = in.take(background)
		if err != nil {
			t.Fatal(err)
		}
		dropped += batch.Dropped
		for m := range batch.Messages() {
			var i int
			_, _ = fmt.Sscan(m.Topic, &i)
			got = append(got, i)
		}
	}
	if int(dropped)+len(got) != n {
		t.Errorf("%d dropped, %d kept, want %d together", dropped, len(got), n)
	}
	acknowledged, oldestQoS0 := 0, n
	for k, i := range got {
		if k > 0 && i <= got[k-1] {
			t.Errorf("message %d after %d", i, got[k-1])
		}
		if i%10 == 9 {
			acknowledged++
		} else {
			oldestQoS0 = min(oldestQoS0, i)
		}
	}
	if acknowledged != n/10 {
		t.Errorf("%d of %d QoS 1 messages kept", acknowledged, n/10)
	}
	for i := oldestQoS0; i < n; i++ { // what is kept is the newest, without a gap
		if !contains(got, i) {
			t.Fatalf("message %d is missing, although %d is older", i, oldestQoS0)
		}
	}
}

func contains(list []int, v int) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}

func TestInboxSplitsLongQueuesIntoBatches(t *testing.T) {
	in := newInbox(DefaultInboxLimit)
	for range 3000 {
		put(in, "t", 0, make([]byte, 1000))
	}
	total := 0
	for more := true; more; {
		var batch *Batch
		batch, more, _ = in.take(background)
		size := 0
		for _, r := range batch.Records {
			size += len(r)
		}
		if size > batchBytes {
			t.Errorf("a batch of %d bytes", size)
		}
		total += batch.Count
	}
	if total != 3000 {
		t.Errorf("%d messages of 3000", total)
	}
}

func TestRecycledMemoryIsUsedAgain(t *testing.T) {
	for _, size := range []int{10, segmentSize, 3 * segmentSize} {
		c := &Client{inbox: newInbox(DefaultInboxLimit)}
		payload := make([]byte, size)
		round := func(fill byte) *Batch {
			for i := range payload {
				payload[i] = fill
			}
			put(c.inbox, "t", 0, payload)
			batch, _, err := c.inbox.take(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			batch.client = c
			return batch
		}
		first := round(1)
		memory := &first.Records[0][0]
		first.Recycle()
		second := round(2)
		if &second.Records[0][0] != memory {
			t.Errorf("%d bytes: other memory", size)
		}
		for m := range second.Messages() {
			if !bytes.Equal(m.Payload, payload) {
				t.Errorf("%d bytes: not what was put", size)
			}
		}
		if second.Recycle(); second.Records != nil {
			t.Error("a batch keeps what it has given away")
		}
	}
}

func TestSparedMemoryIsBounded(t *testing.T) {
	in := newInbox(DefaultInboxLimit)
	var records [][]byte
	for range 100 {
		records = append(records, make([]byte, segmentSize))
	}
	in.recycle(records)
	in.recycle([][]byte{make([]byte, 2*maxSpare)})
	if total := len(in.spare) * segmentSize; total != maxSpare || in.spareBytes != total {
		t.Errorf("%d bytes are kept, %d by its own count, of at most %d", total, in.spareBytes, maxSpare)
	}
}
