package session

import (
	lru "container/list"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// resolve returns the topic of a PUBLISH that may have a topic alias (3.3.2.3.4).
func (s *Session) resolve(p *wire.Publish) ([]byte, error) {
	if p.Alias == 0 {
		return p.Topic, nil
	}
	if int(p.Alias) >= len(s.topics) { // [MQTT-3.1.2-26]
		return nil, wire.Violation(wire.ReasonAliasInvalid, "topic alias %d, more than our Topic Alias Maximum of %d", p.Alias, len(s.topics)-1)
	}
	if len(p.Topic) > 0 {
		s.topics[p.Alias] = append([]byte(nil), p.Topic...)
		return p.Topic, nil
	}
	topic := s.topics[p.Alias]
	if topic == nil { // 3.3.2.3.4
		return nil, wire.Violation(wire.ReasonProtocolError, "topic alias %d, which was never set", p.Alias)
	}
	return topic, nil
}

// sentAliases are the topic aliases that we set on one connection. When the broker
// allows no more, the least recently used topic gives up its alias.
type sentAliases struct {
	limits Limits
	known  map[string]*lru.Element
	used   lru.List // of *sentAlias, the last used first
}

type sentAlias struct {
	topic string
	alias uint16
}

const aliasSize = 3 // bytes of the property Topic Alias

func newSentAliases(l Limits) *sentAliases {
	return &sentAliases{limits: l, known: map[string]*lru.Element{}}
}

// shorten returns the packet with an alias, and without the topic if the broker knows
// the alias. With a nil a it changes nothing.
func (a *sentAliases) shorten(m *Message) []byte {
	if a == nil || a.limits.Alias == 0 {
		return m.frame
	}
	topic := m.topic()
	if len(topic) <= aliasSize { // an alias would not be shorter
		return m.frame
	}
	if e, ok := a.known[string(topic)]; ok {
		a.used.MoveToFront(e)
		return m.withAlias(e.Value.(*sentAlias).alias, nil)
	}
	alias, full := uint16(a.used.Len()+1), a.used.Len() == a.limits.Alias
	if full {
		alias = a.used.Back().Value.(*sentAlias).alias
	}
	frame := m.withAlias(alias, topic)
	if len(frame) > a.limits.Packet {
		return m.frame // without the alias it fits
	}
	if full {
		delete(a.known, a.used.Remove(a.used.Back()).(*sentAlias).topic)
	}
	a.known[string(topic)] = a.used.PushFront(&sentAlias{string(topic), alias})
	return frame
}
