package main

import (
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// goList runs go list for the native platform or for js/wasm.
func goList(t *testing.T, js bool, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	if js {
		cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	}
	return words(t, cmd)
}

// goListShipped runs go list for the wasm as shipped, with net and net/http reduced to a
// few types.
func goListShipped(t *testing.T, args ...string) []string {
	t.Helper()
	return words(t, exec.Command("../web/scripts/go-without-net.sh", append([]string{"list"}, args...)...))
}

// words runs cmd and returns the words it prints.
func words(t *testing.T, cmd *exec.Cmd) []string {
	t.Helper()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, &stderr)
	}
	return strings.Fields(string(out))
}

// TestImports checks the architecture: imports go one way.
func TestImports(t *testing.T) {
	const (
		paho   = "github.com/eclipse/paho.golang"
		nhooyr = "nhooyr.io/websocket"
	)
	direct := []string{"-f", `{{join .Imports "\n"}}`}
	all := []string{"-deps"}
	for _, row := range []struct {
		name  string
		pkg   string
		list  []string
		js    bool
		never []string // with their subpackages
	}{
		{"boundary", "mqttwasm/wasm", direct, true, []string{paho, nhooyr, "net/http", "mqttwasm/server", "mqttwasm/web"}},
		{"boundary links no autopaho", "mqttwasm/wasm", all, true, []string{paho + "/autopaho", "github.com/gorilla/websocket", "mqttwasm/server"}},
		{"core", "mqttwasm/wasm/mqtt", all, false, []string{paho + "/paho", "mqttwasm/server"}},
		{"core on js", "mqttwasm/wasm/mqtt", all, true, []string{paho + "/paho", "mqttwasm/server"}},
		{"core links no tables of SASLprep", "mqttwasm/wasm/mqtt", all, true, []string{"github.com/xdg-go", "golang.org/x/text"}}, // 50 KB
		{"core without syscall/js", "mqttwasm/wasm/mqtt", direct, true, []string{"syscall/js"}},
		{"dialling", "mqttwasm/wasm/wsconn", all, false, []string{paho, "mqttwasm/server", "mqttwasm/wasm/mqtt"}},
		{"dialling on js", "mqttwasm/wasm/wsconn", all, true, []string{paho, "mqttwasm/server", "mqttwasm/wasm/mqtt"}},
		{"server", "mqttwasm/server", all, false, []string{"mqttwasm/wasm", paho}},
		{"paho's client, in tests too", "mqttwasm/...", []string{"-test", "-deps"}, false, []string{paho + "/paho", paho + "/autopaho"}},
		{"paho's client on js, in tests too", "mqttwasm/wasm/...", []string{"-test", "-deps"}, true, []string{paho + "/paho", paho + "/autopaho"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			imports := goList(t, row.js, append(slices.Clone(row.list), row.pkg)...)
			for _, imported := range imports {
				for _, never := range row.never {
					if imported == never || strings.HasPrefix(imported, never+"/") {
						t.Errorf("%s must not import %s", row.pkg, imported)
					}
				}
			}
		})
	}
}

// TestLayers checks what each package of the core may import besides the standard library,
// so that there are no cycles and no imports backwards.
func TestLayers(t *testing.T) {
	const (
		core    = "mqttwasm/wasm/mqtt"
		below   = core + "/internal/"
		packets = "github.com/eclipse/paho.golang/packets"
	)
	rows := map[string][]string{
		"mqttwasm/wasm":        {core, "mqttwasm/wasm/wsconn", "syscall/js"},
		core:                   {below + "inbox", below + "session", below + "transport", below + "wire", "mqttwasm/wasm/wsconn", packets},
		core + "/scram":        {},
		below + "transport":    {below + "wire"},
		below + "session":      {below + "wire", packets},
		below + "inbox":        {below + "wire"},
		below + "wire":         {packets},
		below + "mqtttest":     {"github.com/xdg-go/scram"}, // for tests only
		"mqttwasm/wasm/wsconn": {"nhooyr.io/websocket", "syscall/js"},
	}
	for _, js := range []bool{false, true} {
		for _, pkg := range goList(t, js, "mqttwasm/wasm/...") {
			allowed, known := rows[pkg]
			if !known {
				t.Errorf("%s has no row", pkg)
			}
			for _, imported := range goList(t, js, "-f", `{{join .Imports "\n"}}`, pkg) {
				standard := !strings.Contains(strings.Split(imported, "/")[0], ".") && !strings.HasPrefix(imported, "mqttwasm")
				if (!standard || imported == "syscall/js") && !slices.Contains(allowed, imported) {
					t.Errorf("%s must not import %s", pkg, imported)
				}
			}
		}
	}
}

// TestSyscallJS: only the boundary and at most one file of wsconn import syscall/js.
func TestSyscallJS(t *testing.T) {
	module := goList(t, false, "-m", "-f", "{{.Dir}}")[0]
	var inWsconn []string
	for _, dir := range []string{"server", "wasm", "web/*.go"} {
		for _, file := range goFiles(t, filepath.Join(module, dir)) {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range parsed.Imports {
				if spec.Path.Value != `"syscall/js"` {
					continue
				}
				name, err := filepath.Rel(module, file)
				if err != nil {
					t.Fatal(err)
				}
				switch dir := filepath.ToSlash(filepath.Dir(name)); {
				case dir == "wasm":
				case dir == "wasm/wsconn" && strings.HasSuffix(strings.TrimSuffix(name, "_test.go"), "_js.go"):
					inWsconn = append(inWsconn, name)
				case strings.HasSuffix(name, "_test.go"):
				default:
					t.Errorf("%s must not import syscall/js", name)
				}
			}
		}
	}
	if len(inWsconn) > 1 {
		t.Errorf("more than one file of wsconn imports syscall/js: %v", inWsconn)
	}
}

func goFiles(t *testing.T, root string) []string {
	t.Helper()
	if strings.HasSuffix(root, ".go") {
		files, err := filepath.Glob(root)
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	var files []string
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
