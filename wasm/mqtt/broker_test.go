//go:build !js

package mqtt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"mqttwasm/server/broker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// embedded connects to an embedded broker through a pipe.
func embedded(t *testing.T, change func(*Options)) *Client {
	t.Helper()
	b, err := broker.New(broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return connectTo(t, b, change)
}

func connectTo(t *testing.T, b *broker.Broker, change func(*Options)) *Client {
	t.Helper()
	o := Options{URL: "pipe", Dial: func(context.Context, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go b.ServeConn(theirs)
		return ours, nil
	}}
	if change != nil {
		change(&o)
	}
	c, err := Connect(background, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Disconnect(background, DisconnectOptions{}) })
	return c
}

// Messages of every QoS and size, retained or not, arrive as they were sent.
func TestRoundTrip(t *testing.T) {
	c := embedded(t, nil)
	subscribe := func(filter string) {
		t.Helper()
		if _, err := c.Subscribe(background, []Subscription{{Filter: filter, QoS: 2, RetainAsPublished: true}}, SubscribeOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	subscribe("live/#")
	next := messages(t, c)
	for _, size := range []int{0, 1, 64 << 10, 1 << 20} {
		payload := make([]byte, size)
		for i := range payload {
			payload[i] = byte(rand.Uint32())
		}
		for qos := range byte(3) {
			for _, retain := range []bool{false, true} {
				topic := fmt.Sprintf("live/%d/%d/%v", size, qos, retain)
				m := Message{Topic: topic, Payload: payload, QoS: qos, Retain: retain}
				m.Properties.ContentType, m.Properties.CorrelationData = "x/y", []byte{0, 1}
				m.Properties.User = UserProperties{{Key: "k", Value: "1"}, {Key: "k", Value: "2"}}
				if r, err := c.Publish(background, m); err != nil || r.ReasonCode != 0 {
					t.Fatalf("%s: %v %v", topic, r, err)
				}
				got := next()
				if got.Topic != topic || got.QoS != qos || got.Retain != retain || !bytes.Equal(got.Payload, payload) {
					t.Errorf("%s: got %s, QoS %d, retain %v, %d bytes %x", topic, got.Topic, got.QoS, got.Retain, len(got.Payload), sha256.Sum256(got.Payload))
				}
				if p := got.Properties; p.ContentType != "x/y" || !bytes.Equal(p.CorrelationData, []byte{0, 1}) || fmt.Sprint(p.User) != "[{k 1} {k 2}]" {
					t.Errorf("%s: properties %+v", topic, p)
				}
				if retain && size > 0 { // an empty retained message clears (3.3.1.3)
					subscribe(topic)
					if got := next(); !got.Retain || !bytes.Equal(got.Payload, payload) {
						t.Errorf("%s: retained message differs", topic)
					}
					if _, err := c.Unsubscribe(background, []string{topic}, nil); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}

// messages returns a function that returns the next message received.
func messages(t *testing.T, c *Client) func() Message {
	ch := make(chan Message)
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	go func() {
		for {
			batch, err := c.Receive(background)
			if err != nil {
				return
			}
			for m := range batch.Messages() {
				select {
				case ch <- m:
				case <-stop:
					return
				}
			}
			batch.Done()
		}
	}()
	return func() Message { return <-ch }
}

func TestSessionTakenOverIsNotFoughtOver(t *testing.T) {
	b, err := broker.New(broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	log := make(eventLog, 100)
	connectTo(t, b, func(o *Options) { o.ClientID, o.OnEvent = "same", log.on })
	connectTo(t, b, func(o *Options) { o.ClientID = "same" })
	if e := wantCode(t, wait[Ended](log).Err, Disconnected, ""); e.ReasonCode != 0x8E {
		t.Errorf("%+v", e)
	}
}

func TestManyPublishersAndOneSlowReader(t *testing.T) {
	const publishers, each = 10, 200
	b, err := broker.New(broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	reader := connectTo(t, b, func(o *Options) { o.ReceiveMaximum = 7 })
	if _, err := reader.Subscribe(background, []Subscription{{Filter: "#", QoS: 2}}, SubscribeOptions{}); err != nil {
		t.Fatal(err)
	}
	var publishing sync.WaitGroup
	for p := range publishers {
		c := connectTo(t, b, nil)
		publishing.Go(func() {
			for i := range each {
				if _, err := c.Publish(background, Message{Topic: fmt.Sprint(p), Payload: fmt.Append(nil, i), QoS: byte(1 + p%2)}); err != nil {
					t.Errorf("publisher %d: %v", p, err)
				}
			}
		})
	}
	next := messages(t, reader)
	seen := make([]int, publishers)
	for range publishers * each {
		m := next()
		var p, i int
		_, _ = fmt.Sscan(m.Topic+" "+string(m.Payload), &p, &i)
		if i != seen[p] {
			t.Fatalf("publisher %d: message %d in place of %d", p, i, seen[p])
		}
		seen[p]++
	}
	publishing.Wait() // the last acknowledgement may come after the last message
}
