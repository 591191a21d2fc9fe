package main

import (
	"net/http"
	"net/http/httptest"
	"os"
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
		h := newAccess(test.listen, origins).guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
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

func TestOrigin(t *testing.T) {
	a := newAccess("127.0.0.1:8080", []string{"https://mqtt.example.com"})
	for origin, want := range map[string]bool{
		"http://127.0.0.1:8080":         true,
		"https://mqtt.example.com":      true,
		"https://MQTT.example.com":      true,
		"http://mqtt.example.com":       false,
		"https://mqtt.example.com:8443": false,
		"http://localhost:8080":         false, // another origin than the one asked
		"http://127.0.0.1:8081":         false,
		"http://evil.example":           false,
		"null":                          false,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8080/mqtt", nil)
		r.Header.Set("Origin", origin)
		if got := a.allowOrigin(r); got != want {
			t.Errorf("%s: %v", origin, got)
		}
	}
}

func TestSecureHeaders(t *testing.T) {
	w := get(t, secureHeaders(http.NotFoundHandler()), "/", nil)
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; " +
			"style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self' ws: wss: http: https:; " +
			"manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
