package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// Code says what kind of failure an [Error] is; it is an error itself. Package mqtt
// exports both, and documents each kind.
type Code string

// The kinds of failure.
const (
	BadOption      Code = "bad-option"
	Refused        Code = "refused"
	Timeout        Code = "timeout"
	NotConnected   Code = "not-connected"
	PacketTooLarge Code = "packet-too-large"
	Aborted        Code = "aborted"
	Network        Code = "network"
	Disconnected   Code = "disconnected"
	Protocol       Code = "protocol"
	Unsupported    Code = "unsupported"
	SessionLost    Code = "session-lost"
	QueueFull      Code = "queue-full"
	Dropped        Code = "dropped"
	Expired        Code = "expired"
	Storage        Code = "storage"
	InUse          Code = "in-use"
)

// Error returns the code as text.
func (c Code) Error() string { return string(c) }

// Error is the error that every package of the client returns.
type Error struct {
	Code            Code
	Message         string // for people: what was wrong, and what to do
	Field           string // the option or argument that was wrong, in the names of the JavaScript API
	ReasonCode      byte   // the broker's (2.4); like the next two, set only from what it sent
	ReasonString    string // for diagnosis
	ServerReference string // another server that it pointed to (4.13)
	CloseCode       int    // the WebSocket's, where one was seen
	CloseReason     string
	Reason          byte  // of the DISCONNECT that the client sends for the error; 0: none. See [DisconnectReason]
	Final           bool  // trying again can't help
	Err             error // what caused it, where another error did
}

// Error returns Message, and the broker's reason if that is not in it.
func (e *Error) Error() string {
	if e.ReasonString == "" || strings.Contains(e.Message, e.ReasonString) {
		return e.Message
	}
	return e.Message + ": " + e.ReasonString
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the error's Code.
func (e *Error) Is(target error) bool { return target == e.Code }

// NewError makes an error of this kind; format and args are those of fmt.Sprintf.
func NewError(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// NoConnection says that there is no connection to send on.
func NoConnection() *Error { return NewError(NotConnected, "there is no connection to the broker") }

// Invalid says what is wrong with an option or argument. The message begins with field.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Code: BadOption, Field: field, Message: field + ": " + fmt.Sprintf(format, args...)}
}

// Violation is an error for which the client ends the connection, with a DISCONNECT of
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

// UnsupportedError says that the broker announced that it does not offer what field
// asks for.
func UnsupportedError(field, why string) *Error {
	return &Error{Code: Unsupported, Field: field, Message: field + ": " + why}
}

// ContextError says why a context is done: its cause if that is an [*Error], else
// Timeout or, if the caller cancelled, Aborted. what is the operation, like "publish".
func ContextError(ctx context.Context, what string) *Error {
	cause := context.Cause(ctx)
	if typed, ok := errors.AsType[*Error](cause); ok {
		return typed
	}
	if errors.Is(cause, context.DeadlineExceeded) {
		return &Error{Code: Timeout, Message: what + ": no answer in time", Err: ctx.Err()}
	}
	return &Error{Code: Aborted, Message: what + ": aborted by the caller", Err: ctx.Err()}
}

// NetworkError keeps an [*Error]. It wraps any other in one with Network, or with
// Protocol if the peer broke MQTT's rules for WebSockets, and with the WebSocket's
// close code if the error has one. what names the operation, such as "connect".
func NetworkError(err error, what string) *Error {
	if typed, ok := errors.AsType[*Error](err); ok {
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
