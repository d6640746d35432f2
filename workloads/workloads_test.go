package workloads_test

import (
	"errors"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/bench/benchtest"
	"xsmbench/workloads"
)

func TestFind(t *testing.T) {
	for name, want := range map[string]string{"": "idle", "idle": "idle", "busy": "busy", "memory": "memory", "neighbour-events": "neighbour-events"} {
		w, err := workloads.Find(name)
		if err != nil || w.Name != want || w.Doc == "" {
			t.Errorf("%q: %+v, %v", name, w, err)
		}
	}
	if _, err := workloads.Find("lazy"); err == nil || !strings.Contains(err.Error(), `unknown workload "lazy": have idle, busy, memory, events, block, network, neighbour-busy, neighbour-memory, neighbour-events, neighbour-block, neighbour-network, neighbour-same`) {
		t.Errorf("error %v", err)
	}
}

// TestStart starts every workload and ends it: nothing of it is left, and one
// that does something has used the processor.
func TestStart(t *testing.T) {
	for _, w := range workloads.All() {
		if w.Start == nil || len(w.Needs) > 0 {
			continue
		}
		d := benchtest.New(0)
		os := d.OS()
		load, err := w.Start(d)
		if err != nil {
			t.Errorf("%s: %v", w.Name, err)
			continue
		}
		if n := d.Processes(); n == 0 {
			t.Errorf("%s: no process runs", w.Name)
		}
		first, err := load.Did()
		if err != nil || first.Tasks == 0 {
			t.Errorf("%s: did %v, %v", w.Name, first, err)
		}
		if more, err := load.Did(); err != nil || more.Tasks < first.Tasks {
			t.Errorf("%s: did %v and then %v, %v", w.Name, first, more, err)
		}
		load.Stop()
		if used := os.Rusage(); used.User == 0 {
			t.Errorf("%s: no time is used", w.Name)
		}
		if n := d.Processes(); n != 0 {
			t.Errorf("%s: %d processes are left", w.Name, n)
		}
	}
}

// TestSame does a benchmark's operation beside, and says why it cannot do others.
func TestSame(t *testing.T) {
	d := benchtest.New(1)
	for name, reason := range map[string]string{
		"Kbench/vm/op=anon_touch":                  "",
		"Kbench/hypercall/op=evtchn_status":        "",
		"Kbench/hypercall/op=evtchn_roundtrip":     "Kbench/hypercall/op=evtchn_roundtrip has a part in the other domain already",
		"Kbench/hypercall/op=domctl_getdomaininfo": "domU may not do Kbench/hypercall/op=domctl_getdomaininfo",
		"Workload/domain/op=pause_unpause":         "Workload/domain/op=pause_unpause is a whole job, not one operation",
	} {
		b, ok := bench.Find(name)
		if !ok {
			t.Fatalf("there is no benchmark %s", name)
		}
		load, err := workloads.Same(d, b)
		var lack *bench.LackError
		if reason != "" {
			if !errors.As(err, &lack) || lack.Reason != reason {
				t.Errorf("%s: error %v, want %s", name, err, reason)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if did, err := load.Did(); err != nil || did.Tasks == 0 {
			t.Errorf("%s: did %v, %v", name, did, err)
		}
		load.Stop()
		if n := d.Processes(); n != 0 {
			t.Errorf("%s: %d processes are left", name, n)
		}
	}
}

// TestFailingTask: the process of a workload that fails tells why, whenever it is asked.
func TestFailingTask(t *testing.T) {
	b := bench.Benchmark{Suite: "Test", Name: "fails", Setup: func(bench.Domain) (bench.Loop, func(), error) {
		return func(int64) error { return abi.EIO }, nil, nil
	}}
	d := benchtest.New(0)
	load, err := workloads.Same(d, b)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := load.Did(); err == nil || err.Error() != "the workload has ended after 0 pieces of work: "+abi.EIO.Error() {
			t.Errorf("error %v", err)
		}
	}
	load.Stop()
	if n := d.Processes(); n != 0 {
		t.Errorf("%d processes are left", n)
	}
}

// full is a system without room for another process.
type full struct{ bench.OS }

func (full) Fork(func(bench.OS) int) (int, error) { return 0, abi.EAGAIN }

func TestStartFails(t *testing.T) {
	busy, err := workloads.Find("busy")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := busy.Start(bench.WithOS(benchtest.New(0), full{benchtest.New(0).OS()})); !errors.Is(err, abi.EAGAIN) {
		t.Errorf("error %v", err)
	}
}

// TestWorkloadLacks: where a workload's device or its other domain is missing, it says so.
func TestWorkloadLacks(t *testing.T) {
	for _, name := range []string{"block", "network", "events", "neighbour-block"} {
		w, err := workloads.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		d := benchtest.New(1)
		d.Alone = true
		var lack *bench.LackError
		if _, err := w.Start(d); !errors.As(err, &lack) || lack.Reason == "" {
			t.Errorf("%s: %v", name, err)
		}
		if d.Processes() != 0 {
			t.Errorf("%s: a process is left", name)
		}
	}
}
