package mqtt

import (
	"sync"
	"time"

	"github.com/eclipse/paho.golang/paho"
)

// Event is something that happened to the connection: one of the types below.
type Event interface{ event() }

// Connected says that the broker accepted the connection.
type Connected struct{ Connack Connack }

// Reconnecting says that the next attempt starts after Delay.
type Reconnecting struct {
	Attempt int
	Delay   time.Duration
}

// ServerDisconnected says that the broker sent DISCONNECT.
type ServerDisconnected struct {
	ReasonCode      byte
	ReasonString    string
	ServerReference string
	UserProperties  UserProperties
}

// Closed says that the connection ended. Err is nil when Disconnect ended it.
type Closed struct{ Err error }

// Failed says that something went wrong that no call reports, such as an attempt
// to reconnect.
type Failed struct{ Err error }

// Ended says that the client is finished. Nothing follows it. Err is nil when
// Disconnect ended it.
type Ended struct{ Err error }

func (Connected) event()          {}
func (Reconnecting) event()       {}
func (ServerDisconnected) event() {}
func (Closed) event()             {}
func (Failed) event()             {}
func (Ended) event()              {}

// events hands events out in order, on its own goroutine, so that a handler may
// call the client.
type events struct {
	mu      sync.Mutex
	queue   []Event
	running bool
	handle  func(Event)
}

func (e *events) send(ev Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.queue = append(e.queue, ev)
	if !e.running {
		e.running = true
		go e.run()
	}
}

func (e *events) run() {
	for {
		e.mu.Lock()
		if len(e.queue) == 0 {
			e.running = false
			e.mu.Unlock()
			return
		}
		ev := e.queue[0]
		e.queue = e.queue[1:]
		e.mu.Unlock()
		e.handle(ev)
	}
}

// Connack is what the broker granted (3.2.2.3), with the specification's
// defaults filled in.
type Connack struct {
	SessionPresent  bool
	ClientID        string // in use, assigned by the broker if it did
	AssignedID      bool
	SessionExpiry   uint32 // seconds
	KeepAlive       uint16 // seconds
	ReceiveMaximum  uint16
	MaximumQoS      byte
	MaximumPacket   uint32 // bytes; 0: no limit stated
	TopicAliasMax   uint16
	Retain          bool
	Wildcard        bool
	SubscriptionIDs bool
	Shared          bool
	ResponseInfo    string
	ServerReference string
	ReasonString    string
	AuthMethod      string
	UserProperties  UserProperties
}

func newConnack(ca *paho.Connack, cp *paho.Connect) Connack {
	p := ca.Properties
	c := Connack{
		SessionPresent: ca.SessionPresent, ClientID: cp.ClientID, KeepAlive: cp.KeepAlive,
		ReceiveMaximum: 65535, MaximumQoS: 2,
		Retain: p.RetainAvailable, Wildcard: p.WildcardSubAvailable,
		SubscriptionIDs: p.SubIDAvailable, Shared: p.SharedSubAvailable,
		ResponseInfo: p.ResponseInfo, ServerReference: p.ServerReference,
		ReasonString: p.ReasonString, AuthMethod: p.AuthMethod,
	}
	if len(p.User) > 0 {
		c.UserProperties = p.User
	}
	if p.AssignedClientID != "" {
		c.ClientID, c.AssignedID = p.AssignedClientID, true
	}
	override(&c.SessionExpiry, cp.Properties.SessionExpiryInterval)
	override(&c.SessionExpiry, p.SessionExpiryInterval)
	override(&c.KeepAlive, p.ServerKeepAlive)
	override(&c.ReceiveMaximum, p.ReceiveMaximum)
	override(&c.MaximumQoS, p.MaximumQoS)
	override(&c.MaximumPacket, p.MaximumPacketSize)
	override(&c.TopicAliasMax, p.TopicAliasMaximum)
	return c
}

func override[T any](v *T, p *T) {
	if p != nil {
		*v = *p
	}
}
