package main

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// attack is an attempt by one user, mallory, to exceed the broker's limits, which the
// broker refuses with a reason code.
type attack struct {
	name string
	run  func(t *testing.T, address string)
}

func attacks(identifiers int) []attack {
	return []attack{
		{"topics and filters of 10,000 levels", deepTopics},
		{"100,000 subscriptions of one client", manySubscriptions},
		{fmt.Sprintf("%d client identifiers of one user", identifiers), func(t *testing.T, address string) {
			manySessions(t, address, identifiers)
		}},
	}
}

func as(user string, with func(*packets.Connect)) func(*packets.Connect) {
	return func(content *packets.Connect) {
		with(content)
		content.UsernameFlag, content.Username = true, user
		content.PasswordFlag, content.Password = true, []byte("pencil")
	}
}

func deepTopics(t *testing.T, address string) {
	deep := strings.Repeat("/", 9_999)
	var attacking sync.WaitGroup
	for range 4 {
		c := openStream(t, address, as("mallory", passing)).Conn
		attacking.Go(func() {
			for range 250 {
				for _, filter := range []string{deep, strings.Repeat("+/", 9_999) + "+", deep + "#"} {
					if reason := subscribe(t, c, 1, filter)[0]; reason != packets.SubackTopicFilterinvalid {
						t.Errorf("SUBACK reason %#x", reason)
					}
				}
				cp := packets.NewControlPacket(packets.PUBLISH)
				cp.Flags = 1<<1 | 1
				content := cp.Content.(*packets.Publish)
				content.PacketID, content.QoS, content.Retain, content.Topic, content.Payload = 1, 1, true, deep, []byte("x")
				if _, err := cp.WriteTo(c); err != nil {
					t.Error(err)
				}
				if reason := receive[packets.Puback](t, c).ReasonCode; reason != packets.PubackTopicNameInvalid {
					t.Errorf("PUBACK reason %#x", reason)
				}
			}
		})
	}
	attacking.Wait()
	will := handshake(t, dialTCP(t, address), as("mallory", func(content *packets.Connect) {
		content.WillFlag, content.WillTopic, content.WillMessage = true, deep, []byte("x")
		content.WillProperties = &packets.Properties{}
	}))
	if will.ReasonCode != packets.ConnackTopicNameInvalid {
		t.Errorf("CONNACK reason %#x", will.ReasonCode)
	}
}

func manySubscriptions(t *testing.T, address string) {
	c := openStream(t, address, as("mallory", func(content *packets.Connect) {
		lastingAs("many")(content)
		content.CleanStart = true
	})).Conn
	codes := make(map[byte]int)
	for i := range 100 {
		var filters []string
		for j := range 1000 {
			filters = append(filters, fmt.Sprintf("many/%d/+/%d/#", i, j))
		}
		for _, reason := range subscribe(t, c, 1, filters...) {
			codes[reason]++
		}
	}
	if len(codes) != 2 || codes[1] != 5_000 || codes[packets.SubackQuotaexceeded] != 95_000 {
		t.Errorf("SUBACK reasons, and how often: %v", codes)
	}
}

func manySessions(t *testing.T, address string, identifiers int) {
	const most, workers = 1_000, 16
	var accepted, refused atomic.Int32
	var attacking sync.WaitGroup
	for worker := range workers {
		attacking.Go(func() {
			for i := worker; i < identifiers; i += workers {
				c, err := net.Dial("tcp", address)
				if err != nil {
					t.Error(err)
					return
				}
				switch reason := handshake(t, c, as("mallory", lastingAs(fmt.Sprint("mallory-", i)))).ReasonCode; reason {
				case 0:
					accepted.Add(1)
					t.Cleanup(func() { _ = c.Close() }) // stays open
					continue
				case packets.ConnackQuotaExceeded:
					refused.Add(1)
				default:
					t.Errorf("CONNACK reason %#x", reason)
				}
				_ = c.Close()
			}
		})
	}
	attacking.Wait()
	if accepted.Load() > most+workers || int(accepted.Load()+refused.Load()) != identifiers {
		t.Errorf("%d client identifiers accepted, %d refused", accepted.Load(), refused.Load())
	}
}

// others has clients of another user publish to themselves during the attack, with a pause
// after each message. It returns the round-trip times. A lost message fails the test.
func others(t *testing.T, address string, pause time.Duration, attack func()) []time.Duration {
	const clients = 5
	var done atomic.Bool
	var delays [clients][]time.Duration
	var running sync.WaitGroup
	for i := range clients {
		topic := fmt.Sprint("others/", i)
		s := openStream(t, address, as("alice", func(c *packets.Connect) {
			lastingAs(fmt.Sprint("alice-", i))(c)
			c.CleanStart = true // the last acknowledgement of the previous attack may be unread
		}), topic)
		running.Go(func() {
			defer s.Close()
			for over := false; !over; time.Sleep(pause) {
				over = done.Load()
				began := time.Now()
				s.publish(t, uint16(1+len(delays[i])%50_000), false, topic, "message")
				if !s.returned(t) {
					return
				}
				delays[i] = append(delays[i], time.Since(began))
			}
		})
	}
	attack()
	done.Store(true)
	running.Wait()
	return slices.Sorted(slices.Values(slices.Concat(delays[:]...)))
}

// returned waits for the PUBACK of a message that the client published to itself, and for
// the message.
func (s *stream) returned(t *testing.T) bool {
	for rest := 2; rest > 0; rest-- {
		packet, err := s.next()
		if err == nil && packet[0]>>4 == packets.PUBLISH {
			topic := int(packet[3])
			_, err = s.Write([]byte{0x40, 2, packet[4+topic], packet[5+topic]})
		} else if err == nil && (packet[0] != 0x40 || len(packet) > 4 && packet[4] >= 0x80) {
			err = fmt.Errorf("% x", packet)
		}
		if err != nil {
			t.Errorf("others: %v", err)
			return false
		}
	}
	return true
}

// attacked returns the flags of a server with two users and a data directory.
func attacked(t *testing.T) []string {
	t.Helper()
	users := writeUsers(t, filepath.Join(t.TempDir(), "users.json"), map[string]string{"alice": "#", "mallory": "#"})
	return []string{"-broker-auth", users, "-data", t.TempDir()}
}

func TestAttacksOnLimits(t *testing.T) {
	s := launch(t, append(attacked(t), "-addr", "127.0.0.1:0", "-mqtt-addr", "127.0.0.1:0")...)
	_ = openStream(t, s.tcp, as("alice", lastingAs("kept")), "kept").Close()
	for _, attack := range attacks(1_050) {
		t.Run(attack.name, func(t *testing.T) {
			t.Log(len(others(t, s.tcp, 10*time.Millisecond, func() { attack.run(t, s.tcp) })), "messages of others")
		})
	}
	if connack := handshake(t, dialTCP(t, s.tcp), as("alice", lastingAs("kept"))); !connack.SessionPresent {
		t.Error("another user's session is gone")
	}
}
