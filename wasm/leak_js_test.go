package main

import (
	"runtime"
	"syscall/js"
	"testing"
)

// fakeSocket is a WebSocket class backed by a broker that accepts everything. It counts
// the listeners that are added and not removed.
const fakeSocket = `class FakeSocket extends EventTarget {
	static listeners = 0;
	constructor(url, protocols) {
		super();
		Object.assign(this, { url, protocol: protocols[0], bufferedAmount: 0, readyState: 0 });
		setTimeout(() => {
			this.readyState = 1;
			this.dispatchEvent(new Event('open'));
		});
	}
	addEventListener(...args) { FakeSocket.listeners++; super.addEventListener(...args); }
	removeEventListener(...args) { FakeSocket.listeners--; super.removeEventListener(...args); }
	send(frame) {
		const b = new Uint8Array(frame);
		for (let at = 0; at < b.length;) {
			let size = 0, i = at + 1;
			for (let shift = 0; ; shift += 7) {
				size |= (b[i] & 0x7f) << shift;
				if (b[i++] < 0x80) break;
			}
			this.answer(b[at] >> 4, b[at] >> 1 & 3, b.subarray(i, i + size));
			at = i + size;
		}
	}
	answer(type, qos, body) {
		const topic = 2 + body[0] * 256 + body[1];
		switch (type) {
		case 1: return this.deliver(0x20, 6, 0, 0, 3, 0x22, 0, 10);
		case 3: if (qos > 0) this.deliver(qos === 1 ? 0x40 : 0x50, 2, body[topic], body[topic + 1]); return;
		case 6: return this.deliver(0x70, 2, body[0], body[1]);
		case 8: return this.deliver(0x90, 4, body[0], body[1], 0, 0);
		case 10: return this.deliver(0xb0, 4, body[0], body[1], 0, 0);
		}
	}
	deliver(...bytes) {
		setTimeout(() => this.dispatchEvent(Object.assign(new Event('message'), { data: new Uint8Array(bytes).buffer })));
	}
	close(code, reason) {
		setTimeout(() => {
			this.readyState = 3;
			this.dispatchEvent(Object.assign(new Event('close'), { code, reason, wasClean: true }));
		});
	}
}`

func installFakeSocket(t *testing.T) js.Value {
	class := evaluate(fakeSocket)
	js.Global().Set("FakeSocket", class)
	t.Cleanup(func() { js.Global().Delete("FakeSocket") })
	return class
}

func mustConnect(t *testing.T) js.Value {
	t.Helper()
	client, failed := outcome(connect(evaluate(`({ url: 'ws://broker/', WebSocket: FakeSocket })`)))
	if failed {
		t.Fatal(client.Get("message"))
	}
	return client
}

// countFuncs starts to collect what js.FuncOf makes. The function it returns counts
// those not released: calling a released one only logs to the console.
func countFuncs(t *testing.T) (unreleased func() int) {
	t.Helper()
	count := evaluate(`(() => {
		const made = [], make = Go.prototype._makeFuncWrapper;
		Go.prototype._makeFuncWrapper = function (id) {
			const f = make.call(this, id);
			made.push(f);
			return f;
		};
		return () => {
			Go.prototype._makeFuncWrapper = make;
			const complain = console.error;
			let released = 0;
			console.error = () => { released++; };
			for (const f of made) f();
			console.error = complain;
			return made.length - released;
		};
	})`).Invoke()
	return func() int { return count.Invoke().Int() }
}

func TestNothingIsLeftBehind(t *testing.T) {
	const rounds = 1000
	class := installFakeSocket(t)
	round := func() {
		client := mustConnect(t)
		for _, call := range []string{`c => c.publish('t', 'x', { qos: 2, signal: new AbortController().signal })`, `c => c.subscribe('t')`, `c => c.disconnect()`} {
			if v, failed := outcome(evaluate(call).Invoke(client)); failed {
				t.Fatal(call, v.Get("message"))
			}
		}
	}
	round()
	goroutines, bound := settledGoroutines(runtime.NumGoroutine()), len(bindings)
	unreleased := countFuncs(t)
	for range rounds {
		round()
	}
	if n := settledGoroutines(goroutines); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if n := unreleased(); n > 0 {
		t.Errorf("%d functions not released after %d rounds", n, rounds)
	}
	if n := class.Get("listeners").Int(); n != 0 {
		t.Errorf("%d event listeners not removed", n)
	}
	if len(bindings) != bound {
		t.Errorf("%d clients are still known", len(bindings)-bound)
	}
}

// settledGoroutines gives ending goroutines a few turns of the event loop, and returns
// how many are left.
func settledGoroutines(want int) int {
	turn := make(chan struct{}, 1)
	next := js.FuncOf(func(js.Value, []js.Value) any {
		turn <- struct{}{}
		return nil
	})
	defer next.Release()
	for range 100 {
		if runtime.NumGoroutine() <= want {
			break
		}
		js.Global().Call("setTimeout", next)
		<-turn
	}
	return runtime.NumGoroutine()
}
