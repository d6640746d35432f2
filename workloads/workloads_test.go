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
	if _, err := workloads.Find("lazy"); err == nil || !strings.Contains(err.Error(), `unknown workload "lazy": have idle, busy, memory, events, block, network, neighbour-busy, neighbour-memory, neighbour-events, neighbour-block, neighbour-network`) {
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
		stop, err := w.Start(d)
		if err != nil {
			t.Errorf("%s: %v", w.Name, err)
			continue
		}
		if n := d.Processes(); n == 0 {
			t.Errorf("%s: no process runs", w.Name)
		}
		stop()
		if used := os.Rusage(); used.User == 0 {
			t.Errorf("%s: no time is used", w.Name)
		}
		if n := d.Processes(); n != 0 {
			t.Errorf("%s: %d processes are left", w.Name, n)
		}
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
