//go:build realxen

package realtest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xsmbench/hv"
)

// repositories are what the workflows clone, bare.
type repositories struct {
	xsmbench string            // as it stands in the working tree
	xen      string            // Xen's
	commits  map[string]string // of its branches
	home     string            // with git's configuration
}

// newRepositories makes them. Xen's has the source package in its branch main,
// and two branches that begin at "fork", before main went on: "planted" puts
// work into a hook, "harmless" adds a comment. "-merge" is each merged into main.
func newRepositories(t *testing.T) *repositories {
	t.Helper()
	dir := t.TempDir()
	r := &repositories{
		xsmbench: filepath.Join(dir, "xsmbench.git"), xen: filepath.Join(dir, "xen.git"), home: filepath.Join(dir, "home"),
		commits: map[string]string{},
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	r.git(t, "init", "--quiet", "--bare", r.xsmbench)
	r.commit(t, "--git-dir", r.xsmbench, "--work-tree", root)

	target, err := hv.Lookup("xen")
	if err != nil {
		t.Fatal(err)
	}
	var trees []string
	for _, n := range []int{0, addedWork} {
		b, err := target.(hv.Injector).Inject(context.Background(), hv.Work{Amount: n}, filepath.Join(dir, "changed"), func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		trees = append(trees, b.Source)
	}
	// The package's tree is read where it is; a working tree has the changes.
	r.git(t, "init", "--quiet", "--bare", "--initial-branch=main", r.xen)
	r.commit(t, "--git-dir", r.xen, "--work-tree", trees[0])
	work := filepath.Join(dir, "work")
	r.git(t, "clone", "--quiet", r.xen, work)
	write(t, filepath.Join(work, "xsmbench.toml"), experiment)
	r.commit(t, "-C", work)
	r.commits["fork"] = strings.TrimSpace(r.git(t, "-C", work, "rev-parse", "HEAD"))
	write(t, filepath.Join(work, "NEWS"), "main went on\n")
	r.commit(t, "-C", work)
	r.commits["main"] = strings.TrimSpace(r.git(t, "-C", work, "rev-parse", "HEAD"))

	const hooks = "xen/xsm/flask/hooks.c"
	for branch, text := range map[string]string{
		"planted":  read(t, filepath.Join(trees[1], hooks)),
		"harmless": read(t, filepath.Join(trees[0], hooks)) + "/* the end */\n",
	} {
		r.git(t, "-C", work, "checkout", "--quiet", "-B", branch, r.commits["fork"])
		write(t, filepath.Join(work, hooks), text)
		r.commit(t, "-C", work)
		r.commits[branch] = strings.TrimSpace(r.git(t, "-C", work, "rev-parse", "HEAD"))
		r.git(t, "-C", work, "checkout", "--quiet", "-B", branch+"-merge", "main")
		r.git(t, "-C", work, "merge", "--quiet", "--no-ff", "-m", "Merge", branch)
		r.commits[branch+"-merge"] = strings.TrimSpace(r.git(t, "-C", work, "rev-parse", "HEAD"))
	}
	r.git(t, "-C", work, "push", "--quiet", "--all")
	return r
}

// commit commits all that is in a tree and not ignored by its own rules; a
// package's tree has files that Xen's rules ignore.
func (r *repositories) commit(t *testing.T, where ...string) {
	t.Helper()
	add := []string{"add", "--all"}
	if slices.Contains(where, r.xen) {
		add = append(add, "--force")
	}
	r.git(t, append(where, add...)...)
	r.git(t, append(where, "commit", "--quiet", "-m", "Change")...)
}

// git runs git without the user's configuration. Commits are the same in each
// run, so that the cache has each revision once.
func (r *repositories) git(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Env = append(os.Environ(), "HOME="+r.home, "XDG_CONFIG_HOME="+r.home, "GIT_CONFIG_NOSYSTEM=1")
	for _, who := range []string{"GIT_AUTHOR_", "GIT_COMMITTER_"} {
		cmd.Env = append(cmd.Env, who+"NAME=test", who+"EMAIL=test@localhost", who+"DATE=2026-01-01T00:00:00Z")
	}
	if slices.Contains(args, "--work-tree") {
		cmd.Dir = args[slices.Index(args, "--work-tree")+1]
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// checkout puts what ref names into dir, with so many commits of its history
// (0: with all), as the runners do.
func (r *repositories) checkout(t *testing.T, repository, ref, dir string, depth int) {
	t.Helper()
	r.git(t, "init", "--quiet", dir)
	fetch := []string{"-C", dir, "fetch", "--quiet"}
	if depth != 0 {
		fetch = append(fetch, fmt.Sprintf("--depth=%d", depth))
	}
	r.git(t, append(fetch, "file://"+repository, ref)...)
	r.git(t, "-C", dir, "checkout", "--quiet", "FETCH_HEAD")
}
