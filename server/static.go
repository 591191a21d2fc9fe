package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"mime"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// static serves the built page, with the compressed copies that the build put beside
// its files. github.com/vearutop/statigz does the same, but its ETags are unquoted, so
// that caches cannot revalidate them (RFC 9110, 8.8.3), it takes "br;q=0" for
// acceptance, and types depend on the machine's mime.types.
type static map[string]file // by path, the compressed copies among them

type file struct {
	etag string
	data []byte
}

// codings are the compressed forms that the build makes, best first.
var codings = []struct{ name, ext string }{{"br", ".br"}, {"gzip", ".gz"}}

var contentTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".wasm":        "application/wasm", // anything else turns streaming compilation off
	".webmanifest": "application/manifest+json",
}

// hashed matches files that Vite names after their content, so that they never change.
var hashed = regexp.MustCompile(`^assets/.*-[\w-]{8}\.\w+$`)

func newStatic(fsys fs.FS) (static, error) {
	s := make(static)
	return s, fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains("/"+name, "/.") {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		s.add(name, data)
		return err
	})
}

func (s static) add(name string, data []byte) {
	sum := sha256.Sum256(data)
	s[name] = file{`"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`, data}
}

// built reports whether there is a page to serve.
func (s static) built() bool { return s["index.html"].data != nil }

func (s static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = "index.html"
		if !s.built() {
			http.Error(w, "The page has not been built yet.\n\n"+
				"Run \"make build\" in the repository and start the server again.", http.StatusServiceUnavailable)
			return
		}
	}
	f, ok := s[name]
	ext := path.Ext(name)
	if !ok || ext == ".br" || ext == ".gz" {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", cmp.Or(contentTypes[ext], "application/octet-stream"))
	h.Set("Cache-Control", "no-cache")
	if hashed.MatchString(name) {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	accepted := strings.Join(r.Header.Values("Accept-Encoding"), ",")
	for _, c := range slices.Backward(codings) { // the last one that is accepted, the best, wins
		compressed, ok := s[name+c.ext]
		if !ok {
			continue
		}
		h.Set("Vary", "Accept-Encoding")
		if accepts(accepted, c.name) {
			f = compressed
			h.Set("Content-Encoding", c.name)
			h.Set("Content-Length", strconv.Itoa(len(f.data))) // which ServeContent leaves out with Content-Encoding
		}
	}
	h.Set("ETag", f.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.data))
}

// writeStatic writes the page into a new directory that any host of static files can
// serve. Netlify, Cloudflare Pages and others take headers from _headers.
func writeStatic(dir string, page fs.FS, config []byte, headers map[string]string) error {
	if _, err := fs.Stat(page, "index.html"); err != nil {
		return errors.New("the page has not been built: run \"make build\" first")
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		return fmt.Errorf("-static %s: the directory is not empty: name a new one", dir)
	}
	if err := os.CopyFS(dir, page); err != nil {
		return fmt.Errorf("-static: %w", err)
	}
	lines := []string{"/*"}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		lines = append(lines, "  "+name+": "+headers[name])
	}
	return errors.Join(
		os.RemoveAll(filepath.Join(dir, ".vite")),
		os.WriteFile(filepath.Join(dir, "config.json"), config, 0o644),
		os.WriteFile(filepath.Join(dir, "_headers"), []byte(strings.Join(lines, "\n")+"\n"), 0o644),
	)
}

// accepts reads an Accept-Encoding header (RFC 9110, 12.5.3). Among several acceptable
// codings the server may choose, so only weights of zero matter.
func accepts(header, coding string) (any bool) {
	for item := range strings.SplitSeq(header, ",") {
		name, params, _ := mime.ParseMediaType(item) // of the same form
		weight, err := strconv.ParseFloat(params["q"], 64)
		switch name {
		case coding:
			return err != nil || weight > 0
		case "*":
			any = err != nil || weight > 0
		}
	}
	return any
}
