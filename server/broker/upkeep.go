package broker

import (
	"runtime/metrics"
	"strconv"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// upkeep does from time to time what mochi's own loop would do each second by copying
// all that there is: it drops what has expired, and publishes $SYS topics.
func (p *policy) upkeep(done <-chan struct{}) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for second := 1; ; second++ {
		if second%sysInterval == 0 {
			p.publishSys()
		}
		now := time.Now().Unix()
		for _, topic := range p.sessions.expired(now) {
			none := packets.Packet{TopicName: topic}
			p.server.Topics.RetainMessage(none)
			p.OnRetainMessage(nil, none, 0)
		}
		if second%30 == 29 { // those that expire are not sent, whenever they are dropped
			for _, cl := range p.server.Clients.GetAll() {
				p.sessions.delivery.Lock() // nobody is given the identifiers meanwhile
				cl.ClearExpiredInflights(now, 0)
				p.sessions.delivery.Unlock()
			}
		}
		select {
		case <-ticker.C:
		case <-done:
			return
		}
	}
}

// Seconds between the broker's messages about itself.
const sysInterval = 10

// publishSys publishes the figures of mochi's own publishSysTopics.
func (p *policy) publishSys() {
	info := p.server.Info
	memory := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/sched/goroutines:goroutines"}}
	metrics.Read(memory)
	atomic.StoreInt64(&info.Time, time.Now().Unix())
	atomic.StoreInt64(&info.Uptime, info.Time-info.Started)
	atomic.StoreInt64(&info.MemoryAlloc, int64(memory[0].Value.Uint64()))
	atomic.StoreInt64(&info.Threads, int64(memory[1].Value.Uint64()))
	atomic.StoreInt64(&info.ClientsTotal, int64(p.server.Clients.Len()))
	atomic.StoreInt64(&info.ClientsDisconnected, info.ClientsTotal-atomic.LoadInt64(&info.ClientsConnected))
	now := info.Clone()
	for topic, value := range map[string]int64{
		"time": now.Time, "uptime": now.Uptime, "started": now.Started,
		"load/bytes/received": now.BytesReceived, "load/bytes/sent": now.BytesSent,
		"clients/connected": now.ClientsConnected, "clients/disconnected": now.ClientsDisconnected,
		"clients/maximum": now.ClientsMaximum, "clients/total": now.ClientsTotal,
		"packets/received": now.PacketsReceived, "packets/sent": now.PacketsSent,
		"messages/received": now.MessagesReceived, "messages/sent": now.MessagesSent,
		"messages/dropped": now.MessagesDropped, "messages/inflight": now.Inflight,
		"retained": now.Retained, "subscriptions": now.Subscriptions,
		"system/memory": now.MemoryAlloc, "system/threads": now.Threads,
	} {
		p.sys(topic, strconv.FormatInt(value, 10))
	}
	p.sys("version", mqtt.Version)
}

func (p *policy) sys(topic, value string) {
	p.inject(p.self, packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Retain: true},
		TopicName:   mqtt.SysPrefix + "/broker/" + topic,
		Payload:     []byte(value),
	})
}
