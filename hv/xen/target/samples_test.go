package target

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	"xsmbench/hv/xen/window"
)

// counting is a window of figures: user, kernel and Xen's instructions, those of a module's
// function and of a hook's site, and the site's entries.
func counting(user, kernel, xen, module, site, entries uint64) window.Window {
	w := window.Window{User: user, Kernel: kernel, Xen: xen, Ranges: map[int]window.Count{}}
	if module > 0 {
		w.Ranges[0] = window.Count{Instructions: module, Entries: 1}
	}
	if entries > 0 {
		w.Ranges[1] = window.Count{Instructions: site, Entries: entries}
	}
	return w
}

// interrupted is a window in which an interrupt came.
func interrupted(w window.Window) window.Window {
	w.Xen += 5000
	w.Ranges = maps.Clone(w.Ranges)
	w.Ranges[2] = window.Count{Instructions: 9, Entries: 1}
	return w
}

func times(n int, w window.Window) []window.Window {
	var list []window.Window
	for range n {
		list = append(list, w)
	}
	return list
}

func setup(bench.Domain) (bench.Loop, func(), error) { return nil, nil, nil }

func TestFill(t *testing.T) {
	operation := times(21, counting(2, 300, 1000, 100, 16, 2))
	baseline := times(21, counting(2, 50, 400, 10, 8, 1))
	credit := times(21, counting(2, 20, 100, 4, 0, 0))
	values := func(v ...float64) []bench.Value {
		var list []bench.Value
		for i, unit := range []string{unitXen, unitXSM, unitHooks, unitGuest, unitAll} {
			list = append(list, bench.Value{Value: v[i], Unit: unit})
		}
		return list
	}
	module := func(v ...float64) []bench.Value {
		return []bench.Value{{Value: v[0], Unit: unitXSM}, {Value: v[1], Unit: unitHooks}}
	}
	tests := []struct {
		name    string
		bench   bench.Benchmark
		windows [3][]window.Window // by phase
		want    bench.Measurement
		warning string
	}{
		{"an operation", bench.Benchmark{}, [3][]window.Window{bench.PhaseOperation: operation},
			bench.Measurement{Iterations: 21, Values: values(1000, 116, 2, 300, 1302)}, ""},
		{"a baseline is subtracted", bench.Benchmark{Baseline: setup}, [3][]window.Window{baseline, nil, operation},
			bench.Measurement{Iterations: 42, Values: values(600, 98, 1, 250, 850)}, ""},
		{"a credit is added back", bench.Benchmark{Baseline: setup, Credit: setup}, [3][]window.Window{baseline, credit, operation},
			bench.Measurement{Iterations: 63, Values: values(700, 102, 1, 270, 972)}, ""},
		{"per operation", bench.Benchmark{Baseline: setup, Ops: 4}, [3][]window.Window{baseline, nil, operation},
			bench.Measurement{Iterations: 42, Values: values(150, 24.5, 0.25, 62.5, 212.5)}, ""},
		{"phases that it lacks are not looked at", bench.Benchmark{}, [3][]window.Window{baseline, credit, operation},
			bench.Measurement{Iterations: 21, Values: values(1000, 116, 2, 300, 1302)}, ""},
		{"interrupted windows do not count", bench.Benchmark{},
			[3][]window.Window{bench.PhaseOperation: append(times(9, interrupted(operation[0])), operation...)},
			bench.Measurement{Iterations: 30, Values: values(1000, 116, 2, 300, 1302)}, ""},
		{"two numbers of instructions", bench.Benchmark{},
			[3][]window.Window{bench.PhaseOperation: append(times(8, counting(2, 300, 1010, 100, 16, 2)), times(13, operation[0])...)},
			bench.Measurement{Iterations: 21, Values: values(1000, 116, 2, 300, 1302)}, "not exact: of 21 clean windows 13 executed the 1000 instructions of the mode"},
		{"an inexact baseline", bench.Benchmark{Baseline: setup}, [3][]window.Window{append(times(20, baseline[0]), times(5, counting(2, 50, 500, 10, 8, 1))...), nil, operation},
			bench.Measurement{Iterations: 46, Values: values(600, 98, 1, 250, 850)}, "not exact: of the baseline's 25 clean windows 20 executed the 400"},
		{"interrupted windows only", bench.Benchmark{},
			[3][]window.Window{bench.PhaseOperation: {interrupted(counting(2, 300, 1000, 100, 16, 2)), interrupted(counting(2, 300, 1000, 200, 16, 4))}},
			bench.Measurement{Iterations: 2, Values: module(166, 3)}, "not exact: in each of 2 windows an interrupt came"},
		{"an interrupted credit", bench.Benchmark{Baseline: setup, Credit: setup}, [3][]window.Window{baseline, {interrupted(credit[0])}, operation},
			bench.Measurement{Iterations: 43, Values: module(102, 1)}, "in each of the credit's 1 windows"},
		{"no windows", bench.Benchmark{}, [3][]window.Window{},
			bench.Measurement{Error: "no window was marked"}, ""},
		{"no windows of the baseline", bench.Benchmark{Baseline: setup}, [3][]window.Window{nil, nil, operation},
			bench.Measurement{Iterations: 21, Error: "no window was marked"}, ""},
	}
	c := counter{table: table, probes: probesOf(table)}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// What the agent measured is replaced.
			got := bench.Measurement{Iterations: 99, Values: []bench.Value{{Value: 5, Unit: "ns/op"}}, Windows: []float64{5}}
			c.fill(&got, tt.bench, func(p bench.Phase) []window.Window { return tt.windows[p] })
			warnings := strings.Join(got.Warnings, "\n")
			if tt.warning == "" && warnings != "" || !strings.Contains(warnings, tt.warning) {
				t.Errorf("warnings %q, want %q", warnings, tt.warning)
			}
			got.Warnings = nil
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestProbes(t *testing.T) {
	if d := cmp.Diff([]int{2}, probesOf(table)); d != "" {
		t.Error(d)
	}
}
