package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// watched are files that are read again when they change. If they can't be used, for
// example because only one has been replaced so far, the earlier ones stay in use.
type watched struct {
	what  string // for the log
	files []string
	load  func() error
	log   *slog.Logger

	mu       sync.Mutex
	modified []time.Time
}

// watch reads the files for the first time.
func watch(what string, load func() error, log *slog.Logger, files ...string) (*watched, error) {
	w := &watched{what: what, files: files, load: load, log: log, modified: modified(files)}
	return w, load()
}

// check reads the files again if they have changed, or with anyway in any case.
func (w *watched) check(anyway bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := modified(w.files)
	if !anyway && slices.Equal(now, w.modified) {
		return
	}
	w.modified = now
	if err := w.load(); err != nil {
		w.log.Warn("the new "+w.what+" cannot be used, the old one is kept", "error", err)
	} else {
		w.log.Info("the "+w.what+" has been read again", "file", w.files[0])
	}
}

// keep checks the files every two seconds and reads them on SIGHUP, until ctx ends.
func (w *watched) keep(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	tick := time.Tick(2 * time.Second)
	go func() {
		defer signal.Stop(hangup)
		for ctx.Err() == nil {
			select {
			case <-hangup:
				w.check(true)
			case <-tick:
				w.check(false)
			case <-ctx.Done():
			}
		}
	}()
}

func modified(files []string) (times []time.Time) {
	for _, file := range files {
		var when time.Time
		if info, err := os.Stat(file); err == nil {
			when = info.ModTime()
		}
		times = append(times, when)
	}
	return times
}

// loadCertificate returns the TLS configuration of a listener. Each handshake checks
// whether the files have changed: a renewed certificate needs no restart.
func loadCertificate(certFile, keyFile string, log *slog.Logger) (*tls.Config, error) {
	var current atomic.Pointer[tls.Certificate]
	files, err := watch("certificate", func() error {
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
		files.check(false)
		return current.Load(), nil
	}}, nil
}
