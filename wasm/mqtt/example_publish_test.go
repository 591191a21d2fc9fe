//go:build !js

package mqtt_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mqttwasm/wasm/mqtt"
)

// At QoS 1 and 2 the result is the broker's acknowledgement. An error names the field
// that is wrong.
func ExampleClient_Publish() {
	url, stop := localBroker()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, err := mqtt.Connect(ctx, mqtt.Options{URL: url})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Disconnect(ctx, mqtt.DisconnectOptions{}) }()

	expiry := time.Minute
	result, err := client.Publish(ctx, mqtt.Message{
		Topic: "greenhouse/1/temperature", Payload: []byte("21.5"), QoS: 1, Retain: true,
		Properties: mqtt.Properties{ContentType: "text/plain", MessageExpiry: &expiry},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(mqtt.ReasonName(result.ReasonCode))

	_, err = client.Publish(ctx, mqtt.Message{Topic: "greenhouse/+/temperature"})
	var e *mqtt.Error
	if errors.As(err, &e) {
		fmt.Printf("%s, %s\n%v\n", e.Code, e.Field, e)
	}

	// Output:
	// success
	// bad-option, topic
	// topic: "greenhouse/+/temperature" has a wildcard; only subscriptions may use + and # [MQTT-3.3.2-2]
}

// Messages are sent in the order of the calls, without waiting for each other's
// acknowledgement.
func ExampleClient_PublishAsync() {
	url, stop := localBroker()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, err := mqtt.Connect(ctx, mqtt.Options{URL: url})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Disconnect(ctx, mqtt.DisconnectOptions{}) }()

	const readings = 100
	var tokens []*mqtt.Token
	for n := range readings {
		m := mqtt.Message{Topic: "greenhouse/1/humidity", Payload: fmt.Append(nil, n), QoS: 1}
		tokens = append(tokens, client.PublishAsync(&m, mqtt.PublishOptions{}))
	}
	acknowledged := 0
	for _, token := range tokens {
		if _, err := token.Wait(ctx); err != nil {
			fmt.Println(err)
			continue
		}
		acknowledged++
	}
	fmt.Println(acknowledged, "acknowledged")

	// Output:
	// 100 acknowledged
}
