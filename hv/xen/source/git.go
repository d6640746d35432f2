package source

import (
	"context"
	"fmt"
	"path/filepath"

	"xsmbench/hv/git"
	"xsmbench/hv/store"
)

// describe names a tree: git's description of it if it is a checkout (with
// "-dirty" for local changes), else its directory's name.
func describe(ctx context.Context, dir string) string {
	out, err := git.Output(ctx, dir, "describe", "--always", "--tags", "--dirty")
	if err != nil {
		return filepath.Base(dir)
	}
	return out
}

// Checkout takes a revision of the git repository at repo from the store, or
// unpacks it there. Names of one commit are one tree.
func Checkout(ctx context.Context, s *store.Store, repo, rev string, progress func(string)) (*Tree, error) {
	t, err := checkout(ctx, s, repo, rev, progress)
	if err != nil {
		return nil, fmt.Errorf("check out %s of %s: %w", rev, repo, err)
	}
	return t, nil
}

func checkout(ctx context.Context, s *store.Store, repo, rev string, progress func(string)) (*Tree, error) {
	commit, err := git.Commit(ctx, repo, rev)
	if err != nil {
		return nil, err
	}
	// A commit's name is the hash of its content; the path below which git
	// archive works is the rest of what decides the tree.
	prefix, err := git.Output(ctx, repo, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, err
	}
	entry, err := s.Get(ctx, Kind, store.KeyOf("commit", commit, prefix), store.Recipe{
		What: "the tree of commit " + commit[:min(12, len(commit))], Progress: progress,
		Local: true, // git has it here
		Make:  func(ctx context.Context, dir string) error { return git.Export(ctx, repo, commit, dir) },
	})
	if err != nil {
		return nil, err
	}
	version, err := git.Describe(ctx, repo, commit)
	if err != nil {
		entry.Release()
		return nil, err
	}
	return openAs(entry, entry.Dir, version)
}
