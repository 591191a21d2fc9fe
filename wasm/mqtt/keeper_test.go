package mqtt

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/mqtttest"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// keeper is a broker that keeps its session, and checks the order of the client's
// packets and records.
type keeper struct {
	t    *testing.T
	disk *disk

	mu        sync.Mutex
	session   bool
	delivered map[string]int  // by payload
	open      map[uint16]bool // QoS 2, PUBREL outstanding
	out       []*kept
	settled   chan struct{} // gets an element when out may have become empty
}

// kept is a message for the client.
type kept struct {
	id       uint16
	qos      byte
	sent     bool
	received bool // PUBREC has arrived
	done     bool
}

func newKeeper(t *testing.T, d *disk) *keeper {
	return &keeper{t: t, disk: d, delivered: map[string]int{}, open: map[uint16]bool{}, settled: make(chan struct{}, 1)}
}

func (k *keeper) serve(conn net.Conn, c *crash) {
	defer conn.Close()
	for {
		p, err := packets.ReadPacket(conn)
		if err != nil || c.step() {
			return
		}
		k.mu.Lock()
		answer := k.handle(p)
		k.mu.Unlock()
		if c.step() {
			return
		}
		if len(answer) > 0 {
			_, _ = conn.Write(answer)
		}
	}
}

func (k *keeper) handle(p *packets.ControlPacket) (answer []byte) {
	id := p.PacketID()
	switch q := p.Content.(type) {
	case *packets.Connect:
		present := byte(0)
		if k.session {
			present = 1
		}
		k.session = true
		answer = []byte{0x20, 3, present, 0, 0}
		for _, m := range k.out {
			answer = append(answer, m.next()...)
		}
	case *packets.Publish:
		if q.QoS > 0 {
			if _, ok := k.disk.sentAs(id); !ok {
				k.t.Errorf("PUBLISH %d before the store knew that it was sent", id)
			}
			if k.delivered[string(q.Payload)] > 0 && !q.Duplicate { // [MQTT-3.3.1-1]
				k.t.Errorf("PUBLISH %d again without DUP", id)
			}
		}
		switch q.QoS {
		case 0:
			k.delivered[string(q.Payload)]++
		case 1:
			k.delivered[string(q.Payload)]++
			answer = answerFrame(0x40, id)
		case 2:
			if !k.open[id] {
				k.open[id] = true
				k.delivered[string(q.Payload)]++
			}
			answer = answerFrame(0x50, id)
		}
	case *packets.Pubrel:
		seq, _ := k.disk.sentAs(id)
		if _, ok := k.disk.get("r" + seq); !ok && k.open[id] {
			k.t.Errorf("PUBREL %d before the store knew that PUBREC came", id)
		}
		answer = answerFrame(0x70, id)
		if !k.open[id] {
			answer = answerFrame(0x70, id, wire.ReasonIDNotFound)
		}
		delete(k.open, id)
	case *packets.Puback, *packets.Pubrec, *packets.Pubcomp:
		for _, m := range k.out {
			if m.id == id && !m.done {
				answer = k.answered(m, p.Type)
			}
		}
	}
	return answer
}

func (k *keeper) answered(m *kept, kind byte) []byte {
	_, known := k.disk.get(fmt.Sprintf("i%04x", m.id))
	switch {
	case kind == packets.PUBREC:
		if !known {
			k.t.Errorf("PUBREC %d before the store knew the message", m.id)
		}
		m.received = true
		return m.next()
	case kind == packets.PUBCOMP && known:
		k.t.Errorf("PUBCOMP %d before the store had forgotten the message", m.id)
	}
	m.done = true
	select {
	case k.settled <- struct{}{}:
	default:
	}
	return nil
}

func (m *kept) next() []byte {
	switch {
	case m.done:
		return nil
	case m.received:
		return answerFrame(0x62, m.id)
	}
	header := 0x30 | m.qos<<1
	if m.sent {
		header |= 8
	}
	m.sent = true
	return []byte{header, 7, 0, 1, 't', byte(m.id >> 8), byte(m.id), 0, byte(m.id)}
}

func (k *keeper) allDone() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, m := range k.out {
		if !m.done {
			return false
		}
	}
	return true
}

// program runs a client on the disk until work returns or it crashes.
func (k *keeper) program(c *crash, work func(*Client)) {
	var served sync.WaitGroup
	var conns []net.Conn
	var mu sync.Mutex
	dial := func(context.Context, string) (net.Conn, error) {
		ours, theirs := mqtttest.Pipe()
		mu.Lock()
		conns = append(conns, theirs)
		mu.Unlock()
		served.Go(func() { k.serve(theirs, c) })
		return ours, nil
	}
	store := newMemStore(k.t, k.disk)
	store.crash = c
	client, err := Connect(background, Options{
		URL: "x", Dial: dial, ClientID: "c", KeepSession: true, SessionExpiry: 1000 * time.Second, Store: store, Reconnect: ReconnectNever,
	})
	if err == nil {
		finished := make(chan struct{})
		go func() { work(client); close(finished) }()
		select {
		case <-finished:
		case <-c.happened:
		}
		mu.Lock()
		for _, conn := range conns {
			_ = conn.Close()
		}
		mu.Unlock()
		_ = client.Disconnect(background, DisconnectOptions{Force: true})
		<-finished
	}
	served.Wait()
	if store.closed != 1 {
		k.t.Errorf("the store was closed %d times", store.closed)
	}
}
