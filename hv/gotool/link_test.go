package gotool

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// outside is a module with a package in a folder below its root.
func outside(t *testing.T, files map[string]string) string {
	t.Helper()
	return filepath.Join(plant(t, t.TempDir(), files), "hooks")
}

func TestFindPackage(t *testing.T) {
	const mod, pkg = "module example.com/m\n\ngo 1.26.0\n", "package hooks\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string // of the error; else the import path
	}{
		{"good", map[string]string{"go.mod": mod, "hooks/a.go": pkg}, "example.com/m/hooks"},
		{"its own module", map[string]string{"hooks/go.mod": mod, "hooks/a.go": pkg}, "example.com/m"},
		{"no go version", map[string]string{"go.mod": "module m\n", "hooks/a.go": pkg}, "m/hooks"},
		{"for a tag", map[string]string{"go.mod": mod, "hooks/a.go": "//go:build framework\n\n" + pkg}, "example.com/m/hooks"},
		{"for another tag", map[string]string{"go.mod": mod, "hooks/a.go": "//go:build other\n\n" + pkg}, "no buildable Go source files"},
		{"no module", map[string]string{"hooks/a.go": pkg}, "no go.mod in it or above it: make one with go mod init"},
		{"torn go.mod", map[string]string{"go.mod": "module \"\n", "hooks/a.go": pkg}, "go.mod:1"},
		{"empty go.mod", map[string]string{"go.mod": "", "hooks/a.go": pkg}, "go.mod: no module statement"},
		{"a tree of xsmbench", map[string]string{"go.mod": "module xsmbench\n", "hooks/a.go": pkg}, "belongs to a source tree of xsmbench itself"},
		{"no file", map[string]string{"go.mod": mod, "hooks/README": ""}, "no buildable Go source files"},
		{"a program", map[string]string{"go.mod": mod, "hooks/a.go": "package main\n"}, "hooks/a.go: package main cannot be imported"},
		{"no package clause", map[string]string{"go.mod": mod, "hooks/a.go": "var x = 1\n"}, "hooks/a.go:1:1: expected 'package'"},
		{"two packages", map[string]string{"go.mod": mod, "hooks/a.go": pkg, "hooks/b.go": "package other\n"}, "found packages hooks (a.go) and other (b.go)"},
		{"nowhere", nil, "hooks: no such directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := FindPackage(outside(t, c.files), "framework")
			got := p.Import
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// linked is a tool that links the package in a folder into the program.
func linked(t *testing.T, tree, dir string) Tool {
	t.Helper()
	g := find(t, tree)
	g.Alone = true
	p, err := FindPackage(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Link(program, p, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestLink builds a program with a package from outside, which uses one of the
// tree's and one of its own module. All of that decides what is built.
func TestLink(t *testing.T) {
	tree := plant(t, t.TempDir(), map[string]string{
		"go.mod":             "module xsmbench\n\ngo 1.26.0\n",
		"words/words.go":     "package words\n\nvar All []string\n",
		program + "/main.go": "package main\n\nimport \"xsmbench/words\"\n\nfunc main() { print(len(words.All)) }\n",
	})
	files := map[string]string{
		"go.mod":         "module example.com/m\n\ngo 1.26.0\n",
		"hooks/hooks.go": "package hooks\n\nimport (\n\t\"xsmbench/words\"\n\t\"example.com/m/more\"\n)\n\nfunc init() { words.All = append(words.All, more.Words...) }\n",
		"more/more.go":   "package more\n\nvar Words = []string{\"one\", \"two\"}\n",
	}
	dir := outside(t, files)
	root := filepath.Dir(dir)
	g := linked(t, tree, dir)
	in := inputs(t, g)
	to := filepath.Join(t.TempDir(), "program")
	if err := g.Compile(t.Context(), Program{Package: program, Inputs: in}, to); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(to).CombinedOutput(); err != nil || string(out) != "2" {
		t.Fatalf("the program prints %q, %v", out, err)
	}

	if plain := inputs(t, find(t, tree)); plain.Digest == in.Digest {
		t.Error("the package does not count")
	}
	elsewhere := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(elsewhere, os.DirFS(root)); err != nil {
		t.Fatal(err)
	}
	if other := inputs(t, linked(t, tree, filepath.Join(elsewhere, "hooks"))); other.Digest != in.Digest {
		t.Error("it counts where the package lies")
	}
	for name, text := range map[string]string{
		"more/more.go":   "package more\n\nvar Words = []string{\"one\"}\n",
		"hooks/other.go": "package hooks\n",
		"go.mod":         "module example.com/m\n\ngo 1.26.0\n\n// changed\n",
		"go.sum":         "example.com/x v1.0.0/go.mod h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
	} {
		plant(t, elsewhere, map[string]string{name: text})
		if other := inputs(t, linked(t, tree, filepath.Join(elsewhere, "hooks"))); other.Digest == in.Digest || !in.Current() {
			t.Errorf("%s changed: the inputs are the same", name)
		}
	}

	plant(t, root, map[string]string{"more/more.go": "package more\n\nvar Words = []int{}\n"})
	if in.Current() {
		t.Error("the inputs have not changed")
	}
	err := g.Compile(t.Context(), Program{Package: program, Inputs: inputs(t, g)}, to)
	var failed *CompileError
	if want := filepath.Join(dir, "hooks.go") + ":8:"; !errors.As(err, &failed) || !strings.HasPrefix(failed.First, want) || !failed.OfSource() {
		t.Errorf("a mistake: %v, want %s", err, want)
	}
	plant(t, root, map[string]string{"more/more.go": "package more\n\nimport _ \"example.com/none\"\n"})
	if _, err := g.Inputs(t.Context(), program, ""); err == nil || !strings.Contains(err.Error(), filepath.Join(root, "more", "more.go")+":3:8: ") {
		t.Errorf("an import of nothing: %v", err)
	}
}

// TestWorkspace links a package whose module uses a sibling of the user's workspace,
// which also has a tree of xsmbench, for editors, and replaces a module by a folder.
func TestWorkspace(t *testing.T) {
	tree := plant(t, t.TempDir(), map[string]string{
		"go.mod":             "module xsmbench\n\ngo 1.26.0\n",
		"words/words.go":     "package words\n\nvar All []string\n",
		program + "/main.go": "package main\n\nimport \"xsmbench/words\"\n\nfunc main() { print(len(words.All)) }\n",
	})
	root := plant(t, t.TempDir(), map[string]string{
		"go.work":           "go 1.26.0\n\nuse (\n\t./m\n\t./lib\n\t./clone\n)\n\nreplace example.com/old v1.0.0 => ./old\n",
		"m/go.mod":          "module example.com/m\n\ngo 1.26.0\n\nrequire example.com/old v1.0.0\n",
		"m/hooks/hooks.go":  "package hooks\n\nimport (\n\t\"example.com/lib\"\n\t\"example.com/old\"\n\t\"xsmbench/words\"\n)\n\nfunc init() { words.All = append(lib.Words, old.Word) }\n",
		"lib/go.mod":        "module example.com/lib\n\ngo 1.26.0\n",
		"lib/lib.go":        "package lib\n\nvar Words = []string{\"one\", \"two\"}\n",
		"old/go.mod":        "module example.com/old\n",
		"old/old.go":        "package old\n\nconst Word = \"three\"\n",
		"clone/go.mod":      "module xsmbench\n",
		"clone/words/no.go": "package words // of a tree that is not built\n",
	})
	g := linked(t, tree, filepath.Join(root, "m", "hooks"))
	in := inputs(t, g)
	to := filepath.Join(t.TempDir(), "program")
	if err := g.Compile(t.Context(), Program{Package: program, Inputs: in}, to); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(to).CombinedOutput(); err != nil || string(out) != "3" {
		t.Errorf("the program prints %q, %v", out, err)
	}
	for _, name := range []string{"lib/lib.go", "go.work", "old/old.go"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		plant(t, root, map[string]string{name: string(text) + "\n// changed\n"})
		if in.Current() {
			t.Errorf("%s changed: the inputs are the same", name)
		}
		plant(t, root, map[string]string{name: string(text)})
		if !in.Current() {
			t.Errorf("%s is as it was: the inputs are not", name)
		}
	}
	t.Setenv("GOWORK", "off")
	t.Setenv("GOPROXY", "off")
	if _, err := linked(t, tree, filepath.Join(root, "m", "hooks")).Inputs(t.Context(), program, ""); err == nil || !strings.Contains(err.Error(), "example.com/") {
		t.Errorf("without the workspace: %v", err)
	}
}

func TestWorkspaceOf(t *testing.T) {
	const mod = "module example.com/m\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string // the siblings, or the error
	}{
		{"none", nil, ""},
		{"of others", map[string]string{"go.work": "go 1.26.0\n\nuse ./lib\n", "lib/go.mod": "module lib\n"}, ""},
		{"one", map[string]string{"go.work": "go 1.26.0\n\nuse ./m\n\nuse ./lib\n", "lib/go.mod": "module lib\n"}, "lib"},
		{"no sibling", map[string]string{"go.work": "go 1.26.0\n\nuse ./m\n"}, ""},
		{"torn", map[string]string{"go.work": "use (\n"}, "go.work:"},
		{"no such folder", map[string]string{"go.work": "go 1.26.0\n\nuse (\n\t./m\n\t./lib\n)\n"}, "go.work:5: use ./lib: there is no go.mod in it"},
	} {
		root := plant(t, t.TempDir(), map[string]string{"m/go.mod": mod})
		plant(t, root, c.files)
		m, err := moduleIn(filepath.Join(root, "m"))
		if err != nil {
			t.Fatal(err)
		}
		w, err := workspaceOf(m)
		var got []string
		for _, s := range w.siblings {
			got = append(got, s.path)
		}
		if err != nil {
			got = []string{err.Error()}
		}
		if text := strings.Join(got, " "); text != c.want && (err == nil || c.want == "" || !strings.Contains(text, c.want)) {
			t.Errorf("%s: %q, want %q", c.name, text, c.want)
		}
	}
}

func TestShown(t *testing.T) {
	tree := project(t)
	dir := outside(t, map[string]string{"go.mod": "module example.com/m\n\ngo 1.26.0\n", "hooks/a.go": "package hooks\n"})
	g := linked(t, tree, dir)
	above := filepath.Dir(tree)
	for line, want := range map[string]string{
		"../x/a.go:1:2: lost":           filepath.Join(above, "x", "a.go") + ":1:2: lost",
		"example.com/m/hooks/a.go:7":    filepath.Join(dir, "a.go") + ":7",
		"example.com/other/a.go:7":      "example.com/other/a.go:7",
		"cmd/thing/main.go:3: mistake":  "cmd/thing/main.go:3: mistake",
		"a line without a place in it":  "a line without a place in it",
		"panic: ../not/a/place: really": "panic: ../not/a/place: really",
	} {
		if got := g.Shown(line); got != want {
			t.Errorf("%q becomes %q, want %q", line, got, want)
		}
		if got := find(t, tree).Shown(line); got != line {
			t.Errorf("without a package from outside %q becomes %q", line, got)
		}
	}
}
