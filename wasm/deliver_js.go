package main

import (
	"context"
	"syscall/js"
	"time"

	"mqttwasm/wasm/mqtt"
)

// pace is how often messages are handed over while they arrive faster than that: each
// hand-over costs the page a task. A message after a pause is handed over at once, and
// so is a batch behind which others wait.
const pace = 4 * time.Millisecond

// pump hands received messages over, a batch at a time, until the client ends. It waits
// for the Promise that onBatch may return, which holds the broker back when the page is
// slow. If the Promise has a property next, itself a Promise, pump waits only for next
// and acknowledges when the first one settles: so messages for a frozen page do not
// hold up those for others. The Receive Maximum bounds how many batches wait this way.
func (b *binding) pump() {
	for {
		batch, err := b.client.Receive(context.Background())
		if err != nil {
			return
		}
		began := time.Now()
		if b.onBatch.IsUndefined() {
			batch.Done()
		} else {
			b.hand(batch)
		}
		// Brokers send few messages of QoS 1 and 2 ahead of their acknowledgements.
		if batch.Count > 1 && batch.Owed() == 0 && !batch.More() {
			time.Sleep(pace - time.Since(began))
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
