package mqtt

import "container/list"

// aliases are the topic aliases that the broker set on one connection (3.3.2.3.4).
type aliases struct {
	topics [][]byte // by alias, from 1
}

func newAliases(maximum int) *aliases { return &aliases{topics: make([][]byte, maximum+1)} }

// resolve returns the topic of a PUBLISH.
func (a *aliases) resolve(p *publishPacket) ([]byte, error) {
	if p.alias == 0 {
		return p.topic, nil
	}
	if int(p.alias) >= len(a.topics) { // [MQTT-3.1.2-26]
		return nil, violation(reasonAliasInvalid, "topic alias %d, more than our Topic Alias Maximum of %d", p.alias, len(a.topics)-1)
	}
	if len(p.topic) > 0 {
		a.topics[p.alias] = append([]byte(nil), p.topic...)
		return p.topic, nil
	}
	topic := a.topics[p.alias]
	if topic == nil { // 3.3.2.3.4
		return nil, violation(reasonProtocolError, "topic alias %d, which was never set", p.alias)
	}
	return topic, nil
}

// sentAliases are the topic aliases that we set on one connection. When the
// broker takes no more, the topic that was not used for longest gives its alias
// up. The session's sendMu guards it.
type sentAliases struct {
	limits limits
	known  map[string]*list.Element
	used   list.List // of *sentAlias, the last used first
}

type sentAlias struct {
	topic string
	alias uint16
}

const aliasSize = 3 // bytes of the property Topic Alias

func newSentAliases(l limits) *sentAliases {
	return &sentAliases{limits: l, known: map[string]*list.Element{}}
}

// shorten returns the packet with an alias in place of a topic that the broker
// knows, or that it shall know. a may be nil, and then does nothing.
func (a *sentAliases) shorten(o *outgoing) []byte {
	if a == nil || a.limits.alias == 0 {
		return o.frame
	}
	topic := o.topic()
	if len(topic) <= aliasSize { // an alias would not be shorter
		return o.frame
	}
	if e, ok := a.known[string(topic)]; ok {
		a.used.MoveToFront(e)
		return o.withAlias(e.Value.(*sentAlias).alias, nil)
	}
	alias, full := uint16(a.used.Len()+1), a.used.Len() == int(a.limits.alias)
	if full {
		alias = a.used.Back().Value.(*sentAlias).alias
	}
	frame := o.withAlias(alias, topic)
	if a.limits.packet > 0 && len(frame) > int(a.limits.packet) {
		return o.frame // which fits, without the alias
	}
	if full {
		delete(a.known, a.used.Remove(a.used.Back()).(*sentAlias).topic)
	}
	a.known[string(topic)] = a.used.PushFront(&sentAlias{string(topic), alias})
	return frame
}

// topic is the topic in the packet.
func (o *outgoing) topic() []byte {
	_, size, _, _ := parseVarint(o.frame[1:])
	return o.frame[1+size+2 : o.idAt]
}

// withAlias returns the packet with another topic, which may be empty, and a
// topic alias.
func (o *outgoing) withAlias(alias uint16, topic []byte) []byte {
	r := reader{rest: o.frame[o.idAt:]}
	id := r.take(o.idSize())
	properties := append([]byte{propTopicAlias, byte(alias >> 8), byte(alias)}, r.take(r.varint())...)
	return joinPublish(o.frame[0], topic, id, properties, r.rest)
}

func joinPublish(header byte, topic, id, properties, payload []byte) []byte {
	length := 2 + len(topic) + len(id) + varintSize(len(properties)) + len(properties) + len(payload)
	frame := make([]byte, 0, 1+varintSize(length)+length)
	frame = appendVarint(append(frame, header), length)
	frame = append(appendString(frame, topic), id...)
	return append(appendProperties(frame, properties), payload...)
}
