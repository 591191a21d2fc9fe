package mqtt

import "mqttwasm/wasm/mqtt/internal/wire"

// Code says what kind of failure an [Error] is. It is an error itself, for
// [errors.Is]:
//
//	if errors.Is(err, mqtt.Timeout) { … }
//
// The JavaScript API uses the same words.
type Code = wire.Code

// The kinds of failure.
const (
	BadOption      = wire.BadOption      // an option or argument is wrong; Field names it
	Refused        = wire.Refused        // the broker refused; ReasonCode says why
	Timeout        = wire.Timeout        // no answer in time
	NotConnected   = wire.NotConnected   // there is no connection to send on
	PacketTooLarge = wire.PacketTooLarge // over a Maximum Packet Size, the broker's or ours
	Aborted        = wire.Aborted        // the caller gave up, or Disconnect was called
	Network        = wire.Network        // the connection could not be opened, or was lost
	Disconnected   = wire.Disconnected   // the broker sent DISCONNECT; ReasonCode says why
	Protocol       = wire.Protocol       // what the broker sent is not MQTT 5
	Unsupported    = wire.Unsupported    // the broker stated that it does not offer this
	SessionLost    = wire.SessionLost    // the broker forgot the session
	QueueFull      = wire.QueueFull      // Options.Queue allows no more to wait
	Dropped        = wire.Dropped        // dropped by Options.Queue.Policy
	Expired        = wire.Expired        // the Message Expiry Interval passed before it could be sent
	Storage        = wire.Storage        // the durable store failed, or is full
	InUse          = wire.InUse          // another client has the durable store
)

// Error is the error that every function of this package returns; errors.As
// finds it, and errors.Is finds its Code. These are its fields:
//
//	Code            Code    // what kind of failure it is
//	Message         string  // for people: what was wrong, and what to do
//	Field           string  // the option or argument that was wrong, in the names of the
//	                        // JavaScript API, such as "topic" or "will.qos"
//	ReasonCode      byte    // the broker's reason code (2.4); 0: it sent none
//	ReasonString    string  // the broker's own words, for diagnosis
//	ServerReference string  // another server that the broker pointed to (4.13)
//	CloseCode       int     // the WebSocket's, where one was seen; 0: none was
//	CloseReason     string
//	Reason          byte    // of the DISCONNECT that the client sends for it; 0: none
//	Final           bool    // trying to connect again can't mend it
//	Err             error   // what caused it, where another error did
type Error = wire.Error
