package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// process is a server running in its own process.
type process struct {
	url, tcp string
	pid      int
	kill     func() // SIGKILL
	// end sends the signal of its first call, and returns the exit status.
	end func(os.Signal) int
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
	var ended sync.Once
	p.end = func(signal os.Signal) int {
		ended.Do(func() {
			_ = cmd.Process.Signal(signal)
			defer time.AfterFunc(patience, func() { _ = cmd.Process.Kill() }).Stop()
			read.Wait()
			_ = cmd.Wait()
		})
		return cmd.ProcessState.ExitCode()
	}
	p.kill = func() { p.end(os.Kill) }
	t.Cleanup(p.kill)
	var seen strings.Builder
	for output.Scan() {
		fmt.Fprintln(&seen, output.Text())
		if _, address, ok := strings.Cut(output.Text(), "address="); ok {
			p.tcp = address
		}
		if _, url, ok := strings.Cut(output.Text(), "Open "); ok { // the last line at startup
			p.url = url
			read.Go(func() {
				for output.Scan() { // keeps the pipe from filling up
				}
			})
			return p
		}
	}
	t.Fatalf("the server does not listen:\n%s", &seen)
	return nil
}

// seed returns a random seed, or MQTTWASM_SEED to repeat a run.
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

// ledger records which messages were acknowledged and received.
type ledger struct {
	mu       sync.Mutex
	acked    map[string]bool
	received map[string]map[string]int // by subscriber
	unsure   map[string]bool           // resent because a killed server had not acknowledged it
	changed  chan struct{}
}

func (l *ledger) note(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	do()
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// await calls lacking, with mu held, until it returns nothing.
func (l *ledger) await(t *testing.T, lacking func() []string) {
	t.Helper()
	for deadline := time.After(2 * patience); ; {
		l.mu.Lock()
		lack := lacking()
		l.mu.Unlock()
		if len(lack) == 0 {
			return
		}
		select {
		case <-l.changed:
		case <-deadline:
			t.Fatalf("%d are lacking: %.500q", len(lack), lack)
		}
	}
}

// missing returns the messages that were acknowledged but not received. The caller holds
// mu.
func (l *ledger) missing() (lost []string) {
	for name, received := range l.received {
		for payload := range l.acked {
			if received[payload] == 0 {
				lost = append(lost, name+": "+payload)
			}
		}
	}
	return lost
}

// restarts ends a server under load and starts it again, round after round, then waits
// until everything is delivered. No acknowledged message is lost, and no QoS 2 message
// arrives twice.
func restarts(t *testing.T, rounds int, end func(*ledger) os.Signal) {
	t.Helper()
	dir := t.TempDir()
	l := &ledger{
		acked: make(map[string]bool), unsure: make(map[string]bool), changed: make(chan struct{}, 1),
		received: make(map[string]map[string]int),
	}
	var subs []*subscriber
	var pubs []*publisher
	for i := range 2 {
		subs = append(subs, &subscriber{fmt.Sprint("sub", i), l, make(map[uint16]bool)})
		l.received[subs[i].name] = make(map[string]int)
	}
	for i := range 4 {
		pubs = append(pubs, &publisher{name: fmt.Sprint("pub", i), ledger: l})
	}
	var last os.Signal
	for round := range rounds + 1 {
		before := last
		server := spawn(t, "-data", dir)
		var receiving, publishing sync.WaitGroup
		for _, s := range subs {
			c := s.connect(t, server.tcp, round > 0)
			receiving.Go(func() { s.receive(c) })
		}
		for _, p := range pubs {
			c := dialTCP(t, server.tcp)
			publishing.Go(func() {
				defer c.Close()
				if p.connect(t, c) {
					p.publish(c, before, round < rounds)
				}
			})
		}
		if round < rounds {
			last = end(l)
		} else { // only what is in flight remains
			publishing.Wait()
			l.await(t, l.missing)
			last = syscall.SIGTERM
		}
		if status := server.end(last); last == syscall.SIGTERM && status != 0 {
			t.Errorf("exit status %d", status)
		}
		publishing.Wait()
		receiving.Wait()
	}
	for name, received := range l.received {
		for payload, times := range received {
			if times > 1 && strings.HasSuffix(payload, "qos 2") && !l.unsure[payload] {
				t.Errorf("%s: %s arrived %d times", name, payload, times)
			}
		}
	}
	t.Logf("%d messages acknowledged, %d sent again and perhaps known", len(l.acked), len(l.unsure))
	if len(l.acked) < rounds {
		t.Errorf("only %d messages were acknowledged: this shows nothing", len(l.acked))
	}
}

// A server killed at any moment loses nothing that it acknowledged.
func TestKill(t *testing.T) {
	rounds := 50
	if testing.Short() {
		rounds = 5
	}
	random := rand.New(rand.NewPCG(seed(t), 0))
	restarts(t, rounds, func(*ledger) os.Signal {
		time.Sleep(time.Duration(random.IntN(150)) * time.Millisecond) // any moment
		return syscall.SIGKILL
	})
}

// The same holds for SIGTERM, and for the two signals mixed.
func TestRestartUnderLoad(t *testing.T) {
	signals := []os.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGTERM, syscall.SIGTERM, syscall.SIGKILL, syscall.SIGKILL}
	round := 0
	restarts(t, len(signals), func(l *ledger) os.Signal {
		round++
		l.await(t, func() []string { return make([]string, max(0, round*500-len(l.acked))) })
		return signals[round-1]
	})
}

// Retained messages and subscriptions survive, too.
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
