package xen

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"xsmbench/hv"
	"xsmbench/hv/store/content"
	"xsmbench/hv/xen/qemu"
)

var _ hv.Injector = (*Target)(nil)

// Injection is on one hypercall's only hook. Xen is counted: it has no delays.
func (*Target) Injection() hv.Injection {
	return hv.Injection{
		Hook: "evtchn_status", Benchmark: "Kbench/hypercall/op=evtchn_status", Accel: string(qemu.ICount),
		Instructions: []int{16},
	}
}

// Inject puts instructions that do nothing at the beginning of the hook. The
// package's tree without any is as it is.
func (t *Target) Inject(ctx context.Context, w hv.Work, dir string, progress func(string)) (hv.Build, error) {
	if w.Delay {
		return hv.Build{}, fmt.Errorf("put a delay into a hook: target %s is not timed so", t.Name())
	}
	tree, err := t.source(ctx, hv.Build{}, progress)
	if err != nil {
		return hv.Build{}, err
	}
	k := injectable()
	b := hv.Build{Kind: k.Name, Source: tree.Dir}
	if w.Amount == 0 {
		return b, nil
	}
	b.Source = dir
	if _, err = content.CopyTree(tree.Dir, dir, tree.Files); err == nil {
		err = k.injected.addWork(dir, w.Amount)
	}
	if err != nil {
		return b, fmt.Errorf("put work into a hook: %w", err)
	}
	return b, nil
}

// injectable is the kind with the hook.
func injectable() kind {
	all := kinds()
	return all[slices.IndexFunc(all, func(k kind) bool { return k.injected != injected{} })]
}

// addWork changes the hook in a tree.
func (in injected) addWork(tree string, instructions int) error {
	path := filepath.Join(tree, filepath.FromSlash(in.file))
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, function, ok := strings.Cut(string(text), in.function)
	head, body, ok2 := strings.Cut(function, "{")
	if !ok || !ok2 {
		return fmt.Errorf("%s has no %s)", path, in.function)
	}
	work := fmt.Sprintf("\n    asm volatile ( \".rept %d; nop; .endr\" );\n", instructions)
	return os.WriteFile(path, []byte(before+in.function+head+"{"+work+body), 0o666)
}
