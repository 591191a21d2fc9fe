//go:build !js

package mqtt

import (
	"net"
	"testing"

	"mqttwasm/server/broker"
)

// The embedded broker stores a message with a control character in a user property. A
// client subscribed to it could not reconnect: it tried 1,000 times a minute, and
// closed each connection for a malformed packet.
func TestStoredControlCharacterDoesNotLockOut(t *testing.T) {
	br, err := broker.New(broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer br.Close()
	raw, theirs := net.Pipe()
	go br.ServeConn(theirs)
	other := &brokerConn{t: t, Conn: raw} // another client, which may send this
	other.send(0x10, 16, 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 60, 0, 0, 3, 'r', 'a', 'w')
	if p := other.read(); p == nil || p.Type != 2 {
		t.Fatalf("got %v, want CONNACK", p)
	}
	other.send(0x33, 16, 0, 1, 't', 0, 1, 9, 0x26, 0, 1, 'k', 0, 3, 'a', '\n', 'b', 'P') // retained, QoS 1
	if p := other.read(); p == nil || p.Type != 4 {
		t.Fatalf("got %v, want PUBACK", p)
	}
	log := make(eventLog, 1000)
	c := connectTo(t, br, func(o *Options) { o.OnEvent, o.ReconnectMin = log.on, 1 })
	if _, err := c.Subscribe(background, []Subscription{{Filter: "#", QoS: 1}}, SubscribeOptions{}); err != nil {
		t.Fatal(err)
	}
	for m, err := range c.Messages(background) {
		if err != nil || m.Topic != "t" || string(m.Payload) != "P" || len(m.Properties.User) != 1 || m.Properties.User[0].Value != "a\nb" {
			t.Errorf("got %+v, %v", m, err)
		}
		break
	}
	if _, err := c.Ping(background); err != nil { // still the same connection
		t.Error(err)
	}
	for len(log) > 0 {
		if ev, ok := (<-log).(Closed); ok {
			t.Errorf("closed: %v", ev.Err)
		}
	}
	_ = raw.Close()
}
