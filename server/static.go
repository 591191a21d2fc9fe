package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
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

// static serves the built page with the compressed copies that the build put
// beside its files. github.com/vearutop/statigz does the same, but its ETags are
// unquoted, so that no cache may revalidate them (RFC 9110, 8.8.3), it takes
// "br;q=0" for a wish, and types depend on the machine's mime.types.
type static struct {
	fsys  fs.FS
	files map[string]*asset
}

type asset struct {
	contentType  string
	cacheControl string
	variants     []variant // best first; the last is the file itself
}

type variant struct {
	name, encoding, etag string
	size                 int64
}

// embedderPolicy goes with the page and its workers. It is not require-corp: the
// console asks, without credentials, whether anything answers where it can't
// reach a broker.
const embedderPolicy = "credentialless"

// codings are what the build makes, best first.
var codings = []struct{ name, ext string }{{"br", ".br"}, {"gzip", ".gz"}}

var contentTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".map":         "application/json",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".wasm":        "application/wasm", // anything else turns streaming compilation off
	".webmanifest": "application/manifest+json",
	".woff2":       "font/woff2",
}

// Vite names these after their content, so they never change.
var hashed = regexp.MustCompile(`^assets/.*-[\w-]{8}\.\w+$`)

func newStatic(fsys fs.FS) (*static, error) {
	s := &static{fsys: fsys, files: make(map[string]*asset)}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if base := path.Base(name); strings.HasPrefix(base, ".") && name != "." {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() || path.Ext(name) == ".br" || path.Ext(name) == ".gz" {
			return nil
		}
		a := &asset{contentType: contentTypes[path.Ext(name)], cacheControl: "no-cache"}
		if a.contentType == "" {
			a.contentType = "application/octet-stream"
		}
		if hashed.MatchString(name) {
			a.cacheControl = "public, max-age=31536000, immutable"
		}
		for _, c := range codings {
			if _, err := fs.Stat(fsys, name+c.ext); err == nil {
				if err := a.add(fsys, name+c.ext, c.name); err != nil {
					return err
				}
			}
		}
		s.files[name] = a
		return a.add(fsys, name, "")
	})
	return s, err
}

func (a *asset) add(fsys fs.FS, name, encoding string) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, ok := f.(io.ReadSeeker); !ok {
		return fmt.Errorf("%s cannot be served: its file system does not seek", name)
	}
	h := sha256.New()
	size, err := io.Copy(h, f)
	if err != nil {
		return err
	}
	etag := `"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:15]) + `"`
	a.variants = append(a.variants, variant{name, encoding, etag, size})
	return nil
}

// built reports whether there is a page to serve.
func (s *static) built() bool { return s.files["index.html"] != nil }

const notBuilt = `The page has not been built yet.

Run "make build" in the repository and start the server again.
`

func (s *static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = "index.html"
		if !s.built() {
			http.Error(w, notBuilt, http.StatusServiceUnavailable)
			return
		}
	}
	a := s.files[name]
	if a == nil {
		http.NotFound(w, r)
		return
	}
	v := a.choose(strings.Join(r.Header.Values("Accept-Encoding"), ","))
	f, err := s.fsys.Open(v.name)
	if err != nil {
		http.Error(w, "internal server error", http.StatusInternalServerError)
		return
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", a.cacheControl)
	h.Set("ETag", v.etag)
	h.Set("Cross-Origin-Embedder-Policy", embedderPolicy)
	if len(a.variants) > 1 {
		h.Set("Vary", "Accept-Encoding")
	}
	if v.encoding != "" {
		h.Set("Content-Encoding", v.encoding)
		h.Set("Content-Length", strconv.FormatInt(v.size, 10)) // ServeContent leaves it out then
	}
	http.ServeContent(w, r, "", time.Time{}, f.(io.ReadSeeker))
}

// fixed serves a body that the program made.
func fixed(contentType string, body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
}

// writeStatic writes the page into a new folder that any host of static files
// can serve. Netlify, Cloudflare Pages and others take headers from _headers.
func writeStatic(dir string, page fs.FS, config []byte, headers map[string]string) error {
	if _, err := fs.Stat(page, "index.html"); err != nil {
		return errors.New("the page has not been built: run \"make build\" first")
	}
	if err := os.CopyFS(dir, page); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("-static %s: there are files already: name a new folder", dir)
	} else if err != nil {
		return fmt.Errorf("-static: %w", err)
	}
	lines := []string{"/*", "  Cross-Origin-Embedder-Policy: " + embedderPolicy}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		lines = append(lines, "  "+name+": "+headers[name])
	}
	return errors.Join(
		os.RemoveAll(filepath.Join(dir, ".vite")),
		os.WriteFile(filepath.Join(dir, "config.json"), config, 0o644),
		os.WriteFile(filepath.Join(dir, "_headers"), []byte(strings.Join(lines, "\n")+"\n"), 0o644),
	)
}

func (a *asset) choose(acceptEncoding string) variant {
	for _, v := range a.variants {
		if v.encoding == "" || accepts(acceptEncoding, v.encoding) {
			return v
		}
	}
	return a.variants[len(a.variants)-1]
}

// accepts reads an Accept-Encoding header (RFC 9110, 12.5.3). Between several
// acceptable codings the choice is ours, so weights matter only where they are zero.
func accepts(header, coding string) bool {
	any := false
	for item := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(item, ";")
		key, value, _ := strings.Cut(strings.TrimSpace(params), "=")
		weight := 1.0
		if strings.EqualFold(strings.TrimSpace(key), "q") {
			weight, _ = strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
		switch name = strings.TrimSpace(name); {
		case strings.EqualFold(name, coding):
			return weight > 0
		case name == "*":
			any = weight > 0
		}
	}
	return any
}
