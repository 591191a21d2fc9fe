package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// figure prints a measured value beside its target.
func figure(what string, got float64, unit, bound string, asked float64) {
	missed := ""
	if bound == "at least" && got < asked || bound == "at most" && got > asked {
		missed = ": MISSED"
	}
	fmt.Printf("%s: %.2f %s (asked: %s %g)%s\n", what, got, unit, bound, asked, missed)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// TestLoadData is the part of "make load" that measures the cost of -data.
func TestLoadData(t *testing.T) {
	if os.Getenv("MQTTWASM_LOAD") == "" {
		t.Skip("takes long: make load")
	}
	server := spawn(t, "-data", t.TempDir())
	pub := openStream(t, server.tcp, passing)

	const n = 50_000
	sub := openStream(t, server.tcp, lastingAs("one"), "one")
	arrived := make(chan error, 1)
	go func() { arrived <- sub.take(n) }()
	began := time.Now()
	pub.pipeline(t, n, false, func(int) (string, string) { return "one", "message" })
	took := time.Since(began)
	if err := <-arrived; err != nil {
		t.Fatal(err)
	}
	figure("QoS 1 of one pipelining publisher to one lasting session", n/took.Seconds(), "messages/s", "at least", 5000)
	_ = sub.Close()

	var taking sync.WaitGroup
	defer taking.Wait()
	for i := range 50 {
		s := openStream(t, server.tcp, lastingAs(fmt.Sprint("fan", i)), "fan")
		taking.Go(func() { _ = s.take(n) }) // until the connection is closed
		defer s.Close()
	}
	var delays []time.Duration
	for i := range 500 {
		began := time.Now()
		pub.publish(t, uint16(i+1), false, "fan", "message")
		pub.acknowledged(t)
		delays = append(delays, time.Since(began))
	}
	slices.Sort(delays)
	figure("PUBACK of a message for 50 lasting sessions: half of them within", milliseconds(delays[len(delays)/2]), "ms", "at most", 20)
	fmt.Printf("the same: 99 %% within %.2f ms\n", milliseconds(delays[len(delays)*99/100]))

	const queued = 8192
	_ = openStream(t, server.tcp, lastingAs("away"), "away").Close()
	began = time.Now()
	pub.pipeline(t, queued, false, func(int) (string, string) { return "away", "message" })
	fmt.Printf("%d messages for a lasting session that is away: %.0f messages/s\n", queued, queued/time.Since(began).Seconds())
	began = time.Now()
	if err := openStream(t, server.tcp, lastingAs("away")).take(queued); err != nil {
		t.Fatal(err)
	}
	figure("the same: from CONNECT until it has them all", time.Since(began).Seconds(), "s", "at most", 1)
}

// TestLoadStart is the part of "make load" that starts with a full data directory.
func TestLoadStart(t *testing.T) {
	if os.Getenv("MQTTWASM_LOAD") == "" {
		t.Skip("takes long: make load")
	}
	const retained, sessions = 50_000, 10_000
	dir := t.TempDir()
	server := spawn(t, "-data", dir)
	const own = 30 // the broker's own retained messages, which count
	openStream(t, server.tcp, passing).pipeline(t, retained-own, true, func(i int) (string, string) {
		return fmt.Sprintf("plant/%d/line/%d/temperature", i%500, i), `{"value": 21.5}`
	})
	var opening sync.WaitGroup
	for worker := range 50 {
		opening.Go(func() {
			for i := worker; i < sessions; i += 50 {
				_ = openStream(t, server.tcp, lastingAs(fmt.Sprint("client-", i)), fmt.Sprintf("client/%d/#", i)).Close()
			}
		})
	}
	opening.Wait()
	server.kill()

	server = spawn(t, "-data", dir)
	figure(fmt.Sprintf("start with %d retained messages and %d sessions: processor time", retained, sessions),
		processorTime(t, server.pid).Seconds(), "s", "at most", 4)
	if !connectMQTT(t, dialTCP(t, server.tcp), fmt.Sprint("client-", sessions-1)) {
		t.Error("the last session is gone")
	}
	const idle = 30 * time.Second
	before := processorTime(t, server.pid)
	time.Sleep(idle)
	figure("the same: without traffic", float64(processorTime(t, server.pid)-before)/float64(idle)*100, "% of a processor", "at most", 2)
	fmt.Printf("the same: %d MiB of memory\n", residentKiB(t, server.pid)/1024)
}

// TestLoadAttacks is the part of "make load" in which one user tries to exceed the limits.
func TestLoadAttacks(t *testing.T) {
	if os.Getenv("MQTTWASM_LOAD") == "" {
		t.Skip("takes long: make load")
	}
	server := spawn(t, attacked(t)...)
	during := func(name string, attack func()) {
		delays := others(t, server.tcp, 10*time.Millisecond, attack)
		fmt.Printf("others' messages at QoS 1, stored, during %s: half within %.2f ms, 99 %% within %.2f ms of %d\n",
			name, milliseconds(delays[len(delays)/2]), milliseconds(delays[len(delays)*99/100]), len(delays))
	}
	during("no attack", func() { time.Sleep(5 * time.Second) })
	for _, attack := range attacks(10_000) {
		during(attack.name, func() {
			for began := time.Now(); time.Since(began) < 5*time.Second; {
				attack.run(t, server.tcp)
			}
		})
	}
}

// stream is a lightweight TCP client. Its packets are at most 129 bytes long.
type stream struct {
	net.Conn
	in *bufio.Reader
}

func passing(content *packets.Connect) { content.CleanStart = true }

func lastingAs(clientID string) func(*packets.Connect) {
	return func(content *packets.Connect) {
		expiry := uint32(3600)
		content.ClientID, content.Properties.SessionExpiryInterval = clientID, &expiry
	}
}

// openStream connects a client and subscribes at QoS 1.
func openStream(t *testing.T, address string, with func(*packets.Connect), filters ...string) *stream {
	t.Helper()
	c := dialTCP(t, address)
	connack := handshake(t, c, with)
	if connack.ReasonCode != 0 {
		t.Errorf("CONNACK reason %#x", connack.ReasonCode)
	}
	if len(filters) > 0 {
		for _, reason := range subscribe(t, c, 1, filters...) {
			if reason != 1 {
				t.Errorf("SUBACK reason %#x", reason)
			}
		}
	}
	_ = c.SetDeadline(time.Now().Add(5 * time.Minute))
	return &stream{c, bufio.NewReader(c)}
}

func (s *stream) next() ([]byte, error) {
	header, err := s.in.Peek(2)
	if err != nil {
		return nil, err
	}
	packet := make([]byte, 2+int(header[1]))
	_, err = io.ReadFull(s.in, packet)
	return packet, err
}

// publish sends a QoS 1 message.
func (s *stream) publish(t *testing.T, id uint16, retain bool, topic, payload string) {
	packet := []byte{0x32, byte(2 + len(topic) + 2 + 1 + len(payload)), 0, byte(len(topic))}
	if retain {
		packet[0] |= 1
	}
	packet = append(append(packet, topic...), byte(id>>8), byte(id), 0)
	if _, err := s.Write(append(packet, payload...)); err != nil {
		t.Error(err)
	}
}

// acknowledged waits for PUBACK.
func (s *stream) acknowledged(t *testing.T) {
	packet, err := s.next()
	if err != nil || packet[0] != 0x40 || len(packet) > 4 && packet[4] >= 0x80 {
		t.Errorf("PUBACK: % x, %v", packet, err)
	}
}

// pipeline publishes n messages without waiting for each PUBACK, and returns when all are
// acknowledged.
func (s *stream) pipeline(t *testing.T, n int, retain bool, message func(i int) (topic, payload string)) {
	window := make(chan struct{}, 1024) // the server's Receive Maximum
	var acknowledging sync.WaitGroup
	acknowledging.Go(func() {
		for range n {
			s.acknowledged(t)
			<-window
		}
	})
	for i := range n {
		window <- struct{}{}
		topic, payload := message(i)
		s.publish(t, uint16(1+i%50_000), retain, topic, payload)
	}
	acknowledging.Wait()
}

// take receives n messages and acknowledges them.
func (s *stream) take(n int) error {
	var acks []byte
	for n > 0 {
		packet, err := s.next()
		if err != nil {
			return err
		}
		if packet[0]>>4 != 3 {
			continue
		}
		n--
		topic := int(packet[3])
		acks = append(acks, 0x40, 2, packet[4+topic], packet[5+topic])
		if n > 0 && s.in.Buffered() > 0 && len(acks) < 4000 {
			continue
		}
		if _, err := s.Write(acks); err != nil {
			return err
		}
		acks = acks[:0]
	}
	return nil
}
