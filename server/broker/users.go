package broker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	mqtt "github.com/mochi-mqtt/server/v2"
	"golang.org/x/crypto/bcrypt"
)

// Users are those who may use a broker, and what for.
type Users struct {
	file    string
	current atomic.Pointer[userList]
	// hashing bounds the passwords compared at the same time: each takes a
	// processor's whole attention, and a stranger may ask for it.
	hashing chan struct{}
}

type userList struct {
	byName map[string]user
	nobody []byte // a hash for names that don't exist
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
	u.current.Store(new(userList))
	_, err := u.Reload()
	return u, err
}

// Reload reads the file of LoadUsers again. From then on its topics count, for those
// who are connected too. It returns the names of those who are no longer users or have
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
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []user
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&list); err != nil {
		return nil, fmt.Errorf("%s is not a JSON list of users: %w", file, err)
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
		u.nobody = []byte(one.Hash)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s names no user: nobody could connect", file)
	}
	return u, nil
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

// Authenticate reports whether there is such a user and the password is theirs. It takes
// a processor for as long as the cost of the bcrypt hash asks for, no less for a name that
// does not exist, and waits while too many others are checked.
func (u *Users) Authenticate(name string, password []byte) bool {
	u.hashing <- struct{}{}
	defer func() { <-u.hashing }()
	users := u.current.Load()
	one, known := users.byName[name]
	hash := users.nobody
	if known {
		hash = []byte(one.Hash)
	}
	right := bcrypt.CompareHashAndPassword(hash, password) == nil
	return right && known && u.current.Load().byName[name].Hash == one.Hash // still, after all that time
}

// allow reports whether the user may publish to a topic, or subscribe to a filter.
func (u *Users) allow(name, filter string, write bool) bool {
	one := u.current.Load().byName[name]
	allowed := one.Subscribe
	if write {
		allowed = one.Publish
	}
	if mqtt.IsSharedFilter(filter) { // $share/group/filter (4.8.2)
		if parts := strings.SplitN(filter, "/", 3); len(parts) == 3 {
			filter = parts[2]
		}
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
