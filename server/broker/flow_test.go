package broker

import (
	"fmt"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// A subscriber with a small Receive Maximum gets every message, never more at
// once than it allows (4.9).
func TestReceiveMaximum(t *testing.T) {
	b := start(t, Options{})
	const allowed, total = 3, 50
	sub := connect(t, dialTCP(t, b), func(c *packets.Connect) {
		c.Properties.ReceiveMaximum = ptr(uint16(allowed))
	})
	sub.subscribe("many", 1)
	pub := connect(t, dialTCP(t, b), nil)
	for i := range total {
		pub.publish(uint16(i+1), 1, false, "many", fmt.Sprint(i))
		expect[packets.Puback](pub)
	}
	for i := range total {
		m := expect[packets.Publish](sub)
		if got, want := string(m.Payload), fmt.Sprint(i); got != want {
			t.Fatalf("message %s where %s was expected", got, want)
		}
		sub.puback(m.PacketID)
	}
}

// The two directions number their packets independently (2.2.1).
func TestPacketIdentifiersDoNotCollide(t *testing.T) {
	b := start(t, Options{})
	p := connect(t, dialTCP(t, b), nil)
	p.subscribe("echo", 2)
	for i := range 3 {
		p.publish(1, 1, false, "echo", fmt.Sprint(i))
		expect[packets.Puback](p)
		m := expect[packets.Publish](p)
		t.Log(m.PacketID)
	}
}

func ptr[T any](v T) *T { return &v }
