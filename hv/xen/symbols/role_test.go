package symbols

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/roles.txt anew")

// release is what a flask build of a release has of the symbols that the roles,
// the dispatches and the signs name (testdata/releases.txt).
type release struct {
	name    string
	symbols map[string]uint64
}

func readReleases(t *testing.T) []release {
	t.Helper()
	f, err := os.Open("testdata/releases.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []release
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		r := release{words[0], map[string]uint64{}}
		for i, name := range words[1:] {
			r.symbols[name] = uint64(i)
		}
		list = append(list, r)
	}
	return list
}

// TestRoles: each release has what counting needs, and the golden file tells by
// which symbols.
func TestRoles(t *testing.T) {
	var text strings.Builder
	for _, r := range readReleases(t) {
		fmt.Fprintln(&text, r.name)
		for _, role := range roles {
			found := slices.DeleteFunc(slices.Clone(role.symbols), func(s string) bool { _, ok := r.symbols[s]; return !ok })
			if len(found) == 0 && role.need == always {
				t.Errorf("%s: %s is missing", r.name, role.what)
			}
			if len(found) != len(role.present(r.symbols)) {
				t.Errorf("%s: %s is at %d addresses, of %v", r.name, role.what, len(role.present(r.symbols)), found)
			}
			if len(found) > 1 {
				t.Errorf("%s: %s has several symbols: %v", r.name, role.what, found)
			}
			fmt.Fprintf(&text, "  %s: %s\n", role.what, strings.Join(found, " "))
		}
		for _, d := range dispatches {
			found := slices.DeleteFunc(slices.Concat(d.functions, d.tables), func(s string) bool { _, ok := r.symbols[s]; return !ok })
			if len(found) == 0 {
				t.Errorf("%s: where are %s?", r.name, d.what)
			}
			fmt.Fprintf(&text, "  %s: %s\n", d.what, strings.Join(found, " "))
		}
		for _, s := range signs {
			if _, ok := r.symbols[s.function]; !ok {
				t.Errorf("%s: %s is missing", r.name, s.what)
			}
		}
	}
	goldenRoles(t, text.String())
}

func goldenRoles(t *testing.T, got string) {
	t.Helper()
	const path = "testdata/roles.txt"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s is stale; run go test ./hv/xen/symbols -update (-want +got):\n%s", path, d)
	}
}
