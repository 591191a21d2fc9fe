package broker

import (
	"fmt"
	"runtime/metrics"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// upkeep drops what has expired, and publishes $SYS topics. mochi's own loop would do
// so each second, and copy everything each time.
func (p *policy) upkeep(done <-chan struct{}) {
	tick := time.Tick(time.Second)
	for second := 1; ; second++ {
		if second < 10 || second%10 == 0 { // the first ones soon, when nobody had connected yet
			p.publishSys()
		}
		now := time.Now().Unix()
		for _, topic := range p.sessions.expired(now) {
			none := packets.Packet{TopicName: topic}
			p.server.Topics.RetainMessage(none)
			p.OnRetainMessage(nil, none, 0)
		}
		if second%30 == 29 { // expired messages are not sent, even before they are dropped
			for _, cl := range p.server.Clients.GetAll() {
				p.sessions.delivery.Lock() // so that the identifiers are not reused meanwhile
				p.dropUnsendable(cl, cl)
				p.sessions.delivery.Unlock()
			}
		}
		select {
		case <-tick:
		case <-done:
			return
		}
	}
}

// publishSys publishes the figures of mochi's own publishSysTopics.
func (p *policy) publishSys() {
	memory := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/sched/goroutines:goroutines"}}
	metrics.Read(memory)
	info, stats, now := p.server.Info.Clone(), p.stats(), time.Now().Unix()
	for topic, value := range map[string]any{
		"time": now, "uptime": now - info.Started, "started": info.Started,
		"load/bytes/received": info.BytesReceived, "load/bytes/sent": info.BytesSent,
		"clients/connected": info.ClientsConnected, "clients/disconnected": stats["sessions"] - info.ClientsConnected,
		"clients/maximum": info.ClientsMaximum, "clients/total": stats["sessions"],
		"packets/received": info.PacketsReceived, "packets/sent": info.PacketsSent,
		"messages/received": info.MessagesReceived, "messages/sent": info.MessagesSent,
		"messages/dropped": info.MessagesDropped, "messages/inflight": stats["messages_inflight"],
		"retained": stats["messages_retained"], "subscriptions": stats["subscriptions"],
		"system/memory": memory[0].Value.Uint64(), "system/threads": memory[1].Value.Uint64(),
		"version": mqtt.Version,
	} {
		p.inject(p.self, packets.Packet{
			FixedHeader: packets.FixedHeader{Type: packets.Publish, Retain: true},
			TopicName:   mqtt.SysPrefix + "/broker/" + topic,
			Payload:     fmt.Append(nil, value),
		})
	}
}

// Stats returns the figures of this moment by their names in /metrics; those that end
// with _total count from New. Messages of QoS 0 that are dropped because a client reads
// too slowly count as sent as well.
func (b *Broker) Stats() map[string]int64 { return b.policy.stats() }

func (p *policy) stats() map[string]int64 {
	info := p.server.Info.Clone()
	stats := map[string]int64{
		"clients_connected":       info.ClientsConnected,
		"subscriptions":           0, // of all sessions, as messages in flight are: mochi's counters drift
		"messages_inflight":       0,
		"messages_retained":       int64(p.server.Topics.Retained.Len()),
		"messages_received_total": info.MessagesReceived,
		"messages_sent_total":     info.MessagesSent,
		"messages_dropped_total":  info.MessagesDropped + info.InflightDropped,
		"bytes_received_total":    info.BytesReceived,
		"bytes_sent_total":        info.BytesSent,
	}
	clients := p.server.Clients.GetAll()
	stats["sessions"] = int64(len(clients))
	for _, cl := range clients {
		stats["subscriptions"] += int64(cl.State.Subscriptions.Len())
		stats["messages_inflight"] += int64(cl.State.Inflight.Len())
	}
	return stats
}
