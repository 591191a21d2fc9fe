package broker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"golang.org/x/crypto/bcrypt"
)

func loadUsers(t *testing.T, list string) (*Users, error) {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("pencil"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "users.json")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(list, "HASH", string(hash))), 0o600); err != nil {
		t.Fatal(err)
	}
	return LoadUsers(file)
}

func TestUsers(t *testing.T) {
	users, err := loadUsers(t, "\ufeff"+`[
		{"name": "alice", "hash": "HASH", "publish": ["a/#"], "subscribe": ["a/+/b", "c"]},
		{"name": "bob", "hash": "HASH", "publish": ["#"], "subscribe": ["#"]}]`)
	if err != nil {
		t.Fatal(err)
	}
	b := start(t, Options{Users: users})
	as := func(name, password string) func(*packets.Connect) {
		return func(c *packets.Connect) {
			c.ClientID = "of-" + name
			c.UsernameFlag, c.Username = true, name
			c.PasswordFlag, c.Password = true, []byte(password)
			c.Properties.SessionExpiryInterval = ptr(uint32(60))
		}
	}
	will := func(topic string) func(*packets.Connect) {
		return func(c *packets.Connect) {
			as("alice", "pencil")(c)
			c.WillFlag, c.WillTopic, c.WillMessage = true, topic, []byte("gone")
		}
	}
	alice := connect(t, dialTCP(t, b), as("alice", "pencil"))
	bob := connect(t, dialWebSocket(t, b), as("bob", "pencil"))

	for _, test := range []struct {
		name    string
		options func(*packets.Connect)
		want    byte
	}{
		{"nobody", nil, packets.ConnackBadUsernameOrPassword},
		{"wrong password", as("alice", "pen"), packets.ConnackBadUsernameOrPassword},
		{"unknown user", as("mallory", "pencil"), packets.ConnackBadUsernameOrPassword},
		{"will to a foreign topic", will("b"), packets.ConnackNotAuthorized},
		{"session of somebody else", func(c *packets.Connect) {
			as("bob", "pencil")(c)
			c.ClientID = "of-alice"
		}, packets.ConnackNotAuthorized},
	} {
		cp := packets.NewControlPacket(packets.CONNECT)
		if test.options != nil {
			test.options(cp.Content.(*packets.Connect))
		}
		stranger := &peer{t: t, conn: dialTCP(t, b)}
		stranger.send(cp)
		if got := expect[packets.Connack](stranger).ReasonCode; got != test.want {
			t.Errorf("%s: CONNACK reason %#x, want %#x", test.name, got, test.want)
		}
		stranger.expectEnd()
	}

	for filter, want := range map[string]byte{
		"c": 0, "a/x/b": 0, "a/+/b": 0, "$share/g/c": 0,
		"a/#": packets.SubackNotauthorized, "#": packets.SubackNotauthorized, "$share/g/d": packets.SubackNotauthorized,
	} {
		cp := packets.NewControlPacket(packets.SUBSCRIBE)
		cp.Content.(*packets.Subscribe).PacketID = 1
		cp.Content.(*packets.Subscribe).Subscriptions = []packets.SubOptions{{Topic: filter}}
		alice.send(cp)
		if got := expect[packets.Suback](alice).Reasons[0]; got != want {
			t.Errorf("subscribing to %s: reason %#x, want %#x", filter, got, want)
		}
	}
	for topic, want := range map[string]byte{"a/x": 0, "b": packets.PubackNotAuthorized} {
		alice.publish(1, 1, false, topic, "hello")
		if got := expect[packets.Puback](alice).ReasonCode; got != want && got != packets.PubackNoMatchingSubscribers {
			t.Errorf("publishing to %s: reason %#x, want %#x", topic, got, want)
		}
	}
	// [MQTT-4.7.2-1]: permission for # does not cover topics that begin with $.
	cp := packets.NewControlPacket(packets.SUBSCRIBE)
	cp.Content.(*packets.Subscribe).PacketID = 1
	cp.Content.(*packets.Subscribe).Subscriptions = []packets.SubOptions{{Topic: "$SYS/#"}}
	bob.send(cp)
	if got := expect[packets.Suback](bob).Reasons[0]; got != packets.SubackNotauthorized {
		t.Errorf("subscribing to $SYS/#: reason %#x", got)
	}
}

// A stored session without a user, from before users were configured, does not get in the
// way.
func TestSessionFromBeforeUsers(t *testing.T) {
	dir := t.TempDir()
	lasting := func(c *packets.Connect) {
		c.ClientID, c.CleanStart = "sensor", false
		c.Properties.SessionExpiryInterval = ptr(uint32(60))
	}
	before := start(t, Options{DataDir: dir})
	p := connect(t, dialTCP(t, before), lasting)
	p.subscribe("a", 1)
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	users, err := loadUsers(t, `[{"name": "alice", "hash": "HASH", "subscribe": ["a"]}]`)
	if err != nil {
		t.Fatal(err)
	}
	b := start(t, Options{DataDir: dir, Users: users})
	alice := connect(t, dialTCP(t, b), func(c *packets.Connect) {
		lasting(c)
		c.UsernameFlag, c.Username = true, "alice"
		c.PasswordFlag, c.Password = true, []byte("pencil")
	})
	if alice.connack.SessionPresent || len(b.server.Topics.Subscribers("a").Subscriptions) > 0 {
		t.Error("she got a session that is not hers")
	}
}

func TestUsersFileErrors(t *testing.T) {
	for _, test := range []struct{ list, want string }{
		{`{}`, "not a JSON list"},
		{`[]`, "no user"},
		{`[{"name": "a", "hash": "HASH"}] [{"name": "b", "hash": "HASH"}]`, "after the list"},
		{`[{"name": "a", "hash": "HASH"}]]`, "after the list"},
		{`[{"hash": "HASH"}]`, "name is missing"},
		{`[{"name": "a", "hash": "pencil"}]`, "htpasswd"},
		{`[{"name": "a", "hash": "HASH", "publish": ["a/#/b"]}]`, "not a topic filter"},
		{`[{"name": "a", "hash": "HASH", "passwort": "x"}]`, "passwort"},
		{`[{"name": "a", "hash": "HASH"}, {"name": "a", "hash": "HASH"}]`, "two users"},
	} {
		if _, err := loadUsers(t, test.list); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want a message about %q", test.list, err, test.want)
		}
	}
}

func TestCovers(t *testing.T) {
	for _, test := range []struct {
		allowed, filter string
		want            bool
	}{
		{"#", "a", true}, {"#", "#", true}, {"#", "+/a", true}, {"#", "$SYS/a", false}, {"+/a", "$SYS/a", false},
		{"a/#", "a", true}, {"a/#", "a/b/c", true}, {"a/#", "a/#", true}, {"a/#", "#", false}, {"a/#", "ab", false},
		{"a/+", "a/b", true}, {"a/+", "a/+", true}, {"a/+", "a/#", false}, {"a/+", "a", false}, {"a/+", "a/b/c", false},
		{"a", "a", true}, {"a", "+", false}, {"a", "a/b", false}, {"a/b", "a", false},
		{"$SYS/#", "$SYS/a", true}, {"$SYS/#", "#", false},
	} {
		if got := covers(test.allowed, test.filter); got != test.want {
			t.Errorf("covers(%q, %q) = %v", test.allowed, test.filter, got)
		}
	}
}

// A packet that is malformed is so before its topic is one that its sender may not use.
func TestMalformedBeforeRefused(t *testing.T) {
	users, err := loadUsers(t, `[{"name": "alice", "hash": "HASH", "publish": ["a"], "subscribe": ["a"]}]`)
	if err != nil {
		t.Fatal(err)
	}
	alice := connect(t, dialTCP(t, start(t, Options{Users: users})), func(c *packets.Connect) {
		c.UsernameFlag, c.Username = true, "alice"
		c.PasswordFlag, c.Password = true, []byte("pencil")
	})
	alice.publish(0, 1, false, "secret", "x") // without an identifier [MQTT-2.2.1-3]
	if got := expect[packets.Disconnect](alice).ReasonCode; got != packets.DisconnectProtocolError {
		t.Errorf("DISCONNECT reason %#x", got)
	}
}
