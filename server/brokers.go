package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"mqttwasm/server/broker"
)

// brokerEntry is one choice in the page's list.
type brokerEntry struct {
	Name string `json:"name"`
	// BuiltIn says that the name comes from this program, so that the page can
	// translate it.
	BuiltIn bool `json:"builtIn,omitempty"`
	// URL is ws:, wss: or relative to the page.
	URL string `json:"url"`
	// SecureURL is for a page that came over https, which must not use ws:.
	SecureURL string `json:"secureUrl,omitempty"`
	Default   bool   `json:"default,omitempty"`
	Embedded  bool   `json:"embedded,omitempty"`

	relay *relay // for the server only
}

const (
	embeddedURL = "mqtt"
	relayURL    = "relay/" // followed by the name
)

// publicBrokers are offered unless -brokers names others.
var publicBrokers = []brokerEntry{
	{Name: "EMQX public broker", BuiltIn: true, URL: "ws://broker.emqx.io:8083/mqtt", SecureURL: "wss://broker.emqx.io:8084/mqtt"},
	{Name: "HiveMQ public broker", BuiltIn: true, URL: "ws://broker.hivemq.com:8000/mqtt", SecureURL: "wss://broker.hivemq.com:8884/mqtt"},
	{Name: "Mosquitto test broker", BuiltIn: true, URL: "ws://test.mosquitto.org:8080/mqtt", SecureURL: "wss://test.mosquitto.org:8081/mqtt"},
}

// brokerList puts the embedded broker second. The first is the default unless
// defaultURL names another, which is added if it is not listed.
func brokerList(listed []brokerEntry, embedded bool, defaultURL string) []brokerEntry {
	list := slices.Clone(listed)
	if embedded {
		list = slices.Insert(list, 1, brokerEntry{Name: "This server", BuiltIn: true, URL: embeddedURL, Embedded: true})
	}
	for i, b := range list {
		if defaultURL == "" || b.URL == defaultURL || b.SecureURL == defaultURL {
			list[i].Default = true
			return list
		}
	}
	u, _ := url.Parse(defaultURL) // parseBrokerURL has checked it
	name := cmp.Or(u.Host, "This server's "+defaultURL)
	return slices.Insert(list, 0, brokerEntry{Name: name, URL: defaultURL, Default: true})
}

// readBrokers reads the list of -brokers: each entry has name, url and secureUrl, or
// name and relay.
func readBrokers(file string) (list []brokerEntry, err error) {
	var listed []struct {
		brokerEntry
		Relay *relay `json:"relay"`
	}
	if err := broker.ReadList(file, `brokers, such as [{"name": "Ours", "url": "wss://broker.example/mqtt"}]`, &listed); err != nil {
		return nil, err
	}
	if len(listed) == 0 {
		return nil, fmt.Errorf("%s names no broker", file)
	}
	for i, one := range listed {
		b, r := one.brokerEntry, one.Relay
		switch {
		case b.Name == "" || b.BuiltIn || b.Default || b.Embedded:
			return nil, fmt.Errorf("%s: broker %d: give name, and url and secureUrl or relay; the first is the default", file, i+1)
		case r == nil:
			b.URL, err = parseBrokerURL(b.URL)
			if err == nil && b.SecureURL != "" {
				b.SecureURL, err = parseBrokerURL(b.SecureURL)
			}
		case b.URL != "" || b.SecureURL != "":
			err = errors.New("the page reaches a relay at this server: leave out url and secureUrl")
		case b.Name == "." || b.Name == "..", slices.ContainsFunc(list, func(other brokerEntry) bool { return other.Name == b.Name && other.relay != nil }):
			err = errors.New("a relay's name is part of its address: give it a name of its own; . and .. are not allowed")
		default:
			b.URL, b.relay, r.name = relayURL+url.PathEscape(b.Name), r, b.Name
			err = r.check(filepath.Dir(file))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", file, b.Name, err)
		}
		list = append(list, b)
	}
	return list, nil
}

// parseBrokerURL checks an address for the page: ws:, wss:, or a path on this server.
func parseBrokerURL(s string) (string, error) {
	u, err := url.Parse(s)
	absolute := err == nil && (u.Scheme == "ws" || u.Scheme == "wss") && u.Host != ""
	relative := err == nil && u.Scheme == "" && u.Host == "" &&
		(strings.HasPrefix(u.Path, "/") || u.Path == embeddedURL || strings.HasPrefix(u.Path, relayURL))
	switch {
	case !absolute && !relative:
		return "", fmt.Errorf("%q is not a broker address for a browser: give a URL that begins with ws:// or wss://, such as ws://broker.example:8083/mqtt, or a path on this server, such as /mqtt", s)
	case u.User != nil:
		return "", errors.New("the broker address must not contain a user name or password: everybody who opens the page could read them")
	case u.Fragment != "":
		return "", fmt.Errorf("%q: a WebSocket address has no fragment (#%s)", s, u.Fragment)
	case s == "/"+embeddedURL:
		return embeddedURL, nil
	case relative && strings.HasPrefix(strings.TrimPrefix(u.Path, "/"), relayURL): // escaped as in the list
		return relayURL + url.PathEscape(strings.TrimPrefix(strings.TrimPrefix(u.Path, "/"), relayURL)), nil
	}
	u.Host = strings.ToLower(u.Host)
	return u.String(), nil
}

// pageConfig is config.json, which tells the page what it cannot know by itself.
func pageConfig(version string, brokers []brokerEntry) []byte {
	body, _ := json.MarshalIndent(struct { // strings and booleans always encode
		Version string        `json:"version"`
		Brokers []brokerEntry `json:"brokers"`
	}{version, brokers}, "", "  ")
	return append(body, '\n')
}
