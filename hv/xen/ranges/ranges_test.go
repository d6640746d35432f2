package ranges

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFlatten(t *testing.T) {
	tests := []struct {
		name string
		in   []found
		want []Range
	}{
		{"apart", []found{{Range{10, 20, 0}, 1}, {Range{30, 40, 1}, 1}}, []Range{{10, 20, 0}, {30, 40, 1}}},
		{"nested", []found{{Range{10, 40, 0}, 1}, {Range{20, 30, 1}, 2}}, []Range{{10, 20, 0}, {20, 30, 1}, {30, 40, 0}}},
		{"a function inside an inlined site is none", []found{{Range{10, 40, 0}, 0}, {Range{10, 15, 1}, 3}}, []Range{{10, 15, 1}, {15, 40, 0}}},
		{"touching pieces of one name are one", []found{{Range{10, 20, 0}, 1}, {Range{20, 30, 0}, 1}}, []Range{{10, 30, 0}}},
		{"out of order", []found{{Range{30, 40, 1}, 1}, {Range{10, 20, 0}, 1}}, []Range{{10, 20, 0}, {30, 40, 1}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := builder{found: tt.in}
			if d := cmp.Diff(tt.want, b.flatten()); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestIsModule(t *testing.T) {
	tests := []struct {
		symbol, file string
		want         bool
	}{
		{"flask_mmu_update", "", true},
		{"hooks.c#flask_evtchn_send", "", true},
		{"xsm/flask/hooks.c#domain_has_perm", "", true},
		{"avc_has_perm_noaudit", "", true},
		{"do_mmu_update", "", false},
		{"mm.c#get_page_light", "", false},
	}
	for _, tt := range tests {
		if got := isModule(tt.symbol, tt.file); got != tt.want {
			t.Errorf("isModule(%q, %q) = %v", tt.symbol, tt.file, got)
		}
	}
}

func TestBaseName(t *testing.T) {
	for symbol, want := range map[string]string{
		"flask_apic": "flask_apic", "hooks.c#flask_apic": "flask_apic",
		"avc_audit.constprop.0": "avc_audit", "ss.c#f.part.1.cold": "f",
	} {
		if got := baseName(symbol); got != want {
			t.Errorf("baseName(%q) = %q, want %q", symbol, got, want)
		}
	}
}

// A miniature of a build with a hook: a wrapper that is inlined into two
// callers, and the module's function that one of them reaches.
const miniature = `
asm(".text\n.globl " START "\n" START ":");
int flask_demo(int a);
__attribute__((noinline)) int flask_demo(int a) { asm volatile(""); return a * 3; }
static inline __attribute__((always_inline)) int xsm_demo(int a) { asm volatile("nop"); return flask_demo(a); }
static inline __attribute__((always_inline)) int xsm_check(int a) { asm volatile("nop"); return a > 7; }
int first(int a) { if (xsm_demo(a)) return 1; return a + 2; }
int second(int a) { return xsm_check(a) ? xsm_demo(a + 1) : 9; }
void common_interrupt(void) { asm volatile("nop"); }
void _start(void) { first(1); second(2); common_interrupt(); }
asm(".text\n.globl _etext\n_etext:");
`

func compile(t *testing.T, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no gcc")
	}
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
	table, err := Read(compile(t, "-g"))
	if err != nil {
		t.Fatal(err)
	}
	entries := map[Name]int{}
	for _, id := range table.Entries {
		entries[table.Names[id]]++
	}
	want := map[Name]int{
		{Site, "xsm_demo"}: 2, {Site, "xsm_check"}: 1,
		{Module, "flask_demo"}: 1, {Probe, "common_interrupt"}: 1,
	}
	if d := cmp.Diff(want, entries); d != "" {
		t.Error(d)
	}
	if want := (Range{Lo: 0xffff800000000000, Hi: 0xffff880000000000}); table.Area != want {
		t.Errorf("area %x-%x", table.Area.Lo, table.Area.Hi)
	}
	last := uint64(0)
	for _, r := range table.Ranges {
		if r.Lo < last || r.Hi <= r.Lo {
			t.Errorf("range %x-%x after %x", r.Lo, r.Hi, last)
		}
		last = r.Hi
	}
}

func TestReadNoDebug(t *testing.T) {
	if _, err := Read(compile(t, "-g0")); !errors.Is(err, ErrNoDebug) {
		t.Errorf("error %v, want %v", err, ErrNoDebug)
	}
}

func TestReadNotXen(t *testing.T) {
	if _, err := Read(compile(t, "-g", "-USTART", `-DSTART="_begin"`)); !errors.Is(err, ErrNotXen) {
		t.Errorf("error %v, want %v", err, ErrNotXen)
	}
}

func TestWriteMap(t *testing.T) {
	table := Table{
		Area: area, Names: []Name{{Site, "xsm_demo"}, {Probe, "common_interrupt"}},
		Ranges:  []Range{{0xffff82d040200000, 0xffff82d040200010, 0}},
		Entries: map[uint64]int{0xffff82d040200100: 1, 0xffff82d040200000: 0},
	}
	var b strings.Builder
	if err := table.WriteMap(&b); err != nil {
		t.Fatal(err)
	}
	want := `area ffff800000000000 ffff880000000000 names 2 ranges 1 entries 2
r ffff82d040200000 ffff82d040200010 0
e ffff82d040200000 0
e ffff82d040200100 1
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}
