package broker

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The guide's table names every function in mochi.go, and nothing that does not exist.
func TestWorkaroundsAreDocumented(t *testing.T) {
	guide, err := os.ReadFile("../../web/docs/broker.md")
	if err != nil {
		t.Fatal(err)
	}
	told := make(map[string]bool)
	for line := range strings.Lines(string(guide)) {
		if cells := strings.Split(strings.TrimSpace(line), " | "); len(cells) == 4 && !strings.Contains(cells[3], "server/broker") {
			for _, name := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(cells[3], -1) {
				told[name[1]] = true
			}
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	there := make(map[string]bool)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				there[n.Name.Name] = true
				if file == "mochi.go" && !told[n.Name.Name] {
					t.Errorf("the guide does not tell of %s", n.Name.Name)
				}
			case *ast.TypeSpec:
				there[n.Name.Name] = true
			}
			return true
		})
	}
	for name := range told {
		if !there[name] {
			t.Errorf("the guide tells of %s, which is not there", name)
		}
	}
	if len(told) == 0 {
		t.Error("no names in the table")
	}
}
