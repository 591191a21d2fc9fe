package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestLoad is "make load": WebSocket clients that publish to themselves at QoS 1, through a
// server in its own process. It prints figures, and fails if a message is lost or memory
// grows.
func TestLoad(t *testing.T) {
	duration, err := time.ParseDuration(os.Getenv("MQTTWASM_LOAD"))
	if err != nil {
		t.Skip("takes long: make load")
	}
	const clients, rate = 2000, 20_000 // messages a second, in total
	server := spawn(t)
	host := strings.Trim(strings.TrimPrefix(server.url, "http:"), "/")

	var sent, received atomic.Int64
	loads := make([]*loadClient, clients)
	for i := range loads {
		loads[i] = dialLoad(t, host, i)
	}
	var running sync.WaitGroup
	var broken sync.Once
	for _, c := range loads {
		running.Go(func() {
			if err := c.receive(&received); !errors.Is(err, net.ErrClosed) {
				broken.Do(func() { t.Error("at least one client stopped:", err) })
			}
		})
	}

	// Every client sends a message each 100 ms, at staggered times.
	began, spentBefore, ownBefore := time.Now(), processorTime(t, server.pid), processorTime(t, os.Getpid())
	var publishing sync.WaitGroup
	for i, c := range loads {
		publishing.Go(func() {
			const pause = clients * time.Second / rate
			next := began.Add(pause * time.Duration(i) / clients)
			for ; next.Before(began.Add(duration)); next = next.Add(pause) {
				time.Sleep(time.Until(next))
				if c.publish() == nil {
					sent.Add(1)
				}
			}
		})
	}
	var memory []int // KiB, once a second
	ticker := time.NewTicker(time.Second)
	for range int(duration.Seconds()) {
		<-ticker.C
		memory = append(memory, residentKiB(t, server.pid))
	}
	ticker.Stop()
	publishing.Wait()
	// On a busy machine messages may be late: they are lost only when no more arrive.
	for before, changed := int64(-1), time.Now(); received.Load() < sent.Load() && time.Since(changed) < patience; {
		if now := received.Load(); now != before {
			before, changed = now, time.Now()
		}
		time.Sleep(50 * time.Millisecond)
	}
	took, spent, own := time.Since(began), processorTime(t, server.pid)-spentBefore, processorTime(t, os.Getpid())-ownBefore
	for _, c := range loads {
		_ = c.conn.Close()
	}
	running.Wait()

	quarter := max(len(memory)/4, 1)
	early, late := median(memory[quarter:2*quarter]), median(memory[len(memory)-quarter:])
	var delays []time.Duration
	for _, c := range loads {
		delays = append(delays, c.delays...)
	}
	slices.Sort(delays)
	fmt.Printf("%d clients, %d messages in %.1f s: %.0f a second, lost %d\n",
		clients, sent.Load(), took.Seconds(), float64(received.Load())/took.Seconds(), sent.Load()-received.Load())
	each := func(spent time.Duration) float64 {
		return float64(spent.Microseconds()) / float64(max(received.Load(), 1))
	}
	fmt.Printf("processor time of a message: %.1f µs of the server, %.1f µs of the clients\n", each(spent), each(own))
	if len(delays) > 0 {
		fmt.Printf("delay: half of them under %v, 99 %% under %v\n", delays[len(delays)/2], delays[len(delays)*99/100])
	}
	fmt.Printf("memory of the server: %d MiB in the second quarter, %d MiB in the last\n", early/1024, late/1024)
	if lost := sent.Load() - received.Load(); lost != 0 {
		t.Errorf("%d messages lost", lost)
	}
	if got := float64(received.Load()) / took.Seconds(); got < 0.9*rate {
		t.Errorf("%.0f messages a second, wanted %d", got, rate)
	}
	if late > early*6/5 {
		t.Errorf("memory grows: %d KiB, %d KiB", early, late)
	}
}

// loadClient implements just enough WebSocket and MQTT 5, to leave the CPU to the server.
// Its packets are at most 125 bytes long.
type loadClient struct {
	conn   net.Conn
	in     *bufio.Reader
	topic  string
	nextID uint16
	delays []time.Duration
}

func dialLoad(t *testing.T, host string, i int) *loadClient {
	t.Helper()
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatalf("client %d: %v", i, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c := &loadClient{conn: conn, in: bufio.NewReaderSize(conn, 512), topic: fmt.Sprintf("load/%06d", i)}
	if _, err := fmt.Fprintf(conn, "GET /mqtt HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n", host); err != nil {
		t.Fatal(err)
	}
	if answer, err := http.ReadResponse(c.in, nil); err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("client %d: %v, %v", i, answer, err)
	}
	for _, packet := range []string{
		"\x10\x0d\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x00",
		fmt.Sprintf("\x82%c\x00\x01\x00\x00%c%s\x01", 6+len(c.topic), len(c.topic), c.topic),
	} {
		if err := c.send([]byte(packet)); err != nil {
			t.Fatal(err)
		}
		if answer, err := c.next(); err != nil || len(answer) < 4 {
			t.Fatalf("client %d: %q, %v", i, answer, err)
		}
	}
	return c
}

// send writes one frame, masked with zeros (RFC 6455, 5.3).
func (c *loadClient) send(packets []byte) error {
	frame := append([]byte{0x82, 0x80 | byte(len(packets)), 0, 0, 0, 0}, packets...)
	_, err := c.conn.Write(frame)
	return err
}

// next reads one frame, of at most 65,535 bytes (RFC 6455, 5.2).
func (c *loadClient) next() ([]byte, error) {
	var header [4]byte
	if _, err := io.ReadFull(c.in, header[:2]); err != nil {
		return nil, err
	}
	length := int(header[1])
	if length == 126 {
		if _, err := io.ReadFull(c.in, header[2:]); err != nil {
			return nil, err
		}
		length = int(binary.BigEndian.Uint16(header[2:]))
	}
	if header[0] != 0x82 {
		return nil, fmt.Errorf("a frame that begins with %x", header)
	}
	frame := make([]byte, length)
	_, err := io.ReadFull(c.in, frame)
	return frame, err
}

// publish sends the current time, from which the delay is measured.
func (c *loadClient) publish() error {
	c.nextID++
	if c.nextID == 0 {
		c.nextID = 1
	}
	packet := []byte{0x32, byte(2 + len(c.topic) + 2 + 1 + 8), 0, byte(len(c.topic))}
	packet = append(packet, c.topic...)
	packet = binary.BigEndian.AppendUint16(packet, c.nextID)
	packet = append(packet, 0)
	packet = binary.BigEndian.AppendUint64(packet, uint64(time.Now().UnixNano()))
	return c.send(packet)
}

// receive acknowledges messages until the connection is closed.
func (c *loadClient) receive(received *atomic.Int64) error {
	for {
		frame, err := c.next()
		if err != nil {
			return err
		}
		var acks []byte
		for len(frame) > 2 {
			packet := frame[:2+int(frame[1])]
			frame = frame[len(packet):]
			if packet[0]>>4 != 3 {
				continue
			}
			id := packet[4+len(c.topic):]
			acks = append(acks, 0x40, 2, id[0], id[1])
			if len(acks) > 120 {
				if err := c.send(acks); err != nil {
					return err
				}
				acks = nil
			}
			sent := time.Unix(0, int64(binary.BigEndian.Uint64(packet[len(packet)-8:])))
			c.delays = append(c.delays, time.Since(sent))
			received.Add(1)
		}
		if len(acks) == 0 {
			continue
		}
		if err := c.send(acks); err != nil {
			return err
		}
	}
}

func median(values []int) int {
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}

func residentKiB(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib
}

// processorTime returns the user and system CPU time that a process has used.
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest) // from the third on; utime and stime are the 14th and 15th
	var ticks int
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100 // USER_HZ is 100 on Linux
}
