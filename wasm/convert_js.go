package main

import (
	"math"
	"strings"
	"syscall/js"
	"time"

	"mqttwasm/wasm/mqtt"
)

const (
	maxUint16 = math.MaxUint16
	maxUint32 = math.MaxUint32
)

func parseOptions(p *parser) (o mqtt.Options) {
	o.URL = p.text("url")
	o.ClientID = p.text("clientId")
	o.Username = p.text("username")
	o.Password = p.bytes("password")
	o.KeepSession = !p.boolean("clean", true)
	if o.KeepAlive = seconds(p.integer("keepalive", 0, maxUint16, int(mqtt.DefaultKeepAlive/time.Second))); o.KeepAlive == 0 {
		o.KeepAlive = mqtt.KeepAliveOff
	}
	o.ConnectTimeout = milliseconds(p.integer("connectTimeout", 1, maxMilliseconds, int(mqtt.DefaultConnectTimeout/time.Millisecond)))
	o.ReconnectMin = milliseconds(p.integer("reconnectPeriod", 0, maxMilliseconds, int(mqtt.DefaultReconnectMin/time.Millisecond)))
	o.ReconnectMax = milliseconds(p.integer("maxReconnectPeriod", 1, maxMilliseconds, int(max(mqtt.DefaultReconnectMax, o.ReconnectMin)/time.Millisecond)))
	if o.ReconnectMax < o.ReconnectMin {
		p.bad("maxReconnectPeriod", "must not be less than reconnectPeriod")
	}
	if p.boolean("reconnectOnConnackError", false) {
		o.Reconnect = mqtt.ReconnectAlways
	}
	if o.ReconnectMin == 0 {
		o.Reconnect = mqtt.ReconnectNever
	}
	o.ForgetSubscriptions = !p.boolean("resubscribe", true)
	o.SubscribeBatchSize = p.integer("subscribeBatchSize", 1, maxUint16, mqtt.DefaultSubscribeBatchSize)
	if version := p.integer("protocolVersion", 3, 5, 5); version != 5 {
		p.bad("protocolVersion", "must be 5; this client speaks MQTT 5 only")
	}

	for _, server := range p.list("servers") {
		o.Servers = append(o.Servers, p.asText("servers", server))
	}
	o.Republish = p.choice("sessionLost", "reject", "republish") == 1
	o.AutoTopicAlias = p.boolean("autoAssignTopicAlias", false)
	queue := p.sub("queue")
	o.Queue = mqtt.Queue{
		Messages: queue.integer("messages", 1, math.MaxInt32, mqtt.DefaultQueueMessages),
		Bytes:    queue.integer("bytes", 1, math.MaxInt32, mqtt.DefaultQueueBytes),
		Policy:   mqtt.QueuePolicy(queue.choice("policy", "reject", "drop-oldest", "drop-newest")),
	}
	if offline, qos0 := queue.boolean("offline", false), queue.boolean("qos0", true); offline && qos0 {
		o.Queue.Offline = mqtt.OfflineAll
	} else if offline {
		o.Queue.Offline = mqtt.OfflineQoS12
	}

	props := p.sub("properties")
	o.SessionExpiry = seconds(props.integer("sessionExpiryInterval", 0, maxUint32, 0))
	o.ReceiveMaximum = uint16(props.integer("receiveMaximum", 1, maxUint16, 0))
	o.MaximumPacketSize = uint32(props.integer("maximumPacketSize", 1, maxUint32, mqtt.DefaultMaximumPacketSize))
	o.TopicAliasMaximum = uint16(props.integer("topicAliasMaximum", 0, maxUint16, 0))
	o.RequestResponseInfo = props.boolean("requestResponseInformation", false)
	o.RequestProblemInfo = new(props.boolean("requestProblemInformation", true))
	o.UserProperties = props.userProperties()
	o.AuthMethod = props.text("authenticationMethod")
	o.AuthData = props.bytes("authenticationData")

	if !p.get("will").IsUndefined() {
		will := p.sub("will")
		o.Will = &mqtt.Will{}
		o.Will.Topic = will.text("topic")
		o.Will.Payload = will.bytes("payload")
		will.delivery(&o.Will.Message)
		props := will.sub("properties")
		o.Will.Delay = seconds(props.integer("willDelayInterval", 0, maxUint32, 0))
	}
	return o
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
func seconds(n int) time.Duration      { return time.Duration(n) * time.Second }

// optionalSeconds reads seconds; nil where the field is absent, which is not the same
// as 0.
func optionalSeconds(p *parser, name string) *time.Duration {
	if p.get(name).IsUndefined() {
		return nil
	}
	return new(seconds(p.integer(name, 0, maxUint32, 0)))
}

// message reads the arguments topic and payload, and what options say of the
// message.
func (p *parser) message(args []js.Value) (m mqtt.Message) {
	m.Topic = p.asText("topic", p.accept("topic", argument(args, 0)))
	m.Payload = p.asBytes("payload", p.accept("payload", argument(args, 1)))
	p.delivery(&m)
	return m
}

// delivery reads what PUBLISH and a will share.
func (p *parser) delivery(m *mqtt.Message) {
	m.QoS = byte(p.integer("qos", 0, 2, 0))
	m.Retain = p.boolean("retain", false)
	props := p.sub("properties")
	if !props.get("payloadFormatIndicator").IsUndefined() {
		m.Properties.PayloadFormat = new(byte(0))
		if props.boolean("payloadFormatIndicator", false) {
			*m.Properties.PayloadFormat = 1
		}
	}
	m.Properties.MessageExpiry = optionalSeconds(props, "messageExpiryInterval")
	if !props.get("topicAlias").IsUndefined() {
		m.Properties.TopicAlias = new(uint16(props.integer("topicAlias", 0, maxUint16, 0)))
	}
	m.Properties.ResponseTopic = props.text("responseTopic")
	m.Properties.CorrelationData = props.bytes("correlationData")
	m.Properties.User = props.userProperties()
	m.Properties.ContentType = props.text("contentType")
}

func (p *parser) subscription() (s mqtt.Subscription) {
	s.Filter = p.text("topic")
	s.QoS = byte(p.integer("qos", 0, 2, 0))
	s.NoLocal = p.boolean("nl", false)
	s.RetainAsPublished = p.boolean("rap", false)
	s.RetainHandling = byte(p.integer("rh", 0, 2, 0))
	s.Identifier = p.integer("identifier", 1, 268_435_455, 0)
	return s
}

// received prepares MQTT text for JavaScript: a Go string loses a leading U+FEFF when it
// is converted [MQTT-1.5.4-3].
func received(text string) string {
	if strings.HasPrefix(text, "\uFEFF") {
		return "\uFEFF" + text
	}
	return text
}

// ackValue is PublishAck and SubscribeAck, but for the reason codes.
func ackValue(reasonString string, user mqtt.UserProperties) map[string]any {
	v := map[string]any{}
	if reasonString != "" {
		v["reasonString"] = received(reasonString)
	}
	if len(user) > 0 {
		pairs := make([]any, len(user))
		for i, u := range user {
			pairs[i] = []any{received(u.Key), received(u.Value)}
		}
		v["userProperties"] = pairs
	}
	return v
}

func publishAck(r mqtt.PublishResult) map[string]any {
	v := ackValue(r.ReasonString, r.UserProperties)
	v["reasonCode"] = int(r.ReasonCode)
	return v
}

func subscribeAck(r mqtt.SubscribeResult) map[string]any {
	v := ackValue(r.ReasonString, r.UserProperties)
	codes := make([]any, len(r.ReasonCodes))
	for i, c := range r.ReasonCodes {
		codes[i] = int(c)
	}
	v["reasonCodes"] = codes
	return v
}

func connackValue(c mqtt.Connack) map[string]any {
	props := ackValue(c.ReasonString, c.UserProperties)
	props["sessionExpiryInterval"] = int64(c.SessionExpiry / time.Second)
	props["receiveMaximum"] = int(c.ReceiveMaximum)
	props["maximumQoS"] = int(c.MaximumQoS)
	props["retainAvailable"] = c.RetainAvailable
	props["maximumPacketSize"] = c.MaximumPacketSize
	props["topicAliasMaximum"] = int(c.TopicAliasMaximum)
	props["wildcardSubscriptionAvailable"] = c.WildcardAvailable
	props["subscriptionIdentifiersAvailable"] = c.SubscriptionIDsAvailable
	props["sharedSubscriptionAvailable"] = c.SharedAvailable
	props["serverKeepAlive"] = int(c.KeepAlive / time.Second)
	for name, text := range map[string]string{
		"responseInformation": c.ResponseInformation, "serverReference": c.ServerReference, "authenticationMethod": c.AuthMethod,
	} {
		if text != "" {
			props[name] = received(text)
		}
	}
	return map[string]any{
		"sessionPresent": c.SessionPresent, "reasonCode": 0, "clientId": received(c.ClientID), "properties": props,
	}
}

func bytesValue(b []byte) js.Value {
	v := bytesClass.New(len(b))
	js.CopyBytesToJS(v, b)
	return v
}
