package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A data directory that cannot be used is reported in one sentence, and the server does not
// start.
func TestDataRefused(t *testing.T) {
	used := t.TempDir()
	s := launch(t, "-addr", "127.0.0.1:0", "-mqtt-addr", "127.0.0.1:0", "-data", used)
	openStream(t, s.tcp, lastingAs("lasting"), "other").pipeline(t, 100, true, func(i int) (string, string) { return fmt.Sprint("kept/", i), strings.Repeat("x", 100) })
	whole, err := os.ReadFile(filepath.Join(used, "broker.db"))
	if err != nil {
		t.Fatal(err)
	}
	holding := func(data []byte) string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "broker.db"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	scrambled := slices.Clone(whole)
	for i := 8192; i < len(scrambled); i++ { // all but the first pages
		scrambled[i] ^= 0x5a
	}
	readOnly := t.TempDir()
	for dir, mode := range map[string]os.FileMode{filepath.Dir(readOnly): 0o755, readOnly: 0o555} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(holding(nil), "broker.db")
	for name, test := range map[string]struct{ dir, want string }{
		"another server's": {used, "is in use by another process"},
		"truncated":        {holding(whole[:len(whole)/2]), "is damaged: restore it from a backup, or move it away"},
		"scrambled":        {holding(scrambled), "is damaged: restore it from a backup, or move it away"},
		"values scrambled": {holding(bytes.ReplaceAll(whole, []byte(`{"`), []byte(`x"`))), "is damaged: restore it from a backup, or move it away"},
		"read-only":        {readOnly, "cannot open the data directory: open " + readOnly},
		"a file":           {file, "cannot create the data directory: mkdir " + file},
	} {
		var stderr bytes.Buffer
		status := make(chan int)
		go func() {
			runtime.LockOSThread()                       // never unlocked: the thread ends with its goroutine, and so does its user ID
			if os.Getuid() == 0 && name == "read-only" { // root may write anywhere
				if err := syscall.Setfsuid(65534); err != nil {
					t.Error(err)
				}
			}
			status <- run(t.Context(), []string{"-addr", "127.0.0.1:0", "-mqtt-addr", "", "-data", test.dir}, environment(nil), io.Discard, &stderr)
		}()
		if got := <-status; got != 1 {
			t.Errorf("%s: exit status %d", name, got)
		}
		_, said, _ := strings.Cut(stderr.String(), "mqttwasm: ")
		if !strings.Contains(said, test.want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: %s", name, &stderr)
		}
	}
}
