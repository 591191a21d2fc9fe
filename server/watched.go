package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// watch reads files. The function that it returns reads them again if they have changed,
// or with anyway in any case. If they can't be used, for example because only one has
// been replaced so far, the earlier ones stay in use.
func watch(what string, load func() error, log *slog.Logger, files ...string) (check func(anyway bool), err error) {
	var mu sync.Mutex
	last := modified(files)
	return func(anyway bool) {
		mu.Lock()
		defer mu.Unlock()
		now := modified(files)
		if now == last && !anyway {
			return
		}
		last = now
		if err := load(); err != nil {
			log.Warn("the new "+what+" cannot be used, the old one is kept", "error", err)
		} else {
			log.Info("the "+what+" has been read again", "file", files[0])
		}
	}, load()
}

func modified(files []string) (times string) {
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			times += info.ModTime().String()
		}
		times += "\n"
	}
	return times
}

// keepChecking checks files every two seconds, and anyway on SIGHUP, until ctx ends.
func keepChecking(ctx context.Context, check func(anyway bool)) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	tick := time.Tick(2 * time.Second)
	go func() {
		defer signal.Stop(hangup)
		for {
			select {
			case <-hangup:
				check(true)
			case <-tick:
				check(false)
			case <-ctx.Done():
				return
			}
		}
	}()
}

// loadCertificate returns the TLS configuration of a listener. Each handshake checks
// whether the files have changed: a renewed certificate needs no restart.
func loadCertificate(certFile, keyFile string, log *slog.Logger) (*tls.Config, error) {
	var current atomic.Pointer[tls.Certificate]
	check, err := watch("certificate", func() error {
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err == nil {
			current.Store(&pair)
		}
		return err
	}, log, certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("-tls-cert and -tls-key: %w", err)
	}
	return &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		check(false)
		return current.Load(), nil
	}}, nil
}
