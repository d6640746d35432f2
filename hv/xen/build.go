package xen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"xsmbench/hv"
	"xsmbench/hv/store/content"
	"xsmbench/hv/xen/debian"
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
	// What the guests need is fetched while Xen compiles. What fails first
	// ends both.
	var product *kbuild.Product
	var tree *source.Tree
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		_, err := t.parts(ctx, progress)
		return err
	})
	group.Go(func() (err error) {
		product, tree, err = t.compile(ctx, b, progress)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return describeImage(b, kinds[k], product, tree)
}

// describeImage fills in an image from its files.
func describeImage(b hv.Build, k hv.Kind, product *kbuild.Product, tree *source.Tree) (*hv.Image, error) {
	hash, err := content.HashFile(product.Image)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(product.Image)
	if err != nil {
		return nil, err
	}
	sections, err := hv.Sections(product.Syms)
	if err != nil {
		return nil, err
	}
	m, err := symbols.Read(product.Syms)
	if err != nil {
		return nil, errors.Join(err, product.Reject(err.Error()))
	}
	return &hv.Image{
		Build: b, Hash: hash, Dispatch: k.Dispatch,
		Toolchain: product.Compiler, Config: describe(product.Config, tree),
		Path: product.Image, Size: info.Size(), Sections: sections, Hooks: m.Known, Cached: product.Cached,
	}, nil
}

// compile finds the source and builds Xen from it. The product stays in the
// store as long as this process lives.
func (t *Target) compile(ctx context.Context, b hv.Build, progress func(string)) (*kbuild.Product, *source.Tree, error) {
	s, err := t.store()
	if err != nil {
		return nil, nil, err
	}
	tree, err := t.source(ctx, b, progress)
	if err != nil {
		return nil, nil, err
	}
	spec := kbuild.Spec{What: b.KindOf(), Tree: tree, Fragments: []string{kbuild.Fragments[b.KindOf()]}, Jobs: processors(), Clean: b.Clean, Turn: t.turnToCompile}
	for _, path := range b.Kconfig {
		f, err := kbuild.ReadFragment(path)
		if err != nil {
			return nil, nil, err
		}
		spec.Fragments = append(spec.Fragments, f)
	}
	begun := time.Now()
	product, err := kbuild.Build(ctx, s, spec, func(s string) { progress(label(b) + ": " + s) })
	if err != nil {
		return nil, nil, err
	}
	if !product.Cached {
		progress(fmt.Sprintf("%s: built in %.0f s", label(b), time.Since(begun).Seconds()))
	}
	return product, tree, nil
}

// turnToCompile waits for one of the turns: each compilation uses all
// processors.
func (t *Target) turnToCompile(ctx context.Context) (release func(), err error) {
	select {
	case t.compiling <- struct{}{}:
		return func() { <-t.compiling }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// source finds the tree to build from: the user's, a revision of it, or the
// distribution's source package. A tree in the store is read once.
func (t *Target) source(ctx context.Context, b hv.Build, progress func(string)) (*source.Tree, error) {
	s, err := t.store()
	if err != nil {
		return nil, err
	}
	if b.Source != "" && b.Rev == "" {
		return source.Open(ctx, b.Source)
	}
	name := b.Source + "@" + b.Rev
	return t.trees.get(ctx, name, func(ctx context.Context) (*source.Tree, error) {
		if b.Rev == "" {
			return source.Package(ctx, s, debian.Machine{}, progress)
		}
		repo := b.Source
		if repo == "" {
			repo = "."
		}
		return source.Checkout(ctx, s, repo, b.Rev, progress)
	})
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
