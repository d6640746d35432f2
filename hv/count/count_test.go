package count

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	"xsmbench/hv/count/code"
	"xsmbench/hv/count/window"
)

// Cells of a hypervisor with one hook.
const (
	cellRest = iota
	cellSite
	cellModule
	cellProbe
	cellThunk
	cellBack
)

var demo = &code.Map{
	Cells: []code.Cell{
		cellRest: {Function: "do_event_channel_op", Handler: "do_event_channel_op"}, cellSite: {Function: "do_event_channel_op", Hook: "evtchn_send"},
		cellModule: {Function: "flask_evtchn_send"}, cellProbe: {Function: "common_interrupt", Probe: true},
		cellThunk: {Function: "__x86_return_thunk"}, cellBack: {Function: "restore_all_xen"},
	},
	Handlers: []string{"do_event_channel_op"}, Hooks: []string{"evtchn_send"}, Outside: []string{"restore_all_xen"},
}

// Places: in the handler outside of a hook, and in the call of one.
func outside(cell int) window.Place { return window.Place{Handler: 0, Hook: -1, Cell: cell} }
func inside(cell int) window.Place  { return window.Place{Handler: 0, Hook: 0, Cell: cell} }

// counting is a window of figures: user, kernel and Xen's instructions, those of a module's
// function and of a hook's site, and the site's entries.
func counting(user, kernel, xen, module, site, entries uint64) window.Window {
	w := window.Window{User: user, Kernel: kernel, Xen: xen, Counts: map[window.Place]window.Count{
		outside(cellRest): {Instructions: xen - module - site},
	}}
	if module > 0 {
		w.Counts[inside(cellModule)] = window.Count{Instructions: module, Entries: 1}
	}
	if entries > 0 {
		w.Counts[outside(cellSite)] = window.Count{Instructions: site - entries}
		w.Counts[inside(cellSite)] = window.Count{Instructions: entries, Entries: entries} // the calls
	}
	return w
}

// interrupted is a window in which an interrupt came.
func interrupted(w window.Window) window.Window {
	w.Xen += 5000
	w.Counts = maps.Clone(w.Counts)
	w.Counts[window.Place{Handler: -1, Hook: -1, Cell: cellProbe}] = window.Count{Instructions: 5000, Entries: 1}
	return w
}

// asking is a window in which the guest asked for an operation on events n times, and
// Xen executed more.
func asking(w window.Window, n uint64) window.Window {
	w.Xen += 500 * n
	w.Counts = maps.Clone(w.Counts)
	w.Counts[outside(cellRest)] = window.Count{Instructions: w.Counts[outside(cellRest)].Instructions + 500*n, Entries: n}
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
		for i, unit := range []string{UnitXen, UnitXSM, UnitHooks, UnitGuest, UnitAll} {
			list = append(list, bench.Value{Value: v[i], Unit: unit})
		}
		return list
	}
	module := func(v ...float64) []bench.Value {
		return []bench.Value{{Value: v[0], Unit: UnitXSM}, {Value: v[1], Unit: UnitHooks}}
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
		{"one number of instructions, in other places", bench.Benchmark{},
			[3][]window.Window{bench.PhaseOperation: append(times(13, operation[0]), times(8, counting(2, 300, 1000, 90, 16, 2))...)},
			bench.Measurement{Iterations: 21, Values: values(1000, 116, 2, 300, 1302)}, "not exact: 21 clean windows executed 1000 instructions each, but not all in the same functions and hooks"},
		{"one clean window", bench.Benchmark{},
			[3][]window.Window{bench.PhaseOperation: append(times(9, interrupted(operation[0])), operation[0])},
			bench.Measurement{Iterations: 10, Values: values(1000, 116, 2, 300, 1302)}, "not exact: of 10 windows one is clean"},
		{"an inexact baseline", bench.Benchmark{Baseline: setup}, [3][]window.Window{append(times(20, baseline[0]), times(5, counting(2, 50, 500, 10, 8, 1))...), nil, operation},
			bench.Measurement{Iterations: 46, Values: values(600, 98, 1, 250, 850)}, "not exact: of the baseline's 25 clean windows 20 executed the 400"},
		{"few windows in which the guest asked for more", bench.Benchmark{},
			[3][]window.Window{bench.PhaseOperation: append(times(1, asking(operation[0], 2)), operation...)},
			bench.Measurement{Iterations: 22, Values: values(1000, 116, 2, 300, 1302)}, ""},
		{"more than a few", bench.Benchmark{Baseline: setup},
			[3][]window.Window{append(times(3, asking(baseline[0], 1)), baseline...), nil, operation},
			bench.Measurement{Iterations: 45, Values: values(600, 98, 1, 250, 850)}, "windows left out: in 3 of the baseline's 24 without an interrupt, the guest asked Xen for other things than in most"},
		{"interrupted windows only", bench.Benchmark{},
			[3][]window.Window{bench.PhaseOperation: {interrupted(counting(2, 300, 1000, 100, 16, 2)), interrupted(counting(2, 300, 1000, 200, 16, 4))}},
			bench.Measurement{Iterations: 2, Values: module(166, 3)}, "only the instructions of XSM are reported, as a mean; windows differ by at most 100 % of them, and 100 % of the calls of hooks"},
		{"an interrupted credit", bench.Benchmark{Baseline: setup, Credit: setup}, [3][]window.Window{baseline, {interrupted(credit[0])}, operation},
			bench.Measurement{Iterations: 43, Values: module(102, 1)}, "in each of the credit's 1 windows"},
		{"no windows", bench.Benchmark{}, [3][]window.Window{},
			bench.Measurement{Error: "no window was marked"}, ""},
		{"no windows of the baseline", bench.Benchmark{Baseline: setup}, [3][]window.Window{nil, nil, operation},
			bench.Measurement{Iterations: 21, Error: "no window was marked"}, ""},
	}
	c := New(demo)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// What the agent measured is replaced.
			got := bench.Measurement{Iterations: 99, Values: []bench.Value{{Value: 5, Unit: "ns/op"}, {Value: 1, Unit: bench.WitnessHooks}}, Windows: []float64{5}}
			c.Fill(&got, tt.bench, func(p bench.Phase) []window.Window { return tt.windows[p] })
			warnings := strings.Join(got.Warnings, "\n")
			if tt.warning == "" && warnings != "" || !strings.Contains(warnings, tt.warning) {
				t.Errorf("warnings %q, want %q", warnings, tt.warning)
			}
			if got.Error == "" {
				last := len(got.Values) - 1
				if got.Values[last] != (bench.Value{Value: 1, Unit: bench.WitnessHooks}) {
					t.Errorf("what was counted by another is gone: %v", got.Values)
				}
				got.Values = got.Values[:last]
			}
			got.Warnings, got.Profile = nil, nil
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestProfile checks where instructions are put, and what is subtracted.
func TestProfile(t *testing.T) {
	operation := counting(2, 300, 1000, 100, 16, 2)
	operation.Counts[inside(cellThunk)] = window.Count{Instructions: 3, Entries: 3}
	operation.Counts[inside(cellBack)] = window.Count{Instructions: 1}
	operation.Counts[outside(cellThunk)] = window.Count{Instructions: 7, Entries: 7}
	baseline := counting(2, 50, 400, 10, 8, 1)
	paths := func(n int64) []bench.Path {
		return []bench.Path{
			{Handler: "do_event_channel_op", Function: "__x86_return_thunk", Calls: 7 * n, Instructions: 7 * n},
			{Handler: "do_event_channel_op", Function: "do_event_channel_op", Part: bench.PartEntry, Instructions: 502 * n},
			{Handler: "do_event_channel_op", Function: "restore_all_xen", Instructions: 1 * n},
			{Handler: "do_event_channel_op", Hook: "evtchn_send", Function: "__x86_return_thunk", Part: bench.PartThunk, Calls: 3 * n, Instructions: 3 * n},
			{Handler: "do_event_channel_op", Hook: "evtchn_send", Function: "do_event_channel_op", Part: bench.PartSite, Calls: 1 * n, Instructions: 8 * n},
			{Handler: "do_event_channel_op", Hook: "evtchn_send", Function: "flask_evtchn_send", Part: bench.PartBody, Instructions: 90 * n},
		}
	}
	executed := []string{"__x86_return_thunk", "do_event_channel_op", "flask_evtchn_send", "restore_all_xen"}
	noise := bench.Path{Function: "common_interrupt", Calls: 1, Instructions: 5000}
	tests := []struct {
		name    string
		windows [3][]window.Window
		want    bench.Profile
	}{
		{"clean windows are one", [3][]window.Window{times(3, baseline), nil, times(5, operation)},
			bench.Profile{Windows: 1, Ops: 4, Paths: paths(1), Executed: executed}},
		{"of interrupted ones all", [3][]window.Window{times(3, baseline), nil, times(5, interrupted(operation))},
			bench.Profile{Windows: 5, Ops: 4, Paths: append([]bench.Path{{Function: noise.Function, Calls: 5, Instructions: 25000}}, paths(5)...), Executed: slices.Insert(slices.Clone(executed), 1, noise.Function)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got bench.Measurement
			New(demo).Fill(&got, bench.Benchmark{Baseline: setup, Ops: 4}, func(p bench.Phase) []window.Window { return tt.windows[p] })
			if d := cmp.Diff(&tt.want, got.Profile); d != "" {
				t.Error(d)
			}
		})
	}
}

// What the baseline executes as often, and what only an interrupted window does, is
// executed all the same; the part of a function has a name of its own.
func TestExecuted(t *testing.T) {
	m := *demo
	m.Cells = slices.Clone(demo.Cells)
	m.Cells[cellBack].Part = true
	same := counting(2, 300, 1000, 100, 16, 2)
	part := interrupted(counting(2, 300, 1000, 100, 16, 2))
	part.Counts[inside(cellBack)] = window.Count{Instructions: 1}
	part.Counts[inside(cellThunk)] = window.Count{} // entered by nothing
	list := [3][]window.Window{times(3, same), nil, append(times(5, same), part)}
	var got bench.Measurement
	New(&m).Fill(&got, bench.Benchmark{Baseline: setup, Ops: 1}, func(p bench.Phase) []window.Window { return list[p] })
	want := []string{"common_interrupt", "do_event_channel_op", "flask_evtchn_send", bench.PartOf("restore_all_xen")}
	if d := cmp.Diff(want, got.Profile.Executed); d != "" {
		t.Error(d)
	}
	if len(got.Profile.Paths) > 0 {
		t.Errorf("what is left of the difference: %v", got.Profile.Paths)
	}
}

func TestCheck(t *testing.T) {
	c := New(demo)
	if err := c.Check(counting(2, 300, 1000, 100, 16, 2)); err != nil {
		t.Error(err)
	}
	for _, p := range []window.Place{{Handler: 0, Hook: 0, Cell: 77}, {Handler: 1, Hook: 0, Cell: 0}, {Handler: 0, Hook: 1, Cell: 0}} {
		if err := c.Check(window.Window{Domain: "dom0", Counts: map[window.Place]window.Count{p: {}}}); err == nil || !strings.Contains(err.Error(), "window of dom0") {
			t.Errorf("%v: error %v", p, err)
		}
	}
}

// TestFillKeepsWhatWasWitnessed: of what the agent measured, only what the
// hypervisor counted itself stands.
func TestFillKeepsWhatWasWitnessed(t *testing.T) {
	got := bench.Measurement{Values: []bench.Value{{Value: 5, Unit: "ns/op"}, {Value: 2, Unit: bench.WitnessLookups}, {Value: 3, Unit: bench.WitnessHypercalls}}}
	New(demo).Fill(&got, bench.Benchmark{}, func(bench.Phase) []window.Window { return times(21, counting(2, 300, 1000, 100, 16, 2)) })
	want := []bench.Value{
		{Value: 1000, Unit: UnitXen}, {Value: 116, Unit: UnitXSM}, {Value: 2, Unit: UnitHooks}, {Value: 300, Unit: UnitGuest}, {Value: 1302, Unit: UnitAll},
		{Value: 2, Unit: bench.WitnessLookups}, {Value: 3, Unit: bench.WitnessHypercalls},
	}
	if diff := cmp.Diff(want, got.Values); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestStrange: entries by an unknown way are counted, and the sample says where.
func TestStrange(t *testing.T) {
	m := *demo
	m.Ranges = []code.Range{{Lo: 10, Hi: 20, Cell: cellThunk}}
	m.Events = []code.Event{{At: 12, Kind: code.Leave}}
	c := New(&m)
	w := counting(2, 300, 1000, 100, 16, 2)
	w.Strange, w.StrangeCells = 2, map[int]uint64{cellBack: 7, cellModule: 1, cellThunk: 3}
	list := append(times(20, counting(2, 300, 1000, 100, 16, 2)), w)
	s := bench.Measurement{}
	c.Fill(&s, bench.Benchmark{}, func(bench.Phase) []window.Window { return list })
	want := []string{"1 windows have 2 entries of the hypervisor by a way that is not known here; executed there: flask_evtchn_send, restore_all_xen. They are counted, but what they came for is not told"}
	if d := cmp.Diff(want, s.Warnings); d != "" {
		t.Error(d)
	}
	w.StrangeCells = map[int]uint64{99: 1}
	if err := c.Check(w); err == nil {
		t.Error("a window with a cell that the map lacks is accepted")
	}
}

// TestJob: of a job that has no clean window all figures are means, and the sample
// says how far the windows differ, unless they agree.
func TestJob(t *testing.T) {
	const more = 5000 // that an interrupt executes
	a, b := interrupted(counting(20, 300, 1000, 100, 16, 2)), interrupted(counting(20, 500, 2000, 200, 32, 4))
	later := interrupted(counting(20, 300, 1002, 100, 16, 2))
	kernels := bench.Benchmark{Job: &bench.Job{Windows: 2}}
	for _, c := range []struct {
		name    string
		windows []window.Window
		want    []float64 // xen, xsm, hooks, guest, all
		warning string
	}{
		{"apart", []window.Window{a, b}, []float64{1500 + more, 174, 3, 400, 1920 + more},
			"not exact: the job outlasts timer ticks, and its processes run in another order each time; means of 2 windows, which differ by at most 100 % of Xen's instructions, 100 % of XSM's, 100 % of the calls of hooks"},
		{"nearly alike", []window.Window{a, later}, []float64{1001 + more, 116, 2, 300, 1321 + more},
			"not exact: the job outlasts timer ticks, and its processes run in another order each time; means of 2 windows, which differ by at most 0.1 % of Xen's instructions, 0.01 % of XSM's, 0.01 % of the calls of hooks"},
		{"alike", []window.Window{a, a}, []float64{1000 + more, 116, 2, 300, 1320 + more}, ""},
		{"one", []window.Window{a}, []float64{1000 + more, 116, 2, 300, 1320 + more},
			"not exact: it was counted once"},
	} {
		var s bench.Measurement
		New(demo).Fill(&s, kernels, func(bench.Phase) []window.Window { return c.windows })
		var got []float64
		for i, v := range s.Values {
			if v.Unit != Units()[i] {
				t.Errorf("%s: unit %d is %s", c.name, i, v.Unit)
			}
			got = append(got, v.Value)
		}
		if !slices.Equal(got, c.want) || strings.Join(s.Warnings, "; ") != c.warning {
			t.Errorf("%s: %v, %q; want %v, %q", c.name, got, s.Warnings, c.want, c.warning)
		}
		if n := s.Profile.Windows; n != int64(len(c.windows)) {
			t.Errorf("%s: a profile of %d windows", c.name, n)
		}
	}
}

// TestWhole: so is an operation that outlasts a timer tick; its reason is another.
func TestWhole(t *testing.T) {
	a, b := interrupted(counting(20, 300, 1000, 100, 16, 2)), interrupted(counting(20, 300, 1002, 100, 16, 2))
	var s bench.Measurement
	New(demo).Fill(&s, bench.Benchmark{Whole: true}, func(bench.Phase) []window.Window { return []window.Window{a, b} })
	want := []string{"not exact: the operation outlasts a timer tick; means of 2 windows, which differ by at most 0.1 % of Xen's instructions, 0.01 % of XSM's, 0.01 % of the calls of hooks"}
	if v := s.Values[0]; v != (bench.Value{Value: 6001, Unit: UnitXen}) || !slices.Equal(s.Warnings, want) {
		t.Errorf("%v, %q", s.Values, s.Warnings)
	}
}

// TestThroughput: a job that moves bytes has them beside what the machine executed for
// them.
func TestThroughput(t *testing.T) {
	w := interrupted(counting(20, 300, 1000, 100, 16, 2))
	for bytes, want := range map[int64]float64{0: -1, 4096: 1000 * 4096.0 / (1320 + 5000)} {
		var s bench.Measurement
		b := bench.Benchmark{Ops: 4, Bytes: bytes, Job: &bench.Job{Windows: 2}}
		New(demo).Fill(&s, b, func(bench.Phase) []window.Window { return []window.Window{w, w} })
		got := -1.0
		for _, v := range s.Values {
			if v.Unit == bench.Throughput {
				got = v.Value
			}
		}
		if got != want {
			t.Errorf("%d bytes: %v, want %v", bytes, got, want)
		}
	}
}
