package host

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/gotool/gotooltest"
	"xsmbench/hv/store"
	"xsmbench/internal/require"
	"xsmbench/xsm/flask/policy"
)

// native is a build of a tree.
func native(dir string) hv.Build { return hv.Build{Name: "native", Arch: "amd64", Source: dir} }

// entries are those of a kind in the user's store.
func entries(t *testing.T, k store.Kind) (list []store.Info) {
	t.Helper()
	s, err := store.Default()
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if i.Kind == k.Name {
			list = append(list, i)
		}
	}
	return list
}

// TestOneCompiles: of many that want one image, in this process and in others,
// one compiles it.
func TestOneCompiles(t *testing.T) {
	fake := gotooltest.New(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	b := native(tree(t, nil))
	others := []*another{start(t, job{Build: b}), start(t, job{Build: b})}
	var made atomic.Int32
	var group sync.WaitGroup
	for _, tg := range []*Target{New(), New()} {
		for range 3 {
			group.Go(func() {
				img, err := tg.Build(t.Context(), b, func(string) {})
				if err != nil {
					t.Error(err)
				} else if !img.Cached {
					made.Add(1)
				}
			})
		}
	}
	for _, p := range others {
		p.begin()
	}
	for _, p := range others {
		if o := p.outcome(); o.Err != "" {
			t.Error(o.Err)
		} else if !o.Cached {
			made.Add(1)
		}
	}
	group.Wait()
	if n := fake.Calls("build"); n != 1 || made.Load() != 1 {
		t.Errorf("compiled %d times, made %d times", n, made.Load())
	}
	list := entries(t, images)
	if len(list) != 1 || !list[0].InUse || list[0].What != "the model's native (amd64)" {
		t.Errorf("in the store: %+v", list)
	}
}

// TestHeld: what a process has built is not removed under it.
func TestHeld(t *testing.T) {
	gotooltest.New(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	tg := New()
	b := native(tree(t, nil))
	mustBuild(t, tg, b)
	img := mustBuild(t, tg, b) // the first use is not the last
	s, err := store.Default()
	if err != nil {
		t.Fatal(err)
	}
	if r, err := s.Clear(); err != nil || r.InUse != 1 || r.Entries != 0 {
		t.Errorf("cleared %+v, %v", r, err)
	}
	if _, err := os.Stat(img.Path); err != nil {
		t.Error(err)
	}
}

// TestDamage: an image that is not whole is made again, with a word. A folder
// without one of its files was a failure at each try.
func TestDamage(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"a file is missing":    os.Remove,
		"a file is cut off":    func(path string) error { return os.Truncate(path, 3) },
		"a file is another":    func(path string) error { return flip(path) },
		"the folder is empty":  func(path string) error { return os.RemoveAll(filepath.Dir(path)) },
		"the entry is a relic": func(path string) error { return emptied(filepath.Dir(filepath.Dir(path))) },
	} {
		t.Run(name, func(t *testing.T) {
			fake := gotooltest.New(t)
			t.Setenv("XDG_CACHE_HOME", t.TempDir())
			j := job{Build: native(tree(t, nil))}
			first := inProcess(t, j)
			if err := damage(first.Image.Path); err != nil {
				t.Fatal(err)
			}
			second := inProcess(t, j)
			if second.Cached || second.Image.Hash != first.Image.Hash || !strings.Contains(second.Said, "the model's native (amd64) is damaged (") {
				t.Errorf("after the damage: %+v", second)
			}
			if third := inProcess(t, j); !third.Cached || fake.Calls("build") != 2 {
				t.Errorf("then: %+v, compiled %d times", third, fake.Calls("build"))
			}
		})
	}
}

// flip changes a byte.
func flip(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text[0] ^= 1
	return os.WriteFile(path, text, 0o755)
}

// emptied leaves a folder with nothing in it.
func emptied(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Mkdir(dir, 0o755)
}

// TestChanges: what is built is what was hashed, also of a source that changes
// while it is compiled.
func TestChanges(t *testing.T) {
	for _, c := range []struct {
		name, on string
		builds   int
		want     string // in the error; "" for none
	}{
		{"once", `if [ ! -f "$dir/changed" ]; then touch "$dir/changed"; echo '// more' >>cmd/xsmmodel/main.go; fi`, 2, ""},
		{"always", `echo '// more' >>cmd/xsmmodel/main.go`, 5, "build native: the source changed while it was compiled repeatedly: wait until it is stable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := gotooltest.New(t)
			fake.On("build", c.on)
			t.Setenv("XDG_CACHE_HOME", t.TempDir())
			var said strings.Builder
			dir := tree(t, nil)
			img, err := New().Build(t.Context(), native(dir), func(s string) { said.WriteString(s + "\n") })
			if n := fake.Calls("build"); n != c.builds {
				t.Errorf("compiled %d times, want %d", n, c.builds)
			}
			if !strings.Contains(said.String(), "native: the source changed while it was compiled; it is built as it is now\n") {
				t.Errorf("said %q", said.String())
			}
			if c.want != "" {
				if list := entries(t, images); err == nil || !strings.Contains(err.Error(), c.want) || len(list) != 0 {
					t.Errorf("error %v, in the store: %+v", err, list)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			program, err := os.ReadFile(img.Path)
			if err != nil || string(program) != testProgram+"// more\n" {
				t.Errorf("program %q, %v", program, err)
			}
			again := mustBuild(t, New(), native(dir))
			if list := entries(t, images); !again.Cached || len(list) != 1 {
				t.Errorf("again: cached %v; in the store: %+v", again.Cached, list)
			}
		})
	}
}

// TestOneCommit: two names of one commit are one source and one image.
func TestOneCommit(t *testing.T) {
	require.Program(t, "git", "git")
	fake := gotooltest.New(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := tree(t, nil)
	repository(t, dir)
	tg := New()
	for _, rev := range []string{"v1", "HEAD"} {
		b := native(dir)
		b.Name, b.Kind, b.Rev = rev, "native", rev
		mustBuild(t, tg, b)
	}
	if n := fake.Calls("build"); n != 1 || len(entries(t, sources)) != 1 || len(entries(t, images)) != 1 {
		t.Errorf("compiled %d times; sources %+v, images %+v", n, entries(t, sources), entries(t, images))
	}
}

// TestPolicy: a policy is kept as it was when the image was built.
func TestPolicy(t *testing.T) {
	gotooltest.New(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := tree(t, nil)
	path := filepath.Join(t.TempDir(), "policy")
	if err := os.WriteFile(path, policy.Binary, 0o644); err != nil {
		t.Fatal(err)
	}
	tg := New()
	plain := mustBuild(t, tg, hv.Build{Name: "flask", Arch: "amd64", Source: dir})
	img := mustBuild(t, tg, hv.Build{Name: "flask", Arch: "amd64", Source: dir, Policy: path})
	if img.Hash == plain.Hash || img.Path != plain.Path {
		t.Errorf("with a policy: hash %s, without %s", img.Hash, plain.Hash)
	}
	if err := os.WriteFile(path, []byte("rubbish"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tg := range []*Target{tg, New()} {
		args, err := tg.arguments(img, hv.BootSpec{})
		if err != nil || len(args) != 4 || args[2] != "-policy" {
			t.Fatalf("arguments %v, %v", args, err)
		}
		if text, err := os.ReadFile(args[3]); err != nil || string(text) != string(policy.Binary) {
			t.Errorf("policy of %d bytes, %v", len(text), err)
		}
	}
	img.Policy = strings.Repeat("0", 64)
	if _, err := tg.arguments(img, hv.BootSpec{}); err == nil || !strings.Contains(err.Error(), "not in the store") {
		t.Errorf("a policy that was not kept: %v", err)
	}
}

// asProgram has the fake's programs be scripts.
func asProgram(fake *gotooltest.Fake, script string) {
	fake.On("build", "cat >\"$out\" <<'END'\n#!/bin/sh\n"+script+"\nEND\nchmod 755 \"$out\"; exit 0")
}

// TestReadOnly: who can only read the store can run what is in it.
func TestReadOnly(t *testing.T) {
	fake := gotooltest.New(t)
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	dir := tree(t, map[string]string{"done": session("dom0")})
	asProgram(fake, "cat >/dev/null; cat '"+dir+"/cmd/xsmmodel/records/done'")
	plan := bench.Plan{Domains: []string{"dom0"}, Benchmarks: []string{"Test/one"}}
	j := job{Build: native(dir), Plan: &plan}
	if o := inProcess(t, j); o.Cached || o.Samples != 1 {
		t.Fatalf("by its owner: %+v", o)
	}
	asOther := readOnly(t, cache)
	if o := inProcess(t, j, asOther); !o.Cached || o.Samples != 1 {
		t.Errorf("by another: %+v", o)
	}
	j.Build.Layout = 1
	if o := inProcess(t, j, asOther); !strings.Contains(o.Err, "build native layout 1: make the model's native layout 1 (amd64): the store") {
		t.Errorf("what is not there: %+v", o)
	}
	if n := fake.Calls("build"); n != 1 {
		t.Errorf("compiled %d times", n)
	}
}

// readOnly makes a folder one that the process, which is root's or the folder's
// owner's, can only read.
func readOnly(t *testing.T, dir string) (change func(*exec.Cmd)) {
	if os.Getuid() == 0 {
		for d := dir; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
			if err := os.Chmod(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		return func(cmd *exec.Cmd) {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
	}
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			t.Cleanup(func() { _ = os.Chmod(path, 0o755) })
			return os.Chmod(path, 0o555)
		}
		return err
	})
	return func(*exec.Cmd) {}
}

// TestKilled: a model does not outlive the process that started it.
func TestKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: only Linux ends a child with its parent")
	}
	fake := gotooltest.New(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	asProgram(fake, "exec 3>'"+pipe+"'\necho up >&3\nexec sleep 1000")
	p := start(t, job{Build: native(tree(t, nil)), Plan: &bench.Plan{Domains: []string{"dom0"}}})
	p.begin()
	f, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := bufio.NewReader(f)
	if line, err := r.ReadString('\n'); err != nil || line != "up\n" {
		t.Fatalf("the model says %q, %v", line, err)
	}
	p.kill()
	// The pipe ends with its last writer.
	if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
		t.Errorf("then it says %q, %v", rest, err)
	}
}

// TestTurn: who waits for a turn to compile ends with its context, and leaves
// the image to others.
func TestTurn(t *testing.T) {
	fake := gotooltest.New(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	tg, b := New(), native(tree(t, nil))
	tg.compiling <- struct{}{} // somebody compiles
	cause := errors.New("the cause")
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error)
	go func() {
		_, err := tg.Build(ctx, b, func(string) {})
		ended <- err
	}()
	cancel(cause)
	if err := <-ended; !errors.Is(err, cause) {
		t.Errorf("error %v, want the context's cause", err)
	}
	<-tg.compiling
	mustBuild(t, tg, b)
	b.Layout = 1 // which is linked
	for range processors() {
		tg.linking <- struct{}{}
	}
	ctx, cancel = context.WithCancelCause(t.Context())
	go func() {
		_, err := tg.Build(ctx, b, func(string) {})
		ended <- err
	}()
	cancel(cause)
	if err := <-ended; !errors.Is(err, cause) {
		t.Errorf("linking: error %v, want the context's cause", err)
	}
	<-tg.linking
	mustBuild(t, tg, b)
	if n := fake.Calls("build"); n != 2 {
		t.Errorf("built %d times", n)
	}
}
