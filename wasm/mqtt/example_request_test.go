//go:build !js

package mqtt_test

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"mqttwasm/wasm/mqtt"
)

// answer replies to each request with its payload in upper case.
func answer(ctx context.Context, client *mqtt.Client) error {
	for {
		batch, err := client.Receive(ctx)
		if err != nil {
			return err // the client has ended, or ctx has
		}
		for request := range batch.Messages() {
			capitals := mqtt.Message{Payload: bytes.ToUpper(request.Payload), QoS: 1}
			if _, err := client.Reply(ctx, &request, capitals); err != nil {
				fmt.Println(err)
			}
		}
		batch.Done()
	}
}

// One client sends a request, another one replies.
func ExampleClient_Request() {
	url, stop := localBroker()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	answering, err := mqtt.Connect(ctx, mqtt.Options{URL: url})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = answering.Disconnect(ctx, mqtt.DisconnectOptions{}) }()
	if _, err := answering.Subscribe(ctx, []mqtt.Subscription{{Filter: "capitals", QoS: 1}}, mqtt.SubscribeOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	go func() { _ = answer(ctx, answering) }()

	asking, err := mqtt.Connect(ctx, mqtt.Options{URL: url})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = asking.Disconnect(ctx, mqtt.DisconnectOptions{}) }()
	message, err := asking.Request(ctx, mqtt.Message{Topic: "capitals", Payload: []byte("hello"), QoS: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", message.Payload)

	// Output:
	// HELLO
}
