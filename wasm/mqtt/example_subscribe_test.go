//go:build !js

package mqtt_test

import (
	"context"
	"fmt"
	"time"

	"mqttwasm/wasm/mqtt"
)

// Receive returns the messages of all subscriptions, in order.
func ExampleClient_Subscribe() {
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

	result, err := client.Subscribe(ctx, []mqtt.Subscription{
		{Filter: "greenhouse/+/temperature", QoS: 1},
		{Filter: "greenhouse/1/#", QoS: 2, RetainHandling: 2}, // no retained messages
	}, mqtt.SubscribeOptions{})
	if err != nil { // all were refused
		fmt.Println(err)
		return
	}
	for _, code := range result.ReasonCodes {
		fmt.Println("QoS granted:", code) // 0x80 or more: refused
	}

	for _, value := range []string{"21.5", "21.7"} {
		message := mqtt.Message{Topic: "greenhouse/2/temperature", Payload: []byte(value), QoS: 1}
		if _, err := client.Publish(ctx, message); err != nil {
			fmt.Println(err)
			return
		}
	}
	for received := 0; received < 2; {
		batch, err := client.Receive(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		for message := range batch.Messages() {
			fmt.Printf("%s: %s\n", message.Topic, message.Payload)
			received++
		}
		batch.Done() // now they are acknowledged
	}

	// Output:
	// QoS granted: 1
	// QoS granted: 2
	// greenhouse/2/temperature: 21.5
	// greenhouse/2/temperature: 21.7
}
