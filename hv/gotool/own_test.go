package gotool

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"xsmbench/hv/gotool/gotooltest"
	"xsmbench/hv/store"
	"xsmbench/internal/require"
)

func own(t *testing.T) *store.Entry {
	t.Helper()
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	e, err := Own(t.Context(), s, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Release() })
	return e
}

// TestOwn: what is built of the own source is what is built of the clone. A
// file, a package or a module that is not embedded shows here.
func TestOwn(t *testing.T) {
	require.Program(t, "go", "golang-go")
	t.Setenv("GOWORK", "off")
	clone, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	unpacked := own(t).Dir
	for _, b := range []struct{ program, arches, tags string }{
		{"cmd/xsmmodel", "amd64 386", " xsm xsm,flask xsm,xsmcount xsm,flask,xsmcount"},
		{"cmd/xsmguest", "amd64", ""},
	} {
		for _, arch := range strings.Fields(b.arches) {
			for _, tags := range strings.Split(b.tags, " ") {
				digest := func(dir string) string {
					g, err := Find(dir, arch)
					if err != nil {
						t.Fatal(err)
					}
					in, err := g.Inputs(t.Context(), b.program, tags)
					if err != nil {
						t.Fatalf("%s: %v (is embedded.go current? go generate . writes it)", dir, err)
					}
					return in.Digest
				}
				if digest(unpacked) != digest(clone) {
					t.Errorf("%s, %s, tags %q: the own source is not the clone's (go generate . writes embedded.go)", b.program, arch, tags)
				}
			}
		}
	}
}

// TestOwnIsSmall: neither tests nor what no build needs is unpacked.
func TestOwnIsSmall(t *testing.T) {
	var size int64
	dir := own(t).Dir
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		size += info.Size()
		if name := info.Name(); strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, ".md") {
			t.Errorf("%s is unpacked", path)
		}
		return nil
	})
	if err != nil || size < 500<<10 || size > 2<<20 {
		t.Errorf("%d bytes, %v", size, err)
	}
}

func TestDiffersFromOwn(t *testing.T) {
	clone, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if name, err := DiffersFromOwn(clone); name != "" || err != nil {
		t.Errorf("the clone of this test: %q, %v", name, err)
	}
	files := map[string]string{
		"go.mod": "module xsmbench\n", "go.sum": "", "a/a.go": "package a\n", "a/a.s": "", "a/data": "1", "a/a_test.go": "package a\n", "b/b.go": "package b\n",
	}
	c, err := carry(mapped(files, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name   string
		change map[string]string // "-" for gone
		want   string
	}{
		{"the same", nil, ""},
		{"a test", map[string]string{"a/a_test.go": "package a // changed\n", "a/more_test.go": "package a\n"}, ""},
		{"what is not built", map[string]string{"README.md": "x", "a/notes": "x", "a/.#a.go": "x", "c/c.go": "package c\n", "a/testdata/x.go": "x"}, ""},
		{"a file changed", map[string]string{"a/a.go": "package a // changed\n"}, "a/a.go"},
		{"an embedded file changed", map[string]string{"a/data": "2"}, "a/data"},
		{"a file gone", map[string]string{"b/b.go": "-"}, "b/b.go"},
		{"a file more", map[string]string{"a/z.go": "package a\n"}, "a/z.go"},
		{"a profile for the compiler more", map[string]string{"b/default.pgo": "x"}, "b/default.pgo"},
		{"the module", map[string]string{"go.mod": "module xsmbench // changed\n"}, "go.mod"},
	} {
		if got, err := c.differs(mapped(files, x.change)); got != x.want || err != nil {
			t.Errorf("%s: %q, %v; want %q", x.name, got, err, x.want)
		}
	}
}

func mapped(files, change map[string]string) fstest.MapFS {
	all := maps.Clone(files)
	maps.Copy(all, change)
	fsys := fstest.MapFS{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name] != "-" {
			fsys[name] = &fstest.MapFile{Data: []byte(all[name])}
		}
	}
	return fsys
}

// TestKeyOfOwn: another file, name or order is another key.
func TestKeyOfOwn(t *testing.T) {
	seen := map[store.Key]string{}
	for _, files := range []map[string]string{
		{"a.go": "x"}, {"b.go": "x"}, {"a.go": "y"}, {"a.go": "x", "b.go": ""}, {"a.go": "", "b.go": "x"},
	} {
		c, err := carry(mapped(files, nil))
		if err != nil {
			t.Fatal(err)
		}
		if before, taken := seen[c.key]; taken {
			t.Errorf("%v has the key of %s", files, before)
		}
		seen[c.key] = strings.Join(c.names, " ")
	}
}

// TestAlone: a workspace around the store does not count.
func TestAlone(t *testing.T) {
	fake := gotooltest.New(t)
	fake.On("list", `test "$GOWORK" = off || { echo 'go: not in the workspace' >&2; exit 1; }`)
	g := find(t, project(t))
	g.Alone = true
	inputs(t, g)
}
