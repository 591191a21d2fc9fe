package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nhooyr.io/websocket"
)

// TestLoad is "make load": WebSocket clients that each publish to themselves at
// QoS 1, through a server in its own process. It prints figures, and fails where
// a message is lost or memory grows.
func TestLoad(t *testing.T) {
	duration, err := time.ParseDuration(os.Getenv("MQTTWASM_LOAD"))
	if err != nil {
		t.Skip("takes long: make load")
	}
	const clients, rate = 2000, 20_000 // of messages a second, all together
	server := spawn(t)
	address := strings.Replace(server.url, "http", "ws", 1) + "mqtt"

	var sent, received atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	loads := make([]*loadClient, clients)
	for i := range loads {
		loads[i] = dialLoad(t, address, i)
	}
	var running sync.WaitGroup
	for _, c := range loads {
		running.Go(func() { c.receive(ctx, &received) })
	}

	// Every client sends a message each 100 ms; they take turns.
	began := time.Now()
	var publishing sync.WaitGroup
	for i, c := range loads {
		publishing.Go(func() {
			const pause = clients * time.Second / rate
			next := began.Add(pause * time.Duration(i) / clients)
			for ; next.Before(began.Add(duration)); next = next.Add(pause) {
				time.Sleep(time.Until(next))
				if c.publish(ctx) == nil {
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
	for deadline := time.Now().Add(patience); received.Load() < sent.Load() && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
	took := time.Since(began)
	stop()
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

// loadClient speaks just enough MQTT 5, in frames of its own making: the
// machine's time is for the server.
type loadClient struct {
	ws     *websocket.Conn
	topic  string
	nextID uint16
	delays []time.Duration
}

func dialLoad(t *testing.T, address string, i int) *loadClient {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatalf("client %d: %v", i, err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	c := &loadClient{ws: ws, topic: fmt.Sprintf("load/%06d", i)}
	for _, packet := range []string{
		"\x10\x0d\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x00",
		fmt.Sprintf("\x82%c\x00\x01\x00\x00%c%s\x01", 6+len(c.topic), len(c.topic), c.topic),
	} {
		if err := ws.Write(t.Context(), websocket.MessageBinary, []byte(packet)); err != nil {
			t.Fatal(err)
		}
		if _, answer, err := ws.Read(t.Context()); err != nil || len(answer) < 4 {
			t.Fatalf("client %d: %q, %v", i, answer, err)
		}
	}
	return c
}

// publish sends the time, which the delay is measured by.
func (c *loadClient) publish(ctx context.Context) error {
	c.nextID++
	if c.nextID == 0 {
		c.nextID = 1
	}
	packet := []byte{0x32, byte(2 + len(c.topic) + 2 + 1 + 8), 0, byte(len(c.topic))}
	packet = append(packet, c.topic...)
	packet = binary.BigEndian.AppendUint16(packet, c.nextID)
	packet = append(packet, 0)
	packet = binary.BigEndian.AppendUint64(packet, uint64(time.Now().UnixNano()))
	return c.ws.Write(ctx, websocket.MessageBinary, packet)
}

func (c *loadClient) receive(ctx context.Context, received *atomic.Int64) {
	for {
		_, frame, err := c.ws.Read(ctx)
		if err != nil {
			return
		}
		var acks bytes.Buffer
		for len(frame) > 2 {
			packet := frame[:2+int(frame[1])] // none here is longer than 127 bytes
			frame = frame[len(packet):]
			if packet[0]>>4 != 3 {
				continue
			}
			id := packet[4+len(c.topic):]
			acks.Write([]byte{0x40, 2, id[0], id[1]})
			sent := time.Unix(0, int64(binary.BigEndian.Uint64(packet[len(packet)-8:])))
			c.delays = append(c.delays, time.Since(sent))
			received.Add(1)
		}
		if acks.Len() > 0 && c.ws.Write(ctx, websocket.MessageBinary, acks.Bytes()) != nil {
			return
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
