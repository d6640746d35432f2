package cli

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// roff are the requests and escapes that pages have.
var roff = regexp.MustCompile(`(?m)^\.[A-Z]+\b|\\f[BIRP]|\\&`)

// TestManual: each command has a page, and no word of its help is lost on the
// way through Markdown. The pages are the same each time.
func TestManual(t *testing.T) {
	var pages [2]map[string]string
	for i := range pages {
		dir := t.TempDir()
		if err := writeManual(newRoot(io.Discard, io.Discard), dir); err != nil {
			t.Fatal(err)
		}
		pages[i] = map[string]string{}
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			pages[i][f.Name()] = string(text)
		}
	}
	root := newRoot(io.Discard, io.Discard)
	for _, c := range append(commands(root), root) {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
		if c.Name() == "completion" || c.HasParent() && c.Parent().Name() == "completion" || c.Name() == "help" {
			continue // cobra's own
		}
		page, ok := pages[0][name]
		if !ok {
			t.Errorf("%s has no page", c.CommandPath())
			continue
		}
		if page != pages[1][name] {
			t.Errorf("%s is another one each time", name)
		}
		plain := strings.NewReplacer(`\-`, "-", `\(aq`, "'", `\\`, `\`).Replace(roff.ReplaceAllString(page, ""))
		for _, word := range strings.Fields(c.Short + " " + c.Long) {
			if !strings.Contains(plain, word) {
				t.Errorf("%s: %q of the help is not in it", name, word)
			}
		}
	}
}
