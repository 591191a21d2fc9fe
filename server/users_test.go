package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"golang.org/x/crypto/bcrypt"
)

var pencil = sync.OnceValue(func() string {
	hash, err := bcrypt.GenerateFromPassword([]byte("pencil"), bcrypt.MinCost)
	if err != nil {
		panic(err)
	}
	return string(hash)
})

// writeUsers writes a users file. Each name has a topic filter, and the password is
// "pencil".
func writeUsers(t *testing.T, file string, filters map[string]string) string {
	t.Helper()
	var list []string
	for name, filter := range filters {
		list = append(list, fmt.Sprintf(`{"name": %q, "hash": %q, "publish": [%q], "subscribe": [%[3]q]}`, name, pencil(), filter))
	}
	if err := os.WriteFile(file, []byte("["+strings.Join(list, ",")+"]"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// connectAs returns CONNACK's reason code.
func connectAs(t *testing.T, c net.Conn, name, password string) byte {
	t.Helper()
	return handshake(t, c, func(content *packets.Connect) {
		content.CleanStart = true
		content.UsernameFlag, content.Username = true, name
		content.PasswordFlag, content.Password = true, []byte(password)
	}).ReasonCode
}

func TestUsersReadAgain(t *testing.T) {
	file := writeUsers(t, filepath.Join(t.TempDir(), "users.json"), map[string]string{"alice": "a/#", "bob": "#"})
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "127.0.0.1:0", "-broker-auth", file)
	connect := func(name string) net.Conn {
		c := dialTCP(t, s.tcp)
		if code := connectAs(t, c, name, "pencil"); code != 0 {
			t.Fatalf("%s: CONNACK reason %#x", name, code)
		}
		return c
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.stderr.after(t, "has been read again") // although it has not changed
	alice, bob := connect("alice"), connect("bob")
	publish := func(topic string) byte {
		cp := packets.NewControlPacket(packets.PUBLISH)
		cp.Flags = 1 << 1
		content := cp.Content.(*packets.Publish)
		content.PacketID, content.QoS, content.Topic = 1, 1, topic
		if _, err := cp.WriteTo(alice); err != nil {
			t.Fatal(err)
		}
		return receive[packets.Puback](t, alice).ReasonCode
	}
	if code := publish("a/x"); code >= 0x80 {
		t.Errorf("publishing to a/x: reason %#x", code)
	}

	if err := os.WriteFile(file, []byte("half wri"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.stderr.after(t, "the old one is kept") // the change is noticed without a signal
	connect("bob")

	writeUsers(t, file, map[string]string{"alice": "b/#", "carol": "#"})
	if got := receive[packets.Disconnect](t, bob).ReasonCode; got != packets.DisconnectNotAuthorized {
		t.Errorf("bob, who is gone: DISCONNECT reason %#x", got)
	}
	if code := connectAs(t, dialTCP(t, s.tcp), "bob", "pencil"); code != packets.ConnackBadUsernameOrPassword {
		t.Errorf("bob, who is gone: CONNACK reason %#x", code)
	}
	connect("carol")
	if code := publish("a/x"); code != packets.PubackNotAuthorized {
		t.Errorf("publishing to a/x, which is no longer alice's: reason %#x", code)
	}
	if code := publish("b/x"); code >= 0x80 {
		t.Errorf("publishing to b/x: reason %#x", code)
	}
	if n := strings.Count(s.stderr.String(), "the old one is kept"); n != 1 {
		t.Errorf("%d warnings about one broken file", n)
	}
}
