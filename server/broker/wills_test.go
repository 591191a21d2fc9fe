package broker

import (
	"bytes"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	mochi "github.com/mochi-mqtt/server/v2/packets"
)

// connectWithWill uses mochi's encoder: paho's omits the will's properties.
func connectWithWill(t *testing.T, b *Broker, change func(*mochi.Packet)) *peer {
	t.Helper()
	return connectOver(t, dialTCP(t, b), change)
}

func connectOver(t *testing.T, c net.Conn, change func(*mochi.Packet)) *peer {
	t.Helper()
	p := tryConnectOver(t, c, change)
	if p.connack.ReasonCode != 0 {
		t.Fatalf("CONNACK reason %#x", p.connack.ReasonCode)
	}
	return p
}

func tryConnectOver(t *testing.T, c net.Conn, change func(*mochi.Packet)) *peer {
	t.Helper()
	pk := mochi.Packet{FixedHeader: mochi.FixedHeader{Type: mochi.Connect}, ProtocolVersion: 5}
	pk.Connect = mochi.ConnectParams{
		ProtocolName: []byte("MQTT"), ClientIdentifier: "device", Keepalive: 60,
		WillFlag: true, WillTopic: "will", WillPayload: []byte("offline"),
	}
	pk.Properties.SessionExpiryInterval, pk.Properties.SessionExpiryIntervalFlag = 60, true
	pk.Mods.AllowResponseInfo = true
	change(&pk)
	var out bytes.Buffer
	if err := pk.ConnectEncode(&out); err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, conn: c}
	if _, err := p.conn.Write(out.Bytes()); err != nil {
		t.Fatal(err)
	}
	p.connack = expect[packets.Connack](p)
	return p
}

func TestWills(t *testing.T) {
	delayed := func(pk *mochi.Packet) { pk.Connect.WillProperties.WillDelayInterval = 30 }
	back := func(clean bool) func(*testing.T, *Broker, *peer) {
		return func(t *testing.T, b *Broker, _ *peer) {
			connect(t, dialTCP(t, b), func(c *packets.Connect) {
				c.ClientID, c.CleanStart = "device", clean
				c.Properties.SessionExpiryInterval = ptr(uint32(60))
			})
		}
	}
	lost := func(_ *testing.T, _ *Broker, p *peer) { _ = p.conn.Close() }
	for _, test := range []struct {
		name  string
		will  func(*mochi.Packet)
		ends  []func(*testing.T, *Broker, *peer)
		comes bool
	}{
		{"connection lost", func(*mochi.Packet) {}, []func(*testing.T, *Broker, *peer){lost}, true},
		{"empty", func(pk *mochi.Packet) { pk.Connect.WillPayload = nil }, []func(*testing.T, *Broker, *peer){lost}, true},
		{"DISCONNECT", func(*mochi.Packet) {}, []func(*testing.T, *Broker, *peer){func(_ *testing.T, _ *Broker, p *peer) { p.disconnect() }}, false},
		{"DISCONNECT with will message", delayed, []func(*testing.T, *Broker, *peer){func(_ *testing.T, _ *Broker, p *peer) {
			d := packets.NewControlPacket(packets.DISCONNECT)
			d.Content.(*packets.Disconnect).ReasonCode = packets.DisconnectDisconnectWithWillMessage
			d.Content.(*packets.Disconnect).Properties = &packets.Properties{SessionExpiryInterval: ptr(uint32(0))} // ends the session
			p.send(d)
		}}, true},
		{"DISCONNECT that may not extend the session", func(pk *mochi.Packet) { pk.Properties = mochi.Properties{} }, []func(*testing.T, *Broker, *peer){func(_ *testing.T, _ *Broker, p *peer) {
			d := packets.NewControlPacket(packets.DISCONNECT)
			d.Content.(*packets.Disconnect).Properties = &packets.Properties{SessionExpiryInterval: ptr(uint32(60))} // a protocol error (3.14.2.2.2)
			p.send(d)
		}}, true},
		{"taken over", func(*mochi.Packet) {}, []func(*testing.T, *Broker, *peer){back(false)}, true},
		{"taken over before its delay", delayed, []func(*testing.T, *Broker, *peer){back(false)}, false}, // [MQTT-3.1.3-9]
		{"taken over by a clean start", delayed, []func(*testing.T, *Broker, *peer){back(true)}, true},   // the session has ended
		{"back before its delay", delayed, []func(*testing.T, *Broker, *peer){lost, back(false)}, false}, // [MQTT-3.1.3-9]
		{"back with a clean start", delayed, []func(*testing.T, *Broker, *peer){lost, back(true)}, true}, // the session has ended
	} {
		t.Run(test.name, func(t *testing.T) {
			b := start(t, Options{})
			watcher := connect(t, dialTCP(t, b), nil)
			watcher.subscribe("#", 0)
			device := connectWithWill(t, b, test.will)
			for i, end := range test.ends {
				if i > 0 { // the client has left
					waitFor(t, func() bool { s := b.policy.sessions.get("device"); return s == nil || s.away() })
				}
				end(t, b, device)
			}
			if !test.comes {
				device.expectEnd()
				if s := b.policy.sessions.get("device"); s != nil && s.cancelWill() != nil {
					t.Error("a will is waiting")
				}
				watcher.publish(0, 0, false, "last", "")
				if m := expect[packets.Publish](watcher); m.Topic != "last" {
					t.Errorf("got %s", m.Topic)
				}
			} else if m := expect[packets.Publish](watcher); m.Topic != "will" {
				t.Errorf("got %s", m.Topic)
			}
			waitFor(t, func() bool { return b.policy.sessions.wills.Load() == 0 && b.policy.sessions.bytes.Load() == 0 })
		})
	}
}

// A will has its properties (3.1.3.2), and counts toward the limit for retained messages.
func TestWillProperties(t *testing.T) {
	b := start(t, Options{lower: func(q *quotas) { q.retained = b0(t).server.Topics.Retained.Len() }})
	watcher := connect(t, dialTCP(t, b), nil)
	watcher.subscribe("will", 1)
	_ = connectWithWill(t, b, func(pk *mochi.Packet) {
		pk.Connect.WillQos, pk.Connect.WillRetain = 1, false
		p := &pk.Connect.WillProperties
		p.ContentType, p.ResponseTopic, p.CorrelationData, p.MessageExpiryInterval = "text/plain", "answer", []byte("1"), 30
		p.User = []mochi.UserProperty{{Key: "k", Val: "v"}}
	}).conn.Close()
	m := expect[packets.Publish](watcher)
	p := m.Properties
	if m.QoS != 1 || p.ContentType != "text/plain" || p.ResponseTopic != "answer" || string(p.CorrelationData) != "1" ||
		p.MessageExpiry == nil || *p.MessageExpiry > 30 || len(p.User) != 1 {
		t.Errorf("QoS %d, %+v", m.QoS, p)
	}
	device := connectWithWill(t, b, func(pk *mochi.Packet) { pk.Connect.WillRetain = true })
	_ = device.conn.Close()
	waitFor(t, func() bool { return b.policy.sessions.get("device").away() })
	if _, ok := b.server.Topics.Retained.Get("will"); ok {
		t.Error("it is retained beyond the limit")
	}
}

// 4.1: the session's will and expiry time survive a restart.
func TestWillsSurvive(t *testing.T) {
	for _, ending := range endings {
		t.Run(ending.name, func(t *testing.T) {
			dir := t.TempDir()
			b := start(t, Options{DataDir: dir})
			connectWithWill(t, b, func(pk *mochi.Packet) {
				pk.Connect.WillQos, pk.Connect.WillRetain = 1, true
				pk.Connect.WillProperties.WillDelayInterval = 1
				pk.Connect.WillProperties.ContentType = "text/plain"
			})
			again := start(t, Options{DataDir: ending.end(t, b, dir)})
			watcher := connect(t, dialTCP(t, again), nil)
			watcher.subscribe("will", 1)
			if m := expect[packets.Publish](watcher); string(m.Payload) != "offline" || m.Properties.ContentType != "text/plain" {
				t.Errorf("%s", m)
			}
			p := connect(t, dialTCP(t, again), lastingAs("device"))
			p.disconnect() // discards the will before the next restart
			third := start(t, Options{DataDir: dirOf(t, again)})
			if s := third.policy.sessions.get("device"); s == nil || s.cancelWill() != nil {
				t.Error("the will is there again")
			}
		})
	}
}

func TestSessionExpirySurvives(t *testing.T) {
	for _, ending := range endings {
		t.Run(ending.name, func(t *testing.T) {
			dir := t.TempDir()
			b := start(t, Options{DataDir: dir})
			connect(t, dialTCP(t, b), lastingAs("device")).disconnect()
			s := b.policy.sessions.get("device")
			waitFor(t, s.away)
			s.all.delivery.Lock() // which a leaving client holds until it is done
			s.all.mu.Lock()
			s.left = s.left.Add(-58 * time.Second) // of 60
			s.all.mu.Unlock()
			cl, _ := b.server.Clients.Get("device")
			b.policy.store.putRecord(cl, s)
			s.all.delivery.Unlock()
			b.policy.store.flush("")
			again := start(t, Options{DataDir: ending.end(t, b, dir)})
			waitFor(t, func() bool { return again.policy.sessions.get("device") == nil })
		})
	}
}

// dirOf closes b and returns its data directory.
func dirOf(t *testing.T, b *Broker) string {
	t.Helper()
	dir := filepath.Dir(b.policy.store.db.Path())
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A WebSocket frame that is cut off is not a packet: its bytes, still masked, could pass
// for one (RFC 6455, 5.3).
func TestCutOffFrame(t *testing.T) {
	b := start(t, Options{})
	watcher := connect(t, dialTCP(t, b), nil)
	watcher.subscribe("will", 0)
	near, far := net.Pipe()
	connectOver(t, webSocketOver(t, b, near, far), func(*mochi.Packet) {})
	frame := []byte{0x82, 0x80 | 100, 1, 2, 3, 4, packets.DISCONNECT << 4, 0} // announces 100 bytes
	if _, err := near.Write(frame); err != nil {
		t.Fatal(err)
	}
	_ = near.Close()
	waitFor(t, func() bool { return b.policy.sessions.get("device").away() })
	watcher.publish(0, 0, false, "will", "none")
	if m := expect[packets.Publish](watcher); string(m.Payload) != "offline" {
		t.Errorf("got %s", m.Payload)
	}
}

// Wills count toward the bytes that sessions may hold, whether delayed or of a connected
// client. Beyond that CONNECT is refused with 0x97.
func TestWillsAreBounded(t *testing.T) {
	const size, fit = 8 << 10, 3
	dir := t.TempDir()
	lower := func(q *quotas) { q.allSessionBytes = 4 * fit * (size + 2*overhead) }
	b := start(t, Options{DataDir: dir, lower: lower})
	will := func(i int) func(*mochi.Packet) {
		return func(pk *mochi.Packet) {
			pk.Connect.ClientIdentifier, pk.Connect.WillPayload = fmt.Sprint(i), make([]byte, size)
			pk.Connect.WillProperties.WillDelayInterval = 50
		}
	}
	refused := func(b *Broker) {
		t.Helper()
		if p := tryConnectOver(t, dialTCP(t, b), will(fit)); p.connack.ReasonCode != packets.ConnackQuotaExceeded {
			t.Errorf("CONNACK reason %#x", p.connack.ReasonCode)
		}
	}
	var last *peer
	for i := range fit {
		last = connectOver(t, dialTCP(t, b), will(i))
		if i > 0 { // 1 and 2 leave a delayed will, 0 stays connected
			_ = last.conn.Close()
			waitFor(t, b.policy.sessions.get(fmt.Sprint(i)).away)
		}
	}
	refused(b)
	one := b.policy.sessions.get("1")
	if one.size() < size || b.policy.sessions.bytes.Load() < fit*size {
		t.Errorf("%d bytes are counted for a will, %d for all", one.size(), b.policy.sessions.bytes.Load())
	}
	last = connectOver(t, dialTCP(t, b), will(1)) // replaces its own will
	_ = last.conn.Close()
	waitFor(t, b.policy.sessions.get("1").away)

	again := start(t, Options{DataDir: dirOf(t, b), lower: lower})
	refused(again)
	for i := range fit {
		connectOver(t, dialTCP(t, again), func(pk *mochi.Packet) { will(i)(pk); pk.Connect.WillFlag = false }).disconnect()
	}
	connectOver(t, dialTCP(t, again), will(fit)).disconnect()
	waitFor(t, func() bool { return again.policy.sessions.bytes.Load() == 0 })
}

// A client that is refused because its session cannot be stored leaves no will.
func TestRefusedClientLeavesNoWill(t *testing.T) {
	b := start(t, Options{DataDir: t.TempDir()})
	watcher := connect(t, dialTCP(t, b), nil)
	watcher.subscribe("will", 0)
	filler := connect(t, dialTCP(t, b), nil)
	full(b, true)
	payload := ""
	for i := 0; ; i++ { // until the file has no room left
		payload = fmt.Sprint(i)
		p := tryConnectOver(t, dialTCP(t, b), func(pk *mochi.Packet) {
			pk.Connect.ClientIdentifier, pk.Connect.WillPayload = payload, []byte(payload)
		})
		if p.connack.ReasonCode == packets.ConnackQuotaExceeded {
			p.expectEnd()
			break
		}
		filler.publish(1, 1, true, "filler/"+payload, strings.Repeat("x", 1000))
		expect[packets.Puback](filler)
	}
	waitFor(t, func() bool { return b.policy.sessions.get(payload).away() })
	watcher.publish(0, 0, false, "will", "none")
	if m := expect[packets.Publish](watcher); string(m.Payload) != "none" {
		t.Errorf("the will was published: %s", m.Payload)
	}
	full(b, false)
}
