package broker

import (
	"maps"
	"strings"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// A filter that ends with /# matches the level above as well (4.7.1.2). mochi sends no
// retained message of that level to a new subscription, and for +/# no message at all.

// above returns the filter of the level above one that ends with /#.
func above(filter string) (up string, ok bool) {
	up, ok = strings.CutSuffix(filter, "/#")
	return up, ok && up != ""
}

// twin stands before the client identifier of a subscription to +/# that is in mochi's
// index a second time, for the level above.
const twin = "\x00"

// indexAbove adds such a subscription to the index, or removes it.
func (p *policy) indexAbove(client string, sub packets.Subscription, is bool) {
	up, ok := above(sub.Filter)
	switch {
	case !ok || !strings.HasSuffix(up, "+"):
	case is:
		sub.Filter = up
		p.server.Topics.Subscribe(twin+client, sub)
	default:
		p.server.Topics.Unsubscribe(up, twin+client)
	}
}

// foldAbove gives clients what their twins have matched.
func foldAbove(subs *mqtt.Subscribers) {
	for id, sub := range subs.Subscriptions {
		client, ok := strings.CutPrefix(id, twin)
		if !ok {
			continue
		}
		identifiers := make(map[string]int)
		for up, identifier := range sub.Identifiers {
			identifiers[up+"/#"] = identifier
		}
		sub.Identifiers = identifiers
		delete(subs.Subscriptions, id)
		gather(subs, client, sub)
	}
	for up, group := range maps.Clone(subs.Shared) {
		for id, sub := range group {
			if client, ok := strings.CutPrefix(id, twin); ok {
				delete(group, id)
				sub.Filter = up + "/#"
				if subs.Shared[sub.Filter] == nil {
					subs.Shared[sub.Filter] = make(map[string]packets.Subscription)
				}
				subs.Shared[sub.Filter][client] = sub
			}
		}
		if len(group) == 0 {
			delete(subs.Shared, up)
		}
	}
}

// askAbove adds a subscription for each filter that ends with /#, which mochi refuses.
func askAbove(cl *mqtt.Client, subs packets.Subscriptions) packets.Subscriptions {
	for _, sub := range subs {
		if _, ok := above(sub.Filter); ok {
			if _, known := cl.State.Subscriptions.Get(sub.Filter); known && sub.RetainHandling == 1 {
				sub.RetainHandling = 2
			}
			sub.Filter += "/" // which is not valid
			subs = append(subs, sub)
		}
	}
	return subs
}

// answerAbove has mochi send the retained messages of the level above, as if it were
// subscribed to, for those of the first filters that are granted. SUBACK leaves it out.
func answerAbove(subs packets.Subscriptions, filters int, reasons []byte) {
	granted := make(map[string]bool)
	for i, sub := range subs {
		filter := strings.TrimSuffix(sub.Filter, "/")
		switch {
		case i < filters:
			granted[sub.Filter] = reasons[i] <= packets.CodeGrantedQos2.Code
		case granted[filter]:
			subs[i].Filter, _ = above(filter)
			reasons[i] = packets.CodeSuccess.Code
		}
	}
}
