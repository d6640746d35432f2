package symbols

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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
// wrappers, one that is checked in place, a wrapper that was not inlined, and a
// function that only has a wrapper's name.
const miniature = `
asm(".text\n.globl " START "\n" START ":");
struct OPS { int (*demo)(int); int (*unused)(int); int (*far)(int); int (*check)(int); int (*last)(int); } xsm_ops;
#define INLINE static inline __attribute__((always_inline))
static __attribute__((noinline)) int flask_demo(int a) { asm volatile(""); return a * 3; }
INLINE int xsm_demo(int a) { asm volatile("nop"); return xsm_ops.demo(a); }
INLINE int xsm_check(int a) { asm volatile("nop"); return a > 7; }
INLINE int xsm_core_init(int a) { asm volatile("nop"); return a + 7; }
static __attribute__((noinline)) int xsm_far(int a) { asm volatile("nop"); return xsm_ops.far(a) + 1; }
INLINE int xsm_last(int a) { return xsm_ops.last(a); }
int final(int a) { return xsm_last(a + 1); }
int do_xsm_op(int a) { if (xsm_demo(a)) return 1; return a + 2; }
int second(int a) { return xsm_check(a) ? xsm_demo(a + 1) + xsm_far(a) : 9; }
#define NOP asm volatile("nop")
void do_IRQ(void) { NOP; }
void do_softirq(void) { NOP; }
void handle_PF_IDT(void) { NOP; }
void do_trap(void) { NOP; }
void context_switch(void) { NOP; }
int pv_hypercall(int a) { NOP; return do_xsm_op(a) + 1; }
void process_softirqs(void) { do_softirq(); NOP; }
void svm_vmexit_handler(void) { NOP; }
#ifdef TABLE
void (*const exception_table[])(void) = { do_trap, handle_PF_IDT };
#define DISPATCH NOP
#else
#define DISPATCH handle_PF_IDT(); NOP
#endif
asm(".section .text.entry,\"ax\"\n.globl _stextentry\n_stextentry:");
#define ENTRY __attribute__((section(".text.entry")))
ENTRY void lstar_enter(void) { NOP; }
ENTRY void common_interrupt(void) { do_IRQ(); NOP; }
ENTRY void handle_exception(void) { DISPATCH; }
ENTRY void entry_DF(void) { NOP; }
ENTRY void restore_all_guest(void) { NOP; }
ENTRY void iret_exit_to_guest(void) { NOP; }
#define LABEL(name, code) asm(".section .text.entry,\"ax\"\n.globl " #name "\n.type " #name ",@function\n" #name ": " code "\n.size " #name ", .-" #name)
LABEL(entry_NMI, "push $0\nmovb $2, 4(%rsp)"); // falls through its padding
asm(".balign 16");
LABEL(handle_ist_exception, "nop\ncld\nnop\nnop\nnop\nnop\nnop\nnop\nnop\nret");
LABEL(restore_all_xen, "nop\nnop\niretq");
LABEL(entry_GP, "test $8,%spl\njz 1f\npush $0\n1: jmp handle_exception");
LABEL(entry_PF, "push $0\njmp handle_exception");
LABEL(entry_odd, "nop\nnop\nud2");
asm(".section .text.entry,\"ax\"\n.globl _etextentry\n_etextentry:\n.text");
void _start(void) { xsm_ops.demo = flask_demo; pv_hypercall(1); second(xsm_core_init(2)); final(3); common_interrupt(); process_softirqs();
	restore_all_guest(); iret_exit_to_guest(); }
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
	args = append([]string{`-DSTART="_stext"`, "-DOPS=xsm_ops", "-O2"}, args...)
	args = append(args, "-fno-inline", "-fno-ipa-icf", "-fno-toplevel-reorder", "-nostdlib", "-static", "-no-pie", "-o", out, source)
	if msg, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, msg)
	}
	return out
}

func TestRead(t *testing.T) {
	m := readMiniature(t)
	entries := map[code.Cell]int{}
	for _, id := range m.Entries {
		if c := m.Cells[id]; c.Hook != "" || c.Handler != "" || c.Probe {
			entries[c]++
		}
	}
	handler := func(name string) code.Cell { return code.Cell{Function: name, Handler: name} }
	want := map[code.Cell]int{
		handler("do_xsm_op"): 1, handler("handle_PF_IDT"): 1, handler("do_softirq"): 1,
		{Function: "do_IRQ", Handler: "do_IRQ", Probe: true}: 1,
		{Function: "common_interrupt", Probe: true}:          1, {Function: "context_switch", Probe: true}: 1,
		{Function: "second", Hook: "check"}:   1, // its first instruction
		{Function: "do_xsm_op", Hook: "demo"}: 1, {Function: "second", Hook: "demo"}: 1,
		{Function: "xsm_far", Hook: "far"}: 1,
		{Function: "final", Hook: "last"}:  1, // where it begins
	}
	if d := cmp.Diff(want, entries); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"check", "demo", "far", "last", "unused"}, m.Known); d != "" {
		t.Errorf("hooks: %s", d)
	}
	if d := cmp.Diff([]string{"last"}, m.Jumped); d != "" {
		t.Errorf("jumped to: %s", d)
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

// readMiniature reads one, compiled with more arguments.
func readMiniature(t *testing.T, args ...string) *code.Map {
	t.Helper()
	m, err := Read(compile(t, append(args, "-g")...))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestReadEvents looks at where what is charged changes.
func TestReadEvents(t *testing.T) {
	m := readMiniature(t)
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
	want := map[code.EventKind]int{code.Enter: 6, code.Leave: 2, code.Resume: 1, code.Handle: 4, code.Call: 3, code.Return: 6}
	if d := cmp.Diff(want, kinds); d != "" {
		t.Error(d)
	}
	for _, e := range m.Events {
		if e.Kind == code.Resume && !slices.Contains(slices.Collect(maps.Keys(m.Entries)), e.At-2) {
			t.Errorf("restore_all_xen ends at %x, which is not two instructions after its beginning", e.At)
		}
	}
}

// TestHandlers: they are read from where Xen calls them, directly or through a
// table.
func TestHandlers(t *testing.T) {
	for _, tt := range []struct {
		args, want []string
	}{
		{nil, []string{"do_IRQ", "do_softirq", "do_xsm_op", "handle_PF_IDT"}},
		{[]string{"-DTABLE"}, []string{"do_IRQ", "do_softirq", "do_trap", "do_xsm_op", "handle_PF_IDT"}},
		{[]string{"-Dhandle_PF_IDT=do_page_fault"}, []string{"do_IRQ", "do_page_fault", "do_softirq", "do_xsm_op"}},
	} {
		m := readMiniature(t, tt.args...)
		slices.Sort(m.Handlers)
		if d := cmp.Diff(tt.want, m.Handlers); d != "" {
			t.Errorf("%v: %s", tt.args, d)
		}
	}
}

// TestOperations: the structure of hooks has another name up to 4.15.
func TestOperations(t *testing.T) {
	m := readMiniature(t, "-UOPS", "-DOPS=xsm_operations")
	if d := cmp.Diff([]string{"check", "demo", "far", "last", "unused"}, m.Known); d != "" {
		t.Error(d)
	}
}

// TestMissing: a Xen that names a role otherwise is refused, by the role's name.
func TestMissing(t *testing.T) {
	for _, tt := range []struct{ symbol, what string }{
		{"lstar_enter", "the entry of system calls"},
		{"restore_all_guest", "the return to guests"},
		{"context_switch", "the switch to another vCPU"},
		{"pv_hypercall", "the handlers of hypercalls"},
		{"process_softirqs", "the handler of soft interrupts"},
	} {
		_, err := Read(compile(t, "-g", "-D"+tt.symbol+"=another"))
		var missing *MissingError
		if !errors.As(err, &missing) || missing.What != tt.what || !slices.Contains(missing.Symbols, tt.symbol) {
			t.Errorf("without %s: error %v, want that of %s", tt.symbol, err, tt.what)
		}
	}
}

// TestAbsent: what a build may lack is told.
func TestAbsent(t *testing.T) {
	m := readMiniature(t)
	for what, want := range map[string]bool{
		"the hypercall do_domctl": true, "the hypercall do_xsm_op": false,
		"the entry of INT 0x80 (entry_int80 or int80_direct_trap; CONFIG_PV)": true,
		"the exit of SVM guests (svm_vmexit_handler; CONFIG_AMD_SVM)":         false,
	} {
		if got := slices.Contains(m.Absent, what); got != want {
			t.Errorf("%s: told %v, want %v", what, got, want)
		}
	}
	if slices.ContainsFunc(m.Absent, func(s string) bool { return strings.Contains(s, "FRED") }) {
		t.Errorf("what only newer releases have is no news: %v", m.Absent)
	}
}

// TestUnknown: what lies where guests enter Xen and leads to no known entry is
// told; stubs of known ones and what Xen's own code leads to are not.
func TestUnknown(t *testing.T) {
	if d := cmp.Diff([]string{"entry_odd"}, readMiniature(t).Unknown); d != "" {
		t.Error(d)
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
