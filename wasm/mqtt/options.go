package mqtt

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/session"
	"mqttwasm/wasm/mqtt/internal/wire"
	"mqttwasm/wasm/wsconn"
)

// Defaults of [Options].
const (
	DefaultConnectTimeout     = 30 * time.Second
	DefaultReconnectMin       = time.Second
	DefaultReconnectMax       = 30 * time.Second
	DefaultKeepAlive          = 60 * time.Second
	DefaultReceiveMaximum     = 1024     // messages
	DefaultMaximumPacketSize  = 16 << 20 // bytes
	DefaultInboxLimit         = 32 << 20 // bytes
	DefaultQueueMessages      = 100_000
	DefaultQueueBytes         = 64 << 20
	DefaultSubscribeBatchSize = 8 // AWS IoT Core accepts no more
)

// KeepAliveOff is the Options.KeepAlive that turns the keep-alive off.
const KeepAliveOff time.Duration = -1

// Options say where and how to connect. Only URL is required; the zero value of
// any other field stands for its default, and nothing may be negative but KeepAliveOff.
// Durations that go into a packet are rounded up to whole seconds.
type Options struct {
	// URL is given to Dial.
	URL string
	// Servers are more URLs of the same broker. Attempts try one after the other,
	// without delay until all were tried, starting with the last one that worked.
	Servers []string
	// Prepare is called before each attempt, and may change it. It counts towards
	// ConnectTimeout. Its error fails the attempt, with Network if it is not an
	// [*Error].
	Prepare func(ctx context.Context, a *Attempt) error
	// Dial opens the connection, and must return when ctx is done; nil: a WebSocket, to a
	// ws: or wss: URL. A Write should be one frame. Its error counts as that of Prepare.
	Dial func(ctx context.Context, url string) (net.Conn, error)

	// ClientID is "mqttwasm_" and 16 random hexadecimal digits by default (3.1.3.1).
	ClientID string
	Username string // "": none (3.1.3.5)
	Password []byte // nil: none; at most 65,535 bytes (3.1.3.6)

	// KeepSession asks for the session of an earlier program with this ClientID:
	// Clean Start 0 (3.1.2.4). Later connections of a client always ask for its own.
	KeepSession bool
	// KeepAlive is how long the connection may be silent (3.1.2.10). A dead one is
	// noticed within 1.5 times that; over a WebSocket a slow one, on which what was sent
	// still leaves, is not dead. The broker may set its own.
	KeepAlive time.Duration
	// ConnectTimeout limits one attempt, from Prepare to CONNACK, and after that, once
	// more, making the subscriptions of a lost session again.
	ConnectTimeout time.Duration

	// Reconnect says whether to connect again after the connection was lost. The delay
	// is random, of at most ReconnectMin at first; that doubles with each failure up to
	// ReconnectMax (exponential back-off, full jitter), and is reset once a connection
	// has lasted 5 s.
	Reconnect    ReconnectPolicy
	ReconnectMin time.Duration
	ReconnectMax time.Duration
	// ForgetSubscriptions leaves the subscriptions of a lost session to the
	// caller. Otherwise they are made again.
	ForgetSubscriptions bool
	// SubscribeBatchSize is how many topic filters go into one SUBSCRIBE when
	// subscriptions are made again.
	SubscribeBatchSize int

	// SessionExpiry is how long the broker keeps the session after the connection ended
	// (3.1.2.11.2). 0 ends it with the connection; NeverExpires is the maximum.
	SessionExpiry time.Duration
	// ReceiveMaximum bounds the QoS 1 and 2 messages that the broker sends before they
	// are acknowledged (3.1.2.11.3). One that sends more breaks the protocol
	// [MQTT-3.3.4-9]. The default is not enforced so strictly: mosquitto 2.0 sends up
	// to twice as many when many were waiting.
	ReceiveMaximum uint16
	// MaximumPacketSize bounds the packets that the broker sends, in bytes (3.1.2.11.4). A
	// larger one ends the connection with PacketTooLarge [MQTT-3.1.2-24].
	MaximumPacketSize uint32
	// TopicAliasMaximum is how many topic aliases the broker may set; none by
	// default (3.1.2.11.5).
	TopicAliasMaximum uint16
	// RequestResponseInfo asks for Connack.ResponseInformation (3.1.2.11.6).
	RequestResponseInfo bool
	// RequestProblemInfo asks the broker for reason strings and user properties
	// with all packets, and not only with CONNACK, PUBLISH and DISCONNECT; nil: it
	// does (3.1.2.11.7).
	RequestProblemInfo *bool
	UserProperties     UserProperties // of CONNECT (3.1.2.11.8)
	// AuthMethod and AuthData are sent as they are (3.1.2.11.9), for a broker that
	// needs no more; a challenge of the broker is a Protocol error.
	AuthMethod string
	AuthData   []byte
	// Authenticator does enhanced authentication, instead of AuthMethod and AuthData;
	// nil: none.
	Authenticator Authenticator

	Will *Will // nil: none

	// Queue bounds what waits to be sent.
	Queue Queue
	// Republish sends QoS 1 and 2 messages in flight again when the broker has lost the
	// session, which may duplicate them. Otherwise their publish fails with
	// SessionLost. If the CONNACK that said so is itself lost, nothing tells the broker's
	// new session from the old one, and they are sent again in any case [MQTT-4.4.0-1].
	Republish bool
	// Store keeps the session beyond the end of the program: the queue, what is in
	// flight, and which QoS 2 messages were received. It needs a ClientID, KeepSession
	// and SessionExpiry. The client owns and closes it.
	Store Store
	// AutoTopicAlias sends topic aliases, as many as the broker accepts, instead of
	// topics that it has sent before on the connection (3.3.2.3.4).
	AutoTopicAlias bool

	// InboxLimit is how many bytes of memory received messages may take while they
	// wait. Beyond it those of QoS 0 are dropped, the oldest first; and when the broker
	// has lost the session, those of QoS 1 and 2 that it had sent in it. Client.Dropped
	// counts them.
	InboxLimit int
	// OnMessage is called for each message without a matching Subscription.Handler, one
	// after the other, on one goroutine, which also calls the handlers. A message is
	// acknowledged after the call. With OnMessage, and from the first Handler on,
	// Receive and Messages can't be used.
	OnMessage func(Message)

	// OnEvent is called with what happens to the connection, one event after the other,
	// on a goroutine of its own. It may block, and may call the client.
	OnEvent func(Event)

	// OnPacket is called with every packet that is read or written, in order in each
	// direction; also with malformed ones, once they are whole. The goroutines that
	// read and write call it, so it must neither block nor call the client. CONNECT
	// contains the password.
	OnPacket func(Packet)

	receiveLimit  int    // messages; more are a violation
	keepAlive     uint16 // seconds
	sessionExpiry uint32 // seconds
}

// ReconnectPolicy says when a client connects again after its connection was lost.
type ReconnectPolicy byte

// The policies of Options.Reconnect.
const (
	// ReconnectUnlessRefused gives up when the broker refuses for a reason that will
	// not go away, such as bad credentials. That ends the client.
	ReconnectUnlessRefused ReconnectPolicy = iota
	ReconnectAlways
	ReconnectNever // the client ends with its first connection
)

// Queue bounds what waits to be sent: for a connection, a slow link, or acknowledgements
// where the broker's Receive Maximum is used up.
type Queue struct {
	Offline  OfflinePolicy
	Messages int
	Bytes    int // of whole packets
	Policy   QueuePolicy
}

// OfflinePolicy says what may wait while there is no connection.
type OfflinePolicy byte

// The policies of Queue.Offline.
const (
	OfflineNothing OfflinePolicy = iota // publishing fails with NotConnected
	OfflineQoS12                        // messages of QoS 1 and 2, and subscriptions
	OfflineAll
)

// QueuePolicy says what happens to a message for which the queue has no room.
type QueuePolicy byte

// The policies of a [Queue].
const (
	Reject     QueuePolicy = iota // its publish fails with QueueFull, as always if it alone is larger than the queue
	DropOldest                    // those that waited longest fail with Dropped
	DropNewest                    // it fails with Dropped
)

// Will is the message that the broker publishes when the client is gone without
// a DISCONNECT of reason code 0 (3.1.2.5).
type Will struct {
	Message               // its payload is at most 65,535 bytes
	Delay   time.Duration // whole seconds (3.1.3.2.2)
}

// prepare validates and fills in the defaults.
func (o *Options) prepare() error {
	if o.URL == "" {
		return wire.Invalid("url", "is missing")
	}
	if err := cmp.Or(
		wire.CheckText("clientId", o.ClientID), checkCredentials(o.Username, o.Password), o.checkAuth(), o.checkWill(),
		o.UserProperties.validate("properties.userProperties"), o.checkStore(), o.checkSigns(), o.checkTimes(),
	); err != nil {
		return err
	}
	if o.Queue.Policy > DropNewest {
		return wire.Invalid("queue.policy", "is %d; use Reject, DropOldest or DropNewest", o.Queue.Policy)
	}
	if o.Dial == nil {
		o.Dial = func(ctx context.Context, url string) (net.Conn, error) {
			return wsconn.Dial(ctx, url, wsconn.Options{})
		}
	}
	o.Queue.Messages = cmp.Or(o.Queue.Messages, DefaultQueueMessages)
	o.Queue.Bytes = cmp.Or(o.Queue.Bytes, DefaultQueueBytes)
	o.receiveLimit = cmp.Or(int(o.ReceiveMaximum), 4*DefaultReceiveMaximum)
	o.ReceiveMaximum = cmp.Or(o.ReceiveMaximum, DefaultReceiveMaximum)
	o.MaximumPacketSize = cmp.Or(o.MaximumPacketSize, DefaultMaximumPacketSize)
	o.InboxLimit = cmp.Or(o.InboxLimit, DefaultInboxLimit)
	o.SubscribeBatchSize = cmp.Or(o.SubscribeBatchSize, DefaultSubscribeBatchSize)
	if o.ClientID == "" {
		o.ClientID = fmt.Sprintf("mqttwasm_%016x", rand.Uint64())
	}
	if o.OnEvent == nil {
		o.OnEvent = func(Event) {}
	}
	return nil
}

func checkCredentials(username string, password []byte) error {
	if len(password) > wire.MaxString {
		return wire.Invalid("password", "has %d bytes; at most 65,535 fit into a packet", len(password))
	}
	return wire.CheckText("username", username)
}

func (o *Options) checkAuth() error {
	method := o.AuthMethod
	switch {
	case o.Authenticator == nil && method == "" && o.AuthData != nil: // 3.1.2.11.10
		return wire.Invalid("properties.authenticationData", "needs properties.authenticationMethod")
	case o.Authenticator == nil:
		return wire.CheckText("properties.authenticationMethod", method)
	case method != "" || o.AuthData != nil:
		return wire.Invalid("properties.authenticationMethod", "and authenticationData come from the authenticator; leave them unset")
	}
	if method = o.Authenticator.Method(); method == "" {
		return wire.Invalid("authenticate", "names no authentication method")
	}
	return wire.CheckText("authenticate", method)
}

func (o *Options) checkWill() error {
	w := o.Will
	switch {
	case w == nil:
		return nil
	case w.Properties.TopicAlias != nil: // 3.1.3.2
		return wire.Invalid("will.properties.topicAlias", "must not be set: a will has no topic alias")
	case len(w.Payload) > wire.MaxString: // 3.1.3.4: binary data
		return wire.Invalid("will.payload", "has %d bytes; a will holds at most 65,535", len(w.Payload))
	}
	_, err := seconds("will.properties.willDelayInterval", w.Delay)
	return cmp.Or(err, w.validate("will."))
}

func (o *Options) checkStore() error {
	switch {
	case o.Store == nil:
	case o.ClientID == "":
		return wire.Invalid("clientId", "is missing; a durable session belongs to a client identifier")
	case !o.KeepSession:
		return wire.Invalid("clean", "must be false with a durable store")
	case o.SessionExpiry == 0:
		return wire.Invalid("properties.sessionExpiryInterval", "must not be 0 with a durable store")
	}
	return nil
}

func (o *Options) checkSigns() error {
	return cmp.Or(
		checkSign("connectTimeout", o.ConnectTimeout), checkSign("reconnectPeriod", o.ReconnectMin), checkSign("maxReconnectPeriod", o.ReconnectMax),
		checkSign("subscribeBatchSize", o.SubscribeBatchSize), checkSign("inboxLimit", o.InboxLimit),
		checkSign("queue.messages", o.Queue.Messages), checkSign("queue.bytes", o.Queue.Bytes),
	)
}

func checkSign[T int | time.Duration](field string, value T) error {
	if value < 0 {
		return wire.Invalid(field, "is negative")
	}
	return nil
}

func (o *Options) checkTimes() (err error) {
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, DefaultConnectTimeout)
	o.ReconnectMin = cmp.Or(o.ReconnectMin, DefaultReconnectMin)
	o.ReconnectMax = cmp.Or(o.ReconnectMax, max(DefaultReconnectMax, o.ReconnectMin))
	o.KeepAlive = cmp.Or(o.KeepAlive, DefaultKeepAlive)
	if o.KeepAlive != KeepAliveOff {
		n, err := seconds("keepalive", o.KeepAlive)
		if err != nil || n > 65535 {
			return wire.Invalid("keepalive", "is %v; at most 65,535 s are allowed", o.KeepAlive)
		}
		o.keepAlive = uint16(n)
	}
	o.sessionExpiry, err = seconds("properties.sessionExpiryInterval", o.SessionExpiry)
	return err
}

// connect encodes CONNECT (3.1).
func (o *Options) connect(a *Attempt, clean bool, auth []byte) []byte {
	p := &packets.Properties{
		ReceiveMaximum: &o.ReceiveMaximum, MaximumPacketSize: &o.MaximumPacketSize,
		User: o.UserProperties, AuthMethod: o.AuthMethod, AuthData: o.AuthData,
	}
	if o.Authenticator != nil {
		p.AuthMethod, p.AuthData = o.Authenticator.Method(), auth
	}
	if o.sessionExpiry > 0 {
		p.SessionExpiryInterval = &o.sessionExpiry
	}
	if o.TopicAliasMaximum > 0 {
		p.TopicAliasMaximum = &o.TopicAliasMaximum
	}
	if o.RequestResponseInfo {
		p.RequestResponseInfo = new(byte(1))
	}
	if o.RequestProblemInfo != nil && !*o.RequestProblemInfo {
		p.RequestProblemInfo = new(byte(0))
	}
	c := &packets.Connect{
		ClientID: o.ClientID, KeepAlive: o.keepAlive, CleanStart: clean, Properties: p,
		UsernameFlag: a.Username != "", Username: a.Username, PasswordFlag: a.Password != nil, Password: a.Password,
	}
	if w := o.Will; w != nil {
		c.WillFlag, c.WillTopic, c.WillMessage, c.WillQOS, c.WillRetain = true, w.Topic, w.Payload, w.QoS, w.Retain
		if c.WillProperties = w.Properties.packet(); c.WillProperties == nil {
			c.WillProperties = &packets.Properties{}
		}
		if delay, _ := seconds("", w.Delay); delay > 0 {
			c.WillProperties.WillDelayInterval = &delay
		}
	}
	return wire.EncodeConnect(c)
}

// Store keeps a session beyond the end of the program (4.1): keys and values, in the
// order of the keys. One client uses it at a time. Its errors are wrapped in an
// [*Error] with Storage, unless they are one.
type Store interface {
	// Load returns all records in the order of their keys. It is called first,
	// once, and may block until ctx is done. An error fails Connect.
	Load(ctx context.Context) ([]Record, error)
	// Apply makes changes, all or nothing, and returns at once; a nil Value
	// deletes. Calls take effect in their order. done is called in that order
	// too, after Apply returned and from any goroutine, when the changes will
	// survive the program, or with the error for which they don't. The slices
	// may be kept.
	Apply(changes []Record, done func(error))
	// Close is called once, at the end of the client, also if Connect fails. It may
	// wait until all changes are done.
	Close() error
}

// Record is one entry of a [Store]: its Key, a string of lower-case letters and digits,
// and its Value, a []byte that only the client interprets.
type Record = session.Record
