//go:build !js

package mqtt_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// TestGuide checks that web/docs/go.md quotes the example verbatim.
func TestGuide(t *testing.T) {
	const name = "example_test.go"
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile("../../web/docs/go.md")
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	quoted := "nothing"
	for _, decl := range file.Decls {
		if hello, ok := decl.(*ast.FuncDecl); ok && hello.Name.Name == "hello" {
			from, to := files.Position(hello.Doc.Pos()).Offset, files.Position(hello.End()).Offset
			quoted = "```go\n" + string(source[from:to]) + "\n```\n"
		}
	}
	if !strings.Contains(string(guide), quoted) {
		t.Errorf("go.md lacks this:\n%s", quoted)
	}
}
