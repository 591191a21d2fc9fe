package mqtt

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/eclipse/paho.golang/packets"

	"mqttwasm/wasm/mqtt/internal/inbox"
	"mqttwasm/wasm/mqtt/internal/wire"
)

// Request publishes a message and waits for its answer (4.10): it sets the Response
// Topic, made from the broker's Response Information if there is one, and Correlation
// Data, and subscribes to that topic first if needed. Many requests may be pending at
// once. Receive does not return the answers.
//
// At QoS 1 and 2 its error is Refused with reason code 0x10 when the broker says that
// there are no subscribers. Otherwise it fails as Subscribe and Publish do, and with
// Timeout or Aborted if ctx ends before the answer arrives.
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
		return nil, wire.Invalid("properties", "responseTopic and correlationData of a request are set by the client")
	}
	topic, err := c.responses.subscribe(ctx, c)
	if err != nil {
		return nil, err
	}
	correlation, answer := c.responses.expect(topic)
	defer c.responses.forget(topic, correlation)
	m.Properties.ResponseTopic, m.Properties.CorrelationData = topic, []byte(correlation)

	token := c.PublishAsync(&m, PublishOptions{})
	published := token.Done()
	for {
		select {
		case record, ok := <-answer:
			if !ok {
				return nil, c.notConnected()
			}
			return &Batch{Count: 1, batch: inbox.Batch{Records: [][]byte{record}, Count: 1}, client: c}, nil
		case <-published:
			r, err := token.Result()
			if err == nil && r.ReasonCode == wire.ReasonNoMatchingSubscribers {
				err = wire.RefusedError("request", r.ReasonCode, r.ReasonString)
			}
			if err != nil {
				return nil, err
			}
			published = nil
		case <-ctx.Done():
			err := wire.ContextError(ctx, "request")
			token.Cancel(err)
			return nil, err
		}
	}
}

// Reply publishes the answer to a request that was received: to its Response Topic,
// with its Correlation Data (4.10.1). It fails with BadOption when there is no Response
// Topic, and otherwise as Publish does.
func (c *Client) Reply(ctx context.Context, request *Message, answer Message) (PublishResult, error) {
	if request.Properties.ResponseTopic == "" {
		return PublishResult{}, wire.Invalid("properties.responseTopic", "is missing; the message does not ask for an answer")
	}
	answer.Topic = request.Properties.ResponseTopic
	answer.Properties.CorrelationData = request.Properties.CorrelationData
	return c.Publish(ctx, answer)
}

// responses passes answers to the requests that wait for them. They bypass the inbox:
// the code that handles a received message may make a request, which must not wait
// until that message is handled.
type responses struct {
	subscribing chan struct{} // holds one element while a call does

	mu      sync.Mutex
	basis   string // from which topic was made
	topic   string // "": not subscribed
	next    uint64
	pending map[request]chan []byte // nil: the client has ended, which closes them
}

// request is what its answer has.
type request struct{ topic, correlation string }

// subscribe returns the response topic, and makes sure that it is subscribed to.
func (r *responses) subscribe(ctx context.Context, c *Client) (string, error) {
	select { // one subscription, however many requests need it
	case r.subscribing <- struct{}{}:
		defer func() { <-r.subscribing }()
	case <-ctx.Done():
		return "", wire.ContextError(ctx, "request")
	}
	basis := strings.TrimSuffix(c.Connack().ResponseInformation, "/")
	if basis == "" || wire.CheckTopicName("", basis) != nil {
		basis = "mqttwasm"
	}
	r.mu.Lock()
	topic, current := r.topic, r.basis == basis
	r.mu.Unlock()
	c.mu.Lock()
	current = current && c.session.Subscribed(topic)
	c.mu.Unlock()
	if current {
		return topic, nil
	}
	topic = fmt.Sprintf("%s/response/%016x", basis, rand.Uint64())
	if _, err := c.Subscribe(ctx, []Subscription{{Filter: topic, QoS: 1}}, SubscribeOptions{}); err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.basis, r.topic = basis, topic
	return topic, nil
}

func (r *responses) expect(topic string) (correlation string, answer <-chan []byte) {
	ch := make(chan []byte, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	correlation = string(binary.BigEndian.AppendUint64(nil, r.next))
	if r.pending == nil {
		close(ch)
	} else {
		r.pending[request{topic, correlation}] = ch
	}
	return correlation, ch
}

func (r *responses) forget(topic, correlation string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.pending, request{topic, correlation})
}

// take keeps a message that answers a request which still waits.
func (r *responses) take(p *wire.Publish, topic []byte, at float64) bool {
	if len(p.Properties) == 0 { // no correlation data
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pending) == 0 {
		return false
	}
	correlation, _ := wire.FindProperty(p.Properties, packets.PropCorrelationData)
	key := request{string(topic), string(correlation)}
	answer, ok := r.pending[key]
	if !ok {
		return false
	}
	delete(r.pending, key)
	if p.Kept != nil {
		p.Payload, p.Kept = p.Kept.Fetch(), nil
	}
	answer <- inbox.AppendRecord(nil, p, topic, at)
	return true
}

func (r *responses) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, answer := range r.pending {
		close(answer)
	}
	r.pending = nil
}
