package xen

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"xsmbench/hv"
	"xsmbench/hv/xen/kbuild"
	"xsmbench/hv/xen/source"
	"xsmbench/hv/xen/symbols"
)

// Build builds Xen, and readies what its domains boot from.
func (t *Target) Build(ctx context.Context, b hv.Build, progress func(string)) (*hv.Image, error) {
	img, err := t.build(ctx, b, progress)
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", label(b), err)
	}
	return img, nil
}

// label names a build in progress lines.
func label(b hv.Build) string {
	if k := b.KindOf(); k != b.Name {
		return b.Name + " (" + k + ")"
	}
	return b.Name
}

func (t *Target) build(ctx context.Context, b hv.Build, progress func(string)) (*hv.Image, error) {
	kinds := t.Kinds()
	k := slices.IndexFunc(kinds, func(k hv.Kind) bool { return k.Name == b.KindOf() })
	if k < 0 {
		return nil, fmt.Errorf("unknown kind of build %q", b.KindOf())
	}
	// What the guests need is fetched while Xen compiles.
	guests := make(chan error, 1)
	go func() {
		_, err := t.parts(ctx, progress)
		guests <- err
	}()
	product, tree, err := t.compile(ctx, b, progress)
	if failed := <-guests; err == nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	hash, err := hashFile(product.Image)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(product.Image)
	if err != nil {
		return nil, err
	}
	sections, err := sectionSizes(product.Syms)
	if err != nil {
		return nil, err
	}
	m, err := symbols.Read(product.Syms)
	if err != nil {
		return nil, err
	}
	return &hv.Image{
		Build: b, Hash: hash, Dispatch: kinds[k].Dispatch,
		Toolchain: product.Compiler, Config: describe(product.Config, tree),
		Path: product.Image, Size: info.Size(), Sections: sections, Hooks: m.Known, Cached: product.Cached,
	}, nil
}

// compile finds the source and builds Xen from it.
func (t *Target) compile(ctx context.Context, b hv.Build, progress func(string)) (*kbuild.Product, *source.Tree, error) {
	tree, err := t.source(ctx, b, progress)
	if err != nil {
		return nil, nil, err
	}
	fragments := []string{kbuild.Fragments[b.KindOf()]}
	for _, path := range b.Kconfig {
		f, err := kbuild.ReadFragment(path)
		if err != nil {
			return nil, nil, err
		}
		fragments = append(fragments, f)
	}
	cache, err := cacheDir("builds")
	if err != nil {
		return nil, nil, err
	}
	select {
	case t.compiling <- struct{}{}:
		defer func() { <-t.compiling }()
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	begun := time.Now()
	spec := kbuild.Spec{Tree: tree, Fragments: fragments, Jobs: processors()}
	if kbuild.HasCcache() {
		if spec.Objects, err = cacheDir("objects"); err != nil {
			return nil, nil, err
		}
	}
	product, err := kbuild.Build(ctx, cache, spec, func(s string) { progress(label(b) + ": " + s) })
	if err != nil {
		return nil, nil, err
	}
	if !product.Cached {
		progress(fmt.Sprintf("%s: built in %.0f s", label(b), time.Since(begun).Seconds()))
	}
	return product, tree, nil
}

// source finds the tree to build from: the user's, a revision of it, or the
// distribution's source package.
func (t *Target) source(ctx context.Context, b hv.Build, progress func(string)) (*source.Tree, error) {
	defer t.alone("source " + b.Source + "@" + b.Rev)()
	cache, err := cacheDir("source")
	if err != nil {
		return nil, err
	}
	switch {
	case b.Rev != "":
		repo := b.Source
		if repo == "" {
			repo = "."
		}
		return source.Checkout(ctx, repo, b.Rev, cache)
	case b.Source != "":
		return source.Open(ctx, b.Source)
	}
	return source.Package(ctx, cache, progress)
}

// describe is an image's configuration in the record of a run: the source, and
// the options that are set.
func describe(c kbuild.Config, tree *source.Tree) string {
	var options []string
	for name, value := range c {
		if value != "n" {
			options = append(options, strings.TrimPrefix(name, "CONFIG_")+"="+value)
		}
	}
	sort.Strings(options)
	return "source=" + tree.Version + " " + strings.Join(options, " ")
}

// symsOf is the symbol file beside an image.
func symsOf(img *hv.Image) string { return filepath.Join(filepath.Dir(img.Path), "xen-syms") }

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// sectionSizes reads the sections that are loaded.
func sectionSizes(path string) (map[string]int64, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read sections: %w", err)
	}
	defer f.Close()
	sizes := map[string]int64{}
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_ALLOC != 0 && s.Size > 0 {
			sizes[s.Name] = int64(s.Size)
		}
	}
	return sizes, nil
}
