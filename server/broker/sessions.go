package broker

import (
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// sessions is what the broker keeps about sessions and retained messages in addition to
// mochi: sizes, order, identifiers, and when they end.
type sessions struct {
	server *mqtt.Server
	away   *mqtt.Server // a second one, for clients without a connection

	// delivery is held for writing while a connection takes over a session: what is
	// delivered meanwhile would go to the old one.
	delivery sync.RWMutex
	order    atomic.Uint64 // of the newest message
	bytes    atomic.Int64  // of all messages in flight, and wills
	wills    atomic.Int64  // of these bytes those of wills

	mu       sync.Mutex
	byClient map[string]*session
	ofUser   map[string]int  // how many
	kept     map[string]kept // retained messages
	keptSize int
}

// session belongs to one client identifier.
type session struct {
	client string
	user   string
	all    *sessions
	file   *onFile

	left   time.Time   // when its connection ended; zero while it has one
	expiry *time.Timer // ends it

	mu       sync.Mutex
	sent     map[uint16]sent // not acknowledged by the client
	received map[uint16]bool // QoS 2, not released by the client
	bytes    int
	will     *packets.Packet // of this client, waiting for its delay
	delay    *time.Timer
}

// onFile is what the file has of a client's session, or will have. establish holds the
// lock; a session that is taken over meanwhile does nothing else.
type onFile struct {
	sync.Mutex
	written bool
}

type sent struct {
	order uint64
	size  int
	tried bool // it was sent, or may have been before the server started
}

type kept struct {
	size   int
	expiry int64 // Unix seconds; 0: never
}

// overhead is how many bytes a message takes besides its topic, payload and properties.
const overhead = 1 << 10

func sizeOf(pk packets.Packet) int {
	size := overhead + len(pk.TopicName) + len(pk.Payload) + len(pk.Properties.CorrelationData) +
		len(pk.Properties.ResponseTopic) + len(pk.Properties.ContentType)
	for _, p := range pk.Properties.User {
		size += len(p.Key) + len(p.Val)
	}
	return size
}

func newSessions(server *mqtt.Server) *sessions {
	away, options, capabilities := *server, *server.Options, *server.Options.Capabilities
	capabilities.MaximumClientWritesPending = 1
	options.Capabilities, away.Options = &capabilities, &options
	return &sessions{server: server, away: &away, byClient: make(map[string]*session), ofUser: make(map[string]int), kept: make(map[string]kept)}
}

// get returns nil if there is no such session.
func (s *sessions) get(client string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byClient[client]
}

// start begins a session, and replaces an earlier one.
func (s *sessions) start(cl *mqtt.Client) *session {
	one := &session{
		client: cl.ID, user: string(cl.Properties.Username), all: s, file: new(onFile),
		sent: make(map[uint16]sent), received: make(map[uint16]bool),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.drop(cl.ID); old != nil {
		one.file = old.file
	}
	s.byClient[one.client] = one
	s.ofUser[one.user]++
	return one
}

// resume continues a session that has a connection again.
func (s *session) resume() {
	s.all.mu.Lock()
	s.stop()
	s.all.mu.Unlock()
	s.cancelWill()
}

// stop stops the expiry. The caller holds all.mu.
func (s *session) stop() {
	s.left = time.Time{}
	if s.expiry != nil {
		s.expiry.Stop()
	}
}

// offline makes a client without a connection, and without the queue of one, which
// takes 64 KiB.
func (s *sessions) offline(id string) *mqtt.Client {
	cl := s.away.NewClient(nil, "", id, false)
	cl.Stop(packets.CodeDisconnect)
	return cl
}

// detach keeps only what the session needs of a client whose connection has ended.
func (s *sessions) detach(cl *mqtt.Client) {
	rest := s.offline(cl.ID)
	rest.Properties = cl.Properties
	rest.State.Inflight, rest.State.Subscriptions = cl.State.Inflight, cl.State.Subscriptions
	s.server.Clients.Add(rest)
}

// drop forgets a session, and returns it. The caller holds mu.
func (s *sessions) drop(client string) *session {
	one := s.byClient[client]
	if one == nil {
		return nil
	}
	one.stop()
	delete(s.byClient, client)
	if s.ofUser[one.user]--; s.ofUser[one.user] == 0 {
		delete(s.ofUser, one.user)
	}
	return one
}

// waiting returns since when a session has had no connection, and its delayed will.
func (s *session) waiting() (left time.Time, will *packets.Packet) {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left, s.will
}

// leave starts the expiry of a session, and the delay of its will, when its connection
// has ended, or had ended before the server was stopped.
func (p *policy) leave(cl *mqtt.Client) {
	after := maxSessionExpiry
	if p := cl.Properties; p.ProtocolVersion == 5 && p.Props.SessionExpiryIntervalFlag {
		after = min(after, time.Duration(p.Props.SessionExpiryInterval)*time.Second)
	}
	p.sessions.mu.Lock()
	defer p.sessions.mu.Unlock()
	if one := p.sessions.byClient[cl.ID]; one != nil {
		if one.left.IsZero() {
			one.left = time.Now()
		}
		one.expiry = time.AfterFunc(time.Until(one.left.Add(after)), func() { p.expire(one) })
		one.mu.Lock()
		defer one.mu.Unlock()
		if one.will != nil {
			delay := time.Duration(one.will.Properties.WillDelayInterval) * time.Second
			one.delay = time.AfterFunc(time.Until(one.left.Add(delay)), func() { p.publishDelayed(one) })
		}
	}
}

// expire ends a session that has no connection.
func (p *policy) expire(one *session) {
	p.sessions.delivery.Lock() // so that it is not resumed now
	p.sessions.mu.Lock()
	left := p.sessions.byClient[one.client] == one && !one.left.IsZero()
	p.sessions.mu.Unlock()
	cl, ok := p.server.Clients.Get(one.client)
	over := left && ok && cl.Closed()
	if over {
		p.end(cl)
	}
	p.sessions.delivery.Unlock()
	if over {
		p.publishDelayed(one)
	}
}

// room makes room for one more session by dropping the one that was disconnected for
// longest; one of the same user if the user's share is used up.
func (p *policy) room(user string, all, ofUser int) bool {
	s := p.sessions
	s.mu.Lock()
	own := s.ofUser[user] >= ofUser
	if !own && len(s.byClient) < all {
		s.mu.Unlock()
		return true
	}
	var oldest *session
	for _, one := range s.byClient {
		if !one.left.IsZero() && (!own || one.user == user) && (oldest == nil || one.left.Before(oldest.left)) {
			oldest = one
		}
	}
	s.mu.Unlock()
	if oldest == nil {
		return false
	}
	p.expire(oldest)
	return true
}

// count counts a message on its way to the client.
func (s *session) count(pk packets.Packet, order uint64) message {
	m := message{Packet: pk, order: order, size: sizeOf(pk)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent[m.PacketID] = sent{order: m.order, size: m.size}
	s.grow(m.size)
	return m
}

// grow counts bytes. The caller holds mu.
func (s *session) grow(bytes int) {
	s.bytes += bytes
	s.all.bytes.Add(int64(bytes))
}

func (s *session) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// find returns a message in flight, or none.
func (s *session) find(id uint16) sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent[id]
}

// try records that a message is sent to the client.
func (s *session) try(id uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one, ok := s.sent[id]; ok {
		one.tried = true
		s.sent[id] = one
	}
}

// arrived handles a QoS 2 message that the client has received: it is not kept any
// more.
func (s *session) arrived(id uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one, ok := s.sent[id]; ok {
		s.grow(-one.size)
		s.sent[id] = sent{order: one.order}
	}
}

// remove reports whether it was there.
func (s *session) remove(id uint16) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.sent[id]
	s.grow(-one.size)
	delete(s.sent, id)
	return ok
}

// receive records a QoS 2 message of the client.
func (s *session) receive(id uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received[id] = true
}

// knows reports whether a QoS 2 message of the client is not released, and whether there
// may be no other one.
func (s *session) knows(id uint16) (known, full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.received[id], len(s.received) >= receiveMaximum
}

// release reports whether it was there.
func (s *session) release(id uint16) (known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known = s.received[id]
	delete(s.received, id)
	return known
}

// clear stops counting the session's messages, and returns what was not released.
func (s *session) clear() (received map[uint16]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.sent {
		s.grow(-one.size)
	}
	clear(s.sent)
	received, s.received = s.received, make(map[uint16]bool)
	return received
}

// retain counts a retained message, or its removal.
func (s *sessions) retain(pk packets.Packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keptSize -= s.kept[pk.TopicName].size
	delete(s.kept, pk.TopicName)
	if len(pk.Payload) > 0 {
		one := kept{size: sizeOf(pk), expiry: pk.Expiry}
		s.kept[pk.TopicName] = one
		s.keptSize += one.size
	}
}

// retainable reports whether there is room for a retained message.
func (s *sessions) retainable(pk packets.Packet, most quotas) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, known := s.kept[pk.TopicName]
	return (known || s.server.Topics.Retained.Len() < most.retained) && s.keptSize-old.size+sizeOf(pk) <= most.retainedBytes
}

// expired returns the topics whose retained messages have expired [MQTT-3.3.2-5].
func (s *sessions) expired(now int64) (topics []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for topic, one := range s.kept {
		if one.expiry > 0 && one.expiry < now {
			topics = append(topics, topic)
		}
	}
	return topics
}
