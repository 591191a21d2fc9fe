package main

import (
	"net/http"
	"strings"

	"github.com/VictoriaMetrics/metrics"

	"mqttwasm/server/broker"
)

// showMetrics answers in Prometheus' text form. b is nil without an embedded broker.
func showMetrics(b *broker.Broker, relays *relays) http.HandlerFunc {
	metrics.ExposeMetadata(true)
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		write := func(name string, value int64) {
			if name = "mqttwasm_" + name; strings.HasSuffix(name, "_total") {
				metrics.WriteCounterUint64(w, name, uint64(value))
			} else {
				metrics.WriteGaugeUint64(w, name, uint64(value))
			}
		}
		ready := int64(1)
		if b != nil {
			if !b.Ready() {
				ready = 0
			}
			s := b.Stats()
			write("clients_connected", s.Connected)
			write("sessions", s.Sessions)
			write("subscriptions", s.Subscriptions)
			write("messages_inflight", s.Inflight)
			write("messages_retained", s.Retained)
			write("messages_received_total", s.MessagesReceived)
			write("messages_sent_total", s.MessagesSent)
			write("messages_dropped_total", s.MessagesDropped)
			write("bytes_received_total", s.BytesReceived)
			write("bytes_sent_total", s.BytesSent)
		}
		write("ready", ready)
		write("relay_connections", int64(relays.count()))
		metrics.WriteProcessMetrics(w)
	}
}
