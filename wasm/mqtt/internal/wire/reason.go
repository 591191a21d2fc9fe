package wire

import (
	"fmt"
	"strings"
)

// Reason codes (2.4).
const (
	ReasonSuccess                     byte = 0x00 // also normal disconnection, and QoS 0 granted
	ReasonDisconnectWithWill          byte = 0x04
	ReasonNoMatchingSubscribers       byte = 0x10
	ReasonNoSubscriptionExisted       byte = 0x11
	ReasonContinueAuthentication      byte = 0x18
	ReasonReauthenticate              byte = 0x19
	ReasonUnspecified                 byte = 0x80 // this and those above are failures
	ReasonMalformed                   byte = 0x81
	ReasonProtocolError               byte = 0x82
	ReasonImplementationSpecific      byte = 0x83
	ReasonUnsupportedVersion          byte = 0x84
	ReasonBadClientID                 byte = 0x85
	ReasonBadCredentials              byte = 0x86
	ReasonNotAuthorized               byte = 0x87
	ReasonServerUnavailable           byte = 0x88
	ReasonServerBusy                  byte = 0x89
	ReasonBanned                      byte = 0x8A
	ReasonServerShuttingDown          byte = 0x8B
	ReasonBadAuthMethod               byte = 0x8C
	ReasonKeepAliveTimeout            byte = 0x8D
	ReasonSessionTakenOver            byte = 0x8E
	ReasonTopicFilterInvalid          byte = 0x8F
	ReasonTopicNameInvalid            byte = 0x90
	ReasonIDInUse                     byte = 0x91
	ReasonIDNotFound                  byte = 0x92
	ReasonReceiveMaximum              byte = 0x93
	ReasonAliasInvalid                byte = 0x94
	ReasonPacketTooLarge              byte = 0x95
	ReasonMessageRateTooHigh          byte = 0x96
	ReasonQuotaExceeded               byte = 0x97
	ReasonAdministrativeAction        byte = 0x98
	ReasonPayloadFormatInvalid        byte = 0x99
	ReasonRetainNotSupported          byte = 0x9A
	ReasonQoSNotSupported             byte = 0x9B
	ReasonUseAnotherServer            byte = 0x9C
	ReasonServerMoved                 byte = 0x9D
	ReasonSharedNotSupported          byte = 0x9E
	ReasonConnectionRateExceeded      byte = 0x9F
	ReasonMaximumConnectTime          byte = 0xA0
	ReasonSubscriptionIDsNotSupported byte = 0xA1
	ReasonWildcardsNotSupported       byte = 0xA2
)

var reasonNames = [...]string{
	ReasonSuccess:                     "success",
	ReasonDisconnectWithWill:          "disconnect with will message",
	ReasonNoMatchingSubscribers:       "no matching subscribers",
	ReasonNoSubscriptionExisted:       "no subscription existed",
	ReasonContinueAuthentication:      "continue authentication",
	ReasonReauthenticate:              "re-authenticate",
	ReasonUnspecified:                 "unspecified error",
	ReasonMalformed:                   "malformed packet",
	ReasonProtocolError:               "protocol error",
	ReasonImplementationSpecific:      "implementation specific error",
	ReasonUnsupportedVersion:          "unsupported protocol version",
	ReasonBadClientID:                 "client identifier not valid",
	ReasonBadCredentials:              "bad user name or password",
	ReasonNotAuthorized:               "not authorized",
	ReasonServerUnavailable:           "server unavailable",
	ReasonServerBusy:                  "server busy",
	ReasonBanned:                      "banned",
	ReasonServerShuttingDown:          "server shutting down",
	ReasonBadAuthMethod:               "bad authentication method",
	ReasonKeepAliveTimeout:            "keep alive timeout",
	ReasonSessionTakenOver:            "session taken over",
	ReasonTopicFilterInvalid:          "topic filter invalid",
	ReasonTopicNameInvalid:            "topic name invalid",
	ReasonIDInUse:                     "packet identifier in use",
	ReasonIDNotFound:                  "packet identifier not found",
	ReasonReceiveMaximum:              "receive maximum exceeded",
	ReasonAliasInvalid:                "topic alias invalid",
	ReasonPacketTooLarge:              "packet too large",
	ReasonMessageRateTooHigh:          "message rate too high",
	ReasonQuotaExceeded:               "quota exceeded",
	ReasonAdministrativeAction:        "administrative action",
	ReasonPayloadFormatInvalid:        "payload format invalid",
	ReasonRetainNotSupported:          "retain not supported",
	ReasonQoSNotSupported:             "QoS not supported",
	ReasonUseAnotherServer:            "use another server",
	ReasonServerMoved:                 "server moved",
	ReasonSharedNotSupported:          "shared subscriptions not supported",
	ReasonConnectionRateExceeded:      "connection rate exceeded",
	ReasonMaximumConnectTime:          "maximum connect time",
	ReasonSubscriptionIDsNotSupported: "subscription identifiers not supported",
	ReasonWildcardsNotSupported:       "wildcard subscriptions not supported",
}

// ReasonName returns the specification's name of a reason code (2.4), such as
// "not authorized"; of one that it does not know, the number.
func ReasonName(code byte) string {
	if int(code) < len(reasonNames) && reasonNames[code] != "" {
		return reasonNames[code]
	}
	return fmt.Sprintf("reason code 0x%02X", code)
}

// clientReasons are what a client may send in DISCONNECT (3.14.2.1).
const clientReasons = "\x00\x04\x80\x81\x82\x83\x90\x93\x94\x95\x96\x97\x98\x99"

// ClientMaySend tells whether a client may send this reason code in DISCONNECT
// [MQTT-3.14.2-1].
func ClientMaySend(reason byte) bool { return strings.IndexByte(clientReasons, reason) >= 0 }

// DisconnectReason is the reason code of the DISCONNECT that we send for an
// error: its Reason, or 0x80 where that is none that a client may send. 0x8C is
// sent too, for an AUTH that was not asked for: 2.4 has it in DISCONNECT, though
// 3.14.2.1 has not.
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

// ValidReason tells whether a broker may send this reason code in a packet of
// this type. Of a type that has no reason codes it is false for all.
func ValidReason(kind, reason byte) bool {
	return strings.IndexByte(brokerReasons[kind&0x0F], reason) >= 0
}
