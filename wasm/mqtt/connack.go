package mqtt

import (
	"time"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// Connack is what the broker granted (3.2.2.3), with the specification's
// defaults filled in.
type Connack struct {
	SessionPresent bool // the broker has the session of an earlier connection

	ClientID         string // in use
	AssignedClientID bool   // and the broker chose it

	SessionExpiry time.Duration // NeverExpires: without an end
	KeepAlive     time.Duration // 0: off

	// What the broker takes. Publish and Subscribe refuse what goes beyond.
	ReceiveMaximum    uint16 // QoS 1 and 2 messages in flight; more wait in the queue
	MaximumQoS        byte
	MaximumPacketSize uint32 // bytes; 0: no limit stated
	TopicAliasMaximum uint16 // 0: none

	RetainAvailable          bool
	WildcardAvailable        bool // in subscriptions
	SubscriptionIDsAvailable bool
	SharedAvailable          bool // subscriptions, that is

	ResponseInformation string // that Request makes its topic from
	ServerReference     string
	ReasonString        string
	AuthMethod          string
	UserProperties      UserProperties
}

// newConnack reads CONNACK as the answer to a CONNECT with this client identifier
// and these times, in seconds.
func newConnack(a *wire.Connack, clientID string, expiry uint32, keepAlive uint16) Connack {
	p := &a.Properties
	available := func(v *byte) bool { return v == nil || *v != 0 }
	c := Connack{
		SessionPresent: a.SessionPresent, ClientID: clientID,
		ReceiveMaximum: 65535, MaximumQoS: 2,
		RetainAvailable: available(p.RetainAvailable), WildcardAvailable: available(p.WildcardSubAvailable),
		SubscriptionIDsAvailable: available(p.SubIDAvailable), SharedAvailable: available(p.SharedSubAvailable),
		ResponseInformation: p.ResponseInfo, ServerReference: p.ServerReference,
		ReasonString: p.ReasonString, AuthMethod: p.AuthMethod, UserProperties: p.User,
	}
	if p.AssignedClientID != "" {
		c.ClientID, c.AssignedClientID = p.AssignedClientID, true
	}
	override(&expiry, p.SessionExpiryInterval)
	override(&keepAlive, p.ServerKeepAlive)
	c.SessionExpiry, c.KeepAlive = time.Duration(expiry)*time.Second, time.Duration(keepAlive)*time.Second
	override(&c.ReceiveMaximum, p.ReceiveMaximum)
	override(&c.MaximumQoS, p.MaximumQOS)
	override(&c.MaximumPacketSize, p.MaximumPacketSize)
	override(&c.TopicAliasMaximum, p.TopicAliasMaximum)
	return c
}

// override replaces *v where p has a value.
func override[T any](v *T, p *T) {
	if p != nil {
		*v = *p
	}
}

// ReasonName returns the specification's name of a reason code (2.4), such as
// "not authorized"; of one that it does not know, the number.
func ReasonName(code byte) string { return wire.ReasonName(code) }
