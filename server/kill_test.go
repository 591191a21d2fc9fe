package main

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// process is a server in its own process.
type process struct {
	url, tcp string
	pid      int
	kill     func() // SIGKILL
}

func spawn(t *testing.T, args ...string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"-addr", "127.0.0.1:0", "-mqtt-addr", "127.0.0.1:0"}, args...)...)
	cmd.Env = append(os.Environ(), asServer+"=1")
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = cmd.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{pid: cmd.Process.Pid}
	output := bufio.NewScanner(pipe)
	var read sync.WaitGroup
	p.kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		read.Wait()
		_ = cmd.Wait()
	})
	t.Cleanup(p.kill)
	var seen strings.Builder
	for output.Scan() {
		fmt.Fprintln(&seen, output.Text())
		if _, address, ok := strings.Cut(output.Text(), "address="); ok {
			p.tcp = address
		}
		if _, url, ok := strings.Cut(output.Text(), "Open "); ok { // the last thing it says
			p.url = url
			read.Go(func() {
				for output.Scan() { // so that it can go on
				}
			})
			return p
		}
	}
	t.Fatalf("the server does not listen:\n%s", &seen)
	return nil
}

// seed is new for each run, and given by MQTTWASM_SEED to repeat one.
func seed(t *testing.T) uint64 {
	n := rand.Uint64()
	if s := os.Getenv("MQTTWASM_SEED"); s != "" {
		var err error
		if n, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("MQTTWASM_SEED: %v", err)
		}
	}
	t.Logf("MQTTWASM_SEED=%d", n)
	return n
}

// ledger is what publishers and the subscriber know of the messages.
type ledger struct {
	mu       sync.Mutex
	acked    map[string]bool
	received map[string]int
	heard    chan struct{} // a message came
}

func (l *ledger) missing() (lost []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for payload := range l.acked {
		if l.received[payload] == 0 {
			lost = append(lost, payload)
		}
	}
	return lost
}

// A server that is killed at any moment has lost nothing that it acknowledged.
func TestKill(t *testing.T) {
	rounds := 50
	if testing.Short() {
		rounds = 5
	}
	random := rand.New(rand.NewPCG(seed(t), 0))
	dir := t.TempDir()
	l := &ledger{acked: make(map[string]bool), received: make(map[string]int), heard: make(chan struct{}, 1)}
	pending := make(map[uint16]bool) // of QoS 2, received and not released (4.3.3)
	for round := range rounds {
		server := spawn(t, "-data", dir)
		var clients sync.WaitGroup
		sub := subscriber(t, server.tcp, round > 0)
		clients.Go(func() { l.receive(sub, pending) })
		for p := range 4 {
			c := dialTCP(t, server.tcp)
			connectMQTT(t, c, "")
			clients.Go(func() { l.publish(c, fmt.Sprintf("%d/%d", round, p)) })
		}
		time.Sleep(time.Duration(random.IntN(150)) * time.Millisecond) // any moment will do
		server.kill()
		clients.Wait()
	}

	server := spawn(t, "-data", dir)
	sub := subscriber(t, server.tcp, true)
	done := make(chan struct{})
	go func() { defer close(done); l.receive(sub, pending) }()
	for deadline := time.After(patience); len(l.missing()) > 0; {
		select {
		case <-l.heard:
		case <-deadline:
			t.Fatalf("%d of %d acknowledged messages are lost: %.300q", len(l.missing()), len(l.acked), l.missing())
		}
	}
	server.kill()
	<-done
	twice := 0
	for payload, times := range l.received {
		if times > 1 && strings.HasSuffix(payload, "qos 2") {
			twice++
		}
	}
	if twice > 0 {
		t.Errorf("%d messages of QoS 2 arrived more than once", twice)
	}
	t.Logf("%d messages acknowledged, %d received", len(l.acked), len(l.received))
	if len(l.acked) < rounds {
		t.Errorf("only %d messages were acknowledged: this shows nothing", len(l.acked))
	}
}

func subscriber(t *testing.T, address string, again bool) net.Conn {
	t.Helper()
	c := dialTCP(t, address)
	if present := connectMQTT(t, c, "lasting"); present != again {
		t.Fatalf("session present: %v", present)
	}
	if !again {
		cp := packets.NewControlPacket(packets.SUBSCRIBE)
		content := cp.Content.(*packets.Subscribe)
		content.PacketID, content.Subscriptions = 1, []packets.SubOptions{{Topic: "kill/#", QoS: 2}}
		if _, err := cp.WriteTo(c); err != nil {
			t.Fatal(err)
		}
		receive[packets.Suback](t, c)
	}
	_ = c.SetReadDeadline(time.Time{})
	return c
}

// receive takes messages until the connection breaks.
func (l *ledger) receive(c net.Conn, pending map[uint16]bool) {
	for {
		cp, err := packets.ReadPacket(c)
		if err != nil {
			return
		}
		var answer *packets.ControlPacket
		switch m := cp.Content.(type) {
		case *packets.Publish:
			if m.QoS == 2 {
				answer = packets.NewControlPacket(packets.PUBREC)
				answer.Content.(*packets.Pubrec).PacketID = m.PacketID
			} else {
				answer = packets.NewControlPacket(packets.PUBACK)
				answer.Content.(*packets.Puback).PacketID = m.PacketID
			}
			if m.QoS == 2 && pending[m.PacketID] {
				break
			}
			pending[m.PacketID] = m.QoS == 2
			l.mu.Lock()
			l.received[string(m.Payload)]++
			l.mu.Unlock()
			select {
			case l.heard <- struct{}{}:
			default:
			}
		case *packets.Pubrel:
			delete(pending, m.PacketID)
			answer = packets.NewControlPacket(packets.PUBCOMP)
			answer.Content.(*packets.Pubcomp).PacketID = m.PacketID
		default:
			continue
		}
		if _, err := answer.WriteTo(c); err != nil {
			return
		}
	}
}

// publish sends one message after the other, of QoS 1 and 2 in turn, until the connection breaks.
func (l *ledger) publish(c net.Conn, name string) {
	for n := 0; ; n++ {
		qos := byte(1 + n%2)
		payload := fmt.Sprintf("%s/%d qos %d", name, n, qos)
		cp := packets.NewControlPacket(packets.PUBLISH)
		cp.Flags = qos << 1
		content := cp.Content.(*packets.Publish)
		content.Topic, content.Payload = "kill/"+name, []byte(payload)
		content.PacketID, content.QoS = uint16(1+n%1000), qos
		if _, err := cp.WriteTo(c); err != nil {
			return
		}
		answer, err := packets.ReadPacket(c)
		if err != nil {
			return
		}
		if err := acknowledged(answer); err != nil {
			continue
		}
		l.mu.Lock()
		l.acked[payload] = true
		l.mu.Unlock()
		if qos == 2 {
			release := packets.NewControlPacket(packets.PUBREL)
			release.Content.(*packets.Pubrel).PacketID = content.PacketID
			if _, err := release.WriteTo(c); err != nil {
				return
			}
			if _, err := packets.ReadPacket(c); err != nil {
				return
			}
		}
	}
}

func acknowledged(cp *packets.ControlPacket) error {
	var reason byte
	switch m := cp.Content.(type) {
	case *packets.Puback:
		reason = m.ReasonCode
	case *packets.Pubrec:
		reason = m.ReasonCode
	default:
		return errors.New("no acknowledgement: " + cp.String())
	}
	if reason >= 0x80 {
		return fmt.Errorf("reason %#x", reason)
	}
	return nil
}

// What is retained, and who has subscribed to what, survives too.
func TestDataSurvivesKill(t *testing.T) {
	dir := t.TempDir()
	server := spawn(t, "-data", dir)
	first := dialTCP(t, server.tcp)
	connectMQTT(t, first, "lasting")
	subscribe := packets.NewControlPacket(packets.SUBSCRIBE)
	subscribe.Content.(*packets.Subscribe).PacketID = 1
	subscribe.Content.(*packets.Subscribe).Subscriptions = []packets.SubOptions{{Topic: "live", QoS: 1}}
	publish := packets.NewControlPacket(packets.PUBLISH)
	publish.Flags = 1<<1 | 1
	kept := publish.Content.(*packets.Publish)
	kept.PacketID, kept.QoS, kept.Retain = 2, 1, true
	kept.Topic, kept.Payload = "kept", []byte("保留")
	for _, cp := range []*packets.ControlPacket{subscribe, publish} {
		if _, err := cp.WriteTo(first); err != nil {
			t.Fatal(err)
		}
	}
	receive[packets.Suback](t, first)
	receive[packets.Puback](t, first)
	server.kill()

	second := dialTCP(t, spawn(t, "-data", dir).tcp)
	if !connectMQTT(t, second, "lasting") {
		t.Error("the session is gone")
	}
	subscribe.Content.(*packets.Subscribe).Subscriptions[0].Topic = "kept"
	if _, err := subscribe.WriteTo(second); err != nil {
		t.Fatal(err)
	}
	receive[packets.Suback](t, second)
	if m := receive[packets.Publish](t, second); string(m.Payload) != "保留" {
		t.Errorf("retained message %q", m.Payload)
	}
	live := packets.NewControlPacket(packets.PUBLISH)
	live.Content.(*packets.Publish).Topic = "live"
	if _, err := live.WriteTo(second); err != nil {
		t.Fatal(err)
	}
	if m := receive[packets.Publish](t, second); m.Topic != "live" {
		t.Errorf("message on %q", m.Topic)
	}
}
