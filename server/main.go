// The mqttwasm server hosts the page and embeds an MQTT broker.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"mqttwasm/server/broker"
	"mqttwasm/web"
)

// version is set by the linker, see the Makefile.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal ends in order; a second one, at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

// run is the whole program; it returns the exit status.
func run(ctx context.Context, args []string, lookupEnv func(string) (string, bool), stdout, stderr io.Writer) int {
	c, err := parseConfig(args, lookupEnv, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "mqttwasm:", err)
		return 2
	case c.version:
		fmt.Fprintln(stdout, "mqttwasm", version)
		return 0
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	if err := serve(ctx, c, log, stdout); err != nil {
		fmt.Fprintln(stderr, "mqttwasm:", err)
		return 1
	}
	return 0
}

// serve runs the server until ctx ends or a listener fails.
func serve(ctx context.Context, c *config, log *slog.Logger, stdout io.Writer) (err error) {
	page, err := newStatic(web.Dist())
	if err != nil {
		return err
	}
	if !page.built() {
		log.Warn("the page has not been built: run \"make build\" and start again")
	}
	access := newAccess(c.addr, c.allowOrigins)
	mux := http.NewServeMux()
	mux.Handle("/", page)
	mux.Handle("/config.json", configHandler(version, brokerList(c.broker, c.defaultBroker)))
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	server := &http.Server{
		Handler:           secureHeaders(access.guard(mux)),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute, // the whole page over a slow mobile connection
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	scheme := "http"
	if c.tlsCert != "" {
		cert, err := tls.LoadX509KeyPair(c.tlsCert, c.tlsKey)
		if err != nil {
			return fmt.Errorf("-tls-cert and -tls-key: %w", err)
		}
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
		scheme = "https"
	}

	listener, err := listen(c.addr, "-addr", "127.0.0.1:8081")
	if err != nil {
		return err
	}
	defer listener.Close()
	failed := make(chan error, 2)
	if c.broker {
		b, err := broker.New(broker.Options{Logger: log, DataDir: c.dataDir, AllowOrigin: access.allowOrigin})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, b.Close()) }()
		mux.Handle("/mqtt", b.Handler())
		tcp, err := listenMQTT(c, log)
		if err != nil {
			return err
		}
		if tcp != nil {
			log.Info("the embedded broker listens for MQTT over TCP", "address", tcp.Addr().String())
			go func() {
				if err := b.Serve(tcp); !errors.Is(err, broker.ErrClosed) {
					failed <- err
				}
			}()
		}
	}
	go func() {
		if server.TLSConfig != nil {
			failed <- server.ServeTLS(listener, "", "")
		} else {
			failed <- server.Serve(listener)
		}
	}()
	fmt.Fprintf(stdout, "Open %s://%s/\n", scheme, browsable(listener.Addr()))

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		log.Info("shutting down")
	}
	// Only answers under way are waited for: WebSockets are the broker's to close.
	timeout, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if server.Shutdown(timeout) != nil {
		_ = server.Close()
	}
	return nil
}

// listenMQTT returns nil where the broker is to do without TCP. Port 1883 is
// often taken by another broker of the same machine: that stops the server only
// when the address was asked for.
func listenMQTT(c *config, log *slog.Logger) (net.Listener, error) {
	if c.mqttAddr == "" {
		return nil, nil
	}
	l, err := listen(c.mqttAddr, "-mqtt-addr", "127.0.0.1:1884")
	if err == nil || c.mqttAddrGiven {
		return l, err
	}
	log.Warn("no MQTT over TCP: " + err.Error())
	return nil, nil
}

func listen(addr, flagName, example string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the port of %s is taken by another program: stop that, or choose another address, such as %s %s (or %s)",
			addr, flagName, example, envName(flagName[1:]))
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with %s (or %s)",
			addr, err, flagName, envName(flagName[1:]))
	}
	return l, nil
}

// browsable is the address to type into a browser of this machine.
func browsable(a net.Addr) string {
	ap, err := netip.ParseAddrPort(a.String())
	if err == nil && ap.Addr().IsUnspecified() {
		return fmt.Sprintf("localhost:%d", ap.Port())
	}
	return a.String()
}
