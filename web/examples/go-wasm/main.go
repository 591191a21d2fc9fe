// Command go-wasm is an MQTT program in Go alone, for a page:
//
//	GOOS=js GOARCH=wasm go build -o web/examples/go-wasm/hello.wasm ./web/examples/go-wasm
//	cp "$(go env GOROOT)/lib/wasm/wasm_exec.js" web/examples/go-wasm
//
// Then serve its folder. It runs natively too: go run ./web/examples/go-wasm ws://…
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"mqttwasm/wasm/mqtt"
	"mqttwasm/wasm/wsconn"
)

func main() {
	url := "ws://broker.emqx.io:8083/mqtt"
	if len(os.Args) > 1 {
		url = os.Args[1]
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := hello(ctx, url); err != nil {
		fmt.Println("failed:", err)
	}
}

// hello subscribes to a topic of its own, and prints the three messages that it
// publishes there.
func hello(ctx context.Context, url string) error {
	client, err := mqtt.Connect(ctx, mqtt.Options{
		URL: url,
		Dial: func(ctx context.Context, url string) (net.Conn, error) {
			return wsconn.Dial(ctx, url, wsconn.Options{})
		},
	})
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(ctx, mqtt.DisconnectOptions{}) }()

	topic := fmt.Sprintf("mqttwasm/go/%d", time.Now().UnixNano())
	subscriptions := []mqtt.Subscription{{Filter: topic, QoS: 1}}
	if _, err := client.Subscribe(ctx, subscriptions, mqtt.SubscribeOptions{}); err != nil {
		return err
	}
	for n := range 3 {
		message := mqtt.Message{Topic: topic, Payload: fmt.Appendf(nil, "message %d", n), QoS: 1}
		if _, err := client.Publish(ctx, message); err != nil {
			return err
		}
	}
	for received := 0; received < 3; {
		batch, err := client.Receive(ctx)
		if err != nil {
			return err
		}
		for message := range batch.Messages() {
			fmt.Printf("%s\n", message.Payload)
			received++
		}
		batch.Done() // now the broker is told that they arrived
	}
	return nil
}
