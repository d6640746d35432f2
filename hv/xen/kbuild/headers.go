package kbuild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"xsmbench/hv/store"
)

// headers are the compatibility headers, which Xen's makefiles generate from
// the public ones by some 24,000 short processes, a seventh of a build's work.
// Builds that differ in their configuration alone share them.
var headers = store.Register(store.Kind{
	Name: "xen-headers", Doc: "headers that Xen's makefiles generate from its public ones", Bound: 50 << 20,
})

// headersTarget makes them, with what the rule of Xen's own image makes before.
// xen/Makefile has no target for that. The second line keeps a make below from
// taking the first for its default.
var headersTarget = []string{
	"--eval=xsmbench-headers: ; +$(MAKE) $(build)=tools && $(MAKE) $(build)=. include/xen/compile.h && $(MAKE) $(build)=include all",
	"--eval=.DEFAULT_GOAL:=",
	"xsmbench-headers",
}

// prepareHeaders has the headers made, or found, before anything is compiled: in
// a new tree, and in one that lost them.
func (b *builder) prepareHeaders(ctx context.Context, again bool) error {
	if b.spec.Clean || again && b.old == nil {
		return nil
	}
	if err := b.shareHeaders(ctx); err != nil {
		return err
	}
	if err := b.old.restoreTimes(b.compat(), b.public()); err != nil {
		return fmt.Errorf("build Xen: %w", err)
	}
	return nil
}

// shareHeaders gives a tree the headers that another build of this source
// has made, or has them made for both. Make still decides which of them are
// right: it compares the commands and the times, so that what depends on the
// configuration is made anew. Where the makefiles are of another kind, it does
// nothing.
func (b *builder) shareHeaders(ctx context.Context) error {
	if !exists(filepath.Join(b.tree(), "xen", "tools", "fixdep.c")) {
		return nil
	}
	key := store.KeyOf(append([]string{"headers", b.hash}, b.tools.decide()...)...)
	entry, err := b.store.Get(ctx, headers, key, store.Recipe{
		What: "Xen's compatibility headers", Progress: b.progress,
		Make: func(ctx context.Context, dir string) error {
			args := append([]string{"-j", strconv.Itoa(max(1, b.spec.Jobs))}, headersTarget...)
			if err := b.make(ctx, "compile", args...); err != nil {
				return err
			}
			return b.keepHeaders(dir)
		},
	})
	var failed *Error
	switch {
	case errors.As(err, &failed):
		return nil // the build itself meets that error, or has no use for these headers
	case err != nil:
		return fmt.Errorf("build Xen: %w", err)
	}
	defer entry.Release()
	if entry.Made {
		return nil // they are in this tree
	}
	if err := b.takeHeaders(entry.Path("")); err != nil {
		return fmt.Errorf("build Xen: %w", err)
	}
	return nil
}

// Where they lie in a tree, and what they are made from.
func (b *builder) include() string { return filepath.Join(b.tree(), "xen", "include") }
func (b *builder) compat() string  { return filepath.Join(b.include(), "compat") }
func (b *builder) public() string  { return filepath.Join(b.include(), "public") }

// keptTree is what the path of the tree is written as in the commands of kept
// headers, since each tree has another one.
const keptTree = "@xsmbench-tree@"

// keepHeaders copies the headers, and the stamps of the headers' checks, with
// the files in which make keeps how it made them.
func (b *builder) keepHeaders(dir string) error {
	err := copyText(b.compat(), filepath.Join(dir, "compat"), b.tree(), keptTree, time.Time{})
	if err != nil {
		return err
	}
	stamps, err := filepath.Glob(filepath.Join(b.include(), "headers*.chk"))
	if err != nil {
		return err
	}
	for _, stamp := range stamps {
		for _, path := range []string{stamp, command(stamp)} {
			if err := copyText(path, filepath.Join(dir, filepath.Base(path)), b.tree(), keptTree, time.Time{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// command is the file in which make keeps how it made a product.
func command(product string) string {
	return filepath.Join(filepath.Dir(product), "."+filepath.Base(product)+".cmd")
}

// takeHeaders copies them into this tree, all of one time, later than any
// source's: make then takes none for out of date.
func (b *builder) takeHeaders(dir string) error {
	return copyText(dir, b.include(), keptTree, b.tree(), time.Now())
}

// copyText copies a file, or what is in a folder, with one text in place of
// another, and gives the copies a time, unless that is zero.
func copyText(from, to, old, text string, at time.Time) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if e.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		data, err := os.ReadFile(path)
		if err == nil && strings.HasSuffix(path, ".cmd") {
			data = bytes.ReplaceAll(data, []byte(old), []byte(text))
		}
		if err == nil {
			err = os.WriteFile(target, data, 0o644)
		}
		if err == nil && !at.IsZero() {
			err = os.Chtimes(target, at, at)
		}
		return err
	})
}
