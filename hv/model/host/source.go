package host

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"xsmbench/hv"
	"xsmbench/hv/git"
	"xsmbench/hv/gotool"
	"xsmbench/hv/store"
)

const program = "cmd/xsmmodel"

// sourceOf finds the tree to build from: a revision, or a tree of the user's.
func (t *Target) sourceOf(ctx context.Context, b hv.Build, progress func(string)) (string, error) {
	tree, err := sourceTree(b)
	if err != nil || b.Rev == "" {
		return tree, err
	}
	dir, err := t.checkout(ctx, tree, b.Rev, progress)
	if err != nil {
		return "", fmt.Errorf("find revision %q in %s: %w", b.Rev, tree, err)
	}
	return dir, nil
}

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
	return "", errors.New("find source: the model is built from xsmbench's source tree, and there is none above the working directory: run xsmbench inside a clone, or say where one is with --source DIR")
}

// checkout unpacks a revision of the git repository around dir into the store,
// once, and returns where. The module may lie in the repository's top or below
// it, and elsewhere in another clone: its place is part of the name.
func (t *Target) checkout(ctx context.Context, dir, rev string, progress func(string)) (string, error) {
	commit, err := git.Commit(ctx, dir, rev)
	if err != nil {
		return "", err
	}
	prefix, err := git.Output(ctx, dir, "rev-parse", "--show-prefix")
	if err != nil {
		return "", err
	}
	e, err := t.get(ctx, sources, store.KeyOf("revision", commit, prefix), store.Recipe{
		What: "revision " + rev, Progress: progress,
		Make: func(ctx context.Context, to string) error { return git.Export(ctx, dir, commit, to) },
	})
	if err != nil {
		return "", err
	}
	return e.Dir, gotool.IsTree(e.Dir, program)
}
