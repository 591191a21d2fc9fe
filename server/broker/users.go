package broker

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/time/rate"
)

// Users are those who may use a broker, and what they may do.
type Users struct {
	file    string
	current atomic.Pointer[userList]
	// hashing bounds the passwords compared at the same time: each keeps a processor
	// busy, and anybody can cause it.
	hashing  chan struct{}
	attempts attempts
}

type userList struct {
	byName map[string]user
	nobody string // a hash for names that don't exist
}

type user struct {
	Name      string   `json:"name"`
	Hash      string   `json:"hash"` // bcrypt
	Publish   []string `json:"publish"`
	Subscribe []string `json:"subscribe"`
}

// LoadUsers reads a JSON list of users: name, bcrypt hash of the password, and
// the topic filters that they may publish and subscribe to.
func LoadUsers(file string) (*Users, error) {
	u := &Users{file: file, hashing: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))} // one processor stays free
	u.attempts.last = make(map[string]*rate.Limiter)
	u.current.Store(new(userList))
	_, err := u.Reload()
	return u, err
}

// Reload reads the file of LoadUsers again. From then on its topics apply, also to
// connected users. It returns the names of those who are no longer users or have
// another password. On an error nothing has changed.
func (u *Users) Reload() (revoked []string, err error) {
	list, err := readUsers(u.file)
	if err != nil {
		return nil, err
	}
	for name, before := range u.current.Swap(list).byName {
		if list.byName[name].Hash != before.Hash {
			revoked = append(revoked, name)
		}
	}
	return revoked, nil
}

func readUsers(file string) (*userList, error) {
	var list []user
	if err := ReadList(file, "users", &list); err != nil {
		return nil, err
	}
	u := &userList{byName: make(map[string]user)}
	for _, one := range list {
		if err := one.check(); err != nil {
			return nil, fmt.Errorf("%s: user %q: %w", file, one.Name, err)
		}
		if _, twice := u.byName[one.Name]; twice {
			return nil, fmt.Errorf("%s: there are two users %q", file, one.Name)
		}
		u.byName[one.Name] = one
		u.nobody = one.Hash
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s names no user: nobody could connect", file)
	}
	return u, nil
}

// ReadList reads a JSON list of what. It allows no unknown fields and nothing after the
// list, but a byte order mark before it.
func ReadList(file, what string, list any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	decoder.DisallowUnknownFields()
	if err = decoder.Decode(list); err == nil {
		if _, end := decoder.Token(); end == io.EOF {
			return nil
		}
		err = errors.New("there is more after the list")
	}
	return fmt.Errorf("%s is not a JSON list of %s: %w", file, what, err)
}

func (u user) check() error {
	if u.Name == "" {
		return errors.New("a name is missing")
	}
	if _, err := bcrypt.Cost([]byte(u.Hash)); err != nil {
		return fmt.Errorf("hash is not a bcrypt hash (make one with htpasswd -nB -C 10 NAME): %w", err)
	}
	for _, filter := range slices.Concat(u.Publish, u.Subscribe) {
		if !mqtt.IsValidFilter(filter, false) || mqtt.IsSharedFilter(filter) {
			return fmt.Errorf("%q is not a topic filter", filter)
		}
	}
	return nil
}

// Authenticate checks a user's name and password, and refuses when there were too many
// wrong ones before, for the name or from the remote address. It keeps a processor busy
// for as long as the bcrypt cost demands, also for a name that does not exist, and
// waits while too many others are checked.
func (u *Users) Authenticate(name string, password []byte, remote string) packets.Code {
	keys := []string{"name " + name}
	if from, err := netip.ParseAddrPort(remote); err != nil || !from.Addr().IsLoopback() { // which is a proxy's
		keys = append(keys, "address "+from.Addr().String())
	}
	if !u.attempts.allowed(keys) {
		return packets.ErrConnectionRateExceeded
	}
	u.hashing <- struct{}{}
	defer func() { <-u.hashing }()
	users := u.current.Load()
	one, known := users.byName[name]
	right := bcrypt.CompareHashAndPassword([]byte(cmp.Or(one.Hash, users.nobody)), password) == nil
	if right && known && u.current.Load().byName[name].Hash == one.Hash { // still, after all that time
		return packets.CodeSuccess
	}
	u.attempts.failed(keys)
	return packets.ErrBadUsernameOrPassword
}

// allow reports whether the user may publish to a topic, or subscribe to a filter.
func (u *Users) allow(name, filter string, write bool) bool {
	one := u.current.Load().byName[name]
	allowed := one.Subscribe
	if write {
		allowed = one.Publish
	}
	if parts := strings.SplitN(filter, "/", 3); len(parts) == 3 && mqtt.IsSharedFilter(filter) {
		filter = parts[2] // of $share/group/filter (4.8.2)
	}
	return slices.ContainsFunc(allowed, func(a string) bool { return covers(a, filter) })
}

// covers reports whether every topic that filter matches is one that allowed matches.
func covers(allowed, filter string) bool {
	if strings.HasPrefix(filter, "$") && !strings.HasPrefix(allowed, "$") {
		return false // [MQTT-4.7.2-1]
	}
	want, have := strings.Split(filter, "/"), strings.Split(allowed, "/")
	for i, level := range have {
		switch {
		case level == "#":
			return true
		case i == len(want), level == "+" && want[i] == "#", level != "+" && level != want[i]:
			return false
		}
	}
	return len(want) == len(have)
}

// admit decides who may connect.
func (p *policy) admit(cl *mqtt.Client, pk packets.Packet) packets.Code {
	c, name, most := connOf(cl), string(cl.Properties.Username), p.most.sessions
	if code := validateConnect(pk, c.will); code != packets.CodeSuccess {
		return code
	}
	if p.users != nil {
		code := p.users.Authenticate(name, pk.Connect.Password, cl.Net.Remote)
		if code == packets.ErrBadUsernameOrPassword {
			p.log.Warn("refused a client: wrong user name or password", "user", cut(name), "remote", cl.Net.Remote)
		}
		if code != packets.CodeSuccess {
			return code
		}
		most = min(most, p.most.userSessions)
		session := p.sessions.get(cl.ID) // only now: it may change owners while a password is checked
		if session != nil && p.users.current.Load().byName[session.user].Name == "" {
			p.expire(session)
			session = p.sessions.get(cl.ID)
		}
		if c.will != nil && !p.users.allow(name, c.will.TopicName, true) || session != nil && session.user != name {
			return packets.ErrNotAuthorized
		}
	}
	session := p.sessions.get(cl.ID)
	if session == nil && !p.room(name, p.most.sessions, most) || !p.roomForWill(c.will, session) {
		return packets.ErrQuotaExceeded
	}
	return packets.CodeSuccess
}

// attempts are wrong passwords, by address and by name. After passwordBurst of them,
// one is checked every passwordPause.
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
// a topic to deliver.
func (p *policy) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	if write && strings.HasPrefix(topic, "$") { // the broker's own (4.7.2)
		return false
	}
	return p.users == nil || p.users.allow(string(cl.Properties.Username), topic, write)
}

// cut shortens names that clients chose, for the log.
func cut(name string) string { return fmt.Sprintf("%.64s", name) }
