package main

import (
	"cmp"
	"context"
	"errors"
	"net"
	"syscall/js"

	"mqttwasm/wasm/mqtt"
	"mqttwasm/wasm/wsconn"
)

// binding is a client as JavaScript sees it. The functions of its object are shared by
// all clients and find theirs by id, so that no js.Func is left behind when a client
// ends, and a late call is refused.
type binding struct {
	client    *mqtt.Client
	publishes publishes
	packets   *packetLog
	onBatch   js.Value
	onEvent   js.Value
}

var (
	bindings  = map[int]*binding{}
	lastID    int
	prototype = newPrototype()
)

func newPrototype() js.Value {
	v := objectClass.New()
	for name, method := range map[string]func(b *binding, args []js.Value) any{
		"publish":        (*binding).publish,
		"publishAll":     (*binding).publishAll,
		"request":        (*binding).request,
		"subscribe":      (*binding).subscribe,
		"unsubscribe":    (*binding).unsubscribe,
		"reauthenticate": plain((*mqtt.Client).Reauthenticate),
		"suspend":        plain((*mqtt.Client).Suspend),
		"resume":         plain(atOnce((*mqtt.Client).Resume)),
		"wake":           plain(atOnce((*mqtt.Client).Wake)),
		"ping":           (*binding).ping,
		"tellPackets":    (*binding).tellPackets,
		"disconnect":     (*binding).disconnect,
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
	if onAttempt := p.function("onAttempt"); !onAttempt.IsUndefined() {
		o.Prepare = func(ctx context.Context, a *mqtt.Attempt) error { return prepare(ctx, onAttempt, a) }
	}
	b.packets = &packetLog{onPackets: p.function("onPackets")}
	background := p.boolean("background", false)
	if p.boolean("packetEvents", false) {
		o.OnPacket = b.packets.add
	}
	p.authenticator(&o)
	if name := p.text("store"); name != "" {
		if p.get("openStore").Type() != js.TypeFunction {
			p.bad("store", "needs openStore")
		}
		o.Store = &pageStore{open: p.get("openStore"), name: name}
	}
	o.Dial = func(ctx context.Context, url string) (net.Conn, error) { return wsconn.Dial(ctx, url, dial) }
	lastID++
	id := lastID
	o.OnEvent = func(ev mqtt.Event) {
		_, ended := ev.(mqtt.Ended)
		if ended {
			b.packets.flush() // nothing is reported after the end
		}
		b.event(ev)
		if ended {
			delete(bindings, id)
		}
	}
	return call(p, 0, func(ctx context.Context) (_ any, err error) {
		start := mqtt.Connect
		if background {
			start = mqtt.New
		}
		b.client, err = start(ctx, o)
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

const unacknowledged = "publish: no acknowledgement in time; the message may still arrive"

// publish(topic, payload, options) queues in the order of the calls.
func (b *binding) publish(args []js.Value) any {
	options := parse(argument(args, 2))
	m := options.message(args)
	o := mqtt.PublishOptions{Stored: options.choice("waitFor", "acknowledged", "stored") == 1}
	var token *mqtt.Token
	var late error // the caller gave up before there was a token
	stop, err := watch(options, defaultTimeout, func(cause error) {
		late = &mqtt.Error{Code: mqtt.Aborted, Message: "publish: aborted by the caller; the message may still arrive"}
		if errors.Is(cause, context.DeadlineExceeded) {
			late = &mqtt.Error{Code: mqtt.Timeout, Message: unacknowledged}
		}
		if token != nil {
			token.Cancel(late)
		}
	})
	if err != nil {
		return rejected(err)
	}
	d := newDeferred()
	o.OnSettled = func(r mqtt.PublishResult, err error) {
		stop()
		d.settle(publishAck(r), err)
	}
	if token = b.client.PublishAsync(&m, o); late != nil {
		token.Cancel(late)
	}
	return d.promise
}

// request(topic, payload, options) gives the answer as a batch.
func (b *binding) request(args []js.Value) any {
	options := parse(argument(args, 2))
	m := options.message(args)
	return call(options, defaultTimeout, func(ctx context.Context) (any, error) {
		batch, err := b.client.RequestBatch(ctx, m)
		if err != nil {
			return nil, err
		}
		return bufferOf(batch), nil
	})
}

// subscribe(subscriptions, options), or a topic filter, or an array of them.
func (b *binding) subscribe(args []js.Value) any {
	p := parse(argument(args, 1))
	filter := p.accept("filter", argument(args, 0))
	var subs []mqtt.Subscription
	if filters, ok := textList(filter); ok {
		s := p.subscription()
		for _, filter := range filters {
			s.Filter = filter
			subs = append(subs, s)
		}
	} else if items, ok := listOf(filter); ok {
		for _, item := range items {
			of := parse(item)
			subs = append(subs, of.subscription())
			p.err = cmp.Or(p.err, of.err)
		}
	} else {
		p.bad("filter", "must be a topic filter or an array of them")
	}
	props := p.sub("properties")
	o := mqtt.SubscribeOptions{
		Identifier:     props.integer("subscriptionIdentifier", 1, 268_435_455, 0),
		UserProperties: props.userProperties(),
	}
	return call(p, defaultTimeout, func(ctx context.Context) (any, error) {
		r, err := b.client.Subscribe(ctx, subs, o)
		return subscribeAck(r), err
	})
}

// unsubscribe(filters, options), or one filter.
func (b *binding) unsubscribe(args []js.Value) any {
	p := parse(argument(args, 1))
	filters, ok := textList(p.accept("filter", argument(args, 0)))
	if !ok {
		p.bad("filter", "must be a topic filter or an array of them")
	}
	props := p.sub("properties")
	user := props.userProperties()
	return call(p, defaultTimeout, func(ctx context.Context) (any, error) {
		r, err := b.client.Unsubscribe(ctx, filters, user)
		return subscribeAck(r), err
	})
}

// plain turns a method of a client that takes only a context into one of a binding.
func plain(method func(*mqtt.Client, context.Context) error) func(*binding, []js.Value) any {
	return func(b *binding, args []js.Value) any {
		return call(parse(argument(args, 0)), defaultTimeout, func(ctx context.Context) (any, error) {
			return js.Undefined(), method(b.client, ctx)
		})
	}
}

// atOnce adapts a method that does not wait, for plain.
func atOnce(method func(*mqtt.Client)) func(*mqtt.Client, context.Context) error {
	return func(c *mqtt.Client, _ context.Context) error {
		method(c)
		return nil
	}
}

// ping(options) gives the round-trip time in milliseconds.
func (b *binding) ping(args []js.Value) any {
	return call(parse(argument(args, 0)), defaultTimeout, func(ctx context.Context) (any, error) {
		took, err := b.client.Ping(ctx)
		return took.Seconds() * 1000, err
	})
}

// tellPackets(options) turns onPackets on or off, by its field on.
func (b *binding) tellPackets(args []js.Value) any {
	p := parse(argument(args, 0))
	var tell func(mqtt.Packet)
	if p.boolean("on", false) {
		tell = b.packets.add
	}
	return call(p, defaultTimeout, func(context.Context) (any, error) {
		b.client.OnPacket(tell)
		return js.Undefined(), nil
	})
}

// disconnect(options)
func (b *binding) disconnect(args []js.Value) any {
	p := parse(argument(args, 0))
	o := mqtt.DisconnectOptions{
		ReasonCode:     byte(p.integer("reasonCode", 0, 255, 0)),
		ReasonString:   p.text("reasonString"),
		SessionExpiry:  optionalSeconds(p, "sessionExpiryInterval"),
		UserProperties: p.userProperties(),
		Force:          p.boolean("force", false),
	}
	return call(p, defaultTimeout, func(ctx context.Context) (any, error) {
		return js.Undefined(), b.client.Disconnect(ctx, o)
	})
}

// textList reads a string, or an array of strings that is not empty.
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
