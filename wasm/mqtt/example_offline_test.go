//go:build !js

package mqtt_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"mqttwasm/wasm/mqtt"
	"mqttwasm/wasm/wsconn"
)

// A client made without a network: its subscriptions and messages wait, and are sent in
// order once there is a connection.
func ExampleNew() {
	url, stop := localBroker()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	network := make(chan struct{})
	client, err := mqtt.New(ctx, mqtt.Options{
		URL: url,
		Dial: func(ctx context.Context, url string) (net.Conn, error) {
			<-network
			return wsconn.Dial(ctx, url, wsconn.Options{})
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	received := make(chan struct{})
	subscribed := make(chan error, 1)
	go func() {
		_, err := client.Subscribe(ctx, []mqtt.Subscription{{
			Filter: "greenhouse/+/door", QoS: 1,
			Handler: func(m mqtt.Message) {
				fmt.Printf("%s: %s\n", m.Topic, m.Payload)
				close(received)
			},
		}}, mqtt.SubscribeOptions{})
		subscribed <- err
	}()
	token := client.PublishAsync(&mqtt.Message{Topic: "greenhouse/1/door", Payload: []byte("open"), QoS: 1, Retain: true}, mqtt.PublishOptions{})

	close(network)
	if err := <-subscribed; err != nil {
		fmt.Println(err)
		return
	}
	if _, err := token.Wait(ctx); err != nil {
		fmt.Println(err)
		return
	}
	<-received
	_ = client.Disconnect(ctx, mqtt.DisconnectOptions{})

	// Output:
	// greenhouse/1/door: open
}
