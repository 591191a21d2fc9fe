package mqtt

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// [MQTT-3.2.2-15]: only PUBLISH was checked against the broker's Maximum Packet Size; a
// larger SUBSCRIBE, UNSUBSCRIBE or AUTH ended the connection.
func TestMaximumPacketSizeOfEveryPacket(t *testing.T) {
	const maximum = 60
	limit := []byte{0x27, 0, 0, 0, maximum}
	long := strings.Repeat("f", maximum)
	t.Run("SUBSCRIBE and UNSUBSCRIBE", func(t *testing.T) {
		c, _, b, _ := start(t, nil, limit...)
		wantCode(t, <-subscribing(c, Subscription{Filter: long}), PacketTooLarge, "filter")
		wantCode(t, <-unsubscribing(c, long), PacketTooLarge, "filter")
		_, err := c.Subscribe(background, []Subscription{{Filter: "a"}}, SubscribeOptions{UserProperties: UserProperties{{Key: "k", Value: long}}})
		wantCode(t, err, PacketTooLarge, "filter")
		exactly := long[:maximum-2-2-1-2-1] // fixed header, identifier, properties, length, options
		granted := subscribing(c, Subscription{Filter: exactly})
		b.suback(wantSubscribe(t, b, exactly).PacketID, 0)
		wantNil(t, granted)
		wantCode(t, <-subscribing(c, Subscription{Filter: exactly + "f"}), PacketTooLarge, "filter")
	})
	t.Run("that waited for the connection", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, s, log := away(t, offline)
			large := subscribing(c, Subscription{Filter: long})
			gone := unsubscribing(c, long)
			synctest.Wait()
			small := subscribing(c, Subscription{Filter: "a"})
			synctest.Wait()
			c.Wake()
			b := s.next()
			b.accept(1, limit...)
			b.suback(wantSubscribe(t, b, "a").PacketID, 0)
			wantNil(t, small)
			wantCode(t, <-large, PacketTooLarge, "filter")
			wantCode(t, <-gone, PacketTooLarge, "filter")
			b.nothing()
			wait[Connected](log)
		})
	})
	t.Run("subscribing again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, s, b, log := start(t, withSession)
			subscribe(t, c, b, "a", long)
			wait[Connected](log)
			b = again(t, s, b, 0, limit...)
			b.suback(wantSubscribe(t, b, "a").PacketID, 1)
			wantCode(t, wait[Failed](log).Err, PacketTooLarge, "filter")
			wait[Connected](log)
			b.nothing()
		})
	})
	t.Run("AUTH", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, _, b, log := start(t, func(o *Options) { o.Authenticator = largeAuth{maximum} }, append(limit, 0x15, 0, 1, 'm')...)
			wantCode(t, c.Reauthenticate(background), PacketTooLarge, "")
			b.nothing()
			wantNil(t, publishAsync(c, Message{Topic: "alive"}))
			if n := len(seen[Closed](log)); n > 0 {
				t.Errorf("closed %d times", n)
			}
		})
	})
	t.Run("DISCONNECT", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, _, b, _ := start(t, nil, limit...)
			for _, o := range []DisconnectOptions{{ReasonString: long}, {UserProperties: UserProperties{{Key: "k", Value: long}}}} {
				wantCode(t, c.Disconnect(background, o), PacketTooLarge, "reasonString")
			}
			b.nothing()
			if err := c.Disconnect(background, DisconnectOptions{ReasonString: "bye"}); err != nil {
				t.Error(err)
			}
			if p := b.read(); p == nil || p.Type != packets.DISCONNECT {
				t.Errorf("got %v, want DISCONNECT", p)
			}
		})
	})
}

// largeAuth sends size bytes when it authenticates.
type largeAuth struct{ size int }

func (a largeAuth) Method() string { return "m" }

func (a largeAuth) Start(context.Context) ([]byte, error) { return make([]byte, a.size), nil }

func (a largeAuth) Continue(context.Context, []byte) ([]byte, error) { return nil, nil }

func (a largeAuth) Finish(context.Context, []byte) error { return nil }

// [MQTT-3.3.4-7]: five messages in flight were all resent to a broker that had lowered
// its Receive Maximum to 1.
func TestReceiveMaximumShrinksWhileAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, b, _ := start(t, withSession, 0x21, 0, 10)
		var done []<-chan error
		for i := range 5 {
			done = append(done, publishAsync(c, Message{Topic: fmt.Sprint(i), QoS: byte(1 + i%2)}))
		}
		wantTopics(t, b, "0", "1", "2", "3", "4")
		b = again(t, s, b, 1, 0x21, 0, 1)
		for i := range 5 {
			p := publishOf(t, b.read())
			if p.Topic != fmt.Sprint(i) || !p.Duplicate {
				t.Errorf("got %v in place of %d", p, i)
			}
			b.nothing()
			if p.QoS == 1 {
				b.puback(p.PacketID)
				continue
			}
			b.send(answerFrame(0x50, p.PacketID)...)
			b.expect(answerFrame(0x62, p.PacketID)...)
			b.nothing() // PUBREC frees no quota (4.9)
			b.send(answerFrame(0x70, p.PacketID)...)
		}
		wantNil(t, done...)
	})
}

// 4.9: a message released on the last connection used up the new Receive Maximum, while
// its PUBREL was queued behind a message that waited for quota.
func TestPubrelDoesNotWaitForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, b, _ := start(t, withSession, 0x21, 0, 10)
		first := publishAsync(c, Message{Topic: "first", QoS: 1})
		second := publishAsync(c, Message{Topic: "second", QoS: 2})
		wantTopics(t, b, "first", "second")
		b.send(answerFrame(0x50, 2)...)
		b.expect(answerFrame(0x62, 2)...)
		b = again(t, s, b, 1, 0x21, 0, 1)
		for range 2 {
			switch p := b.read(); {
			case p == nil:
				t.Fatal("closed")
			case p.Type == packets.PUBREL:
				b.send(answerFrame(0x70, 2)...)
			default:
				b.puback(publishOf(t, p).PacketID)
			}
		}
		wantNil(t, first, second)
	})
}

// [MQTT-4.3.3-10]: the identifier of a QoS 2 message that ended here, but not at the
// broker, was used for another message, which the broker took for a duplicate.
func TestIdentifierThatTheBrokerHoldsIsNotFree(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, token *Token, s *scripted, b *brokerConn) *brokerConn{
		"given up": func(_ *testing.T, token *Token, _ *scripted, b *brokerConn) *brokerConn {
			token.Cancel(&Error{Code: Aborted, Message: "enough"})
			return b
		},
		"given up before PUBREC": func(_ *testing.T, token *Token, _ *scripted, b *brokerConn) *brokerConn {
			token.Cancel(&Error{Code: Aborted, Message: "enough"})
			b.send(answerFrame(0x50, 1)...)
			b.expect(answerFrame(0x62, 1)...)
			return b
		},
		"over a smaller Maximum QoS": func(t *testing.T, token *Token, s *scripted, b *brokerConn) *brokerConn {
			b = again(t, s, b, 1, 0x24, 1)
			b.nothing()
			return again(t, s, b, 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s, b, log := start(t, withSession)
				wait[Connected](log)
				token := c.PublishAsync(&Message{Topic: "t", QoS: 2}, PublishOptions{})
				if p := publishOf(t, b.read()); p.PacketID != 1 {
					t.Fatalf("got %v", p)
				}
				b = end(t, token, s, b)
				if _, err := token.Wait(background); err == nil {
					t.Error("not settled with an error")
				}
				synctest.Wait()
				var acks []byte
				for n := 0; n < 65_535; { // all other identifiers are used before its turn comes
					var done []<-chan error
					for ; len(done) < 1000 && n < 65_535; n++ {
						done = append(done, publishAsync(c, Message{Topic: "n", QoS: 1}))
					}
					acks = acks[:0]
					for range done {
						var frame [8]byte
						if _, err := io.ReadFull(b, frame[:]); err != nil || frame[0] != 0x32 {
							t.Fatalf("got % x, %v", frame, err)
						}
						id := uint16(frame[5])<<8 | uint16(frame[6])
						if id == 1 {
							t.Fatalf("its identifier is given to message %d", n)
						}
						acks = append(acks, answerFrame(0x40, id)...)
					}
					b.send(acks...)
					wantNil(t, done...)
				}
			})
		})
	}
}

// 3.14.2.2.2: a Session Expiry Interval in DISCONNECT is a protocol error if CONNECT
// had 0. It was sent.
func TestDisconnectDoesNotRaiseSessionExpiryFromZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, b, _ := start(t, nil)
		hour, zero := time.Hour, time.Duration(0)
		wantCode(t, c.Disconnect(background, DisconnectOptions{SessionExpiry: &hour}), BadOption, "sessionExpiryInterval")
		b.nothing()
		wantNil(t, publishAsync(c, Message{Topic: "alive"}))
		wantTopics(t, b, "alive")
		if err := c.Disconnect(background, DisconnectOptions{SessionExpiry: &zero}); err != nil {
			t.Error(err)
		}
		if p := b.read(); p == nil || p.Type != packets.DISCONNECT {
			t.Errorf("got %v, want DISCONNECT", p)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c, _, b, _ := start(t, withSession)
		hour := time.Hour
		if err := c.Disconnect(background, DisconnectOptions{SessionExpiry: &hour}); err != nil {
			t.Error(err)
		}
		p := b.read().Content.(*packets.Disconnect)
		if p.Properties.SessionExpiryInterval == nil || *p.Properties.SessionExpiryInterval != 3600 {
			t.Errorf("DISCONNECT %v", p)
		}
	})
}

// 3.14.2.1: reason codes that only a server may use, such as 0x8B, server shutting
// down, were sent, too.
func TestDisconnectReasonsAreTheClients(t *testing.T) {
	ours := []byte{0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99}
	synctest.Test(t, func(t *testing.T) {
		c, _, b, _ := start(t, nil)
		for reason := range 256 {
			if !slices.Contains(ours, byte(reason)) {
				wantCode(t, c.Disconnect(background, DisconnectOptions{ReasonCode: byte(reason)}), BadOption, "reasonCode")
			}
		}
		b.nothing()
		wantNil(t, publishAsync(c, Message{Topic: "alive"}))
	})
	for _, reason := range ours {
		synctest.Test(t, func(t *testing.T) {
			c, _, b, _ := start(t, nil)
			if err := c.Disconnect(background, DisconnectOptions{ReasonCode: reason}); err != nil {
				t.Error(err)
			}
			if p := b.read(); p == nil || p.Type != packets.DISCONNECT || p.Content.(*packets.Disconnect).ReasonCode != reason {
				t.Errorf("0x%02X: got %v", reason, p)
			}
		})
	}
}

// 3.1.3.2: a will has no topic alias. It was sent.
func TestWillWithATopicAlias(t *testing.T) {
	alias := uint16(3)
	s := newScripted(t)
	o := s.options()
	o.Will = &Will{Message: Message{Topic: "t", Properties: Properties{TopicAlias: &alias}}}
	_, err := Connect(background, o)
	wantCode(t, err, BadOption, "will.properties.topicAlias")
	_, err = New(background, o)
	wantCode(t, err, BadOption, "will.properties.topicAlias")
	if len(s.dials) > 0 {
		t.Error("it connects")
	}
}
