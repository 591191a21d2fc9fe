package mqtt

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// The byte vectors are a folder of JSON files in the format of mosquitto's own tests:
// what a broker sends, and whether the client must disconnect.

type vectorGroup struct {
	Group            string
	Ver              int
	Connect, Connack *bool
	ExpectDisconnect *bool `json:"expect_disconnect"`
	Command          string
	GroupMsgs        []vectorStep `json:"group_msgs"`
	Tests            []vectorTest
}

type vectorTest struct {
	Name             string
	Ver              int
	Msgs             []vectorStep
	Connect, Connack *bool
	CleanStart       *bool `json:"clean_start"`
	Command          *string
	ExpectDisconnect *bool `json:"expect_disconnect"`
}

type vectorStep struct{ Type, Payload string }

// A receiver MAY refuse a control character, but one that does is locked out by any
// stored message that the broker resends.
const mayRefuse = "1.5.4: a control character is malformed only if the receiver says so; it MAY"

// heldWrong lists the cases that contradict the specification, with the clause.
var heldWrong = map[string]string{
	"v5.0   CONNACK/20 long": "3.2.3: CONNACK has no payload, so a byte after its properties is malformed",
	"v5.0   PUBLISH ALLOWED PROPERTIES/2*subscription-identifier=1 (variable byte integer)": "3.3.2.3.8: a PUBLISH carries the identifier of " +
		"every subscription that matched, so there may be several",
	"v5.0   PUBLISH/30 topic with U+0001":               mayRefuse,
	"v5.0   PUBLISH/30 topic with U+001F":               mayRefuse,
	"v5.0   PUBLISH/30 topic with U+007F":               mayRefuse,
	"v5.0   PUBLISH/30 topic with U+009F":               mayRefuse,
	"v5.0   PUBLISH/36 QoS 3 (with mid) [MQTT-3.3.1-4]": "[MQTT-3.3.1-4]: both QoS bits set is a Malformed Packet, 0x81, not 0x82",
}

func TestVectors(t *testing.T) {
	dir := os.Getenv("MQTT_VECTORS")
	if dir == "" {
		t.Skip("MQTT_VECTORS names no folder of byte vectors")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors in %s: %v", dir, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var groups []vectorGroup
		if err := json.Unmarshal(data, &groups); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, g := range groups {
			for _, test := range g.Tests {
				if first(test.Ver, g.Ver) != 5 {
					continue
				}
				t.Run(g.Group+"/"+test.Name, func(t *testing.T) {
					if why, wrong := heldWrong[g.Group+"/"+test.Name]; wrong {
						t.Skip("held to be wrong: " + why)
					}
					playVector(t, g, test)
				})
			}
		}
	}
}

func first[T comparable](values ...T) T {
	var zero T
	for _, v := range values {
		if v != zero {
			return v
		}
	}
	return zero
}

func isTrue(v *bool) bool { return v == nil || *v }

func playVector(t *testing.T, g vectorGroup, test vectorTest) {
	steps := append(append([]vectorStep{}, g.GroupMsgs...), test.Msgs...)
	command := g.Command
	if test.Command != nil {
		command = *test.Command
	}
	s := newScripted(t)
	o := s.options()
	o.ClientID, o.Reconnect = "fuzzish", ReconnectNever
	o.KeepSession = !isTrue(test.CleanStart)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c, err := Connect(background, o)
		if err != nil {
			return
		}
		go func() {
			for {
				batch, err := c.Receive(background)
				if err != nil {
					return
				}
				batch.Done()
			}
		}()
		if command != "" {
			go obey(t, c, steps)
		}
		<-c.Done()
	}()

	b := s.next()
	if connect := first(test.Connect, g.Connect); isTrue(connect) {
		if p := b.read(); p == nil || p.Type != packets.CONNECT {
			t.Fatalf("got %v, want CONNECT", p)
		}
		if isTrue(first(test.Connack, g.Connack)) {
			b.send(0x20, 6, 0, 0, 3, 0x21, 0, 20)
		}
	}
	hungUp := false
	for _, step := range steps {
		bytes, err := vectorBytes(step.Payload)
		if err != nil {
			t.Fatalf("%s: %v", step.Payload, err)
		}
		if step.Type == "send" {
			_, _ = b.Write(bytes) // the client may have disconnected already
		} else if !expectVector(t, b, bytes) {
			hungUp = true
			break
		}
	}
	if !hungUp {
		hungUp = !alive(b)
	}
	if want := isTrue(first(test.ExpectDisconnect, g.ExpectDisconnect)); hungUp != want {
		t.Errorf("hung up: %v, want %v", hungUp, want)
	}
	_ = b.Close()
	<-ended
}

// obey makes the call that sends the first packet which the broker expects.
func obey(t *testing.T, c *Client, steps []vectorStep) {
	for _, step := range steps {
		if step.Type != "recv" {
			continue
		}
		frame, err := vectorBytes(step.Payload)
		if err != nil {
			t.Error(err)
			return
		}
		p, err := packets.ReadPacket(bytes.NewReader(frame))
		if err != nil {
			t.Error(err)
			return
		}
		switch r := p.Content.(type) {
		case *packets.Publish:
			var expiry *time.Duration
			if e := r.Properties.MessageExpiry; e != nil {
				d := time.Duration(*e) * time.Second
				expiry = &d
			}
			m := Message{Topic: r.Topic, Payload: r.Payload, QoS: r.QoS, Retain: r.Retain, Properties: Properties{
				PayloadFormat: r.Properties.PayloadFormat, MessageExpiry: expiry,
				ResponseTopic: r.Properties.ResponseTopic, CorrelationData: r.Properties.CorrelationData,
				ContentType: r.Properties.ContentType, User: r.Properties.User,
			}}
			_, _ = c.Publish(background, m)
		case *packets.Subscribe:
			var subs []Subscription
			for _, s := range r.Subscriptions {
				subs = append(subs, Subscription{Filter: s.Topic, QoS: s.QoS, NoLocal: s.NoLocal,
					RetainAsPublished: s.RetainAsPublished, RetainHandling: s.RetainHandling})
			}
			o := SubscribeOptions{UserProperties: r.Properties.User}
			if id := r.Properties.SubscriptionIdentifier; id != nil {
				o.Identifier = *id
			}
			_, _ = c.Subscribe(background, subs, o)
		case *packets.Unsubscribe:
			_, _ = c.Unsubscribe(background, r.Topics, r.Properties.User)
		case *packets.Disconnect:
			_ = c.Disconnect(background, DisconnectOptions{ReasonCode: r.ReasonCode})
		default:
			t.Errorf("no command sends a packet of type %d", p.Type)
		}
		return
	}
}

// expectVector reads what the broker expects; it returns false if the client
// disconnected instead. A PUBLISH, SUBSCRIBE or UNSUBSCRIBE must have the same content,
// but properties may be in any order, and we never send an alias beyond the broker's
// Topic Alias Maximum [MQTT-3.3.2-9].
func expectVector(t *testing.T, b *brokerConn, want []byte) bool {
	t.Helper()
	kind := want[0] >> 4
	if kind != packets.PUBLISH && kind != packets.SUBSCRIBE && kind != packets.UNSUBSCRIBE {
		got := make([]byte, len(want))
		n, err := io.ReadFull(b, got)
		if n == 0 && err != nil {
			t.Errorf("hung up; expected % x", want)
			return false
		}
		if !bytes.Equal(got[:n], want) {
			t.Errorf("got % x, expected % x", got[:n], want)
		}
		return true
	}
	got := b.read()
	if got == nil {
		t.Errorf("hung up; expected % x", want)
		return false
	}
	expected, err := packets.ReadPacket(bytes.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := expected.Content.(*packets.Publish); ok {
		p.Properties.TopicAlias = nil
	}
	if !reflect.DeepEqual(got.Content, expected.Content) || got.Flags != expected.Flags {
		t.Errorf("got %v, expected %v", got, expected)
	}
	return true
}

// alive reports whether the client acknowledges a message.
func alive(b *brokerConn) bool {
	topic := "alive check"
	frame := append([]byte{0x32, byte(2 + len(topic) + 3), 0, byte(len(topic))}, topic...)
	if _, err := b.Write(append(frame, 0xFF, 0xFF, 0)); err != nil {
		return false
	}
	for {
		p := b.read()
		if p == nil {
			return false
		}
		if ack, ok := p.Content.(*packets.Puback); ok && ack.PacketID == 65535 {
			return true
		}
	}
}

var vectorWord = regexp.MustCompile(`'[^']*'|\S+`)

// vectorBytes parses a payload.
func vectorBytes(payload string) (b []byte, err error) {
	for _, word := range vectorWord.FindAllString(payload, -1) {
		number := func(bits int) (n uint64) {
			var bad error
			if n, bad = strconv.ParseUint(word[1:], 10, bits); bad != nil {
				err = bad
			}
			return n
		}
		switch word[0] {
		case '\'':
			b = append(b, word[1:len(word)-1]...)
		case 'i':
			b = append(b, byte(number(8)))
		case 'H', 'k', 'm', 's':
			n := number(16)
			b = append(b, byte(n>>8), byte(n))
		case 'L':
			n := number(32)
			b = append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		case 'v', 'r':
			b = wire.AppendVarint(b, int(number(32)))
		default:
			raw, bad := hex.DecodeString(word)
			if bad != nil {
				return nil, fmt.Errorf("word %q: %w", word, bad)
			}
			b = append(b, raw...)
		}
		if err != nil {
			return nil, fmt.Errorf("word %q: %w", word, err)
		}
	}
	return b, nil
}
