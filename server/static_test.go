package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
)

func get(t *testing.T, h http.Handler, path string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	return do(t, h, http.MethodGet, path, header)
}

func do(t *testing.T, h http.Handler, method, path string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func compact(t *testing.T, data []byte) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, data); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func sitePage(t *testing.T) static {
	t.Helper()
	s, err := newStatic(fstest.MapFS{
		".gitkeep":                      {},
		".vite/manifest.json":           {Data: []byte("{}")},
		"index.html":                    {Data: []byte("the page")},
		"index.html.br":                 {Data: []byte("page/br")},
		"index.html.gz":                 {Data: []byte("page/gz")},
		"mqttwasm.js":                   {Data: []byte("library")},
		"favicon.svg":                   {Data: []byte("icon")},
		"manifest.webmanifest":          {Data: []byte("manifest")},
		"sw.js":                         {Data: []byte("worker")},
		"assets/index-D5xTDeTq.js":      {Data: []byte("script")},
		"assets/index-D5xTDeTq.js.gz":   {Data: []byte("script/gz")},
		"assets/style-a_b-1234.css":     {Data: []byte("style")},
		"assets/mqttwasm-CEFyHsUT.wasm": {Data: []byte("wasm")},
		"assets/_virtual-00000000.js":   {Data: []byte("virtual")},
		"assets/plain.js":               {Data: []byte("plain")},
		"unknown.xyz":                   {Data: []byte("bytes")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStaticFiles(t *testing.T) {
	const immutable = "public, max-age=31536000, immutable"
	s := sitePage(t)
	for _, test := range []struct{ path, body, contentType, cache string }{
		{"/", "the page", "text/html; charset=utf-8", "no-cache"},
		{"/index.html", "the page", "text/html; charset=utf-8", "no-cache"},
		{"/mqttwasm.js", "library", "text/javascript; charset=utf-8", "no-cache"},
		{"/favicon.svg", "icon", "image/svg+xml", "no-cache"},
		{"/manifest.webmanifest", "manifest", "application/manifest+json", "no-cache"},
		{"/sw.js", "worker", "text/javascript; charset=utf-8", "no-cache"},
		{"/assets/index-D5xTDeTq.js", "script", "text/javascript; charset=utf-8", immutable},
		{"/assets/style-a_b-1234.css", "style", "text/css; charset=utf-8", immutable},
		{"/assets/mqttwasm-CEFyHsUT.wasm", "wasm", "application/wasm", immutable},
		{"/assets/_virtual-00000000.js", "virtual", "text/javascript; charset=utf-8", immutable},
		{"/assets/plain.js", "plain", "text/javascript; charset=utf-8", "no-cache"},
		{"/unknown.xyz", "bytes", "application/octet-stream", "no-cache"},
	} {
		w := get(t, s, test.path, nil)
		if w.Code != http.StatusOK || w.Body.String() != test.body {
			t.Errorf("%s: %d %q", test.path, w.Code, w.Body)
		}
		if got := w.Header().Get("Content-Type"); got != test.contentType {
			t.Errorf("%s: Content-Type %q", test.path, got)
		}
		if got := w.Header().Get("Cache-Control"); got != test.cache {
			t.Errorf("%s: Cache-Control %q", test.path, got)
		}
	}
}

func TestStaticHides(t *testing.T) {
	s := sitePage(t)
	for _, path := range []string{"/.gitkeep", "/.vite/manifest.json", "/index.html.br", "/index.html.gz", "/assets", "/assets/", "/nothing", "/../go.mod", "//index.html"} {
		if w := get(t, s, path, nil); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestNegotiation(t *testing.T) { // RFC 9110, 12.5.3
	s := sitePage(t)
	for _, test := range []struct{ path, accept, encoding, body string }{
		{"/", "", "", "the page"},
		{"/", "identity", "", "the page"},
		{"/", "gzip", "gzip", "page/gz"},
		{"/", "gzip, deflate, br, zstd", "br", "page/br"},
		{"/", "br;q=0, gzip", "gzip", "page/gz"},
		{"/", "br ; q=0.0, gzip;q=0.5", "gzip", "page/gz"},
		{"/", "BR", "br", "page/br"},
		{"/", "*", "br", "page/br"},
		{"/", "br;q=0, *", "gzip", "page/gz"},
		{"/", "*;q=0", "", "the page"},
		{"/", "brotli, xgzip", "", "the page"},
		{"/assets/index-D5xTDeTq.js", "br, gzip", "gzip", "script/gz"},
		{"/mqttwasm.js", "br, gzip", "", "library"},
	} {
		w := get(t, s, test.path, http.Header{"Accept-Encoding": {test.accept}})
		if w.Body.String() != test.body || w.Header().Get("Content-Encoding") != test.encoding {
			t.Errorf("%s with %q: %q, %q", test.path, test.accept, w.Header().Get("Content-Encoding"), w.Body)
		}
		if want := map[bool]string{true: "", false: "Accept-Encoding"}[test.path == "/mqttwasm.js"]; w.Header().Get("Vary") != want {
			t.Errorf("%s: Vary %q", test.path, w.Header().Get("Vary"))
		}
	}
}

func TestETag(t *testing.T) {
	s := sitePage(t)
	seen := make(map[string]string)
	for _, accept := range []string{"", "br", "gzip"} {
		header := http.Header{"Accept-Encoding": {accept}}
		first := get(t, s, "/", header)
		etag := first.Header().Get("ETag")
		if !strings.HasPrefix(etag, `"`) || !strings.HasSuffix(etag, `"`) || len(etag) < 10 {
			t.Errorf("ETag %s is not a strong one (RFC 9110, 8.8.3)", etag)
		}
		if other, ok := seen[etag]; ok {
			t.Errorf("%q and %q share an ETag", accept, other)
		}
		seen[etag] = accept
		for _, condition := range []string{etag, "W/" + etag, `"other", ` + etag, "*"} {
			header.Set("If-None-Match", condition)
			w := get(t, s, "/", header)
			if w.Code != http.StatusNotModified || w.Body.Len() != 0 || w.Header().Get("ETag") != etag ||
				w.Header().Get("Cache-Control") != "no-cache" || w.Header().Get("Vary") != "Accept-Encoding" {
				t.Errorf("If-None-Match %s: %d %v", condition, w.Code, w.Header())
			}
		}
		header.Set("If-None-Match", `"other"`)
		if w := get(t, s, "/", header); w.Code != http.StatusOK {
			t.Errorf("If-None-Match of something else: %d", w.Code)
		}
	}
}

func TestMethods(t *testing.T) {
	s := sitePage(t)
	head := do(t, s, http.MethodHead, "/", http.Header{"Accept-Encoding": {"br"}})
	if head.Code != http.StatusOK || head.Body.Len() != 0 || head.Header().Get("Content-Length") != "7" {
		t.Errorf("HEAD: %d, %d bytes, %v", head.Code, head.Body.Len(), head.Header())
	}
}

func TestPageNotBuilt(t *testing.T) {
	s, err := newStatic(fstest.MapFS{".gitkeep": {}})
	if err != nil {
		t.Fatal(err)
	}
	if w := get(t, s, "/", nil); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestWriteStatic(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "site")
	page := fstest.MapFS{".vite/manifest.json": {}, "index.html": {Data: []byte("the page")}, "assets/a.js": {Data: []byte("script")}}
	headers := map[string]string{"Cross-Origin-Embedder-Policy": "credentialless", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
	if err := writeStatic(dir, page, []byte("{}"), headers); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for name := range strings.FieldsSeq("index.html assets/a.js config.json _headers") {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		}
		got[name] = string(data)
	}
	if want := (map[string]string{
		"index.html": "the page", "assets/a.js": "script", "config.json": "{}",
		"_headers": "/*\n  Cross-Origin-Embedder-Policy: credentialless\n  Referrer-Policy: no-referrer\n  X-Content-Type-Options: nosniff\n",
	}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	if _, err := os.Stat(filepath.Join(dir, ".vite")); err == nil {
		t.Error("the build's own notes are there too")
	}
	if err := writeStatic(dir, page, nil, nil); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("into a folder with files: %v", err)
	}
	other := t.TempDir() // its files have other names, except those that are written last
	for name, data := range map[string]string{"config.json": "mine", ".vite": "mine"} {
		if err := os.WriteFile(filepath.Join(other, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeStatic(other, fstest.MapFS{"index.html": {}}, nil, nil); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("into a folder with other files: %v", err)
	}
	for _, name := range []string{"config.json", ".vite"} {
		if data, err := os.ReadFile(filepath.Join(other, name)); string(data) != "mine" {
			t.Errorf("%s of that folder: %q, %v", name, data, err)
		}
	}
	if err := writeStatic(t.TempDir(), fstest.MapFS{}, nil, nil); err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("without a page: %v", err)
	}
}
