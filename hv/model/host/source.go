package host

import (
	"context"
	"fmt"
	"path/filepath"

	"xsmbench/hv"
	"xsmbench/hv/git"
	"xsmbench/hv/gotool"
	"xsmbench/hv/store"
)

const program = "cmd/xsmmodel"

// place is a source tree to build from.
type place struct {
	dir string
	// kept says that it lies in the store: a workspace around it is not the
	// user's intention.
	kept bool
	// revision is what git describe says of it, if it is one of a repository's.
	revision string
}

// sourceOf finds the tree to build from: a tree of the user's, a revision, or
// the source that this program carries with it.
func (t *Target) sourceOf(ctx context.Context, b hv.Build, progress func(string)) (place, error) {
	if b.Rev != "" {
		return t.revision(ctx, b, progress)
	}
	if b.Source != "" {
		dir, err := namedTree(b.Source)
		return place{dir: dir}, err
	}
	if err := t.unambiguous(); err != nil {
		return place{}, err
	}
	s, err := t.opened()
	if err != nil {
		return place{}, err
	}
	e, err := gotool.Own(ctx, s, progress)
	if err != nil {
		return place{}, err
	}
	t.hold(e)
	return place{dir: e.Dir, kept: true}, nil
}

func namedTree(source string) (string, error) {
	dir, err := filepath.Abs(source)
	if err == nil {
		err = gotool.IsTree(dir, program)
	}
	if err != nil {
		return "", fmt.Errorf("find source: %w", err)
	}
	return dir, nil
}

// revision checks a revision out, of the clone that the build names, else of
// the one around the working directory.
func (t *Target) revision(ctx context.Context, b hv.Build, progress func(string)) (place, error) {
	var tree string
	var err error
	if b.Source != "" {
		tree, err = namedTree(b.Source)
	} else if above, ok := gotool.TreeAbove(program); ok {
		tree = above
	} else {
		err = fmt.Errorf("find revision %q: the working directory is not in a clone of xsmbench: run xsmbench in one, or name one with --source DIR", b.Rev)
	}
	if err != nil {
		return place{}, err
	}
	dir, err := t.checkout(ctx, tree, b.Rev, progress)
	if err != nil {
		return place{}, fmt.Errorf("find revision %q in %s: %w", b.Rev, tree, err)
	}
	name, err := git.Describe(ctx, tree, b.Rev+"^{commit}")
	return place{dir: dir, kept: true, revision: name}, err
}

// AmbiguousError says that a build names no source, and the working directory
// is in a clone whose source is not what this program carries with it. Either
// could be meant, and their figures would differ.
type AmbiguousError struct {
	Dir  string // the clone
	File string // in which they differ
}

// Error says how to choose.
func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("find source: the clone %s is not what this xsmbench was built from (%s differs): build xsmbench again, or give --source %[1]s to build the model from the clone as it is, or leave the clone to build the source that xsmbench carries with it", e.Dir, e.File)
}

// unambiguous is an AmbiguousError if the clone around the working directory
// could be meant. The first answer of this process stands: a run is of one
// source, even if somebody edits another meanwhile.
func (t *Target) unambiguous() error {
	t.asked.Do(func() { t.answer = unambiguous() })
	return t.answer
}

func unambiguous() error {
	dir, ok := gotool.TreeAbove(program)
	if !ok {
		return nil
	}
	file, err := gotool.DiffersFromOwn(dir)
	if err != nil {
		return fmt.Errorf("find source: %w", err)
	}
	if file != "" {
		return &AmbiguousError{dir, file}
	}
	return nil
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
