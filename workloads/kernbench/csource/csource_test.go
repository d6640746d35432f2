package csource_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"xsmbench/internal/require"
	"xsmbench/workloads/kernbench/csource"
)

// TestTree: another size is another tree, the same size the same one, and this one
// does not change: figures of different versions would not compare.
func TestTree(t *testing.T) {
	for _, c := range []struct {
		name               string
		size               csource.Size
		headers, functions int
		hash               string
	}{
		{"usual", csource.Usual, 78, 538, "6a30b47429cd7c34"},
		{"counted", csource.Counted, 38, 178, "3d9e3d8e2e9c6ea7"},
		{"quick", csource.Quick, 28, 80, "6f434c1c8cb30f08"},
	} {
		a, b := csource.New(c.size), csource.New(c.size)
		h := fnv.New64a()
		for i, f := range files(a) {
			g := files(b)[i]
			if f.Path != g.Path || !bytes.Equal(f.Text, g.Text) {
				t.Errorf("%s: %s differs between two calls", c.name, f.Path)
			}
			fmt.Fprintf(h, "%s\n%s", f.Path, f.Text)
		}
		if got := fmt.Sprintf("%x", h.Sum64()); got != c.hash || len(a.Headers) != c.headers || len(a.Functions) != c.functions {
			t.Errorf("%s: %d headers, %d functions, hash %s; want %d, %d, %s: figures of earlier versions no longer compare", c.name, len(a.Headers), len(a.Functions), got, c.headers, c.functions, c.hash)
		}
		if len(a.Sources) != c.size.Sources {
			t.Errorf("%s: %d sources, want %d", c.name, len(a.Sources), c.size.Sources)
		}
	}
}

func files(t *csource.Tree) []csource.File { return slices.Concat(t.Headers, t.Sources) }

// TestPlaces: files have directories, which come after those that they are in, and
// names are not taken twice.
func TestPlaces(t *testing.T) {
	tree := csource.New(csource.Usual)
	made := map[string]bool{".": true}
	for _, d := range tree.Dirs {
		if made[d] || !made[path.Dir(d)] {
			t.Errorf("directory %s is made twice, or before the one that it is in", d)
		}
		made[d] = true
	}
	seen := map[string]bool{}
	for _, f := range files(tree) {
		if seen[f.Path] || !made[path.Dir(f.Path)] {
			t.Errorf("%s is there twice, or has no directory", f.Path)
		}
		seen[f.Path] = true
	}
	functions := slices.Sorted(slices.Values(tree.Functions))
	if len(slices.Compact(slices.Clone(functions))) != len(functions) || !slices.Contains(functions, csource.Entry) {
		t.Error("a function is defined twice, or the entry is missing")
	}
}

var include = regexp.MustCompile(`(?m)^#include "(.*)"$`)

// TestIncludes: a source sees some dozens of headers, several levels deep, as in a
// small kernel, and each of them once.
func TestIncludes(t *testing.T) {
	tree := csource.New(csource.Usual)
	text := map[string][]byte{}
	for _, f := range tree.Headers {
		text[strings.TrimPrefix(f.Path, tree.Include+"/")] = f.Text
	}
	for _, f := range tree.Sources {
		depth := map[string]int{}
		var visit func(of []byte, level int)
		visit = func(of []byte, level int) {
			for _, m := range include.FindAllSubmatch(of, -1) {
				name := string(m[1])
				if text[name] == nil {
					t.Fatalf("%s includes %s, which does not exist", f.Path, name)
				}
				if _, been := depth[name]; !been || depth[name] < level {
					depth[name] = level
					visit(text[name], level+1)
				}
			}
		}
		visit(f.Text, 1)
		deepest := 0
		for _, d := range depth {
			deepest = max(deepest, d)
		}
		if f.Path != "lib/string.c" && (len(depth) < 40 || deepest < csource.Usual.Levels+1) {
			t.Errorf("%s sees %d headers, the deepest at level %d", f.Path, len(depth), deepest)
		}
	}
}

// TestImage compiles the small tree with every compiler that is there: all images end with the same status, so that what was compiled is
// what was written, and the tree needs nothing of the system.
func TestImage(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the entry ends the process by a call of x86_64 Linux")
	}
	dir, tree := t.TempDir(), csource.New(csource.Quick)
	for _, d := range tree.Dirs {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files(tree) {
		if err := os.WriteFile(filepath.Join(dir, f.Path), f.Text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tried := 0
	for _, cc := range []string{"tcc", "gcc -O1", "clang -O1"} {
		command := strings.Fields(cc)
		path, err := exec.LookPath(command[0])
		if err != nil {
			continue
		}
		tried++
		args := append(command[1:], "-nostdinc", "-nostdlib", "-static", "-I"+tree.Include, "-o", "image")
		if command[0] != "tcc" {
			args = append(args, "-ffreestanding", "-fno-stack-protector", "-mno-sse", "-Wall", "-Wextra", "-Werror")
		}
		for _, f := range tree.Sources {
			args = append(args, f.Path)
		}
		cmd := exec.Command(path, args...)
		cmd.Dir = dir
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%.2000s", cc, err, said)
			continue
		}
		var ended *exec.ExitError
		if err := exec.Command(filepath.Join(dir, "image")).Run(); !errors.As(err, &ended) || ended.ExitCode() != quickStatus {
			t.Errorf("%s: the image ends with %v, want status %d", cc, err, quickStatus)
		}
	}
	if tried == 0 {
		require.Program(t, "gcc", "gcc")
	}
}

// quickStatus is what the small tree's functions compute.
const quickStatus = 180
