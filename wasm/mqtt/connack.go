package mqtt

import (
	"github.com/eclipse/paho.golang/paho"
)

// Connack is what the broker granted (3.2.2.3), with the specification's
// defaults filled in.
type Connack struct {
	SessionPresent bool // the broker has the session of an earlier connection

	ClientID         string // in use
	AssignedClientID bool   // and the broker chose it

	SessionExpiry uint32 // seconds; 0xFFFFFFFF: never
	KeepAlive     uint16 // seconds; 0: off

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

func newConnack(ca *paho.Connack, cp *paho.Connect) Connack {
	p := ca.Properties
	c := Connack{
		SessionPresent: ca.SessionPresent, ClientID: cp.ClientID, KeepAlive: cp.KeepAlive,
		ReceiveMaximum: 65535, MaximumQoS: 2,
		RetainAvailable: p.RetainAvailable, WildcardAvailable: p.WildcardSubAvailable,
		SubscriptionIDsAvailable: p.SubIDAvailable, SharedAvailable: p.SharedSubAvailable,
		ResponseInformation: p.ResponseInfo, ServerReference: p.ServerReference,
		ReasonString: p.ReasonString, AuthMethod: p.AuthMethod,
	}
	if len(p.User) > 0 {
		c.UserProperties = p.User
	}
	if p.AssignedClientID != "" {
		c.ClientID, c.AssignedClientID = p.AssignedClientID, true
	}
	override(&c.SessionExpiry, cp.Properties.SessionExpiryInterval)
	override(&c.SessionExpiry, p.SessionExpiryInterval)
	override(&c.KeepAlive, p.ServerKeepAlive)
	override(&c.ReceiveMaximum, p.ReceiveMaximum)
	override(&c.MaximumQoS, p.MaximumQoS)
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
