package mqtt

import (
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

func TestDisconnectSettlesAllThatWaits(t *testing.T) {
	c, _, _ := away(t, offline)
	var done []<-chan error
	for i := range 10 {
		done = append(done, publishAsync(c, Message{Topic: "t", QoS: byte(i % 3)}))
	}
	if err := c.Disconnect(background, DisconnectOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, ch := range done {
		wantCode(t, <-ch, NotConnected, "")
	}
}

// [MQTT-3.14.4-1]: nothing follows DISCONNECT, and what was not sent may wait.
func TestNothingFollowsDisconnect(t *testing.T) {
	c, s, b, log := start(t, func(o *Options) { o.Queue.Offline, o.SessionExpiry = OfflineAll, 1000*time.Second })
	done := publishAsync(c, Message{Topic: "late"})
	_ = c.Suspend(background)
	wait[Closed](log)
	seen := 0
	for p := b.read(); p != nil && p.Type != packets.DISCONNECT; p = b.read() {
		seen++
	}
	if p := b.read(); p != nil {
		t.Errorf("%v after DISCONNECT", p)
	}
	c.Resume()
	b = s.next()
	b.accept(1)
	if seen == 0 {
		wantTopics(t, b, "late")
	}
	wantNil(t, done)
}
