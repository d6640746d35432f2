package xen

import (
	"context"

	"xsmbench/hv"
	"xsmbench/hv/xen/source"
	"xsmbench/hv/xen/symbols"
)

// Bodies reads an image's symbols and disassembles it, which takes a second.
func (*Target) Bodies(_ context.Context, img *hv.Image) ([]hv.Body, error) {
	return symbols.Bodies(symsOf(img))
}

// CompareSources compares the trees that two images were built from.
func (t *Target) CompareSources(ctx context.Context, before, after *hv.Image) hv.SourceChange {
	was, is := t.sourceOf(before), t.sourceOf(after)
	if was == nil || is == nil {
		return hv.SourceChange{Unknown: "they were not built in this run"}
	}
	return source.Compare(ctx, was, is)
}

// Source fetches the tree of a build.
func (t *Target) Source(ctx context.Context, b hv.Build, progress func(string)) error {
	tree, err := t.source(ctx, b, progress)
	if err != nil {
		return err
	}
	t.noteSource(b, tree)
	return nil
}

// noteSource remembers what a build was made from.
func (t *Target) noteSource(b hv.Build, tree *source.Tree) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.madeOf == nil {
		t.madeOf = map[string]*source.Tree{}
	}
	t.madeOf[b.Name] = tree
}

func (t *Target) sourceOf(img *hv.Image) *source.Tree {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.madeOf[img.Build.Name]
}
