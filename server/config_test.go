package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func environment(pairs map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := pairs[name]
		return v, ok
	}
}

func TestParseConfig(t *testing.T) {
	defaults := config{addr: "127.0.0.1:8080", broker: true, mqttAddr: "127.0.0.1:1883"}
	with := func(change func(*config)) config {
		c := defaults
		change(&c)
		return c
	}
	for _, test := range []struct {
		name string
		args []string
		env  map[string]string
		want config
	}{
		{name: "defaults", want: defaults},
		{name: "flag", args: []string{"-addr", "localhost:9000"}, want: with(func(c *config) { c.addr = "localhost:9000" })},
		{name: "environment", env: map[string]string{"MQTTWASM_ADDR": "[::1]:9000"}, want: with(func(c *config) { c.addr = "[::1]:9000" })},
		{name: "flag before environment", args: []string{"-addr", "127.0.0.1:1"}, env: map[string]string{"MQTTWASM_ADDR": "127.0.0.1:2"},
			want: with(func(c *config) { c.addr = "127.0.0.1:1" })},
		{name: "other machines and no broker", args: []string{"-addr", ":1", "-broker=false"},
			want: with(func(c *config) { c.addr, c.broker = ":1", false })},
		{name: "other machines and users", args: []string{"-addr", ":1", "-broker-auth", "u"},
			want: with(func(c *config) { c.addr, c.brokerAuth = ":1", "u" })},
		{name: "other machines and everybody", args: []string{"-mqtt-addr", "0.0.0.0:1"}, env: map[string]string{"MQTTWASM_BROKER_OPEN": "true"},
			want: with(func(c *config) { c.mqttAddr, c.mqttAddrGiven, c.brokerOpen = "0.0.0.0:1", true, true })},
		{name: "broker off", env: map[string]string{"MQTTWASM_BROKER": "false"}, want: with(func(c *config) { c.broker = false })},
		{name: "TCP off", args: []string{"-mqtt-addr", ""}, want: with(func(c *config) { c.mqttAddr, c.mqttAddrGiven = "", true })},
		{name: "TCP off by environment", env: map[string]string{"MQTTWASM_MQTT_ADDR": ""},
			want: with(func(c *config) { c.mqttAddr, c.mqttAddrGiven = "", true })},
		{name: "TCP address that equals the default was asked for", args: []string{"-mqtt-addr", "127.0.0.1:1883"},
			want: with(func(c *config) { c.mqttAddrGiven = true })},
		{name: "origins", args: []string{"-broker-open", "-allow-origin", "https://a.example", "-allow-origin", "HTTP://B.example:81/ http://c.example:80 https://d.example:443 https://e.example:80"},
			want: with(func(c *config) {
				c.brokerOpen, c.allowOrigins = true, []string{"https://a.example", "http://b.example:81", "http://c.example", "https://d.example", "https://e.example:80"}
			})},
		{name: "origins of this machine", args: []string{"-allow-origin", "http://localhost:81 http://[::1]:82 http://a.localhost"},
			want: with(func(c *config) {
				c.allowOrigins = []string{"http://localhost:81", "http://[::1]:82", "http://a.localhost"}
			})},
		{name: "an origin elsewhere and users", args: []string{"-allow-origin", "https://a.example", "-broker-auth", "u"},
			want: with(func(c *config) { c.allowOrigins, c.brokerAuth = []string{"https://a.example"}, "u" })},
		{name: "an origin elsewhere and no broker", args: []string{"-allow-origin", "https://a.example", "-broker=false"},
			want: with(func(c *config) { c.allowOrigins, c.broker = []string{"https://a.example"}, false })},
		{name: "origins by environment", env: map[string]string{"MQTTWASM_ALLOW_ORIGIN": "https://a.example, https://b.example", "MQTTWASM_BROKER_OPEN": "1"},
			want: with(func(c *config) {
				c.brokerOpen, c.allowOrigins = true, []string{"https://a.example", "https://b.example"}
			})},
		{name: "the rest", args: []string{"-data", "d", "-tls-cert", "c", "-tls-key", "k", "-default-broker", "wss://x/mqtt", "-version",
			"-brokers", "b", "-pin-brokers", "-redirect-addr", ":80", "-csp-report", "https://r.example/csp", "-static", "s",
			"-relay-open", "-metrics", "-mqtt-tls", "-log-level", "warn", "-allow-frame", "https://a.example"},
			want: with(func(c *config) {
				c.dataDir, c.tlsCert, c.tlsKey, c.defaultBroker, c.version = "d", "c", "k", "wss://x/mqtt", true
				c.brokers, c.pinBrokers, c.redirectAddr, c.cspReport, c.static = "b", true, ":80", "https://r.example/csp", "s"
				c.relayOpen, c.metrics = true, true
				c.mqttTLS, c.logLevel, c.allowFrames = true, slog.LevelWarn, []string{"https://a.example"}
			})},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseConfig(test.args, environment(test.env), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(*got, test.want) {
				t.Errorf("got  %+v\nwant %+v", *got, test.want)
			}
		})
	}
}

func TestParseConfigErrors(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		env  map[string]string
		want string // part of the message
	}{
		{"unknown flag", []string{"-nope"}, nil, "-nope"},
		{"argument", []string{"8080"}, nil, `unexpected argument "8080"`},
		{"address without port", []string{"-addr", "localhost"}, nil, "-addr"},
		{"TCP address without port", []string{"-mqtt-addr", "1883"}, nil, "-mqtt-addr"},
		{"boolean in the environment", nil, map[string]string{"MQTTWASM_BROKER": "maybe"}, "MQTTWASM_BROKER"},
		{"an origin elsewhere, as behind a proxy, and no users", []string{"-allow-origin", "https://a.example"}, nil, "-broker-auth"},
		{"origin with a path", []string{"-allow-origin", "https://a.example/x"}, nil, "-allow-origin"},
		{"origin without scheme", []string{"-allow-origin", "a.example"}, nil, "-allow-origin"},
		{"origin in the environment", nil, map[string]string{"MQTTWASM_ALLOW_ORIGIN": "*"}, "MQTTWASM_ALLOW_ORIGIN"},
		{"broker over http", []string{"-default-broker", "http://x/mqtt"}, nil, "ws:// or wss://"},
		{"broker over mqtt", []string{"-default-broker", "mqtt://x:1883"}, nil, "ws:// or wss://"},
		{"broker without scheme", []string{"-default-broker", "broker.example:8083/mqtt"}, nil, "ws:// or wss://"},
		{"broker's bare name", []string{"-default-broker", "broker.example"}, nil, "ws:// or wss://"},
		{"broker without host", []string{"-default-broker", "ws:///mqtt"}, nil, "ws:// or wss://"},
		{"broker with password", []string{"-default-broker", "ws://u:p@x/mqtt"}, nil, "password"},
		{"broker with fragment", []string{"-default-broker", "ws://x/mqtt#a"}, nil, "fragment"},
		{"origin that ends the policy's directive", []string{"-allow-frame", "https://a.example;sandbox"}, nil, "-allow-frame"},
		{"level that there is not", []string{"-log-level", "loud"}, nil, "-log-level"},
		{"TLS over TCP without certificate", []string{"-mqtt-tls"}, nil, "-tls-cert"},
		{"TLS over TCP without TCP", []string{"-mqtt-tls", "-tls-cert", "c", "-tls-key", "k", "-mqtt-addr", ""}, nil, "-mqtt-addr"},
		{"certificate without key", []string{"-tls-cert", "c"}, nil, "-tls-key"},
		{"redirect without TLS", []string{"-redirect-addr", ":80"}, nil, "-tls-cert"},
		{"redirect address without port", []string{"-redirect-addr", "80"}, nil, "-redirect-addr"},
		{"report to no URL", []string{"-csp-report", "x; script-src *"}, nil, "-csp-report"},
		{"broker for everybody, unasked", []string{"-addr", ":1"}, nil, "-broker-open"},
		{"broker for everybody over TCP, unasked", []string{"-mqtt-addr", "192.0.2.1:1883"}, nil, "-broker-auth FILE"},
		{"users and everybody", []string{"-broker-auth", "u", "-broker-open"}, nil, "cannot be used together"},
		{"users without broker", []string{"-broker=false", "-broker-auth", "u"}, nil, "-broker-auth"},
		{"data without broker", []string{"-broker=false", "-data", "d"}, nil, "-data"},
		{"TCP without broker", []string{"-broker=false", "-mqtt-addr", ":1"}, nil, "-mqtt-addr"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseConfig(test.args, environment(test.env), io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want a message about %s", err, test.want)
			}
		})
	}
}

func TestUsageNamesEveryVariable(t *testing.T) {
	var out bytes.Buffer
	if _, err := parseConfig([]string{"-help"}, environment(nil), &out); !errors.Is(err, flag.ErrHelp) {
		t.Fatal(err)
	}
	for _, name := range []string{"ADDR", "BROKER", "MQTT_ADDR", "BROKER_AUTH", "BROKER_OPEN", "DATA", "BROKERS", "DEFAULT_BROKER", "PIN_BROKERS",
		"TLS_CERT", "TLS_KEY", "REDIRECT_ADDR", "ALLOW_ORIGIN", "CSP_REPORT", "STATIC", "VERSION",
		"MQTT_TLS", "RELAY_OPEN", "METRICS", "LOG_LEVEL", "ALLOW_FRAME"} {
		if !strings.Contains(out.String(), "MQTTWASM_"+name+"\n") {
			t.Errorf("no MQTTWASM_%s in\n%s", name, &out)
		}
	}
}

func TestBrokerList(t *testing.T) {
	const (
		emqx     = `{"name":"EMQX public broker","builtIn":true,"url":"ws://broker.emqx.io:8083/mqtt","secureUrl":"wss://broker.emqx.io:8084/mqtt"}`
		embedded = `{"name":"This server","builtIn":true,"url":"mqtt","embedded":true}`
		// Public brokers that are listed, but never the default.
		hivemq    = `{"name":"HiveMQ public broker","builtIn":true,"url":"ws://broker.hivemq.com:8000/mqtt","secureUrl":"wss://broker.hivemq.com:8884/mqtt"}`
		mosquitto = `{"name":"Mosquitto test broker","builtIn":true,"url":"ws://test.mosquitto.org:8080/mqtt","secureUrl":"wss://test.mosquitto.org:8081/mqtt"}`
	)
	chosen := func(entry string) string {
		head, tail, _ := strings.Cut(entry, `,"embedded"`)
		if tail != "" {
			return head + `,"default":true,"embedded"` + tail
		}
		return strings.TrimSuffix(entry, "}") + `,"default":true}`
	}
	for _, test := range []struct {
		name     string
		embedded bool
		flag     string
		want     []string
	}{
		{"default", true, "", []string{chosen(emqx), embedded}},
		{"without broker", false, "", []string{chosen(emqx)}},
		{"another", true, "wss://Broker.Example:8084/mqtt",
			[]string{`{"name":"broker.example:8084","url":"wss://broker.example:8084/mqtt","default":true}`, emqx, embedded}},
		{"embedded", true, "mqtt", []string{emqx, chosen(embedded)}},
		{"embedded as a path", true, "/mqtt", []string{emqx, chosen(embedded)}},
		{"listed", true, "ws://broker.emqx.io:8083/mqtt", []string{chosen(emqx), embedded}},
		{"listed, secure", true, "wss://broker.emqx.io:8084/mqtt", []string{chosen(emqx), embedded}},
		{"path behind a proxy", false, "/other", []string{`{"name":"This server's /other","url":"/other","default":true}`, emqx}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var args []string
			if test.flag != "" {
				args = []string{"-default-broker", test.flag}
			}
			c, err := parseConfig(args, environment(nil), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			page := make(static)
			page.add("config.json", pageConfig("v1", brokerList(publicBrokers, test.embedded, c.defaultBroker)))
			got := get(t, page, "/config.json", nil)
			want := `{"version":"v1","brokers":[` + strings.Join(append(test.want, hivemq, mosquitto), ",") + `]}`
			if body := compact(t, got.Body.Bytes()); body != want {
				t.Errorf("got  %s\nwant %s", body, want)
			}
			if got.Header().Get("Content-Type") != "application/json" || got.Header().Get("Cache-Control") != "no-cache" {
				t.Errorf("headers %v", got.Header())
			}
		})
	}
}

func TestBrokersFile(t *testing.T) {
	read := func(list string) ([]brokerEntry, error) {
		file := filepath.Join(t.TempDir(), "brokers.json")
		if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
		return readBrokers(file)
	}
	listed, err := read("\ufeff" + `[{"name": "Ours", "url": "ws://Ours.example/mqtt", "secureUrl": "wss://ours.example/mqtt"}, {"name": "Theirs", "url": "wss://theirs.example"}]`)
	if err != nil {
		t.Fatal(err)
	}
	want := []brokerEntry{
		{Name: "Ours", URL: "ws://ours.example/mqtt", SecureURL: "wss://ours.example/mqtt", Default: true},
		{Name: "This server", BuiltIn: true, URL: "mqtt", Embedded: true},
		{Name: "Theirs", URL: "wss://theirs.example"},
	}
	if got := brokerList(listed, true, ""); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for list, want := range map[string]string{
		`{}`: "JSON list",
		`[]`: "no broker",
		`[{"name": "a", "url": "wss://x"}] {"name": "b", "url": "wss://y"}`: "after the list",
		`[{"url": "wss://x"}]`:                                          "broker 1",
		`[{"name": "a", "url": "wss://x", "default": true}]`:            "the first is the default",
		`[{"name": "a", "url": "wss://x", "builtIn": true}]`:            "the first is the default",
		`[{"name": "a", "uri": "wss://x"}]`:                             "uri",
		`[{"name": "a", "url": "http://x"}]`:                            "a: ",
		`[{"name": "a", "url": "ws://x", "secureUrl": "wss://u:p@x/"}]`: "password",
	} {
		if _, err := read(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want a message about %q", list, err, want)
		}
	}
}
