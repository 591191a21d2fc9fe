package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall/js"
	"testing"
)

// oddities are functions that make values which a page may pass by mistake. Each call
// makes a new value.
const oddities = `[
	() => undefined, () => null, () => true, () => false,
	() => 0, () => -0, () => 1, () => 2, () => -1, () => 1.5, () => NaN, () => Infinity, () => -Infinity,
	() => 2 ** 31, () => 2 ** 32, () => 2 ** 53, () => Number.MAX_VALUE,
	() => 0n, () => 10n, () => Object(10n), () => Object(5), () => new String('text'), () => new Boolean(false),
	() => '', () => 'text', () => 'a/+', () => '#', () => '\ud800', () => 'a\0b', () => '5', () => 'x'.repeat(70000),
	() => Symbol('s'), () => Symbol.iterator, () => Object(Symbol('s')),
	() => () => 5, () => class {}, () => async () => {}, () => function* () {}, () => Proxy, () => () => { throw undefined },
	() => ({}), () => Object.create(null), () => ({ qos: 1, topic: 't' }), () => new Date(NaN), () => /x/g, () => new Map(),
	() => new Error('e'), () => Promise.resolve(), () => new WeakRef({}), () => globalThis,
	() => [], () => [[]], () => [1], () => [['a', 'b']], () => [['a', 'b', 'c']], () => [['a', 1n]], () => ['t', 't'], () => ['t', 1n],
	() => [null], () => [, , 't'], () => [{ topic: 't' }, { get topic() { throw 1 } }], () => new Array(2 ** 32 - 1), () => new (class extends Array {})(3),
	() => Object.create(Array.prototype, { length: { value: 1e15 } }), () => Object.create(Array.prototype), () => { const a = [1]; a[0] = a; return a },
	() => new Proxy([], { get() { throw new Error('trap') } }), () => new Proxy(['t'], {}), () => new Proxy([], { get: () => NaN }),
	() => new Proxy([1, 2, 3], { get: (t, k) => k === 'length' ? 1e300 : 10n }), () => [new Proxy({}, { ownKeys() { throw 1 } })],
	() => new Uint8Array(3), () => new Uint8Array(0), () => Buffer.from('abc'), () => new Uint8ClampedArray(3), () => new Float64Array(3),
	() => new DataView(new ArrayBuffer(4)), () => new ArrayBuffer(4), () => new Uint8Array(new SharedArrayBuffer(4)), () => new SharedArrayBuffer(4),
	() => { const b = new Uint8Array(3); structuredClone(b.buffer, { transfer: [b.buffer] }); return b },
	() => Object.create(Uint8Array.prototype), () => Object.setPrototypeOf({}, Uint8Array.prototype), () => Object.setPrototypeOf(new Uint8Array(3), null),
	() => Object.defineProperty(new Uint8Array(3), 'length', { value: 'long' }), () => Object.defineProperty(new Uint8Array(3), 'length', { get() { throw 1 } }),
	() => Object.defineProperty(new Uint8Array(3), 'length', { value: 1e15 }), () => new Proxy(new Uint8Array(3), {}),
	() => new Proxy(new Uint8Array(3), { getPrototypeOf() { throw new Error('trap') } }),
	() => new AbortController().signal, () => AbortSignal.abort(), () => ({ addEventListener: 5 }), () => ({ aborted: 5n, addEventListener() {} }),
	() => ({ aborted: false, addEventListener() { throw null } }), () => ({ aborted: false, addEventListener() {}, removeEventListener() { throw null } }),
	() => ({ get aborted() { throw new Error('getter') } }), () => new Proxy(new AbortController().signal, {}),
	() => ({ get qos() { throw new Error('getter') } }), () => ({ get url() { throw Symbol('thrown') } }), () => ({ get topic() { throw undefined } }),
	() => new Proxy({}, { get() { throw new Error('trap') } }), () => new Proxy({}, { ownKeys() { throw new Proxy({}, { get() { throw 1 } }) } }),
	() => new Proxy({}, { getOwnPropertyDescriptor() { throw 1 }, ownKeys: () => ['qos'] }), () => new Proxy(() => 1, { apply() { throw 1 } }),
	() => { const r = Proxy.revocable({}, {}); r.revoke(); return r.proxy }, () => { const r = Proxy.revocable([], {}); r.revoke(); return r.proxy },
	() => { const r = Proxy.revocable(() => 1, {}); r.revoke(); return r.proxy },
	() => ({ then() { throw 1 } }), () => ({ toString() { throw 1 }, valueOf() { throw 1 }, [Symbol.toPrimitive]() { throw 1 } }),
]`

// The fields that several calls share, with valid values.
const (
	messageFields  = `qos: 1, retain: true, properties: P({ payloadFormatIndicator: true, messageExpiryInterval: 5, topicAlias: 1, responseTopic: 'r', correlationData: new Uint8Array(2), userProperties: [['k', 'v']], contentType: 'c' })`
	callFields     = `timeout: 1000, signal: new AbortController().signal`
	userProperties = `properties: P({ subscriptionIdentifier: 5, userProperties: [['k', 'v']] })`
)

// shapes make the arguments of one call each. P may replace fields of an object with
// oddities, V a whole value.
var shapes = map[string]string{
	"connect": `[V(P({ url: 'ws://broker/', clientId: 'c', username: 'u', password: 'p', clean: false, keepalive: 5, connectTimeout: 1000,
		reconnectPeriod: 5, resubscribe: true, protocolVersion: 5, onBatch() {}, onEvent() {}, WebSocket: FakeSocket, ` + callFields + `,
		properties: P({ sessionExpiryInterval: 5, receiveMaximum: 5, maximumPacketSize: 500, topicAliasMaximum: 5, requestResponseInformation: true,
			requestProblemInformation: false, userProperties: [['k', 'v']], ...(rng() < 0.5 && { authenticationMethod: 'm', authenticationData: new Uint8Array(2) }) }),
		...(rng() < 0.5 && { will: P({ topic: 't', payload: 'x', ` + messageFields + ` }) }) }))]`,
	"publish":     `[V('t'), V('payload'), V(P({ ` + messageFields + `, ` + callFields + ` }))]`,
	"publishAll":  `[V(new Uint8Array([8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 116])), V(1), V(() => {})]`,
	"subscribe":   `[V(rng() < 0.5 ? 't' : [P({ topic: 't', qos: 1, nl: true, rap: true, rh: 1 })]), V(P({ qos: 1, nl: true, rap: true, rh: 1, ` + callFields + `, ` + userProperties + ` }))]`,
	"unsubscribe": `[V(['t']), V(P({ ` + callFields + `, ` + userProperties + ` }))]`,
	"tellPackets": `[V(P({ on: true, ` + callFields + ` }))]`,
	"disconnect":  `[V(P({ reasonCode: 4, reasonString: 'r', sessionExpiryInterval: 5, userProperties: [['k', 'v']], force: 5, ` + callFields + ` }))]`,
}

// generator returns a function that makes the arguments of a call. Its parameter chance
// is the probability that an oddity replaces a valid value.
func generator(shape string) js.Value {
	return evaluate(`(rng, chance) => {
		const oddities = ` + oddities + `;
		const odd = () => oddities[Math.floor(rng() * oddities.length)]();
		const V = (right) => rng() < chance ? odd() : right;
		const P = (fields) => {
			for (const name of Object.keys(fields)) {
				if (rng() < chance) fields[name] = odd();
				else if (rng() < chance / 10) Object.defineProperty(fields, name, { get() { throw odd() }, enumerable: true });
			}
			return fields;
		};
		return ` + shape + `;
	}`)
}

func evaluate(code string) js.Value {
	return js.Global().Get("Function").New("return " + code).Invoke()
}

// outcome waits for a Promise. Any other value counts as a success.
func outcome(promise js.Value) (value js.Value, rejected bool) {
	type settled struct {
		value    js.Value
		rejected bool
	}
	ch := make(chan settled, 1)
	settle := func(rejected bool) js.Func {
		return js.FuncOf(func(_ js.Value, args []js.Value) any {
			ch <- settled{args[0], rejected}
			return nil
		})
	}
	resolve, reject := settle(false), settle(true)
	defer resolve.Release()
	defer reject.Release()
	promiseClass.Call("resolve", promise).Call("then", resolve, reject)
	s := <-ch
	return s.value, s.rejected
}

// fields are the names that a bad-option error may report.
var fields = strings.Fields(`records first onSettled options filter payload topic url clientId username password clean keepalive connectTimeout reconnectPeriod
	resubscribe protocolVersion onBatch onEvent WebSocket timeout signal qos retain nl rap rh reasonCode reasonString sessionExpiryInterval force on
	properties userProperties sessionExpiryInterval receiveMaximum maximumPacketSize topicAliasMaximum requestResponseInformation
	requestProblemInformation authenticationMethod authenticationData will payloadFormatIndicator messageExpiryInterval topicAlias
	responseTopic correlationData contentType subscriptionIdentifier willDelayInterval`)

// checkOutcome checks that a call succeeds, or fails with an MqttError, which names the
// field if an option is bad.
func checkOutcome(t *testing.T, call string, promise js.Value) (result js.Value, accepted bool) {
	t.Helper()
	v, rejected := outcome(promise)
	if !rejected {
		return v, true
	}
	if v.Type() != js.TypeObject || v.Get("name").String() != "MqttError" || v.Get("code").Type() != js.TypeString {
		t.Errorf("%s: rejected with %v, which is not an MqttError", call, v)
		return js.Undefined(), false
	}
	if v.Get("code").String() != "bad-option" {
		return js.Undefined(), true // the options were accepted; the broker's reply does not matter here
	}
	field := v.Get("field")
	if field.Type() != js.TypeString {
		t.Errorf("%s: %s: no field", call, v.Get("message"))
		return js.Undefined(), false
	}
	name := field.String()[strings.LastIndex(field.String(), ".")+1:]
	if !slices.Contains(fields, name) {
		t.Errorf("%s: %s: field %q", call, v.Get("message"), field)
	}
	return js.Undefined(), false
}

func apply(client js.Value, method string, args js.Value) js.Value {
	return js.Global().Get("Reflect").Call("apply", client.Get(method), client, args)
}

// end disconnects a client, which may have ended already.
func end(client js.Value) {
	outcome(client.Call("disconnect", map[string]any{"force": true}))
}

// Whatever a page passes, the program survives and reports what was wrong.
func TestArbitraryValues(t *testing.T) {
	const rounds = 1000 // calls of each kind, with about ten values each
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	random := js.FuncOf(func(js.Value, []js.Value) any { return rng.Float64() })
	defer random.Release()
	installFakeSocket(t)
	client := mustConnect(t)
	defer end(client)
	for kind, shape := range shapes {
		make := generator(shape)
		accepted := 0
		for i := range rounds {
			chance := []float64{0, 0.03, 0.1, 0.5, 1}[i%5]
			args := make.Invoke(random, chance)
			call := fmt.Sprintf("seed %d, %s %d", seed, kind, i)
			var promise js.Value
			switch kind {
			case "connect":
				promise = connect(args.Index(0))
			case "disconnect":
				c := mustConnect(t)
				promise = apply(c, kind, args)
				defer end(c)
			default:
				promise = apply(client, kind, args)
			}
			v, ok := checkOutcome(t, call, promise)
			if ok {
				accepted++
			}
			if kind == "connect" && !v.IsUndefined() {
				end(v)
			}
		}
		if accepted == 0 || accepted == rounds {
			t.Errorf("%s: %d of %d accepted", kind, accepted, rounds)
		}
		t.Logf("%s: %d of %d accepted", kind, accepted, rounds)
	}
}
