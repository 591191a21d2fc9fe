package wire

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

func TestEncodeDisconnect(t *testing.T) { // 3.14.2.1
	for _, test := range []struct {
		reason byte
		props  *packets.Properties
		want   []byte
	}{
		{0, nil, []byte{0xE0, 0}},
		{0, &packets.Properties{}, []byte{0xE0, 0}},
		{4, nil, []byte{0xE0, 1, 4}},
		{0x82, &packets.Properties{}, []byte{0xE0, 1, 0x82}},
		{0, &packets.Properties{SessionExpiryInterval: pointer(uint32(0))}, []byte{0xE0, 7, 0, 5, 0x11, 0, 0, 0, 0}},
		{0x80, &packets.Properties{ReasonString: "x"}, []byte{0xE0, 6, 0x80, 4, 0x1F, 0, 1, 'x'}},
		{4, &packets.Properties{User: []packets.User{{Key: "k", Value: "v"}}}, []byte{0xE0, 9, 4, 7, 0x26, 0, 1, 'k', 0, 1, 'v'}},
	} {
		if got := EncodeDisconnect(test.reason, test.props); !bytes.Equal(got, test.want) {
			t.Errorf("% x, want % x", got, test.want)
		}
	}
}

func TestDisconnect(t *testing.T) {
	props := packets.Properties{ReasonString: "bye", ServerReference: "other", User: []packets.User{{Key: "k", Value: "v"}}}
	body := join([]byte{0x9C}, properties(props.Pack(TypeDisconnect)...))
	got, err := ParseDisconnect(body)
	clear(body) // the result does not share its memory
	want := &Disconnect{Reason: ReasonUseAnotherServer, ReasonString: "bye", ServerReference: "other", User: props.User}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, test := range []struct {
		body   []byte
		reason byte
	}{
		{nil, 0}, {[]byte{0}, 0}, {[]byte{0x8B}, 0x8B}, {[]byte{0x8B, 0}, 0x8B},
	} {
		got, err := ParseDisconnect(test.body)
		if err != nil || !reflect.DeepEqual(got, &Disconnect{Reason: test.reason}) {
			t.Errorf("% x: %+v, %v", test.body, got, err)
		}
	}
}

func TestDisconnectRefused(t *testing.T) {
	for name, test := range map[string]struct {
		body   []byte
		reason byte
	}{
		"Disconnect with Will, which a client sends":   {[]byte{4}, ReasonProtocolError},
		"a code that does not exist [MQTT-3.14.2-1]":   {[]byte{0x55}, ReasonProtocolError},
		"Session Expiry Interval [MQTT-3.14.2-2]":      {[]byte{0x8B, 5, 0x11, 0, 0, 0, 1}, ReasonProtocolError},
		"two reason strings (3.14.2.2.3)":              {[]byte{0x8B, 6, 0x1F, 0, 0, 0x1F, 0, 0}, ReasonProtocolError},
		"bytes after the properties":                   {[]byte{0x8B, 0, 0}, ReasonMalformed},
		"properties that are shorter than they should": {[]byte{0x8B, 3, 0x1F, 0}, ReasonMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseDisconnect(test.body)
			wantViolation(t, err, test.reason)
		})
	}
}
