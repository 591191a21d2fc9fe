package wire

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

func TestPublish(t *testing.T) {
	for name, test := range map[string]struct {
		header byte
		body   []byte
		want   Publish
	}{
		"plain, QoS 0":         {0x31, []byte{0, 1, 't', 0, 'x'}, Publish{Flags: 1, Topic: []byte("t"), Payload: []byte("x")}},
		"plain, QoS 1":         {0x3A, []byte{0, 1, 't', 1, 2, 0}, Publish{Flags: 10, Topic: []byte("t"), ID: 258}},
		"a topic beyond ASCII": {0x30, []byte{0, 2, 0xC3, 0xBC, 0}, Publish{Topic: []byte("ü")}},
		"properties": {0x34, []byte{0, 1, 't', 0, 7, 2, 1, 1, 'x'},
			Publish{Flags: 4, Topic: []byte("t"), ID: 7, Properties: []byte{1, 1}, Payload: []byte("x")}},
		"an alias that is set": {0x30, []byte{0, 1, 't', 10, 0x01, 1, 0x23, 0, 9, 0x02, 0, 0, 0, 5, 'x'},
			Publish{Topic: []byte("t"), Alias: 9, Properties: []byte{1, 1, 2, 0, 0, 0, 5}, Payload: []byte("x")}},
		"an alias that is used": {0x30, []byte{0, 0, 3, 0x23, 1, 2, 'x'}, Publish{Alias: 258, Payload: []byte("x")}},
	} {
		t.Run(name, func(t *testing.T) {
			// ParsePublish overwrites every field.
			p := Publish{Flags: 0xFF, Topic: []byte("old"), ID: 9, Properties: []byte{1}, Alias: 3, Payload: []byte("old"), Buffer: []byte("old")}
			if err := ParsePublish(test.header, test.body, &p); err != nil {
				t.Fatal(err)
			}
			if p.Flags != test.want.Flags || !bytes.Equal(p.Topic, test.want.Topic) || p.ID != test.want.ID || p.Alias != test.want.Alias ||
				!bytes.Equal(p.Properties, test.want.Properties) || !bytes.Equal(p.Payload, test.want.Payload) || p.Buffer != nil {
				t.Errorf("%+v, want %+v", p, test.want)
			}
		})
	}
}

func TestPublishFlags(t *testing.T) {
	for flags := range byte(16) {
		p := Publish{Flags: flags}
		if p.QoS() != flags>>1&3 || p.Duplicate() != (flags >= 8) || p.Retain() != (flags%2 == 1) {
			t.Errorf("%04b: QoS %d, DUP %v, RETAIN %v", flags, p.QoS(), p.Duplicate(), p.Retain())
		}
	}
}

func TestPublishRefused(t *testing.T) {
	with := func(props ...byte) []byte { return join([]byte{0, 1, 't'}, properties(props...)) }
	for name, test := range map[string]struct {
		header byte
		body   []byte
		reason byte
	}{
		"QoS 3 [MQTT-3.3.1-4]":                    {0x36, []byte{0, 1, 't', 0, 1, 0}, ReasonMalformed},
		"no body":                                 {0x30, nil, ReasonMalformed},
		"half a topic":                            {0x30, []byte{0, 2, 't'}, ReasonMalformed},
		"no length of properties":                 {0x30, []byte{0, 1, 't'}, ReasonMalformed},
		"properties that end too early":           {0x30, []byte{0, 1, 't', 2, 1}, ReasonMalformed},
		"a wildcard [MQTT-3.3.2-2]":               {0x30, []byte{0, 1, '+', 0}, ReasonMalformed},
		"a wildcard in a level [MQTT-3.3.2-2]":    {0x30, []byte{0, 3, 't', '#', 't', 0}, ReasonMalformed},
		"no packet identifier":                    {0x32, []byte{0, 1, 't', 0}, ReasonMalformed},
		"packet identifier 0 [MQTT-2.2.1-4]":      {0x32, []byte{0, 1, 't', 0, 0, 0}, ReasonProtocolError},
		"neither topic nor alias (3.3.2.1)":       {0x30, []byte{0, 0, 0}, ReasonProtocolError},
		"alias 0 [MQTT-3.3.2-8]":                  {0x30, with(0x23, 0, 0), ReasonAliasInvalid},
		"an alias twice":                          {0x30, with(0x23, 0, 1, 0x23, 0, 1), ReasonProtocolError},
		"format twice":                            {0x30, with(1, 1, 1, 1), ReasonProtocolError},
		"format 2":                                {0x30, with(1, 2), ReasonProtocolError},
		"a property of CONNACK":                   {0x30, with(0x21, 0, 1), ReasonProtocolError},
		"a property of a will":                    {0x30, with(0x18, 0, 0, 0, 1), ReasonProtocolError},
		"a property that does not exist":          {0x30, with(0x04, 1), ReasonMalformed},
		"one beyond all that exist":               {0x30, with(0x2B, 1), ReasonMalformed},
		"one of two bytes":                        {0x30, with(0x81, 1, 1), ReasonMalformed},
		"a value that ends too early":             {0x30, with(0x02, 0, 0, 0), ReasonMalformed},
		"subscription identifier 0 (3.3.2.3.8)":   {0x30, with(0x0B, 0), ReasonProtocolError},
		"a wildcard to answer to [MQTT-3.3.2-14]": {0x30, with(0x08, 0, 1, '#'), ReasonProtocolError},
		"nothing to answer to [MQTT-4.7.3-1]":     {0x30, with(0x08, 0, 0), ReasonProtocolError},
	} {
		t.Run(name, func(t *testing.T) {
			var p Publish
			wantViolation(t, ParsePublish(test.header, test.body, &p), test.reason)
		})
	}
}

// Only user properties and, in PUBLISH, subscription identifiers may repeat.
func TestPropertiesThatRepeat(t *testing.T) { // 3.3.2.3.7, 3.3.2.3.8
	user := join([]byte{packets.PropUser}, AppendString(nil, "k"), AppendString(nil, "v"))
	packed := join(user, []byte{0x0B, 1}, user, []byte{0x0B, 0x80, 1})
	var p Publish
	if err := ParsePublish(0x30, join([]byte{0, 1, 't'}, properties(packed...)), &p); err != nil {
		t.Fatal(err)
	}
	if ids := subscriptionIdentifiers(p.Properties); !slices.Equal(ids, []uint32{1, 128}) {
		t.Errorf("subscription identifiers %d", ids)
	}
	if props := UnpackProperties(p.Properties, TypePublish); !slices.Equal(props.User, []packets.User{{Key: "k", Value: "v"}, {Key: "k", Value: "v"}}) {
		t.Errorf("user properties %v", props.User)
	}
	if subscriptionIdentifiers(nil) != nil || subscriptionIdentifiers(user) != nil {
		t.Error("subscription identifiers where there are none")
	}
}

func TestParsingPublishTakesNoMemory(t *testing.T) {
	for name, body := range map[string][]byte{
		"plain":            []byte("\x00\x05topic\x00payload"),
		"beyond ASCII":     []byte("\x00\x06töpic\x00payload"),
		"properties":       []byte("\x00\x05topic\x09\x26\x00\x01k\x00\x01v\x01\x01payload"),
		"an alias only":    []byte("\x00\x00\x03\x23\x00\x01payload"),
		"a response topic": join([]byte("\x00\x01t"), properties(append([]byte{packets.PropResponseTopic}, AppendString(nil, strings.Repeat("r", 100))...)...)),
	} {
		var p Publish
		if n := testing.AllocsPerRun(100, func() {
			if err := ParsePublish(0x30, body, &p); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestFindProperty(t *testing.T) {
	all := join([]byte{packets.PropUser}, AppendString(nil, "\x16k"), AppendString(nil, "v"), []byte{packets.PropAuthMethod, 0, 1, 'm'},
		[]byte{packets.PropAuthData, 0, 0}, []byte{packets.PropMaximumPacketSize, 0, 0, 1, 0})
	for id, want := range map[byte][]byte{packets.PropAuthMethod: []byte("m"), packets.PropAuthData: {}, packets.PropMaximumPacketSize: {0, 0, 1, 0}} {
		if got, ok := FindProperty(all, id); !ok || got == nil || !bytes.Equal(got, want) {
			t.Errorf("property 0x%02X: % x, %v", id, got, ok)
		}
	}
	if got, ok := FindProperty(all, packets.PropReasonString); ok || got != nil {
		t.Errorf("% x", got)
	}
}

// Skip consumes the same bytes as the checks, for every property.
func TestSkipEveryProperty(t *testing.T) {
	values := map[valueType][]byte{flagValue: {1}, uint16Value: {0, 1}, uint32Value: {0, 0, 0, 1}, varintValue: {0x80, 1},
		stringValue: {0, 1, 's'}, binaryValue: {0, 1, 0xFF}, pairValue: {0, 1, 'k', 0, 1, 'v'}}
	for id, property := range propertyTable {
		if property.value == noValue {
			continue
		}
		skip := func(r *Reader, id int) { r.Skip(id) }
		for name, read := range map[string]func(*Reader, int){"Skip": skip, "property": (*Reader).property} {
			r := Reader{Rest: values[property.value]}
			if read(&r, id); r.Err != nil || len(r.Rest) > 0 {
				t.Errorf("%s of 0x%02X: %+v", name, id, r)
			}
		}
	}
	for _, id := range []int{0, 4, 0x2B, 0xFF} {
		r := Reader{Rest: []byte{1, 2, 3}}
		r.Skip(id)
		wantViolation(t, r.Err, ReasonMalformed)
	}
}

func TestEncodePublish(t *testing.T) {
	for _, test := range []struct {
		flags byte
		want  []byte
		idAt  int
	}{
		{0x01, []byte{0x31, 7, 0, 1, 't', 2, 1, 1, 'x'}, 5},
		{0x0D, []byte{0x3D, 9, 0, 1, 't', 0, 0, 2, 1, 1, 'x'}, 5},
	} {
		frame, idAt := EncodePublish(test.flags, "t", []byte{1, 1}, []byte("x"))
		if !bytes.Equal(frame, test.want) || idAt != test.idAt || cap(frame) != len(frame) {
			t.Errorf("% x, identifier at %d, want % x at %d", frame, idAt, test.want, test.idAt)
		}
	}
	if n := testing.AllocsPerRun(100, func() { EncodePublish(2, "topic", nil, []byte("payload")) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

// An encoded PUBLISH parses to the same values, also with another topic and an alias.
func FuzzJoinPublish(f *testing.F) {
	f.Add("t", byte(0), uint16(1), []byte("x"), "", uint32(0), true)
	f.Add("topic", byte(2), uint16(65535), []byte{}, strings.Repeat("c", 125), uint32(7), false)
	f.Fuzz(func(t *testing.T, topic string, flags byte, alias uint16, payload []byte, contentType string, expiry uint32, keep bool) {
		flags &= 0x0F
		if CheckTopicName("topic", topic) != nil || CheckText("contentType", contentType) != nil || alias == 0 || flags&6 == 6 {
			return
		}
		props := packets.Properties{ContentType: contentType, MessageExpiry: &expiry}
		frame, idAt := EncodePublish(flags, topic, props.Pack(TypePublish), payload)
		end := idAt
		if flags&6 > 0 {
			end += 2
			frame[idAt+1] = 9
		}
		var before, after Publish
		header, body := split(t, frame)
		if err := ParsePublish(header, body, &before); err != nil {
			t.Fatalf("% x: %v", frame, err)
		}
		if string(before.Topic) != topic || before.Flags != flags || !bytes.Equal(before.Payload, payload) ||
			!reflect.DeepEqual(UnpackProperties(before.Properties, TypePublish), props) {
			t.Fatalf("%q, %x, %v, %x became %+v", topic, flags, &props, payload, before)
		}

		var sent []byte
		if keep {
			sent = before.Topic
		}
		withAlias := append([]byte{packets.PropTopicAlias, byte(alias >> 8), byte(alias)}, before.Properties...)
		joined := JoinPublish(header, sent, frame[idAt:end], withAlias, payload)
		if header, body = split(t, joined); cap(joined) != len(joined) {
			t.Errorf("%d bytes in %d", len(joined), cap(joined))
		}
		if err := ParsePublish(header, body, &after); err != nil {
			t.Fatalf("% x: %v", joined, err)
		}
		if !bytes.Equal(after.Topic, sent) || after.Alias != alias || before.Flags != after.Flags || before.ID != after.ID ||
			!bytes.Equal(before.Properties, after.Properties) || !bytes.Equal(before.Payload, after.Payload) {
			t.Errorf("%+v became %+v", before, after)
		}
	})
}

func BenchmarkParsePublish(b *testing.B) {
	for name, body := range map[string][]byte{
		"plain":      []byte("\x00\x0Dsensors/42/tp\x0020.5"),
		"properties": []byte("\x00\x0Dsensors/42/tp\x12\x26\x00\x04unit\x00\x04degC\x02\x00\x00\x00\x3C20.5"),
	} {
		b.Run(name, func(b *testing.B) {
			var p Publish
			for b.Loop() {
				if err := ParsePublish(0x30, body, &p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The start of the payload is known as soon as everything before it has arrived.
func TestPublishHead(t *testing.T) {
	for _, c := range []struct {
		flags      byte
		properties []byte
	}{{0, nil}, {2, nil}, {4, []byte{0x0B, 0x07}}, {0, append([]byte{0x09, 0, 200}, make([]byte, 200)...)}} {
		frame, _ := EncodePublish(c.flags, "topic", c.properties, []byte("payload"))
		_, n, _, _ := Varint(frame[1:])
		body := frame[1+n:]
		want := len(body) - len("payload")
		for size := range len(body) + 1 {
			if got, ok := PublishHead(frame[0], body[:size]); ok != (size >= want) || ok && got != want {
				t.Errorf("flags %d: %d of %d bytes: %d, %v", c.flags, size, len(body), got, ok)
			}
		}
	}
}

// subscriptionIdentifiers returns all identifiers of a PUBLISH; [UnpackProperties]
// keeps only one.
func subscriptionIdentifiers(properties []byte) (ids []uint32) {
	for r := (Reader{Rest: properties}); len(r.Rest) > 0; {
		if id := r.Varint(); id == int(packets.PropSubscriptionIdentifier) {
			ids = append(ids, uint32(r.Varint()))
		} else {
			r.Skip(id)
		}
	}
	return ids
}
