package broker

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// malformed are packets that an MQTT 5 client sends after CONNECT, each with the reason
// code of the DISCONNECT it causes.
var malformed = []struct {
	name, packet string
	reason       byte
}{
	{"type 0", "\x00\x00", 0x81},
	{"flags of SUBSCRIBE [MQTT-3.8.1-1]", "\x80\x07\x00\x01\x00\x00\x01t\x00", 0x81},
	{"flags of UNSUBSCRIBE [MQTT-3.10.1-1]", "\xa0\x06\x00\x01\x00\x00\x01t", 0x81},
	{"flags of PUBREL [MQTT-3.6.1-1]", "\x60\x02\x00\x01", 0x81},
	{"flags of PINGREQ", "\xc1\x00", 0x81},
	{"flags of DISCONNECT [MQTT-3.14.1-1]", "\xe1\x00", 0x81},
	{"QoS 3 [MQTT-3.3.1-4]", "\x36\x06\x00\x01t\x00\x01\x00", 0x81},
	{"DUP at QoS 0 [MQTT-3.3.1-2]", "\x38\x04\x00\x01t\x00", 0x82},
	{"Remaining Length of five bytes 1.5.5", "\x30\xff\xff\xff\xff\x01", 0x81},
	{"too large [MQTT-3.2.2-15]", "\x30\xff\xff\xff\x7f", 0x95},
	{"topic that is not UTF-8 [MQTT-1.5.4-1]", "\x30\x04\x00\x01\xff\x00", 0x81},
	{"topic with NUL [MQTT-1.5.4-2]", "\x30\x04\x00\x01\x00\x00", 0x81},
	{"topic beyond the packet's end", "\x30\x04\x00\x09t\x00", 0x81},
	{"topic with a wildcard [MQTT-3.3.2-2]", "\x30\x04\x00\x01+\x00", 0x82},
	{"no topic 3.3.2.1", "\x30\x03\x00\x00\x00", 0x82},
	{"no identifier", "\x32\x03\x00\x01t", 0x81},
	{"identifier 0 [MQTT-2.2.1-3]", "\x32\x06\x00\x01t\x00\x00\x00", 0x82},
	{"unknown property 2.2.2.2", "\x30\x06\x00\x01t\x02\x7f\x00", 0x81},
	{"property of another packet 2.2.2.2", "\x30\x09\x00\x01t\x05\x11\x00\x00\x00\x01", 0x81},
	{"property beyond the packet's end", "\x30\x05\x00\x01t\x05\x02", 0x81},
	{"Subscription Identifier in PUBLISH [MQTT-3.3.4-6]", "\x30\x06\x00\x01t\x02\x0b\x01", 0x82},
	{"alias 0 [MQTT-3.3.2-8]", "\x30\x07\x00\x01t\x03\x23\x00\x00", 0x94},
	{"alias over the maximum [MQTT-3.3.2-9]", "\x30\x07\x00\x01t\x03\x23\xff\xff", 0x94},
	{"property twice 2.2.2.2", "\x30\x08\x00\x01t\x04\x01\x01\x01\x01", 0x82},
	{"property that ends with the payload", "\x30\x09\x00\x01t\x01\x02\x00\x00\x00\x09", 0x81},
	{"user property without a value", "\x30\x09\x00\x01t\x04\x26\x00\x01k\x00", 0x81},
	{"length of more bytes than it takes [MQTT-1.5.5-1]", "\x30\x05\x00\x01t\x80\x00", 0x81},
	{"Payload Format Indicator 2 3.3.2.3.2", "\x30\x06\x00\x01t\x02\x01\x02", 0x82},
	{"Response Topic with a wildcard [MQTT-3.3.2-14]", "\x30\x08\x00\x01t\x04\x08\x00\x01+", 0x82},
	{"content type that is not UTF-8 [MQTT-1.5.4-1]", "\x30\x08\x00\x01t\x04\x03\x00\x01\xff", 0x81},
	{"PUBACK with something after it", "\x40\x05\x00\x01\x00\x00\x00", 0x81},
	{"PUBREL of identifier 0 2.2.1", "\x62\x02\x00\x00", 0x82},
	{"PINGREQ with something after it", "\xc0\x01\x00", 0x81},
	{"DISCONNECT with a reason twice", "\xe0\x08\x00\x06\x1f\x00\x00\x1f\x00\x00", 0x82},
	{"reserved bits of SUBSCRIBE's options [MQTT-3.8.3-5]", "\x82\x07\x00\x01\x00\x00\x01t\x40", 0x81},
	{"UNSUBSCRIBE with a user property without a value", "\xa2\x0a\x00\x01\x04\x26\x00\x01k\x00\x01t", 0x81},
	{"PUBACK cut off", "\x40\x01\x00", 0x81},
	{"SUBSCRIBE without options 3.8.3", "\x82\x06\x00\x01\x00\x00\x01t", 0x81},
	{"SUBSCRIBE without filters [MQTT-3.8.3-2]", "\x82\x03\x00\x01\x00", 0x82},
	{"SUBSCRIBE with QoS 3 3.8.3.1", "\x82\x07\x00\x01\x00\x00\x01t\x03", 0x82},
	{"Retain Handling 3 3.8.3.1", "\x82\x07\x00\x01\x00\x00\x01t\x30", 0x82},
	{"No Local of a group [MQTT-3.8.3-4]", "\x82\x10\x00\x01\x00\x00\x0a$share/g/t\x04", 0x82},
	{"Subscription Identifier 0 3.8.2.1.2", "\x82\x09\x00\x01\x02\x0b\x00\x00\x01t\x00", 0x82},
	{"two Subscription Identifiers 3.8.2.1.2", "\x82\x0b\x00\x01\x04\x0b\x01\x0b\x02\x00\x01t\x00", 0x82},
	{"UNSUBSCRIBE without filters [MQTT-3.10.3-2]", "\xa2\x03\x00\x01\x00", 0x82},
	{"a second CONNECT [MQTT-3.1.0-2]", "\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x02c2", 0x82},
	{"CONNACK", "\x20\x03\x00\x00\x00", 0x82},
	{"SUBACK", "\x90\x04\x00\x01\x00\x00", 0x82},
	{"UNSUBACK", "\xb0\x04\x00\x01\x00\x00", 0x82},
	{"PINGRESP", "\xd0\x00", 0x82},
	{"AUTH without a method [MQTT-4.12.0-6]", "\xf0\x02\x18\x00", 0x82},
	{"a session that is to last after all 3.14.2.2.2", "\xe0\x07\x00\x05\x11\x00\x00\x00\x0a", 0x82},
}

// [MQTT-4.13.1-1]: an MQTT 5 client is told why its connection is closed; MQTT 3.1.1 has no
// packet for that. Earlier packets are answered.
func TestMalformedPackets(t *testing.T) {
	b := start(t, Options{})
	for _, test := range malformed {
		t.Run(test.name, func(t *testing.T) {
			for _, transport := range transports {
				p := connect(t, transport.dial(t, b), nil)
				got := p.lastWords("\x32\x06\x00\x01t\x00\x07\x00", test.packet)
				want := "\x40\x02\x00\x07"
				if !strings.HasPrefix(got, want) || len(got) < len(want)+3 || got[4] != 0xe0 || got[6] != test.reason {
					t.Errorf("%s: % x is the answer, where PUBACK and DISCONNECT %#x are due", transport.name, got, test.reason)
				}
			}
		})
	}
	for _, packet := range []string{"\x00\x00", "\x36\x05\x00\x01t\x00\x01", "\x82\x05\x00\x01\x00\x01t", "\xd0\x00", "\x40\x01\x00", "\x30\x03\x00\x09t", "\x82\x06\x00\x01\x00\x01t\x04", "\x40\x03\x00\x01\x00"} {
		p := &peer{t: t, conn: dialTCP(t, b)}
		if got := p.lastWords("\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c", packet); got != "\x20\x02\x00\x00" {
			t.Errorf("MQTT 3.1.1: % x is the answer to % x", got, packet)
		}
	}
}

// 4.13.1: an MQTT 5 client is told what is wrong with its CONNECT.
func TestMalformedConnects(t *testing.T) {
	b := start(t, Options{})
	for _, test := range []struct{ name, packet, want string }{
		{"flags of the packet", "\x11\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01c", "\x20\x81"},
		{"reserved flag [MQTT-3.1.2-3]", "\x10\x0e\x00\x04MQTT\x05\x03\x00\x3c\x00\x00\x01c", "\x20\x81"},
		{"cut off", "\x10\x09\x00\x04MQTT\x05\x02\x00", "\x20\x81"},
		{"unknown property", "\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x02\x7f\x00\x00\x01c", "\x20\x81"},
		{"will topic beyond the end", "\x10\x11\x00\x04MQTT\x05\x06\x00\x3c\x00\x00\x01c\x00\x00\x09", "\x20\x81"},
		{"will of QoS 3 [MQTT-3.1.2-12]", "\x10\x15\x00\x04MQTT\x05\x1e\x00\x3c\x00\x00\x01c\x00\x00\x01w\x00\x01x", "\x20\x81"},
		{"QoS without a will [MQTT-3.1.2-11]", "\x10\x0e\x00\x04MQTT\x05\x0a\x00\x3c\x00\x00\x01c", "\x20\x81"},
		{"no user name where one is said to be", "\x10\x0e\x00\x04MQTT\x05\x82\x00\x3c\x00\x00\x01c", "\x20\x82"},
		{"too large", "\x10\xff\xff\x7f\x00\x04MQTT\x05\x02", "\x20\x95"},
		{"another protocol's name [MQTT-3.1.2-1]", "\x10\x0e\x00\x04MQTX\x05\x02\x00\x3c\x00\x00\x01c", "\x20\x84"},
		{"another version [MQTT-3.1.2-2]", "\x10\x0d\x00\x04MQTT\x03\x02\x00\x3c\x00\x01c", "\x20\x01"},
		{"an empty password is one", "\x10\x12\x00\x04MQTT\x05\xc2\x00\x3c\x00\x00\x01c\x00\x00\x00\x00", "\x20\x00"},
		{"Receive Maximum 0 3.1.2.11.3", "\x10\x11\x00\x04MQTT\x05\x02\x00\x3c\x03\x21\x00\x00\x00\x01c", "\x20\x82"},
		{"Maximum Packet Size 0 3.1.2.11.4", "\x10\x13\x00\x04MQTT\x05\x02\x00\x3c\x05\x27\x00\x00\x00\x00\x00\x01c", "\x20\x82"},
		{"Request Response Information 2 3.1.2.11.6", "\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x02\x19\x02\x00\x01c", "\x20\x82"},
		{"Request Problem Information 2 3.1.2.11.7", "\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x02\x17\x02\x00\x01c", "\x20\x82"},
		{"authentication data without a method 3.1.2.11.10", "\x10\x11\x00\x04MQTT\x05\x02\x00\x3c\x03\x16\x00\x00\x00\x01c", "\x20\x82"},
		{"expiry twice 3.1.2.11.2", "\x10\x18\x00\x04MQTT\x05\x02\x00\x3c\x0a\x11\x00\x00\x00\x01\x11\x00\x00\x00\x01\x00\x01c", "\x20\x82"},
		{"user name that is not UTF-8 [MQTT-3.1.3-11]", "\x10\x11\x00\x04MQTT\x05\x82\x00\x3c\x00\x00\x01c\x00\x01\xff", "\x20\x81"},
		{"user name without its flag [MQTT-3.1.2-16]", "\x10\x11\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01c\x00\x01u", "\x20\x81"},
		{"retained, without a will [MQTT-3.1.2-13]", "\x10\x0e\x00\x04MQTT\x05\x22\x00\x3c\x00\x00\x01c", "\x20\x81"},
		{"MQTT 3.1.1's reserved flag [MQTT-3.1.4-1]", "\x10\x0d\x00\x04MQTT\x04\x03\x00\x3c\x00\x01c", ""},
		{"MQTT 3.1.1's password without a user name [MQTT-3.1.2-22]", "\x10\x10\x00\x04MQTT\x04\x42\x00\x3c\x00\x01c\x00\x01p", ""},
		{"MQTT 3.1.1's session without a client identifier [MQTT-3.1.3-8]", "\x10\x0c\x00\x04MQTT\x04\x00\x00\x3c\x00\x00", "\x20\x02"},
		{"another packet first [MQTT-3.1.0-1]", "\x30\x0a\x00\x04MQTT\x05\x00\x00\x00", ""},
		{"MQTT 3.1.1", "\x10\x09\x00\x04MQTT\x04\x02\x00", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &peer{t: t, conn: dialTCP(t, b)}
			got := p.lastWords(test.packet, "\xe0\x00")
			if len(got) > 3 {
				got = got[:1] + got[3:4]
			}
			if got != test.want {
				t.Errorf("type and reason % x, want % x", got, test.want)
			}
		})
	}
}

// lastWords sends packets in one write and returns everything received before the
// connection ends.
func (p *peer) lastWords(send ...string) string {
	p.t.Helper()
	if _, err := p.conn.Write([]byte(strings.Join(send, ""))); err != nil {
		p.t.Fatal(err)
	}
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(p.conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Fatalf("the connection stays open after % x", got)
	}
	return string(got)
}

// [MQTT-3.1.0-2]: a second CONNECT has no effect: its will, which was never authorized, is
// not published.
func TestSecondConnectHasNoWill(t *testing.T) {
	users, err := loadUsers(t, `[{"name": "alice", "hash": "HASH", "publish": ["a"], "subscribe": ["a", "b"]}]`)
	if err != nil {
		t.Fatal(err)
	}
	b := start(t, Options{Users: users})
	alice := func(c *packets.Connect) {
		c.UsernameFlag, c.Username = true, "alice"
		c.PasswordFlag, c.Password = true, []byte("pencil")
	}
	sub := connect(t, dialTCP(t, b), alice)
	sub.subscribe("b", 0)
	sub.subscribe("a", 0)
	p := connect(t, dialTCP(t, b), func(c *packets.Connect) {
		alice(c)
		willTo(c, "a")
	})
	second := packets.NewControlPacket(packets.CONNECT)
	willTo(second.Content.(*packets.Connect), "b")
	p.send(second)
	p.expectEnd()
	if m := expect[packets.Publish](sub); m.Topic != "a" {
		t.Errorf("a will comes on %s", m.Topic)
	}
}

// 3.14.2: DISCONNECT may end after its reason code, and only 0x00 discards the will
// [MQTT-3.14.4-3].
func TestDisconnectsWithWill(t *testing.T) {
	b := start(t, Options{})
	sub := connect(t, dialTCP(t, b), nil)
	sub.subscribe("w", 0)
	sub.pingpong() // retained messages have been looked up by now
	for packet, will := range map[string]bool{"\xe0\x01\x04": true, "\xe0\x02\x81\x00": true, "\xe0\x00": false, "\xe0\x01\x00": false} {
		p := connect(t, dialTCP(t, b), func(c *packets.Connect) { willTo(c, "w") })
		p.lastWords(packet)
		pub := connect(t, dialTCP(t, b), nil)
		if will {
			if m := expect[packets.Publish](sub); string(m.Payload) != "x" {
				t.Errorf("after % x: %q", packet, m.Payload)
			}
		}
		pub.publish(0, 0, false, "w", "next")
		if m := expect[packets.Publish](sub); string(m.Payload) != "next" {
			t.Errorf("after % x: %q", packet, m.Payload)
		}
	}
}
