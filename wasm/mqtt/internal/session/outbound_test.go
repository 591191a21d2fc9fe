package session

import (
	"fmt"
	"testing"
	"time"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// connected returns a session with a connection.
func connected(t *testing.T, c Config, a *wire.Connack) *Session {
	t.Helper()
	c.Now, c.BatchSize = time.Now, 8
	c.Queue = Queue{Offline: true, Messages: 1 << 20, Bytes: 1 << 30}
	s := New(c)
	if err := s.Connected(a, 1000); err != nil {
		t.Fatal(err)
	}
	return s
}

// ignored is an owner that ignores the outcome.
type ignored struct{}

func (ignored) Settle(Result, error) {}

func publish(t *testing.T, s *Session, qos byte, topic string) {
	t.Helper()
	m := newMessage(qos, topic, "", 0, 0)
	m.Owner = ignored{}
	if err := s.Publish(m); err != nil {
		t.Fatal(err)
	}
}

// However many messages the broker's new limits forbid, the one behind them is returned
// by the next Next, because nobody wakes the writer again.
func TestManyBeyondTheLimits(t *testing.T) {
	s := New(Config{Now: time.Now, Queue: Queue{Offline: true, Messages: 1 << 20, Bytes: 1 << 30}})
	for i := range 3*stageAtOnce + 1 {
		publish(t, s, 2, fmt.Sprint(i))
	}
	publish(t, s, 1, "fine")
	var c wire.Connack
	c.Properties.MaximumQOS = new(byte(1))
	if err := s.Connected(&c, 1000); err != nil {
		t.Fatal(err)
	}
	if frames := s.Next(nil, 1<<14); len(frames) != 1 || frameWords(frames[0])[0] != "PUBLISH 1 qos1 fine" {
		t.Errorf("%d packets", len(frames))
	}
}

// If the broker acknowledges nothing, the bytes in flight are bounded, whatever its Receive
// Maximum: other messages wait in the queue, which has limits.
func TestFlightIsBoundedInBytes(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		s := connected(t, Config{}, &wire.Connack{})
		const size = 10 << 20
		var held int
		for i := range 20 {
			m := newMessage(qos, fmt.Sprint(i), string(make([]byte, size)), 0, 0)
			m.Owner = ignored{}
			if err := s.Publish(m); err != nil {
				t.Fatal(err)
			}
			for _, frame := range s.Next(nil, 1<<14) {
				held += cap(frame)
				s.Written(len(frame))
			}
		}
		if held > maxFlight || held < maxFlight-2*size {
			t.Errorf("QoS %d: %d bytes in flight, of at most %d", qos, held, maxFlight)
		}
		s.Ready()
		if err := s.Ack(wire.Ack{Kind: wire.TypePuback + qos - 1, ID: s.flight.first.id, Reason: wire.ReasonUnspecified}); err != nil {
			t.Fatal(err)
		}
		if frames := s.Next(nil, 1<<14); !s.Ready().Send || len(frames) != 1 {
			t.Errorf("QoS %d: %d packets after one was acknowledged", qos, len(frames))
		}
	}
	s := connected(t, Config{}, &wire.Connack{})
	m := newMessage(1, "large", string(make([]byte, maxFlight)), 0, 0)
	m.Owner = ignored{}
	if err := s.Publish(m); err != nil || len(s.Next(nil, 1<<14)) != 1 {
		t.Errorf("a message that is larger does not leave: %v", err)
	}
}

// A broker that sends PUBREL without end and does not read the replies loses its
// connection before memory fills up.
func TestAckFlood(t *testing.T) {
	s := connected(t, Config{}, &wire.Connack{})
	var err error
	for n := 0; err == nil; n++ {
		if n > maxAcks {
			t.Fatal("it goes on for ever")
		}
		err = s.Ack(wire.Ack{Kind: wire.TypePubrel, ID: 7})
	}
	if held := cap(s.acks); held > 2*maxAcks {
		t.Errorf("%d bytes are held", held)
	}
}

// While all packet identifiers are in use, calls and messages wait for a free one.
func TestAllIdentifiersInUse(t *testing.T) {
	s := connected(t, Config{}, &wire.Connack{})
	subscribe := func(filter string) {
		if err := s.Subscribe(&Call{Filters: []string{filter}, Settle: func(*wire.Suback, error) {}}); err != nil {
			t.Fatal(err)
		}
	}
	write := func() (packets int, last string) {
		for {
			size := 0
			frames := s.Next(nil, 1<<14)
			for _, frame := range frames {
				size += len(frame)
				last = frameWords(frame)[0]
			}
			s.Written(size)
			if packets += len(frames); size == 0 {
				return packets, last
			}
		}
	}
	want := func(packets int, last string) {
		t.Helper()
		s.Ready()
		if got, gotLast := write(); got != packets || gotLast != last {
			t.Errorf("%d packets, and the last is %s; want %d, %s", got, gotLast, packets, last)
		}
		if err := consistent(s); err != nil {
			t.Fatal(err)
		}
	}
	ack := func(id uint16) {
		if err := s.Ack(wire.Ack{Kind: wire.TypePuback, ID: id}); err != nil {
			t.Fatal(err)
		}
		if !s.Ready().Send {
			t.Error("nobody wakes the writer")
		}
	}
	subscribe("a")
	for range 65534 {
		publish(t, s, 1, "t")
	}
	want(65535, "PUBLISH 65535 qos1 t")
	subscribe("b")
	want(0, "")
	ack(5)
	want(1, "UNSUBSCRIBE 5 b")
	publish(t, s, 1, "u")
	publish(t, s, 1, "v")
	want(0, "")
	ack(7)
	want(1, "PUBLISH 7 qos1 u")
	if err := s.Suback(&wire.Suback{Kind: wire.TypeUnsuback, ID: 5, Reasons: []byte{0x11}}); err != nil {
		t.Fatal(err)
	}
	if !s.Ready().Send {
		t.Error("nobody wakes the writer")
	}
	want(1, "PUBLISH 5 qos1 v")
}

// With a journal, many messages share one write to the store, but not an unlimited
// number.
func TestMarkedTogether(t *testing.T) {
	s := connected(t, Config{Journal: true}, &wire.Connack{})
	for range stageAtOnce + 1 {
		publish(t, s, 1, "t")
		s.Ready()
		s.Stored(nil)
	}
	s.Next(nil, 1)
	w := s.Ready().Writes
	if len(w) != 1 || len(w[0].Records) != stageAtOnce {
		t.Errorf("%d writes", len(w))
	}
}
