package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"xsmbench/hv/store"
)

// kindRow is a row of the table of kinds in docs/store.md.
var kindRow = regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|.*\\| ([a-z:, ]+) \\|$")

// TestStoreDocs: docs/store.md lists the kinds of the store, and says of each
// whether it is shared.
func TestStoreDocs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "store.md"))
	if err != nil {
		t.Fatal(err)
	}
	shared := map[string]string{}
	for _, row := range kindRow.FindAllStringSubmatch(string(text), -1) {
		shared[row[1]] = row[2]
	}
	for _, k := range store.Kinds() {
		says, ok := shared[k.Name]
		if !ok {
			t.Errorf("docs/store.md does not say what %s are", k.Name)
		}
		if ok && (k.Local != "") != strings.HasPrefix(says, "no: ") {
			t.Errorf("docs/store.md says of %s: shared %q; they are local since %q", k.Name, says, k.Local)
		}
		delete(shared, k.Name)
	}
	for name := range shared {
		t.Errorf("docs/store.md has %s, which is no kind", name)
	}
}
