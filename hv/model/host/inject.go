package host

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"xsmbench/hv"
	"xsmbench/hv/store/content"
)

var _ hv.Injector = (*Target)(nil)

// injected is the hook that Inject changes, with its file, which is in the folder
// of its kind's module.
const (
	injectedFile = "xsm/flask/hook_event.go"
	injectedHook = "func (m *Module) evtchnStatus("
)

// Injection is on one hypercall's only hook.
func (*Target) Injection() hv.Injection {
	return hv.Injection{
		Hook: "evtchn_status", Benchmark: "Kbench/hypercall/op=evtchn_status", Accel: icount,
		Instructions: []int{1, 16}, Delays: []int{1, 2, 4, 8, 16, 32}, Long: 512,
	}
}

// Inject makes the hook call a function in assembly: no compiler may leave out
// what it does, and it is there in every copy, so that copies differ by the
// work alone.
func (t *Target) Inject(ctx context.Context, w hv.Work, dir string, progress func(string)) (hv.Build, error) {
	b, err := t.inject(ctx, w, dir, progress)
	if err != nil {
		return b, fmt.Errorf("put work into a hook: %w", err)
	}
	return b, nil
}

func (t *Target) inject(ctx context.Context, w hv.Work, dir string, progress func(string)) (hv.Build, error) {
	from, err := t.sourceOf(ctx, hv.Build{}, progress)
	if err != nil {
		return hv.Build{}, err
	}
	if err := copySource(from.dir, dir); err != nil {
		return hv.Build{}, err
	}
	path := filepath.Join(dir, injectedFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return hv.Build{}, err
	}
	before, hook, ok := strings.Cut(string(text), injectedHook)
	head, body, ok2 := strings.Cut(hook, "{\n")
	if !ok || !ok2 {
		return hv.Build{}, fmt.Errorf("%s has no %q", path, injectedHook)
	}
	changed := before + injectedHook + head + "{\n\tselftestWork()\n" + body + "\n// selftestWork is in assembly.\nfunc selftestWork()\n"
	if err := os.WriteFile(path, []byte(changed), 0o666); err != nil {
		return hv.Build{}, err
	}
	assembly := filepath.Join(filepath.Dir(path), "selftest_work.s")
	return hv.Build{Kind: filepath.Base(filepath.Dir(injectedFile)), Source: dir}, os.WriteFile(assembly, []byte(assemble(w)), 0o666)
}

// assemble writes the function. A delay is a chain of multiplications, each of
// which waits for the one before, between two fences: without those the
// processor would do it beside what comes before and after. There is no loop,
// whose end would be guessed wrong. One step is in every copy, also in that
// without a delay: the first one after a fence costs more than its latency, since
// it must get to its unit and back, and two fences without anything between them
// cost less than that.
func assemble(w hv.Work) string {
	const fence = "\tBYTE $0x0F; BYTE $0xAE; BYTE $0xE8\n" // LFENCE
	step, around, n := "\tBYTE $0x90\n", "", w.Amount      // NOP, which the assembler would leave out
	if w.Delay {
		step, around, n = "\tIMULL CX, CX\n", fence, w.Amount+1
	}
	return "TEXT ·selftestWork(SB), 4, $0-0\n" + around + strings.Repeat(step, n) + around + "\tRET\n" // 4: NOSPLIT
}

// notSource are folders at a tree's top that no program is built from.
var notSource = []string{".git", "bin", "runs", "docs"}

// copySource copies what programs are built from.
func copySource(from, to string) error {
	_, err := content.CopyTree(from, to, content.All(from, func(rel string, _ fs.DirEntry) bool { return slices.Contains(notSource, rel) }))
	return err
}
