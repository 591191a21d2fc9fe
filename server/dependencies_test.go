package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestDependencies checks which packages the wasm links. Each one adds to every visitor's
// download, so a new one must be added to testdata/wasm-packages.txt on purpose. Of the
// standard library only importable packages are listed; its internals are the toolchain's
// affair.
func TestDependencies(t *testing.T) {
	text, err := os.ReadFile("testdata/wasm-packages.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Fields(string(text))
	linked := slices.DeleteFunc(goListShipped(t, "-deps", "mqttwasm/wasm"), func(name string) bool {
		return slices.Contains(strings.Split(name, "/"), "internal") || strings.HasPrefix(name, "vendor/")
	})
	for _, name := range linked {
		if !slices.Contains(known, name) {
			t.Errorf("the wasm links %s, which testdata/wasm-packages.txt does not have: do without it, or add it", name)
		}
	}
	for _, name := range known {
		if !slices.Contains(linked, name) {
			t.Errorf("the wasm no longer links %s: take it out of testdata/wasm-packages.txt", name)
		}
	}
}

// TestNetHTTP: the wasm links no HTTP, TLS or X.509, which the browser provides.
func TestNetHTTP(t *testing.T) {
	for _, name := range []string{"net", "net/http"} {
		if files := goListShipped(t, "-f", `{{join .GoFiles "\n"}}`, name); !slices.Equal(files, []string{"used.go"}) {
			t.Errorf("%s of the wasm is %v, not the overlay's file alone", name, files)
		}
	}
	linked := goListShipped(t, "-deps", "mqttwasm/wasm")
	for _, never := range []string{"crypto/tls", "crypto/x509", "net/http/internal", "mime/multipart", "compress/gzip"} {
		if slices.Contains(linked, never) {
			t.Errorf("the wasm links %s", never)
		}
	}
}
