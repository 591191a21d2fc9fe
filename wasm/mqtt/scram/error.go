package scram

// Reason codes of MQTT (2.4).
const (
	protocolError byte = 0x82
	notAuthorized byte = 0x87
)

const prefix = "SCRAM: "

// Error is what an exchange fails with; errors.As finds it. Package mqtt converts it to
// an error of its own.
type Error struct {
	Message string // for people
	// Refused says that the broker sent an error instead of its message. Otherwise it
	// broke the protocol, or did not prove its identity.
	Refused      bool
	ReasonString string // the broker's error, such as "invalid-proof" (RFC 5802, 7)

	reason byte
}

// Error returns Message, and the broker's error if it sent one.
func (e *Error) Error() string {
	if e.ReasonString == "" {
		return e.Message
	}
	return e.Message + ": " + e.ReasonString
}

// MQTTReason returns the MQTT reason code of the error: 0x87, not authorized, when the
// broker refused or did not prove its identity; 0x82, protocol error, when what it sent
// is not SCRAM-SHA-256.
func (e *Error) MQTTReason() byte { return e.reason }

// MQTTRefused returns the broker's words; ok is false when it did not refuse.
func (e *Error) MQTTRefused() (reasonString string, ok bool) { return e.ReasonString, e.Refused }

func malformed(message string) *Error {
	return &Error{Message: prefix + message, reason: protocolError}
}
