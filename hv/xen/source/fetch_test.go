package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"xsmbench/hv/git"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/debian"
	"xsmbench/hv/xen/faketools"
	"xsmbench/internal/require"
)

func TestMain(m *testing.M) {
	faketools.Main(m, map[string]func([]string) error{"package": packageRole})
}

func openStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func silent(string) {}

// machine is a Debian machine on a day of a test's calendar.
func machine(etc string, day int) debian.Machine {
	return debian.Machine{Etc: etc, Now: func() time.Time { return time.Date(2024, 2, day, 12, 0, 0, 0, time.UTC) }}
}

// packageRole is a process that fetches the source package into the store in
// the first folder, with apt's configuration in the second one.
func packageRole(args []string) error {
	s, err := store.Open(args[0])
	if err != nil {
		return err
	}
	tree, err := Package(context.Background(), s, machine(args[1], 1), silent)
	if err != nil {
		return err
	}
	fmt.Println("fetched", tree.Version)
	return nil
}

// offer makes a version of Xen's source package the newest one.
func offer(a *faketools.Apt, version string) {
	dir := "xen-" + version + "/"
	a.OfferSource("xen", version, map[string][]byte{
		dir + "xen/Makefile": []byte("all:\n"), dir + "xen/a.c": []byte("int a;\n"), dir + "docs/x": []byte(version),
	})
}

func TestPackage(t *testing.T) {
	a, s := faketools.NewApt(t), openStore(t)
	offer(a, "4.17")
	get := func(day int) *Tree {
		t.Helper()
		tree, err := Package(t.Context(), s, machine(a.Etc, day), silent)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(tree.Release)
		return tree
	}
	first := get(1)
	if first.Version != "4.17" || !first.Fixed() || filepath.Base(first.Dir) != "xen-4.17" {
		t.Errorf("tree %+v", first)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(first.Dir), "*")); len(left) != 1 {
		t.Errorf("beside the tree: %v", left)
	}
	if get(1).Dir != first.Dir || get(2).Dir != first.Dir {
		t.Error("one version is two trees")
	}
	if n := a.Calls("source -qq"); n != 1 {
		t.Errorf("one version was fetched %d times", n)
	}
	offer(a, "4.18")
	if tree := get(3); tree.Version != "4.18" || tree.Hash != first.Hash {
		t.Errorf("the next version: %+v", tree)
	}
	// The first one is in use.
	if _, err := s.Clear(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(first.Dir, "xen", "Makefile")); err != nil {
		t.Error(err)
	}
}

func TestPackageErrors(t *testing.T) {
	a := faketools.NewApt(t)
	fails := func(name, want string) {
		t.Helper()
		_, err := Package(t.Context(), openStore(t), machine(a.Etc, 1), silent)
		if err == nil || !strings.HasPrefix(err.Error(), "fetch Xen's source package: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
	fails("no such package", "E: Unable to locate package xen")
	a.OfferSource("xen", "5", map[string][]byte{"other-5/README": nil})
	fails("another package", "apt-get source left no unpacked tree")
	offer(a, "4.17")
	a.Delete("pool/xen_4.17.tar")
	fails("it is gone", "E: Failed to fetch")
	a.Write("complaint", "E: no network\n")
	fails("no index", "E: no network")
}

// tries is how often what depends on the order of goroutines and processes is
// tried.
const tries = 10

func TestPackageAtOnce(t *testing.T) {
	a := faketools.NewApt(t)
	offer(a, "4.17")
	for i := range tries {
		s := openStore(t)
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				tree, err := Package(t.Context(), s, machine(a.Etc, 1), silent)
				if err != nil {
					t.Error(err)
					return
				}
				tree.Release()
			})
		}
		group.Wait()
		if updates, fetched := a.Calls("update"), a.Calls("source -qq"); updates != i+1 || fetched != i+1 {
			t.Fatalf("after %d tries: %d indexes, %d packages", i+1, updates, fetched)
		}
	}
}

func TestPackageInTwoProcesses(t *testing.T) {
	a := faketools.NewApt(t)
	offer(a, "4.17")
	for i := range tries {
		cache := t.TempDir()
		one, two := faketools.Start(t, "package", cache, a.Etc), faketools.Start(t, "package", cache, a.Etc)
		for _, said := range []string{one.Wait(), two.Wait()} {
			if said != "fetched 4.17" {
				t.Errorf("a process says %q", said)
			}
		}
		if updates, fetched := a.Calls("update"), a.Calls("source -qq"); updates != i+1 || fetched != i+1 {
			t.Fatalf("after %d tries: %d indexes, %d packages", i+1, updates, fetched)
		}
	}
}

// repository is one with a tree of Xen, as a tagged commit.
func repository(t *testing.T, below string) (repo string, run func(args ...string)) {
	t.Helper()
	require.Program(t, "git", "git")
	repo = t.TempDir()
	put(t, repo, map[string]string{below + "xen/Makefile": "all:\n", below + "xen/a.c": "one"})
	run = func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", repo, "-c", "user.name=a", "-c", "user.email=a@example.org"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	run("init", "-q")
	run("add", ".")
	run("commit", "-qm", "one")
	run("tag", "v1")
	return repo, run
}

func put(t *testing.T, dir string, files map[string]string) {
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
}

func checkoutOf(t *testing.T, s *store.Store, repo, rev string) *Tree {
	t.Helper()
	tree, err := Checkout(t.Context(), s, repo, rev, silent)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tree.Release)
	return tree
}

func TestCheckout(t *testing.T) {
	repo, run := repository(t, "")
	s := openStore(t)
	old := checkoutOf(t, s, repo, "v1")
	if old.Version != "v1" {
		t.Errorf("git calls it v1, the tree %s", old.Version)
	}
	if again := checkoutOf(t, s, repo, "HEAD"); again.Dir != old.Dir || again.Hash != old.Hash || again.Version != old.Version {
		t.Errorf("two names of one commit: %+v and %+v", old, again)
	}
	put(t, repo, map[string]string{"xen/a.c": "two"})
	dirty, err := Open(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	if dirty.Hash == old.Hash || dirty.Version != "v1-dirty" || dirty.Fixed() {
		t.Errorf("the dirty tree is %+v, the revision %+v", dirty, old)
	}
	dirty.Release()
	run("commit", "-qam", "two")
	if next := checkoutOf(t, s, repo, "HEAD"); next.Dir == old.Dir || next.Hash != dirty.Hash || !strings.HasPrefix(next.Version, "v1-1-g") {
		t.Errorf("the next revision is %+v", next)
	}
	if _, err := s.Clear(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(old.Dir, "xen", "a.c")); err != nil || string(text) != "one" {
		t.Errorf("the old one, in use: %q, %v", text, err)
	}
}

// A tree below the repository's top has the commit of the whole.
func TestCheckoutBelow(t *testing.T) {
	repo, _ := repository(t, "vendor/xen/")
	s := openStore(t)
	if _, err := Checkout(t.Context(), s, repo, "HEAD", silent); !errors.Is(err, ErrNotXen) {
		t.Errorf("error %v", err)
	}
	tree := checkoutOf(t, s, filepath.Join(repo, "vendor", "xen"), "HEAD")
	if _, err := os.Stat(filepath.Join(tree.Dir, "xen", "a.c")); err != nil {
		t.Error(err)
	}
}

func TestCheckoutErrors(t *testing.T) {
	repo, _ := repository(t, "")
	s := openStore(t)
	if _, err := Checkout(t.Context(), s, repo, "nosuch", silent); err == nil || !strings.Contains(err.Error(), `check out nosuch of `+repo+`: the repository has no revision "nosuch"`) {
		t.Errorf("error %v", err)
	}
	if _, err := Checkout(t.Context(), s, t.TempDir(), "HEAD", silent); err == nil || !strings.Contains(err.Error(), "not a git repository") {
		t.Errorf("error %v", err)
	}
	faketools.New(t, nil)
	if _, err := Checkout(t.Context(), s, repo, "HEAD", silent); !errors.Is(err, git.ErrNoGit) {
		t.Errorf("error %v without git", err)
	}
	tree, err := Open(t.Context(), repo)
	if err != nil || tree.Version != filepath.Base(repo) {
		t.Errorf("a tree without git: %+v, %v", tree, err)
	}
}
