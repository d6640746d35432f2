package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xsmbench/hv"
	"xsmbench/hv/gotool"
	"xsmbench/hv/gotool/gotooltest"
)

// ownClone is a clone of the source that this test carries with it, with files
// changed.
func ownClone(t *testing.T, change map[string]string) string {
	t.Helper()
	s, err := newTarget(t).opened()
	if err != nil {
		t.Fatal(err)
	}
	e, err := gotool.Own(t.Context(), s, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release()
	dir := t.TempDir()
	if err := copySource(e.Dir, dir); err != nil {
		t.Fatal(err)
	}
	for name, text := range change {
		write(t, dir, name, text)
	}
	return dir
}

// TestSource: which source is built.
func TestSource(t *testing.T) {
	gotooltest.New(t)
	same := ownClone(t, map[string]string{"xsm/xsm_test.go": "package xsm\n", "notes/x.md": "x"})
	other := ownClone(t, map[string]string{"xsm/more.go": "package xsm\n"})
	empty := t.TempDir()
	named := tree(t, nil)
	for _, c := range []struct {
		name, in string
		build    hv.Build
		own      bool
		want     string // of the error
	}{
		{name: "nowhere", in: empty, own: true},
		{name: "in a clone of this source", in: same, own: true},
		{name: "below the root of a clone of this source", in: filepath.Join(same, "notes"), own: true},
		{name: "in another clone", in: other, want: "is not what this xsmbench was built from (xsm/more.go differs): build xsmbench again, or give --source " + other},
		{name: "below the root of another clone", in: filepath.Join(other, "xsm"), want: "(xsm/more.go differs)"},
		{name: "another clone that is asked for", in: other, build: hv.Build{Source: "."}},
		{name: "a tree, from nowhere", in: empty, build: hv.Build{Source: named}},
		{name: "a tree, from another clone", in: other, build: hv.Build{Source: named}},
		{name: "a revision, from nowhere", in: empty, build: hv.Build{Rev: "main"}, want: `find revision "main": the working directory is not in a clone of xsmbench`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(c.in)
			tg := newTarget(t)
			b := c.build
			b.Name, b.Arch = "native", "amd64"
			from, err := tg.sourceOf(t.Context(), b, func(string) {})
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("error %v, want %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if from.kept != c.own {
				t.Errorf("built from %s", from.dir)
			}
			if _, err := tg.Build(t.Context(), b, func(string) {}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOneAnswer: whether the source is ambiguous is asked once, so that a clone
// that is edited during a run does not end it.
func TestOneAnswer(t *testing.T) {
	gotooltest.New(t)
	dir := ownClone(t, nil)
	t.Chdir(dir)
	tg := newTarget(t)
	b := hv.Build{Name: "native", Arch: "amd64"}
	first := mustBuild(t, tg, b)
	write(t, dir, "xsm/more.go", "package xsm\n")
	b.Layout = 1
	if second := mustBuild(t, tg, b); second.Hash != first.Hash { // the fake links no layouts
		t.Error("the second layout is of another source")
	}
	_, err := newTarget(t).Build(t.Context(), b, func(string) {})
	var two *AmbiguousError
	if !errors.As(err, &two) || two.File != "xsm/more.go" {
		t.Errorf("the next process: %v", err)
	}
}

// TestOwnLeavesTheCloneAlone: building in a clone of this source writes nothing
// into it.
func TestOwnLeavesTheCloneAlone(t *testing.T) {
	gotooltest.New(t)
	dir := ownClone(t, nil)
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	before, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	mustBuild(t, newTarget(t), hv.Build{Name: "native", Arch: "amd64"})
	after, err := os.ReadDir(dir)
	if err != nil || len(after) != len(before) {
		t.Errorf("%d names, then %d, %v", len(before), len(after), err)
	}
}
