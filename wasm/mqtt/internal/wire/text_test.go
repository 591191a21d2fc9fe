package wire

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// texts are strings, with what 1.5.4 says about receiving them, and whether we send
// them.
var texts = []struct {
	name, text string
	received   bool // a receiver must accept it
	sent       bool // we send it
}{
	{"empty", "", true, true},
	{"ASCII", "a b/c", true, true},
	{"two bytes", "ü", true, true},
	{"U+2A6D4 (1.5.4)", "A\U0002A6D4", true, true},
	{"U+FEFF, which is no byte order mark here [MQTT-1.5.4-3]", "\uFEFFa", true, true},
	{"U+FFFD", "\uFFFD", true, true},
	{"U+10FFFD", "\U0010FFFD", true, true},

	{"U+0001", "a\u0001", true, false},
	{"a tab", "a\tb", true, false},
	{"a line feed", "a\nb", true, false},
	{"U+001F", "\u001F", true, false},
	{"U+007F", "a\u007F", true, false},
	{"U+0080", "\u0080", true, false},
	{"U+009F", "\u009Fb", true, false},
	{"U+FDD0", "\uFDD0", true, false},
	{"U+FDEF", "\uFDEF", true, false},
	{"U+FFFE", "\uFFFE", true, false},
	{"U+FFFF", "\uFFFF", true, false},
	{"U+1FFFE", "\U0001FFFE", true, false},
	{"U+10FFFF", "\U0010FFFF", true, false},

	{"U+0000 [MQTT-1.5.4-2]", "a\x00b", false, false},
	{"a surrogate [MQTT-1.5.4-1]", "\xED\xA0\x80", false, false},
	{"a pair of surrogates [MQTT-1.5.4-1]", "\xED\xA0\x80\xED\xB0\x80", false, false},
	{"U+0000 in two bytes", "\xC0\x80", false, false},
	{"beyond U+10FFFF", "\xF4\x90\x80\x80", false, false},
	{"a byte that UTF-8 has not", "a\xFF", false, false},
	{"half a character", "a\xC3", false, false},
	{"a continuation byte alone", "\x80a", false, false},
}

// A stored message that we refuse comes again on every connection. So we accept, in
// every field, what the specification allows a receiver to refuse.
func TestReceivedText(t *testing.T) {
	for _, test := range texts {
		s := AppendString(nil, test.text)
		user := join([]byte{packets.PropUser}, s, s)
		reads := map[string]error{}
		var p Publish
		if test.text != "" {
			reads["topic"] = ParsePublish(0x30, join(s, properties()), &p)
			if test.received && (reads["topic"] != nil || string(p.Topic) != test.text) {
				t.Errorf("%s: topic %q, %v", test.name, p.Topic, reads["topic"])
			}
			reads["response topic"] = ParsePublish(0x30, join([]byte{0, 1, 't'}, properties(join([]byte{packets.PropResponseTopic}, s)...)), &p)
		}
		reads["content type"] = ParsePublish(0x30, join([]byte{0, 1, 't'}, properties(join([]byte{packets.PropContentType}, s)...)), &p)
		reads["user property"] = ParsePublish(0x30, join([]byte{0, 1, 't'}, properties(user...)), &p)
		_, reads["ack"] = ParseAck(TypePuback, join([]byte{0, 1, 0}, properties(user...)))
		suback, err := ParseSuback(TypeSuback, join([]byte{0, 1}, properties(join([]byte{packets.PropReasonString}, s)...), []byte{0}))
		if reads["SUBACK"] = err; err == nil && suback.ReasonString != test.text {
			t.Errorf("%s: SUBACK %+v", test.name, suback)
		}
		connack, err := ParseConnack(join([]byte{0, 0}, properties(join([]byte{packets.PropAssignedClientID}, s)...)))
		if reads["CONNACK"] = err; err == nil && connack.Properties.AssignedClientID != test.text {
			t.Errorf("%s: CONNACK %+v", test.name, connack)
		}
		_, reads["DISCONNECT"] = ParseDisconnect(join([]byte{0x98}, properties(user...)))
		_, reads["AUTH"] = ParseAuth(join([]byte{0x18}, properties(join([]byte{packets.PropAuthMethod}, s)...)))
		for where, err := range reads {
			if test.received {
				if err != nil {
					t.Errorf("%s in %s: %v", test.name, where, err)
				}
				continue
			}
			t.Run(fmt.Sprint(test.name, " in ", where), func(t *testing.T) { wantViolation(t, err, ReasonMalformed) })
		}
	}
}

func TestSentText(t *testing.T) {
	for _, test := range texts {
		checks := map[string]error{"text": CheckText("text", test.text)}
		if test.text != "" {
			checks["topic"] = CheckTopicName("topic", test.text)
			checks["filter"] = CheckTopicFilter("filter", test.text)
		}
		for field, err := range checks {
			if !test.sent {
				wantBadOption(t, err, field)
			} else if err != nil {
				t.Errorf("%s as %s: %v", test.name, field, err)
			}
		}
	}
	long := strings.Repeat("x", MaxString)
	if err := CheckText("text", long); err != nil {
		t.Error(err)
	}
	wantBadOption(t, CheckText("text", long+"x"), "text")
}

func TestTopicNames(t *testing.T) { // 4.7
	for _, topic := range []string{"/", "a", "a b", "/a//", "$SYS/x", "$share/a"} {
		if err := CheckTopicName("topic", topic); err != nil {
			t.Error(err)
		}
	}
	for _, topic := range []string{"", "+", "a/#", "a+b"} {
		wantBadOption(t, CheckTopicName("topic", topic), "topic")
	}
}

func TestTopicFilters(t *testing.T) { // 4.7.1, 4.8.2
	for _, filter := range []string{"/", "#", "+", "+/+", "/#", "a/+/b", "a//#", "$share/g/#", "$share/g/a", "$share/g//", "$SYS/#", "$shared"} {
		if err := CheckTopicFilter("filter", filter); err != nil {
			t.Error(err)
		}
	}
	for _, filter := range []string{"", "a#", "#/a", "a/#/b", "##", "a+", "+a", "a/++",
		"$share/", "$share/g", "$share/g/", "$share//a", "$share/+/a", "$share/g#/a"} {
		wantBadOption(t, CheckTopicFilter("filter", filter), "filter")
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"a":                            `"a"`,
		"a\n\x00\u0080b":               "\"a\uFFFD\uFFFD\uFFFDb\"",
		strings.Repeat("x", 61):        `"` + strings.Repeat("x", 60) + `…"`,
		strings.Repeat("€", 100):       `"` + strings.Repeat("€", 20) + `…"`,
		strings.Repeat("ü", 29) + "x€": `"` + strings.Repeat("ü", 29) + `x…"`,
		"\xFF":                         "\"\uFFFD\"",
	} {
		if got := Quote(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
