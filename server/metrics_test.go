package main

import (
	"bufio"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

func TestMetrics(t *testing.T) {
	target := fakeBroker(t)
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "127.0.0.1:0", "-metrics", "-brokers", brokersFile(t, "Ours", plain(target.Addr().String())))
	figures := func() map[string]float64 {
		response, body := fetch(t, http.DefaultClient, s.url+"metrics")
		if got := response.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain; version=0.0.4") {
			t.Errorf("Content-Type %s", got)
		}
		found := make(map[string]float64)
		for lines := bufio.NewScanner(strings.NewReader(body)); lines.Scan(); {
			line := lines.Text()
			if strings.HasPrefix(line, "#") {
				continue
			}
			end := strings.LastIndex(line, " ")
			n, err := strconv.ParseFloat(line[end+1:], 64)
			if err != nil {
				t.Errorf("%s: %v", line, err)
			}
			found[line[:max(end, 0)]] = n
		}
		return found
	}
	before := figures()
	c := dialTCP(t, s.tcp)
	connectMQTT(t, c, "kept")
	cp := packets.NewControlPacket(packets.SUBSCRIBE)
	content := cp.Content.(*packets.Subscribe)
	content.PacketID, content.Subscriptions = 1, []packets.SubOptions{{Topic: "a", QoS: 1}, {Topic: "b"}}
	write(t, c, cp)
	receive[packets.Suback](t, c)
	cp = packets.NewControlPacket(packets.PUBLISH)
	cp.Flags = 1<<1 | 1
	publish := cp.Content.(*packets.Publish)
	publish.PacketID, publish.QoS, publish.Retain, publish.Topic, publish.Payload = 1, 1, true, "a", []byte("hello")
	write(t, c, cp)
	for range 2 { // PUBACK, and the message, which stays in flight
		if _, err := packets.ReadPacket(c); err != nil {
			t.Fatal(err)
		}
	}
	connectThrough(t, s.dialRelay(t), target)

	after := figures()
	for name, want := range map[string]float64{
		"clients_connected": 1, "sessions": 1, "subscriptions": 2, "messages_inflight": 1, "messages_retained": 1,
		"messages_received_total": 1, "messages_sent_total": 1, "messages_dropped_total": 0, "relay_connections": 1, "ready": 0,
	} {
		name = "mqttwasm_" + name
		if got, ok := after[name]; !ok || got-before[name] != want {
			t.Errorf("%s: %v, then %v", name, before[name], got)
		}
	}
	for _, name := range []string{"mqttwasm_bytes_received_total", "mqttwasm_bytes_sent_total"} {
		if after[name] <= before[name] {
			t.Errorf("%s: %v, then %v", name, before[name], after[name])
		}
	}
	if after["mqttwasm_ready"] != 1 || after["go_goroutines"] == 0 || after["process_resident_memory_bytes"] == 0 {
		t.Errorf("ready or the process's figures are missing: %v", after)
	}
}

// Metrics are served only if enabled, and not under a foreign host name.
func TestMetricsAreOptional(t *testing.T) {
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "")
	if response, _ := fetch(t, http.DefaultClient, s.url+"metrics"); response.StatusCode != http.StatusNotFound {
		t.Errorf("without -metrics: %d", response.StatusCode)
	}
	s = launch(t, "-addr", "127.0.0.1:0", "-broker=false", "-metrics")
	refusesForeignHost(t, s.url+"metrics")
	if _, body := fetch(t, http.DefaultClient, s.url+"metrics"); !strings.Contains(body, "mqttwasm_ready 1") || strings.Contains(body, "clients_connected") {
		t.Errorf("without a broker: %s", body)
	}
}
