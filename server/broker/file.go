package broker

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// The file: what it holds, and how it is opened, checked and read.

// message is a PUBLISH in flight or retained.
type message struct {
	packets.Packet
	order uint64 // among the session's messages; 0 for a retained one
	size  int
}

// received says that a QoS 2 message of the client has been delivered.
type received struct{}

// released says that the client has received a message of QoS 2.
type released struct{}

// record is a persistent session.
type record struct {
	Props struct {
		SessionExpiryInterval     uint32
		SessionExpiryIntervalFlag bool
		MaximumPacketSize         uint32
	}
	Username        []byte
	ProtocolVersion byte
	Clean           bool
	Left            int64  `json:",omitempty"` // when its connection ended, in Unix seconds; 0 while it has one
	Will            []byte `json:",omitempty"` // encoded like a message; its delay is in seconds
	WillDelay       uint32 `json:",omitempty"`
}

func newRecord(cl *mqtt.Client, session *session) record {
	r := record{Username: cl.Properties.Username, ProtocolVersion: cl.Properties.ProtocolVersion, Clean: cl.Properties.Clean}
	left, will := session.waiting()
	if c := connOf(cl); left.IsZero() && c != nil {
		will = c.will
	} else if !left.IsZero() {
		r.Left = left.Unix()
	}
	if will != nil {
		r.Will, r.WillDelay = encode(message{Packet: *will}), will.Properties.WillDelayInterval
	}
	p := cl.Properties.Props
	r.Props.SessionExpiryInterval, r.Props.SessionExpiryIntervalFlag = p.SessionExpiryInterval, p.SessionExpiryIntervalFlag
	r.Props.MaximumPacketSize = p.MaximumPacketSize
	return r
}

// Values of messages and retained begin with one of these; the others are JSON.
const (
	kindMessage  = 1 // order and time of creation, eight bytes each; origin and NUL; PUBLISH (3.3)
	kindReceived = 2
	kindReleased = 3
)

func encode(value any) []byte {
	switch v := value.(type) {
	case nil:
		return nil
	case message:
		out := bytes.NewBuffer(make([]byte, 0, v.size))
		out.WriteByte(kindMessage)
		out.Write(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, v.order), uint64(v.Created)))
		out.WriteString(v.Origin + "\x00")
		pk := v.Packet
		pk.ProtocolVersion, pk.Mods = 5, packets.Mods{AllowResponseInfo: true}
		pk.Properties.TopicAlias, pk.Properties.TopicAliasFlag = 0, false
		_ = pk.PublishEncode(out) // fails only without an identifier
		return out.Bytes()
	case received:
		return []byte{kindReceived}
	case released:
		return []byte{kindReleased}
	}
	data, _ := json.Marshal(value) // of subscriptions and records, which always encode
	return data
}

var errDamaged = errors.New("its content cannot be read")

// decode reads a value of messages or retained.
func decode(data []byte, id uint16) (pk packets.Packet, order uint64, err error) {
	pk.PacketID = id
	switch {
	case len(data) == 1 && data[0] == kindReleased:
		pk.FixedHeader = packets.FixedHeader{Type: packets.Pubrel, Qos: 1}
	case len(data) > 17 && data[0] == kindMessage:
		origin, packet, _ := bytes.Cut(data[17:], []byte{0})
		order = binary.BigEndian.Uint64(data[1:])
		pk, err = decodePublish(bytes.Clone(packet))
		pk.Created, pk.Origin = int64(binary.BigEndian.Uint64(data[9:])), string(origin)
	default:
		err = errDamaged
	}
	if interval := pk.Properties.MessageExpiryInterval; interval > 0 { // [MQTT-3.3.2-5]
		pk.ProtocolVersion, pk.Expiry = 5, pk.Created+int64(interval)
	}
	return pk, order, err
}

func decodePublish(packet []byte) (pk packets.Packet, err error) {
	if len(packet) < 2 {
		return pk, errDamaged
	}
	length, n := binary.Uvarint(packet[1:]) // the encoding of Remaining Length (2.1.4)
	if n <= 0 || int(length) != len(packet)-1-n {
		return pk, errDamaged
	}
	pk.ProtocolVersion = 5
	if err = pk.FixedHeader.Decode(packet[0]); err == nil {
		err = pk.PublishDecode(packet[1+n:])
	}
	return pk, err
}

// open opens the file in a directory, and creates both if they are missing. A file that
// is mostly empty is compacted.
func open(dir string) (db *bbolt.DB, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot create the data directory: %w", err)
	}
	file := filepath.Join(dir, "broker.db")
	defer func() {
		switch p := recover(); {
		case p != nil:
			err = damaged(file, fmt.Errorf("%v", p))
		case errors.Is(err, bbolterrors.ErrTimeout):
			err = fmt.Errorf("the data directory %s is in use by another process", dir)
		case errors.Is(err, bbolterrors.ErrInvalid), errors.Is(err, bbolterrors.ErrChecksum), errors.Is(err, bbolterrors.ErrVersionMismatch):
			err = damaged(file, err)
		case err != nil && !errors.Is(err, errDamaged):
			err = fmt.Errorf("cannot open the data directory: %w", err)
		}
	}()
	if err := check(file); err != nil {
		return nil, err
	}
	options := &bbolt.Options{Timeout: time.Second, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType}
	if db, err = bbolt.Open(file, 0o600, options); err != nil {
		return nil, err
	}
	if err := db.Update(func(tx *bbolt.Tx) (err error) {
		for _, name := range [][]byte{retained, clients, subscriptions, messages, unreleased} {
			_, e := tx.CreateBucketIfNotExists(name)
			err = errors.Join(err, e)
		}
		return err
	}); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	free, page := db.Stats().FreePageN, db.Info().PageSize
	info, err := os.Stat(file)
	if err != nil || info.Size() < compactFrom || int64(free*page)*2 < info.Size() {
		return db, err
	}
	return compact(db, options)
}

// compactFrom is the size in bytes from which a file is compacted when more than half
// of it is empty.
const compactFrom = 16 << 20

func compact(db *bbolt.DB, options *bbolt.Options) (*bbolt.DB, error) {
	file := db.Path()
	_ = os.Remove(file + ".new") // left by an interrupted compaction
	smaller, err := bbolt.Open(file+".new", 0o600, options)
	if err == nil {
		err = errors.Join(bbolt.Compact(smaller, db, 1<<20), smaller.Close())
	}
	if closing := db.Close(); closing != nil {
		return nil, closing
	}
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil { // such as a full disk: the old one is still good
		_ = os.Remove(file + ".new")
	}
	return bbolt.Open(file, 0o600, options)
}

// damaged is an error that says what to do.
func damaged(file string, err error) error {
	return fmt.Errorf("%s is damaged: restore it from a backup, or move it away to start with an empty one (%w: %w)", file, errDamaged, err)
}

// check reads the whole file: bbolt checks most pages only when it uses them, and then
// panics, possibly in a goroutine of its own.
func check(file string) error {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	db, err := bbolt.Open(file, 0o600, &bbolt.Options{Timeout: time.Second, ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // on reading beyond the file's end
	return db.View(func(tx *bbolt.Tx) error {
		if info.Size() < tx.Size() {
			return damaged(file, errors.New("it is shorter than its header says"))
		}
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			var last []byte
			return b.ForEach(func(key, value []byte) error {
				if last != nil && bytes.Compare(last, key) >= 0 || value == nil {
					return damaged(file, fmt.Errorf("the keys of %s are out of order", name))
				}
				last = key
				return nil
			})
		})
	})
}

// restore loads what the file of the store holds.
func (p *policy) restore(tx *bbolt.Tx, s *store) error {
	return cmp.Or(
		each(tx, clients, func(id, _ string, data []byte) error {
			var r record
			if err := json.Unmarshal(data, &r); err != nil {
				return err
			}
			cl := p.sessions.offline(id)
			cl.Properties = mqtt.ClientProperties{Username: r.Username, ProtocolVersion: r.ProtocolVersion, Clean: r.Clean}
			props := &cl.Properties.Props
			props.SessionExpiryInterval, props.SessionExpiryIntervalFlag = r.Props.SessionExpiryInterval, r.Props.SessionExpiryIntervalFlag
			props.MaximumPacketSize = r.Props.MaximumPacketSize
			p.server.Clients.Add(cl)
			session := p.sessions.start(cl)
			session.file.written = true
			if r.Left > 0 {
				session.left = time.Unix(r.Left, 0)
			}
			if len(r.Will) == 0 {
				return nil
			}
			will, _, err := decode(r.Will, 1)
			will.Expiry, will.Properties.WillDelayInterval = 0, r.WillDelay
			session.will = &will
			session.keepWill(&will, 1)
			return err
		}),
		each(tx, subscriptions, func(id, _ string, data []byte) error {
			var sub packets.Subscription
			err := json.Unmarshal(data, &sub)
			if cl, ok := p.server.Clients.Get(id); ok && err == nil {
				if p.server.Topics.Subscribe(id, sub) {
					p.server.Info.Subscriptions++
				}
				cl.State.Subscriptions.Add(sub.Filter, sub)
				p.indexAbove(id, sub, true)
			}
			return err
		}),
		each(tx, messages, func(id, rest string, data []byte) error {
			if len(rest) != 2 {
				return errDamaged
			}
			number := binary.BigEndian.Uint16([]byte(rest))
			if len(data) == 3 && data[0] == kindReceived { // from a version that kept it here, by another identifier
				s.next.add(change{bucket: messages, key: messageKey(id, number)})
				number = binary.BigEndian.Uint16(data[1:])
				if session := p.sessions.get(id); session != nil {
					session.receive(number)
					s.next.add(change{bucket: unreleased, key: messageKey(id, number), value: received{}})
				}
				return nil
			}
			pk, order, err := decode(data, number)
			if cl, ok := p.server.Clients.Get(id); ok && err == nil {
				cl.State.Inflight.Set(pk)
				session := p.sessions.get(id)
				if pk.FixedHeader.Type == packets.Pubrel {
					session.sent[number] = sent{}
				} else {
					session.count(pk, order)
					if session.left.IsZero() || pk.Created <= session.left.Unix() {
						session.try(number)
					}
					p.sessions.order.Store(max(p.sessions.order.Load(), order))
				}
			}
			return err
		}),
		each(tx, unreleased, func(id, rest string, _ []byte) error {
			if len(rest) != 2 {
				return errDamaged
			}
			if session := p.sessions.get(id); session != nil {
				session.receive(binary.BigEndian.Uint16([]byte(rest)))
			}
			return nil
		}),
		each(tx, retained, func(_, _ string, data []byte) error {
			pk, _, err := decode(data, 0)
			if err == nil {
				p.server.Topics.RetainMessage(pk)
				p.sessions.retain(pk)
			}
			return err
		}),
	)
}

// each calls do with the values of a bucket and the two parts of their keys.
func each(tx *bbolt.Tx, bucket []byte, do func(id, rest string, value []byte) error) error {
	return tx.Bucket(bucket).ForEach(func(key, value []byte) error {
		id, rest, _ := bytes.Cut(key, []byte{0})
		if err := do(string(id), string(rest), value); err != nil {
			return fmt.Errorf("%s of %.60q: %w", bucket, id, err)
		}
		return nil
	})
}
