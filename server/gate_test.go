package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"mqttwasm/server/broker"
)

// At its limit the gate drops idle connections, and no others.
func TestGate(t *testing.T) {
	const most = 4
	g := broker.NewGate(most)
	begun, finish := make(chan struct{}), make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		begun <- struct{}{}
		<-finish
	}))
	s.Config.ConnState = g.Watch
	s.Start()
	defer s.Close()
	dial := func() net.Conn { return dialTCP(t, s.Listener.Addr().String()) }
	ask := func(c net.Conn) {
		if _, err := fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}

	var silent, busy []net.Conn
	for range 3 * most {
		silent = append(silent, dial())
	}
	for range most {
		c := dial()
		ask(c)
		<-begun
		busy = append(busy, c)
	}
	for _, c := range silent { // the others displaced them
		ended(t, c)
	}
	ended(t, dial()) // no idle connection is left to displace
	close(finish)
	for _, c := range busy {
		if answer := readSome(t, c); answer == "" {
			t.Error("a request was cut off")
		}
	}
	c := dial() // displaces one that is only kept alive
	ask(c)
	<-begun
}

func readSome(t *testing.T, c net.Conn) string {
	t.Helper()
	buffer := make([]byte, 100)
	n, _ := c.Read(buffer)
	return string(buffer[:n])
}
