package window

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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
	e := newEmulated(t, "qemu-x86_64", m)
	source := filepath.Join(e.dir, "g.c")
	if err := os.WriteFile(source, []byte(guest), 0o644); err != nil {
		t.Fatal(err)
	}
	compiler := exec.CommandContext(t.Context(), "gcc", "-nostdlib", "-static", "-no-pie",
		"-Wl,--section-start=.hyper=0x500000,--section-start=.marks=0x600000", "-o", e.program, source)
	if msg, err := compiler.CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, msg)
	}
	// Two domains with three programs each have six tables; the guest's is the last.
	var marks []Marks
	for i := range uint64(5) {
		marks = append(marks, Marks{"other", 0x10000000 * (i + 1), 4096})
	}
	if said, err := e.command(t.Context(), append(marks, Marks{"g", marksAt, 2})).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	f, err := os.Open(e.out)
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

// emulated is a program under user-mode emulation with the plug-in.
type emulated struct {
	emulator, plugin, dir, program, code, out string
}

// newEmulated readies all but the program.
func newEmulated(t *testing.T, emulator string, m code.Map) emulated {
	t.Helper()
	require.Program(t, "gcc", "gcc")
	require.Program(t, emulator, "qemu-user")
	dir := t.TempDir()
	e := emulated{emulator: emulator, dir: dir, program: filepath.Join(dir, "program"), code: filepath.Join(dir, "code"), out: filepath.Join(dir, "out")}
	var text strings.Builder
	if err := m.WriteMap(&text); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(e.code, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	plugin, err := BuildPlugin(t.Context(), s, emulator)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(plugin.Release)
	e.plugin = plugin.Path(PluginFile)
	return e
}

func (e emulated) command(ctx context.Context, marks []Marks, more ...string) *exec.Cmd {
	args := slices.Concat([]string{e.plugin}, Args(e.code, e.out, marks), more)
	return exec.CommandContext(ctx, e.emulator, "-plugin", strings.Join(args, ","), e.program)
}

// TestThreads: threads of an i386 program may begin together. If they may do so at
// once, about every other run under QEMU 7.2 dies, by one signal or another, or stands
// still.
func TestThreads(t *testing.T) {
	e := newEmulated(t, "qemu-i386", code.Map{})
	build := exec.CommandContext(t.Context(), "go", "build", "-o", e.program, "./testdata/threads")
	build.Env = append(os.Environ(), "GOARCH=386", "CGO_ENABLED=0")
	if msg, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, msg)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // it takes a second
	defer cancel()
	cmd := e.command(ctx, []Marks{{"none", 1, 2}}, Threads("386")...)
	cmd.Env = append(os.Environ(), "GODEBUG=asyncpreemptoff=1")
	if said, err := cmd.CombinedOutput(); err != nil || string(said) != "done\n" {
		t.Fatalf("%v\n%s", err, said)
	}
}
