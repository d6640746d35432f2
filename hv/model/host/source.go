package host

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
	"strings"

	"xsmbench/hv"
	"xsmbench/hv/gotool"
)

const program = "cmd/xsmmodel"

// sourceTree finds the tree to build from: the build's own; else the module
// around the working directory; else the one this program was compiled from,
// if it is still there.
func sourceTree(b hv.Build) (string, error) {
	if b.Source != "" {
		dir, err := filepath.Abs(b.Source)
		if err != nil {
			return "", fmt.Errorf("find source: %w", err)
		}
		if err := gotool.IsTree(dir, program); err != nil {
			return "", fmt.Errorf("find source: %w", err)
		}
		return dir, nil
	}
	if dir, err := gotool.FindTree(program); err == nil {
		return dir, nil
	}
	return "", fmt.Errorf("find source: the model is built from xsmbench's source tree, and there is none above the working directory: run xsmbench inside a clone, or say where one is with --source DIR")
}

// checkout unpacks a revision of the git repository around dir into the
// cache, once, and returns where.
func (c cache) checkout(ctx context.Context, dir, rev string) (string, error) {
	commit, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", rev+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("find revision %q in %s: %w", rev, dir, err)
	}
	// The same revision of two clones may hold the module in different
	// places: the path within the repository is part of the name.
	prefix, err := git(ctx, dir, "rev-parse", "--show-prefix")
	if err != nil {
		return "", fmt.Errorf("find revision %q in %s: %w", rev, dir, err)
	}
	name := strings.TrimSpace(string(commit))
	if p := strings.Trim(strings.TrimSpace(string(prefix)), "/"); p != "" {
		name += "-" + strings.ReplaceAll(p, "/", "-")
	}
	tree := filepath.Join(c.dir, "sources", name)
	if _, err := os.Stat(tree); err == nil {
		return tree, gotool.IsTree(tree, program)
	}
	text, err := git(ctx, dir, "archive", "--format=tar", strings.TrimSpace(string(commit)))
	if err != nil {
		return "", fmt.Errorf("unpack revision %q: %w", rev, err)
	}
	err = c.publish(tree, func(tmp string) error { return untar(bytes.NewReader(text), tmp) })
	if err != nil {
		return "", fmt.Errorf("unpack revision %q: %w", rev, err)
	}
	if err := gotool.IsTree(tree, program); err != nil {
		return "", fmt.Errorf("revision %q: %w", rev, err)
	}
	return tree, nil
}

func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	path, err := exec.LookPath("git")
	if err != nil {
		return nil, errors.New("no git in PATH: it is needed for --rev")
	}
	cmd := exec.CommandContext(ctx, path, append([]string{"-C", dir}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil {
		return out, nil
	}
	if line := gotool.FirstError(stderr.String()); line != "" {
		return nil, errors.New(line)
	}
	if args[0] == "rev-parse" {
		return nil, errors.New("the repository has no such revision")
	}
	return nil, fmt.Errorf("git %s: %w", args[0], err)
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
