package main

import (
	"strings"
	"syscall/js"
	"testing"
	"testing/synctest"
	"time"

	"mqttwasm/wasm/mqtt"
)

// These tests cover faults of commit 8fbf773.

// slowStore makes options with a store that opens, or loads, when the test says so. Its
// promise closed resolves when the store is closed, or after a second.
const slowStore = `(options) => {
	const env = { opened: 0, closes: 0, loaded() {} };
	env.closed = new Promise(resolve => {
		setTimeout(resolve, 1000);
		env.close = () => { env.closes++; setTimeout(resolve, 20); }; // or twice
	});
	const handle = {
		load: () => new Promise(resolve => { env.loaded = () => resolve([]); }),
		apply: async () => {},
		close: async () => env.close(),
	};
	const openStore = () => new Promise((resolve, reject) => {
		env.open = () => { env.opened++; resolve(handle); };
		env.fail = () => reject(new Error('locked'));
		if (options.opens) env.open();
	});
	env.options = {
		url: 'ws://broker/', WebSocket: FakeSocket, clientId: 'c', clean: false, properties: { sessionExpiryInterval: 10 },
		store: 'session', openStore, ...options,
	};
	return env;
}`

// A store that opened after its caller had given up stayed open, and locked until the
// program ended.
func TestStoreThatOpensTooLateIsClosed(t *testing.T) {
	installFakeSocket(t)
	for name, test := range map[string]struct {
		options string
		code    string
		then    string // what happens after the caller has given up
		closes  int
	}{
		"time limit":             {`{ timeout: 5 }`, "timeout", "open", 1},
		"signal":                 {`{ signal: AbortSignal.timeout(5) }`, "aborted", "open", 1},
		"it opens, and loads on": {`{ timeout: 5, opens: true }`, "timeout", "loaded", 1},
		"it never opens":         {`{ timeout: 5 }`, "timeout", "fail", 0},
	} {
		t.Run(name, func(t *testing.T) {
			env := evaluate(slowStore).Invoke(evaluate("(" + test.options + ")"))
			v, failed := outcome(connect(env.Get("options")))
			if !failed || v.Get("code").String() != test.code {
				t.Fatalf("connect: %v", v.Get("message"))
			}
			env.Call(test.then)
			outcome(env.Get("closed"))
			if n := env.Get("closes").Int(); n != test.closes {
				t.Errorf("opened %d times, closed %d times, want %d", env.Get("opened").Int(), n, test.closes)
			}
		})
	}
}

// A time limit fired while its last publish was being settled. Its timer was set again,
// with nothing to wait for, and kept firing.
func TestTimerOfSettledPublishesEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = time.Second
		p := &publishes{}
		c := &publishing{in: p, teller: p.tellerFor(evaluate(`() => {}`), 1)}
		p.limit(c, limit, time.Now())
		l := c.limit
		p.mu.Lock()
		time.Sleep(limit) // expire waits for mu, or is about to
		c.settled = true
		l.remove()
		p.mu.Unlock()
		synctest.Wait()
		if l.timer.Stop() {
			t.Error("the timer runs on")
		}
		if n := len(p.limits); n != 0 {
			t.Errorf("%d limits are known", n)
		}
	})
}

// The session was busy for longer than the time limit when publish was called: the
// token to cancel did not exist yet, and using it ended the program.
func TestPublishGivenUpBeforeItHasAToken(t *testing.T) {
	installFakeSocket(t)
	for name, test := range map[string]struct{ options, code string }{
		"time limit": {`({ qos: 1, timeout: 1 })`, "timeout"},
		"signal":     {`({ qos: 1, signal: AbortSignal.timeout(1) })`, "aborted"},
	} {
		t.Run(name, func(t *testing.T) {
			client := mustConnect(t)
			defer end(client)
			b := bindings[client.Get("id").Int()]
			held, release := make(chan struct{}), make(chan struct{})
			go b.client.PublishAsync(&mqtt.Message{}, mqtt.PublishOptions{OnSettled: func(mqtt.PublishResult, error) {
				close(held) // a message that is refused settles at once, within the session
				<-release
			}})
			<-held
			promise := make(chan js.Value)
			go func() {
				v, _ := b.publish([]js.Value{js.ValueOf("t"), js.ValueOf("x"), evaluate(test.options)}).(js.Value)
				promise <- v
			}()
			outcome(evaluate(`new Promise(resolve => setTimeout(resolve, 20))`)) // until it has been given up
			close(release)
			v, failed := outcome(<-promise)
			if !failed || v.Get("code").String() != test.code {
				t.Errorf("publish: %v", v)
			}
			if v, failed := outcome(client.Call("publish", "t", "x", map[string]any{"qos": 1})); failed {
				t.Errorf("the next one: %v", v.Get("message"))
			}
		})
	}
}

// [MQTT-1.5.4-3]: the broker's texts reach the page unchanged; a leading U+FEFF was
// lost between Go and JavaScript.
func TestTextKeepsItsBeginning(t *testing.T) {
	const text = "\uFEFFa\uFEFF"
	user := mqtt.UserProperties{{Key: text, Value: text}}
	connack := connackValue(mqtt.Connack{
		ClientID: text, ReasonString: text, UserProperties: user, ResponseInformation: text, ServerReference: text, AuthMethod: text,
	})
	b := &binding{onEvent: evaluate(`(event) => { globalThis.lastEvent = event; }`)}
	b.event(mqtt.ServerDisconnected{ReasonString: text, ServerReference: text, UserProperties: user})
	for name, v := range map[string]js.Value{
		"CONNACK":    js.ValueOf(connack),
		"PUBACK":     js.ValueOf(publishAck(mqtt.PublishResult{ReasonString: text, UserProperties: user})),
		"SUBACK":     js.ValueOf(subscribeAck(mqtt.SubscribeResult{ReasonString: text, UserProperties: user})),
		"error":      errorValue(&mqtt.Error{Code: mqtt.Refused, ReasonString: text, ServerReference: text, CloseReason: text}),
		"DISCONNECT": js.Global().Get("lastEvent"),
	} {
		all := js.Global().Get("JSON").Call("stringify", v).String()
		if whole, others := strings.Count(all, text), strings.Count(all, "a\uFEFF"); whole == 0 || whole != others {
			t.Errorf("%s: %q", name, all)
		}
	}
}
