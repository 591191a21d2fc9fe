package wire

import (
	"fmt"
	"strings"
)

// Reason codes (2.4) that the client uses; [ReasonName] knows all.
const (
	ReasonSuccess                byte = 0x00 // also normal disconnection, and QoS 0 granted
	ReasonNoMatchingSubscribers  byte = 0x10
	ReasonNoSubscriptionExisted  byte = 0x11
	ReasonContinueAuthentication byte = 0x18
	ReasonReauthenticate         byte = 0x19
	ReasonUnspecified            byte = 0x80 // this and those above are failures
	ReasonMalformed              byte = 0x81
	ReasonProtocolError          byte = 0x82
	ReasonUnsupportedVersion     byte = 0x84
	ReasonBadClientID            byte = 0x85
	ReasonBadCredentials         byte = 0x86
	ReasonNotAuthorized          byte = 0x87
	ReasonBanned                 byte = 0x8A
	ReasonBadAuthMethod          byte = 0x8C
	ReasonSessionTakenOver       byte = 0x8E
	ReasonIDNotFound             byte = 0x92
	ReasonReceiveMaximum         byte = 0x93
	ReasonAliasInvalid           byte = 0x94
	ReasonPacketTooLarge         byte = 0x95
	ReasonQuotaExceeded          byte = 0x97
	ReasonUseAnotherServer       byte = 0x9C
	ReasonServerMoved            byte = 0x9D
)

var reasonNames = [...]string{
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

// ReasonName returns the specification's name of a reason code (2.4), such as "not
// authorized", or the number if it has none.
func ReasonName(code byte) string {
	if int(code) < len(reasonNames) && reasonNames[code] != "" {
		return reasonNames[code]
	}
	return fmt.Sprintf("reason code 0x%02X", code)
}

// ClientMaySend reports whether a client may send this reason code in DISCONNECT
// (3.14.2.1) [MQTT-3.14.2-1].
func ClientMaySend(reason byte) bool {
	return strings.IndexByte("\x00\x04\x80\x81\x82\x83\x90\x93\x94\x95\x96\x97\x98\x99", reason) >= 0
}

// DisconnectReason is the reason code of the DISCONNECT that the client sends for an
// error: its Reason, or 0x80 if a client may not send that. 0x8C is sent, too, for an
// AUTH that was not asked for: 2.4 lists it for DISCONNECT, though 3.14.2.1 does not.
func DisconnectReason(e *Error) byte {
	if e.Reason >= ReasonUnspecified && ClientMaySend(e.Reason) || e.Reason == ReasonBadAuthMethod {
		return e.Reason
	}
	return ReasonUnspecified
}

// brokerReasons lists the reason codes that a broker may send, by packet type
// (2.4, and the section of each packet).
var brokerReasons = [16]string{
	TypeConnack:    "\x00\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8A\x8C\x90\x95\x97\x99\x9A\x9B\x9C\x9D\x9F",
	TypePuback:     "\x00\x10\x80\x83\x87\x90\x91\x97\x99",
	TypePubrec:     "\x00\x10\x80\x83\x87\x90\x91\x97\x99",
	TypePubrel:     "\x00\x92",
	TypePubcomp:    "\x00\x92",
	TypeSuback:     "\x00\x01\x02\x80\x83\x87\x8F\x91\x97\x9E\xA1\xA2",
	TypeUnsuback:   "\x00\x11\x80\x83\x87\x8F\x91",
	TypeDisconnect: "\x00\x80\x81\x82\x83\x87\x89\x8B\x8C\x8D\x8E\x8F\x90\x93\x94\x95\x96\x97\x98\x99\x9A\x9B\x9C\x9D\x9E\x9F\xA0\xA1\xA2",
	TypeAuth:       "\x00\x18",
}

// ValidReason reports whether a broker may send this reason code in a packet of this
// type. It is false for a type without reason codes.
func ValidReason(kind, reason byte) bool {
	return strings.IndexByte(brokerReasons[kind&0x0F], reason) >= 0
}
