package main

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"mqttwasm/server/broker"
)

// contentSecurityPolicy lets the page run its own files and compile its
// WebAssembly, and connect to whatever broker the user names.
var contentSecurityPolicy = strings.Join([]string{
	"default-src 'none'",
	"script-src 'self' 'wasm-unsafe-eval'",
	"worker-src 'self'",
	"style-src 'self'",
	"img-src 'self' data: blob:",
	"font-src 'self'",
	"connect-src 'self' ws: wss: http: https:",
	"manifest-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
}, "; ")

func secureHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// access decides who may use the server: which names it answers to, and which
// pages may open its broker.
type access struct {
	origins []string // scheme://host, lower case
	names   []string // lower case, without port
	anyIP   bool
}

func newAccess(listenAddr string, origins []string) *access {
	a := &access{origins: origins}
	for _, o := range origins {
		if u, err := url.Parse(o); err == nil {
			a.names = append(a.names, u.Hostname())
		}
	}
	host, _, _ := net.SplitHostPort(listenAddr)
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		// On every interface the server has names that it cannot know. An address
		// is harmless: no foreign page can make the browser believe that it owns one.
		a.anyIP = true
		if name, err := os.Hostname(); err == nil {
			name = strings.ToLower(name)
			a.names = append(a.names, name, name+".local")
		}
	} else {
		a.names = append(a.names, strings.ToLower(host))
	}
	return a
}

// answersTo reports whether host, as in the Host header, names this server. A
// foreign name that resolves to this machine is how a page of another site
// reaches local servers (DNS rebinding).
func (a *access) answersTo(host string) bool {
	name := strings.ToLower(host)
	if h, _, err := net.SplitHostPort(name); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") || slices.Contains(a.names, name) {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && (a.anyIP || ip.IsLoopback())
}

func (a *access) allowOrigin(r *http.Request) bool {
	return broker.SameOrigin(r) || slices.Contains(a.origins, strings.ToLower(r.Header.Get("Origin")))
}

func (a *access) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A load balancer's health check may use any name; the answer tells nothing.
		if r.URL.Path != "/healthz" && !a.answersTo(r.Host) {
			http.Error(w, fmt.Sprintf("This server does not answer to the name %q.\n\n"+
				"If it should, start it with -allow-origin http://%s", r.Host, r.Host), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// parseOrigin returns the origin as browsers write it.
func parseOrigin(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" ||
		u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%q is not an origin: give scheme and host, such as https://example.com", s)
	}
	return strings.ToLower(u.Scheme + "://" + u.Host), nil
}
