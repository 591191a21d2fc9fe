package mqtt

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/eclipse/paho.golang/paho"
)

// Defaults of [Options].
const (
	DefaultConnectTimeout    = 30 * time.Second
	DefaultReconnectMin      = time.Second
	DefaultReconnectMax      = 30 * time.Second
	DefaultKeepAlive         = 60       // seconds
	DefaultReceiveMaximum    = 1024     // messages
	DefaultMaximumPacketSize = 16 << 20 // bytes
	DefaultInboxLimit        = 32 << 20 // bytes
	DefaultQueueMessages     = 100_000
	DefaultQueueBytes        = 64 << 20
)

// Options say where and how to connect. URL and Dial are required; the zero
// value of any other field stands for its default.
type Options struct {
	// URL is given to Dial.
	URL string
	// Servers are more URLs of the same broker. Attempts take one after the
	// other, without delay until all were tried, and begin with the last that
	// worked.
	Servers []string
	// Prepare is called before each attempt, and may change what it is given. It
	// counts towards ConnectTimeout. Its error fails the attempt, with Network if
	// it is not an [*Error].
	Prepare func(ctx context.Context, a *Attempt) error
	// Dial opens the connection, and must return when ctx is done. A conn that is
	// a sync.Locker gets whole packets between Lock and Unlock. Its error fails
	// the attempt, with Network if it is not an [*Error].
	Dial func(ctx context.Context, url string) (net.Conn, error)

	// ClientID is "mqttwasm_" and 16 random hexadecimal digits by default (3.1.3.1).
	ClientID string
	Username string // "": none (3.1.3.5)
	Password []byte // nil: none; at most 65,535 bytes (3.1.3.6)

	// KeepSession asks for the session of an earlier connection: Clean Start 0
	// (3.1.2.4). Later connections of a client always ask for its own.
	KeepSession bool
	// KeepAlive is in seconds; NoKeepAlive turns it off (3.1.2.10). A dead
	// connection is noticed within 1.5 times that. The broker may set its own.
	KeepAlive   uint16
	NoKeepAlive bool
	// ConnectTimeout limits one attempt, from Prepare to CONNACK.
	ConnectTimeout time.Duration

	// NoReconnect ends the client with its first connection. Otherwise it
	// connects again after a random time of at most ReconnectMin, which doubles
	// with each failure up to ReconnectMax (exponential back-off, full jitter).
	NoReconnect  bool
	ReconnectMin time.Duration
	ReconnectMax time.Duration
	// RetryRefused goes on also after a refusal that trying again can't mend,
	// such as bad credentials. Otherwise that ends the client.
	RetryRefused bool
	// NoResubscribe leaves subscriptions of a lost session to the caller.
	NoResubscribe bool

	// SessionExpiry is how long the broker keeps the session after the
	// connection ended, in seconds (3.1.2.11.2). 0 ends it with the connection.
	SessionExpiry uint32
	// ReceiveMaximum bounds the QoS 1 and 2 messages that the broker sends before
	// they are acknowledged (3.1.2.11.3). One that sends more breaks the protocol
	// [MQTT-3.3.4-9]. For the default there is leave: mosquitto 2.0 sends up to
	// twice as many when many were waiting.
	ReceiveMaximum uint16
	// MaximumPacketSize bounds the packets that the broker sends, in bytes
	// (3.1.2.11.4). A larger one ends the connection with PacketTooLarge
	// [MQTT-3.1.2-24].
	MaximumPacketSize uint32
	// TopicAliasMaximum is how many topic aliases the broker may set; none by
	// default (3.1.2.11.5).
	TopicAliasMaximum uint16
	// RequestResponseInfo asks for Connack.ResponseInformation (3.1.2.11.6).
	RequestResponseInfo bool
	// NoProblemInfo asks the broker to send reason strings and user properties
	// only with CONNACK, PUBLISH and DISCONNECT (3.1.2.11.7).
	NoProblemInfo  bool
	UserProperties UserProperties // of CONNECT (3.1.2.11.8)
	// AuthMethod and AuthData are sent as they are (3.1.2.11.9), for a broker that
	// needs no more; one that asks on is a Protocol error.
	AuthMethod string
	AuthData   []byte
	// Authenticator does enhanced authentication, in place of AuthMethod and
	// AuthData; nil: none.
	Authenticator Authenticator

	Will *Will // nil: none

	// Queue bounds what waits to be sent.
	Queue Queue
	// Republish sends QoS 1 and 2 messages in flight again when the broker has
	// forgotten the session, which may double them. Otherwise their publish
	// fails with SessionLost.
	Republish bool
	// Store keeps the session beyond the end of the program: the queue, what is
	// in flight, and which QoS 2 messages were received. It needs a ClientID,
	// KeepSession and SessionExpiry, and Connect takes it over and closes it.
	Store Store
	// AutoTopicAlias sends topic aliases, as many as the broker takes, in place
	// of topics it has seen on the connection (3.3.2.3.4).
	AutoTopicAlias bool

	// InboxLimit is how many bytes of messages may wait to be received before
	// those of QoS 0 are dropped, the oldest first.
	InboxLimit int

	// OnEvent is told what happens to the connection, one event after the
	// other, on a goroutine of its own. It may block, and may call the client.
	OnEvent func(Event)

	// OnPacket is told of every packet that is read or written, in the order of
	// each direction; also of those that break the rules, once they are whole. It
	// is called by the goroutines that read and write, so it must not block, nor
	// call the client. CONNECT has the password in it.
	OnPacket func(Packet)

	receiveLimit int // messages, from where on ReceiveMaximum counts as broken
}

// Queue bounds what waits to be sent because the broker's Receive Maximum is
// used up, the link is slow, or there is no connection.
type Queue struct {
	// Offline takes messages also while there is no connection. Otherwise
	// publishing then fails with NotConnected.
	Offline bool
	// OfflineNoQoS0 leaves QoS 0 messages out of that.
	OfflineNoQoS0 bool
	Messages      int
	Bytes         int // of whole packets
	Policy        QueuePolicy
}

// QueuePolicy says what happens to a message for which the queue has no room.
type QueuePolicy byte

// The policies of a [Queue].
const (
	Reject     QueuePolicy = iota // its publish fails with QueueFull
	DropOldest                    // the ones that waited longest fail with Dropped
	DropNewest                    // it fails with Dropped
)

// Will is the message that the broker publishes when the client is gone without
// a DISCONNECT of reason code 0 (3.1.2.5).
type Will struct {
	Message         // its payload is at most 65,535 bytes
	Delay   *uint32 // seconds; nil: at once (3.1.3.2.2)
}

// check validates and fills in the defaults.
func (o *Options) check() error {
	switch {
	case o.URL == "":
		return badOption("url", "is missing")
	case o.Dial == nil:
		return badOption("dial", "is missing")
	}
	for _, s := range []struct{ field, text string }{
		{"clientId", o.ClientID}, {"properties.authenticationMethod", o.AuthMethod},
	} {
		if err := checkText(s.field, s.text); err != nil {
			return err
		}
	}
	if err := checkCredentials(o.Username, o.Password); err != nil {
		return err
	}
	if o.AuthMethod == "" && o.AuthData != nil { // 3.1.2.11.10
		return badOption("properties.authenticationData", "needs properties.authenticationMethod")
	}
	if err := o.checkAuthenticator(); err != nil {
		return err
	}
	if err := checkUserProperties("properties.userProperties", o.UserProperties); err != nil {
		return err
	}
	if w := o.Will; w != nil {
		if err := checkMessage("will.", &w.Message); err != nil {
			return err
		}
		if len(w.Payload) > maxString { // 3.1.3.4: binary data
			return badOption("will.payload", "has %d bytes; a will holds at most 65,535", len(w.Payload))
		}
	}
	if o.Queue.Policy > DropNewest {
		return badOption("queue.policy", "is %d, not one of the three policies", o.Queue.Policy)
	}
	if o.Store != nil {
		switch {
		case o.ClientID == "":
			return badOption("clientId", "is missing; a durable session belongs to a client identifier")
		case !o.KeepSession:
			return badOption("clean", "must be false with a durable store")
		case o.SessionExpiry == 0:
			return badOption("properties.sessionExpiryInterval", "must not be 0 with a durable store")
		}
	}
	setDefault(&o.Queue.Messages, DefaultQueueMessages)
	setDefault(&o.Queue.Bytes, DefaultQueueBytes)
	setDefault(&o.KeepAlive, DefaultKeepAlive)
	if o.NoKeepAlive {
		o.KeepAlive = 0
	}
	setDefault(&o.ConnectTimeout, DefaultConnectTimeout)
	setDefault(&o.ReconnectMin, DefaultReconnectMin)
	setDefault(&o.ReconnectMax, max(DefaultReconnectMax, o.ReconnectMin))
	o.receiveLimit = int(o.ReceiveMaximum)
	setDefault(&o.receiveLimit, 4*DefaultReceiveMaximum)
	setDefault(&o.ReceiveMaximum, DefaultReceiveMaximum)
	setDefault(&o.MaximumPacketSize, DefaultMaximumPacketSize)
	setDefault(&o.InboxLimit, DefaultInboxLimit)
	if o.ClientID == "" {
		o.ClientID = fmt.Sprintf("mqttwasm_%016x", rand.Uint64())
	}
	if o.OnEvent == nil {
		o.OnEvent = func(Event) {}
	}
	return nil
}

func checkCredentials(username string, password []byte) error {
	if len(password) > maxString {
		return badOption("password", "has %d bytes; at most 65,535 fit into a packet", len(password))
	}
	return checkText("username", username)
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// checkMessage checks a message to publish. prefix names where it stands.
func checkMessage(prefix string, m *Message) error {
	if err := checkTopicName(prefix+"topic", m.Topic); err != nil {
		return err
	}
	if m.QoS > 2 {
		return badOption(prefix+"qos", "is %d, not 0, 1 or 2", m.QoS)
	}
	p := &m.Properties
	if p.PayloadFormat != nil && *p.PayloadFormat > 1 {
		return badOption(prefix+"properties.payloadFormatIndicator", "is %d, not 0 or 1", *p.PayloadFormat)
	}
	if p.TopicAlias != nil && *p.TopicAlias == 0 {
		return badOption(prefix+"properties.topicAlias", "is 0; aliases start at 1 [MQTT-3.3.2-8]")
	}
	if p.ResponseTopic != "" {
		if err := checkTopicName(prefix+"properties.responseTopic", p.ResponseTopic); err != nil {
			return err
		}
	}
	if len(p.CorrelationData) > maxString {
		return badOption(prefix+"properties.correlationData", "has %d bytes; at most 65,535 fit into a packet", len(p.CorrelationData))
	}
	if err := checkText(prefix+"properties.contentType", p.ContentType); err != nil {
		return err
	}
	return checkUserProperties(prefix+"properties.userProperties", p.User)
}

func checkUserProperties(field string, user UserProperties) error {
	for _, u := range user {
		if err := checkText(field, u.Key); err != nil {
			return err
		}
		if err := checkText(field, u.Value); err != nil {
			return err
		}
	}
	return nil
}

// connectPacket makes CONNECT, but for the will and the authentication.
func (o *Options) connectPacket(a *Attempt, clientID string, clean bool) *paho.Connect {
	cp := &paho.Connect{
		ClientID:   clientID,
		KeepAlive:  o.KeepAlive,
		CleanStart: clean,
		Properties: &paho.ConnectProperties{
			ReceiveMaximum:      &o.ReceiveMaximum,
			MaximumPacketSize:   &o.MaximumPacketSize,
			RequestProblemInfo:  !o.NoProblemInfo,
			RequestResponseInfo: o.RequestResponseInfo,
			User:                o.UserProperties,
		},
	}
	if o.SessionExpiry > 0 {
		cp.Properties.SessionExpiryInterval = &o.SessionExpiry
	}
	if o.TopicAliasMaximum > 0 {
		cp.Properties.TopicAliasMaximum = &o.TopicAliasMaximum
	}
	if a.Username != "" {
		cp.UsernameFlag, cp.Username = true, a.Username
	}
	if a.Password != nil {
		cp.PasswordFlag, cp.Password = true, a.Password
	}
	return cp
}
