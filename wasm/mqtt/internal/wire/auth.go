package wire

import "github.com/eclipse/paho.golang/packets"

// Auth is a validated AUTH packet (3.15). Its slices point into the bytes that it was
// read from.
type Auth struct {
	Reason byte
	Method []byte // Authentication Method
	Data   []byte // Authentication Data; nil: none
}

// ParseAuth validates and parses an AUTH packet, without copying.
func ParseAuth(body []byte) (Auth, error) {
	r := Reader{Rest: body}
	var a Auth
	var properties []byte
	a.Reason, properties = r.reasonAndProperties(TypeAuth)
	if err := r.finish(TypeAuth); err != nil {
		return a, err
	}
	method, ok := FindProperty(properties, packets.PropAuthMethod)
	if !ok { // 3.15.2.2.2
		return a, Violation(ReasonProtocolError, "AUTH without an authentication method")
	}
	a.Method = method
	a.Data, _ = FindProperty(properties, packets.PropAuthData)
	return a, nil
}

// EncodeAuth makes a whole AUTH packet, without data when that is nil. method
// and data have at most [MaxString] bytes.
func EncodeAuth(reason byte, method string, data []byte) []byte {
	props := AppendString([]byte{packets.PropAuthMethod}, method)
	if data != nil {
		props = AppendString(append(props, packets.PropAuthData), data)
	}
	return frame(TypeAuth<<4, AppendProperties([]byte{reason}, props))
}
