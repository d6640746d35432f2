package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"xsmbench/hv/child"
)

// Bisection is a "git bisect" that goes on in a repository of its own. That one
// borrows the objects of the user's, so that nothing of the user's is touched:
// neither the checkout nor a ref.
type Bisection struct {
	dir string
	// Ended tells that git has its answer: First, or Suspects if revisions that
	// were skipped stand in the way of one.
	Ended    bool
	First    string   // commit
	Suspects []string // commits
}

// Verdict is what git is told of a revision.
type Verdict string

// Verdicts, in git's words.
const (
	Good Verdict = "good"
	Bad  Verdict = "bad"
	Skip Verdict = "skip"
)

// Bisect begins a bisection of the repository around repo, in the empty
// directory dir. It returns what git says.
func Bisect(ctx context.Context, repo, dir, good, bad string) (*Bisection, string, error) {
	if err := borrow(ctx, repo, dir); err != nil {
		return nil, "", fmt.Errorf("begin bisection: %w", err)
	}
	// Git wants to know where to go back to, even if it goes nowhere.
	if _, err := Output(ctx, dir, "update-ref", "--no-deref", "HEAD", bad); err != nil {
		return nil, "", fmt.Errorf("begin bisection: %w", err)
	}
	b := &Bisection{dir: dir}
	said, err := b.run(ctx, "start", "--no-checkout", bad, good)
	return b, said, err
}

// borrow makes a bare repository that has the objects of another one.
func borrow(ctx context.Context, repo, dir string) error {
	objects, err := Output(ctx, repo, "rev-parse", "--path-format=absolute", "--git-path", "objects")
	if err != nil {
		return err
	}
	shallow, err := Output(ctx, repo, "rev-parse", "--path-format=absolute", "--git-path", "shallow")
	if err != nil {
		return err
	}
	if _, err := Output(ctx, dir, "init", "--quiet", "--bare"); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "objects", "info", "alternates"), []byte(objects+"\n"), 0o666); err != nil {
		return err
	}
	text, err := os.ReadFile(shallow)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "shallow"), text, 0o666)
}

// Next is the commit that git wants to know of.
func (b *Bisection) Next(ctx context.Context) (string, error) {
	return Commit(ctx, b.dir, "BISECT_HEAD")
}

// Tell gives git the verdict on a commit, and returns what git says.
func (b *Bisection) Tell(ctx context.Context, v Verdict, commit string) (string, error) {
	return b.run(ctx, string(v), commit)
}

// Log is what "git bisect log" prints: "git bisect replay" takes it.
func (b *Bisection) Log(ctx context.Context) (string, error) {
	return Output(ctx, b.dir, "bisect", "log")
}

// run runs a command of git bisect, and reads its answer.
func (b *Bisection) run(ctx context.Context, args ...string) (said string, err error) {
	cmd, err := command(ctx, b.dir, append([]string{"bisect"}, args...)...)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = child.Run(cmd)
	said = strings.TrimSpace(out.String())
	b.First, b.Suspects = answer(said)
	b.Ended = b.First != "" || b.Suspects != nil
	var exit *exec.ExitError
	if b.Ended && (err == nil || errors.As(err, &exit)) { // git fails if it cannot name one commit
		return said, nil
	}
	if err != nil {
		return said, complaint(ctx, "bisect "+args[0], err, said)
	}
	return said, nil
}

var (
	firstBad  = regexp.MustCompile(`(?m)^([0-9a-f]{40,64}) is the first bad commit$`)
	anyOf     = regexp.MustCompile(`(?m)^The first bad commit could be any of:$`)
	wholeName = regexp.MustCompile(`(?m)^[0-9a-f]{40,64}$`)
)

// answer reads git's last words: the first bad commit, or those that it could be.
func answer(said string) (first string, suspects []string) {
	if m := firstBad.FindStringSubmatch(said); m != nil {
		return m[1], nil
	}
	if at := anyOf.FindStringIndex(said); at != nil {
		suspects = wholeName.FindAllString(said[at[1]:], -1)
	}
	return "", suspects
}
