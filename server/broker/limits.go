package broker

import (
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
)

// The limits, since mochi has none by default. A client learns those that
// concern it from CONNACK.
const (
	// Connected clients; more get 0x89 Server busy.
	maxClients = 2500
	// Open connections. One more takes the place of one that has not sent CONNECT
	// yet; where there is none, it is closed.
	maxConnections = maxClients + 500
	// Sessions, connected or not; a new one beyond that gets 0x97 Quota exceeded.
	maxSessions = 10_000
	// Retained messages; a new topic beyond that gets 0x97.
	maxRetained = 50_000
	// Bytes of one packet [MQTT-3.2.2-15].
	maxPacketSize = 4 << 20
	// QoS 1 and 2 messages a client may have unacknowledged (3.2.2.3.3).
	receiveMaximum = 1024
	// QoS 1 and 2 messages kept for one session. A connected client that reaches
	// it gets 0x97; while the session is full, further messages are dropped.
	maxInflight = 8192
	// Messages waiting to be written to one client. Further ones of QoS 0 are
	// dropped; for one of QoS 1 or 2 the client gets 0x97.
	maxPending = 8192
	// Levels of a topic or a topic filter: 0x90 or 0x8F for more.
	maxLevels = 128
	// Bytes of a topic, a topic filter, or a client identifier: 0x90, 0x8F or 0x85 for more.
	maxName = 16_000
	// Topic aliases a client may define (3.2.2.3.8).
	topicAliasMaximum = 64
	// A disconnected session is kept no longer (3.2.2.3.2).
	maxSessionExpiry = 7 * 24 * time.Hour
	// An MQTT 5 client that asks for more, or for none, gets this (3.2.2.3.14).
	maxKeepAlive = 5 * time.Minute

	// Bytes that wait to be sent to one client. While there are more, messages of
	// QoS 0 are dropped, and those of QoS 1 and 2 stay in its session.
	maxUnsent = 8 << 20
	// The same for all clients together: over it none may have more than its share.
	maxAllUnsent = 64 << 20
	// Bytes that are sent at a time, within stallTimeout.
	sendSize = 64 << 10
	// A client that has not taken anything for so long is closed.
	stallTimeout = 20 * time.Second

	// From the connection's start to a whole CONNECT.
	connectTimeout = 10 * time.Second
	// From our closing of a connection to the peer's.
	closeTimeout = time.Second
)

// quotas are what tests set lower.
type quotas struct{ connections, sessions, retained, inflight, unsent int }

func capabilities(most quotas) *mqtt.Capabilities {
	c := mqtt.NewDefaultServerCapabilities()
	c.MaximumClients = maxClients
	c.MaximumPacketSize = maxPacketSize
	c.ReceiveMaximum = receiveMaximum
	c.MaximumInflight = uint16(most.inflight)
	c.MaximumClientWritesPending = maxPending
	c.TopicAliasMaximum = topicAliasMaximum
	c.MaximumSessionExpiryInterval = uint32(maxSessionExpiry / time.Second)
	// Any other value is added to every message as its expiry, against [MQTT-3.3.2-6].
	c.MaximumMessageExpiryInterval = 0
	// An acknowledgement's user properties are the broker's own, not the publisher's (3.4.2.2.3).
	c.Compatibilities.NoInheritedPropertiesOnAck = true
	return c
}
