package broker

import (
	"bytes"
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
type store struct {
	hook
	server *mqtt.Server
	dir    string
	db     *bbolt.DB
	lost   *unstored
}

// The buckets, with their keys and values. Neither client identifiers nor topics
// hold NUL [MQTT-1.5.4-2].
var (
	retained      = []byte("retained")      // topic: storage.Message
	clients       = []byte("clients")       // client: mqtt.ClientProperties
	subscriptions = []byte("subscriptions") // client NUL filter: packets.Subscription
	messages      = []byte("messages")      // client NUL identifier: storage.Message
)

func sessionKey(cl *mqtt.Client, rest ...byte) []byte {
	return append(append([]byte(cl.ID), 0), rest...)
}

func messageKey(cl *mqtt.Client, id uint16) []byte {
	return binary.BigEndian.AppendUint16(sessionKey(cl), id)
}

// change is a value to put, or nil to delete it.
type change struct {
	bucket, key []byte
	value       any
}

func (*store) ID() string    { return "store" }
func (s *store) Stop() error { return s.db.Close() }

// Init opens the file, and makes it where there is none.
func (s *store) Init(any) (err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("cannot create the data directory: %w", err)
	}
	s.db, err = bbolt.Open(filepath.Join(s.dir, "broker.db"), 0o600, &bbolt.Options{Timeout: time.Second})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return fmt.Errorf("the data directory %s is in use by another process", s.dir)
	}
	if err != nil {
		return fmt.Errorf("cannot open the data directory: %w", err)
	}
	s.db.MaxBatchDelay = time.Millisecond // a single client waits for nobody
	err = s.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{retained, clients, subscriptions, messages} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return s.restore(tx)
	})
	if err != nil {
		return errors.Join(err, s.db.Close())
	}
	return nil
}

// restore gives the broker what the file holds.
func (s *store) restore(tx *bbolt.Tx) error {
	err := errors.Join(
		each(tx, clients, func(id string, p mqtt.ClientProperties) {
			cl := s.server.NewClient(nil, "", id, false)
			cl.Properties = p
			cl.Stop(packets.ErrServerShuttingDown) // now its expiry begins
			s.server.Clients.Add(cl)
		}),
		each(tx, subscriptions, func(id string, sub packets.Subscription) {
			if cl, ok := s.server.Clients.Get(id); ok {
				s.server.Topics.Subscribe(id, sub)
				cl.State.Subscriptions.Add(sub.Filter, sub)
			}
		}),
		each(tx, messages, func(id string, m storage.Message) {
			if cl, ok := s.server.Clients.Get(id); ok {
				cl.State.Inflight.Set(restored(m))
			}
		}),
		each(tx, retained, func(_ string, m storage.Message) { s.server.Topics.RetainMessage(restored(m)) }),
	)
	for _, cl := range s.server.Clients.GetAll() {
		if cl.State.Subscriptions.Len() > 0 { // messages may come before the client does
			beginIDs(cl, cl.State.Inflight)
		}
	}
	return err
}

// each hands on the values of a bucket, with the first part of their keys.
func each[T any](tx *bbolt.Tx, bucket []byte, do func(string, T)) error {
	return tx.Bucket(bucket).ForEach(func(key, data []byte) error {
		var v T
		if err := json.Unmarshal(data, &v); err != nil {
			return fmt.Errorf("the data directory holds %s that cannot be read: %w", bucket, err)
		}
		id, _, _ := bytes.Cut(key, []byte{0})
		do(string(id), v)
		return nil
	})
}

// restored is m with the moment at which it expires [MQTT-3.3.2-5].
func restored(m storage.Message) packets.Packet {
	pk := m.ToPacket()
	if interval := pk.Properties.MessageExpiryInterval; interval > 0 {
		pk.ProtocolVersion = 5
		pk.Expiry = pk.Created + int64(interval)
	}
	return pk
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
		s.OnClientExpired(cl)
		return
	}
	s.putClient(cl)
}

func (s *store) OnDisconnect(cl *mqtt.Client, _ error, expire bool) {
	switch {
	case cl.IsTakenOver():
	case expire:
		s.OnClientExpired(cl)
	default:
		s.putClient(cl) // DISCONNECT may have changed the expiry (3.14.2.2.2)
	}
}

func (s *store) putClient(cl *mqtt.Client) {
	lasting := cl.Properties
	lasting.Will = mqtt.Will{}
	lasting.Props = packets.Properties{
		SessionExpiryInterval:     cl.Properties.Props.SessionExpiryInterval,
		SessionExpiryIntervalFlag: cl.Properties.Props.SessionExpiryIntervalFlag,
	}
	if !s.apply(cl, change{clients, []byte(cl.ID), lasting}) && !cl.Closed() { // it was promised a session
		s.server.Listeners.ClientsWg.Go(func() { _ = s.server.DisconnectClient(cl, packets.ErrQuotaExceeded) })
	}
}

// OnClientExpired drops the session.
func (s *store) OnClientExpired(cl *mqtt.Client) {
	s.update(func(tx *bbolt.Tx) error {
		err := tx.Bucket(clients).Delete([]byte(cl.ID))
		for _, bucket := range [][]byte{subscriptions, messages} {
			prefix, c := sessionKey(cl), tx.Bucket(bucket).Cursor()
			for key, _ := c.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = c.Seek(prefix) {
				err = errors.Join(err, c.Delete())
			}
		}
		return err
	})
}

func (s *store) OnSubscribed(cl *mqtt.Client, pk packets.Packet, reasons []byte) {
	var changes []change
	for i, f := range pk.Filters {
		if reasons[i] > packets.CodeGrantedQos2.Code {
			continue // refused
		}
		changes = append(changes, change{subscriptions, sessionKey(cl, []byte(f.Filter)...), f})
	}
	if s.apply(cl, changes...) {
		return
	}
	for i, f := range pk.Filters {
		if reasons[i] <= packets.CodeGrantedQos2.Code {
			s.server.Topics.Unsubscribe(f.Filter, cl.ID)
			cl.State.Subscriptions.Delete(f.Filter)
			reasons[i] = packets.ErrQuotaExceeded.Code // SUBACK has this slice
		}
	}
}

func (s *store) OnUnsubscribed(cl *mqtt.Client, pk packets.Packet) {
	var changes []change
	for _, f := range pk.Filters {
		changes = append(changes, change{subscriptions, sessionKey(cl, []byte(f.Filter)...), nil})
	}
	s.apply(cl, changes...)
}

func (s *store) OnRetainMessage(_ *mqtt.Client, pk packets.Packet, result int64) {
	if result < 0 {
		s.OnRetainedExpired(pk.TopicName)
		return
	}
	if !s.write(change{retained, []byte(pk.TopicName), stored(pk)}) {
		s.lost.add(pk.Origin)
	}
}

func (s *store) OnRetainedExpired(topic string) { s.write(change{retained, []byte(topic), nil}) }

// OnQosPublish writes a message before it is sent. Acknowledgements it leaves
// out: nobody waits for a PUBACK that is sent, and PUBREC is OnPublished's.
func (s *store) OnQosPublish(cl *mqtt.Client, pk packets.Packet, _ int64, _ int) {
	t := pk.FixedHeader.Type
	if (t == packets.Publish || t == packets.Pubrel) && !s.putMessage(cl, stored(pk)) && t == packets.Publish {
		s.lost.add(pk.Origin)
	}
}

// OnPublished writes that a message of QoS 2 has been handed on: written before,
// it would make the broker refuse what was lost in between when it comes again.
func (s *store) OnPublished(cl *mqtt.Client, pk packets.Packet) {
	if pk.FixedHeader.Qos == 2 && !s.putMessage(cl, storage.Message{
		FixedHeader: packets.FixedHeader{Type: packets.Pubrec}, PacketID: pk.PacketID, Created: pk.Created,
	}) {
		s.lost.add(cl.ID)
	}
}

// OnPacketRead writes that a client has received a message of QoS 2, which is
// never to be sent again (4.3.3).
func (s *store) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if pk.FixedHeader.Type == packets.Pubrec && pk.ReasonCode < packets.ErrUnspecifiedError.Code {
		if sent, ok := cl.State.Inflight.Get(pk.PacketID); ok {
			s.putMessage(cl, storage.Message{
				FixedHeader: packets.FixedHeader{Type: packets.Pubrel, Qos: 1}, PacketID: pk.PacketID, Created: sent.Created,
			})
		}
	}
	return pk, nil
}

func (s *store) putMessage(cl *mqtt.Client, m storage.Message) bool {
	m.Client = cl.ID
	return s.apply(cl, change{messages, messageKey(cl, m.PacketID), m})
}

func (s *store) OnQosComplete(cl *mqtt.Client, pk packets.Packet) {
	// A session that was taken over has lost its messages to its successor, which has the same name.
	if !cl.IsTakenOver() {
		s.apply(cl, change{messages, messageKey(cl, pk.PacketID), nil})
	}
}

func (s *store) OnQosDropped(cl *mqtt.Client, pk packets.Packet) { s.OnQosComplete(cl, pk) }

func stored(pk packets.Packet) storage.Message {
	p := pk.Properties
	return storage.Message{
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

// apply makes changes to a session, if it lasts. False says that they failed.
func (s *store) apply(cl *mqtt.Client, changes ...change) bool {
	return !lasting(cl) || len(changes) == 0 || s.write(changes...)
}

func (s *store) write(changes ...change) bool {
	return s.update(func(tx *bbolt.Tx) (err error) {
		for _, c := range changes {
			if c.value == nil {
				err = errors.Join(err, tx.Bucket(c.bucket).Delete(c.key))
				continue
			}
			data, e := json.Marshal(c.value)
			err = errors.Join(err, e, tx.Bucket(c.bucket).Put(c.key, data))
		}
		return err
	})
}

// update commits a change, together with those that come at the same time. A
// failure, such as a full disk, is logged once until it is over.
func (s *store) update(change func(*bbolt.Tx) error) bool {
	err := s.db.Batch(change)
	switch failed := err != nil; {
	case errors.Is(err, bbolterrors.ErrDatabaseNotOpen): // the end
	case failed && !s.lost.broken.Swap(true):
		s.Log.Error("the broker's state could not be written: messages that have to be are refused until it can", "error", err)
	case !failed && s.lost.broken.Load() && s.lost.broken.Swap(false):
		s.Log.Warn("the broker's state can be written again")
	}
	return err == nil
}
