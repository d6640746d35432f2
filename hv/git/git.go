// Package git reads revisions of a user's repository with the git command.
package git

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"xsmbench/hv/child"
)

// ErrNoGit is the cause when git is not installed.
var ErrNoGit = errors.New("no git in PATH: it is needed for --rev and NAME@REV; install git")

// Output runs a git command in a directory and returns what it prints, without
// the space around it.
func Output(ctx context.Context, dir string, args ...string) (string, error) {
	cmd, err := command(ctx, dir, args...)
	if err != nil {
		return "", err
	}
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := child.Run(cmd); err != nil {
		return "", complaint(ctx, args[0], err, stderr.String())
	}
	return strings.TrimSpace(out.String()), nil
}

// Commit resolves a revision to the full name of its commit.
func Commit(ctx context.Context, dir, rev string) (string, error) {
	commit, err := Output(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err == nil || ctx.Err() != nil || errors.Is(err, ErrNoGit) {
		return commit, err
	}
	if _, outside := Output(ctx, dir, "rev-parse", "--git-dir"); outside != nil {
		return "", outside
	}
	return "", fmt.Errorf("the repository has no revision %q", rev)
}

// Files are what a repository says of files in a directory of it, by their paths
// there.
type Files struct {
	Tracked map[string]bool
	Ignored map[string]bool // neither tracked, nor to be, as the repository's .gitignore files say
}

// ListFiles asks for the files below paths of a directory. What a user has git
// leave out by a list of their own is not Ignored.
func ListFiles(ctx context.Context, dir string, paths ...string) (f Files, err error) {
	if f.Tracked, err = listFiles(ctx, dir, paths, "--cached"); err != nil {
		return Files{}, err
	}
	f.Ignored, err = listFiles(ctx, dir, paths, "--others", "--ignored", "--exclude-per-directory=.gitignore")
	return f, err
}

func listFiles(ctx context.Context, dir string, paths []string, which ...string) (map[string]bool, error) {
	out, err := Output(ctx, dir, slices.Concat([]string{"ls-files", "-z"}, which, []string{"--"}, paths)...)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for name := range strings.SplitSeq(out, "\x00") {
		if name != "" {
			names[filepath.FromSlash(name)] = true
		}
	}
	return names, nil
}

// Export unpacks a commit's tree, below the directory's place in it, into to.
func Export(ctx context.Context, dir, commit, to string) error {
	cmd, err := command(ctx, dir, "archive", "--format=tar", commit)
	if err != nil {
		return err
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("git archive: %w", err)
	}
	if err := child.Start(cmd); err != nil {
		return fmt.Errorf("git archive: %w", err)
	}
	unpacking := untar(out, to)
	_, _ = io.Copy(io.Discard, out) // or git would wait for its reader
	if err := cmd.Wait(); err != nil {
		return complaint(ctx, "archive", err, stderr.String())
	}
	if unpacking != nil {
		return fmt.Errorf("unpack commit %s: %w", commit, unpacking)
	}
	return nil
}

func command(ctx context.Context, dir string, args ...string) (*exec.Cmd, error) {
	path, err := exec.LookPath("git")
	if err != nil {
		return nil, ErrNoGit
	}
	cmd := exec.CommandContext(ctx, path, append([]string{"-C", dir}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	return cmd, nil
}

// complaint is the error of a git command that failed: its first line.
func complaint(ctx context.Context, command string, err error, said string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if line, _, _ := strings.Cut(strings.TrimSpace(said), "\n"); line != "" {
		return fmt.Errorf("git %s: %s", command, strings.TrimPrefix(line, "fatal: "))
	}
	return fmt.Errorf("git %s: %w", command, err)
}

// untar unpacks directories, files and symbolic links that stay inside dir.
func untar(r io.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name := filepath.Clean(h.Name)
		switch h.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o777)
		case tar.TypeSymlink:
			err = root.Symlink(h.Linkname, name)
		case tar.TypeReg:
			err = unpackFile(root, name, fs.FileMode(h.Mode)&0o777, t)
		}
		if err != nil {
			return err
		}
	}
}

func unpackFile(root *os.Root, name string, mode fs.FileMode, r io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
