package kbuild

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xsmbench/hv/store"
)

const compileError = "common/a.c:7:3: error: expected ';' before '}' token"

func TestErrors(t *testing.T) {
	tests := []struct {
		name      string
		step      string // in which make fails
		says      string
		fragment  string
		wantStep  string
		wantFirst string
	}{
		{"compiler", "compile", compileError, "", "compile", compileError},
		{"linker", "compile", "ld: a.o: undefined reference to `f'", "", "compile", "ld: a.o: undefined reference to `f'"},
		{"make", "configure", "make: *** No rule to make target 'olddefconfig'.  Stop.", "", "configure", "make: *** No rule to make target 'olddefconfig'.  Stop."},
		{"silence", "configure", "", "", "configure", "it failed without a message"},
		{"Kconfig", "", "", "CONFIG_NOSUCH=y\n# CONFIG_DEFAULT is not set\n", "configure", "Kconfig did not accept CONFIG_DEFAULT=n (is y), CONFIG_NOSUCH=y (is n)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, s := fakes(t), openStore(t)
			if tt.step != "" {
				f.Write(tt.step, "echo working; echo \""+strings.ReplaceAll(tt.says, "`", "\\`")+"\" >&2; exit 2")
			} else {
				f.Write("configure", `sed -i /NOSUCH/d "$config"; echo loaded`)
			}
			spec := Spec{What: "native", Tree: opened(t, fakeTree(t, "one\n")), Fragments: []string{tt.fragment}}
			_, err := Build(t.Context(), s, spec, silent)
			var failed *Error
			if !errors.As(err, &failed) {
				t.Fatalf("error %v", err)
			}
			if failed.Step != tt.wantStep || failed.First != tt.wantFirst || failed.Unwrap() == nil {
				t.Errorf("error %+v", failed)
			}
			if want := fmt.Sprintf("%s Xen: %s (whole log: %s)", tt.wantStep, tt.wantFirst, failed.Log); err.Error() != want {
				t.Errorf("error %q, want %q", err, want)
			}
			if log := read(t, failed.Log); tt.says != "" && log != "working\n"+tt.says+"\n" && log != tt.says+"\nworking\n" {
				t.Errorf("log %q", log)
			}
		})
	}
}

func TestNoTools(t *testing.T) {
	f, s := fakes(t), openStore(t)
	spec := Spec{What: "native", Tree: opened(t, fakeTree(t, "one\n"))}
	f.Remove("make")
	if _, err := Build(t.Context(), s, spec, silent); !errors.Is(err, errNoMake) {
		t.Errorf("error %v without make", err)
	}
	f.Remove("gcc")
	if _, err := Build(t.Context(), s, spec, silent); !errors.Is(err, errNoCompiler) {
		t.Errorf("error %v without gcc", err)
	}
}

// The log of a build that failed outlasts the next ones of its configuration.
func TestLogs(t *testing.T) {
	f, s := fakes(t), openStore(t)
	failing := func(text string) string {
		t.Helper()
		f.Write("compile", "echo '"+compileError+" "+text+"' >&2; exit 2")
		_, err := Build(t.Context(), s, Spec{What: "native", Tree: opened(t, fakeTree(t, text+"\n"))}, silent)
		var failed *Error
		if !errors.As(err, &failed) {
			t.Fatalf("error %v", err)
		}
		return failed.Log
	}
	first := failing("first")
	f.Delete("compile")
	build(t, s, Spec{What: "native", Tree: opened(t, fakeTree(t, "good\n")), Clean: true}, silent)
	if log := read(t, first); !strings.Contains(log, "first") {
		t.Errorf("log %q", log)
	}
	old := time.Unix(1, 0)
	if err := os.Chtimes(first, old, old); err != nil {
		t.Fatal(err)
	}
	for i := range keptLogs {
		failing(fmt.Sprint(i))
	}
	if _, err := os.Stat(first); err == nil {
		t.Error("old logs stay for ever")
	}
	if logs, err := filepath.Glob(filepath.Join(filepath.Dir(first), "log-*")); err != nil || len(logs) > keptLogs+1 {
		t.Errorf("logs: %v, %v", logs, err)
	}
}

// After a failure that the source is not to blame for, a build that goes on
// from another one's objects begins again without them.
func TestBeginsAgain(t *testing.T) {
	const half = `test -e whole && { echo "%s" >&2; exit 2; }
cp Makefile whole
`
	tests := []struct {
		name, says string
		again      bool
	}{
		{"make", "make: *** No rule to make target 'a.h', needed by 'a.o'.  Stop.", true},
		{"linker", "ld: a.o: file format not recognized", true},
		{"compiler's death", "gcc: fatal error: Killed signal terminated program cc1", true},
		{"full disk", "/tmp/cc.s: Fatal error: can't write 1 byte: error: No space left on device", true},
		{"compiler", compileError, false},
		{"no header", "common/a.c:1:10: fatal error: xen/a.h: No such file or directory", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, s := fakes(t), openStore(t)
			dir := fakeTree(t, "one\n")
			f.Write("compile", fmt.Sprintf(half, tt.says))
			build(t, s, Spec{What: "native", Tree: opened(t, dir)}, silent)
			files(t, dir, map[string]string{"xen/common/a.c": "two\n"})
			var said words
			p, err := Build(t.Context(), s, Spec{What: "native", Tree: opened(t, dir)}, said.say)
			if !tt.again {
				var failed *Error
				if !errors.As(err, &failed) || failed.First != tt.says || said.has("the earlier") {
					t.Errorf("error %v, said %q", err, said.said)
				}
				// What it left is good: the next one goes on from it.
				f.Delete("compile")
				files(t, dir, map[string]string{"xen/common/a.c": "three\n"})
				build(t, s, Spec{What: "native", Tree: opened(t, dir)}, said.say)
				if !said.has("compiling what changed") {
					t.Errorf("said %q", said.said)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer p.Release()
			if got := read(t, p.Image); got != image("two\n") {
				t.Errorf("image %q", got)
			}
			if !said.has("cannot reuse the earlier build's objects (" + tt.says + "): building from scratch") {
				t.Errorf("said %q", said.said)
			}
		})
	}
}

// A build from nothing that fails is not tried twice.
func TestFailsOnce(t *testing.T) {
	f, s := fakes(t), openStore(t)
	f.Write("compile", "echo 'make: *** [a] Error 1' >&2; exit 2")
	spec := Spec{What: "native", Tree: opened(t, fakeTree(t, "one\n"))}
	for i := range 2 { // the next one does not build on what it left
		if _, err := Build(t.Context(), s, spec, silent); err == nil {
			t.Fatal("no error")
		}
		if n := f.Count("made", "compile"); n != i+1 {
			t.Errorf("%d compilations after %d builds", n, i+1)
		}
	}
}

// A configuration that is refused has not hurt what was built before.
func TestRefusedConfiguration(t *testing.T) {
	f, s := fakes(t), openStore(t)
	dir := fakeTree(t, "one\n")
	spec := func() Spec {
		return Spec{What: "native", Tree: opened(t, dir), Fragments: []string{"CONFIG_A=y\n"}}
	}
	build(t, s, spec(), silent)
	files(t, dir, map[string]string{"xen/common/a.c": "two\n"})
	f.Write("configure", `sed -i /CONFIG_A/d "$config"`)
	var said words
	var refused refusedError
	if _, err := Build(t.Context(), s, spec(), said.say); !errors.As(err, &refused) || said.has("the earlier") {
		t.Errorf("error %v, said %q", err, said.said)
	}
	f.Delete("configure")
	build(t, s, spec(), said.say)
	if !said.has("compiling what changed") {
		t.Errorf("said %q", said.said)
	}
}

func TestBadFragment(t *testing.T) {
	fakes(t)
	_, err := Build(t.Context(), openStore(t), Spec{What: "native", Tree: opened(t, fakeTree(t, "one\n")), Fragments: []string{"nonsense\n"}}, silent)
	if err == nil || !strings.Contains(err.Error(), `configure Xen: fragment line 5: "nonsense" is neither`) {
		t.Errorf("error %v", err)
	}
}

// A product that lacks a file is none.
func TestNoImage(t *testing.T) {
	f := fakes(t)
	f.Write("compile", "exit 0")
	s, spec := openStore(t), Spec{What: "native", Tree: opened(t, fakeTree(t, "one\n"))}
	if _, err := Build(t.Context(), s, spec, silent); err == nil || !strings.HasPrefix(err.Error(), "keep Xen's build: ") {
		t.Errorf("error %v", err)
	}
	f.Delete("compile")
	var said words
	if build(t, s, spec, said.say); said.has("compiling what changed") {
		t.Error("built on what made no image")
	}
}

func TestReadOnlyStore(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root can write everywhere")
	}
	fakes(t)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var readOnly *store.ReadOnlyError
	if _, err := Build(t.Context(), s, Spec{What: "native", Tree: opened(t, fakeTree(t, "one\n"))}, silent); !errors.As(err, &readOnly) {
		t.Errorf("error %v", err)
	}
}

func TestReadFragment(t *testing.T) {
	dir := t.TempDir()
	files(t, dir, map[string]string{"good": "CONFIG_A=y\n", "bad": "A\n"})
	if text, err := ReadFragment(filepath.Join(dir, "good")); err != nil || text != "CONFIG_A=y\n" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := ReadFragment(filepath.Join(dir, "bad")); err == nil || !strings.Contains(err.Error(), "bad:1: \"A\" is neither") {
		t.Errorf("error %v", err)
	}
	if _, err := ReadFragment(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
