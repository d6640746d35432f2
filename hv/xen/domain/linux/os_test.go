//go:build linux && (amd64 || 386) && !race

// Not under the race detector: its allocator's locks belong to all threads, and
// a forked child, which has one, waits for ever for a lock that another held.

package linux_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/bench"
	_ "xsmbench/bench/lmbench"
	"xsmbench/hv/count/mark"
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
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	image, err := native.Image(0x20000000)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "native")
	if err := os.WriteFile(program, image, 0o755); err != nil {
		t.Fatal(err)
	}
	c := linux.Config{Hello: program, Shell: program, Tmp: t.TempDir()}
	if how != portable {
		c.Native = program
	}
	if how == library {
		if image, err = native.Dynamic(0x20000000); err != nil {
			t.Fatal(err)
		}
		c.Dynamic = filepath.Join(t.TempDir(), "dynamic")
		if err := os.WriteFile(c.Dynamic, image, 0o755); err != nil {
			t.Fatal(err)
		}
	}
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
				t.Run(b.Name, func(t *testing.T) {
					d := domain{openTo(t, how)}
					for _, o := range []bench.Options{{EnoughUS: 1, Repetitions: 3}, {Windows: 3}} {
						check(t, d, b, o)
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
	if m.Iterations < 1 || len(m.Windows) != 3 || len(m.Values) != 1 {
		t.Errorf("%+v: %d iterations, windows %v, values %v", o, m.Iterations, m.Windows, m.Values)
	}
	for _, v := range m.Values {
		if v.Value < 0 || math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
			t.Errorf("%+v: %v %s", o, v.Value, v.Unit)
		}
	}
}

// TestTimedPathsAllocateNothing: the collector has nothing to do in a window.
func TestTimedPathsAllocateNothing(t *testing.T) {
	list, err := bench.Select("^Lmbench/(lat_|bw_)")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list {
		if b.Setup == nil || b.Dynamic() {
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
	for _, first := range []int{0, 3, mark.Slots - 1 - linux.Phases} {
		if err := o.SetSlot(first); err != nil {
			t.Error(err)
		}
		o.Begin(bench.PhaseOperation)
		o.End()
	}
	for _, first := range []int{-1, mark.Slots - linux.Phases, mark.Slots} {
		if err := o.SetSlot(first); err == nil {
			t.Errorf("slot %d is accepted", first)
		}
	}
}
