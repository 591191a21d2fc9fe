package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"slices"
	"syscall/js"
	"testing"
)

func appendPublish(b []byte, flags byte, limit uint32, topic, payload string) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(1+4+2+len(topic)+len(payload)))
	b = binary.LittleEndian.AppendUint32(append(b, flags), limit)
	b = binary.BigEndian.AppendUint16(b, uint16(len(topic)))
	return append(append(b, topic...), payload...)
}

// appendProperties appends a message with properties, in wire form.
func appendProperties(b []byte, flags byte, properties string) []byte {
	size := binary.LittleEndian.AppendUint32(nil, uint32(len(properties)))
	return appendPublish(b, flags|16, 30_000, "t", string(size)+properties+"payload")
}

// outcomes collects the outcomes of publishes, by number.
type outcomes struct {
	t         *testing.T
	onSettled js.Func
	settled   chan string
}

func hear(t *testing.T) *outcomes {
	o := &outcomes{t: t, settled: make(chan string, 10_000)}
	o.onSettled = js.FuncOf(func(_ js.Value, args []js.Value) any {
		acks := make([]byte, args[0].Get("byteLength").Int())
		js.CopyBytesToGo(acks, bytesClass.New(args[0]))
		for ; len(acks) >= ackSize; acks = acks[ackSize:] {
			o.settled <- fmt.Sprintf("%v: %d", math.Float64frombits(binary.LittleEndian.Uint64(acks)), acks[8])
		}
		for i := range args[1].Length() {
			other := args[1].Index(i)
			if e := other.Get("error"); !e.IsUndefined() {
				o.settled <- fmt.Sprintf("%v: %s %v", other.Get("id").Float(), e.Get("code").String(), e.Get("field"))
			} else {
				o.settled <- fmt.Sprintf("%v: %s", other.Get("id").Float(), other.Get("ack").Get("reasonString").String())
			}
		}
		return nil
	})
	t.Cleanup(o.onSettled.Release)
	return o
}

func (o *outcomes) publish(client js.Value, first float64, records []byte) {
	o.t.Helper()
	if v := client.Call("publishAll", bytesValue(records), first, o.onSettled); !v.IsUndefined() {
		v, _ = outcome(v)
		o.t.Fatal(v.Get("message"))
	}
}

func (o *outcomes) want(want ...string) {
	o.t.Helper()
	var got []string
	for range want {
		got = append(got, <-o.settled)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		o.t.Errorf("settled %q, want %q", got, want)
	}
}

// Each message settles by itself, as with publish.
func TestPublishAll(t *testing.T) {
	installFakeSocket(t)
	client := mustConnect(t)
	defer end(client)
	o := hear(t)
	var records []byte
	for _, topic := range []string{"t", "wild/#", "", "\xff"} {
		for qos := range byte(3) {
			records = appendPublish(records, qos<<1, 30_000, topic, "x")
		}
	}
	records = appendPublish(records, 1<<1|8, 0, "t", "x") // there is no store
	const first = 1 << 40
	o.publish(client, first, records)
	var want []string
	for i := range 3 {
		want = append(want, fmt.Sprintf("%v: 0", float64(first+i)))
	}
	for i := 3; i < 12; i++ {
		want = append(want, fmt.Sprintf("%v: bad-option topic", float64(first+i)))
	}
	want = append(want, fmt.Sprintf("%v: bad-option waitFor", float64(first+12)))
	slices.Sort(want)
	o.want(want...)
}

// Properties are checked as in publish.
func TestPublishAllWithProperties(t *testing.T) {
	installFakeSocket(t)
	client := mustConnect(t)
	defer end(client)
	o := hear(t)
	var records []byte
	for _, properties := range []string{
		"",
		"\x01\x01\x02\x00\x00\x00\x05\x03\x00\x01c\x08\x00\x01r\x09\x00\x01\xff\x26\x00\x01k\x00\x01v\x26\x00\x01k\x00\x01w",
		"\x01\x02",
		"\x03\x00\x01\xff",
		"\x08\x00\x01#",
		"\x23\x00\x00",
		"\x26\x00\x01k\x00\x01\xff",
	} {
		records = appendProperties(records, 2, properties)
	}
	o.publish(client, 0, records)
	o.want("0: 0", "1: 0",
		"2: bad-option properties.payloadFormatIndicator", "3: bad-option properties.contentType",
		"4: bad-option properties.responseTopic", "5: bad-option properties.topicAlias",
		"6: bad-option properties.userProperties")
}

// Messages that are ready together settle together, in few frames.
func TestPublishAllIsOfOneTask(t *testing.T) {
	class := installFakeSocket(t)
	evaluate(`(Fake => {
		const send = Fake.prototype.send;
		Fake.frames = 0;
		Fake.prototype.send = function (frame) { Fake.frames++; send.call(this, frame); };
	})`).Invoke(class)
	client := mustConnect(t)
	defer end(client)
	before := class.Get("frames").Int()
	const messages, size = 1000, 100
	var records []byte
	var want []string
	for i := range messages {
		records = appendPublish(records, 0, 30_000, "t", string(make([]byte, size)))
		want = append(want, fmt.Sprintf("%v: 0", float64(i)))
	}
	o := hear(t)
	runtime.GC() // a collection in between could settle the first ones early
	calls := 0
	counting := js.FuncOf(func(_ js.Value, args []js.Value) any {
		calls++
		return o.onSettled.Invoke(args[0], args[1])
	})
	defer counting.Release()
	client.Call("publishAll", bytesValue(records), 0, counting)
	slices.Sort(want)
	o.want(want...)
	if calls != 1 {
		t.Errorf("told in %d calls", calls)
	}
	if frames := class.Get("frames").Int() - before; frames > messages*(size+10)/(16<<10)+4 {
		t.Errorf("%d messages in %d frames", messages, frames)
	}
}

// Only the messages whose time limit has passed fail.
func TestPublishAllTimeLimits(t *testing.T) {
	class := installFakeSocket(t)
	evaluate(`Fake => { // a broker that does not answer where the payload is m
		const answer = Fake.prototype.answer;
		Fake.prototype.answer = function (type, qos, body) {
			if (type !== 3 || body[body.length - 1] !== 109) answer.call(this, type, qos, body);
		};
	}`).Invoke(class)
	client := mustConnect(t)
	o := hear(t)
	records := appendPublish(nil, 2, 40, "t", "m")
	records = appendPublish(records, 2, 40, "t", "answered")
	records = appendPublish(records, 2, 20, "t", "m")
	records = appendPublish(records, 2, 40, "t", "m")
	records = appendPublish(records, 2, 0, "t", "m")
	records = appendPublish(records, 2, 60_000, "t", "m")
	o.publish(client, 1, records)
	o.want("2: 0")
	o.want("3: timeout <undefined>")
	o.publish(client, 7, appendPublish(nil, 2, 40, "t", "m"))
	o.want("1: timeout <undefined>", "4: timeout <undefined>")
	o.want("7: timeout <undefined>")
	b := bindings[client.Get("id").Int()]
	if n := len(b.publishes.limits); n != 1 {
		t.Errorf("%d time limits, want the one that has not passed", n)
	}
	end(client)
	o.want("5: session-lost <undefined>", "6: session-lost <undefined>")
	if n := len(b.publishes.limits) + len(b.publishes.tellers); n != 0 {
		t.Errorf("%d limits and tellers are left behind", n)
	}
}

func TestPublishAllRefuses(t *testing.T) {
	installFakeSocket(t)
	client := mustConnect(t)
	whole := appendPublish(nil, 0, 0, "topic", "payload")
	with := func(at int, value byte) []byte {
		b := slices.Clone(whole)
		b[at] = value
		return b
	}
	o := hear(t)
	for name, records := range map[string][]byte{
		"a part of a length":         whole[:3],
		"a part of a record":         whole[:len(whole)-1],
		"a length beyond the end":    with(3, 0xFF),
		"a length of nothing":        {0, 0, 0, 0},
		"a topic beyond the end":     with(9, 0xFF),
		"QoS 3":                      with(4, 6),
		"flags that mean nothing":    with(4, 32),
		"properties beyond the end":  with(4, 16),
		"half of a property":         appendProperties(nil, 0, "\x02\x00\x00"),
		"a property that is none":    appendProperties(nil, 0, "\x7f\x00"),
		"a property of others":       appendProperties(nil, 0, "\x0b\x01"),
		"half of a record after one": append(slices.Clone(whole), whole[:9]...),
	} {
		v, rejected := outcome(client.Call("publishAll", bytesValue(records), 1, o.onSettled))
		if !rejected || v.Get("field").String() != "records" {
			t.Errorf("%s: %v", name, v)
		}
	}
	end(client)
	v, rejected := outcome(client.Call("publishAll", bytesValue(whole), 1, o.onSettled))
	if !rejected || v.Get("code").String() != "not-connected" {
		t.Errorf("after the end: %v", v)
	}
	if len(o.settled) > 0 {
		t.Errorf("%s", <-o.settled)
	}
}
