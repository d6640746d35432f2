package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"xsmbench/hv/xen/debian"
)

// Package fetches Xen's source package of the running Debian release with the
// machine's own package sources, and unpacks it below cache. A tree that is
// there already is used again.
func Package(ctx context.Context, cache string, progress func(string)) (*Tree, error) {
	if dir, ok := unpacked(cache); ok {
		return openPackage(ctx, dir)
	}
	work, err := os.MkdirTemp(mkdir(cache), "fetch-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("fetch Xen's source package: %w", err)
	}
	defer os.RemoveAll(work)
	progress("fetching the index of source packages")
	archive, err := debian.Open(ctx, filepath.Join(work, "apt"), debian.Source)
	if err != nil {
		return nil, fmt.Errorf("fetch Xen's source package: %w", err)
	}
	progress("fetching Xen's source package")
	if err := archive.Source(ctx, work, "xen"); err != nil {
		return nil, fmt.Errorf("fetch Xen's source package: %w", err)
	}
	dir, ok := unpacked(work)
	if !ok {
		return nil, fmt.Errorf("fetch Xen's source package: apt-get source left no unpacked tree in %s", work)
	}
	final := filepath.Join(cache, filepath.Base(dir))
	if err := os.Rename(dir, final); err != nil {
		return nil, fmt.Errorf("fetch Xen's source package: %w", err)
	}
	return openPackage(ctx, final)
}

func openPackage(ctx context.Context, dir string) (*Tree, error) {
	return openAs(ctx, dir, strings.TrimPrefix(filepath.Base(dir), "xen-"))
}

// unpacked finds a source package's tree in dir.
func unpacked(dir string) (string, bool) {
	matches, _ := filepath.Glob(filepath.Join(dir, "xen-*", "xen", "Makefile"))
	if len(matches) == 0 {
		return "", false
	}
	return filepath.Dir(filepath.Dir(matches[len(matches)-1])), true
}
