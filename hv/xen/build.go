package xen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"xsmbench/hv"
	"xsmbench/hv/count/code"
	"xsmbench/hv/store/content"
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
	k, err := kindOf(b)
	if err == nil {
		err = t.CheckOptions(b)
	}
	if err != nil {
		return nil, err
	}
	// What the guests need is fetched while Xen compiles. What fails first
	// ends both.
	var product *kbuild.Product
	var tree *source.Tree
	var around *surroundings
	var hash string // of the policy
	group, both := errgroup.WithContext(ctx)
	group.Go(func() error {
		_, err := t.kernel(both, b.Packages, progress)
		return err
	})
	group.Go(func() (err error) {
		if tree, err = t.source(both, b, progress); err != nil {
			return err
		}
		group.Go(func() (err error) {
			around, err = t.surroundingsOf(both, tree, b.Packages, progress)
			return err
		})
		if hash, err = t.keepPolicy(both, b, tree); err != nil {
			return err // before anything is compiled
		}
		if product, err = t.compile(both, k, b, tree, progress); err != nil {
			return err
		}
		if err := checkKnown(b, product.Syms); err != nil {
			return err
		}
		return checkOwn(b, product)
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	t.noteSource(b, tree)
	img, err := t.describeImage(ctx, b, k.Kind, product, tree)
	if err != nil {
		return nil, err
	}
	secured(img, hash)
	sayUnknown(img, progress)
	t.around.put(img, around)
	return img, nil
}

// sayUnknown warns of ways into an image that the counting does not know.
func sayUnknown(img *hv.Image, progress func(string)) {
	if len(img.Unknown) > 0 {
		progress(fmt.Sprintf("%s: guests may enter this Xen at %s, which is not known here: what they come for there is not told",
			label(img.Build), strings.Join(img.Unknown, ", ")))
	}
}

// describeImage fills in an image from its files.
func (t *Target) describeImage(ctx context.Context, b hv.Build, k hv.Kind, product *kbuild.Product, tree *source.Tree) (*hv.Image, error) {
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
	m, err := t.readSymbols(ctx, product.Syms)
	switch {
	case err == nil:
	case ctx.Err() != nil: // nothing is wrong with the files
		return nil, err
	default:
		return nil, errors.Join(err, product.Reject(err.Error()))
	}
	return &hv.Image{
		Build: b, Hash: hash, Dispatch: k.Dispatch,
		Toolchain: product.Compiler, Config: describe(product.Config, tree), Revision: tree.Version,
		Path: product.Image, Size: info.Size(), Sections: sections, Hooks: m.Known, Absent: m.Absent, Unknown: m.Unknown, Jumped: m.Jumped, Cached: product.Cached,
	}, nil
}

// readSymbols reads a build's symbols and its debugging information, which takes a
// second, once for all images of the build. Nobody changes what it returns.
func (t *Target) readSymbols(ctx context.Context, path string) (*code.Map, error) {
	name, err := symbolsName(path)
	if err != nil {
		return nil, err
	}
	return t.symbols.get(ctx, name, func(context.Context) (*code.Map, error) { return symbols.Read(path) })
}

// symbolsName names what is in a file of symbols: a build may be made anew.
func symbolsName(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	return fmt.Sprint(path, " ", info.ModTime().UnixNano(), " ", info.Size()), nil
}

// compile builds Xen from a tree. The product stays in the store as long as this
// process lives.
func (t *Target) compile(ctx context.Context, k kind, b hv.Build, tree *source.Tree, progress func(string)) (*kbuild.Product, error) {
	s, err := t.store()
	if err != nil {
		return nil, err
	}
	spec := kbuild.Spec{What: k.Name, Tree: tree, Fragments: []string{k.fragment}, Jobs: processors(), Clean: b.Clean, Turn: t.turnToCompile}
	for _, path := range b.Kconfig {
		f, err := kbuild.ReadFragment(path)
		if err != nil {
			return nil, err
		}
		spec.Fragments = append(spec.Fragments, f)
	}
	begun := time.Now()
	product, err := kbuild.Build(ctx, s, spec, func(s string) { progress(label(b) + ": " + s) })
	if err != nil {
		return nil, err
	}
	t.held.hold(product)
	if !product.Cached {
		progress(fmt.Sprintf("%s: built in %.0f s", label(b), time.Since(begun).Seconds()))
	}
	return product, nil
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
	from := sourceFrom(b.Packages)
	name := b.Source + "@" + b.Rev + from.String()
	return t.trees.get(ctx, name, func(ctx context.Context) (*source.Tree, error) {
		if b.Rev == "" {
			return source.Package(ctx, s, from, progress)
		}
		repo := b.Source
		if repo == "" {
			repo = "."
		}
		return source.Checkout(ctx, s, repo, b.Rev, progress)
	})
}

// describe is an image's configuration in the record of a run: the source, the
// options that are set, and whether it debugs, which is the default of some trees.
func describe(c kbuild.Config, tree *source.Tree) string {
	var options []string
	for name, value := range c {
		if value != "n" || name == "CONFIG_DEBUG" {
			options = append(options, strings.TrimPrefix(name, "CONFIG_")+"="+value)
		}
	}
	sort.Strings(options)
	return "source=" + tree.Version + " " + strings.Join(options, " ")
}

// symsOf is the symbol file beside an image.
func symsOf(img *hv.Image) string { return filepath.Join(filepath.Dir(img.Path), "xen-syms") }
