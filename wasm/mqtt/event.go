package mqtt

import (
	"sync"
	"sync/atomic"
	"time"
)

// Event is something that happened to the connection: [Connected],
// [Reconnecting], [ServerDisconnected], [Closed], [Failed] or [Ended].
type Event interface{ event() }

// Connected says that the broker accepted the connection. If the session was gone, the
// subscriptions have been made again by then.
type Connected struct{ Connack Connack }

// Reconnecting says that the next attempt starts after Delay.
type Reconnecting struct {
	Attempt int // counts from 1 since the last connection, or Resume
	Delay   time.Duration
}

// ServerDisconnected says that the broker sent DISCONNECT (3.14). Closed follows.
type ServerDisconnected struct {
	ReasonCode      byte
	ReasonString    string
	ServerReference string // another server to use (4.13)
	UserProperties  UserProperties
}

// Closed says that the connection ended. Err is nil when Disconnect or Suspend
// ended it.
type Closed struct{ Err error }

// Failed reports an error that no call returns: an attempt to reconnect, a subscription
// that could not be made again, the durable store, or a message whose publish was
// settled when it was stored.
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

// events delivers events in order, on its own goroutine, so that a handler may call the
// client.
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

// Packet is an MQTT packet as it crossed the wire.
type Packet struct {
	Sent  bool // by this client
	At    time.Time
	Bytes []byte // whole, from the fixed header on
}

// onPacket holds the function that packets are passed to; nil: none.
type onPacket = atomic.Pointer[func(sent bool, at time.Time, packet []byte)]

// OnPacket sets the function that is called with every packet from now on, as
// Options.OnPacket says; nil: none.
func (c *Client) OnPacket(f func(Packet)) {
	if f == nil {
		c.onPacket.Store(nil)
		return
	}
	tell := func(sent bool, at time.Time, packet []byte) { f(Packet{sent, at, packet}) }
	c.onPacket.Store(&tell)
}
