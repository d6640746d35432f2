//go:build linux && (amd64 || 386) && !race

// Not under the race detector: its allocator's locks belong to all threads, and
// a forked child, which has one, waits for ever for a lock that another held.

package linux_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/bench"
	_ "xsmbench/bench/lmbench"
	"xsmbench/hv/xen/domain/linux"
	"xsmbench/hv/xen/domain/native"
	"xsmbench/internal/require"
)

// domain is this machine: an operating system and no hypervisor.
type domain struct{ os *linux.OS }

func (d domain) OS() bench.OS                 { return d.os }
func (d domain) Hypercalls() bench.Hypercalls { return nil }
func (d domain) Begin(p bench.Phase)          { d.os.Begin(p) }
func (d domain) End()                         { d.os.End() }

// open returns an OS with a directory of its own for files and with the small
// programs, and looks at the end for what is left behind.
func open(t *testing.T, useNative bool) *linux.OS {
	t.Helper()
	if useNative {
		return openTo(t, nativeLoops)
	}
	return openTo(t, portable)
}

// How operations run: in Go, in the native program, or in that linked with the C
// library.
const (
	portable    = "portable"
	nativeLoops = "native"
	library     = "library"
)

// hasLibrary reports whether programs can be linked with the C library here.
func hasLibrary() bool {
	_, err := os.Stat(native.Interpreter)
	return err == nil
}

func openTo(t *testing.T, how string) *linux.OS {
	t.Helper()
	return openConfig(t, configOf(t, how))
}

func configOf(t *testing.T, how string) linux.Config {
	t.Helper()
	image, err := native.Image(0x20000000)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "native")
	if err := os.WriteFile(program, image, 0o755); err != nil {
		t.Fatal(err)
	}
	disk := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(disk, make([]byte, 1<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	c := linux.Config{Hello: program, Shell: program, Tmp: t.TempDir(), Block: disk}
	if how != portable {
		c.Native, c.IPC = program, filepath.Join(t.TempDir(), "ipc")
		if image, err = native.IPC(0x30000000); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(c.IPC, image, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if how == library {
		if image, err = native.Dynamic(0x20000000); err != nil {
			t.Fatal(err)
		}
		c.ManyFiles = true
		c.Dynamic, c.DynamicIPC, c.MostDynamic = filepath.Join(t.TempDir(), "dynamic"), filepath.Join(t.TempDir(), "dynamic-ipc"), true
		if err := os.WriteFile(c.Dynamic, image, 0o755); err != nil {
			t.Fatal(err)
		}
		if image, err = native.DynamicIPC(0x30000000); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(c.DynamicIPC, image, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// TestMostDynamic: the program that is linked with the C library runs what only it can
// run, and more only where that is asked for.
func TestMostDynamic(t *testing.T) {
	const missing = "no such program"
	for _, c := range []struct {
		most   bool
		op     bench.NativeOp
		native bool // the small program is started
	}{
		{false, bench.NativeFork, true}, {false, bench.NativePipe, true}, {false, bench.NativeLibraryFork, false}, {false, bench.NativeLibraryShell, false},
		{true, bench.NativeFork, true}, {true, bench.NativePipe, false}, {true, bench.NativeLibraryFork, false},
	} {
		o := linux.New(linux.Config{Native: "/native/" + missing, Dynamic: "/dynamic/" + missing, MostDynamic: c.most})
		if !bench.Has(o, bench.DynamicPrograms) {
			t.Error("it lacks what it is given")
		}
		_, _, err := o.NativeLoop(c.op)
		if want := map[bool]string{true: "/native/", false: "/dynamic/"}[c.native]; err == nil || !strings.Contains(err.Error(), "start "+want+missing) {
			t.Errorf("%+v: %v, want %s", c, err, want)
		}
	}
	o := linux.New(linux.Config{Native: "/native/" + missing, MostDynamic: true})
	if _, _, err := o.NativeLoop(bench.NativeLibraryFork); bench.Has(o, bench.DynamicPrograms) || err == nil || !strings.Contains(err.Error(), "no program that is linked with the C library") {
		t.Errorf("without such a program: %v", err)
	}
	if _, _, err := o.NativeLoop(bench.NativePipe); err == nil || !strings.Contains(err.Error(), "start /native/") {
		t.Errorf("without such a program, another operation: %v", err)
	}
}

// TestIPCPrograms: which of the two programs operations between processes run in.
func TestIPCPrograms(t *testing.T) {
	for _, c := range []struct {
		config linux.Config
		want   string
	}{
		{linux.Config{Native: "/no/native", IPC: "/no/ipc", DynamicIPC: "/no/dynamic", MostDynamic: true}, "/no/dynamic"},
		{linux.Config{Native: "/no/native", IPC: "/no/ipc", DynamicIPC: "/no/dynamic"}, "/no/ipc"},
		{linux.Config{Native: "/no/native", IPC: "/no/ipc", MostDynamic: true}, "/no/ipc"},
	} {
		if _, _, err := linux.New(c.config).NativeLoop(bench.NativeSemaphores, 1); err == nil || !strings.Contains(err.Error(), "start "+c.want) {
			t.Errorf("%+v: %v", c.config, err)
		}
	}
}

// TestCalls: single calls are made by the program that is linked with the C library, if
// processes are to be that, and else by the agent.
func TestCalls(t *testing.T) {
	for _, op := range []bench.NativeOp{bench.NativeGetppid, bench.NativeReadByte, bench.NativeWriteByte, bench.NativeMap} {
		for _, c := range []struct {
			config linux.Config
			agent  bool
		}{
			{linux.Config{Native: "/no/native", Dynamic: "/no/dynamic", MostDynamic: true}, false},
			{linux.Config{Native: "/no/native", Dynamic: "/no/dynamic"}, true},
			{linux.Config{Native: "/no/native", MostDynamic: true}, true},
		} {
			_, _, err := linux.New(c.config).NativeLoop(op, 3, 4)
			if errors.Is(err, errors.ErrUnsupported) != c.agent || !c.agent && !strings.Contains(err.Error(), "start /no/dynamic") {
				t.Errorf("%s with %+v: %v", op, c.config, err)
			}
		}
	}
}

func openConfig(t *testing.T, c linux.Config) *linux.OS {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	o := linux.New(c)
	before := descriptors(t)
	t.Cleanup(func() {
		if after := descriptors(t); after != before {
			t.Errorf("open descriptors: %s; before %s", after, before)
		}
		if pid, err := o.Wait(-1); !errors.Is(err, abi.ECHILD) {
			t.Errorf("a child is left: %d, %v", pid, err)
		}
		if left, err := os.ReadDir(c.Tmp); len(left) != 0 || err != nil {
			t.Errorf("files are left: %v, %v", left, err)
		}
	})
	return o
}

func descriptors(t *testing.T) string {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		// The directory that is being read is not open afterwards.
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && !strings.Contains(to, "anon_inode") {
			list = append(list, e.Name())
		}
	}
	return strings.Join(list, " ")
}

// manyForks are the benchmarks that fork dozens of processes. In the portable code
// each is a copy of a Go program with several threads, and may wait for ever for one of
// them if the runtime has just asked it to give way: on a busy machine, one in some
// thousands did.
var manyForks = regexp.MustCompile(`^lat_ctx/.*/procs=(16|24|32|64|96)$`)

// Benchmarks that need not run everywhere: those that ask nothing of the kernel are
// the same code however operations run, and lat_ctx is one operation with two numbers,
// of which some are enough here.
var (
	ofProcessor = regexp.MustCompile(`^(bw_mem|stream|lat_ops|par_ops|lat_mem_rd|lat_dram_page|par_mem|tlb|line|cache|mhz|timing_o|loop_o|memsize)(/|$)`)
	switches    = regexp.MustCompile(`^lat_ctx/`)
	someSizes   = regexp.MustCompile(`/size=(0K/procs=2|4K/procs=4|16K/procs=8|64K/procs=96)$`)
)

func repeats(b bench.Benchmark) bool {
	return switches.MatchString(b.Name) && !someSizes.MatchString(b.Name)
}

// TestEveryBenchmark runs all of lmbench, natively where that is offered and
// without, timed and in marked windows.
func TestEveryBenchmark(t *testing.T) {
	list, err := bench.Select("^Lmbench/")
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{portable, nativeLoops, library} {
		t.Run(how, func(t *testing.T) {
			if how == library && !hasLibrary() {
				require.Missing(t, "the GNU C library for x86_64 ("+native.Interpreter+")")
			}
			for _, b := range list {
				if b.Dynamic() && how == nativeLoops {
					continue // a domain without the library does not offer it
				}
				if repeats(b) || how == portable && manyForks.MatchString(b.Name) || how != portable && ofProcessor.MatchString(b.Name) {
					continue
				}
				t.Run(b.Name, func(t *testing.T) {
					d := domain{openTo(t, how)}
					check(t, d, b, bench.Options{EnoughUS: 1, Repetitions: 3})
					if b.Run == nil {
						check(t, d, b, bench.Options{Windows: 3})
					}
				})
			}
		})
	}
}

func check(t *testing.T, d domain, b bench.Benchmark, o bench.Options) {
	t.Helper()
	m, err := bench.Measure(d, b, o, bench.Calibration{})
	if err != nil {
		t.Error(err)
		return
	}
	if b.Run == nil && (m.Iterations < 1 || len(m.Windows) != 3 || len(m.Values) != 1) || len(m.Values) == 0 {
		t.Errorf("%+v: %d iterations, windows %v, values %v", o, m.Iterations, m.Windows, m.Values)
	}
	for _, v := range m.Values {
		if v.Value < 0 || math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
			t.Errorf("%+v: %v %s", o, v.Value, v.Unit)
		}
	}
}

// TestManyFiles: lat_fs has as many files as a window needs, no more than a hundred in a
// directory, where there is room for them; else no more than it says.
func TestManyFiles(t *testing.T) {
	b, ok := bench.Find("Lmbench/lat_fs/op=create/size=1k")
	if !ok {
		t.Fatal("no lat_fs")
	}
	const limited = 16
	for _, tt := range []struct {
		how         string
		n           int64
		files, dirs int
	}{
		{library, 1, 1, 1}, {library, 100, 100, 1}, {library, 101, 101, 3}, {library, 250, 250, 4},
		{portable, limited, limited, 0},
	} {
		t.Run(fmt.Sprintf("%s, %d", tt.how, tt.n), func(t *testing.T) {
			c := configOf(t, tt.how)
			o := openConfig(t, c)
			in, err := b.Intervals(domain{o})
			if err != nil {
				t.Fatal(err)
			}
			if want := map[bool]int64{true: 0, false: limited}[tt.how == library]; in.Most != want {
				t.Errorf("at most %d at a time, want %d", in.Most, want)
			}
			for range 2 {
				if err := errors.Join(in.Before(tt.n), in.Loop(tt.n)); err != nil {
					t.Fatal(err)
				}
				if files, dirs := below(t, c.Tmp); files != tt.files || dirs != tt.dirs {
					t.Errorf("%d files, %d directories; want %d, %d", files, dirs, tt.files, tt.dirs)
				}
				if err := in.After(tt.n); err != nil {
					t.Fatal(err)
				}
				if files, dirs := below(t, c.Tmp); files+dirs > 0 {
					t.Errorf("left: %d files, %d directories", files, dirs)
				}
			}
			if tt.how != library {
				return
			}
			// A window that failed leaves nothing for the next benchmark.
			if err := errors.Join(in.Before(tt.n), in.Loop(tt.n)); err != nil {
				t.Fatal(err)
			}
			in.Cleanup()
			if files, dirs := below(t, c.Tmp); files+dirs > 0 {
				t.Errorf("left after a failure: %d files, %d directories", files, dirs)
			}
		})
	}
}

// below counts what a directory holds.
func below(t *testing.T, root string) (files, dirs int) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || path == root:
		case d.IsDir():
			dirs++
		default:
			files++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, dirs
}

// TestTimedPathsAllocateNothing: the collector has nothing to do in a window.
func TestTimedPathsAllocateNothing(t *testing.T) {
	list, err := bench.Select("^Lmbench/(lat_|bw_)")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list {
		if b.Setup == nil || b.Dynamic() || repeats(b) || b.Name == "lat_pmake/jobs=4" { // which forks the Go program
			continue
		}
		t.Run(b.Name, func(t *testing.T) {
			loop, cleanup, err := b.Setup(domain{open(t, true)})
			if err != nil {
				t.Fatal(err)
			}
			if cleanup != nil {
				defer cleanup()
			}
			var failed error
			if n := testing.AllocsPerRun(2, func() { failed = errors.Join(failed, loop(1)) }); n != 0 || failed != nil {
				t.Errorf("%v allocations in an iteration, %v", n, failed)
			}
		})
	}
}

func TestSlots(t *testing.T) {
	o := open(t, false)
	for _, first := range []int{0, 3, native.Slots - 1 - linux.Phases} {
		if err := o.SetSlot(first); err != nil {
			t.Error(err)
		}
		o.Begin(bench.PhaseOperation)
		o.End()
	}
	for _, first := range []int{-1, native.Slots - linux.Phases, native.Slots} {
		if err := o.SetSlot(first); err == nil {
			t.Errorf("slot %d is accepted", first)
		}
	}
}
