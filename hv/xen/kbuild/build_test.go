package kbuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv/store"
	"xsmbench/hv/xen/faketools"
	"xsmbench/hv/xen/source"
	"xsmbench/internal/require"
)

func TestProduct(t *testing.T) {
	f, s := fakes(t), openStore(t)
	spec := Spec{What: "native", Tree: opened(t, fakeTree(t, "one\n")), Fragments: []string{"CONFIG_A=y\n"}}
	p, err := Build(t.Context(), s, spec, silent)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	want := Config{"CONFIG_DEBUG": "n", "CONFIG_EXPERT": "y", "CONFIG_XEN_SHSTK": "n", "CONFIG_XEN_IBT": "n", "CONFIG_A": "y", "CONFIG_DEFAULT": "y"}
	if d := cmp.Diff(want, p.Config); d != "" {
		t.Error(d)
	}
	if p.Cached || p.Compiler != "gcc 1.0" || read(t, p.Image) != read(t, p.Syms) {
		t.Errorf("product %+v", p)
	}
	if _, cached := build(t, s, spec, silent); !cached {
		t.Error("built again")
	}
	// Each of these decides what is built.
	clean, other := spec, spec
	clean.Clean = true
	other.Fragments = []string{"CONFIG_A=n\n"}
	for name, spec := range map[string]Spec{"clean": clean, "configuration": other} {
		if _, cached := build(t, s, spec, silent); cached {
			t.Errorf("%s: not built", name)
		}
	}
	f.Add("gcc", "echo gcc 2.0\n")
	if _, cached := build(t, s, spec, silent); cached {
		t.Error("another compiler: not built")
	}
	if err := p.Reject("the test wants it anew"); err != nil {
		t.Error(err)
	}
	f.Add("gcc", "echo gcc 1.0\n")
	if _, cached := build(t, s, spec, silent); cached {
		t.Error("rejected: not built")
	}
}

// What is in the environment does not reach the makefiles: it has no part in
// the key.
func TestSurroundings(t *testing.T) {
	f, s := fakes(t), openStore(t)
	t.Setenv("XEN_TARGET_ARCH", "arm64")
	t.Setenv("CPATH", "/elsewhere")
	t.Setenv("MAKEFLAGS", "-k")
	f.Write("compile", `echo "$XEN_TARGET_ARCH$CPATH$MAKEFLAGS,$XEN_DOMAIN" >"$control/seen"`)
	build(t, s, Spec{What: "native", Tree: opened(t, fakeTree(t, "one\n"))}, silent)
	if d := cmp.Diff([]string{",xsmbench"}, f.Lines("seen")); d != "" {
		t.Error(d)
	}
}

// tries is how often what depends on the order of goroutines and processes is
// tried.
const tries = 10

// Two builds with one key, which a run and its control are, are made once.
func TestOneKeyTwice(t *testing.T) {
	f := fakes(t)
	dir := fakeTree(t, "one\n")
	for i := range tries {
		s := openStore(t)
		var group sync.WaitGroup
		for _, name := range []string{"native", "native2"} {
			tree := opened(t, dir)
			group.Go(func() {
				p, err := Build(t.Context(), s, Spec{What: name, Tree: tree}, silent)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				defer p.Release()
				if text, err := os.ReadFile(p.Image); err != nil || string(text) != image("one\n") {
					t.Errorf("%s: %q, %v", name, text, err)
				}
			})
		}
		group.Wait()
		if n := f.Count("made", "compile"); n != i+1 {
			t.Fatalf("%d compilations after %d tries", n, i+1)
		}
	}
}

func TestOneKeyTwoProcesses(t *testing.T) {
	f := fakes(t)
	dir := fakeTree(t, "one\n")
	for i := range tries {
		cache := t.TempDir()
		a, b := faketools.Start(t, "build", cache, dir), faketools.Start(t, "build", cache, dir)
		said := a.Wait() + b.Wait()
		if strings.Count(said, "built true") != 1 || strings.Count(said, "built false") != 1 {
			t.Errorf("the processes say %q", said)
		}
		if n := f.Count("made", "compile"); n != i+1 {
			t.Fatalf("%d compilations after %d tries", n, i+1)
		}
	}
}

// hold uses the workspace of a spec, as another build does.
func hold(t *testing.T, s *store.Store, spec Spec) *store.Workspace {
	t.Helper()
	tools, err := findTools(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Workspace(t.Context(), trees, spec.treeKey(tools), "another build", nil)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// A tree that is edited while its build waits is built as it is then, and kept
// as what it is then.
func TestEditedWhileWaiting(t *testing.T) {
	fakes(t)
	s, dir := openStore(t), fakeTree(t, "old\n")
	spec := Spec{What: "native", Tree: opened(t, dir)}
	other := hold(t, s, spec)
	got, cached := build(t, s, spec, func(word string) {
		if strings.HasPrefix(word, "waiting for the workspace") {
			files(t, dir, map[string]string{"xen/common/a.c": "new\n"})
			if err := other.Close(false); err != nil {
				t.Error(err)
			}
		}
	})
	if got != image("new\n") || cached {
		t.Errorf("the edited tree: %q, cached: %v", got, cached)
	}
	if got, cached := build(t, s, Spec{What: "native", Tree: opened(t, dir)}, silent); got != image("new\n") || !cached {
		t.Errorf("under its own key: %q, cached: %v", got, cached)
	}
	files(t, dir, map[string]string{"xen/common/a.c": "old\n"})
	if got, cached := build(t, s, Spec{What: "native", Tree: opened(t, dir)}, silent); got != image("old\n") || cached {
		t.Errorf("under the old key: %q, cached: %v", got, cached)
	}
}

// Two builds of one tree that is edited meanwhile are still one.
func TestEditedTwice(t *testing.T) {
	f := fakes(t)
	s, dir := openStore(t), fakeTree(t, "old\n")
	spec := Spec{What: "native", Tree: opened(t, dir)}
	files(t, dir, map[string]string{"xen/common/a.c": "new\n"})
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			p, err := Build(t.Context(), s, spec, silent)
			if err != nil {
				t.Error(err)
				return
			}
			defer p.Release()
			if text, err := os.ReadFile(p.Image); err != nil || string(text) != image("new\n") {
				t.Errorf("%q, %v", text, err)
			}
		})
	}
	group.Wait()
	if n := f.Count("made", "compile"); n != 1 {
		t.Errorf("%d compilations", n)
	}
}

func TestChangesAgainAndAgain(t *testing.T) {
	f := fakes(t)
	dir, n := fakeTree(t, "0\n"), 0
	_, err := Build(t.Context(), openStore(t), Spec{What: "native", Tree: opened(t, dir)}, func(word string) {
		if word == "copying the source" {
			n++
			files(t, dir, map[string]string{"xen/common/a.c": fmt.Sprintln(n)})
		}
	})
	if err == nil || !strings.Contains(err.Error(), dir+" keeps changing") {
		t.Errorf("error %v", err)
	}
	if n != mostChanges || f.Count("made", "") != 0 {
		t.Errorf("%d copies, made: %v", n, f.Lines("made"))
	}
}

// A file that goes between its listing and its reading, as an editor's do, is a
// change like others, but of what was copied nothing is known. That a whole
// tree goes is none.
func TestFileVanishes(t *testing.T) {
	fakes(t)
	s, dir := openStore(t), fakeTree(t, "one\n")
	build(t, s, Spec{What: "native", Tree: opened(t, dir)}, silent)
	files(t, dir, map[string]string{"xen/common/a.c": "two\n", "xen/zz.swp": "x"})
	tree := opened(t, dir)
	left := tree.Dir + "/xen/zz.swp"
	b := builder{store: s, spec: Spec{What: "native", Tree: tree}, hash: tree.Hash, progress: silent}
	var err error
	if b.tools, err = findTools(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.space = hold(t, s, b.spec)
	defer b.space.Close(true)
	err = b.vanished(&fs.PathError{Op: "open", Path: left, Err: fs.ErrNotExist})
	var changed *changedError
	if !errors.As(err, &changed) || changed.hash != tree.Hash {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(b.tree()); err == nil {
		t.Error("a tree with half a copy is still there")
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := b.copySource(false); !errors.Is(err, source.ErrNotXen) {
		t.Errorf("error %v of a tree that is gone", err)
	}
}

// Two names of one commit are one tree and one build.
func TestNamesOfOneCommit(t *testing.T) {
	f := fakes(t)
	if !f.Real("git") {
		require.Missing(t, "git")
	}
	repo := fakeTree(t, "one\n")
	git(t, repo, "init", "-q")
	git(t, repo, "add", ".")
	git(t, repo, "commit", "-qm", "one")
	git(t, repo, "tag", "v1")
	for i := range tries {
		s := openStore(t)
		var group sync.WaitGroup
		for name, rev := range map[string]string{"a": "HEAD", "b": "v1"} {
			group.Go(func() {
				tree, err := source.Checkout(t.Context(), s, repo, rev, silent)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				defer tree.Release()
				p, err := Build(t.Context(), s, Spec{What: name, Tree: tree}, silent)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				p.Release()
			})
		}
		group.Wait()
		list, err := s.List()
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[string]int{}
		for _, l := range list {
			kinds[l.Kind]++
		}
		if d := cmp.Diff(map[string]int{"xen-sources": 1, "xen-headers": 1, "xen-builds": 1, "xen-trees": 1}, kinds); d != "" {
			t.Error(d)
		}
		if n := f.Count("made", "compile"); n != i+1 {
			t.Fatalf("%d compilations after %d tries", n, i+1)
		}
	}
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.org"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
}

// A build that is killed leaves a compiler, which the next build waits for, and
// objects, which it does not use.
func TestKilledBuild(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc, and make outlives who started it")
	}
	f := fakes(t)
	cache, dir := t.TempDir(), fakeTree(t, "one\n")
	s, err := store.Open(cache)
	if err != nil {
		t.Fatal(err)
	}
	build(t, s, Spec{What: "native", Tree: opened(t, dir)}, silent)
	for _, pipe := range []string{"begun", "end"} {
		f.Pipe(pipe)
	}
	files(t, dir, map[string]string{"xen/common/a.c": "two\n"})
	f.Write("compile", `echo half >xen
( echo $$ >"$control/begun"; read _ <"$control/end"; echo ended >>"$control/made" ) &
wait
`)
	p := faketools.Start(t, "build", cache, dir)
	maker := f.Hear("begun")
	p.Kill()
	f.Delete("compile")
	awaitEnd(t, maker) // but not what it started

	var said words
	got, _ := build(t, s, Spec{What: "native", Tree: opened(t, dir)}, func(word string) {
		said.say(word)
		if strings.HasPrefix(word, "waiting for the workspace of builds of native") {
			f.Say("end", "now")
		}
	})
	if got != image("two\n") {
		t.Errorf("image %q", got)
	}
	if !said.has("waiting for") || said.has("compiling what changed") {
		t.Errorf("said: %q", said.said)
	}
	made := f.Lines("made")
	want := []string{"configure two", "compile two", "ended", "configure two", "compile two"}
	if d := cmp.Diff(want, made[2:]); d != "" {
		t.Error(d)
	}
}

// awaitEnd waits until a process is gone or a zombie.
func awaitEnd(t *testing.T, pid string) {
	t.Helper()
	for range 3000 {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		_, rest, _ := strings.Cut(string(stat), ") ")
		if err != nil || strings.HasPrefix(rest, "Z") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("process %s lives on", pid)
}

// A build that is killed at any moment leaves nothing that the next one trips
// over.
func TestKilledAnywhere(t *testing.T) {
	fakes(t)
	cache, dir := t.TempDir(), fakeTree(t, "0\n")
	for i := range 20 {
		files(t, dir, map[string]string{"xen/common/a.c": fmt.Sprintln(i / 3)})
		p := faketools.Start(t, "build", cache, dir)
		time.Sleep(time.Duration(rand.IntN(80)) * time.Millisecond) // when the kill comes
		p.Kill()
	}
	for _, text := range []string{"6\n", "0\n", "last\n"} {
		files(t, dir, map[string]string{"xen/common/a.c": text})
		said := faketools.Start(t, "build", cache, dir).Wait()
		if want := strconv.Itoa(len(image(text))) + " bytes"; !strings.HasPrefix(said, "built ") || !strings.HasSuffix(said, want) {
			t.Errorf("said %q, want %q", said, want)
		}
	}
	left, err := filepath.Glob(filepath.Join(cache, "store-*", "tmp", "*"))
	if err != nil || left != nil {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestCancelled(t *testing.T) {
	f, s := fakes(t), openStore(t)
	f.Pipe("begun")
	f.Pipe("never")
	f.Write("compile", `( read _ <"$control/never" ) & echo $$ $! >"$control/begun"; wait`)
	cause := errors.New("the user had enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		pids := f.Hear("begun")
		f.Write("pids", pids)
		cancel(cause)
	}()
	tree := opened(t, fakeTree(t, "one\n"))
	if _, err := Build(ctx, s, Spec{What: "native", Tree: tree}, silent); !errors.Is(err, cause) {
		t.Fatalf("error %v", err)
	}
	for _, pid := range strings.Fields(f.Lines("pids")[0]) {
		awaitEnd(t, pid)
	}
	if _, err := Build(ctx, s, Spec{What: "native", Tree: tree}, silent); !errors.Is(err, cause) {
		t.Errorf("error %v of a build that is cancelled before it begins", err)
	}
	f.Delete("compile")
	var said words
	if got, _ := build(t, s, Spec{What: "native", Tree: tree}, said.say); got != image("one\n") || said.has("compiling what changed") {
		t.Errorf("image %q after %q", got, said.said)
	}
}
