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
	"os"
	"time"

	"mqttwasm/wasm/mqtt"
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
	client, err := mqtt.Connect(ctx, mqtt.Options{URL: url})
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
	received := 0
	for message, err := range client.Messages(ctx) {
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", message.Payload)
		if received++; received == 3 {
			break
		}
	}
	return nil
}
