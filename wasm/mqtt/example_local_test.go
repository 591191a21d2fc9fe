//go:build !js

package mqtt_test

import (
	"net/http/httptest"
	"strings"

	"mqttwasm/server/broker"
)

// localBroker serves the embedded broker over WebSocket on this machine.
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
