package mqtt

import (
	"time"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// Connack is what the broker granted (3.2.2.3), with the specification's
// defaults filled in.
type Connack struct {
	SessionPresent bool // the broker has the session of an earlier connection

	ClientID string // in use

	SessionExpiry time.Duration // NeverExpires: without an end
	KeepAlive     time.Duration // 0: off

	// What the broker accepts. Publish and Subscribe refuse what goes beyond.
	ReceiveMaximum    uint16 // QoS 1 and 2 messages in flight; more wait in the queue
	MaximumQoS        byte
	MaximumPacketSize uint32 // bytes; 0: no limit stated
	TopicAliasMaximum uint16 // 0: none

	RetainAvailable          bool
	WildcardAvailable        bool // in subscriptions
	SubscriptionIDsAvailable bool
	SharedAvailable          bool // subscriptions, that is

	ResponseInformation string // from which Request makes its topic
	ServerReference     string
	ReasonString        string
	AuthMethod          string
	UserProperties      UserProperties
}

// newConnack reads the CONNACK that answers a CONNECT with these options.
func newConnack(a *wire.Connack, o *Options) Connack {
	p := &a.Properties
	return Connack{
		SessionPresent:           a.SessionPresent,
		ClientID:                 o.ClientID,
		SessionExpiry:            time.Duration(wire.ValueOr(p.SessionExpiryInterval, o.sessionExpiry)) * time.Second,
		KeepAlive:                time.Duration(wire.ValueOr(p.ServerKeepAlive, o.keepAlive)) * time.Second,
		ReceiveMaximum:           wire.ValueOr(p.ReceiveMaximum, 65535),
		MaximumQoS:               wire.ValueOr(p.MaximumQOS, 2),
		MaximumPacketSize:        wire.ValueOr(p.MaximumPacketSize, 0),
		TopicAliasMaximum:        wire.ValueOr(p.TopicAliasMaximum, 0),
		RetainAvailable:          wire.ValueOr(p.RetainAvailable, 1) != 0,
		WildcardAvailable:        wire.ValueOr(p.WildcardSubAvailable, 1) != 0,
		SubscriptionIDsAvailable: wire.ValueOr(p.SubIDAvailable, 1) != 0,
		SharedAvailable:          wire.ValueOr(p.SharedSubAvailable, 1) != 0,
		ResponseInformation:      p.ResponseInfo, ServerReference: p.ServerReference,
		ReasonString: p.ReasonString, AuthMethod: p.AuthMethod, UserProperties: p.User,
	}
}

// ReasonName returns the specification's name of a reason code (2.4), such as "not
// authorized", or the number if it has none.
func ReasonName(code byte) string { return wire.ReasonName(code) }
