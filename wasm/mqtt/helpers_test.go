package mqtt

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

var background = context.Background()

func wantCode(t *testing.T, err error, code Code, field string) Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want an *Error with code %s", err, code)
	}
	if e.Code != code || e.Field != field {
		t.Fatalf("got code %s, field %q (%v), want %s, %q", e.Code, e.Field, err, code, field)
	}
	if field != "" && !strings.Contains(e.Message, field) {
		t.Errorf("the message %q does not name the field %s", e.Message, field)
	}
	return *e
}

// away starts a client whose connection broke, and which waits long before the
// next attempt: until Wake.
func away(t *testing.T, change func(*Options)) (*Client, *scripted, eventLog) {
	t.Helper()
	c, s, b, log := start(t, func(o *Options) {
		o.ReconnectMin, o.ReconnectMax = time.Hour, time.Hour
		o.SessionExpiry = 10 * 3600
		if change != nil {
			change(o)
		}
	})
	b.Close()
	wait[Reconnecting](log)
	return c, s, log
}

func wantTopics(t *testing.T, b *brokerConn, topics ...string) {
	t.Helper()
	for _, topic := range topics {
		if p := publishOf(t, b.read()); p.Topic != topic || p.Duplicate {
			t.Fatalf("got %v, want %s", p, topic)
		}
	}
}

func wantNil(t *testing.T, outcomes ...<-chan error) {
	t.Helper()
	for i, ch := range outcomes {
		if err := <-ch; err != nil {
			t.Errorf("publish %d: %v", i, err)
		}
	}
}

// publishAsync returns where the outcome of a publish arrives.
func publishAsync(c *Client, m Message) <-chan error {
	ch := make(chan error, 1)
	c.PublishAsync(&m, func(_ PublishResult, err error) { ch <- err })
	return ch
}

func publishOf(t *testing.T, p *packets.ControlPacket) *packets.Publish {
	t.Helper()
	if p == nil || p.Type != packets.PUBLISH {
		t.Fatalf("got %v, want PUBLISH", p)
	}
	return p.Content.(*packets.Publish)
}

func receiveOne(t *testing.T, c *Client) (Message, *Batch) {
	t.Helper()
	batch, err := c.Receive(background)
	if err != nil || batch.Count != 1 {
		t.Fatalf("batch %+v, %v", batch, err)
	}
	for m := range batch.Messages() {
		return m, batch
	}
	panic("empty batch")
}

func storeAsync(c *Client, m Message) <-chan error {
	ch := make(chan error, 1)
	c.StoreAsync(&m, func(_ PublishResult, err error) { ch <- err })
	return ch
}

// idle is closed when nothing waits, is in flight, or is left in the store.
func (s *session) idle() <-chan struct{} {
	ch := make(chan struct{})
	go func() {
		defer close(ch)
		s.mu.Lock()
		for !s.ended && (len(s.sent) > 0 || s.queue.list.Len() > 0) {
			s.changed.Wait()
		}
		if s.ended {
			s.mu.Unlock()
			return
		}
		flushed := make(chan struct{})
		s.store.Apply([]Record{{Key: "flush"}}, func(error) { close(flushed) })
		s.mu.Unlock()
		<-flushed
	}()
	return ch
}
