package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// brokerEntry is one choice in the page's list.
type brokerEntry struct {
	Name string `json:"name"`
	// URL is ws:, wss: or relative to the page.
	URL string `json:"url"`
	// SecureURL is for a page that came over https, which may not use ws:.
	SecureURL string `json:"secureUrl,omitempty"`
	Default   bool   `json:"default,omitempty"`
	Embedded  bool   `json:"embedded,omitempty"`
}

const embeddedURL = "mqtt"

func brokerList(embedded bool, defaultURL string) []brokerEntry {
	list := []brokerEntry{{
		Name:      "EMQX public broker",
		URL:       "ws://broker.emqx.io:8083/mqtt",
		SecureURL: "wss://broker.emqx.io:8084/mqtt",
	}}
	if embedded {
		list = append(list, brokerEntry{Name: "This server", URL: embeddedURL, Embedded: true})
	}
	list = append(list, brokerEntry{
		Name:      "HiveMQ public broker",
		URL:       "ws://broker.hivemq.com:8000/mqtt",
		SecureURL: "wss://broker.hivemq.com:8884/mqtt",
	}, brokerEntry{
		Name:      "Mosquitto test broker",
		URL:       "ws://test.mosquitto.org:8080/mqtt",
		SecureURL: "wss://test.mosquitto.org:8081/mqtt",
	})
	if defaultURL == "" {
		list[0].Default = true
		return list
	}
	for i, b := range list {
		if b.URL == defaultURL || b.SecureURL == defaultURL {
			list[i].Default = true
			return list
		}
	}
	return append([]brokerEntry{{Name: brokerName(defaultURL), URL: defaultURL, Default: true}}, list...)
}

func brokerName(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return "This server's " + address
}

// parseBrokerURL checks an address for the page: ws:, wss:, or a path on this server.
func parseBrokerURL(s string) (string, error) {
	u, err := url.Parse(s)
	absolute := err == nil && (u.Scheme == "ws" || u.Scheme == "wss") && u.Host != ""
	relative := err == nil && u.Scheme == "" && u.Host == "" &&
		(strings.HasPrefix(u.Path, "/") || u.Path == embeddedURL)
	switch {
	case !absolute && !relative:
		return "", fmt.Errorf("%q is not a broker address for a browser: give a URL that begins with ws:// or wss://, such as ws://broker.example:8083/mqtt, or a path on this server, such as /mqtt", s)
	case u.User != nil:
		return "", fmt.Errorf("the broker address must not contain a user name or password: everybody who opens the page could read them")
	case u.Fragment != "":
		return "", fmt.Errorf("%q: a WebSocket address has no fragment (#%s)", s, u.Fragment)
	case s == "/"+embeddedURL:
		return embeddedURL, nil
	}
	u.Host = strings.ToLower(u.Host)
	return u.String(), nil
}

// configHandler tells the page what it cannot know.
func configHandler(version string, brokers []brokerEntry) http.Handler {
	body, err := json.MarshalIndent(struct {
		Version string        `json:"version"`
		Brokers []brokerEntry `json:"brokers"`
	}{version, brokers}, "", "  ")
	if err != nil {
		panic(err) // strings and booleans always encode
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(body)
	})
}
