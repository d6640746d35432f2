package workloads_test

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/bench/agent"
	"xsmbench/bench/benchtest"
	_ "xsmbench/bench/kbench"
	_ "xsmbench/bench/lmbench"
	_ "xsmbench/workloads/domains"
	_ "xsmbench/workloads/kernbench"
	_ "xsmbench/workloads/serve"
	"xsmbench/xsm/hook"
)

// quick makes windows as short as they can be.
var quick = bench.Options{EnoughUS: 1, Repetitions: 3, Quick: true}

// recorder is a sink that keeps what it gets.
type recorder struct {
	samples []bench.Measurement
	skipped map[string]string
	begun   []string
}

func (r *recorder) Calibrated(bench.Calibration) error { return nil }
func (r *recorder) Begin(name string, _, _ int) error  { r.begun = append(r.begun, name); return nil }
func (r *recorder) Sample(m bench.Measurement) error   { r.samples = append(r.samples, m); return nil }
func (r *recorder) Warning(string) error               { return nil }
func (r *recorder) Skip(name, reason string) error {
	if r.skipped == nil {
		r.skipped = map[string]string{}
	}
	r.skipped[name] = reason
	return nil
}

func names(list []bench.Benchmark) []string {
	var names []string
	for _, b := range list {
		names = append(names, b.FullName())
	}
	return names
}

// TestEveryBenchmarkRuns runs all of them through the agent, in both domains,
// and looks for what they leave behind. The domains are of Xen 3.2.
func TestEveryBenchmarkRuns(t *testing.T) {
	for _, id := range []abi.DomID{0, 1} {
		t.Run(fmt.Sprintf("dom%d", id), func(t *testing.T) {
			d := benchtest.New(id)
			var r recorder
			c := agent.Config{Domain: "dom0", Plan: bench.Plan{Benchmarks: names(bench.All()), Options: quick}, Offers: of32}
			if err := agent.Run(d, c, &r); err != nil {
				t.Fatal(err)
			}
			for _, m := range r.samples {
				checkSample(t, m)
			}
			if len(r.samples)+len(r.skipped) != len(bench.All()) {
				t.Errorf("%d samples and %d skipped of %d benchmarks", len(r.samples), len(r.skipped), len(bench.All()))
			}
			for name := range r.skipped {
				if b, _ := bench.Find(name); of32(b) && !compiles(b) && (id == 0 || !b.Dom0Only) {
					t.Errorf("skipped %s: %s", name, r.skipped[name])
				}
			}
			if n := d.Processes(); n != 0 {
				t.Errorf("%d processes are left", n)
			}
			if f := d.Files(); len(f) != 0 {
				t.Errorf("files are left: %v", f)
			}
			if n := d.Bound(); n != 0 {
				t.Errorf("%d sockets and semaphores are left", n)
			}
			if l := d.Left(); len(l) != 0 {
				t.Errorf("left behind by hypercalls: %v", l)
			}
		})
	}
}

// The full suite begins as the default one, so that the figures of both are alike.
func TestDefaultFirst(t *testing.T) {
	first, err := bench.SelectSuite(bench.DefaultSuite, "")
	if err != nil {
		t.Fatal(err)
	}
	all, err := bench.SelectSuite(bench.FullSuite, ".")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) <= len(first) || !slices.Equal(names(all[:len(first)]), names(first)) {
		t.Errorf("the full suite begins with %v", names(all[:len(first)]))
	}
}

// compiles says that a benchmark needs a compiler, which this domain has not.
func compiles(b bench.Benchmark) bool { return slices.Contains(b.Needs, bench.Compiling) }

// of32 says that Xen 3.2 has an operation.
func of32(b bench.Benchmark) bool { return !b.Later }

func checkSample(t *testing.T, m bench.Measurement) {
	t.Helper()
	if m.Error != "" {
		t.Errorf("%s: %s", m.Benchmark, m.Error)
		return
	}
	if m.Iterations <= 0 || len(m.Values) == 0 {
		t.Errorf("%s: %d iterations, %d values", m.Benchmark, m.Iterations, len(m.Values))
	}
	for _, v := range m.Values {
		if v.Value < 0 || math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
			t.Errorf("%s: value %v %s", m.Benchmark, v.Value, v.Unit)
		}
	}
}

// TestHooksExist checks what benchmarks say of hooks against the table, which is
// 3.2's.
func TestHooksExist(t *testing.T) {
	known := map[string]bool{}
	for _, h := range hook.Table {
		known[h.Name] = true
	}
	for _, b := range bench.All() {
		for _, c := range b.Hooks {
			if of32(b) && !known[c.Hook] {
				t.Errorf("%s crosses %q, which is no hook", b.FullName(), c.Hook)
			}
			if c.PerOp == 0 && c.Note == "" {
				t.Errorf("%s crosses %s how often?", b.FullName(), c.Hook)
			}
		}
	}
}

// TestEveryHookIsMeasured: each hook of the table that Xen 3.2 calls is crossed
// by a benchmark that says how often, and the one that nothing calls by none.
func TestEveryHookIsMeasured(t *testing.T) {
	crossed := map[string]string{}
	for _, b := range bench.All() {
		for _, c := range b.Hooks {
			if of32(b) && c.PerOp > 0 {
				crossed[c.Hook] = b.FullName()
			}
		}
	}
	for _, h := range hook.Table {
		if called := len(h.Source) > 0; called != (crossed[h.Name] != "") {
			t.Errorf("hook %s, called: %v, is crossed by %q", h.Name, called, crossed[h.Name])
		}
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

// TestDefaultSuite compares the default suite with its list. Histories hold its
// rows: what is added to it makes every run longer, and what goes ends a series.
func TestDefaultSuite(t *testing.T) {
	list, err := bench.SelectSuite("", "")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(names(list), "\n") + "\n"
	const golden = "testdata/default-suite.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
		t.Errorf("the default suite (-want +got):\n%s", d)
	}
}

// TestSelectSuite: an expression selects among all unless a suite is named.
func TestSelectSuite(t *testing.T) {
	const added, old = "Kbench/hypercall/op=domctl_max_mem", "Kbench/hypercall/op=xen_version"
	for _, c := range []struct {
		suite, pattern string
		added, old     bool
	}{
		{"", "", false, true},
		{"", "max_mem|xen_version", true, true},
		{bench.DefaultSuite, "max_mem|xen_version", false, true},
		{bench.FullSuite, "", true, true},
		{bench.FullSuite, "max_mem", true, false},
	} {
		list, err := bench.SelectSuite(c.suite, c.pattern)
		if err != nil {
			t.Errorf("suite %q, %q: %v", c.suite, c.pattern, err)
		}
		got := names(list)
		if slices.Contains(got, added) != c.added || slices.Contains(got, old) != c.old {
			t.Errorf("suite %q, %q: %v", c.suite, c.pattern, got)
		}
	}
	_, err := bench.SelectSuite(bench.DefaultSuite, "max_mem")
	if want := `suite default has none that match "max_mem"; suite full has 1`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

// TestWorkloadSuite: the work of a machine is a suite of its own, and in no other.
func TestWorkloadSuite(t *testing.T) {
	list, err := bench.SelectSuite(bench.WorkloadSuite, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list {
		if b.Suite != "Workload" || b.InSuite(bench.FullSuite) || b.InSuite(bench.DefaultSuite) || b.Job == nil || !b.Later {
			t.Errorf("%s: %+v", b.FullName(), b)
		}
	}
	all, err := bench.Select("^Workload/")
	if err != nil || len(all) != len(list) || len(list) < 17 {
		t.Errorf("%d of %d, %v", len(list), len(all), err)
	}
}

// TestHypercallErrorsSurface makes every hypercall fail.
func TestHypercallErrorsSurface(t *testing.T) {
	list, err := bench.Select("^Kbench/hypercall/")
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 20 {
		t.Errorf("%d hypercall benchmarks, fewer than 20", len(list))
	}
	for _, b := range list {
		d := benchtest.New(0)
		d.Fail = map[abi.Hypercall]abi.Errno{}
		for op := range abi.NrHypercalls {
			d.Fail[op] = abi.EPERM
		}
		if _, err := bench.Measure(d, b, quick, bench.Calibration{}); err == nil {
			t.Errorf("%s: no error although every hypercall fails", b.FullName())
		}
	}
}

func TestSkipsWithoutPeer(t *testing.T) {
	d := benchtest.New(0)
	d.Alone = true
	var r recorder
	plan := bench.Plan{Benchmarks: []string{"Kbench/hypercall/op=grant_copy", "Kbench/hypercall/op=xen_version"}, Options: quick}
	if err := agent.Run(d, agent.Config{Domain: "dom0", Plan: plan}, &r); err != nil {
		t.Fatal(err)
	}
	if r.skipped["Kbench/hypercall/op=grant_copy"] == "" || len(r.samples) != 1 {
		t.Errorf("skipped %v, samples %v", r.skipped, r.samples)
	}
}

// TestFaultsAsDeclared counts page faults: an operation that declares some
// number of update_va_mapping crosses it once per fault.
func TestFaultsAsDeclared(t *testing.T) {
	checked := 0
	for _, b := range bench.All() {
		for _, c := range b.Hooks {
			if c.Hook != "update_va_mapping" || c.PerOp == 0 || strings.HasPrefix(b.Name, "hypercall/") {
				continue
			}
			checked++
			got := faults(t, setupOf(b))
			if b.Baseline != nil {
				got -= faults(t, b.Baseline)
			}
			if ops := max(1, b.Ops); got != int64(c.PerOp*float64(ops)) {
				t.Errorf("%s: %d faults in an iteration of %d operations, declared %v per operation", b.FullName(), got, ops, c.PerOp)
			}
		}
	}
	if checked < 5 {
		t.Errorf("only %d benchmarks declare faults", checked)
	}
}

// setupOf is a benchmark's Setup, or what stands for it: an operation with what
// goes before and after it.
func setupOf(b bench.Benchmark) func(bench.Domain) (bench.Loop, func(), error) {
	if b.Intervals == nil {
		return b.Setup
	}
	return func(d bench.Domain) (bench.Loop, func(), error) {
		op, err := b.Intervals(d)
		if err != nil {
			return nil, nil, err
		}
		loop := func(n int64) error { return errors.Join(op.Before(n), op.Loop(n), op.After(n)) }
		return loop, func() {}, nil
	}
}

// faults counts those of one iteration, in a process of its own.
func faults(t *testing.T, setup func(bench.Domain) (bench.Loop, func(), error)) int64 {
	t.Helper()
	count := func(n int64) int64 {
		d := benchtest.New(0)
		os := d.OS()
		pid, err := os.Fork(func(os bench.OS) int {
			loop, cleanup, err := setup(bench.WithOS(d, os))
			if err == nil {
				err = loop(n)
				cleanup()
			}
			if err != nil {
				t.Error(err)
			}
			return 0
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Wait(pid); err != nil {
			t.Fatal(err)
		}
		return os.Rusage().MinorFaults
	}
	return count(3) - count(2)
}

// TestControls: what only makes system calls crosses no hook.
func TestControls(t *testing.T) {
	list, err := bench.Select("^Lmbench/(lat_syscall|lat_select|lat_sig|lat_fs|bw_mem|bw_file_rd)")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list {
		if len(b.Hooks) != 0 {
			t.Errorf("%s declares hooks %v", b.FullName(), b.Hooks)
		}
	}
}
