package wire

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// paho decodes every packet that we accept, and reads the same from it.
func FuzzAgainstPaho(f *testing.F) {
	for _, seed := range [][]byte{
		{0x30, 15, 0, 5, 't', 'o', 'p', 'i', 'c', 0, 'p', 'a', 'y', 'l', 'o', 'a', 'd'},
		{0x32, 10, 0, 1, 't', 0, 7, 2, 0x01, 1, 'x', 'y'},
		{0x3D, 14, 0, 1, 't', 0, 7, 7, 0x26, 0, 1, 'k', 0, 1, 'v', 'x'},
		{0x30, 9, 0, 1, 't', 5, 0x23, 0, 1, 0x0B, 3, 'x'},
		{0x20, 6, 0, 0, 3, 0x21, 0, 10},
		{0x20, 3, 0, 0x87, 0}, {0x20, 2, 0, 1},
		{0x40, 4, 0, 1, 0x10, 0}, {0x50, 2, 0, 1}, {0x62, 3, 0, 1, 0x92}, {0x70, 2, 0, 1},
		{0x90, 5, 0, 1, 0, 1, 0x87}, {0xB0, 4, 0, 1, 0, 0x11}, {0xD0, 0},
		{0xE0, 0}, {0xE0, 8, 0x98, 6, 0x1F, 0, 3, 'b', 'y', 'e'}, {0xF0, 6, 0x18, 4, 0x15, 0, 1, 'm'},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for len(data) > 1 {
			length, size, ok, err := Varint(data[1:])
			if total := 1 + size + length; CheckHeader(data[0]) == nil && ok && err == nil && total <= len(data) {
				comparePacket(t, data[:total], data[1+size:total])
				data = data[total:]
				continue
			}
			return
		}
	})
}

// comparePacket parses a packet, and fails if paho reads it differently.
func comparePacket(t *testing.T, packet, body []byte) {
	t.Helper()
	ours, err := parse(packet[0], body)
	if err != nil {
		if e := (*Error)(nil); !errors.As(err, &e) || e.Code != Protocol || e.ReasonCode != 0 {
			t.Fatalf("% x: %+v", packet, err)
		}
		return
	}
	if d, ok := ours.(*Disconnect); ok && len(body) == 0 { // paho requires a reason code
		if !reflect.DeepEqual(d, &Disconnect{}) {
			t.Fatalf("% x: %+v", packet, d)
		}
		return
	}
	p, err := packets.ReadPacket(bytes.NewReader(packet))
	if err != nil {
		t.Fatalf("% x is let through, and paho says %v", packet, err)
	}
	theirs := fromPaho(p)
	if want, ok := ours.(*Publish); ok {
		comparePublish(t, want, p.Content.(*packets.Publish))
	} else if !reflect.DeepEqual(ours, theirs) {
		t.Fatalf("% x: paho reads %+v, we %+v", packet, theirs, ours)
	}
}

// unpackedAck is an Ack with its properties decoded.
type unpackedAck struct {
	kind, reason byte
	id           uint16
	props        packets.Properties
}

func parse(header byte, body []byte) (any, error) {
	switch kind := header >> 4; kind {
	case TypeConnack:
		c, err := ParseConnack(body)
		if e := (*Error)(nil); errors.As(err, &e) && e.Final {
			return nil, &Error{Code: Protocol}
		}
		return c, err
	case TypePublish:
		p := &Publish{Buffer: body}
		return p, ParsePublish(header, body, p)
	case TypeSuback, TypeUnsuback:
		return ParseSuback(kind, body)
	case TypePingresp:
		return "PINGRESP", CheckPingresp(body)
	case TypeDisconnect:
		return ParseDisconnect(body)
	case TypeAuth:
		a, err := ParseAuth(body)
		return Auth{a.Reason, bytes.Clone(a.Method), append([]byte{}, a.Data...)}, err
	default:
		a, err := ParseAck(kind, body)
		return unpackedAck{kind, a.Reason, a.ID, UnpackProperties(a.Properties, kind)}, err
	}
}

func fromPaho(p *packets.ControlPacket) any {
	switch q := p.Content.(type) {
	case *packets.Connack:
		return &Connack{q.SessionPresent, q.ReasonCode, *q.Properties}
	case *packets.Puback:
		return unpackedAck{p.Type, q.ReasonCode, q.PacketID, *q.Properties}
	case *packets.Pubrec:
		return unpackedAck{p.Type, q.ReasonCode, q.PacketID, *q.Properties}
	case *packets.Pubrel:
		return unpackedAck{p.Type, q.ReasonCode, q.PacketID, *q.Properties}
	case *packets.Pubcomp:
		return unpackedAck{p.Type, q.ReasonCode, q.PacketID, *q.Properties}
	case *packets.Suback:
		return &Suback{p.Type, q.PacketID, q.Reasons, q.Properties.ReasonString, q.Properties.User}
	case *packets.Unsuback:
		return &Suback{p.Type, q.PacketID, q.Reasons, q.Properties.ReasonString, q.Properties.User}
	case *packets.Pingresp:
		return "PINGRESP"
	case *packets.Disconnect:
		return &Disconnect{q.ReasonCode, q.Properties.ReasonString, q.Properties.ServerReference, q.Properties.User}
	case *packets.Auth:
		return Auth{q.ReasonCode, []byte(q.Properties.AuthMethod), append([]byte{}, q.Properties.AuthData...)}
	}
	return nil
}

func comparePublish(t *testing.T, ours *Publish, theirs *packets.Publish) {
	t.Helper()
	props := UnpackProperties(ours.Properties, TypePublish)
	ids := subscriptionIdentifiers(ours.Properties)
	same := theirs.Topic == string(ours.Topic) && theirs.QoS == ours.QoS() && theirs.Duplicate == ours.Duplicate() &&
		theirs.Retain == ours.Retain() && theirs.PacketID == ours.ID && bytes.Equal(theirs.Payload, ours.Payload) && ours.Buffer == nil
	if last := theirs.Properties.SubscriptionIdentifier; last != nil { // paho keeps only the last one
		same = same && len(ids) > 0 && int(ids[len(ids)-1]) == *last && !slices.Contains(ids, 0)
	} else {
		same = same && ids == nil
	}
	alias := uint16(0)
	if theirs.Properties.TopicAlias != nil {
		alias, theirs.Properties.TopicAlias = *theirs.Properties.TopicAlias, nil
	}
	if !same || alias != ours.Alias || !reflect.DeepEqual(&props, theirs.Properties) {
		t.Fatalf("paho reads %v, we %+v with %v", theirs, ours, &props)
	}
}
