package wire

import (
	"bytes"

	"github.com/eclipse/paho.golang/packets"
)

// valueType is how a property's value is written.
type valueType byte

const (
	noValue   valueType = iota // there is no such property
	flagValue                  // a byte that is 0 or 1
	uint16Value
	uint32Value
	varintValue
	stringValue
	binaryValue
	pairValue // of strings
)

// Sets of packet types.
const (
	inConnack uint16 = 1 << TypeConnack
	inPublish uint16 = 1 << TypePublish
	inAuth    uint16 = 1 << TypeAuth
	inAny     uint16 = inConnack | inPublish | inAuth | 1<<TypeDisconnect | 1<<TypePuback | 1<<TypePubrec |
		1<<TypePubrel | 1<<TypePubcomp | 1<<TypeSuback | 1<<TypeUnsuback
)

// propertyTable is the table of 2.2.2.2 for packets that a broker sends. A property
// without packet types is one that only a client may send.
var propertyTable = [...]struct {
	value valueType
	in    uint16
}{
	packets.PropPayloadFormat:          {flagValue, inPublish},
	packets.PropMessageExpiry:          {uint32Value, inPublish},
	packets.PropContentType:            {stringValue, inPublish},
	packets.PropResponseTopic:          {stringValue, inPublish},
	packets.PropCorrelationData:        {binaryValue, inPublish},
	packets.PropSubscriptionIdentifier: {varintValue, inPublish},
	packets.PropSessionExpiryInterval:  {uint32Value, inConnack},
	packets.PropAssignedClientID:       {stringValue, inConnack},
	packets.PropServerKeepAlive:        {uint16Value, inConnack},
	packets.PropAuthMethod:             {stringValue, inConnack | inAuth},
	packets.PropAuthData:               {binaryValue, inConnack | inAuth},
	packets.PropRequestProblemInfo:     {flagValue, 0},
	packets.PropWillDelayInterval:      {uint32Value, 0},
	packets.PropRequestResponseInfo:    {flagValue, 0},
	packets.PropResponseInfo:           {stringValue, inConnack},
	packets.PropServerReference:        {stringValue, inConnack | 1<<TypeDisconnect},
	packets.PropReasonString:           {stringValue, inAny &^ inPublish},
	packets.PropReceiveMaximum:         {uint16Value, inConnack},
	packets.PropTopicAliasMaximum:      {uint16Value, inConnack},
	packets.PropTopicAlias:             {uint16Value, inPublish},
	packets.PropMaximumQOS:             {flagValue, inConnack},
	packets.PropRetainAvailable:        {flagValue, inConnack},
	packets.PropUser:                   {pairValue, inAny},
	packets.PropMaximumPacketSize:      {uint32Value, inConnack},
	packets.PropWildcardSubAvailable:   {flagValue, inConnack},
	packets.PropSubIDAvailable:         {flagValue, inConnack},
	packets.PropSharedSubAvailable:     {flagValue, inConnack},
}

// properties reads and checks a packet's properties, and returns them in wire
// form. With alias, which only PUBLISH has, the topic alias is taken out.
func (r *Reader) properties(kind byte, alias *uint16) []byte {
	all := r.Take(r.Varint())
	if len(all) == 0 {
		return nil
	}
	var seen uint64 // bits of the identifiers, which are all below 64
	var withoutAlias []byte
	in := Reader{Rest: all}
	for len(in.Rest) > 0 {
		start := len(all) - len(in.Rest)
		id := in.Varint()
		if id == int(packets.PropTopicAlias) && alias != nil {
			if *alias = in.Uint16(); in.Err == nil && *alias == 0 { // [MQTT-3.3.2-8]
				in.fail(ReasonAliasInvalid, "topic alias 0")
			}
			withoutAlias = append(append(make([]byte, 0, start+len(in.Rest)), all[:start]...), in.Rest...)
		} else {
			in.property(id)
		}
		in.checkAllowed(kind, id, &seen) // last: an unknown property is malformed in any packet
	}
	if in.Err != nil {
		r.Err, r.Rest = in.Err, nil
		return nil
	}
	if alias != nil && *alias != 0 {
		return withoutAlias
	}
	return all
}

// checkAllowed checks that a property is allowed in a packet of this type, and as often as it
// occurs. seen has the bits of those before.
func (r *Reader) checkAllowed(kind byte, id int, seen *uint64) {
	switch bit := uint64(1) << id; {
	case r.Err != nil:
	case propertyTable[id].in&(1<<kind) == 0:
		r.fail(ReasonProtocolError, "property 0x%02X in %s", id, TypeName(kind))
	case id == int(packets.PropUser) || id == int(packets.PropSubscriptionIdentifier): // 3.3.2.3.7, 3.3.2.3.8
	case *seen&bit != 0:
		r.fail(ReasonProtocolError, "property 0x%02X twice", id)
	default:
		*seen |= bit
	}
}

// neverZero names the properties whose value 0 is a Protocol Error (3.2.2.3.3,
// 3.2.2.3.6, 3.3.2.3.8).
var neverZero = [len(propertyTable)]string{
	packets.PropReceiveMaximum:         "Receive Maximum",
	packets.PropMaximumPacketSize:      "Maximum Packet Size",
	packets.PropSubscriptionIdentifier: "subscription identifier",
}

func typeOf(id int) valueType {
	if id < len(propertyTable) {
		return propertyTable[id].value
	}
	return noValue
}

// property reads one value and checks its range.
func (r *Reader) property(id int) {
	switch kind := typeOf(id); kind {
	case stringValue:
		v := r.String()
		// [MQTT-3.3.2-14], [MQTT-4.7.3-1]
		if id == int(packets.PropResponseTopic) && r.Err == nil && (len(v) == 0 || hasWildcard(v)) {
			r.fail(ReasonProtocolError, "a response topic that is not a topic name")
		}
	case pairValue:
		r.String()
		r.String()
	default:
		switch v := r.Skip(id); {
		case r.Err != nil:
		case kind == flagValue && v[0] > 1:
			r.fail(ReasonProtocolError, "property 0x%02X is %d, not 0 or 1", id, v[0])
		case neverZero[id] != "" && len(bytes.Trim(v, "\x00")) == 0:
			r.fail(ReasonProtocolError, "%s of 0", neverZero[id])
		}
	}
}

// Skip reads the value of a property without checking it, and returns it; a string or
// binary data without its length. The identifier was read before.
func (r *Reader) Skip(id int) (value []byte) {
	from := r.Rest
	switch typeOf(id) {
	case flagValue:
		return r.Take(1)
	case uint16Value:
		return r.Take(2)
	case uint32Value:
		return r.Take(4)
	case stringValue, binaryValue:
		return r.Binary()
	case varintValue:
		r.Varint()
	case pairValue:
		r.Binary()
		r.Binary()
	default:
		r.fail(ReasonMalformed, "property 0x%02X, which does not exist", id)
	}
	return from[:len(from)-len(r.Rest)]
}

// FindProperty returns the value of a property that occurs at most once in validated
// properties, as [Reader.Skip] does. It points into them.
func FindProperty(all []byte, id byte) (value []byte, ok bool) {
	for r := (Reader{Rest: all}); len(r.Rest) > 0; {
		found := r.Varint()
		if value = r.Skip(found); found == int(id) && r.Err == nil {
			return value, true
		}
	}
	return nil, false
}

// ValueOr returns the value of an optional property, or the default.
func ValueOr[T any](v *T, otherwise T) T {
	if v == nil {
		return otherwise
	}
	return *v
}

// UnpackProperties decodes validated properties of a packet of this type. The result
// shares no memory with b.
func UnpackProperties(b []byte, kind byte) (props packets.Properties) {
	if len(b) > 0 {
		// paho can read whatever the checks let through.
		_ = props.Unpack(bytes.NewBuffer(AppendProperties(nil, b)), kind)
	}
	return props
}
