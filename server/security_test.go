package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestHost(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	origins := []string{"https://mqtt.example.com", "http://[2001:db8::1]:81"}
	for _, test := range []struct {
		listen, host string
		want         bool
	}{
		{"127.0.0.1:8080", "127.0.0.1:8080", true},
		{"127.0.0.1:8080", "localhost:8080", true},
		{"127.0.0.1:8080", "LOCALHOST", true},
		{"127.0.0.1:8080", "[::1]:8080", true},
		{"127.0.0.1:8080", "[::1]", true},
		{"127.0.0.1:8080", "console.localhost:8080", true},
		{"127.0.0.1:8080", "mqtt.example.com", true},
		{"127.0.0.1:8080", "MQTT.example.com:443", true},
		{"127.0.0.1:8080", "[2001:db8::1]:81", true},
		{"127.0.0.1:8080", "evil.example:8080", false},
		{"127.0.0.1:8080", "localhost.evil.example", false},
		{"127.0.0.1:8080", "mqtt.example.com.evil.example", false},
		{"127.0.0.1:8080", "127.0.0.1.evil.example", false},
		{"127.0.0.1:8080", "192.0.2.1:8080", false},
		{"127.0.0.1:8080", "", false},
		{"192.0.2.1:8080", "192.0.2.1:8080", true},
		{"192.0.2.1:8080", "localhost:8080", true},
		{"box.lan:8080", "box.lan:8080", true},
		{":8080", "192.0.2.1:8080", true},
		{"0.0.0.0:8080", "192.0.2.1:8080", true},
		{"[::]:8080", "[2001:db8::2]:8080", true},
		{":8080", name + ":8080", true},
		{":8080", name + ".local:8080", true},
		{":8080", "evil.example:8080", false},
	} {
		h := newAccess(test.listen, origins).validateHost(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/mqtt", nil)
		r.Host = test.host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Code == http.StatusOK; got != test.want {
			t.Errorf("listening on %s, Host %q: %d", test.listen, test.host, w.Code)
		}
		if w.Code != http.StatusOK && !strings.Contains(w.Body.String(), "-allow-origin") {
			t.Errorf("the refusal does not say what to do: %s", w.Body)
		}
		r.URL.Path = "/healthz"
		w = httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Errorf("/healthz with Host %q: %d", test.host, w.Code)
		}
	}
}

func TestContentSecurityPolicy(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		want []string // directives
	}{
		{"default", nil, []string{
			"default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "worker-src 'self'", "style-src 'self'",
			"img-src 'self' data: blob:", "connect-src 'self' ws: wss: http: https:", "manifest-src 'self'",
			"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
			"require-trusted-types-for 'script'", "trusted-types mqttwasm",
		}},
		{"TLS", []string{"-tls-cert", "c", "-tls-key", "k"}, []string{"connect-src 'self' wss: https: ws://localhost:* ws://127.0.0.1:*"}},
		{"pinned", []string{"-pin-brokers", "-default-broker", "wss://ours.example:8084/mqtt"}, []string{
			"connect-src 'self' wss://ours.example:8084 ws://broker.emqx.io:8083 wss://broker.emqx.io:8084 ws://broker.hivemq.com:8000 " +
				"wss://broker.hivemq.com:8884 ws://test.mosquitto.org:8080 wss://test.mosquitto.org:8081"}},
		{"pinned, TLS", []string{"-pin-brokers", "-tls-cert", "c", "-tls-key", "k"}, []string{
			"connect-src 'self' wss://broker.emqx.io:8084 wss://broker.hivemq.com:8884 wss://test.mosquitto.org:8081"}},
		{"frames", []string{"-allow-frame", "https://a.example", "-allow-frame", "http://b.example:81"},
			[]string{"frame-ancestors https://a.example http://b.example:81"}},
		{"reports", []string{"-csp-report", "https://r.example/csp"}, []string{"report-uri https://r.example/csp"}},
	} {
		c, err := parseConfig(test.args, environment(nil), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		headers := securityHeaders(c, brokerList(publicBrokers, true, c.defaultBroker))
		if got, want := headers["Cross-Origin-Resource-Policy"], map[bool]string{false: "same-origin", true: "cross-origin"}[test.name == "frames"]; got != want {
			t.Errorf("%s: Cross-Origin-Resource-Policy: %s", test.name, got)
		}
		got := strings.Split(headers["Content-Security-Policy"], "; ")
		for _, directive := range test.want {
			if !slices.Contains(got, directive) {
				t.Errorf("%s: no %q in %q", test.name, directive, got)
			}
		}
		if test.name == "default" && len(got) != len(test.want) {
			t.Errorf("more directives than expected: %q", got)
		}
	}
}

// MDN's HTTP Observatory (developer.mozilla.org/en-US/observatory/docs/tests_and_scoring):
// penalties first, then bonuses if there are 90 points. 100 or more is A+.
func TestObservatoryGrade(t *testing.T) {
	certFile, keyFile, client := selfSigned(t)
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "", "-tls-cert", certFile, "-tls-key", keyFile, "-redirect-addr", "127.0.0.1:0")
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	score, bonus := 100, 0
	rule := func(name string, points int) {
		t.Logf("%+4d %s", points, name)
		if points > 0 {
			bonus += points
		} else {
			score += points
		}
	}

	response, _ := fetch(t, client, s.url)
	h := response.Header
	policy := make(map[string][]string)
	for directive := range strings.SplitSeq(h.Get("Content-Security-Policy"), ";") {
		if words := strings.Fields(directive); len(words) > 0 {
			policy[words[0]] = words[1:]
		}
	}
	sources := func(directive string) []string { // with the fallback of script-src and the like
		if s, ok := policy[directive]; ok {
			return s
		}
		return policy["default-src"]
	}
	active := slices.Concat(sources("script-src"), sources("object-src"), sources("style-src"))
	has := func(in []string, any ...string) bool {
		return slices.ContainsFunc(in, func(s string) bool { return slices.Contains(any, s) })
	}
	insecure := func(in []string) bool {
		return slices.ContainsFunc(in, func(s string) bool { return strings.HasPrefix(s, "http:") || strings.HasPrefix(s, "ftp:") })
	}
	switch {
	case len(policy) == 0:
		rule("csp-not-implemented", -25)
	case len(active) == 0, has(active, "'unsafe-inline'", "data:", "https:", "http:", "*"):
		rule("csp-implemented-with-unsafe-inline", -20)
	case insecure(slices.Concat(active, sources("connect-src"), sources("worker-src"), sources("manifest-src"))):
		rule("csp-implemented-with-insecure-scheme", -20)
	case has(active, "'unsafe-eval'"):
		rule("csp-implemented-with-unsafe-eval", -10)
	case insecure(slices.Concat(sources("img-src"), sources("media-src"))):
		rule("csp-implemented-with-insecure-scheme-in-passive-content-only", -10)
	case slices.Equal(policy["default-src"], []string{"'none'"}):
		rule("csp-implemented-with-no-unsafe-default-src-none", +10)
	default:
		rule("csp-implemented-with-no-unsafe", +5)
	}
	if len(response.Cookies()) > 0 {
		t.Error("there are cookies, which this test does not judge")
	}
	if h.Get("Access-Control-Allow-Origin") != "" {
		rule("cross-origin-resource-sharing-implemented-with-universal-access", -50)
	}
	age, err := strconv.Atoi(strings.TrimPrefix(strings.Split(h.Get("Strict-Transport-Security"), ";")[0], "max-age="))
	switch {
	case err != nil:
		rule("hsts-not-implemented", -20)
	case age < 15768000:
		rule("hsts-implemented-max-age-less-than-six-months", -10)
	}
	plain := "http://" + s.stderr.after(t, "from=") + "/"
	redirect, _ := fetch(t, client, plain)
	if location := redirect.Header.Get("Location"); redirect.StatusCode != http.StatusPermanentRedirect || location != s.url {
		rule("redirection-missing: "+location, -20)
	}
	if h.Get("Referrer-Policy") == "no-referrer" {
		rule("referrer-policy-private", +5)
	}
	if h.Get("X-Content-Type-Options") != "nosniff" {
		rule("x-content-type-options-not-implemented", -5)
	}
	if slices.Equal(policy["frame-ancestors"], []string{"'none'"}) {
		rule("x-frame-options-implemented-via-csp", +5)
	} else {
		rule("x-frame-options-not-implemented", -20)
	}
	if h.Get("Cross-Origin-Resource-Policy") == "same-origin" {
		rule("cross-origin-resource-policy-implemented-with-same-origin", +10)
	}
	if score >= 90 {
		score += bonus
	}
	if score < 100 {
		t.Errorf("%d points are no A+", score)
	}
}

// Every response has the page's headers, refusals included.
func TestHeadersEverywhere(t *testing.T) {
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "")
	page, _ := fetch(t, http.DefaultClient, s.url)
	for _, path := range []string{"mqttwasm.js", "config.json", "healthz", "mqtt", "nothing", "%00", "favicon.svg"} {
		response, _ := fetch(t, http.DefaultClient, s.url+path)
		for name := range securityHeaders(new(config), nil) {
			if got, want := response.Header.Get(name), page.Header.Get(name); got != want || got == "" {
				t.Errorf("/%s: %s: %q", path, name, got)
			}
		}
	}
}

// Browsers apply Strict-Transport-Security to every port of a host name, and other servers
// on local names use plain http.
func TestStrictTransportIsNotForLocalNames(t *testing.T) {
	h := withHeaders(securityHeaders(&config{tlsCert: "c"}, nil), http.NotFoundHandler())
	for host, want := range map[string]string{
		"mqtt.example.com": "max-age=31536000", "mqtt.example.com:8443": "max-age=31536000",
		"localhost:8443": "", "LocalHost": "", "console.localhost:8443": "", "localhost.example": "max-age=31536000",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Strict-Transport-Security"); got != want || w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("to %s: %q, want %q", host, got, want)
		}
	}
}
