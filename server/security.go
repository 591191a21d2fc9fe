package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
)

// securityHeaders go with every response, since a worker's policy is that of its
// script's response. They let the page run its own files and compile its WebAssembly.
func securityHeaders(c *config, brokers []brokerEntry) map[string]string {
	ancestors, resources := "'none'", "same-origin"
	if len(c.allowFrames) > 0 {
		// Cross-Origin-Resource-Policy applies to frames, too, in a page that requires
		// it of its resources.
		ancestors, resources = strings.Join(c.allowFrames, " "), "cross-origin"
	}
	policy := []string{
		"default-src 'none'",
		"script-src 'self' 'wasm-unsafe-eval'",
		"worker-src 'self'",
		"style-src 'self'",
		"img-src 'self' data: blob:",
		"connect-src 'self' " + strings.Join(connectSources(c, brokers), " "),
		"manifest-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors " + ancestors,
		"require-trusted-types-for 'script'",
		"trusted-types mqttwasm", // web/src/client/transport/asset-urls.ts
	}
	if c.cspReport != "" {
		policy = append(policy, "report-uri "+c.cspReport)
	}
	headers := map[string]string{
		"Content-Security-Policy":      strings.Join(policy, "; "),
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Permissions-Policy":           permissions,
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": resources,
		// Not require-corp: where the console can't reach a broker it checks, without
		// credentials, whether anything answers.
		"Cross-Origin-Embedder-Policy": "credentialless",
	}
	if c.tlsCert != "" {
		headers["Strict-Transport-Security"] = "max-age=31536000"
	}
	return headers
}

// permissions allow the page to write to the clipboard, and nothing else of the device.
const permissions = "accelerometer=(), autoplay=(), camera=(), display-capture=(), fullscreen=(), geolocation=(), " +
	"gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=(), clipboard-write=(self)"

// connectSources allow any broker that the user names, and http to find out why one
// can't be reached; with -pin-brokers only those of the list.
func connectSources(c *config, brokers []brokerEntry) (sources []string) {
	switch {
	case !c.pinBrokers && c.tlsCert == "":
		return []string{"ws:", "wss:", "http:", "https:"}
	case !c.pinBrokers: // browsers let a page over https use ws: to its own machine only
		return []string{"wss:", "https:", "ws://localhost:*", "ws://127.0.0.1:*"}
	}
	for _, b := range brokers {
		for _, address := range []string{b.URL, b.SecureURL} {
			if u, err := url.Parse(address); err == nil && u.Host != "" && (u.Scheme == "wss" || c.tlsCert == "") {
				sources = append(sources, u.Scheme+"://"+u.Host)
			}
		}
	}
	return slices.Compact(sources)
}

func withHeaders(headers map[string]string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		if strings.HasSuffix("."+strings.ToLower(hostname(r.Host)), ".localhost") { // it would apply to everything that this machine serves
			w.Header().Del("Strict-Transport-Security")
		}
		next.ServeHTTP(w, r)
	})
}

// access decides which names the server answers to.
type access struct {
	names []string // lower case, without port
	anyIP bool
}

func newAccess(listenAddr string, origins []string) *access {
	a := new(access)
	for _, o := range origins {
		a.names = append(a.names, hostname(o[strings.Index(o, "//")+2:]))
	}
	host, _, _ := net.SplitHostPort(listenAddr)
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		// On all interfaces the server has addresses that it cannot know. They are
		// harmless: a page of another site cannot claim an address as its name.
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

// hostname is a Host header without its port.
func hostname(host string) string { return (&url.URL{Host: host}).Hostname() }

// validateHost refuses requests whose Host header does not name this server. A foreign
// name that resolves to this machine would let a page of another site reach local
// servers (DNS rebinding).
func (a *access) validateHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A load balancer's health check may use any name; the answer reveals nothing.
		asked := r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
		name := strings.ToLower(hostname(r.Host))
		_, err := netip.ParseAddr(name)
		if !asked && !local(name) && !slices.Contains(a.names, name) && (!a.anyIP || err != nil) {
			http.Error(w, fmt.Sprintf("This server does not answer to the name %q.\n\n"+
				"If it should, start it with -allow-origin http://%s", r.Host, r.Host), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// toHTTPS sends a browser to the same page of the server at secure.
func toHTTPS(secure net.Addr) http.Handler {
	_, port, _ := net.SplitHostPort(secure.String())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := net.JoinHostPort(hostname(r.Host), port) // with the brackets of an IPv6 address
		http.Redirect(w, r, "https://"+strings.TrimSuffix(host, ":443")+r.URL.RequestURI(), http.StatusPermanentRedirect)
	})
}

// parseOrigins returns a flag's function, which adds the one or more origins of a value
// to list.
func parseOrigins(list *[]string) func(string) error {
	return func(s string) (err error) {
		for one := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ' ' }) {
			o, e := parseOrigin(one)
			*list = append(*list, o)
			err = errors.Join(err, e)
		}
		return err
	}
}

// parseOrigin returns the origin as browsers write it.
func parseOrigin(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || strings.ContainsAny(u.Host, ";'*") || u.Scheme != "http" && u.Scheme != "https" ||
		u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%q is not an origin: give scheme and host, such as https://example.com", s)
	}
	host := strings.TrimSuffix(u.Host, map[string]string{"http": ":80", "https": ":443"}[u.Scheme])
	return strings.ToLower(u.Scheme + "://" + host), nil
}
