package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// certificate is read again when its files have changed, which a handshake finds
// out: a renewed certificate needs no restart.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu       sync.Mutex
	modified [2]time.Time
	current  *tls.Certificate
}

func loadCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log, modified: modified(certFile, keyFile)}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("-tls-cert and -tls-key: %w", err)
	}
	c.current = &pair
	return c, nil
}

// get is a tls.Config's GetCertificate. Files that can't be used, such as one
// replaced before the other, leave the certificate as it was.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := modified(c.certFile, c.keyFile); now != c.modified {
		c.modified = now
		if pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile); err != nil {
			c.log.Warn("the new certificate cannot be used, the old one is kept", "error", err)
		} else {
			c.current = &pair
			c.log.Info("the certificate has been renewed", "file", c.certFile)
		}
	}
	return c.current, nil
}

func modified(certFile, keyFile string) (times [2]time.Time) {
	for i, file := range []string{certFile, keyFile} {
		if info, err := os.Stat(file); err == nil {
			times[i] = info.ModTime()
		}
	}
	return times
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
