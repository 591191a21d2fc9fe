package main

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/VictoriaMetrics/metrics"

	"mqttwasm/server/broker"
)

// showMetrics answers in Prometheus' text format. b is nil without an embedded broker.
func showMetrics(b *broker.Broker, relays *relays) http.HandlerFunc {
	metrics.ExposeMetadata(true)
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		figures := make(map[string]int64)
		if b != nil {
			figures = b.Stats()
		}
		figures["ready"], figures["relay_connections"] = 0, int64(relays.count())
		if b.Ready() {
			figures["ready"] = 1
		}
		for _, name := range slices.Sorted(maps.Keys(figures)) {
			write := metrics.WriteGaugeUint64
			if strings.HasSuffix(name, "_total") {
				write = metrics.WriteCounterUint64
			}
			write(w, "mqttwasm_"+name, uint64(figures[name]))
		}
		metrics.WriteProcessMetrics(w)
	}
}
