package bench_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"xsmbench/bench"
	"xsmbench/bench/benchtest"
	_ "xsmbench/bench/kbench"
	_ "xsmbench/bench/lmbench"
)

// machine is a domain whose clock only its loops move.
type machine struct {
	*benchtest.Domain
	now time.Duration
}

func newMachine() *machine {
	m := &machine{Domain: benchtest.New(0)}
	m.Clock = func() time.Duration { return m.now }
	return m
}

// spend is a set-up whose iterations take a time; cleaned counts clean-ups.
func (m *machine) spend(d time.Duration, cleaned *int) func(bench.Domain) (bench.Loop, func(), error) {
	return func(bench.Domain) (bench.Loop, func(), error) {
		loop := func(n int64) error { m.now += time.Duration(n) * d; return nil }
		return loop, func() { *cleaned++ }, nil
	}
}

func TestMeasure(t *testing.T) {
	var cleaned int
	const us = time.Microsecond
	m := newMachine()
	tests := []struct {
		name    string
		b       bench.Benchmark
		o       bench.Options
		cal     bench.Calibration
		value   float64
		windows int
		cleaned int
		warns   bool // of windows below 0
		notes   bool
	}{
		{
			name: "plain", b: bench.Benchmark{Unit: "ns/op", Setup: m.spend(7*us, &cleaned)},
			cal: bench.Calibration{EnoughUS: 5000}, value: 7000, windows: 11, cleaned: 1,
		},
		{
			name: "baseline", b: bench.Benchmark{Unit: "ns/op", Setup: m.spend(7*us, &cleaned), Baseline: m.spend(3*us, &cleaned)},
			cal: bench.Calibration{EnoughUS: 5000}, value: 4000, windows: 11, cleaned: 2,
		},
		{
			name: "credit", b: bench.Benchmark{Unit: "ns/op", Setup: m.spend(7*us, &cleaned), Baseline: m.spend(3*us, &cleaned), Credit: m.spend(us, &cleaned)},
			cal: bench.Calibration{EnoughUS: 5000}, value: 5000, windows: 11, cleaned: 3,
		},
		{
			name: "baseline exceeds", b: bench.Benchmark{Unit: "ns/op", Setup: m.spend(us, &cleaned), Baseline: m.spend(3*us, &cleaned)},
			cal: bench.Calibration{EnoughUS: 5000}, value: 0, windows: 11, cleaned: 2, warns: true,
		},
		{
			name: "baseline of an empty loop", b: bench.Benchmark{Unit: "ns/op", Setup: m.spend(7*us, &cleaned), Baseline: m.spend(us/2, &cleaned)},
			cal: bench.Calibration{EnoughUS: 5000, LoopNS: 500}, value: 6500, windows: 11, cleaned: 2, notes: true,
		},
		{
			name: "baseline below an empty loop", b: bench.Benchmark{Unit: "ns/op", Setup: m.spend(7*us, &cleaned), Baseline: m.spend(us/4, &cleaned)},
			cal: bench.Calibration{EnoughUS: 5000, LoopNS: 500}, value: 6500, windows: 11, cleaned: 2, notes: true,
		},
		{
			name: "operations per iteration", b: bench.Benchmark{Unit: "ns/op", Ops: 8, Setup: m.spend(8*us, &cleaned)},
			cal: bench.Calibration{EnoughUS: 5000}, value: 1000, windows: 11, cleaned: 1,
		},
		{
			name: "bandwidth", b: bench.Benchmark{Unit: "MB/s", Bytes: 1 << 20, Setup: m.spend(1024*us, &cleaned)},
			cal: bench.Calibration{EnoughUS: 5000}, value: 1024, windows: 11, cleaned: 1,
		},
		{
			name: "loop overhead", b: bench.Benchmark{Unit: "ns/op", Setup: m.spend(2*us, &cleaned)},
			cal: bench.Calibration{EnoughUS: 5000, LoopNS: 500}, value: 1500, windows: 11, cleaned: 1,
		},
		{
			name: "repetitions", b: bench.Benchmark{Unit: "ns/op", Setup: m.spend(7*us, &cleaned)},
			o: bench.Options{Repetitions: 4}, cal: bench.Calibration{EnoughUS: 5000}, value: 7000, windows: 4, cleaned: 1,
		},
		{
			name: "intervals", b: bench.Benchmark{Unit: "ns/op", Intervals: func(bench.Domain) (bench.Interval, error) {
				loop, cleanup, err := m.spend(7*us, &cleaned)(m)
				slow := func(int64) error { m.now += time.Second; return nil }
				return bench.Interval{Before: slow, Loop: loop, After: slow, Most: 10, Cleanup: cleanup}, err
			}},
			cal: bench.Calibration{EnoughUS: 5000}, value: 7000, windows: 11, cleaned: 1,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cleaned = 0
			got, err := bench.Measure(m, tt.b, tt.o, tt.cal)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Values) != 1 || math.Abs(got.Values[0].Value-tt.value) > 1e-6 || got.Values[0].Unit != tt.b.Unit {
				t.Errorf("values %v, want %v %s", got.Values, tt.value, tt.b.Unit)
			}
			if len(got.Windows) != tt.windows {
				t.Errorf("%d windows, want %d", len(got.Windows), tt.windows)
			}
			for _, w := range got.Windows {
				if !tt.warns && math.Abs(w-tt.value) > 1e-6 {
					t.Errorf("window %v, want %v", w, tt.value)
				}
			}
			if cleaned != tt.cleaned {
				t.Errorf("%d clean-ups, want %d", cleaned, tt.cleaned)
			}
			if (len(got.Warnings) > 0) != (tt.warns || tt.notes) {
				t.Errorf("warnings %v", got.Warnings)
			}
		})
	}
}

// TestWindowLength finds out how long windows are from the time that passes.
func TestWindowLength(t *testing.T) {
	tests := []struct {
		name        string
		own         int64
		o           bench.Options
		calibration int64
		want        float64 // µs
	}{
		{"the clock's", 0, bench.Options{}, 5000, 5500},
		{"the benchmark's is longer", 20000, bench.Options{}, 5000, 22000},
		{"the clock's is longer", 20000, bench.Options{}, 50000, 55000},
		{"the option overrides both", 1_000_000, bench.Options{EnoughUS: 1000}, 50000, 1100},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine()
			tt.o.Repetitions = 1
			var last int64
			b := bench.Benchmark{Unit: "ns/op", Enough: tt.own, Setup: func(bench.Domain) (bench.Loop, func(), error) {
				return func(n int64) error { last = n; m.now += time.Duration(n) * time.Microsecond; return nil }, nil, nil
			}}
			if _, err := bench.Measure(m, b, tt.o, bench.Calibration{EnoughUS: tt.calibration}); err != nil {
				t.Fatal(err)
			}
			if math.Abs(float64(last)-tt.want) > 2 {
				t.Errorf("the window was %d µs, want %v", last, tt.want)
			}
		})
	}
}

var errBroken = errors.New("broken")

func TestMeasureErrors(t *testing.T) {
	m := newMachine()
	var cleaned int
	good := m.spend(time.Microsecond, &cleaned)
	fails := func(bench.Domain) (bench.Loop, func(), error) { return nil, nil, errBroken }
	breaks := func(after int) func(bench.Domain) (bench.Loop, func(), error) {
		return func(bench.Domain) (bench.Loop, func(), error) {
			return func(n int64) error {
				if after--; after < 0 {
					return errBroken
				}
				m.now += time.Duration(n) * time.Microsecond
				return nil
			}, func() { cleaned++ }, nil
		}
	}
	interval := func(i bench.Interval, err error) func(bench.Domain) (bench.Interval, error) {
		i.Cleanup = func() { cleaned++ }
		return func(bench.Domain) (bench.Interval, error) { return i, err }
	}
	pass := func(int64) error { return nil }
	stop := func(int64) error { return errBroken }
	tests := []struct {
		name    string
		b       bench.Benchmark
		text    string
		cleaned int
	}{
		{"set-up", bench.Benchmark{Setup: fails}, "set up", 0},
		{"loop at once", bench.Benchmark{Setup: breaks(0)}, "run loop", 1},
		{"loop later", bench.Benchmark{Setup: breaks(5)}, "run loop", 1},
		{"baseline", bench.Benchmark{Setup: good, Baseline: breaks(2)}, "baseline", 1},
		{"credit", bench.Benchmark{Setup: good, Baseline: good, Credit: fails}, "credit", 1},
		{"before", bench.Benchmark{Intervals: interval(bench.Interval{Before: stop, Loop: pass}, nil)}, "ready", 1},
		{"after", bench.Benchmark{Intervals: interval(bench.Interval{After: stop, Loop: pass}, nil)}, "tidy", 1},
		{"intervals", bench.Benchmark{Intervals: interval(bench.Interval{}, errBroken)}, "set up", 0},
		{"macro", bench.Benchmark{Run: func(bench.Domain, bench.Options) ([]bench.Value, error) { return nil, errBroken }}, "measure", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cleaned = 0
			tt.b.Suite, tt.b.Name, tt.b.Unit = "Test", "x", "ns/op"
			_, err := bench.Measure(m, tt.b, bench.Options{}, bench.Calibration{EnoughUS: 5000})
			if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), tt.text) || !strings.Contains(err.Error(), "measure Test/x") {
				t.Errorf("error %v, want one about %q that wraps the cause", err, tt.text)
			}
			if cleaned != tt.cleaned {
				t.Errorf("%d clean-ups, want %d", cleaned, tt.cleaned)
			}
		})
	}
}

// marking is a domain that counts.
type marking struct {
	*machine
	marks []string
}

func (m *marking) Begin(p bench.Phase) {
	m.marks = append(m.marks, []string{"baseline", "credit", "operation"}[p])
}
func (m *marking) End() { m.marks = append(m.marks, "end") }

func TestMarkedWindows(t *testing.T) {
	m := &marking{machine: newMachine()}
	record := func(what string) func(bench.Domain) (bench.Loop, func(), error) {
		return func(bench.Domain) (bench.Loop, func(), error) {
			return func(n int64) error {
				if n != 1 {
					t.Errorf("%d iterations in a window", n)
				}
				m.marks = append(m.marks, what)
				return nil
			}, nil, nil
		}
	}
	b := bench.Benchmark{Suite: "Test", Name: "x", Unit: "ns/op", Setup: record("o"), Baseline: record("b")}
	// The process of a fork marks as its domain does.
	d := bench.WithOS(m, m.OS())
	got, err := bench.Measure(d, b, bench.Options{Windows: 2}, bench.Calibration{})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields("b baseline b end baseline b end o operation o end operation o end")
	if !slices.Equal(m.marks, want) {
		t.Errorf("marks %v, want %v", m.marks, want)
	}
	if got.Iterations != 2 || len(got.Windows) != 2 {
		t.Errorf("%d iterations in %d windows, want 2 in 2", got.Iterations, len(got.Windows))
	}
	if _, err := bench.Measure(newMachine(), b, bench.Options{Windows: 2}, bench.Calibration{}); err == nil {
		t.Error("no error from a domain without marks")
	}
}

// TestJob: a macro benchmark measures itself where a target times, and is marked, as
// often as it wants, where a target counts.
func TestJob(t *testing.T) {
	var did []string
	b := bench.Benchmark{
		Suite: "Test", Name: "x", Unit: "ns/op",
		Run: func(bench.Domain, bench.Options) ([]bench.Value, error) {
			did = append(did, "itself")
			return []bench.Value{{Value: 1, Unit: "ns/op"}}, nil
		},
		Job: &bench.Job{Windows: 2, Intervals: func(_ bench.Domain, o bench.Options) (bench.Interval, error) {
			step := func(what string) bench.Loop {
				return func(int64) error { did = append(did, what); return nil }
			}
			return bench.Interval{Before: step("before"), Loop: step("job"), After: step("after"), Cleanup: func() { did = append(did, fmt.Sprint("cleanup ", o.Quick)) }}, nil
		}},
	}
	for _, c := range []struct {
		options bench.Options
		want    string
		windows int
	}{
		{bench.Options{}, "itself", 0},
		{bench.Options{Windows: 21, Quick: true}, "before job after before job after before job after cleanup true", 2},
		{bench.Options{Windows: 1}, "before job after before job after cleanup false", 1},
	} {
		did = nil
		m := &marking{machine: newMachine()}
		got, err := bench.Measure(m, b, c.options, bench.Calibration{})
		if err != nil {
			t.Fatal(err)
		}
		if s := strings.Join(did, " "); s != c.want || len(got.Windows) != c.windows || len(m.marks) != 2*c.windows {
			t.Errorf("%+v: %s, %d windows, marks %v; want %s", c.options, s, len(got.Windows), m.marks, c.want)
		}
	}
}

func TestSelect(t *testing.T) {
	tests := []struct {
		pattern string
		first   string // "" if it fails
		count   int    // 0 for at least one
		near    string
	}{
		{pattern: "", first: "Kbench/hypercall/op=xen_version", count: len(bench.All())},
		{pattern: "lat_proc/op=fork$", first: "Lmbench/lat_proc/op=fork", count: 1},
		{pattern: "BenchmarkLmbench/lat_pipe", first: "Lmbench/lat_pipe", count: 1},
		{pattern: "^Lmbench/", first: "Lmbench/lat_syscall/op=null"},
		{pattern: "lat_proc/op=frok", near: "Lmbench/lat_proc/op=fork"},
		{pattern: "lat_pip", first: "Lmbench/lat_pipe", count: 1},
		{pattern: "evtchn_sned", near: "Kbench/hypercall/op=evtchn_send"},
		{pattern: "nothing_like_any_of_them"},
		{pattern: "("},
	}
	for _, tt := range tests {
		t.Run(tt.pattern, func(t *testing.T) {
			list, err := bench.Select(tt.pattern)
			if tt.first == "" {
				if err == nil {
					t.Fatalf("selected %d benchmarks", len(list))
				}
				var unknown *bench.UnknownError
				if errors.As(err, &unknown) && tt.near != "" && !slices.Contains(unknown.Near, tt.near) {
					t.Errorf("near are %v, want %s among them", unknown.Near, tt.near)
				}
				if tt.near != "" && !strings.Contains(err.Error(), "did you mean") {
					t.Errorf("error %q suggests nothing", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if list[0].FullName() != tt.first || tt.count != 0 && len(list) != tt.count {
				t.Errorf("%d benchmarks, the first %s; want %d, %s", len(list), list[0].FullName(), tt.count, tt.first)
			}
		})
	}
	if _, ok := bench.Find("Lmbench/lat_pipe"); !ok {
		t.Error("Find does not find lat_pipe")
	}
	if _, ok := bench.Find("Lmbench/lat_pip"); ok {
		t.Error("Find finds a part of a name")
	}
}

func TestPlanHash(t *testing.T) {
	p := bench.Plan{Benchmarks: []string{"Lmbench/lat_pipe"}, Workload: "idle"}
	q := p
	if p.Hash() != q.Hash() || len(p.Hash()) != 16 {
		t.Errorf("hashes %s and %s", p.Hash(), q.Hash())
	}
	q.Options.EnoughUS = 1
	if p.Hash() == q.Hash() {
		t.Error("plans that differ have the same hash")
	}
}
