package mqtt

import (
	"context"
	"slices"
	"strings"
	"sync"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// handlers are the functions that received messages go to.
type handlers struct {
	mu       sync.Mutex
	byFilter map[string]*func(Message)
	other    func(Message) // Options.OnMessage; may be nil
	running  bool
}

// add registers the handlers of subscriptions. Settle, with the broker's reason codes,
// removes those of subscriptions that were not granted; with nil, all. A subscription
// without a handler removes the filter's earlier one when it is granted.
func (h *handlers) add(c *Client, subs []Subscription) (settle func(reasons []byte)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	type entry struct {
		filter      string
		now, before *func(Message)
	}
	entries := make([]entry, len(subs))
	for i, s := range subs {
		entries[i] = entry{filter: s.Filter, before: h.byFilter[s.Filter]}
		if s.Handler == nil {
			continue
		}
		entries[i].now = &s.Handler
		h.byFilter[s.Filter] = &s.Handler
		h.start(c)
	}
	return func(reasons []byte) {
		h.mu.Lock()
		defer h.mu.Unlock()
		for i, e := range slices.Backward(entries) {
			switch granted := i < len(reasons) && reasons[i] < wire.ReasonUnspecified; {
			case granted && e.now == nil && h.byFilter[e.filter] == e.before:
				delete(h.byFilter, e.filter)
			case granted, e.now == nil, h.byFilter[e.filter] != e.now:
			case e.before == nil:
				delete(h.byFilter, e.filter)
			default:
				h.byFilter[e.filter] = e.before
			}
		}
	}
}

// start begins to deliver messages. The caller holds mu.
func (h *handlers) start(c *Client) {
	if !h.running {
		h.running = true
		go h.run(c)
	}
}

func (h *handlers) run(c *Client) {
	for {
		batch, err := c.receive(context.Background())
		if err != nil {
			return
		}
		for m := range batch.Messages() {
			for _, handle := range h.of(m.Topic) {
				handle(m)
			}
		}
		batch.Done()
	}
}

// of returns the handlers of a topic.
func (h *handlers) of(topic string) (list []func(Message)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for filter, handle := range h.byFilter {
		if matches(filter, topic) {
			list = append(list, *handle)
		}
	}
	if list == nil && h.other != nil {
		list = append(list, h.other)
	}
	return list
}

// matches reports whether a topic name matches a valid topic filter (4.7).
func matches(filter, topic string) bool {
	if share, ok := strings.CutPrefix(filter, "$share/"); ok {
		_, filter, _ = strings.Cut(share, "/")
	}
	if strings.HasPrefix(topic, "$") && !strings.HasPrefix(filter, "$") { // [MQTT-4.7.2-1]
		return false
	}
	for {
		wanted, rest, more := strings.Cut(filter, "/")
		if wanted == "#" {
			return true
		}
		level, below, deeper := strings.Cut(topic, "/")
		switch {
		case wanted != "+" && wanted != level:
			return false
		case !more && !deeper, !deeper && rest == "#":
			return true
		case !more || !deeper:
			return false
		}
		filter, topic = rest, below
	}
}
