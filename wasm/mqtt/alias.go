package mqtt

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
