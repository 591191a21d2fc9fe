package wire

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

var ackKinds = []byte{TypePuback, TypePubrec, TypePubrel, TypePubcomp}

func TestAcksReadAsTheyWereMade(t *testing.T) {
	for _, kind := range ackKinds {
		for _, reason := range []byte{0, 0x92, 0x87} {
			if !ValidReason(kind, reason) {
				continue
			}
			packet := AppendAck([]byte("before"), kind, 0x1234, reason)[len("before"):]
			header, body := split(t, packet)
			if err := CheckHeader(header); err != nil || header>>4 != kind {
				t.Errorf("% x: %v", packet, err)
			}
			if want := 4; reason == 0 && len(packet) != want { // 3.4.2.1
				t.Errorf("% x has %d bytes, want %d", packet, len(packet), want)
			}
			got, err := ParseAck(kind, body)
			if want := (Ack{Kind: kind, ID: 0x1234, Reason: reason}); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("% x: %+v, %v", packet, got, err)
			}
		}
	}
}

func TestAckRefused(t *testing.T) {
	for name, test := range map[string]struct {
		body   []byte
		reason byte
	}{
		"no body":                         {nil, ReasonMalformed},
		"half an identifier":              {[]byte{0}, ReasonMalformed},
		"identifier 0":                    {[]byte{0, 0}, ReasonProtocolError},
		"a code that PUBREL has not":      {[]byte{0, 1, 0x55}, ReasonProtocolError},
		"a property of PUBLISH":           {[]byte{0, 1, 0, 2, 1, 1}, ReasonProtocolError},
		"a reason string twice":           {[]byte{0, 1, 0, 6, 0x1F, 0, 0, 0x1F, 0, 0}, ReasonProtocolError},
		"properties that end too early":   {[]byte{0, 1, 0, 4, 0x1F, 0}, ReasonMalformed},
		"bytes after the properties":      {[]byte{0, 1, 0, 0, 0}, ReasonMalformed},
		"a length in two bytes, of which": {[]byte{0, 1, 0, 0x80, 0}, ReasonMalformed},
	} {
		for _, kind := range ackKinds {
			t.Run(name+" in "+TypeName(kind), func(t *testing.T) {
				_, err := ParseAck(kind, test.body)
				wantViolation(t, err, test.reason)
			})
		}
	}
}

func TestParsingAcksTakesNoMemory(t *testing.T) {
	body := []byte{0, 7, 0x10, 6, 0x1F, 0, 3, 'b', 'y', 'e'}
	var a Ack
	if n := testing.AllocsPerRun(100, func() { a, _ = ParseAck(TypePuback, body) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if props := UnpackProperties(a.Properties, a.Kind); props.ReasonString != "bye" {
		t.Errorf("%v", &props)
	}
}

func TestSuback(t *testing.T) {
	for _, kind := range []byte{TypeSuback, TypeUnsuback} {
		props := join([]byte{packets.PropReasonString, 0, 3, 'b', 'y', 'e'}, []byte{packets.PropUser, 0, 1, 'k', 0, 1, 'v'})
		body := join([]byte{0, 7}, properties(props...), []byte{0, 0x87, 0x55})
		got, err := ParseSuback(kind, body)
		if err != nil {
			t.Fatal(err)
		}
		clear(body) // the result does not share its memory
		// 0x55 is not a reason code; that concerns one filter, not the connection.
		want := &Suback{Kind: kind, ID: 7, Reasons: []byte{0, 0x87, 0x55}, ReasonString: "bye", User: []packets.User{{Key: "k", Value: "v"}}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
		for name, test := range map[string]struct {
			body   []byte
			reason byte
		}{
			"no properties":         {[]byte{0, 1}, ReasonMalformed},
			"identifier 0":          {[]byte{0, 0, 0, 0}, ReasonProtocolError},
			"a property of PUBLISH": {[]byte{0, 1, 2, 1, 1, 0}, ReasonProtocolError},
		} {
			t.Run(name+" in "+TypeName(kind), func(t *testing.T) {
				s, err := ParseSuback(kind, test.body)
				wantViolation(t, err, test.reason)
				if s != nil {
					t.Errorf("%+v beside an error", s)
				}
			})
		}
	}
}

func readPaho(t *testing.T, packet []byte) *packets.ControlPacket {
	t.Helper()
	p, err := packets.ReadPacket(bytes.NewReader(packet))
	if err != nil {
		t.Fatalf("% x: %v", packet, err)
	}
	return p
}

func TestSubscribe(t *testing.T) {
	user := []packets.User{{Key: "k", Value: "v"}}
	sub := &packets.Subscribe{
		PacketID:   1, // ignored
		Properties: &packets.Properties{SubscriptionIdentifier: pointer(300), User: user},
		Subscriptions: []packets.SubOptions{
			{Topic: "a/#", QoS: 2, NoLocal: true, RetainHandling: 2},
			{Topic: "$share/g/+", QoS: 1, RetainAsPublished: true},
		},
	}
	p := readPaho(t, EncodeSubscribe(sub, 0x1234))
	got := p.Content.(*packets.Subscribe)
	if p.Type != TypeSubscribe || p.Flags != 2 || got.PacketID != 0x1234 || !reflect.DeepEqual(got.Properties, sub.Properties) ||
		!slices.Equal(got.Subscriptions, sub.Subscriptions) {
		t.Errorf("%+v", got)
	}
	if got, want := EncodeSubscribe(&packets.Subscribe{Subscriptions: sub.Subscriptions[:1]}, 1), []byte{0x82, 9, 0, 1, 0, 0, 3, 'a', '/', '#', 0x26}; !bytes.Equal(got, want) {
		t.Errorf("% x, want % x", got, want)
	}
}

func TestUnsubscribe(t *testing.T) {
	unsub := &packets.Unsubscribe{Properties: &packets.Properties{User: []packets.User{{Key: "k", Value: "v"}}}, Topics: []string{"a", "b/#"}}
	p := readPaho(t, EncodeUnsubscribe(unsub, 0x1234))
	got := p.Content.(*packets.Unsubscribe)
	if p.Type != TypeUnsubscribe || p.Flags != 2 || got.PacketID != 0x1234 || !reflect.DeepEqual(got.Properties, unsub.Properties) ||
		!slices.Equal(got.Topics, unsub.Topics) {
		t.Errorf("%+v", got)
	}
	if got, want := EncodeUnsubscribe(&packets.Unsubscribe{Topics: []string{"a"}}, 1), []byte{0xA2, 6, 0, 1, 0, 0, 1, 'a'}; !bytes.Equal(got, want) {
		t.Errorf("% x, want % x", got, want)
	}
}
