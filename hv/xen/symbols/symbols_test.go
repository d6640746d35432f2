package symbols

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv/count/code"
	"xsmbench/hv/count/program"
	"xsmbench/internal/require"
)

func TestNames(t *testing.T) {
	tests := []struct {
		symbol, base string
		part         bool
	}{
		{"flask_apic", "flask_apic", false},
		{"hooks.c#flask_apic", "flask_apic", false},
		{"avc_audit.constprop.0", "avc_audit", false},
		{"ss.c#f.part.1.cold", "f", true},
		{"get_page.cold", "get_page", true},
		{".Lhead", ".Lhead", false},
	}
	for _, tt := range tests {
		if base, part := baseName(tt.symbol), isPart(tt.symbol); base != tt.base || part != tt.part {
			t.Errorf("%s: %s, part %v; want %s, %v", tt.symbol, base, part, tt.base, tt.part)
		}
	}
}

// A miniature of a build: a hook called through the table from two inlined
// wrappers, one that is checked in place, and a wrapper that was not inlined.
const miniature = `
asm(".text\n.globl " START "\n" START ":");
struct xsm_ops { int (*demo)(int); int (*unused)(int); int (*far)(int); } xsm_ops;
#define INLINE static inline __attribute__((always_inline))
static __attribute__((noinline)) int flask_demo(int a) { asm volatile(""); return a * 3; }
INLINE int xsm_demo(int a) { asm volatile("nop"); return xsm_ops.demo(a); }
INLINE int xsm_check(int a) { asm volatile("nop"); return a > 7; }
static __attribute__((noinline)) int xsm_far(int a) { asm volatile("nop"); return xsm_ops.far(a) + 1; }
int do_xsm_op(int a) { if (xsm_demo(a)) return 1; return a + 2; }
int second(int a) { return xsm_check(a) ? xsm_demo(a + 1) + xsm_far(a) : 9; }
void common_interrupt(void) { asm volatile("nop"); }
void restore_all_guest(void) { asm volatile("nop"); }
asm(".globl restore_all_xen\n.type restore_all_xen,@function\nrestore_all_xen: nop\nnop\niretq\n.size restore_all_xen, .-restore_all_xen");
void _start(void) { xsm_ops.demo = flask_demo; do_xsm_op(1); second(2); common_interrupt(); restore_all_guest(); }
asm(".text\n.globl _etext\n_etext:");
`

func compile(t *testing.T, args ...string) string {
	t.Helper()
	require.Program(t, "gcc", "gcc")
	dir := t.TempDir()
	source, out := filepath.Join(dir, "m.c"), filepath.Join(dir, "m")
	if err := os.WriteFile(source, []byte(miniature), 0o644); err != nil {
		t.Fatal(err)
	}
	args = append([]string{`-DSTART="_stext"`, "-O2"}, args...)
	args = append(args, "-fno-inline", "-fno-toplevel-reorder", "-nostdlib", "-static", "-no-pie", "-o", out, source)
	if msg, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, msg)
	}
	return out
}

func TestRead(t *testing.T) {
	m, err := Read(compile(t, "-g"))
	if err != nil {
		t.Fatal(err)
	}
	entries := map[code.Cell]int{}
	for _, id := range m.Entries {
		entries[m.Cells[id]]++
	}
	want := map[code.Cell]int{
		{Function: "flask_demo"}: 1, {Function: "do_xsm_op", Handler: "do_xsm_op"}: 1, {Function: "_start"}: 1,
		{Function: "common_interrupt", Probe: true}: 1, {Function: "restore_all_guest"}: 1, {Function: "restore_all_xen"}: 1,
		{Function: "second", Hook: "check"}:   1, // its first instruction
		{Function: "do_xsm_op", Hook: "demo"}: 1, {Function: "second", Hook: "demo"}: 1,
		{Function: "xsm_far", Hook: "far"}: 1,
	}
	if d := cmp.Diff(want, entries); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"demo", "far", "unused"}, m.Known); d != "" {
		t.Errorf("hooks: %s", d)
	}
	if want := (code.Range{Lo: 0xffff800000000000, Hi: 0xffff880000000000}); m.Area != want {
		t.Errorf("area %x-%x", m.Area.Lo, m.Area.Hi)
	}
	last := uint64(0)
	for _, r := range m.Ranges {
		if r.Lo < last || r.Hi <= r.Lo {
			t.Errorf("range %x-%x after %x", r.Lo, r.Hi, last)
		}
		last = r.Hi
	}
}

// TestReadEvents looks at where what is charged changes.
func TestReadEvents(t *testing.T) {
	m, err := Read(compile(t, "-g"))
	if err != nil {
		t.Fatal(err)
	}
	calls, kinds := map[string]int{}, map[code.EventKind]int{}
	for _, e := range m.Events {
		kinds[e.Kind]++
		if e.Kind == code.Call {
			calls[m.Hooks[e.ID]]++
		}
	}
	if d := cmp.Diff(map[string]int{"demo": 2, "far": 1}, calls); d != "" {
		t.Errorf("calls: %s", d)
	}
	want := map[code.EventKind]int{code.Enter: 1, code.Leave: 1, code.Resume: 1, code.Handle: 1, code.Call: 3, code.Return: 6}
	if d := cmp.Diff(want, kinds); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"do_xsm_op"}, m.Handlers); d != "" {
		t.Error(d)
	}
	for _, e := range m.Events {
		if e.Kind == code.Resume && !slices.Contains(slices.Collect(maps.Keys(m.Entries)), e.At-2) {
			t.Errorf("restore_all_xen ends at %x, which is not two instructions after its beginning", e.At)
		}
	}
}

func TestReadNoDebug(t *testing.T) {
	if _, err := Read(compile(t, "-g0")); !errors.Is(err, program.ErrNoDebug) {
		t.Errorf("error %v, want %v", err, program.ErrNoDebug)
	}
}

func TestReadNotXen(t *testing.T) {
	if _, err := Read(compile(t, "-g", "-USTART", `-DSTART="_begin"`)); !errors.Is(err, ErrNotXen) {
		t.Errorf("error %v, want %v", err, ErrNotXen)
	}
}
