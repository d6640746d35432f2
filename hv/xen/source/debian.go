package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"xsmbench/hv/store"
	"xsmbench/hv/xen/debian"
)

// sourcePackage is the name of Xen's.
const sourcePackage = "xen"

// Package takes Xen's source package of the running Debian release from the
// store, or fetches it with the machine's own package sources.
func Package(ctx context.Context, s *store.Store, m debian.Machine, progress func(string)) (*Tree, error) {
	t, err := fromPackage(ctx, s, m, progress)
	if err != nil {
		return nil, fmt.Errorf("fetch Xen's source package: %w", err)
	}
	return t, nil
}

func fromPackage(ctx context.Context, s *store.Store, m debian.Machine, progress func(string)) (*Tree, error) {
	archive, err := m.Open(ctx, s, debian.Source, progress)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	files, err := archive.SourceFiles(ctx, sourcePackage)
	if err != nil {
		return nil, err
	}
	decides := []string{"source package"}
	for _, f := range files {
		decides = append(decides, f.String())
	}
	entry, err := s.Get(ctx, Kind, store.KeyOf(decides...), store.Recipe{
		What: "Xen's source package", Progress: progress,
		Make: func(ctx context.Context, dir string) error {
			progress("fetching Xen's source package")
			return unpack(ctx, archive, dir)
		},
	})
	if err != nil {
		return nil, err
	}
	return openPackage(entry)
}

// Newest tells which files the source package is. Nothing but an index is
// fetched.
func Newest(ctx context.Context, s *store.Store, m debian.Machine) ([]debian.File, error) {
	archive, err := m.Open(ctx, s, debian.Source, func(string) {})
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	return archive.SourceFiles(ctx, sourcePackage)
}

// unpack leaves in dir only the tree of the package.
func unpack(ctx context.Context, archive *debian.Archive, dir string) error {
	work, err := os.MkdirTemp(dir, "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := archive.Source(ctx, work, sourcePackage); err != nil {
		return err
	}
	tree, ok := unpacked(work)
	if !ok {
		return fmt.Errorf("apt-get source left no unpacked tree in %s", work)
	}
	return os.Rename(tree, filepath.Join(dir, filepath.Base(tree)))
}

func openPackage(entry *store.Entry) (*Tree, error) {
	dir, ok := unpacked(entry.Dir)
	if !ok {
		entry.Release()
		return nil, fmt.Errorf("%s: %w", entry.Dir, ErrNotXen)
	}
	return openAs(entry, dir, strings.TrimPrefix(filepath.Base(dir), "xen-"))
}

// unpacked finds a source package's tree in dir.
func unpacked(dir string) (string, bool) {
	matches, _ := filepath.Glob(filepath.Join(dir, "xen-*", "xen", "Makefile"))
	if len(matches) == 0 {
		return "", false
	}
	return filepath.Dir(filepath.Dir(matches[len(matches)-1])), true
}
