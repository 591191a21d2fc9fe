package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
)

// loadCertificate returns what a listener's TLS is configured with. A handshake finds
// out when the files have changed: a renewed certificate needs no restart.
func loadCertificate(certFile, keyFile string, log *slog.Logger) (*tls.Config, error) {
	var current atomic.Pointer[tls.Certificate]
	files, err := watch("certificate", func() error {
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err == nil {
			current.Store(&pair)
		}
		return err
	}, log, certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("-tls-cert and -tls-key: %w", err)
	}
	return &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		files.check(false)
		return current.Load(), nil
	}}, nil
}

// toHTTPS sends a browser to the same page of the server at secure.
func toHTTPS(secure net.Addr) http.Handler {
	_, port, _ := net.SplitHostPort(secure.String())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostname(r.Host)
		host = net.JoinHostPort(host, port) // with the brackets of an IPv6 address
		http.Redirect(w, r, "https://"+strings.TrimSuffix(host, ":443")+r.URL.RequestURI(), http.StatusPermanentRedirect)
	})
}
