package source

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// describe names a tree: git's description of it if it is a checkout (with
// "-dirty" for local changes), else its directory's name.
func describe(ctx context.Context, dir string) string {
	out, err := git(ctx, dir, "describe", "--always", "--tags", "--dirty")
	if err != nil {
		return filepath.Base(dir)
	}
	return out
}

// Checkout puts a revision of the git repository at repo into a directory of
// its own below cache and opens it there.
func Checkout(ctx context.Context, repo, rev, cache string) (*Tree, error) {
	commit, err := git(ctx, repo, "rev-parse", "--verify", "--quiet", rev+"^{commit}")
	if err != nil {
		return nil, fmt.Errorf("check out %s of %s: no such revision (%w)", rev, repo, err)
	}
	dir := filepath.Join(cache, "rev-"+commit)
	if _, err := os.Stat(dir); err == nil {
		return openAs(ctx, dir, commit)
	}
	tmp, err := os.MkdirTemp(mkdir(cache), "rev-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("check out %s of %s: %w", rev, repo, err)
	}
	defer os.RemoveAll(tmp)
	archive := exec.CommandContext(ctx, "git", "-C", repo, "archive", "--format=tar", commit)
	unpack := exec.CommandContext(ctx, "tar", "-x", "-C", tmp)
	var archiveSaid, unpackSaid bytes.Buffer
	archive.Stderr, unpack.Stderr = &archiveSaid, &unpackSaid
	if unpack.Stdin, err = archive.StdoutPipe(); err != nil {
		return nil, fmt.Errorf("check out %s of %s: %w", rev, repo, err)
	}
	if err := unpack.Start(); err != nil {
		return nil, fmt.Errorf("check out %s of %s: %w", rev, repo, err)
	}
	errArchive := archive.Run()
	errUnpack := unpack.Wait()
	if errArchive != nil || errUnpack != nil {
		return nil, fmt.Errorf("check out %s of %s: git archive or tar failed: %s", rev, repo, strings.TrimSpace(archiveSaid.String()+unpackSaid.String()))
	}
	if err := os.Rename(tmp, dir); err != nil {
		return nil, fmt.Errorf("check out %s of %s: %w", rev, repo, err)
	}
	return openAs(ctx, dir, commit)
}

func openAs(ctx context.Context, dir, version string) (*Tree, error) {
	t, err := Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	t.Version = version
	return t, nil
}

// mkdir makes dir and returns it; a failure shows when dir is used.
func mkdir(dir string) string {
	_ = os.MkdirAll(dir, 0o755)
	return dir
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		if msg := strings.TrimSpace(stderr.String()); msg != "" {
			return "", fmt.Errorf("git %s: %s", args[0], msg)
		}
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(out.String()), nil
}
