package broker

import (
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

// indexAbove adds a subscription to +/# to mochi's index a second time, for the level
// above, or removes it there: in a group that no client can name, in which the client is
// alone, or that has the members of its own.
func (p *policy) indexAbove(client string, sub packets.Subscription, is bool) {
	up, ok := above(sub.Filter)
	if !ok || !strings.HasSuffix(up, "+") {
		return
	}
	group := "\x00" + strings.ReplaceAll(client, "/", "\x00")
	if parts := strings.SplitN(up, "/", 3); mqtt.IsSharedFilter(up) {
		group, up = parts[1]+"\x00", parts[2]
	}
	sub.Filter = mqtt.SharePrefix + "/" + group + "/" + up
	if is {
		p.server.Topics.Subscribe(client, sub)
	} else {
		p.server.Topics.Unsubscribe(sub.Filter, client)
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
