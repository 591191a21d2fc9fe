//go:build !js

package mqtt_test

import (
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"

	"mqttwasm/server/broker"
	"mqttwasm/wasm/mqtt"
	"mqttwasm/wasm/wsconn"
)

// Connect over WebSocket, subscribe, publish, and receive. The same code runs
// in a browser, compiled with GOOS=js GOARCH=wasm.
func Example() {
	url, stop := localBroker()
	defer stop()
	ctx := context.Background()

	client, err := mqtt.Connect(ctx, mqtt.Options{
		URL: url,
		Dial: func(ctx context.Context, url string) (net.Conn, error) {
			return wsconn.Dial(ctx, url, wsconn.Options{})
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Disconnect(ctx, mqtt.DisconnectOptions{}) }()

	if _, err = client.Subscribe(ctx, []mqtt.Subscription{{Filter: "go/+", QoS: 1}}, mqtt.SubscribeOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.Publish(ctx, mqtt.Message{Topic: "go/mqtt", Payload: []byte("messages: 0"), QoS: 1})
	fmt.Println("reason code", result.ReasonCode, err)

	batch, err := client.Receive(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for message := range batch.Messages() {
		fmt.Printf("%s: %s\n", message.Topic, message.Payload)
	}
	batch.Done() // acknowledges to the broker

	// Output:
	// reason code 0 <nil>
	// go/mqtt: messages: 0
}

// localBroker serves the embedded broker on a WebSocket of this machine.
func localBroker() (url string, stop func()) {
	b, err := broker.New(broker.Options{})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(b.Handler())
	return "ws" + strings.TrimPrefix(server.URL, "http"), func() {
		_ = b.Close()
		server.Close()
	}
}
