package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// selfSigned writes a certificate for 127.0.0.1, and returns a client that trusts it.
func selfSigned(t *testing.T) (certFile, keyFile string, client *http.Client) {
	t.Helper()
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(writeCertificate(t, certFile, keyFile, 1))
	return certFile, keyFile, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
}

func writeCertificate(t *testing.T, certFile, keyFile string, serial int64) (certPEM []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyBytes, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	for name, data := range map[string][]byte{
		certFile: certPEM,
		keyFile:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyBytes}),
	} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certPEM
}

func TestTLS(t *testing.T) {
	certFile, keyFile, client := selfSigned(t)
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "", "-tls-cert", certFile, "-tls-key", keyFile)
	if !strings.HasPrefix(s.url, "https://") {
		t.Errorf("prints %s", s.url)
	}
	if response, _ := fetch(t, client, s.url+"healthz"); response.StatusCode != http.StatusOK {
		t.Errorf("/healthz: %d", response.StatusCode)
	}

	var stderr bytes.Buffer
	args := []string{"-addr", "127.0.0.1:0", "-tls-cert", keyFile, "-tls-key", keyFile}
	if status := run(t.Context(), args, environment(nil), io.Discard, &stderr); status != 1 || !strings.Contains(stderr.String(), "-tls-cert") {
		t.Errorf("a wrong certificate: %d %s", status, &stderr)
	}
}

func TestTLSOverTCP(t *testing.T) {
	certFile, keyFile, client := selfSigned(t)
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "0.0.0.0:0", "-mqtt-tls", "-tls-cert", certFile, "-tls-key", keyFile, "-broker-open")
	_, port, err := net.SplitHostPort(s.tcp)
	if err != nil {
		t.Fatal(err)
	}
	roots := client.Transport.(*http.Transport).TLSClientConfig
	c, err := tls.Dial("tcp", "127.0.0.1:"+port, roots)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	connectMQTT(t, c, "")
	plain := dialTCP(t, "127.0.0.1:"+port)
	if _, err := plain.Write([]byte("\x10\x0d\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x00")); err != nil {
		t.Fatal(err)
	}
	if said := ended(t, plain); strings.HasPrefix(said, "\x20") {
		t.Errorf("without TLS it answers %q", said)
	}
	if log := s.stderr.String(); strings.Contains(log, "READ ON THE WAY") {
		t.Errorf("warns of what is encrypted:\n%s", log)
	}
	go s.stop()
	if got := receive[packets.Disconnect](t, c).ReasonCode; got != packets.DisconnectServerShuttingDown {
		t.Errorf("DISCONNECT reason %#x", got)
	}
}

// HTTP/2 is only for the page: a client of MQTT over TLS that asks for another protocol is
// accepted.
func TestTLSOverTCPOffersNoHTTP(t *testing.T) {
	certFile, keyFile, client := selfSigned(t)
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "127.0.0.1:0", "-mqtt-tls", "-tls-cert", certFile, "-tls-key", keyFile)
	fetch(t, client, s.url+"healthz") // HTTPS is set up by now
	config := client.Transport.(*http.Transport).TLSClientConfig.Clone()
	config.NextProtos = []string{"mqtt"}
	c, err := tls.Dial("tcp", s.tcp, config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	connectMQTT(t, c, "")
}

func TestCertificateRenewed(t *testing.T) {
	certFile, keyFile, _ := selfSigned(t)
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "", "-tls-cert", certFile, "-tls-key", keyFile)
	serial := func() int64 {
		c, err := tls.Dial("tcp", strings.Trim(s.url, "htps:/"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	later := func(seconds int, names ...string) { // beyond the resolution of the file system's clock
		for _, name := range names {
			when := time.Now().Add(time.Duration(seconds) * time.Second)
			if err := os.Chtimes(name, when, when); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := serial(); got != 1 {
		t.Errorf("serial number %d", got)
	}
	if err := os.WriteFile(certFile, []byte("half written"), 0o600); err != nil {
		t.Fatal(err)
	}
	later(1, certFile)
	if got := serial(); got != 1 {
		t.Errorf("serial number %d while the files are no pair", got)
	}
	s.stderr.after(t, "the old one is kept")
	writeCertificate(t, certFile, keyFile, 2)
	later(2, certFile, keyFile)
	if got := serial(); got != 2 {
		t.Errorf("serial number %d after the renewal", got)
	}
}

func TestRedirectOfIPv6(t *testing.T) {
	for port, want := range map[int]string{443: "https://[2001:db8::1]/x", 8443: "https://[2001:db8::1]:8443/x"} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/x", nil)
		r.Host = "[2001:db8::1]"
		toHTTPS(&net.TCPAddr{Port: port}).ServeHTTP(w, r)
		if got := w.Header().Get("Location"); got != want {
			t.Errorf("port %d: redirected to %s", port, got)
		}
	}
}

func TestRedirect(t *testing.T) {
	certFile, keyFile, client := selfSigned(t)
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "", "-tls-cert", certFile, "-tls-key", keyFile, "-redirect-addr", "127.0.0.1:0")
	plain := s.stderr.after(t, "from=")
	response, _ := fetch(t, client, "http://"+plain+"/healthz?a=b")
	if got := response.Request.URL.String(); got != s.url+"healthz?a=b" || response.StatusCode != http.StatusOK {
		t.Errorf("arrived at %s: %d", got, response.StatusCode)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+plain+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host, r.Close = "evil.example", true
	if response, err = http.DefaultClient.Do(r); err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("with a foreign Host it redirects to %s", response.Header.Get("Location"))
	}
}
