package model_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/abi"
	"xsmbench/bench"
	_ "xsmbench/bench/kbench"
	"xsmbench/hv/model"
	"xsmbench/hv/model/guest"
	"xsmbench/hv/model/toolstack"
	"xsmbench/xsm"
)

var update = flag.Bool("update", false, "write the golden files anew")

// inDom0 boots a machine whose dom0 runs f.
func inDom0(t *testing.T, f func(*model.Machine, *guest.Control)) {
	t.Helper()
	var m *model.Machine
	ready := make(chan struct{})
	model.RegisterKernel(t.Name(), guest.Entry(guest.Config{Init: func(c *guest.Control) int {
		<-ready
		f(m, c)
		return 0
	}}))
	m, err := model.New(model.Config{
		Frames: 24576, CPUs: 2, Dom0Frames: 6144, Dom0VCPUs: 1,
		Modules: []xsm.BootModule{{Name: "kernel", Data: model.KernelImage(t.Name(), 1<<20)}},
		Console: func([]byte) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	close(ready)
	defer m.Stop()
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	if err := m.Wait(ctx); err != nil {
		t.Error(err)
	}
}

// fullOnly are the hypercall benchmarks of the full suite that Xen 3.2 has.
func fullOnly(t *testing.T) []bench.Benchmark {
	t.Helper()
	var list []bench.Benchmark
	for _, b := range bench.All() {
		if b.Full && !b.Later && strings.HasPrefix(b.Name, "hypercall/") {
			list = append(list, b)
		}
	}
	if len(list) < 50 {
		t.Errorf("only %d benchmarks", len(list))
	}
	return list
}

// parts are a benchmark's, whichever way it is set up.
func parts(d bench.Domain, b bench.Benchmark) (bench.Interval, error) {
	if b.Intervals != nil {
		return b.Intervals(d)
	}
	nothing := func(int64) error { return nil }
	loop, cleanup, err := b.Setup(d)
	return bench.Interval{Before: nothing, Loop: loop, After: nothing, Cleanup: cleanup}, err
}

// freeFrames is a number that depends on the architecture.
var freeFrames = regexp.MustCompile(`free frames \d+`)

// TestOperationsAreUndone makes the operations of the full suite one by one and
// compares what each changes in the machine with a golden file. What follows an
// operation takes all of it back, and the end takes back what the beginning made.
func TestOperationsAreUndone(t *testing.T) {
	var got strings.Builder
	inDom0(t, func(m *model.Machine, c *guest.Control) {
		for _, b := range fullOnly(t) {
			// The first time may leave what cannot be taken back, such as
			// an interrupt's vector.
			once(t, m, c, b)
			start := model.StateOf(m)
			changed := once(t, m, c, b)
			if d := model.Changed(start, model.StateOf(m)); d != nil {
				t.Errorf("%s leaves behind:\n%s", b.FullName(), strings.Join(d, "\n"))
			}
			fmt.Fprintf(&got, "%s\n", strings.TrimPrefix(b.Name, "hypercall/"))
			for _, l := range changed {
				fmt.Fprintf(&got, "  %s\n", freeFrames.ReplaceAllString(l, "free frames"))
			}
		}
	})
	const golden = "testdata/changes.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); d != "" {
		t.Errorf("what operations change (-want +got):\n%s", d)
	}
}

// once makes an operation and returns what it changed.
func once(t *testing.T, m *model.Machine, c *guest.Control, b bench.Benchmark) []string {
	in, err := parts(c, b)
	if err != nil {
		t.Errorf("%s: %v", b.FullName(), err)
		return nil
	}
	if in.Cleanup != nil {
		defer in.Cleanup()
	}
	var states [3][]string // before the operation, after it, and before the next
	for i, step := range []bench.Loop{in.Before, in.Loop, both(in.After, in.Before)} {
		if err := step(1); err != nil {
			t.Errorf("%s: %v", b.FullName(), err)
			return nil
		}
		states[i] = model.StateOf(m)
	}
	if d := model.Changed(states[0], states[2]); d != nil {
		t.Errorf("%s is not undone:\n%s", b.FullName(), strings.Join(d, "\n"))
	}
	return model.Changed(states[0], states[1])
}

func both(a, b bench.Loop) bench.Loop {
	return func(n int64) error { return errors.Join(a(n), b(n)) }
}

// TestDomUIsRefused tries dom0's operations of the full suite in a domU: each
// ends with what Xen 3.2 says to a domain without the privilege, and nothing has
// changed.
func TestDomUIsRefused(t *testing.T) {
	name := t.Name() + "-U"
	tried := make(chan struct{})
	inDom0(t, func(m *model.Machine, c *guest.Control) {
		model.RegisterKernel(name, guest.Entry(guest.Config{Init: func(u *guest.Control) int {
			defer close(tried)
			for _, b := range fullOnly(t) {
				start := model.StateOf(m)
				err := attempt(u, b)
				switch {
				case !b.Dom0Only && err != nil:
					t.Errorf("%s in domU: %v", b.FullName(), err)
				case b.Dom0Only && !errors.Is(err, refusal(b)):
					t.Errorf("%s in domU: %v, want %v", b.FullName(), err, refusal(b))
				}
				if d := model.Changed(start, model.StateOf(m)); d != nil {
					t.Errorf("%s in domU changes:\n%s", b.FullName(), strings.Join(d, "\n"))
				}
			}
			return 0
		}}))
		ts := toolstack.New(c)
		image := model.KernelImage(name, 1<<20)
		_, entry, err := model.LookupKernel(image)
		if err != nil {
			t.Error(err)
			return
		}
		d, err := ts.Create(toolstack.Spec{Name: name, Frames: 4096, VCPUs: 1, Kernel: toolstack.Image{Data: image, Entry: entry}})
		if err == nil {
			err = ts.Unpause(d)
		}
		if err != nil {
			t.Error(err)
			return
		}
		<-tried
	})
}

// attempt makes an operation once.
func attempt(d bench.Domain, b bench.Benchmark) error {
	in, err := parts(d, b)
	if err != nil {
		return err
	}
	defer func() {
		if in.Cleanup != nil {
			in.Cleanup()
		}
	}()
	return errors.Join(in.Before(1), in.Loop(1), in.After(1))
}

// refusal is -EPERM, but where Xen 3.2 answers as if the operation did not exist.
func refusal(b bench.Benchmark) abi.Errno {
	if strings.HasSuffix(b.Name, "memory_machine_memory_map") {
		return abi.EINVAL
	}
	return abi.EPERM
}
