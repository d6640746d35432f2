package window

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv/count/code"
	"xsmbench/hv/store"
	"xsmbench/internal/require"
)

// guest is a program whose section .hyper stands for a hypervisor: it is
// entered twice, once at a known entry and once at another.
const guest = `
asm(".section .hyper,\"ax\"\n"
    "known: nop\n nop\n jmp leave\n"
    ".org 0x10\nunknown: nop\n nop\n nop\n jmp leave\n"
    ".org 0x20\nleave: nop\n ret\n"
    ".section .marks,\"ax\"\nmarks: ret\n ret\n"
    ".text\n.globl _start\n_start:\n"
    "call marks\n call known\n nop\n call unknown\n nop\n call known\n call marks+1\n"
    "mov $60,%eax\n xor %edi,%edi\n syscall\n");
`

// Where its sections lie.
const (
	hyperAt = 0x500000
	marksAt = 0x600000
)

// hyper is the map of .hyper.
var hyper = code.Map{
	Area:  code.Range{Lo: hyperAt, Hi: hyperAt + 0x1000},
	Cells: []code.Cell{{Function: "(rest)"}, {Function: "known"}, {Function: "unknown"}, {Function: "leave"}},
	Ranges: []code.Range{
		{Lo: hyperAt, Hi: hyperAt + 0x10, Cell: 1}, {Lo: hyperAt + 0x10, Hi: hyperAt + 0x20, Cell: 2}, {Lo: hyperAt + 0x20, Hi: hyperAt + 0x30, Cell: 3},
	},
	Entries: map[uint64]int{hyperAt: 1, hyperAt + 0x10: 2, hyperAt + 0x20: 3},
	Events:  []code.Event{{At: hyperAt, Kind: code.Enter}, {At: hyperAt + 0x20, Kind: code.Leave}},
}

// TestPlugin counts in a program under user-mode emulation.
func TestPlugin(t *testing.T) {
	known := hyper
	known.Events = append([]code.Event{{At: hyperAt + 0x10, Kind: code.Enter}}, hyper.Events...)
	all := map[Place]Count{{-1, -1, 1}: {6, 2}, {-1, -1, 2}: {4, 1}, {-1, -1, 3}: {6, 3}}
	for _, tt := range []struct {
		name string
		code code.Map
		want Window
	}{
		{"all entries known", known, Window{Domain: "g", User: 7, Xen: 16, Counts: all}},
		{"one unknown", hyper, Window{Domain: "g", User: 7, Xen: 16, Counts: all, Strange: 1, StrangeCells: map[int]uint64{2: 4, 3: 2}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff([]Window{tt.want}, countGuest(t, tt.code)); d != "" {
				t.Error(d)
			}
		})
	}
}

// countGuest compiles the program and counts in it by a map.
func countGuest(t *testing.T, m code.Map) []Window {
	t.Helper()
	require.Program(t, "gcc", "gcc")
	require.Program(t, "qemu-x86_64", "qemu-user")
	dir := t.TempDir()
	source, program, codeFile, out := filepath.Join(dir, "g.c"), filepath.Join(dir, "g"), filepath.Join(dir, "code"), filepath.Join(dir, "out")
	var text strings.Builder
	if err := m.WriteMap(&text); err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string]string{source: guest, codeFile: text.String()} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	plugin, err := BuildPlugin(t.Context(), s, "qemu-x86_64")
	if err != nil {
		t.Fatal(err)
	}
	defer plugin.Release()
	// Two domains with three programs each have six tables; the guest's is the last.
	var marks []Marks
	for i := range uint64(5) {
		marks = append(marks, Marks{"other", 0x10000000 * (i + 1), 4096})
	}
	marks = append(marks, Marks{"g", marksAt, 2})
	args := append([]string{plugin.Path(PluginFile)}, Args(codeFile, out, marks)...)
	for _, cmd := range [][]string{
		{"gcc", "-nostdlib", "-static", "-no-pie", "-Wl,--section-start=.hyper=0x500000,--section-start=.marks=0x600000", "-o", program, source},
		{"qemu-x86_64", "-plugin", strings.Join(args, ","), program},
	} {
		if msg, err := exec.CommandContext(t.Context(), cmd[0], cmd[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", cmd[0], err, msg)
		}
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	windows, err := Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return windows
}

// TestThreads: threads of an i386 program may begin together. Without turns most
// runs under QEMU 7.2 die, by various signals, or stand still.
func TestThreads(t *testing.T) {
	require.Program(t, "gcc", "gcc")
	require.Program(t, "qemu-i386", "qemu-user")
	dir := t.TempDir()
	program, codeFile, out := filepath.Join(dir, "threads"), filepath.Join(dir, "code"), filepath.Join(dir, "out")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./testdata/threads")
	build.Env = append(os.Environ(), "GOARCH=386", "CGO_ENABLED=0")
	if msg, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, msg)
	}
	var none strings.Builder
	if err := new(code.Map).WriteMap(&none); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(codeFile, []byte(none.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	plugin, err := BuildPlugin(t.Context(), s, "qemu-i386")
	if err != nil {
		t.Fatal(err)
	}
	defer plugin.Release()
	args := slices.Concat([]string{plugin.Path(PluginFile)}, Args(codeFile, out, []Marks{{"none", 1, 2}}), Threads("386"))
	cmd := exec.CommandContext(t.Context(), "qemu-i386", "-plugin", strings.Join(args, ","), program)
	cmd.Env = append(os.Environ(), "GODEBUG=asyncpreemptoff=1")
	if said, err := cmd.CombinedOutput(); err != nil || string(said) != "done\n" {
		t.Fatalf("%v\n%s", err, said)
	}
}
