package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"
)

// authority issues certificates for 127.0.0.1 and for clients, as PEM files in dir.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, dir string) *authority {
	t.Helper()
	a := &authority{dir: dir}
	a.cert, a.key = a.issue(t, "ca")
	return a
}

func (a *authority) issue(t *testing.T, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	keyBytes, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		name + ".pem": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: keyBytes},
	} {
		if err := os.WriteFile(filepath.Join(a.dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// A mosquitto with only a TLS listener, which requires client certificates.
func TestRelayToMosquittoWithClientCertificates(t *testing.T) {
	dir := t.TempDir()
	ca := newAuthority(t, dir)
	ca.issue(t, "server")
	ca.issue(t, "client")
	stranger := newAuthority(t, t.TempDir())
	stranger.issue(t, "client")

	free := fakeBroker(t)
	address := free.Addr().String()
	_ = free.Close()
	_, port, _ := net.SplitHostPort(address)
	conf := filepath.Join(dir, "mosquitto.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "user root\nlog_dest stderr\nlistener %s 127.0.0.1\ncafile %[2]s/ca.pem\ncertfile %[2]s/server.pem\n"+
		"keyfile %[2]s/server.key\nrequire_certificate true\nuse_identity_as_username true\n", port, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	output := newLogs()
	mosquitto := exec.Command("/usr/sbin/mosquitto", "-c", conf)
	mosquitto.Stderr = output
	if err := mosquitto.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mosquitto.Process.Kill(); _ = mosquitto.Wait() }()
	output.after(t, "running")

	list := filepath.Join(dir, "brokers.json") // beside the files that it names
	entries := fmt.Sprintf(`[
		{"name": "ours", "relay": {"address": "mqtts://%[1]s", "ca": "ca.pem", "cert": "client.pem", "key": "client.key"}},
		{"name": "without a certificate", "relay": {"address": "mqtts://%[1]s", "ca": "ca.pem"}},
		{"name": "with a certificate of others", "relay": {"address": "mqtts://%[1]s", "ca": "ca.pem", "cert": "%[2]s/client.pem", "key": "%[2]s/client.key"}},
		{"name": "trusting others", "relay": {"address": "mqtts://%[1]s", "ca": "%[2]s/ca.pem", "cert": "client.pem", "key": "client.key"}},
		{"name": "trusting the system's", "relay": {"address": "mqtts://%[1]s", "cert": "client.pem", "key": "client.key"}}]`, address, stranger.dir)
	if err := os.WriteFile(list, []byte(entries), 0o600); err != nil {
		t.Fatal(err)
	}
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "", "-brokers", list)
	for _, name := range []string{"without a certificate", "with a certificate of others", "trusting others", "trusting the system's"} {
		c := dialWS(t, s.url+"relay/"+strings.ReplaceAll(name, " ", "%20"))
		sendConnect(t, c)
		expectClose(t, c, websocket.StatusBadGateway, "cannot reach its broker")
		s.stderr.after(t, fmt.Sprintf("relay=%q", name))
	}
	c := s.dialRelay(t)
	connectMQTT(t, c, "")
	cp := packets.NewControlPacket(packets.SUBSCRIBE)
	content := cp.Content.(*packets.Subscribe)
	content.PacketID, content.Subscriptions = 1, []packets.SubOptions{{Topic: "hello", QoS: 1}}
	write(t, c, cp)
	receive[packets.Suback](t, c)
	cp = packets.NewControlPacket(packets.PUBLISH)
	cp.Content.(*packets.Publish).Topic, cp.Content.(*packets.Publish).Payload = "hello", []byte("through TLS")
	write(t, c, cp)
	if m := receive[packets.Publish](t, c); string(m.Payload) != "through TLS" {
		t.Errorf("got %q", m.Payload)
	}
}
