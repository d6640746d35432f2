package gotool

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"xsmbench/hv/gotool/gotooltest"
)

// plant writes a tree of files.
func plant(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const program = "cmd/thing"

// project is a tree with a program.
func project(t *testing.T) string {
	return plant(t, t.TempDir(), map[string]string{
		"go.mod": "module xsmbench\n", program + "/main.go": "package main\n",
	})
}

func find(t *testing.T, dir string) Tool {
	t.Helper()
	g, err := Find(dir, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func inputs(t *testing.T, g Tool) *Inputs {
	t.Helper()
	in, err := g.Inputs(t.Context(), program, "")
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestCompile(t *testing.T) {
	for _, c := range []struct {
		name, on string
		want     string // of the error; "" for none
		changed  bool
	}{
		{name: "compiles"},
		{name: "does not compile", on: "printf '# xsmbench/cmd\\nmain.go:1:2: undefined: x\\n'; exit 1", want: "compile: main.go:1:2: undefined: x"},
		{name: "fails without a word", on: "exit 3", want: "compile: exit status 3"},
		{name: "is changed", on: "echo '// more' >>" + program + "/main.go", changed: true},
		{name: "gets a file", on: "echo 'package main' >" + program + "/more.go", changed: true},
		{name: "loses its file", on: "mv " + program + "/main.go " + program + "/other.go", changed: true},
		{name: "is half written", on: "echo 'func' >>" + program + "/main.go; echo 'main.go:2:1: unexpected EOF'; exit 1", changed: true},
		{name: "gets a test", on: "echo 'package main' >" + program + "/main_test.go"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := gotooltest.New(t)
			fake.On("build", c.on)
			g := find(t, project(t))
			out := filepath.Join(t.TempDir(), "program")
			err := g.Compile(t.Context(), Program{Package: program, Flags: []string{"-tags=x"}, Inputs: inputs(t, g)}, out)
			if errors.Is(err, ErrChanged) != c.changed {
				t.Fatalf("error %v, changed %v", err, c.changed)
			}
			if c.changed {
				return
			}
			var failed *CompileError
			if got := text(err); got != c.want || errors.As(err, &failed) != (c.want != "") {
				t.Errorf("error %q, want %q", got, c.want)
			}
			if failed != nil && strings.Contains(c.on, "#") && !strings.HasPrefix(string(failed.Log), "# xsmbench/cmd\n") {
				t.Errorf("log %q", failed.Log)
			}
			if program, err := os.ReadFile(out); c.want == "" && string(program) != "package main\n" {
				t.Errorf("program %q, %v", program, err)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestCancel: a go command that hangs ends with the context, and so does what
// it has started.
func TestCancel(t *testing.T) {
	cause := errors.New("the cause")
	for command, run := range map[string]func(context.Context, Tool, *Inputs) error{
		"build": func(ctx context.Context, g Tool, in *Inputs) error {
			return g.Compile(ctx, Program{Package: program, Inputs: in}, filepath.Join(t.TempDir(), "program"))
		},
		"env": func(ctx context.Context, g Tool, _ *Inputs) error {
			_, err := g.Env(ctx)
			return err
		},
	} {
		t.Run(command, func(t *testing.T) {
			fake := gotooltest.New(t)
			g := find(t, project(t))
			in := inputs(t, g)
			met := fake.Meet("here")
			// The sleep has the output, too: it must end as well.
			fake.On(command, `read go <"$dir/here"; sleep 1000 & wait`)
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() {
				met()
				cancel(cause)
			}()
			if err := run(ctx, g, in); err != cause {
				t.Errorf("error %v, want the context's cause", err)
			}
		})
	}
}

func TestFind(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Find(t.TempDir(), "amd64"); !errors.Is(err, ErrNoGo) {
		t.Errorf("error %v, want %v", err, ErrNoGo)
	}
}

func TestEnv(t *testing.T) {
	fake := gotooltest.New(t)
	t.Setenv("GOFLAGS", "-race")
	g := find(t, project(t))
	env, err := g.Env(t.Context())
	if err != nil || env["GOVERSION"] != "go1.99" || env["GOARCH"] != "amd64" || env["GOFLAGS"] != "-race" {
		t.Errorf("%v, %v", env, err)
	}
	for on, want := range map[string]string{
		"echo rubbish; exit 0":                     "go env: invalid character",
		"echo 'go: no such tool' >&2; exit 1":      "go env: go: no such tool",
		"exit 2":                                   "go env: exit status 2",
		"echo '# x' >&2; echo 'y' >&2; exit 1":     "go env: y",
		"echo 'a.go is bad: b.go:1:2' >&2; exit 1": "go env: a.go is bad: b.go:1:2",
	} {
		fake.On("env", on)
		if _, err := g.Env(t.Context()); !strings.HasPrefix(text(err), want) {
			t.Errorf("%s: error %v, want %s", on, err, want)
		}
		if _, err := g.Inputs(t.Context(), program, ""); !strings.HasPrefix(text(err), want) {
			t.Errorf("inputs, %s: error %v, want %s", on, err, want)
		}
	}
}

func TestFirstError(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"# xsmbench/hv\nhv/a.go:1:2: undefined: x\nhv/a.go:3:2: more\n", "hv/a.go:1:2: undefined: x"},
		{"go: downloading x\nhv/a.go:1:2: no module provides it\n", "hv/a.go:1:2: no module provides it"},
		{"flag provided but not defined: -x\n", "flag provided but not defined: -x"},
	} {
		if got := firstError(c.text); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestSettle(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name   string
		errors []error // of one call after the other; then nil
		calls  int
		want   error
	}{
		{"rests", nil, 1, nil},
		{"changes once", []error{ErrChanged}, 2, nil},
		{"changes, then breaks", []error{ErrChanged, broken}, 2, broken},
		{"changes always", []error{ErrChanged, ErrChanged, ErrChanged, ErrChanged, ErrChanged, ErrChanged}, mostChanges, ErrChanged},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls, words := 0, 0
			err := Settle(func(string) { words++ }, func() error {
				calls++
				if calls <= len(c.errors) {
					return c.errors[calls-1]
				}
				return nil
			})
			if calls != c.calls || !errors.Is(err, c.want) {
				t.Errorf("%d calls, error %v; want %d, %v", calls, err, c.calls, c.want)
			}
			if changes := min(len(c.errors), mostChanges); words != changes && c.want != broken {
				t.Errorf("%d words on %d changes", words, changes)
			}
		})
	}
}

// TestRealGo asks the go command itself: what it lists is what counts.
func TestRealGo(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("SKIPPED: no go command")
	}
	t.Setenv("GOWORK", "off")
	t.Setenv("GOFLAGS", "")
	dir := plant(t, t.TempDir(), map[string]string{
		"go.mod":               "module xsmbench\n\ngo 1.26.0\n\nrequire other v1.0.0\n\nreplace other => ./other\n",
		program + "/main.go":   "package main\n\nimport (\n\t\"embed\"\n\t_ \"other\"\n)\n\n//go:embed data data*.txt\nvar _ embed.FS\n\nfunc main() {}\n",
		program + "/data/a":    "a",
		program + "/data1.txt": "1",
		"other/go.mod":         "module other\n\ngo 1.26.0\n",
		"other/other.go":       "package other\n",
		"unused/unused.go":     "package unused\n",
	})
	g := find(t, dir)
	before := inputs(t, g)
	copied := find(t, plant(t, t.TempDir(), nil))
	if err := os.CopyFS(copied.Dir, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if in := inputs(t, copied); in.Digest != before.Digest {
		t.Error("a copy of the tree has other inputs")
	}
	for _, c := range []struct {
		file, text string
		counts     bool
	}{
		{"unused/unused.go", "package unused\n\nvar x int\n", false},
		{program + "/main_test.go", "package main\n", false},
		{program + "/.#main.go", "rubbish\n", false},
		{program + "/notes.txt", "notes\n", false},
		{program + "/data/sub/b", "b", true},
		{program + "/data2.txt", "2", true},
		{program + "/data/a", "b", true},
		{program + "/default.pgo", "profile", true},
		{program + "/fast.s", "// assembly\n", true},
		{program + "/windows.go", "//go:build windows\n\npackage main\n", true},
		{"other/other.go", "package other\n\nvar x int\n", true},
		{"other/go.mod", "module other\n\ngo 1.25.0\n", true},
		{"go.mod", "module xsmbench\n\ngo 1.26.0\n\nrequire other v1.0.0\n\nreplace other => ./other // as it is\n", true},
	} {
		plant(t, dir, map[string]string{c.file: c.text})
		if before.Current() == c.counts {
			t.Errorf("%s: current is %v", c.file, before.Current())
		}
		if c.counts {
			before = inputs(t, g)
		}
	}
}
