//go:build !js

package mqtt_test

import (
	"context"
	"fmt"

	"mqttwasm/wasm/mqtt"
)

// hello connects, subscribes, publishes, and receives what it published. In a
// browser, compiled with GOOS=js GOARCH=wasm, it does the same.
func hello(ctx context.Context, url string) error {
	client, err := mqtt.Connect(ctx, mqtt.Options{URL: url})
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(ctx, mqtt.DisconnectOptions{}) }()

	if _, err := client.Subscribe(ctx, []mqtt.Subscription{{Filter: "go/+", QoS: 1}}, mqtt.SubscribeOptions{}); err != nil {
		return err
	}
	if _, err := client.Publish(ctx, mqtt.Message{Topic: "go/mqtt", Payload: []byte("hello"), QoS: 1}); err != nil {
		return err
	}
	for message, err := range client.Messages(ctx) {
		if err != nil {
			return err
		}
		fmt.Printf("%s: %s\n", message.Topic, message.Payload)
		break // or wait for the next one
	}
	return nil
}

func Example() {
	url, stop := localBroker()
	defer stop()
	if err := hello(context.Background(), url); err != nil {
		fmt.Println(err)
	}

	// Output:
	// go/mqtt: hello
}
