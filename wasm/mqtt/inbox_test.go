package mqtt

import (
	"bytes"
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
