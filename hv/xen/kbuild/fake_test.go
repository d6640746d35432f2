package kbuild

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"xsmbench/hv/store"
	"xsmbench/hv/xen/faketools"
	"xsmbench/hv/xen/source"
)

func TestMain(m *testing.M) {
	faketools.Main(m, map[string]func([]string) error{"build": buildRole})
}

// fakes are tools that build at once.
func fakes(t *testing.T) *faketools.Tools {
	t.Helper()
	return faketools.New(t, map[string]string{"make": faketools.Make, "gcc": faketools.GCC})
}

func openStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// files makes or changes files of a tree; one without text is removed.
func files(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if text == "" {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// fakeTree is a tree for the fake make. It is new enough for objects to be used
// again.
func fakeTree(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	files(t, dir, map[string]string{"xen/Makefile": "all:\n", "xen/tools/fixdep.c": "//\n", "xen/common/a.c": text})
	return dir
}

func opened(t *testing.T, dir string) *source.Tree {
	t.Helper()
	tree, err := source.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// words collects what a build says.
type words struct {
	mu   sync.Mutex
	said []string
}

func (w *words) say(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, s)
}

func (w *words) has(start string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.said, func(s string) bool { return strings.HasPrefix(s, start) })
}

func silent(string) {}

// build builds a tree and returns the image.
func build(t *testing.T, s *store.Store, spec Spec, progress func(string)) (text string, cached bool) {
	t.Helper()
	p, err := Build(t.Context(), s, spec, progress)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	return read(t, p.Image), p.Cached
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// image is what the fake make makes.
func image(source string) string { return source + Common + "CONFIG_DEFAULT=y\n" }

// buildRole is a process that builds the tree in the second folder with the
// store in the first one.
func buildRole(args []string) error {
	s, err := store.Open(args[0])
	if err != nil {
		return err
	}
	ctx := context.Background()
	tree, err := source.Open(ctx, args[1])
	if err != nil {
		return err
	}
	p, err := Build(ctx, s, Spec{What: "native", Tree: tree}, silent)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(p.Image)
	if err != nil {
		return err
	}
	fmt.Printf("built %v %d bytes\n", !p.Cached, len(text))
	return nil
}
