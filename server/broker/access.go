package broker

import (
	"maps"
	"net"
	"strings"
	"sync"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"golang.org/x/time/rate"
)

// admit says who may connect.
func (p *policy) admit(cl *mqtt.Client, pk packets.Packet) packets.Code {
	c, name, most := connOf(cl), string(cl.Properties.Username), p.most.sessions
	if code := validateConnect(pk, c.will); code != packets.CodeSuccess {
		return code
	}
	if p.users != nil {
		if code := p.authenticate(cl, name, pk.Connect.Password); code != packets.CodeSuccess {
			return code
		}
		most = min(most, p.most.userSessions)
	}
	session := p.sessions.get(cl.ID) // after the password: checking it takes long enough for the session to become another's
	switch {
	case p.users == nil:
	case c.will != nil && !p.users.allow(name, c.will.TopicName, true), session != nil && session.user != name:
		return packets.ErrNotAuthorized
	}
	if session == nil && !p.room(name, p.most.sessions, most) {
		return packets.ErrQuotaExceeded
	}
	return packets.CodeSuccess
}

// authenticate compares the password, unless too many were wrong before.
func (p *policy) authenticate(cl *mqtt.Client, name string, password []byte) packets.Code {
	address := cl.Net.Remote
	if host, _, err := net.SplitHostPort(address); err == nil {
		address = host
	}
	keys := []string{"address " + address, "name " + name}
	if !p.attempts.allowed(keys) {
		return packets.ErrConnectionRateExceeded
	}
	if p.users.Authenticate(name, password) {
		return packets.CodeSuccess
	}
	p.attempts.failed(keys)
	p.log.Warn("refused a client: wrong user name or password", "user", cut(name), "remote", cl.Net.Remote)
	return packets.ErrBadUsernameOrPassword
}

// attempts are wrong passwords, by address and by name. After passwordBurst of them, one
// every passwordPause is compared.
type attempts struct {
	mu   sync.Mutex
	last map[string]*rate.Limiter
}

func (a *attempts) allowed(keys []string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, key := range keys {
		if l := a.last[key]; l != nil && l.Tokens() < 1 {
			return false
		}
	}
	return true
}

func (a *attempts) failed(keys []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.last) > 20_000 { // strangers choose the names
		maps.DeleteFunc(a.last, func(_ string, l *rate.Limiter) bool { return l.Tokens() >= passwordBurst })
	}
	if len(a.last) > 20_000 {
		clear(a.last)
	}
	for _, key := range keys {
		if a.last[key] == nil {
			a.last[key] = rate.NewLimiter(rate.Every(passwordPause), passwordBurst)
		}
		a.last[key].Allow()
	}
}

// OnACLCheck decides about a topic to publish to, a filter to subscribe to, and
// a topic to deliver. A topic that is only an alias was allowed when it was defined.
func (p *policy) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	if write && strings.HasPrefix(topic, "$") { // the broker's own (4.7.2)
		return false
	}
	return p.users == nil || write && topic == "" || p.users.allow(string(cl.Properties.Username), topic, write)
}

// cut shortens what strangers name themselves in the log.
func cut(name string) string {
	const most = 64
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}
