package broker

import (
	"math"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// The limits, since mochi has none by default. CONNACK announces those that concern
// clients.

// quotas are the limits that tests set lower.
type quotas struct {
	connections     int // open; one more replaces one that has not sent CONNECT, or is closed
	sessions        int // connected or not; the one that was disconnected for longest is dropped; if none is, 0x97
	userSessions    int // of one user, to the same effect
	retained        int // messages; more get 0x97
	retainedBytes   int // of these messages, to the same effect
	inflight        int // QoS 1 and 2 messages kept for one session: 0x97 for its client, then further ones are dropped
	sessionBytes    int // of these messages and the will, to the same effect
	allSessionBytes int // in all sessions: further messages of QoS 1 and 2 get 0x97, as further wills do beyond a quarter
	subscriptions   int // of one client; more get 0x97
	// unsent is how many bytes may wait to be sent to one client. Beyond it, messages
	// of QoS 0 are dropped, and those of QoS 1 and 2 stay in the session. Beyond eight
	// times that for all clients together each may have only its share.
	unsent int
}

func defaultQuotas() quotas {
	return quotas{
		connections: maxClients + 500, sessions: 10_000, userSessions: 1_000,
		retained: 50_000, retainedBytes: 128 << 20,
		inflight: 8192, sessionBytes: 64 << 20, allSessionBytes: 256 << 20,
		subscriptions: 5_000, unsent: 8 << 20,
	}
}

const (
	// Connected clients; more get 0x89 Server busy.
	maxClients = 2500
	// Bytes of one packet [MQTT-3.2.2-15]: 0x95 for more.
	maxPacketSize = 4 << 20
	// QoS 1 and 2 messages that a client may have unacknowledged (3.2.2.3.3). While
	// more of its packets wait for answers it is not read.
	receiveMaximum = 1024
	// Subscriptions of all clients: 0x97 for more.
	maxAllSubscriptions = 200_000
	// Messages waiting to be written to one client. Further ones of QoS 0 are
	// dropped; for one of QoS 1 or 2 the client gets 0x97.
	maxPending = 8192

	maxLevels         = 128                // of a topic or a topic filter: 0x90 or 0x8F for more
	maxName           = 16_000             // bytes of a topic, a filter or a client identifier: 0x90, 0x8F or 0x85 for more
	topicAliasMaximum = 64                 // that a client may define (3.2.2.3.8)
	maxSessionExpiry  = 7 * 24 * time.Hour // a disconnected session is kept no longer (3.2.2.3.2)
	maxKeepAlive      = 5 * time.Minute    // for an MQTT 5 client that asks for more, or for none (3.2.2.3.14)
	sendSize          = 64 << 10           // bytes that are sent at a time, within stallTimeout
	stallTimeout      = 20 * time.Second   // after which a client that has read nothing is disconnected
	minRate           = 1 << 10            // bytes a second at which a packet must arrive, beyond 1.5 times the keep-alive

	// Wrong passwords from one address or for one name, after which only one is checked
	// in each passwordPause: 0x9F Connection rate exceeded for more.
	passwordBurst = 10
	passwordPause = 5 * time.Second
)

// The limits of connections, those to relays too.
const (
	MaxConnectSize = 256 << 10        // bytes of CONNECT: 0x95 for more
	ConnectTimeout = 10 * time.Second // from accepting the connection to a complete CONNECT
	CloseTimeout   = time.Second      // between the server's closing of a connection and the peer's

	drainTime = 50 * time.Millisecond // enough to read what has arrived; it may be half a record of TLS
)

func capabilities(most quotas) *mqtt.Capabilities {
	c := mqtt.NewDefaultServerCapabilities()
	c.MaximumClients = maxClients
	c.MaximumPacketSize = maxPacketSize
	// mochi would apply the real one to QoS 0 too.
	c.ReceiveMaximum = math.MaxUint16
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

// fits reports whether a message is added to a session. A client that does not keep up
// is disconnected before anything is lost: the message that fills its session is still
// added.
func (p *policy) fits(cl *mqtt.Client, session *session, pk packets.Packet) bool {
	size, most := session.size(), p.most.sessionBytes
	if size > most {
		atomic.AddInt64(&p.server.Info.InflightDropped, 1)
	}
	if cl.State.Inflight.Len() >= p.most.inflight || size+sizeOf(pk) > most {
		p.overrun(cl)
	}
	return size <= most && fitsPacket(cl, pk)
}

// OnPublishDropped is called for messages that mochi's queue for a client has no room
// for.
func (p *policy) OnPublishDropped(cl *mqtt.Client, pk packets.Packet) {
	sub, own := p.OnSelectSubscribers(p.server.Topics.Subscribers(pk.TopicName), pk).Subscriptions[cl.ID]
	if pk.FixedHeader.Qos > 0 && (!own || sub.Qos > 0) {
		p.overrun(cl)
	}
}

func (p *policy) overrun(cl *mqtt.Client) {
	if !cl.Closed() {
		p.log.Warn("disconnected a client that does not keep up with its messages", "client", cut(cl.ID))
		p.disconnect(cl, packets.ErrQuotaExceeded)
	}
}

// OnSubscribe makes filters invalid that are to be refused, so that mochi refuses them
// with 0x8F.
func (p *policy) OnSubscribe(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	own, all := cl.State.Subscriptions.Len(), atomic.LoadInt64(&p.server.Info.Subscriptions)
	for i := range pk.Filters {
		sub := &pk.Filters[i]
		_, known := cl.State.Subscriptions.Get(sub.Filter)
		switch {
		case !validFilter(sub.Filter):
			sub.Filter = ""
		case !known && (own >= p.most.subscriptions || all >= maxAllSubscriptions):
			sub.Filter, sub.Identifier = "", tooMany
		case !known:
			own, all = own+1, all+1
		}
	}
	connOf(cl).filters = len(pk.Filters)
	pk.Filters = askAbove(cl, pk.Filters)
	return pk
}

// OnUnsubscribe keeps filters that the client has not subscribed to from mochi, which
// would confirm those that others' filters begin with, and count them (3.11.3).
func (p *policy) OnUnsubscribe(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	for i := range pk.Filters {
		if _, ok := cl.State.Subscriptions.Get(pk.Filters[i].Filter); !ok {
			pk.Filters[i].Filter = "\x00" // which nobody can subscribe to
		}
	}
	return pk
}

// tooMany is the identifier of a subscription that is refused with 0x97; no client can
// send it.
const tooMany = -1

func (p *policy) OnSubscribed(cl *mqtt.Client, pk packets.Packet, reasons []byte) {
	filters := pk.Filters[:connOf(cl).filters]
	var granted []packets.Subscription
	for i, sub := range filters {
		if sub.Identifier == tooMany && cl.Properties.ProtocolVersion == 5 {
			reasons[i] = packets.ErrQuotaExceeded.Code // SUBACK uses this slice
		}
		if reasons[i] <= packets.CodeGrantedQos2.Code {
			granted = append(granted, sub)
			p.indexAbove(cl.ID, sub, true)
		}
	}
	if !p.store.subscribe(cl, granted) {
		for i, sub := range filters {
			if reasons[i] <= packets.CodeGrantedQos2.Code {
				if p.server.Topics.Unsubscribe(sub.Filter, cl.ID) {
					atomic.AddInt64(&p.server.Info.Subscriptions, -1)
				}
				cl.State.Subscriptions.Delete(sub.Filter)
				p.indexAbove(cl.ID, sub, false)
				reasons[i] = packets.ErrQuotaExceeded.Code
			}
		}
	}
	answerAbove(pk.Filters, len(filters), reasons)
	for i, sub := range pk.Filters { // for the retained messages that follow, which mochi sends without (3.8.2.1.2)
		if sub.Identifier > 0 {
			pk.Filters[i].Identifiers = map[string]int{sub.Filter: sub.Identifier}
		}
	}
}
