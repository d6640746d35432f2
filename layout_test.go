package xsmbench_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// folder is a row of the layout: a folder of packages, what these may import
// from other folders, and what their tests may import besides.
type folder struct {
	path           string
	imports, tests string
}

// layout is the order of the folders, from below to above: the programs of one
// import nothing that stands below it in this list. Tests may, where a target
// is tried with what is made for targets, and each such import is listed.
var layout = []folder{
	{"abi", "", ""},

	{"xsm/hook", "", ""},
	{"xsm", "abi xsm/hook", ""},

	{"bench", "abi", ""},
	{"workloads", "abi bench", "xsm/hook"},

	{forTests, "", ""},

	{root, "", ""},
	{"hv/child", "", ""},
	{"hv/git", "hv/child", ""},
	{"hv/store", "", ""},
	{"hv", "bench", ""},
	{"hv/policy", "xsm hv hv/store", ""},
	{"hv/hvtest", "bench hv hv/git", ""},
	{"hv/gotool", root + " hv/child hv/store", ""},
	{"hv/process", "bench hv hv/child", ""},
	{"hv/count", "hv bench hv/child hv/store", ""},

	{"hv/model", "abi xsm", "xsm/hook bench hv/model/guest hv/model/toolstack"},
	{"hv/model/guest", "abi bench hv/model", "xsm workloads"},
	{"hv/model/toolstack", "abi", "xsm bench hv/model hv/model/guest"},
	{"hv/model/symbols", "xsm/hook hv/count", ""},
	{"hv/model/host", "xsm bench hv hv/child hv/git hv/policy hv/store hv/gotool hv/process hv/count hv/model/symbols", "workloads results reports"},
	{"hv/model/flasktest", "", "abi xsm hv/model hv/model/toolstack"},

	{"hv/xen/faketools", "", ""},
	{"hv/xen/debian", "hv/child hv/store", "hv/xen/faketools"},
	{"hv/xen/source", "hv hv/git hv/store hv/xen/debian", "hv/xen/faketools"},
	{"hv/xen/kbuild", "hv/child hv/store hv/xen/source", "hv/xen/faketools"},
	{"hv/xen/image", "hv/child", ""},
	{"hv/xen/qemu", "hv/child", ""},
	{"hv/xen/symbols", "hv hv/count", ""},
	{"hv/xen/domain", "abi bench hv/count", "workloads"},
	{"hv/xen/protocol", "bench", "workloads hv/count hv/xen/domain"},
	{"hv/xen/faketools/fakeqemu", "bench hv/count hv/xen/protocol hv/xen/qemu", ""},
	{"hv/xen", "abi xsm bench workloads hv hv/child hv/policy hv/store hv/gotool hv/count hv/xen/debian hv/xen/source hv/xen/kbuild hv/xen/image hv/xen/qemu hv/xen/symbols hv/xen/domain hv/xen/protocol",
		"results experiment hv/xen/faketools hv/xen/faketools/fakeqemu"},
	{"hv/xen/realtest", "", "bench hv hv/count hv/store hv/xen/symbols hv/xen/debian hv/xen/source hv/xen/kbuild hv/xen hv/xen/qemu results reports"},

	{"hv/linux", "bench hv hv/child hv/store hv/gotool hv/process hv/xen/domain hv/xen/protocol", "workloads"},

	{"results", "bench hv", ""},
	{"results/history", "results hv", "bench"},
	{"experiment", "bench workloads hv results", "hv/hvtest"},
	{"experiment/series", "bench hv hv/git results results/history experiment", "hv/hvtest"},
	{"experiment/watch", "hv/git", ""},
	{"reports", "xsm/hook bench hv hv/git results results/history", "hv/hvtest"},

	{"cmd/xsmguest", "abi bench workloads hv/count hv/xen/domain hv/xen/protocol", ""},
	{"cmd/xsmmodel", "abi xsm bench workloads hv/count hv/model hv/model/guest hv/model/toolstack", ""},
	{"cmd/xsmbench/internal", "xsm/hook bench workloads hv hv/git hv/store results results/history experiment experiment/series experiment/watch reports", "hv/hvtest"},
	{"cmd/xsmbench", "bench workloads hv/linux hv/model/host hv/xen cmd/xsmbench/internal",
		"hv hv/hvtest hv/gotool hv/store hv/xen/domain hv/xen/faketools hv/xen/faketools/fakeqemu hv/xen/protocol results experiment reports"},
}

// root is the module's own package, the source that the command carries with it.
const root = "."

// forTests is the folder that every test may import.
const forTests = "internal/require"

// statement is an import of one of the module's packages by a file.
type statement struct {
	file  string // slash-separated
	under string // path below the module's
}

const module = "xsmbench/"

// TestLayout compares the layout with what the files of all build tags import.
func TestLayout(t *testing.T) {
	all, err := statements(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 500 {
		t.Errorf("%d imports found: where are the others?", len(all))
	}
	for _, fault := range faults(layout, all) {
		t.Error(fault)
	}
}

// statements reads the imports of a tree.
func statements(tree fs.FS) ([]statement, error) {
	var all []statement
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if under, ok := strings.CutPrefix(imported+"/", module); ok {
				all = append(all, statement{name, path.Clean(under)})
			}
		}
		return nil
	})
	return all, err
}

// faults says where imports and a layout differ.
func faults(layout []folder, all []statement) []string {
	l := ledger{layout: layout, place: map[string]int{}, there: map[string]bool{}, programs: map[way]bool{}, any: map[way]bool{}}
	for i, f := range layout {
		l.place[f.path] = i
	}
	for _, s := range all {
		l.enter(s)
	}
	for i := range layout {
		l.close(i)
	}
	return l.faults
}

// way is from one folder to another.
type way struct{ from, to string }

// ledger holds a layout against imports.
type ledger struct {
	layout        []folder
	place         map[string]int
	there         map[string]bool // folders that have packages
	programs, any map[way]bool    // imports by programs, and by tests as well
	faults        []string
}

func (l *ledger) fault(format string, args ...any) {
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

// enter notes an import, and the first one of a way that the layout does not
// allow.
func (l *ledger) enter(s statement) {
	w := way{l.folderOf(path.Dir(s.file)), l.folderOf(s.under)}
	switch {
	case w.from == "":
		l.fault("%s: its folder is not in the layout", s.file)
		return
	case w.to == "":
		l.fault("%s: %s is not in the layout", s.file, s.under)
		return
	}
	l.there[w.from], l.there[w.to] = true, true
	if w.from == w.to {
		return
	}
	test := strings.HasSuffix(s.file, "_test.go")
	f := l.layout[l.place[w.from]]
	allowed := slices.Contains(strings.Fields(f.imports), w.to) || test && (w.to == forTests || slices.Contains(strings.Fields(f.tests), w.to))
	if seen := l.programs[w] || test && l.any[w]; !allowed && !seen {
		l.fault("%s: %s may not import %s", s.file, w.from, w.to)
	}
	l.any[w] = true
	l.programs[w] = l.programs[w] || !test
}

// close says what is wrong with a row once all imports are entered.
func (l *ledger) close(i int) {
	f := l.layout[i]
	if !l.there[f.path] {
		l.fault("layout: nothing imports %s, or is imported by it: take it out", f.path)
	}
	for _, to := range strings.Fields(f.imports) {
		if j, ok := l.place[to]; !ok || j >= i {
			l.fault("layout: %s imports upwards, from %s", f.path, to)
		}
		if !l.programs[way{f.path, to}] {
			l.fault("layout: %s does not import %s: take it out", f.path, to)
		}
	}
	for _, to := range strings.Fields(f.tests) {
		if !l.any[way{f.path, to}] {
			l.fault("layout: the tests of %s do not import %s: take it out", f.path, to)
		}
	}
}

// folderOf is the innermost folder of the layout that holds a path, "" if none
// does. The root holds its own files only.
func (l *ledger) folderOf(p string) string {
	if _, ok := l.place[root]; ok && p == root {
		return root
	}
	for ; p != "."; p = path.Dir(p) {
		if _, ok := l.place[p]; ok {
			return p
		}
	}
	return ""
}

// TestFaults: what TestLayout would find.
func TestFaults(t *testing.T) {
	rows := []folder{{"low", "", ""}, {"low/inner", "low", ""}, {"high", "low", "low/inner"}}
	good := []statement{{"low/inner/a.go", "low"}, {"high/x/a.go", "low"}, {"high/a_test.go", "low/inner/deep"}, {"high/a.go", "high/x"}}
	for _, c := range []struct {
		name string
		rows []folder
		all  []statement
		want []string
	}{
		{"good", rows, good, nil},
		{"upwards, twice", rows, append(good, statement{"low/a.go", "high"}, statement{"low/b.go", "high/x"}), []string{"low/a.go: low may not import high"}},
		{"a test's import in a program", rows, append(good, statement{"high/b.go", "low/inner"}), []string{"high/b.go: high may not import low/inner"}},
		{"a new folder", rows, append(good, statement{"new/a.go", "low"}), []string{"new/a.go: its folder is not in the layout"}},
		{"no folder", rows, append(good, statement{"high/b.go", "gone"}), []string{"high/b.go: gone is not in the layout"}},
		{"a folder that is gone", append(slices.Clone(rows), folder{"gone", "", ""}), good, []string{"layout: nothing imports gone, or is imported by it: take it out"}},
		{"unused", rows, good[1:], []string{"layout: low/inner does not import low: take it out"}},
		{"the root", append(slices.Clone(rows), folder{".", "", ""}), append(good, statement{"high/b.go", "."}), []string{"high/b.go: high may not import ."}},
		{"below the root", append(slices.Clone(rows), folder{".", "", ""}), append(good, statement{"new/b.go", "."}), []string{
			"new/b.go: its folder is not in the layout", "layout: nothing imports ., or is imported by it: take it out"}},
		{"used by a test only", rows, append(slices.Clone(good[1:]), statement{"low/inner/a_test.go", "low"}), []string{"layout: low/inner does not import low: take it out"}},
		{"unused by tests", rows, slices.Delete(slices.Clone(good), 2, 3), []string{"layout: the tests of high do not import low/inner: take it out"}},
		{"a circle", []folder{{"a", "b", ""}, {"b", "a", ""}}, []statement{{"a/a.go", "b"}, {"b/b.go", "a"}}, []string{"layout: a imports upwards, from b"}},
	} {
		if diff := cmp.Diff(c.want, faults(c.rows, c.all)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestArchitecture: docs/architecture.md says what each folder is.
func TestArchitecture(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range layout {
		if !strings.Contains(string(text), "`"+f.path+"/`") {
			t.Errorf("docs/architecture.md does not say what `%s/` is", f.path)
		}
	}
}
