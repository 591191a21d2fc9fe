package mqtt

import (
	"fmt"
	"strings"
)

// Reason codes that this client sends or tells apart (MQTT 5, 2.4).
const (
	reasonNormal                      = 0x00
	reasonNoSubscribers               = 0x10
	reasonContinueAuth                = 0x18
	reasonReauthenticate              = 0x19
	reasonUnspecified                 = 0x80
	reasonMalformed                   = 0x81
	reasonProtocolError               = 0x82
	reasonUnsupportedVersion          = 0x84
	reasonBadClientID                 = 0x85
	reasonBadCredentials              = 0x86
	reasonNotAuthorized               = 0x87
	reasonBanned                      = 0x8A
	reasonBadAuthMethod               = 0x8C
	reasonSessionTakenOver            = 0x8E
	reasonIDNotFound                  = 0x92
	reasonReceiveMaximum              = 0x93
	reasonAliasInvalid                = 0x94
	reasonPacketTooLarge              = 0x95
	reasonRetainNotSupported          = 0x9A
	reasonQoSNotSupported             = 0x9B
	reasonUseAnotherServer            = 0x9C
	reasonServerMoved                 = 0x9D
	reasonSharedNotSupported          = 0x9E
	reasonSubscriptionIDsNotSupported = 0xA1
	reasonWildcardsNotSupported       = 0xA2
)

var reasonNames = map[byte]string{
	0x00: "success",
	0x04: "disconnect with will message",
	0x10: "no matching subscribers",
	0x11: "no subscription existed",
	0x18: "continue authentication",
	0x19: "re-authenticate",
	0x80: "unspecified error",
	0x81: "malformed packet",
	0x82: "protocol error",
	0x83: "implementation specific error",
	0x84: "unsupported protocol version",
	0x85: "client identifier not valid",
	0x86: "bad user name or password",
	0x87: "not authorized",
	0x88: "server unavailable",
	0x89: "server busy",
	0x8A: "banned",
	0x8B: "server shutting down",
	0x8C: "bad authentication method",
	0x8D: "keep alive timeout",
	0x8E: "session taken over",
	0x8F: "topic filter invalid",
	0x90: "topic name invalid",
	0x91: "packet identifier in use",
	0x92: "packet identifier not found",
	0x93: "receive maximum exceeded",
	0x94: "topic alias invalid",
	0x95: "packet too large",
	0x96: "message rate too high",
	0x97: "quota exceeded",
	0x98: "administrative action",
	0x99: "payload format invalid",
	0x9A: "retain not supported",
	0x9B: "QoS not supported",
	0x9C: "use another server",
	0x9D: "server moved",
	0x9E: "shared subscriptions not supported",
	0x9F: "connection rate exceeded",
	0xA0: "maximum connect time",
	0xA1: "subscription identifiers not supported",
	0xA2: "wildcard subscriptions not supported",
}

// ReasonName returns the specification's name of a reason code (2.4), such as
// "not authorized"; of one that it does not know, the number.
func ReasonName(code byte) string {
	if name, ok := reasonNames[code]; ok {
		return name
	}
	return fmt.Sprintf("reason code 0x%02X", code)
}

// clientReasons are the errors that a client may name in DISCONNECT (3.14.2.1,
// and for 0x8C 2.4).
const clientReasons = "\x80\x81\x82\x83\x8C\x90\x93\x94\x95\x96\x97\x98\x99"

// farewellReason is the reason code of the DISCONNECT for an error.
func farewellReason(e *Error) byte {
	if strings.IndexByte(clientReasons, e.ReasonCode) < 0 {
		return reasonUnspecified
	}
	return e.ReasonCode
}

// reasonsOf lists what a broker may answer with, by packet type. SUBACK and
// UNSUBACK are not here: they answer per filter, and a code we don't know
// concerns that filter only.
var reasonsOf = map[byte]string{
	connack:    "\x00\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8A\x8C\x90\x95\x97\x99\x9A\x9B\x9C\x9D\x9F",
	puback:     "\x00\x10\x80\x83\x87\x90\x91\x97\x99",
	pubrec:     "\x00\x10\x80\x83\x87\x90\x91\x97\x99",
	pubrel:     "\x00\x92",
	pubcomp:    "\x00\x92",
	disconnect: "\x00\x80\x81\x82\x83\x87\x89\x8B\x8D\x8E\x8F\x90\x93\x94\x95\x96\x97\x98\x99\x9A\x9B\x9C\x9D\x9E\x9F\xA0\xA1\xA2",
	auth:       "\x00\x18",
}
