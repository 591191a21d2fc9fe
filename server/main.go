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
	// The first signal ends the server in order; a second one ends it at once.
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
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: c.logLevel}))
	if err := serve(ctx, c, log, stdout); err != nil {
		fmt.Fprintln(stderr, "mqttwasm:", err)
		return 1
	}
	return 0
}

// serve runs the server until ctx ends or a listener fails.
func serve(ctx context.Context, c *config, log *slog.Logger, stdout io.Writer) (err error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	if c.notifySocket != "" {
		signal.Ignore(syscall.SIGHUP) // the signal to read files again, of which there may be none
	}
	listed := publicBrokers
	if c.brokers != "" {
		if listed, err = readBrokers(c.brokers); err != nil {
			return fmt.Errorf("-brokers: %w", err)
		}
	}
	relayed, err := c.relays(listed)
	if err != nil {
		return err
	}
	brokers := brokerList(listed, c.broker && c.static == "", c.defaultBroker)
	headers := securityHeaders(c, brokers)
	if c.static != "" {
		return writeStatic(c.static, web.Dist(), pageConfig(version, brokers), headers)
	}
	page, err := newStatic(web.Dist())
	if err != nil {
		return err
	}
	if !page.built() {
		log.Warn("the page has not been built: run \"make build\" and start again")
	}
	page.add("config.json", pageConfig(version, brokers))
	listener, err := listen(c.addr, "-addr", "127.0.0.1:8081")
	if err != nil {
		return err
	}
	defer listener.Close()
	var secure *tls.Config
	if c.tlsCert != "" {
		if secure, err = loadCertificate(c.tlsCert, c.tlsKey, log); err != nil {
			return err
		}
	}
	var users *broker.Users
	if c.brokerAuth != "" {
		if users, err = broker.LoadUsers(c.brokerAuth); err != nil {
			return fmt.Errorf("-broker-auth: %w", err)
		}
	}
	relays := &relays{ctx: ctx, byName: relayed, origins: c.allowOrigins, log: log, gate: broker.NewGate(maxRelayed)}
	if !c.relayOpen {
		relays.users = users
	}
	if len(relayed) > 0 {
		c.warn(log, "the relays", c.relayOpen, c.addr)
	}
	defer func() { end(); relays.running.Wait() }()
	failed := make(chan error, 3)
	var b *broker.Broker
	if c.broker {
		if b, err = startBroker(c, users, secure, log, failed); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, b.Close()) }()
	}
	if err = c.keepUsers(ctx, users, b, relays, log); err != nil {
		return err
	}
	access := newAccess(c.addr, c.allowOrigins)
	if c.redirectAddr != "" {
		plain, err := listen(c.redirectAddr, "-redirect-addr", "127.0.0.1:8082")
		if err != nil {
			return err
		}
		redirect := newServer(access.validateHost(toHTTPS(listener.Addr())), log)
		defer redirect.Close()
		log.Info("redirecting to https", "from", plain.Addr().String())
		go func() { failed <- redirect.Serve(plain) }()
	}
	site := newServer(withHeaders(headers, access.validateHost(routes(page, b, relays, c.metrics))), log)
	site.TLSConfig = secure
	return c.host(ctx, site, listener, failed, log, stdout)
}

// host serves the site until ctx ends or one of the listeners fails.
func (c *config) host(ctx context.Context, site *http.Server, listener net.Listener, failed chan error, log *slog.Logger, stdout io.Writer) error {
	scheme, serve := "http", func() error { return site.Serve(listener) }
	if site.TLSConfig != nil {
		scheme, serve = "https", func() error { return site.ServeTLS(listener, "", "") }
	}
	go func() { failed <- serve() }()
	fmt.Fprintf(stdout, "Open %s://%s/\n", scheme, browsable(listener.Addr()))
	c.notify("READY=1")

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		log.Info("shutting down")
		c.notify("STOPPING=1")
	}
	// This waits only for HTTP responses in progress: the broker closes WebSockets.
	timeout, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if site.Shutdown(timeout) != nil {
		_ = site.Close()
	}
	return nil
}

// keepUsers reads the list of users again when it changes, and disconnects those who
// are no longer in it.
func (c *config) keepUsers(ctx context.Context, users *broker.Users, b *broker.Broker, relays *relays, log *slog.Logger) error {
	if users == nil {
		return nil
	}
	check, err := watch("list of users", func() error {
		revoked, err := users.Reload()
		if b != nil {
			b.Revoke(revoked)
		}
		relays.revoke(revoked)
		return err
	}, log, c.brokerAuth)
	if err != nil {
		return fmt.Errorf("-broker-auth: %w", err)
	}
	keepChecking(ctx, check)
	return nil
}

// routes is what the server answers. b is nil without an embedded broker.
func routes(page static, b *broker.Broker, relays *relays, figures bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /", page)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !b.Ready() {
			http.Error(w, "the broker's data directory can't be written", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.Handle("GET /relay/{name}", relays)
	if b != nil {
		mux.Handle("GET /mqtt", b.Handler())
	}
	if figures {
		mux.HandleFunc("GET /metrics", showMetrics(b, relays))
	}
	return mux
}

// maxHTTPConns bounds the open HTTP connections; the broker counts WebSockets.
const maxHTTPConns = 4096

// newServer makes an HTTP server that slow clients cannot exhaust.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute, // the whole page over a slow mobile connection
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ConnState:         broker.NewGate(maxHTTPConns).Watch,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// startBroker starts the embedded broker and its TCP listener, whose failure goes to failed.
func startBroker(c *config, users *broker.Users, secure *tls.Config, log *slog.Logger, failed chan<- error) (*broker.Broker, error) {
	c.warn(log, "the embedded broker", c.brokerOpen, c.addr, c.mqttAddr)
	b, err := broker.New(broker.Options{Logger: log, DataDir: c.dataDir, Origins: c.allowOrigins, Users: users})
	if err != nil || c.mqttAddr == "" {
		return b, err
	}
	switch tcp, err := listen(c.mqttAddr, "-mqtt-addr", "127.0.0.1:1884"); {
	case err == nil:
		log.Info("the embedded broker listens for MQTT over TCP", "TLS", c.mqttTLS, "address", tcp.Addr().String())
		if c.mqttTLS {
			tcp = tls.NewListener(tcp, secure.Clone()) // a clone, since HTTPS adds its protocols to the configuration
		}
		go func() {
			if err := b.Serve(tcp); !errors.Is(err, broker.ErrClosed) {
				failed <- err
			}
		}()
	case c.mqttAddrGiven:
		return nil, errors.Join(err, b.Close())
	default: // another broker often uses the default port: no error unless -mqtt-addr was given
		log.Warn("no MQTT over TCP: " + err.Error())
	}
	return b, nil
}

// warn logs which addresses everybody may use, and where traffic is not encrypted.
func (c *config) warn(log *slog.Logger, what string, open bool, addrs ...string) {
	if open {
		for _, at := range c.exposures(addrs...) {
			log.Warn("EVERYBODY who reaches this address may use "+what, "at", at)
		}
	}
	for _, addr := range addrs {
		if exposed(addr) && (c.tlsCert == "" || addr == c.mqttAddr && !c.mqttTLS) {
			log.Warn("traffic to "+what+", passwords included, can be READ ON THE WAY: no TLS here", "at", addr)
		}
	}
}

// notify sends a state to systemd, if the service has Type=notify.
func (c *config) notify(state string) {
	if c.notifySocket == "" {
		return
	}
	if s, err := net.Dial("unixgram", c.notifySocket); err == nil { // one that begins with @ is abstract
		fmt.Fprint(s, state)
		_ = s.Close()
	}
}

func listen(addr, flagName, example string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	instead := fmt.Sprintf("choose another address, such as %s %s (or %s)", flagName, example, envName(flagName[1:]))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("the port of %s is in use by another program: stop that, or %s", addr, instead)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s: %w; %s", addr, err, instead)
	}
	return l, nil
}

// browsable is the address to type into a browser on this machine.
func browsable(a net.Addr) string {
	ap, err := netip.ParseAddrPort(a.String())
	if err == nil && ap.Addr().IsUnspecified() {
		return fmt.Sprintf("localhost:%d", ap.Port())
	}
	return a.String()
}
