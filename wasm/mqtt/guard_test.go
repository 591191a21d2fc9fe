package mqtt

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

func TestVarint(t *testing.T) {
	for _, test := range []struct {
		in    []byte
		value int
		ok    bool
		bad   bool
	}{
		{nil, 0, false, false},
		{[]byte{0}, 0, true, false},
		{[]byte{0x7F}, 127, true, false},
		{[]byte{0x80}, 0, false, false},
		{[]byte{0x80, 1}, 128, true, false},
		{[]byte{0xFF, 0xFF, 0xFF, 0x7F}, 268_435_455, true, false},
		{[]byte{0x80, 0}, 0, false, true}, // [MQTT-1.5.5-1]
		{[]byte{0xFF, 0xFF, 0xFF, 0xFF}, 0, false, true},
		{[]byte{0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, 0, false, true},
	} {
		value, size, ok, err := parseVarint(test.in)
		if ok != test.ok || (err != nil) != test.bad || ok && (value != test.value || size != len(test.in)) {
			t.Errorf("% x: %d, %d, %v, %v", test.in, value, size, ok, err)
		}
		if ok && (varintSize(value) != size || !bytes.Equal(appendVarint(nil, value), test.in)) {
			t.Errorf("% x is not what %d is encoded as", test.in, value)
		}
	}
}

func TestTopicAliases(t *testing.T) {
	c, _, b, log := start(t, func(o *Options) { o.TopicAliasMaximum, o.NoReconnect = 2, true })
	b.send(0x30, 8, 0, 2, 'a', 'b', 3, 0x23, 0, 1) // sets alias 1
	if m, _ := receiveOne(t, c); m.Topic != "ab" || len(m.Properties.User) != 0 || m.Properties.TopicAlias != nil {
		t.Errorf("%+v", m)
	}
	b.send(0x30, 8, 0, 0, 3, 0x23, 0, 1, 'x', 'y') // uses it
	if m, _ := receiveOne(t, c); m.Topic != "ab" || string(m.Payload) != "xy" {
		t.Errorf("%+v", m)
	}
	b.send(0x30, 6, 0, 0, 3, 0x23, 0, 2) // never set
	b.expect(0xE0, 1, 0x82)
	wantCode(t, wait[Closed](log).Err, Protocol, "")
}

// Whatever the guard lets through, paho's decoder takes as well, and both read
// the same from it.
func FuzzGuardAgainstPaho(f *testing.F) {
	for _, seed := range [][]byte{
		{0x30, 15, 0, 5, 't', 'o', 'p', 'i', 'c', 0, 'p', 'a', 'y', 'l', 'o', 'a', 'd'},
		{0x32, 10, 0, 1, 't', 0, 7, 2, 0x01, 1, 'x', 'y'},
		{0x3D, 14, 0, 1, 't', 0, 7, 7, 0x26, 0, 1, 'k', 0, 1, 'v', 'x'},
		{0x20, 6, 0, 0, 3, 0x21, 0, 10},
		{0x40, 4, 0, 1, 0x10, 0}, {0x50, 2, 0, 1}, {0x62, 3, 0, 1, 0x92}, {0x70, 2, 0, 1},
		{0x90, 5, 0, 1, 0, 1, 0x87}, {0xB0, 4, 0, 1, 0, 0x11}, {0xD0, 0},
		{0xE0, 8, 0x98, 6, 0x1F, 0, 3, 'b', 'y', 'e'}, {0xF0, 6, 0x18, 4, 0x15, 0, 1, 'm'},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		client, broker := bufferedPipe()
		go func() {
			_, _ = broker.Write(data)
			_ = broker.Close()
		}()
		l := newLink(client, 1<<16)
		l.connected = len(data) > 0 && data[0]>>4 != connack
		var seen []publishPacket
		var answers []answerPacket
		l.onPublish = func(p *publishPacket, _ float64) error {
			kept := *p
			kept.topic, kept.properties, kept.payload = bytes.Clone(p.topic), bytes.Clone(p.properties), bytes.Clone(p.payload)
			seen = append(seen, kept)
			return nil
		}
		l.onAnswer = func(p answerPacket) error {
			p.properties = bytes.Clone(p.properties)
			answers = append(answers, p)
			return nil
		}
		for {
			_, err := packets.ReadPacket(l)
			if err != nil {
				if l.endCause() == nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, net.ErrClosed) {
					t.Fatalf("the guard lets % x through, and paho says %v", data, err)
				}
				break
			}
		}
		r := bytes.NewReader(data)
		for _, want := range seen {
			p, err := packets.ReadPacket(r)
			for err == nil && p.Type != packets.PUBLISH {
				p, err = packets.ReadPacket(r)
			}
			if err != nil {
				t.Fatalf("paho can't read what the guard reads from % x: %v", data, err)
			}
			q := p.Content.(*packets.Publish)
			if q.Topic != string(want.topic) || q.QoS != want.qos() || q.Duplicate != want.duplicate() ||
				q.PacketID != want.id || !bytes.Equal(q.Payload, want.payload) {
				t.Fatalf("% x: paho reads %v, the guard %+v", data, q, want)
			}
		}
		r.Reset(data)
		for _, want := range answers {
			p, err := packets.ReadPacket(r)
			for err == nil && p.Type != want.kind {
				p, err = packets.ReadPacket(r)
			}
			if err != nil {
				t.Fatalf("paho can't read what the guard reads from % x: %v", data, err)
			}
			reason, props := answerOf(p)
			if p.PacketID() != want.id || reason != want.reason || props != nil && props.ReasonString != unpackProperties(want.properties, want.kind).ReasonString {
				t.Fatalf("% x: paho reads %v, the guard %+v", data, p, want)
			}
		}
	})
}

func answerOf(p *packets.ControlPacket) (reason byte, props *packets.Properties) {
	switch q := p.Content.(type) {
	case *packets.Puback:
		return q.ReasonCode, q.Properties
	case *packets.Pubrec:
		return q.ReasonCode, q.Properties
	case *packets.Pubrel:
		return q.ReasonCode, q.Properties
	case *packets.Pubcomp:
		return q.ReasonCode, q.Properties
	}
	return 0, nil
}
