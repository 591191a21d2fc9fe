package wire

import "github.com/eclipse/paho.golang/packets"

// Connack is a validated CONNACK (3.2). It shares no memory with the packet.
type Connack struct {
	SessionPresent bool
	Reason         byte               // 0: accepted; else why the broker refused
	Properties     packets.Properties // nil: the broker left it out
}

// ParseConnack validates and parses a CONNACK. The error is Final when the broker speaks
// MQTT 3.1.1.
func ParseConnack(body []byte) (*Connack, error) {
	if len(body) == 2 && body[0] <= 1 && body[1] <= 5 {
		// MQTT 3.1.1 ends here; MQTT 5 has the length of the properties next, also
		// where there are none (2.2.2.1). No DISCONNECT: that has no reason code in
		// MQTT 3.1.1.
		return nil, &Error{Code: Protocol, Final: true,
			Message: "the broker speaks MQTT 3.1.1 only; this client needs one that speaks MQTT 5"}
	}
	r := Reader{Rest: body}
	flags := r.Byte()
	if flags&^1 != 0 { // [MQTT-3.2.2-1]
		return nil, Violation(ReasonMalformed, "reserved acknowledge flags set in CONNACK")
	}
	c := &Connack{SessionPresent: flags == 1, Reason: r.reason(TypeConnack)}
	if r.Err == nil && c.SessionPresent && c.Reason != ReasonSuccess { // [MQTT-3.2.2-6]
		r.fail(ReasonProtocolError, "CONNACK with Session Present and a refusal")
	}
	properties := r.properties(TypeConnack, nil)
	if err := r.finish(TypeConnack); err != nil {
		return nil, err
	}
	c.Properties = UnpackProperties(properties, TypeConnack)
	return c, nil
}
