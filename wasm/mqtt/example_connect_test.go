//go:build !js

package mqtt_test

import (
	"context"
	"fmt"
	"time"

	"mqttwasm/wasm/mqtt"
)

// A client that keeps its session, has a will, and reports the state of its connection.
func ExampleConnect() {
	url, stop := localBroker()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	ended := make(chan struct{})
	client, err := mqtt.Connect(ctx, mqtt.Options{
		URL:      url,
		ClientID: "greenhouse-1", KeepSession: true, SessionExpiry: time.Hour,
		Will: &mqtt.Will{Message: mqtt.Message{Topic: "greenhouse/1/status", Payload: []byte("gone"), QoS: 1, Retain: true}},
		OnEvent: func(event mqtt.Event) {
			switch e := event.(type) {
			case mqtt.Connected:
				fmt.Println("connected; the broker had a session:", e.Connack.SessionPresent)
			case mqtt.Reconnecting:
				fmt.Println("attempt", e.Attempt, "in", e.Delay)
			case mqtt.Closed:
				fmt.Println("closed:", e.Err)
			case mqtt.Failed:
				fmt.Println("failed:", e.Err)
			case mqtt.Ended:
				close(ended)
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := client.Disconnect(ctx, mqtt.DisconnectOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	<-ended

	// Output:
	// connected; the broker had a session: false
	// closed: <nil>
}
