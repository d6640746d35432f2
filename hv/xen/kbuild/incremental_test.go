package kbuild

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"xsmbench/hv/store"
	"xsmbench/hv/xen/faketools"
	"xsmbench/internal/require"
)

// realTools lets make and the compiler through; compilations are counted.
func realTools(t *testing.T) *faketools.Tools {
	t.Helper()
	f := faketools.New(t, nil)
	for _, name := range []string{"make", "ld", "as", "objcopy", "grep", "cmp"} {
		if !f.Real(name) {
			require.Missing(t, name)
		}
	}
	gcc, ok := faketools.Find("gcc")
	if !ok {
		require.Missing(t, "gcc")
	}
	f.Add("gcc", `for last; do case "$last" in *.c | *.S) file=$last; esac; done
case " $* " in
*" -c "*) echo "$file" >>"$control/compiled";;
*" -E "*) echo "$file" >>"$control/preprocessed";;
esac
exec '`+gcc+`' "$@"
`)
	return f
}

// miniature is the source of the miniature, by file.
func miniature(t *testing.T) map[string]string {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/miniature.txtar")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range archive.Files {
		all[f.Name] = string(f.Data) + "\n"
	}
	return all
}

// compiled says what was compiled since the last time.
func compiled(t *testing.T, f *faketools.Tools) []string {
	t.Helper()
	lines := f.Lines("compiled")
	if err := os.RemoveAll(f.Path("compiled")); err != nil {
		t.Fatal(err)
	}
	return lines
}

// both builds a tree where earlier ones were built, and from nothing in another
// place, and compares.
func both(t *testing.T, f *faketools.Tools, s *store.Store, dir string, fragments ...string) (parts, whole []string) {
	t.Helper()
	spec := Spec{What: "a miniature", Tree: opened(t, dir), Fragments: fragments, Jobs: 2}
	got, err := Build(t.Context(), s, spec, silent)
	if err != nil {
		t.Fatal(show(t, err))
	}
	defer got.Release()
	if err := got.Reject("a later step may have the same source"); err != nil {
		t.Fatal(err)
	}
	parts = compiled(t, f)
	spec.Clean = true
	want, err := Build(t.Context(), openStore(t), spec, silent)
	if err != nil {
		t.Fatal(show(t, err))
	}
	defer want.Release()
	whole = compiled(t, f)
	if read(t, got.Image) != read(t, want.Image) || read(t, got.Syms) != read(t, want.Syms) {
		t.Errorf("not what a clean build makes; compiled were %v", parts)
	}
	return parts, whole
}

// show adds the log to a build's error.
func show(t *testing.T, err error) string {
	t.Helper()
	var failed *Error
	if !errors.As(err, &failed) {
		return err.Error()
	}
	return err.Error() + "\n" + read(t, failed.Log)
}

// After each change the product of an incremental build is byte for byte that
// of a clean one, and no more was compiled than the change made necessary.
func TestIncremental(t *testing.T) {
	f := realTools(t)
	s, dir := openStore(t), t.TempDir()
	first := miniature(t)
	files(t, dir, first)
	if parts, whole := both(t, f, s, dir); len(parts) != 5 || len(whole) != 5 {
		t.Fatalf("compiled at first: %v and %v", parts, whole)
	}
	const all = "all"
	steps := []struct {
		name      string
		change    map[string]string
		fragment  string
		compiled  string // what must be compiled, or all
		fragments []string
	}{
		{name: "a source", change: map[string]string{"xen/common/a.c": "int a;\n"}, compiled: "common/a.c"},
		{name: "a source back", change: map[string]string{"xen/common/a.c": first["xen/common/a.c"]}, compiled: "common/a.c"},
		{name: "a header", change: map[string]string{"xen/include/xen/a.h": "#define A 2\n"}, compiled: "common/a.c"},
		{name: "a header that shadows another", change: map[string]string{"xen/arch/include/xen/shared.h": "#define SHARED 20\n"}, compiled: "common/a.c common/b.c"},
		{name: "a header changed and another gone", change: map[string]string{"xen/include/xen/shared.h": "#define SHARED 30\n", "xen/arch/include/xen/shared.h": ""}, compiled: "common/a.c common/b.c"},
		{name: "a header beside its source", change: map[string]string{"xen/xsm/flask/private.h": "#define PRIVATE 6\n"}, compiled: "xsm/flask/hooks.c"},
		{name: "a Kconfig option", fragment: "CONFIG_EXTRA=y\n", compiled: all},
		{name: "a Kconfig file", change: map[string]string{"xen/Kconfig": strings.Replace(first["xen/Kconfig"], "FAST y", "FAST n", 1)}, compiled: all},
		{name: "an added file", change: map[string]string{
			"xen/common/new.c": "int new;\n", "xen/common/Makefile": first["xen/common/Makefile"] + "obj-y += common/new.o\n",
		}, compiled: "common/a.c common/b.c common/c.c common/new.c"},
		{name: "a removed file", change: map[string]string{"xen/common/new.c": "", "xen/common/Makefile": first["xen/common/Makefile"]}, compiled: "common/a.c common/b.c common/c.c"},
		{name: "a script", change: map[string]string{"xen/tools/table.sh": "echo 'static const int table[] = { 4, 5 };'\n"}, compiled: all},
		{name: "a public header", change: map[string]string{"xen/include/public/types.h": "typedef unsigned long abi_number_t;\n"}, compiled: "common/b.c"},
		{name: "a public header that another includes", change: map[string]string{
			"xen/include/public/word.h":  "typedef unsigned short abi_word_t;\n",
			"xen/include/public/types.h": "#include <public/word.h>\ntypedef abi_word_t abi_number_t;\n",
		}, compiled: "common/b.c"},
		{name: "another public header", change: map[string]string{"xen/include/public/other.h": "typedef struct { long other; } abi_other_t;\n"}, compiled: "common/c.c"},
		{name: "a policy file", change: map[string]string{"tools/flask/policy/modules/dom0.te": "deny dom0_t\n"}, compiled: "xsm/flask/flask-policy.S"},
		{name: "a removed policy file", change: map[string]string{"tools/flask/policy/modules/domU.te": ""}, compiled: "xsm/flask/flask-policy.S"},
		{name: "what nothing reads", change: map[string]string{"xen/include/xen/unused.h": "#define UNUSED\n"}, compiled: ""},
	}
	for _, tt := range steps {
		files(t, dir, tt.change)
		parts, whole := both(t, f, s, dir, tt.fragment)
		want := map[string]bool{}
		for _, name := range strings.Fields(tt.compiled) {
			want[name] = true
		}
		if tt.compiled == all {
			want = set(whole)
		}
		if !maps.Equal(set(parts), want) {
			t.Errorf("%s: compiled were %v, want %v", tt.name, parts, want)
		}
	}

	// Another revision, and back again.
	other := t.TempDir()
	files(t, other, first)
	files(t, other, map[string]string{"xen/common/b.c": "int b;\n", "xen/include/xen/unused.h": "#define UNUSED 2\n"})
	both(t, f, s, other)
	files(t, dir, map[string]string{"xen/common/a.c": "int back;\n"})
	both(t, f, s, dir)
}

func set(names []string) map[string]bool {
	s := map[string]bool{}
	for _, n := range names {
		s[n] = true
	}
	return s
}

// A source that is gone though its makefile still asks for it fails, as it does
// without its old object.
func TestSourceGone(t *testing.T) {
	realTools(t)
	s, dir := openStore(t), t.TempDir()
	files(t, dir, miniature(t))
	build(t, s, Spec{What: "a miniature", Tree: opened(t, dir)}, silent)
	files(t, dir, map[string]string{"xen/common/a.c": ""})
	for _, clean := range []bool{false, true} {
		_, err := Build(t.Context(), s, Spec{What: "a miniature", Tree: opened(t, dir), Clean: clean}, silent)
		if err == nil || !strings.Contains(err.Error(), "common/a.o") {
			t.Errorf("clean: %v: error %v", clean, err)
		}
	}
}

// What does not compile leaves the objects that do.
func TestCompileError(t *testing.T) {
	f := realTools(t)
	s, dir := openStore(t), t.TempDir()
	files(t, dir, miniature(t))
	build(t, s, Spec{What: "a miniature", Tree: opened(t, dir)}, silent)
	files(t, dir, map[string]string{"xen/common/a.c": "int a(void) { return }\n"})
	var said words
	_, err := Build(t.Context(), s, Spec{What: "a miniature", Tree: opened(t, dir)}, said.say)
	var failed *Error
	if !errors.As(err, &failed) || failed.Step != "compile" || !strings.HasPrefix(failed.First, "common/a.c:1:") {
		t.Errorf("error %v", err)
	}
	if log := read(t, failed.Log); !strings.Contains(log, failed.First) || !strings.Contains(log, "cc common/a.o") {
		t.Errorf("log %q", log)
	}
	if said.has("the earlier") {
		t.Errorf("said %q", said.said)
	}
	compiled(t, f)
	files(t, dir, map[string]string{"xen/common/a.c": "int a;\n"})
	if parts, _ := both(t, f, s, dir); len(parts) != 1 {
		t.Errorf("compiled after the mend: %v", parts)
	}
}

// A script that may be executed now, or no longer, is another script: a clean
// build may fail on it.
func TestScriptMode(t *testing.T) {
	fakes(t)
	s, dir := openStore(t), fakeTree(t, "int a;\n")
	files(t, dir, map[string]string{"xen/scripts/x.sh": "true\n"})
	build(t, s, Spec{What: "native", Tree: opened(t, dir)}, silent)
	for _, c := range []struct {
		name    string
		mode    os.FileMode
		whole   bool // everything is compiled
		another bool // it is not the tree of before
	}{
		{"xen/scripts/x.sh", 0o755, true, true},
		{"xen/common/a.c", 0o755, false, true},
		{"xen/scripts/x.sh", 0o600, true, true},
		{"xen/scripts/x.sh", 0o644, false, false}, // who may read it does not count
	} {
		if err := os.Chmod(filepath.Join(dir, c.name), c.mode); err != nil {
			t.Fatal(err)
		}
		var said words
		if _, cached := build(t, s, Spec{What: "native", Tree: opened(t, dir)}, said.say); cached == c.another {
			t.Errorf("%s, %v: from the store: %v", c.name, c.mode, cached)
		}
		if c.another && said.has("compiling what changed") == c.whole {
			t.Errorf("%s, %v: said %q", c.name, c.mode, said.said)
		}
	}
}
