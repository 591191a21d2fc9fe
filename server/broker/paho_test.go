package broker

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// Debian's Python, for which python3-paho-mqtt is installed.
const python = "/usr/bin/python3"

// An independent client gets every payload and echoes it unchanged, over each transport and
// in both versions of the protocol.
func TestPahoPython(t *testing.T) {
	if err := exec.Command(python, "-c", "import paho.mqtt.client").Run(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("python3-paho-mqtt is not installed: run make deps")
		}
		t.Skip("python3-paho-mqtt is not installed: run make deps")
	}
	for _, transport := range []string{"tcp", "websockets"} {
		for _, version := range []string{"4", "5"} {
			t.Run(transport+" version "+version, func(t *testing.T) {
				b := start(t, Options{})
				pahoEcho(t, b, transport, version)
			})
		}
	}
}

func pahoEcho(t *testing.T, b *Broker, transport, version string) {
	p := connect(t, dialTCP(t, b), nil)
	p.subscribe("from/python", 2)

	address := p.conn.RemoteAddr().String()
	if transport == "websockets" {
		u, err := url.Parse(serveHTTP(t, b))
		if err != nil {
			t.Fatal(err)
		}
		address = u.Host
	}
	host, port, _ := net.SplitHostPort(address)
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "testdata/echo.py", transport, version, host, port)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	defer func() {
		cancel()
		if err := <-exited; err != nil || t.Failed() {
			t.Errorf("%v: %v\n%s", cmd, err, &output)
		}
	}()

	if got := p.receive(3 * patience); got != "ready" {
		t.Fatalf("got %q", got)
	}
	for i, payload := range []string{
		"messages: 0",
		"你好, wörld 🎉",
		"\x00\xff\xfe binary \x80",
		"",
		strings.Repeat("0123456789abcdef", 4<<10),
		"end",
	} {
		p.publish(0, 0, false, "to/python", payload)
		if got := p.receive(patience); got != payload {
			t.Fatalf("payload %d came back as %.80q", i, got)
		}
	}
	// The client exited by itself; cancel did not kill it.
	if err := <-exited; err != nil {
		t.Errorf("%v", err)
	}
	exited <- nil
}

// receive returns the payload of the next message, once it is acknowledged as its QoS
// requires.
func (p *peer) receive(limit time.Duration) string {
	p.t.Helper()
	for payload, complete := "", false; ; {
		_ = p.conn.SetReadDeadline(time.Now().Add(limit))
		cp, err := packets.ReadPacket(p.conn)
		if err != nil {
			p.t.Fatal(errors.Join(errors.New("waiting for a message"), err))
		}
		switch m := cp.Content.(type) {
		case *packets.Publish:
			payload, complete = string(m.Payload), m.QoS < 2
			if m.QoS == 1 {
				p.puback(m.PacketID)
			}
			if m.QoS == 2 {
				pubrec := packets.NewControlPacket(packets.PUBREC)
				pubrec.Content.(*packets.Pubrec).PacketID = m.PacketID
				p.send(pubrec)
			}
		case *packets.Pubrel:
			pubcomp := packets.NewControlPacket(packets.PUBCOMP)
			pubcomp.Content.(*packets.Pubcomp).PacketID = m.PacketID
			p.send(pubcomp)
			complete = true
		default:
			p.t.Fatalf("got %s", cp)
		}
		if complete {
			return payload
		}
	}
}
