package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strings"
)

const (
	defaultAddr     = "127.0.0.1:8080"
	defaultMQTTAddr = "127.0.0.1:1883"
)

type config struct {
	addr          string
	broker        bool
	mqttAddr      string
	mqttAddrGiven bool // by flag or environment: then a taken port is an error
	defaultBroker string
	dataDir       string
	tlsCert       string
	tlsKey        string
	allowOrigins  []string
	version       bool
}

// parseConfig reads flags, and for those not given the environment. The error
// is flag.ErrHelp when help was asked for; everything has been printed to out then.
func parseConfig(args []string, lookupEnv func(string) (string, bool), out io.Writer) (*config, error) {
	c := new(config)
	fs := flag.NewFlagSet("mqttwasm", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&c.addr, "addr", defaultAddr, "`address` of the page; \":8080\" listens on every interface")
	fs.BoolVar(&c.broker, "broker", true, "run the embedded broker, on /mqtt and on -mqtt-addr")
	fs.StringVar(&c.mqttAddr, "mqtt-addr", defaultMQTTAddr, "TCP `address` of the embedded broker; \"\" turns it off")
	fs.Func("default-broker", "`URL` of the broker that the page selects: ws://, wss://, or a path on this server", func(s string) (err error) {
		c.defaultBroker, err = parseBrokerURL(s)
		return err
	})
	fs.StringVar(&c.dataDir, "data", "", "`directory` in which the embedded broker keeps retained messages and sessions; \"\": in memory")
	fs.StringVar(&c.tlsCert, "tls-cert", "", "PEM `file` with the certificate chain: serves https and wss")
	fs.StringVar(&c.tlsKey, "tls-key", "", "PEM `file` with the certificate's private key")
	fs.Func("allow-origin", "`origin`, such as https://example.com, whose pages may use the embedded broker, and whose host this server answers to; repeatable", func(s string) error {
		o, err := parseOrigin(s)
		c.allowOrigins = append(c.allowOrigins, o)
		return err
	})
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
		values := []string{value}
		if f.Name == "allow-origin" {
			values = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
		}
		for _, v := range values {
			if e := fs.Set(f.Name, v); e != nil {
				err = errors.Join(err, fmt.Errorf("invalid value %q for %s: %w", v, envName(f.Name), e))
			}
		}
	})
	c.mqttAddrGiven = given["mqtt-addr"]
	return c, errors.Join(err, c.check())
}

func (c *config) check() error {
	if _, _, err := net.SplitHostPort(c.addr); err != nil {
		return fmt.Errorf("-addr %q is not an address: give host:port or :port", c.addr)
	}
	if _, _, err := net.SplitHostPort(c.mqttAddr); err != nil && c.mqttAddr != "" {
		return fmt.Errorf("-mqtt-addr %q is not an address: give host:port or :port", c.mqttAddr)
	}
	if (c.tlsCert == "") != (c.tlsKey == "") {
		return errors.New("-tls-cert and -tls-key belong together: give both or neither")
	}
	if !c.broker && c.dataDir != "" {
		return errors.New("-data keeps the embedded broker's state, which -broker=false turns off")
	}
	if !c.broker && c.mqttAddrGiven && c.mqttAddr != "" {
		return errors.New("-mqtt-addr is the embedded broker's address, which -broker=false turns off")
	}
	return nil
}

func envName(flagName string) string {
	return "MQTTWASM_" + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

func printUsage(fs *flag.FlagSet, out io.Writer) {
	fmt.Fprint(out, "mqttwasm serves the MQTT page and an embedded broker.\n\nFlags, each with the environment variable that sets it too:\n\n")
	fs.VisitAll(func(f *flag.Flag) {
		arg, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(out, "  -%s %s\n        %s", f.Name, arg, usage)
		if f.DefValue != "" && f.DefValue != "false" {
			fmt.Fprintf(out, " (default %s)", f.DefValue)
		}
		fmt.Fprintf(out, "\n        %s\n", envName(f.Name))
	})
}
