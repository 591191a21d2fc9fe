package main

import (
	"context"
	"syscall/js"
	"time"

	"mqttwasm/wasm/mqtt"
)

// Each batch costs the page a task, however small the batch is. So the faster messages
// arrive, the longer they are gathered.
const (
	// pace is the time between batches at one message per millisecond. It grows with the
	// square of the rate: 2 ms at 5,000 messages a second, 7 ms at 10,000.
	pace    = 70 * time.Microsecond
	maxPace = 8 * time.Millisecond
	// gather is how long the first message of a batch waits for others.
	gather = time.Millisecond
	// window is how much of the past counts for the rate.
	window = 16 * time.Millisecond
	// largeAs is how many messages a large payload counts as: handing it over takes as long.
	largeAs = 10
)

// A pacer decides how long to gather messages before a batch is handed over.
type pacer struct {
	rate    float64   // messages per millisecond
	last    time.Time // when the last batch was taken
	pressed bool      // it had messages of QoS 1 or 2, or others waited when it was taken
}

// wait returns how long the messages that have arrived wait for others. A message after
// a pause does not wait, nor do those that the last batch had no room for. Nor do messages
// of QoS 1 and 2: brokers send few of them ahead of their acknowledgements.
func (p *pacer) wait(now time.Time) time.Duration {
	since := now.Sub(p.last)
	if p.pressed || p.rate < 1 || since > window {
		return 0
	}
	return max(gather, min(time.Duration(p.rate*p.rate*float64(pace)), maxPace)-since)
}

// took notes that a batch of count messages was taken.
func (p *pacer) took(now time.Time, count int, pressed bool) {
	forgotten := min(1, float64(now.Sub(p.last))/float64(window))
	p.rate += float64(count)/float64(window/time.Millisecond) - p.rate*forgotten
	p.last, p.pressed = now, pressed
}

// pump hands received messages over, a batch at a time, until the client ends. It waits
// for the Promise that onBatch may return, which holds the broker back when the page is
// slow. If the Promise has a property next, itself a Promise, pump waits only for next
// and acknowledges when the first one settles: so messages for a frozen page do not
// hold up those for others. The Receive Maximum bounds how many batches wait this way.
func (b *binding) pump() {
	var pacer pacer
	for {
		if b.client.Arrived(context.Background()) != nil {
			return
		}
		time.Sleep(pacer.wait(time.Now()))
		batch, err := b.client.Receive(context.Background())
		if err != nil {
			return
		}
		pacer.took(time.Now(), batch.Count+(largeAs-1)*len(batch.Kept()), batch.Owed() > 0 || batch.More())
		if b.onBatch.IsUndefined() {
			batch.Done()
		} else {
			b.hand(batch)
		}
	}
}

// hand returns when the next batch may be handed over.
func (b *binding) hand(batch *mqtt.Batch) {
	args := []any{bufferOf(batch), batch.Count, float64(batch.Dropped)}
	if kept := batch.Kept(); len(kept) > 0 {
		handles := make([]any, len(kept))
		for i, handle := range kept {
			handles[i] = handle
		}
		args = append(args, handles)
	}
	batch.Recycle()
	result, err := invoke(b.onBatch, args...)
	if err != nil {
		report(err)
		batch.Done()
		return
	}
	taken := func() {
		_, err := await(context.Background(), result)
		report(err)
		batch.Done()
	}
	next := js.Undefined()
	if batch.Owed() > 0 && result.Type() == js.TypeObject {
		next, _ = property(result, "next")
	}
	if next.Type() != js.TypeObject {
		taken()
		return
	}
	go taken()
	_, err = await(context.Background(), next)
	report(err)
}

// bufferOf copies a batch into an ArrayBuffer.
func bufferOf(batch *mqtt.Batch) js.Value {
	size := 0
	for _, records := range batch.Encoded() {
		size += len(records)
	}
	v := bytesClass.New(size)
	at := 0
	for _, records := range batch.Encoded() {
		to := v
		if at > 0 {
			to = v.Call("subarray", at)
		}
		js.CopyBytesToJS(to, records)
		at += len(records)
	}
	return v.Get("buffer")
}

// event tells the page what happened.
func (b *binding) event(ev mqtt.Event) {
	var v map[string]any
	switch e := ev.(type) {
	case mqtt.Connected:
		v = map[string]any{"type": "connect", "connack": connackValue(e.Connack)}
	case mqtt.Reconnecting:
		v = map[string]any{"type": "reconnect", "attempt": e.Attempt, "delay": int(e.Delay / time.Millisecond)}
	case mqtt.ServerDisconnected:
		packet := ackValue(e.ReasonString, e.UserProperties)
		packet["reasonCode"] = int(e.ReasonCode)
		if e.ServerReference != "" {
			packet["serverReference"] = received(e.ServerReference)
		}
		v = map[string]any{"type": "disconnect", "packet": packet}
	case mqtt.Closed:
		v = withError("close", e.Err)
	case mqtt.Failed:
		v = withError("error", e.Err)
	case mqtt.Ended:
		v = withError("end", e.Err)
	}
	if !b.onEvent.IsUndefined() {
		_, err := invoke(b.onEvent, v)
		report(err)
	}
}

func withError(kind string, err error) map[string]any {
	v := map[string]any{"type": kind}
	if err != nil {
		v["error"] = wireError(err)
	}
	return v
}
