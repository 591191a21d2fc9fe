package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

const defaultMQTTAddr = "127.0.0.1:1883"

type config struct {
	addr          string
	broker        bool
	mqttAddr      string
	mqttAddrGiven bool // by flag or environment: then a port in use is an error
	mqttTLS       bool
	brokerAuth    string
	brokerOpen    bool
	dataDir       string
	brokers       string
	relayOpen     bool
	defaultBroker string
	pinBrokers    bool
	tlsCert       string
	tlsKey        string
	redirectAddr  string
	allowOrigins  []string
	allowFrames   []string
	cspReport     string
	logLevel      slog.Level
	metrics       bool
	static        string
	version       bool

	notifySocket string // of systemd, for a service with Type=notify
}

// parseConfig reads flags, and for those not given the environment. The error is
// flag.ErrHelp when help was requested, which has been printed to out then.
func parseConfig(args []string, lookupEnv func(string) (string, bool), out io.Writer) (*config, error) {
	c := new(config)
	fs := flag.NewFlagSet("mqttwasm", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&c.addr, "addr", "127.0.0.1:8080", "`address` of the page; \":8080\" listens on every interface")
	fs.BoolVar(&c.broker, "broker", true, "run the embedded broker, on /mqtt and on -mqtt-addr")
	fs.StringVar(&c.mqttAddr, "mqtt-addr", defaultMQTTAddr, "TCP `address` of the embedded broker; \"\" turns it off")
	fs.BoolVar(&c.mqttTLS, "mqtt-tls", false, "serve TLS at -mqtt-addr, with -tls-cert and -tls-key")
	fs.StringVar(&c.brokerAuth, "broker-auth", "", "JSON `file` with the embedded broker's users, their bcrypt hashes and topics; read again when it changes, and on SIGHUP")
	fs.BoolVar(&c.brokerOpen, "broker-open", false, "let everybody who reaches the embedded broker use it, on any interface")
	fs.StringVar(&c.dataDir, "data", "", "`directory` in which the embedded broker keeps retained messages and sessions; \"\": in memory")
	fs.StringVar(&c.brokers, "brokers", "", "JSON `file` with the brokers that the page offers; \"\": public ones")
	fs.BoolVar(&c.relayOpen, "relay-open", false, "let everybody who reaches the relays of -brokers use them, on any interface")
	fs.Func("default-broker", "`URL` of the broker that the page selects: ws://, wss://, or a path on this server", func(s string) (err error) {
		c.defaultBroker, err = parseBrokerURL(s)
		return err
	})
	fs.BoolVar(&c.pinBrokers, "pin-brokers", false, "let the page connect to the listed brokers only")
	fs.StringVar(&c.tlsCert, "tls-cert", "", "PEM `file` with the certificate chain: serves https and wss; read again when it changes")
	fs.StringVar(&c.tlsKey, "tls-key", "", "PEM `file` with the certificate's private key")
	fs.StringVar(&c.redirectAddr, "redirect-addr", "", "`address` at which http is redirected to https")
	fs.Func("allow-origin", "`origin`, such as https://example.com, whose pages may use the embedded broker and relays, and whose host this server answers to; repeatable", parseOrigins(&c.allowOrigins))
	fs.Func("allow-frame", "`origin`, such as https://example.com, whose pages may show this one in a frame; repeatable", parseOrigins(&c.allowFrames))
	fs.StringVar(&c.cspReport, "csp-report", "", "`URL` to which browsers report violations of the content security policy")
	fs.TextVar(&c.logLevel, "log-level", slog.LevelInfo, "lowest `level` that is logged: debug, info, warn or error")
	fs.BoolVar(&c.metrics, "metrics", false, "serve metrics in Prometheus' text format at /metrics, to everybody who reaches -addr")
	fs.StringVar(&c.static, "static", "", "write the page into this new `directory`, for any static host, and exit")
	fs.BoolVar(&c.version, "version", false, "print the version and exit")

	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		printUsage(fs, out)
		return nil, err
	case err != nil:
		return nil, err
	case fs.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q: every setting is a flag, see -help", fs.Arg(0))
	}
	given := make(map[string]bool)
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var err error
	fs.VisitAll(func(f *flag.Flag) {
		value, ok := lookupEnv(envName(f.Name))
		if given[f.Name] || !ok {
			return
		}
		given[f.Name] = true
		if e := fs.Set(f.Name, value); e != nil {
			err = errors.Join(err, fmt.Errorf("invalid value %q for %s: %w", value, envName(f.Name), e))
		}
	})
	c.mqttAddrGiven = given["mqtt-addr"]
	c.notifySocket, _ = lookupEnv("NOTIFY_SOCKET")
	return c, errors.Join(err, c.check())
}

func (c *config) check() error {
	for name, addr := range map[string]string{"-addr": c.addr, "-mqtt-addr": c.mqttAddr, "-redirect-addr": c.redirectAddr} {
		if _, _, err := net.SplitHostPort(addr); err != nil && (addr != "" || name == "-addr") {
			return fmt.Errorf("%s %q is not an address: give host:port or :port", name, addr)
		}
	}
	report, err := url.Parse(c.cspReport)
	switch from := c.exposures(c.addr, c.mqttAddr); {
	case c.cspReport != "" && (err != nil || report.Host == "" || strings.ContainsAny(c.cspReport, " ;,")):
		return fmt.Errorf("-csp-report %q is not a URL such as https://example.com/reports", c.cspReport)
	case (c.tlsCert == "") != (c.tlsKey == ""):
		return errors.New("-tls-cert and -tls-key belong together: give both or neither")
	case c.redirectAddr != "" && c.tlsCert == "":
		return errors.New("-redirect-addr redirects to https, which needs -tls-cert and -tls-key")
	case c.mqttTLS && (c.tlsCert == "" || c.mqttAddr == ""):
		return errors.New("-mqtt-tls needs -mqtt-addr, -tls-cert and -tls-key")
	case !c.broker:
		for name, given := range map[string]bool{
			"-data": c.dataDir != "", "-broker-auth": c.brokerAuth != "" && c.brokers == "", "-broker-open": c.brokerOpen, "-mqtt-tls": c.mqttTLS,
			"-mqtt-addr": c.mqttAddrGiven && c.mqttAddr != "",
		} {
			if given {
				return fmt.Errorf("%s is for the embedded broker, which -broker=false turns off", name)
			}
		}
	case c.brokerAuth != "" && c.brokerOpen:
		return errors.New("-broker-auth and -broker-open cannot be used together")
	case len(from) > 0 && c.brokerAuth == "" && !c.brokerOpen && c.static == "":
		return fmt.Errorf("the embedded broker would be open to everybody who reaches %s: give it users with "+
			"-broker-auth FILE, turn it off with -broker=false, or say -broker-open if that is what you want", from[0])
	}
	return nil
}

// exposures returns where other machines can reach the listeners at the addresses: the
// addresses, and the origins of a proxy in front of them.
func (c *config) exposures(addrs ...string) (list []string) {
	for _, addr := range addrs {
		if exposed(addr) {
			list = append(list, addr)
		}
	}
	for _, origin := range c.allowOrigins {
		if u, err := url.Parse(origin); err != nil || exposed(net.JoinHostPort(u.Hostname(), "0")) {
			list = append(list, origin)
		}
	}
	return list
}

// exposed reports whether other machines can reach the address.
func exposed(addr string) bool {
	host, _, _ := net.SplitHostPort(addr)
	return addr != "" && !local(host)
}

// local reports whether a name or an address is always this machine's own.
func local(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}

func envName(flagName string) string {
	return "MQTTWASM_" + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

func printUsage(fs *flag.FlagSet, out io.Writer) {
	fmt.Fprint(out, "mqttwasm serves the MQTT page and an embedded broker.\n\nFlags, each with the environment variable that sets it too:\n\n")
	fs.VisitAll(func(f *flag.Flag) { f.Usage = envName(f.Name) + "\n" + f.Usage })
	fs.SetOutput(out)
	fs.PrintDefaults()
}
