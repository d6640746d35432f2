package synthetic

import (
	"path/filepath"
	"sync"
	"testing"

	"xsmbench/bench"
	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/results"
)

// fixtures are the runs that tests read, by name; each is made once.
var fixtures = map[string]*fixture{
	"run":     {write: func(dir string) error { return Write(dir, 8) }},
	"counted": {write: func(dir string) error { return WriteCounted(dir, 2) }},
}

type fixture struct {
	write    func(dir string) error
	once     sync.Once
	contents *results.Contents
	err      error
}

// Open makes the run with times ("run"), or that with counts ("counted"), and
// reads it. Tests share what it returns and must not write into it.
func Open(t testing.TB, name string) *results.Contents {
	t.Helper()
	f := fixtures[name]
	f.once.Do(func() {
		dir := filepath.Join(t.TempDir(), name)
		if f.err = f.write(dir); f.err == nil {
			f.contents, f.err = results.Open(dir)
		}
		if f.err != nil {
			return
		}
		for i := range f.contents.Samples { // reports name the folder
			s := &f.contents.Samples[i]
			s.Run, s.File = name, filepath.Join(name, "results", filepath.Base(s.File))
		}
	})
	if f.err != nil {
		t.Fatal(f.err)
	}
	return f.contents
}

// Order is that of the runs' kinds of build.
var Order = compare.Order{"native", "dummy", "flask"}

// Compare compares the builds of such a run; of a few of its benchmarks it is
// known which hooks they cross.
func Compare(t testing.TB, name string) (*compare.Comparison, about.About) {
	t.Helper()
	run := Open(t, name)
	o := compare.Options{Order: Order, Hooks: crossed}
	if run.Run.Spec.Accel != "" {
		o.Counted = executed
	}
	c, err := compare.Compare(run.Samples, o)
	if err != nil {
		t.Fatal(err)
	}
	return c, about.Of(&run.Run, compare.SetOf(run.Samples), run.Problems)
}

func crossed(benchmark string) ([]bench.Crossing, bool) {
	switch benchmark {
	case "Lmbench/lat_syscall/op=null", "Lmbench/lat_ops/op=add":
		return nil, true
	case "Kbench/hypercall/op=evtchn_send":
		return []bench.Crossing{{Hook: "evtchn_send", PerOp: 1}}, true
	}
	return nil, false
}
