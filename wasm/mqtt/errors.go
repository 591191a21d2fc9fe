package mqtt

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
	Aborted        Code = "aborted"          // the caller gave up, or Disconnect was called
	Network        Code = "network"          // the connection could not be opened, or broke
	Disconnected   Code = "disconnected"     // the broker sent DISCONNECT; ReasonCode says why
	Protocol       Code = "protocol"         // what the broker sent is not MQTT 5
	Unsupported    Code = "unsupported"      // the broker stated that it does not offer this
	SessionLost    Code = "session-lost"     // the broker forgot the session
	QueueFull      Code = "queue-full"       // as much waits to be sent as Options.Queue allows
	Dropped        Code = "dropped"          // Options.Queue.Policy gave the message up
	Expired        Code = "expired"          // the Message Expiry Interval passed before it could be sent
	Storage        Code = "storage"          // the durable store failed, or is full
	InUse          Code = "in-use"           // another client has the durable store
)

// Error is the error that every function of this package returns; errors.As
// finds it.
type Error struct {
	Code    Code
	Message string // for people: what was wrong, and what to do
	// Field is the option or argument that was wrong, in the names of the
	// JavaScript API, such as "topic" or "will.qos".
	Field string
	// ReasonCode is the broker's, or, with Protocol and PacketTooLarge, the one
	// for which we ended the connection (MQTT 5, 2.4).
	ReasonCode   byte
	ReasonString string // the broker's own words, for diagnosis
	// ServerReference is another server the broker pointed to (4.13).
	ServerReference string
	// CloseCode and CloseReason are the WebSocket's, where one was seen.
	CloseCode   int
	CloseReason string
	Err         error // what caused it, where another error did
}

// Error returns Message, and what the broker said if that is not in it.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	if e.ReasonString != "" && !strings.Contains(e.Message, e.ReasonString) {
		fmt.Fprintf(&b, ": %s", e.ReasonString)
	}
	return b.String()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

func newError(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func badOption(field, format string, args ...any) *Error {
	return &Error{Code: BadOption, Field: field, Message: field + ": " + fmt.Sprintf(format, args...)}
}

// violation is an error that ends the connection with a DISCONNECT of this
// reason code.
func violation(reason byte, format string, args ...any) *Error {
	code := Protocol
	if reason == reasonPacketTooLarge {
		code = PacketTooLarge
	}
	return &Error{Code: code, ReasonCode: reason, Message: fmt.Sprintf(format, args...)}
}

// refused is the broker's answer as an error.
func refused(what string, reason byte, reasonString string) *Error {
	return &Error{
		Code: Refused, ReasonCode: reason, ReasonString: reasonString,
		Message: fmt.Sprintf("%s refused: %s (0x%02X)", what, ReasonName(reason), reason),
	}
}

// fromContext tells a caller that gave up from one that ran out of time.
func fromContext(ctx context.Context, what string) *Error {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return &Error{Code: Timeout, Message: what + ": no answer in time", Err: ctx.Err()}
	}
	var typed *Error
	if errors.As(context.Cause(ctx), &typed) {
		return typed
	}
	return &Error{Code: Aborted, Message: what + ": given up by the caller", Err: ctx.Err()}
}

// networkError keeps a typed error and wraps any other, with the WebSocket's
// close code where the connection knows one.
func networkError(err error, what string) *Error {
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
	return e
}
