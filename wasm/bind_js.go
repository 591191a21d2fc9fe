package main

import (
	"context"
	"errors"
	"net"
	"syscall/js"
	"time"

	"mqttwasm/wasm/mqtt"
	"mqttwasm/wasm/wsconn"
)

// binding is a client as JavaScript sees it. The functions of its object are
// shared by all clients and find theirs by id, so that nothing is left behind
// when a client ends, and a late call is refused instead of lost.
type binding struct {
	client  *mqtt.Client
	onBatch js.Value
	onEvent js.Value
}

var (
	bindings  = map[int]*binding{}
	lastID    int
	prototype = newPrototype()
)

func newPrototype() js.Value {
	v := objectClass.New()
	for name, method := range map[string]func(b *binding, args []js.Value) any{
		"publish":     (*binding).publish,
		"subscribe":   (*binding).subscribe,
		"unsubscribe": (*binding).unsubscribe,
		"disconnect":  (*binding).disconnect,
	} {
		v.Set(name, js.FuncOf(func(this js.Value, args []js.Value) any {
			p := parser{value: this}
			if b, ok := bindings[p.integer("id", 1, maxMilliseconds, 0)]; ok {
				return method(b, args)
			}
			return rejected(&mqtt.Error{Code: mqtt.NotConnected, Message: name + ": the client has ended"})
		}))
	}
	return v
}

// connect is mqttwasm.connect.
func connect(options js.Value) js.Value {
	p := parse(options)
	if p.value.IsUndefined() {
		p.bad("options", "must be an object with url")
	}
	o := parseOptions(p)
	b := &binding{onBatch: p.function("onBatch"), onEvent: p.function("onEvent")}
	dial := wsconn.Options{WebSocket: p.function("WebSocket")}
	if p.err != nil {
		return rejected(p.err)
	}
	o.Dial = func(ctx context.Context, url string) (net.Conn, error) { return wsconn.Dial(ctx, url, dial) }
	lastID++
	id := lastID
	o.OnEvent = func(ev mqtt.Event) {
		b.event(ev)
		if _, ended := ev.(mqtt.Ended); ended {
			delete(bindings, id)
		}
	}
	return call(p, 0, func(ctx context.Context) (_ any, err error) {
		b.client, err = mqtt.Connect(ctx, o)
		if err != nil {
			return nil, err
		}
		bindings[id] = b
		go b.pump()
		api := objectClass.Call("create", prototype)
		api.Set("id", id)
		return api, nil
	})
}

// publish(topic, payload, options) queues in the order of the calls.
func (b *binding) publish(args []js.Value) any {
	options := parse(argument(args, 2))
	var m mqtt.Message
	m.Topic = options.asText("topic", options.accept("topic", argument(args, 0)))
	m.Payload = options.asBytes("payload", options.accept("payload", argument(args, 1)))
	options.delivery(&m)
	if options.err != nil {
		return rejected(options.err)
	}
	var giveUp func(error)
	stop, err := watch(options, defaultTimeout, func(cause error) {
		if errors.Is(cause, context.DeadlineExceeded) {
			giveUp(&mqtt.Error{Code: mqtt.Timeout, Message: "publish: no acknowledgement in time; the message may still arrive"})
		} else {
			giveUp(&mqtt.Error{Code: mqtt.Aborted, Message: "publish: given up by the caller; the message may still arrive"})
		}
	})
	if err != nil {
		return rejected(err)
	}
	d := newDeferred()
	giveUp = b.client.PublishAsync(&m, func(r mqtt.PublishResult, err error) {
		stop()
		v := ackValue(r.ReasonString, r.UserProperties)
		v["reasonCode"] = int(r.ReasonCode)
		d.settle(v, err)
	})
	return d.promise
}

// subscribe(subscriptions, options); one topic filter as text will do.
func (b *binding) subscribe(args []js.Value) any {
	options := argument(args, 1)
	p := parse(options)
	filter := p.accept("filter", argument(args, 0))
	var subs []mqtt.Subscription
	if filters, ok := textList(filter); ok {
		s, err := parseSubscription(options)
		if err != nil {
			return rejected(err)
		}
		for _, filter := range filters {
			s.Filter = filter
			subs = append(subs, s)
		}
	} else if items, ok := listOf(filter); ok {
		for _, item := range items {
			s, err := parseSubscription(item)
			if err != nil {
				return rejected(err)
			}
			subs = append(subs, s)
		}
	} else {
		p.bad("filter", "must be a topic filter or an array of them")
	}
	props := p.sub("properties")
	o := mqtt.SubscribeOptions{
		Identifier:     props.integer("subscriptionIdentifier", 1, 268_435_455, 0),
		UserProperties: props.userProperties(),
	}
	p.done(props)
	if p.err != nil {
		return rejected(p.err)
	}
	return call(p, defaultTimeout, func(ctx context.Context) (any, error) {
		r, err := b.client.Subscribe(ctx, subs, o)
		return subscribeAck(r), err
	})
}

// unsubscribe(filters, options); one filter will do.
func (b *binding) unsubscribe(args []js.Value) any {
	p := parse(argument(args, 1))
	filters, ok := textList(p.accept("filter", argument(args, 0)))
	if !ok {
		p.bad("filter", "must be a topic filter or an array of them")
	}
	props := p.sub("properties")
	user := props.userProperties()
	p.done(props)
	if p.err != nil {
		return rejected(p.err)
	}
	return call(p, defaultTimeout, func(ctx context.Context) (any, error) {
		r, err := b.client.Unsubscribe(ctx, filters, user)
		return subscribeAck(r), err
	})
}

// disconnect(options)
func (b *binding) disconnect(args []js.Value) any {
	p := parse(argument(args, 0))
	o := mqtt.DisconnectOptions{
		ReasonCode:     byte(p.integer("reasonCode", 0, 255, 0)),
		ReasonString:   p.text("reasonString"),
		SessionExpiry:  optional[uint32](p, "sessionExpiryInterval", maxUint32),
		UserProperties: p.userProperties(),
		Force:          p.boolean("force", false),
	}
	if p.err != nil {
		return rejected(p.err)
	}
	return call(p, defaultTimeout, func(ctx context.Context) (any, error) {
		return js.Undefined(), b.client.Disconnect(ctx, o)
	})
}

// textList takes a string, or an array of nothing but strings.
func textList(v js.Value) (list []string, ok bool) {
	if v.Type() == js.TypeString {
		return []string{v.String()}, true
	}
	items, ok := listOf(v)
	for _, item := range items {
		if item.Type() != js.TypeString {
			return nil, false
		}
		list = append(list, item.String())
	}
	return list, ok && len(items) > 0
}

// pump hands received messages over, a batch at a time, until the client ends.
// It waits for the Promise that onBatch may return: that is what holds the
// broker back when the page is slow.
func (b *binding) pump() {
	for {
		batch, err := b.client.Receive(context.Background())
		if err != nil {
			return
		}
		if !b.onBatch.IsUndefined() {
			b.hand(batch)
		}
		batch.Done()
	}
}

func (b *binding) hand(batch *mqtt.Batch) {
	size := 0
	for _, records := range batch.Records {
		size += len(records)
	}
	v := bytesClass.New(size)
	at := 0
	for _, records := range batch.Records {
		js.CopyBytesToJS(v.Call("subarray", at), records)
		at += len(records)
	}
	result := invoke(b.onBatch, v.Get("buffer"), batch.Count, float64(batch.Dropped))
	if !result.IsUndefined() {
		await(result)
	}
}

// invoke calls a callback of the page. Its exception must not end the program.
func invoke(f js.Value, args ...any) (result js.Value) {
	defer func() {
		if r := recover(); r != nil {
			thrown, ok := r.(js.Error)
			if !ok {
				panic(r)
			}
			js.Global().Get("console").Call("error", "mqttwasm: a callback threw", thrown.Value)
			result = js.Undefined()
		}
	}()
	return f.Invoke(args...)
}

// await waits until what may be a Promise settles.
func await(v js.Value) {
	done := make(chan struct{}, 1)
	f := js.FuncOf(func(js.Value, []js.Value) any {
		select {
		case done <- struct{}{}:
		default: // some thenable settles twice
		}
		return nil
	})
	defer f.Release()
	_, ok := guarded(func() js.Value { return promiseClass.Call("resolve", v).Call("then", f, f) })
	if ok {
		<-done
	}
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
			packet["serverReference"] = e.ServerReference
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
		invoke(b.onEvent, v)
	}
}

func withError(kind string, err error) map[string]any {
	v := map[string]any{"type": kind}
	if err != nil {
		v["error"] = wireError(err)
	}
	return v
}
