//go:build !js

package wsconn_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"

	"mqttwasm/server/broker"
	"mqttwasm/wasm/mqtt"
	"mqttwasm/wasm/wsconn"
)

// Dial makes the connections of package mqtt's client. A native program may send
// headers with the handshake; a browser cannot.
func ExampleDial() {
	b, err := broker.New(broker.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = b.Close() }()
	server := httptest.NewServer(b.Handler())
	defer server.Close()

	ctx := context.Background()
	header := http.Header{"Authorization": {"Bearer my-token"}}
	client, err := mqtt.Connect(ctx, mqtt.Options{
		URL: "ws" + strings.TrimPrefix(server.URL, "http"),
		Dial: func(ctx context.Context, url string) (net.Conn, error) {
			return wsconn.Dial(ctx, url, wsconn.Options{Header: header})
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.Publish(ctx, mqtt.Message{Topic: "go/wsconn", Payload: []byte("hello"), QoS: 2})
	fmt.Println("reason code", result.ReasonCode, err)
	fmt.Println(client.Disconnect(ctx, mqtt.DisconnectOptions{}))

	// Output:
	// reason code 0 <nil>
	// <nil>
}
