package broker

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/storage"
	"github.com/mochi-mqtt/server/v2/packets"
	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// store keeps retained messages and sessions in one bbolt file. Every change is
// on disk before the hook returns, so a killed process loses none.
//
// mochi's own bolt hook forgets packet identifiers, so that a session's messages
// in flight overwrite each other, and keeps the subscriptions of sessions that
// have ended; its badger and pebble hooks triple the binary.
//
//	retained / topic                               storage.Message
//	sessions / client / "client"                   storage.Client
//	sessions / client / "subscriptions" / filter   storage.Subscription
//	sessions / client / "messages" / identifier    storage.Message
type store struct {
	mqtt.HookBase
	db *bbolt.DB
}

var (
	retainedBucket      = []byte("retained")
	sessionsBucket      = []byte("sessions")
	clientKey           = []byte("client")
	subscriptionsBucket = []byte("subscriptions")
	messagesBucket      = []byte("messages")
)

func openStore(dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("broker: cannot create the data directory: %w", err)
	}
	db, err := bbolt.Open(filepath.Join(dir, "broker.db"), 0o600, &bbolt.Options{Timeout: time.Second})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return nil, fmt.Errorf("broker: the data directory %s is in use by another process", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("broker: cannot open the data directory: %w", err)
	}
	db.MaxBatchDelay = time.Millisecond // a single client waits for nobody
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err1 := tx.CreateBucketIfNotExists(retainedBucket)
		_, err2 := tx.CreateBucketIfNotExists(sessionsBucket)
		return errors.Join(err1, err2)
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &store{db: db}, nil
}

func (*store) ID() string    { return "store" }
func (s *store) Stop() error { return s.db.Close() }

func (*store) Provides(b byte) bool {
	return bytes.IndexByte([]byte{
		mqtt.OnSessionEstablished, mqtt.OnDisconnect, mqtt.OnClientExpired,
		mqtt.OnSubscribed, mqtt.OnUnsubscribed,
		mqtt.OnRetainMessage, mqtt.OnRetainedExpired,
		mqtt.OnPublished, mqtt.OnPacketRead,
		mqtt.OnQosPublish, mqtt.OnQosComplete, mqtt.OnQosDropped,
		mqtt.StoredClients, mqtt.StoredSubscriptions,
		mqtt.StoredInflightMessages, mqtt.StoredRetainedMessages,
	}, b) >= 0
}

// lasting reports whether the client's session outlives its connection
// (3.1.2.11.2). Other sessions are never written.
func lasting(cl *mqtt.Client) bool {
	if cl.Properties.ProtocolVersion == 5 {
		return cl.Properties.Props.SessionExpiryInterval > 0
	}
	return !cl.Properties.Clean
}

func (s *store) OnSessionEstablished(cl *mqtt.Client, _ packets.Packet) {
	if !lasting(cl) {
		s.dropSession(cl)
		return
	}
	s.putClient(cl)
}

func (s *store) OnDisconnect(cl *mqtt.Client, _ error, expire bool) {
	switch {
	case cl.IsTakenOver():
	case expire:
		s.dropSession(cl)
	case lasting(cl):
		s.putClient(cl) // DISCONNECT may have changed the expiry (3.14.2.2.2)
	}
}

func (s *store) OnClientExpired(cl *mqtt.Client) { s.dropSession(cl) }

func (s *store) putClient(cl *mqtt.Client) {
	p := cl.Properties.Props
	s.inSession(cl, func(session *bbolt.Bucket) error {
		return put(session, clientKey, storage.Client{
			ID:              cl.ID,
			Remote:          cl.Net.Remote,
			Listener:        cl.Net.Listener,
			Username:        cl.Properties.Username,
			Clean:           cl.Properties.Clean,
			ProtocolVersion: cl.Properties.ProtocolVersion,
			Properties: storage.ClientProperties{
				SessionExpiryInterval:     p.SessionExpiryInterval,
				SessionExpiryIntervalFlag: p.SessionExpiryIntervalFlag,
				ReceiveMaximum:            p.ReceiveMaximum,
				TopicAliasMaximum:         p.TopicAliasMaximum,
				MaximumPacketSize:         p.MaximumPacketSize,
			},
		})
	})
}

func (s *store) dropSession(cl *mqtt.Client) {
	s.update(func(tx *bbolt.Tx) error {
		return ignoreMissing(tx.Bucket(sessionsBucket).DeleteBucket([]byte(cl.ID)))
	})
}

func (s *store) OnSubscribed(cl *mqtt.Client, pk packets.Packet, reasons []byte) {
	if !lasting(cl) {
		return
	}
	s.inSession(cl, func(session *bbolt.Bucket) error {
		subs, err := session.CreateBucketIfNotExists(subscriptionsBucket)
		for i, f := range pk.Filters {
			if err != nil {
				return err
			}
			if reasons[i] > packets.CodeGrantedQos2.Code {
				continue // refused
			}
			err = put(subs, []byte(f.Filter), storage.Subscription{
				Client:            cl.ID,
				Filter:            f.Filter,
				Qos:               f.Qos,
				Identifier:        f.Identifier,
				NoLocal:           f.NoLocal,
				RetainHandling:    f.RetainHandling,
				RetainAsPublished: f.RetainAsPublished,
			})
		}
		return err
	})
}

func (s *store) OnUnsubscribed(cl *mqtt.Client, pk packets.Packet) {
	if !lasting(cl) || len(pk.Filters) == 0 {
		return
	}
	keys := make([][]byte, len(pk.Filters))
	for i, f := range pk.Filters {
		keys[i] = []byte(f.Filter)
	}
	s.remove(cl, subscriptionsBucket, keys...)
}

func (s *store) OnRetainMessage(_ *mqtt.Client, pk packets.Packet, result int64) {
	s.update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(retainedBucket)
		if result < 0 {
			return b.Delete([]byte(pk.TopicName))
		}
		return put(b, []byte(pk.TopicName), message(pk, ""))
	})
}

func (s *store) OnRetainedExpired(topic string) {
	s.update(func(tx *bbolt.Tx) error { return tx.Bucket(retainedBucket).Delete([]byte(topic)) })
}

// OnQosPublish writes a message before it is sent. Acknowledgements it leaves
// out: nobody waits for a PUBACK that is sent, and PUBREC is OnPublished's.
func (s *store) OnQosPublish(cl *mqtt.Client, pk packets.Packet, _ int64, _ int) {
	if t := pk.FixedHeader.Type; t == packets.Publish || t == packets.Pubrel {
		s.putMessage(cl, pk)
	}
}

// OnPublished writes that a message of QoS 2 has been handed on: written before,
// it would make the broker refuse what was lost in between when it comes again.
func (s *store) OnPublished(cl *mqtt.Client, pk packets.Packet) {
	if pk.FixedHeader.Qos == 2 {
		s.putMessage(cl, packets.Packet{
			FixedHeader: packets.FixedHeader{Type: packets.Pubrec},
			PacketID:    pk.PacketID,
			Created:     pk.Created,
		})
	}
}

// OnPacketRead writes that a client has received a message of QoS 2, which is
// never to be sent again (4.3.3).
func (s *store) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if pk.FixedHeader.Type == packets.Pubrec && pk.ReasonCode < packets.ErrUnspecifiedError.Code {
		if sent, ok := cl.State.Inflight.Get(pk.PacketID); ok {
			s.putMessage(cl, packets.Packet{
				FixedHeader: packets.FixedHeader{Type: packets.Pubrel, Qos: 1},
				PacketID:    pk.PacketID,
				Created:     sent.Created,
			})
		}
	}
	return pk, nil
}

func (s *store) putMessage(cl *mqtt.Client, pk packets.Packet) {
	if !lasting(cl) {
		return
	}
	s.inSession(cl, func(session *bbolt.Bucket) error {
		messages, err := session.CreateBucketIfNotExists(messagesBucket)
		if err != nil {
			return err
		}
		return put(messages, packetKey(pk.PacketID), message(pk, cl.ID))
	})
}

func (s *store) OnQosComplete(cl *mqtt.Client, pk packets.Packet) {
	// A session that was taken over has lost its messages to its successor, which has the same name.
	if !lasting(cl) || cl.IsTakenOver() {
		return
	}
	s.remove(cl, messagesBucket, packetKey(pk.PacketID))
}

func (s *store) OnQosDropped(cl *mqtt.Client, pk packets.Packet) { s.OnQosComplete(cl, pk) }

func (s *store) StoredClients() (found []storage.Client, err error) {
	err = s.eachSession(func(session *bbolt.Bucket) error {
		return get(session.Get(clientKey), &found)
	})
	return found, err
}

func (s *store) StoredSubscriptions() (found []storage.Subscription, err error) {
	err = s.eachSession(func(session *bbolt.Bucket) error {
		return each(session.Bucket(subscriptionsBucket), &found)
	})
	return found, err
}

func (s *store) StoredInflightMessages() (found []storage.Message, err error) {
	err = s.eachSession(func(session *bbolt.Bucket) error {
		return each(session.Bucket(messagesBucket), &found)
	})
	return found, err
}

func (s *store) StoredRetainedMessages() (found []storage.Message, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error { return each(tx.Bucket(retainedBucket), &found) })
	return found, err
}

// restoreExpiry gives loaded messages back the moment at which they expire
// [MQTT-3.3.2-5], which mochi keeps beside what it stores.
func restoreExpiry(server *mqtt.Server) {
	restore := func(pk packets.Packet) packets.Packet {
		if interval := pk.Properties.MessageExpiryInterval; interval > 0 {
			pk.ProtocolVersion = 5
			pk.Expiry = pk.Created + int64(interval)
		}
		return pk
	}
	for topic, pk := range server.Topics.Retained.GetAll() {
		server.Topics.Retained.Add(topic, restore(pk))
	}
	for _, cl := range server.Clients.GetAll() {
		for _, pk := range cl.State.Inflight.GetAll(false) {
			cl.State.Inflight.Set(restore(pk))
		}
	}
}

func message(pk packets.Packet, client string) storage.Message {
	p := pk.Properties
	return storage.Message{
		Client:      client,
		Origin:      pk.Origin,
		FixedHeader: pk.FixedHeader,
		PacketID:    pk.PacketID,
		TopicName:   pk.TopicName,
		Payload:     pk.Payload,
		Created:     pk.Created,
		Properties: storage.MessageProperties{
			PayloadFormat:          p.PayloadFormat,
			PayloadFormatFlag:      p.PayloadFormatFlag,
			MessageExpiryInterval:  p.MessageExpiryInterval,
			ContentType:            p.ContentType,
			ResponseTopic:          p.ResponseTopic,
			CorrelationData:        p.CorrelationData,
			SubscriptionIdentifier: p.SubscriptionIdentifier,
			User:                   p.User,
		},
	}
}

func packetKey(id uint16) []byte { return binary.BigEndian.AppendUint16(nil, id) }

// update commits a change, together with those that come at the same time. A failure, such as a full disk, costs durability and not the connection.
func (s *store) update(change func(*bbolt.Tx) error) {
	if err := s.db.Batch(change); err != nil && !errors.Is(err, bbolterrors.ErrDatabaseNotOpen) {
		s.Log.Error("the broker's state could not be written", "error", err)
	}
}

func (s *store) inSession(cl *mqtt.Client, change func(session *bbolt.Bucket) error) {
	s.update(func(tx *bbolt.Tx) error {
		session, err := tx.Bucket(sessionsBucket).CreateBucketIfNotExists([]byte(cl.ID))
		if err != nil {
			return err
		}
		return change(session)
	})
}

func (s *store) remove(cl *mqtt.Client, bucket []byte, keys ...[]byte) {
	s.update(func(tx *bbolt.Tx) error {
		session := tx.Bucket(sessionsBucket).Bucket([]byte(cl.ID))
		if session == nil || session.Bucket(bucket) == nil {
			return nil
		}
		var err error
		for _, key := range keys {
			err = errors.Join(err, session.Bucket(bucket).Delete(key))
		}
		return err
	})
}

func (s *store) eachSession(visit func(session *bbolt.Bucket) error) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		sessions := tx.Bucket(sessionsBucket)
		return sessions.ForEachBucket(func(id []byte) error {
			session := sessions.Bucket(id)
			if session.Get(clientKey) == nil {
				return nil
			}
			return visit(session)
		})
	})
}

func put(b *bbolt.Bucket, key []byte, v encoding.BinaryMarshaler) error {
	data, err := v.MarshalBinary()
	if err != nil {
		return err
	}
	return b.Put(key, data)
}

func get[T any](data []byte, found *[]T) error {
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*found = append(*found, v)
	return nil
}

func each[T any](b *bbolt.Bucket, found *[]T) error {
	if b == nil {
		return nil
	}
	return b.ForEach(func(_, data []byte) error { return get(data, found) })
}

func ignoreMissing(err error) error {
	if errors.Is(err, bbolterrors.ErrBucketNotFound) {
		return nil
	}
	return err
}
