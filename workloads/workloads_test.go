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
	for name, want := range map[string]string{"": "idle", "idle": "idle", "busy": "busy"} {
		w, err := workloads.Find(name)
		if err != nil || w.Name != want || w.Doc == "" {
			t.Errorf("%q: %+v, %v", name, w, err)
		}
	}
	if _, err := workloads.Find("lazy"); err == nil || !strings.Contains(err.Error(), `unknown workload "lazy": have idle, busy`) {
		t.Errorf("error %v", err)
	}
}

// TestStart starts every workload and ends it: nothing of it is left, and one
// that does something has used the processor.
func TestStart(t *testing.T) {
	for _, w := range workloads.All() {
		if w.Start == nil {
			continue
		}
		d := benchtest.New(0)
		os := d.OS()
		stop, err := w.Start(os)
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
	if _, err := busy.Start(full{benchtest.New(0).OS()}); !errors.Is(err, abi.EAGAIN) {
		t.Errorf("error %v", err)
	}
}
