package mqtt

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
)

// Request publishes a message and waits for its answer (4.10): it sets the
// Response Topic, made from the broker's Response Information where there is
// one, and Correlation Data. Many requests may be under way. Its error is
// Refused with reason code 0x10 when the broker says that nobody listens. An
// answer does not come from Receive too.
func (c *Client) Request(ctx context.Context, m Message) (Message, error) {
	b, err := c.RequestBatch(ctx, m)
	if err != nil {
		return Message{}, err
	}
	for answer := range b.Messages() {
		return answer, nil
	}
	return Message{}, nil
}

// RequestBatch is Request with the answer as a batch of one message.
func (c *Client) RequestBatch(ctx context.Context, m Message) (*Batch, error) {
	if m.Properties.ResponseTopic != "" || m.Properties.CorrelationData != nil {
		return nil, badOption("properties", "responseTopic and correlationData of a request are set by the client")
	}
	topic, err := c.answers.subscribe(ctx, c)
	if err != nil {
		return nil, err
	}
	correlation, answer := c.answers.expect()
	defer c.answers.forget(correlation)
	m.Properties.ResponseTopic, m.Properties.CorrelationData = topic, []byte(correlation)

	published := make(chan error, 1)
	cancel := c.PublishAsync(&m, func(r PublishResult, err error) {
		if err == nil && r.ReasonCode == reasonNoSubscribers {
			err = refused("request", r.ReasonCode, r.ReasonString)
		}
		published <- err
	})
	for {
		select {
		case record, ok := <-answer:
			if !ok {
				return nil, c.notConnected()
			}
			return &Batch{Records: [][]byte{record}, Count: 1}, nil
		case err := <-published:
			if err != nil {
				return nil, err
			}
			published = nil
		case <-ctx.Done():
			err := fromContext(ctx, "request")
			cancel(err)
			return nil, err
		}
	}
}

// Reply publishes the answer to a request that was received: to its Response
// Topic, with its Correlation Data [MQTT-3.3.2-16]. Everything else is as in
// Publish.
func (c *Client) Reply(ctx context.Context, request *Message, answer Message) (PublishResult, error) {
	if request.Properties.ResponseTopic == "" {
		return PublishResult{}, badOption("properties.responseTopic", "is missing; the message does not ask for an answer")
	}
	answer.Topic = request.Properties.ResponseTopic
	answer.Properties.CorrelationData = request.Properties.CorrelationData
	return c.Publish(ctx, answer)
}

// answers hands the answers to requests to those who wait for them. They don't
// pass the inbox: whoever works on a message that he received may ask for
// something meanwhile, and must not wait for himself.
type answers struct {
	subscribing chan struct{} // holds one element while somebody does

	mu      sync.Mutex
	basis   string // that topic was made from
	topic   string // "": not subscribed
	next    uint64
	pending map[string]chan []byte // by correlation data; closed when the client ends
	ended   bool
}

// subscribe returns the topic that answers shall go to, and makes sure that
// they come.
func (a *answers) subscribe(ctx context.Context, c *Client) (string, error) {
	select { // one subscription, however many ask at once
	case a.subscribing <- struct{}{}:
		defer func() { <-a.subscribing }()
	case <-ctx.Done():
		return "", fromContext(ctx, "request")
	}
	basis := strings.TrimSuffix(c.Connack().ResponseInfo, "/")
	if basis == "" || checkTopicName("", basis) != nil {
		basis = "mqttwasm"
	}
	a.mu.Lock()
	topic, current := a.topic, a.basis == basis
	a.mu.Unlock()
	if current && c.subscribed(topic) {
		return topic, nil
	}
	topic = fmt.Sprintf("%s/response/%016x", basis, rand.Uint64())
	if _, err := c.Subscribe(ctx, []Subscription{{Filter: topic, QoS: 1}}, SubscribeOptions{}); err != nil {
		return "", err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.basis, a.topic = basis, topic
	return topic, nil
}

func (a *answers) expect() (correlation string, answer <-chan []byte) {
	ch := make(chan []byte, 1)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next++
	correlation = string(binary.BigEndian.AppendUint64(nil, a.next))
	if a.ended {
		close(ch)
		return correlation, ch
	}
	if a.pending == nil {
		a.pending = map[string]chan []byte{}
	}
	a.pending[correlation] = ch
	return correlation, ch
}

func (a *answers) forget(correlation string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.pending, correlation)
}

// take keeps a message that answers a request which still waits.
func (a *answers) take(p *publishPacket, topic []byte, at float64) bool {
	if len(p.properties) == 0 { // no correlation data
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.topic == "" || string(topic) != a.topic {
		return false
	}
	correlation := string(decodeProperties(p.properties).CorrelationData)
	answer, ok := a.pending[correlation]
	if !ok {
		return false
	}
	delete(a.pending, correlation)
	answer <- appendRecord(nil, recordSize(topic, p), p, topic, at)
	return true
}

func (a *answers) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	for correlation, answer := range a.pending {
		delete(a.pending, correlation)
		close(answer)
	}
}
