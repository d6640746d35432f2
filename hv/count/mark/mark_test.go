package mark_test

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"xsmbench/hv/count/code"
	"xsmbench/hv/count/mark"
	"xsmbench/hv/count/window"
	"xsmbench/hv/store"
	"xsmbench/internal/require"
)

// build links the program of testdata with the linker's flags.
func build(t *testing.T, ldflags string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "windows")
	cmd := exec.Command("go", "build", "-o", path, "-ldflags="+ldflags, "./testdata/windows")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, msg)
	}
	return path
}

func find(t *testing.T, program string) mark.Table {
	t.Helper()
	f, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, err := mark.Find(f)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// TestBases links a program at two bases: each has its table where its base
// says, every slot is a return, and both run.
func TestBases(t *testing.T) {
	tables := map[string]mark.Table{}
	for base, lo := range map[string]uint64{"0x8000000": 0x8000000, "0x10000000": 0x10000000} {
		program := build(t, "-T="+base)
		table := find(t, program)
		if table.Base < lo || table.Base >= lo+1<<24 || table.Slots != mark.Slots {
			t.Errorf("linked at %s: %+v", base, table)
		}
		if got := contents(t, program, table); !bytes.Equal(got, bytes.Repeat([]byte{0xc3}, mark.Slots)) {
			t.Errorf("linked at %s: the table holds % x", base, got)
		}
		if msg, err := exec.Command(program, "3").CombinedOutput(); err != nil {
			t.Errorf("linked at %s: run: %v\n%s", base, err, msg)
		}
		tables[base] = table
	}
	if a, b := tables["0x8000000"], tables["0x10000000"]; a.Base == b.Base {
		t.Errorf("both tables are at %#x", a.Base)
	}
}

func contents(t *testing.T, program string, table mark.Table) []byte {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_EXECINSTR != 0 && table.Base-s.Addr < s.Size {
			b := make([]byte, table.Slots)
			if _, err := s.ReadAt(b, int64(table.Base-s.Addr)); err != nil {
				t.Fatal(err)
			}
			return b
		}
	}
	t.Fatalf("no section of code holds %#x", table.Base)
	return nil
}

func TestFindErrors(t *testing.T) {
	if _, err := mark.Find(strings.NewReader("#!/bin/sh\n")); err == nil {
		t.Error("found marks in a script")
	}
	stripped := build(t, "-s")
	f, err := os.Open(stripped)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := mark.Find(f); !errors.Is(err, elf.ErrNoSymbols) {
		t.Errorf("without symbols: %v", err)
	}
}

// emulators run programs of an architecture under the plug-in.
var emulators = map[string]string{"amd64": "qemu-x86_64", "386": "qemu-i386"}

// TestWindows counts windows under QEMU's user mode: every empty window is the
// same, whatever its slot, and so is every window of one system call.
func TestWindows(t *testing.T) {
	emulator := require.Program(t, emulators[runtime.GOARCH], "qemu-user")
	require.Program(t, "gcc", "gcc")
	dir := t.TempDir()
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	plugin, err := window.BuildPlugin(t.Context(), s, emulators[runtime.GOARCH])
	if err != nil {
		t.Fatal(err)
	}
	defer plugin.Release()
	var none bytes.Buffer
	if err := new(code.Map).WriteMap(&none); err != nil {
		t.Fatal(err)
	}
	noCode, out := filepath.Join(dir, "code"), filepath.Join(dir, "windows")
	if err := os.WriteFile(noCode, none.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	program := build(t, "-T=0x8000000")
	table := find(t, program)
	args := window.Args(noCode, out, []window.Marks{{Domain: "host", Base: table.Base, Slots: table.Slots}})
	const times = 50
	cmd := exec.Command(emulator, "-plugin", plugin.Path(window.PluginFile)+","+strings.Join(args, ","), program, "50")
	cmd.Env = append(os.Environ(), "GODEBUG=asyncpreemptoff=1")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("run: %v\n%s", err, msg)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	windows, err := window.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[int]map[uint64]int{}
	for _, w := range windows {
		if counts[w.Slot] == nil {
			counts[w.Slot] = map[uint64]int{}
		}
		counts[w.Slot][w.User]++
	}
	// Threads of Go's runtime run beside the marks here, as they do not in a
	// domain with one vCPU: a few windows hold their instructions as well.
	empty, call := mode(counts[0]), mode(counts[3])
	if empty == 0 || empty > 8 {
		t.Errorf("an empty window is %d instructions", empty)
	}
	for slot := range 3 {
		if counts[slot][empty] < times*9/10 {
			t.Errorf("slot %d: instructions and windows %v, not %d windows of %d", slot, counts[slot], times, empty)
		}
	}
	if counts[3][call] < times*9/10 {
		t.Errorf("windows of a system call differ: %v", counts[3])
	}
	if call <= empty {
		t.Errorf("a window with a system call is %d instructions, an empty one %d", call, empty)
	}
}

// mode is the number of instructions that most windows have.
func mode(counts map[uint64]int) (value uint64) {
	for v, n := range counts {
		if n > counts[value] {
			value = v
		}
	}
	return value
}
