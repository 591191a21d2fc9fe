package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mqttwasm/server/broker"
)

// The README and the guides name only flags that exist, server.md names all of them, and
// their example files are valid as printed.
func TestDocuments(t *testing.T) {
	var usage strings.Builder
	_, _ = parseConfig([]string{"-help"}, func(string) (string, bool) { return "", false }, &usage)
	flags := find(`(?m)^  (-[a-z-]+)`, usage.String())
	variables := find(`(?m)^\s+(MQTTWASM_\w+)$`, usage.String())

	guides, err := filepath.Glob("../web/docs/*.md")
	if err != nil || len(guides) == 0 {
		t.Fatal("no guides:", err)
	}
	users, brokers := 0, 0
	for _, name := range append(guides, "../README.md") {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		commands := strings.Join(find("(?s)```sh\n(.*?)```", text), "")
		commands = strings.Join(find(`((?:mqttwasm|ARGS=").*(?:\\\n.*)*)`, commands), "\n")
		for _, flag := range append(find("`(-[a-z][a-z-]+)", text), find(`\s"?(-[a-z][a-z-]+)`, commands)...) {
			if !slices.Contains(flags, flag) {
				t.Errorf("%s: there is no flag %s", name, flag)
			}
		}
		for _, variable := range find(`(MQTTWASM_[A-Z_]+)=`, text) {
			if !slices.Contains(variables, variable) {
				t.Errorf("%s: there is no %s", name, variable)
			}
		}
		if filepath.Base(name) == "server.md" {
			for _, flag := range flags {
				if !strings.Contains(text, "`"+flag+"`") {
					t.Errorf("%s does not tell of %s", name, flag)
				}
			}
		}
		for _, example := range find("(?s)```json\n(.*?)```", text) {
			file := filepath.Join(t.TempDir(), "example.json")
			example = strings.ReplaceAll(example, "$2y$10$…", "$2y$10$"+strings.Repeat("a", 53))
			if err := os.WriteFile(file, []byte(example), 0o600); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(example, `"hash"`) {
				users++
				_, err = broker.LoadUsers(file)
			} else {
				brokers++
				_, err = readBrokers(file)
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if users == 0 || brokers == 0 {
		t.Errorf("%d examples of users, %d of brokers", users, brokers)
	}
}

// find returns the expression's first group for each match in text.
func find(expression, text string) (found []string) {
	for _, match := range regexp.MustCompile(expression).FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	return found
}
