package mqtt

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
)

// Every packet is shown, whole and in order, also where several went in one
// write or CONNECT in place of paho's.
func TestPacketsAreShown(t *testing.T) {
	var mu sync.Mutex
	var sent, received []byte
	var order []string
	c, _, b, _ := start(t, func(o *Options) {
		o.Username, o.Password = "me", []byte("secret")
		o.OnPacket = func(p Packet) {
			mu.Lock()
			defer mu.Unlock()
			if p.At.IsZero() {
				t.Error("no time")
			}
			order = append(order, fmt.Sprint(p.Sent, p.Bytes[0]>>4))
			if p.Sent {
				sent = append(sent, p.Bytes...)
			} else {
				received = append(received, p.Bytes...)
			}
		}
	})
	outcome := publishAsync(c, Message{Topic: "a", Payload: []byte("out"), QoS: 1})
	p := publishOf(t, b.read())
	b.send(0x40, 2, byte(p.PacketID>>8), byte(p.PacketID))
	if err := <-outcome; err != nil {
		t.Fatal(err)
	}
	b.send(0x32, 6, 0, 1, 'b', 0, 7, 0) // two in one write
	b.send(0x32, 6, 0, 1, 'b', 0, 8, 0)
	for count := 0; count < 2; {
		batch, err := c.Receive(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		count += batch.Count
		batch.Done()
	}
	b.expect(0x40, 2, 0, 7, 0x40, 2, 0, 8)
	mu.Lock()
	defer mu.Unlock()
	if !bytes.Contains(sent, []byte("secret")) || !bytes.Contains(sent, []byte("out")) {
		t.Errorf("sent % x", sent)
	}
	want := append([]byte{0x20, 3, 0, 0, 0, 0x40, 2, byte(p.PacketID >> 8), byte(p.PacketID)},
		0x32, 6, 0, 1, 'b', 0, 7, 0, 0x32, 6, 0, 1, 'b', 0, 8, 0)
	if !bytes.Equal(received, want) {
		t.Errorf("received % x, want % x", received, want)
	}
	kinds := map[string]int{}
	for _, o := range order {
		kinds[o]++
	}
	for kind, n := range map[string]int{"true 1": 1, "false 2": 1, "true 3": 1, "false 4": 1, "false 3": 2, "true 4": 2} {
		if kinds[kind] != n {
			t.Errorf("%s: shown %d times, want %d: %v", kind, kinds[kind], n, order)
		}
	}
}

// Telling begins and ends while the client runs, with whole packets.
func TestPacketsAreShownOnDemand(t *testing.T) {
	c, _, b, _ := start(t, nil)
	kinds := make(chan byte, 10)
	acknowledge := func() {
		t.Helper()
		outcome := publishAsync(c, Message{Topic: "a", QoS: 1})
		p := publishOf(t, b.read())
		b.send(0x40, 2, byte(p.PacketID>>8), byte(p.PacketID))
		if err := <-outcome; err != nil {
			t.Fatal(err)
		}
	}
	acknowledge()
	c.OnPacket(func(p Packet) { kinds <- p.Bytes[0] >> 4 })
	acknowledge()
	if one, other := <-kinds, <-kinds; one+other != publish+puback {
		t.Errorf("shown %d and %d", one, other)
	}
	c.OnPacket(nil)
	acknowledge()
	if len(kinds) > 0 {
		t.Errorf("shown %d although nobody wants to know", <-kinds)
	}
}
