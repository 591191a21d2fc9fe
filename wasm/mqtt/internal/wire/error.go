package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// Code says what kind of failure an [Error] is. The JavaScript API uses the
// same words.
type Code string

// The kinds of failure.
const (
	BadOption      Code = "bad-option"       // an option or argument is wrong; Field names it
	Refused        Code = "refused"          // the broker said no; ReasonCode says why
	Timeout        Code = "timeout"          // no answer in time
	NotConnected   Code = "not-connected"    // there is no connection to send on
	PacketTooLarge Code = "packet-too-large" // over a Maximum Packet Size, the broker's or ours
	Aborted        Code = "aborted"          // the caller gave up, or disconnected
	Network        Code = "network"          // the connection could not be opened, or broke
	Disconnected   Code = "disconnected"     // the broker sent DISCONNECT; ReasonCode says why
	Protocol       Code = "protocol"         // what the broker sent is not MQTT 5
	Unsupported    Code = "unsupported"      // the broker stated that it does not offer this
	SessionLost    Code = "session-lost"     // the broker forgot the session
	QueueFull      Code = "queue-full"       // as much waits to be sent as is allowed
	Dropped        Code = "dropped"          // the queue's policy gave the message up
	Expired        Code = "expired"          // the Message Expiry Interval passed before it could be sent
	Storage        Code = "storage"          // the durable store failed, or is full
	InUse          Code = "in-use"           // another client has the durable store
)

// Error is what every internal package fails with.
type Error struct {
	Code    Code
	Message string // for people: what was wrong, and what to do
	// Field is the option or argument that was wrong, in the names of the
	// JavaScript API, such as "topic" or "will.qos".
	Field string
	// Reason is of the DISCONNECT that we send when we end the connection for
	// this error; 0: none is sent. See [DisconnectReason].
	Reason byte
	// ReasonCode is the broker's (2.4), and set only from what the broker sent.
	ReasonCode   byte
	ReasonString string // the broker's own words, for diagnosis
	// ServerReference is another server that the broker pointed to (4.13).
	ServerReference string
	// CloseCode and CloseReason are the WebSocket's, where one was seen.
	CloseCode   int
	CloseReason string
	Final       bool  // trying again can't mend it
	Err         error // what caused it, where another error did
}

// Error returns Message, and what the broker said if that is not in it.
func (e *Error) Error() string {
	if e.ReasonString == "" || strings.Contains(e.Message, e.ReasonString) {
		return e.Message
	}
	return e.Message + ": " + e.ReasonString
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// NewError makes an error of this kind; format and args are those of fmt.Sprintf.
func NewError(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// BadOptionError says what is wrong with an option or argument. The message
// begins with field.
func BadOptionError(field, format string, args ...any) *Error {
	return &Error{Code: BadOption, Field: field, Message: field + ": " + fmt.Sprintf(format, args...)}
}

// Violation is an error for which we end the connection, with a DISCONNECT of
// this reason code.
func Violation(reason byte, format string, args ...any) *Error {
	code := Protocol
	if reason == ReasonPacketTooLarge {
		code = PacketTooLarge
	}
	return &Error{Code: code, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// RefusedError is the broker's refusal of what was asked, such as "publish".
func RefusedError(what string, reason byte, reasonString string) *Error {
	return &Error{
		Code: Refused, ReasonCode: reason, ReasonString: reasonString,
		Message: fmt.Sprintf("%s refused: %s (0x%02X)", what, ReasonName(reason), reason),
	}
}

// UnsupportedError says that the broker stated that it does not offer what
// field asks for.
func UnsupportedError(field, why string) *Error {
	return &Error{Code: Unsupported, Field: field, Message: field + ": " + why}
}

// ContextError says why a context is done: with the [*Error] that is its cause,
// if that is one, else with Timeout or, where the caller gave up, Aborted. what
// is what was waited for, such as "publish".
func ContextError(ctx context.Context, what string) *Error {
	cause := context.Cause(ctx)
	var typed *Error
	if errors.As(cause, &typed) {
		return typed
	}
	if errors.Is(cause, context.DeadlineExceeded) {
		return &Error{Code: Timeout, Message: what + ": no answer in time", Err: ctx.Err()}
	}
	return &Error{Code: Aborted, Message: what + ": given up by the caller", Err: ctx.Err()}
}

// NetworkError keeps an [*Error], and wraps any other with Network, or with Protocol
// where the peer broke MQTT's rules for WebSockets, with the WebSocket's close code
// where the error knows one. what is what was tried, such as "connect".
func NetworkError(err error, what string) *Error {
	var typed *Error
	if errors.As(err, &typed) {
		return typed
	}
	e := &Error{Code: Network, Message: what + ": " + err.Error(), Err: err}
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		e.Message = what + ": the connection was closed"
	}
	var closed interface{ CloseStatus() (int, string) }
	if errors.As(err, &closed) {
		e.CloseCode, e.CloseReason = closed.CloseStatus()
	}
	var peer interface{ Violation() bool }
	if errors.As(err, &peer) && peer.Violation() {
		e.Code = Protocol
	}
	return e
}
