package wire

import (
	"bytes"

	"github.com/eclipse/paho.golang/packets"
)

// Property identifiers (2.2.2.2).
const (
	PropPayloadFormat          byte = 0x01
	PropMessageExpiry          byte = 0x02
	PropContentType            byte = 0x03
	PropResponseTopic          byte = 0x08
	PropCorrelationData        byte = 0x09
	PropSubscriptionIdentifier byte = 0x0B
	PropSessionExpiry          byte = 0x11
	PropAssignedClientID       byte = 0x12
	PropServerKeepAlive        byte = 0x13
	PropAuthMethod             byte = 0x15
	PropAuthData               byte = 0x16
	PropRequestProblemInfo     byte = 0x17
	PropWillDelay              byte = 0x18
	PropRequestResponseInfo    byte = 0x19
	PropResponseInfo           byte = 0x1A
	PropServerReference        byte = 0x1C
	PropReasonString           byte = 0x1F
	PropReceiveMaximum         byte = 0x21
	PropTopicAliasMaximum      byte = 0x22
	PropTopicAlias             byte = 0x23
	PropMaximumQoS             byte = 0x24
	PropRetainAvailable        byte = 0x25
	PropUser                   byte = 0x26
	PropMaximumPacketSize      byte = 0x27
	PropWildcardAvailable      byte = 0x28
	PropSubscriptionIDs        byte = 0x29
	PropSharedAvailable        byte = 0x2A
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

// propertyTable is the table of 2.2.2.2, of packets that a broker sends. What is
// in none of them only a client may send.
var propertyTable = [...]struct {
	value valueType
	in    uint16
}{
	PropPayloadFormat:          {flagValue, inPublish},
	PropMessageExpiry:          {uint32Value, inPublish},
	PropContentType:            {stringValue, inPublish},
	PropResponseTopic:          {stringValue, inPublish},
	PropCorrelationData:        {binaryValue, inPublish},
	PropSubscriptionIdentifier: {varintValue, inPublish},
	PropSessionExpiry:          {uint32Value, inConnack},
	PropAssignedClientID:       {stringValue, inConnack},
	PropServerKeepAlive:        {uint16Value, inConnack},
	PropAuthMethod:             {stringValue, inConnack | inAuth},
	PropAuthData:               {binaryValue, inConnack | inAuth},
	PropRequestProblemInfo:     {flagValue, 0},
	PropWillDelay:              {uint32Value, 0},
	PropRequestResponseInfo:    {flagValue, 0},
	PropResponseInfo:           {stringValue, inConnack},
	PropServerReference:        {stringValue, inConnack | 1<<TypeDisconnect},
	PropReasonString:           {stringValue, inAny &^ inPublish},
	PropReceiveMaximum:         {uint16Value, inConnack},
	PropTopicAliasMaximum:      {uint16Value, inConnack},
	PropTopicAlias:             {uint16Value, inPublish},
	PropMaximumQoS:             {flagValue, inConnack},
	PropRetainAvailable:        {flagValue, inConnack},
	PropUser:                   {pairValue, inAny},
	PropMaximumPacketSize:      {uint32Value, inConnack},
	PropWildcardAvailable:      {flagValue, inConnack},
	PropSubscriptionIDs:        {flagValue, inConnack},
	PropSharedAvailable:        {flagValue, inConnack},
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
		id := in.propertyID()
		if id == PropTopicAlias && alias != nil {
			*alias = in.topicAlias()
			withoutAlias = append(append(make([]byte, 0, start+len(in.Rest)), all[:start]...), in.Rest...)
		} else {
			in.property(id)
		}
		in.admit(kind, id, &seen) // last: what has no value is malformed wherever it stands
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

// propertyID reads the identifier of a property that exists.
func (r *Reader) propertyID() byte {
	id := r.Varint()
	if r.Err == nil && (id >= len(propertyTable) || propertyTable[id].value == noValue) {
		r.fail(ReasonMalformed, "property 0x%02X, which does not exist", id)
	}
	if r.Err != nil {
		return 0
	}
	return byte(id)
}

// admit checks that a property may stand in a packet of this type, and as often as
// it does. seen has the bits of those that did.
func (r *Reader) admit(kind, id byte, seen *uint64) {
	switch bit := uint64(1) << id; {
	case r.Err != nil:
	case propertyTable[id].in&(1<<kind) == 0:
		r.fail(ReasonProtocolError, "property 0x%02X in %s", id, TypeName(kind))
	case id == PropUser || id == PropSubscriptionIdentifier: // 3.3.2.3.7, 3.3.2.3.8
	case *seen&bit != 0:
		r.fail(ReasonProtocolError, "property 0x%02X twice", id)
	default:
		*seen |= bit
	}
}

func (r *Reader) topicAlias() uint16 {
	alias := r.Uint16()
	if r.Err == nil && alias == 0 { // [MQTT-3.3.2-8]
		r.fail(ReasonAliasInvalid, "topic alias 0")
	}
	return alias
}

// property reads one value and checks its range.
func (r *Reader) property(id byte) {
	if r.Err != nil {
		return
	}
	switch propertyTable[id].value {
	case flagValue:
		if v := r.Byte(); v > 1 {
			r.fail(ReasonProtocolError, "property 0x%02X is %d, not 0 or 1", id, v)
		}
	case uint16Value:
		if v := r.Uint16(); r.Err == nil && v == 0 && id == PropReceiveMaximum { // 3.2.2.3.3
			r.fail(ReasonProtocolError, "Receive Maximum of 0")
		}
	case uint32Value:
		if v := r.Uint32(); r.Err == nil && v == 0 && id == PropMaximumPacketSize { // 3.2.2.3.6
			r.fail(ReasonProtocolError, "Maximum Packet Size of 0")
		}
	case varintValue:
		if v := r.Varint(); r.Err == nil && v == 0 { // 3.3.2.3.8
			r.fail(ReasonProtocolError, "subscription identifier 0")
		}
	case stringValue:
		v := r.String()
		// [MQTT-3.3.2-14], [MQTT-4.7.3-1]
		if id == PropResponseTopic && r.Err == nil && (len(v) == 0 || hasWildcard(v)) {
			r.fail(ReasonProtocolError, "a response topic that is no topic name")
		}
	case binaryValue:
		r.Binary()
	case pairValue:
		r.String()
		r.String()
	}
}

// Skip reads the value of a property of properties that were checked. The
// identifier, which is one byte, was read before.
func (r *Reader) Skip(id byte) {
	if int(id) >= len(propertyTable) {
		r.fail(ReasonMalformed, "property 0x%02X, which does not exist", id)
		return
	}
	switch propertyTable[id].value {
	case flagValue:
		r.Take(1)
	case uint16Value:
		r.Take(2)
	case uint32Value:
		r.Take(4)
	case varintValue:
		r.Varint()
	case stringValue, binaryValue:
		r.Binary()
	case pairValue:
		r.Binary()
		r.Binary()
	default:
		r.fail(ReasonMalformed, "property 0x%02X, which does not exist", id)
	}
}

// FindProperty returns the value of a property that stands at most once, in
// properties that were checked. It points into them. A string or binary data
// comes without its length.
func FindProperty(all []byte, id byte) (value []byte, ok bool) {
	for r := (Reader{Rest: all}); len(r.Rest) > 0; {
		found := r.Byte()
		from := r.Rest
		r.Skip(found)
		if found != id || r.Err != nil {
			continue
		}
		value = from[:len(from)-len(r.Rest)]
		if v := propertyTable[id].value; v == stringValue || v == binaryValue {
			value = value[2:]
		}
		return value, true
	}
	return nil, false
}

// SubscriptionIdentifiers returns all subscription identifiers of a PUBLISH,
// whose properties were checked; nil: none. [UnpackProperties] keeps only one.
func SubscriptionIdentifiers(properties []byte) (ids []uint32) {
	for r := (Reader{Rest: properties}); len(r.Rest) > 0; {
		id := r.Byte()
		if id == PropSubscriptionIdentifier {
			ids = append(ids, uint32(r.Varint()))
			continue
		}
		r.Skip(id)
	}
	return ids
}

// PackProperties returns the properties that a packet of this type may have, in
// wire form, without their length. p may be nil. Empty strings and empty binary
// data are left out.
func PackProperties(p *packets.Properties, kind byte) []byte { return p.Pack(kind) }

// UnpackProperties decodes properties that were checked for a packet of this
// type. What it returns has memory of its own.
func UnpackProperties(b []byte, kind byte) (props packets.Properties) {
	if len(b) > 0 {
		// Whatever the checks let through, paho reads.
		_ = props.Unpack(bytes.NewBuffer(AppendProperties(nil, b)), kind)
	}
	return props
}
