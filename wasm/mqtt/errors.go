package mqtt

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// Code says what kind of failure an [Error] is. It is an error itself, for
// [errors.Is]:
//
//	if errors.Is(err, mqtt.Timeout) { … }
//
// The JavaScript API uses the same words.
type Code string

// The kinds of failure.
const (
	BadOption      = Code(wire.BadOption)      // an option or argument is wrong; Field names it
	Refused        = Code(wire.Refused)        // the broker said no; ReasonCode says why
	Timeout        = Code(wire.Timeout)        // no answer in time
	NotConnected   = Code(wire.NotConnected)   // there is no connection to send on
	PacketTooLarge = Code(wire.PacketTooLarge) // over a Maximum Packet Size, the broker's or ours
	Aborted        = Code(wire.Aborted)        // the caller gave up, or Disconnect was called
	Network        = Code(wire.Network)        // the connection could not be opened, or broke
	Disconnected   = Code(wire.Disconnected)   // the broker sent DISCONNECT; ReasonCode says why
	Protocol       = Code(wire.Protocol)       // what the broker sent is not MQTT 5
	Unsupported    = Code(wire.Unsupported)    // the broker stated that it does not offer this
	SessionLost    = Code(wire.SessionLost)    // the broker forgot the session
	QueueFull      = Code(wire.QueueFull)      // as much waits to be sent as Options.Queue allows
	Dropped        = Code(wire.Dropped)        // Options.Queue.Policy gave the message up
	Expired        = Code(wire.Expired)        // the Message Expiry Interval passed before it could be sent
	Storage        = Code(wire.Storage)        // the durable store failed, or is full
	InUse          = Code(wire.InUse)          // another client has the durable store
)

// Error returns the code as text.
func (c Code) Error() string { return string(c) }

// Error is the error that every function of this package returns; errors.As
// finds it, and errors.Is finds its Code.
type Error struct {
	Code    Code
	Message string // for people: what was wrong, and what to do
	// Field is the option or argument that was wrong, in the names of the
	// JavaScript API, such as "topic" or "will.qos".
	Field string
	// ReasonCode, ReasonString and ServerReference are the broker's own: its
	// reason code (2.4), its words for diagnosis, and another server that it
	// pointed to (4.13). They are 0 and empty where it said nothing.
	ReasonCode      byte
	ReasonString    string
	ServerReference string
	// CloseCode and CloseReason are the WebSocket's, where one was seen.
	CloseCode   int
	CloseReason string
	Err         error // what caused it, where another error did
}

// Error returns Message, and what the broker said if that is not in it.
func (e *Error) Error() string {
	if e.ReasonString != "" && !strings.Contains(e.Message, e.ReasonString) {
		return e.Message + ": " + e.ReasonString
	}
	return e.Message
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the error's Code.
func (e *Error) Is(target error) bool { return target == e.Code }

func newError(code Code, message string) *Error { return &Error{Code: code, Message: message} }

func badOption(field, format string, args ...any) *Error {
	return &Error{Code: BadOption, Field: field, Message: field + ": " + fmt.Sprintf(format, args...)}
}

// public makes an *Error of what the packages below fail with, or keeps one.
func public(err error) error {
	if err == nil {
		return nil
	}
	var ours *Error
	if errors.As(err, &ours) {
		return ours
	}
	var e *wire.Error
	if !errors.As(err, &e) {
		return &Error{Code: Network, Message: err.Error(), Err: err}
	}
	return &Error{
		Code: Code(e.Code), Message: e.Message, Field: e.Field,
		ReasonCode: e.ReasonCode, ReasonString: e.ReasonString, ServerReference: e.ServerReference,
		CloseCode: e.CloseCode, CloseReason: e.CloseReason, Err: e.Err,
	}
}

// internal is public's inverse, for what a user's function fails with.
func internal(err error) error {
	e := (*Error)(nil)
	if !errors.As(err, &e) {
		return err
	}
	return &wire.Error{Code: wire.Code(e.Code), Message: e.Message, Err: e} // which public finds again
}

// fromContext tells a caller that gave up from one that ran out of time.
func fromContext(ctx context.Context, what string) error {
	if typed := (*Error)(nil); errors.As(context.Cause(ctx), &typed) {
		return typed
	}
	return wire.ContextError(ctx, what)
}

// networkError keeps a typed error, and wraps any other.
func networkError(err error, what string) error {
	if typed := (*Error)(nil); errors.As(err, &typed) {
		return typed
	}
	return wire.NetworkError(err, what)
}
