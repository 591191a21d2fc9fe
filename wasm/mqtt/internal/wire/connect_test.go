package wire

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

func TestConnect(t *testing.T) {
	want := &packets.Connect{
		ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: "id", KeepAlive: 60, CleanStart: true,
		UsernameFlag: true, Username: "me", PasswordFlag: true, Password: []byte{0, 1},
		Properties: &packets.Properties{
			SessionExpiryInterval: pointer(uint32(100)), ReceiveMaximum: pointer(uint16(10)), MaximumPacketSize: pointer(uint32(1000)),
			TopicAliasMaximum: pointer(uint16(5)), RequestProblemInfo: pointer(byte(0)), RequestResponseInfo: pointer(byte(1)),
			AuthMethod: "m", AuthData: []byte("data"), User: []packets.User{{Key: "k", Value: "v"}, {Key: "k", Value: "w"}},
		},
		WillFlag: true, WillQOS: 2, WillRetain: true, WillTopic: "gone", WillMessage: []byte("bye"),
		WillProperties: &packets.Properties{
			WillDelayInterval: pointer(uint32(7)), PayloadFormat: pointer(byte(1)), MessageExpiry: pointer(uint32(9)),
			ContentType: "text/plain", ResponseTopic: "re", CorrelationData: []byte{1, 2}, User: []packets.User{{Key: "a", Value: "b"}},
		},
	}
	for name, change := range map[string]func(*packets.Connect){
		"everything": func(*packets.Connect) {},
		"no will": func(c *packets.Connect) {
			c.WillFlag, c.WillQOS, c.WillRetain, c.WillTopic, c.WillMessage, c.WillProperties = false, 0, false, "", nil, nil
		},
		"a will without properties": func(c *packets.Connect) { c.WillProperties, c.WillMessage = &packets.Properties{}, []byte{} },
		"a password alone":          func(c *packets.Connect) { c.UsernameFlag, c.Username = false, "" },
		"an empty password":         func(c *packets.Connect) { c.Password = []byte{} },
		"nothing that may be left out": func(c *packets.Connect) {
			*c = packets.Connect{ProtocolName: "MQTT", ProtocolVersion: 5, Properties: &packets.Properties{}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := *want
			change(&c)
			got := readPaho(t, EncodeConnect(&c)).Content.(*packets.Connect)
			if !reflect.DeepEqual(got, &c) {
				t.Errorf("got %v\nwant %v", got, &c)
			}
		})
	}
}

func TestConnectWithNothingSet(t *testing.T) {
	got := EncodeConnect(&packets.Connect{WillFlag: true, WillTopic: "w"})
	want := "\x10\x13\x00\x04MQTT\x05\x04\x00\x00\x00\x00\x00\x00\x00\x01w\x00\x00"
	if string(got) != want {
		t.Errorf("% x, want % x", got, want)
	}
}

// Properties that a will may not have are not encoded (3.1.3.2).
func TestWillHasNoPropertiesOfOtherPackets(t *testing.T) {
	c := &packets.Connect{WillFlag: true, WillTopic: "w", Properties: &packets.Properties{}, WillProperties: &packets.Properties{
		WillDelayInterval: pointer(uint32(7)), TopicAlias: pointer(uint16(1)), SubscriptionIdentifier: pointer(1), ReasonString: "no",
		SessionExpiryInterval: pointer(uint32(1)), ServerReference: "no",
	}}
	got := readPaho(t, EncodeConnect(c)).Content.(*packets.Connect)
	if want := (&packets.Properties{WillDelayInterval: pointer(uint32(7))}); !reflect.DeepEqual(got.WillProperties, want) {
		t.Errorf("%v", got.WillProperties)
	}
}

func TestConnack(t *testing.T) {
	props := &packets.Properties{
		SessionExpiryInterval: pointer(uint32(100)), ReceiveMaximum: pointer(uint16(10)), MaximumQOS: pointer(byte(1)),
		RetainAvailable: pointer(byte(0)), MaximumPacketSize: pointer(uint32(1000)), AssignedClientID: "id",
		TopicAliasMaximum: pointer(uint16(5)), ReasonString: "why", WildcardSubAvailable: pointer(byte(0)),
		SubIDAvailable: pointer(byte(0)), SharedSubAvailable: pointer(byte(0)), ServerKeepAlive: pointer(uint16(30)),
		ResponseInfo: "info", ServerReference: "other", AuthMethod: "m", AuthData: []byte("data"),
		User: []packets.User{{Key: "k", Value: "v"}},
	}
	body := join([]byte{1, 0}, properties(props.Pack(TypeConnack)...))
	got, err := ParseConnack(body)
	clear(body) // the result does not share its memory
	if err != nil || !got.SessionPresent || got.Reason != 0 || !reflect.DeepEqual(&got.Properties, props) {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = ParseConnack([]byte{0, 0x9D, 4, packets.PropServerReference, 0, 1, 'b'})
	if err != nil || got.SessionPresent || got.Reason != ReasonServerMoved || got.Properties.ServerReference != "b" {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = ParseConnack([]byte{0, 0, 0})
	if err != nil || !reflect.DeepEqual(got, &Connack{}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestConnackRefused(t *testing.T) {
	with := func(props ...byte) []byte { return join([]byte{0, 0}, properties(props...)) }
	for name, test := range map[string]struct {
		body   []byte
		reason byte
	}{
		"no body":                                {nil, ReasonMalformed},
		"one byte":                               {[]byte{0}, ReasonMalformed},
		"a refusal of MQTT 5 without properties": {[]byte{0, 0x87}, ReasonMalformed},
		"reserved flags [MQTT-3.2.2-1]":          {[]byte{2, 0, 0}, ReasonMalformed},
		"Session Present and a refusal [MQTT-3.2.2-6]":   {[]byte{1, 0x87, 0}, ReasonProtocolError},
		"a code of MQTT 3.1.1 in the form of MQTT 5":     {[]byte{0, 1, 0}, ReasonProtocolError},
		"a code of DISCONNECT":                           {[]byte{0, 0x8D, 0}, ReasonProtocolError},
		"bytes after the properties":                     {[]byte{0, 0, 0, 0}, ReasonMalformed},
		"Receive Maximum 0 (3.2.2.3.3)":                  {with(0x21, 0, 0), ReasonProtocolError},
		"Maximum QoS 2 (3.2.2.3.4)":                      {with(0x24, 2), ReasonProtocolError},
		"Maximum Packet Size 0 (3.2.2.3.6)":              {with(0x27, 0, 0, 0, 0), ReasonProtocolError},
		"a property of CONNECT":                          {with(0x17, 1), ReasonProtocolError},
		"a property of PUBLISH":                          {with(0x23, 0, 1), ReasonProtocolError},
		"a property twice":                               {with(0x22, 0, 1, 0x22, 0, 1), ReasonProtocolError},
		"Assigned Client Identifier that ends too early": {with(0x12, 0, 5, 'a'), ReasonMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := ParseConnack(test.body)
			if wantViolation(t, err, test.reason); c != nil {
				t.Errorf("%+v beside an error", c)
			}
		})
	}
}

// A broker of MQTT 3.1.1 may refuse our version (return code 1), refuse for another
// reason, or accept us as an MQTT 3.1.1 client (0).
func TestConnackOfMQTT311IsNamed(t *testing.T) {
	for _, body := range [][]byte{{0, 0}, {1, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}, {0, 5}} {
		c, err := ParseConnack(body)
		var e *Error
		if !errors.As(err, &e) || c != nil {
			t.Fatalf("% x: %+v, %v", body, c, err)
		}
		// No DISCONNECT: MQTT 3.1.1 has no reason codes for it.
		if e.Code != Protocol || !e.Final || e.Reason != 0 || e.ReasonCode != 0 || !strings.Contains(e.Message, "speaks MQTT 3.1.1 only") {
			t.Errorf("% x: %+v", body, e)
		}
	}
	for _, body := range [][]byte{{0, 6}, {2, 0}} {
		_, err := ParseConnack(body)
		var e *Error
		if !errors.As(err, &e) || e.Final {
			t.Errorf("% x: %+v", body, e)
		}
	}
}
