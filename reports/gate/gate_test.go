package gate

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/reports/compare"
	"xsmbench/results"
)

var dom0 = compare.Environment{Target: "model", Domain: "dom0"}

// row is one build's, in ns/op, with a margin of 1 %.
func row(build string, ratio float64, v compare.Verdict) compare.Row {
	return compare.Row{Environment: dom0, Benchmark: "Lmbench/lat_pipe", Unit: "ns/op", Base: "before", Build: build,
		BaseValue: 100, Value: 100 * ratio, Ratio: ratio, Lo: ratio - 0.001, Hi: ratio + 0.001, Margin: 0.01, N: 10, Verdict: v}
}

func counted(r compare.Row) compare.Row {
	r.Unit, r.Exact, r.Lo, r.Hi = "xen-instr/op", true, r.Ratio, r.Ratio
	return r
}

func judge(in Input, rows ...compare.Row) *Result {
	if in.Comparison == nil {
		in.Comparison = &compare.Comparison{Base: "before"}
	}
	in.Comparison.Rows = rows
	for _, r := range slices.Concat(rows, in.Comparison.Controls) {
		if !slices.Contains(in.Comparison.Builds, r.Build) {
			in.Comparison.Builds = append(in.Comparison.Builds, r.Build)
		}
	}
	if in.Run == nil {
		in.Run = &results.Run{Spec: plan(in.Comparison)}
	}
	return Judge(in)
}

// plan is a spec of what a comparison has rows of.
func plan(c *compare.Comparison) results.Spec {
	s := results.Spec{Domains: []string{"dom0"}}
	for _, cell := range c.Measured() {
		if !slices.ContainsFunc(s.Builds, func(b hv.Build) bool { return b.Name == cell.Build }) {
			s.Builds = append(s.Builds, hv.Build{Name: cell.Build})
		}
		if !slices.Contains(s.Benchmarks, cell.Benchmark) {
			s.Benchmarks = append(s.Benchmarks, cell.Benchmark)
		}
	}
	return s
}

func TestJudge(t *testing.T) {
	control := func(ratio float64) []compare.Row { return []compare.Row{row("before2", ratio, compare.Equivalent)} }
	noInterval := row("after", 1.05, compare.Inconclusive)
	noInterval.Lo, noInterval.Hi = math.NaN(), math.NaN()
	single := noInterval
	single.N = 1
	fromNothing := counted(row("after", math.NaN(), compare.Slower))
	fromNothing.BaseValue, fromNothing.Value = 0, 12
	stillNothing := counted(row("after", math.NaN(), compare.Equivalent))
	stillNothing.BaseValue, stillNothing.Value = 0, 0
	for _, tt := range []struct {
		name     string
		row      compare.Row
		controls []compare.Row
		cause    Cause
		want     Outcome
	}{
		{"within", row("after", 1.002, compare.Equivalent), nil, Within, Pass},
		{"faster", row("after", 0.9, compare.Faster), nil, Faster, Pass},
		{"slower", row("after", 1.1, compare.Slower), nil, Slower, Regression},
		{"undecided", row("after", 1.02, compare.Inconclusive), nil, Unsure, Inconclusive},
		{"no spread", noInterval, nil, NoGrip, Inconclusive},
		{"one boot", single, nil, Single, Inconclusive},
		{"a quiet control", row("after", 1.002, compare.Equivalent), control(1.004), Within, Pass},
		{"the margin is finer than the floor", row("after", 1.002, compare.Equivalent), control(1.012), TooFine, Inconclusive},
		{"and to the other side", row("after", 1.002, compare.Equivalent), control(1 / 1.012), TooFine, Inconclusive},
		{"slower, but no more than the control", row("after", 1.015, compare.Slower), control(0.97), Drowned, Inconclusive},
		{"slower by more than the control", row("after", 1.05, compare.Slower), control(1.012), Slower, Regression},
		{"exact, an exact control", counted(row("after", 1.0001, compare.Equivalent)), []compare.Row{counted(row("before2", 1, compare.Equivalent))}, Within, Pass},
		{"exact, the control is off", counted(row("after", 1.0001, compare.Equivalent)), []compare.Row{counted(row("before2", 1.02, compare.Slower))}, TooFine, Inconclusive},
		{"a control in another unit", row("after", 1.002, compare.Equivalent), []compare.Row{counted(row("before2", 1.02, compare.Slower))}, Within, Unjudged}, // the base has counts, the build none
		{"more than nothing", fromNothing, nil, Slower, Regression},
		{"nothing more than nothing", stillNothing, []compare.Row{stillNothing}, Within, Pass},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := judge(Input{Comparison: &compare.Comparison{Base: "before", Controls: tt.controls}}, tt.row)
			if r.Findings[0].Cause != tt.cause || r.Outcome != tt.want {
				t.Errorf("%s, %s; want %s, %s", r.Findings[0].Cause, r.Outcome, tt.cause, tt.want)
			}
		})
	}
}

// A count that depends on more than the code is judged by its hooks' share, if
// that is the same in every boot.
func TestByHooks(t *testing.T) {
	state := counted(row("after", 1.08, compare.Inconclusive))
	state.BaseValue, state.Value, state.Exact, state.Lo, state.Hi = 5000, 5400, false, math.NaN(), math.NaN()
	state.Remarks = []string{bench.NotExact + "it depends on state"}
	still := state
	still.Remarks = nil
	settled := state
	settled.Verdict = compare.Slower
	nothing := state
	nothing.BaseValue = 0
	timed := state
	timed.Unit = "ns/op"
	for _, tt := range []struct {
		name          string
		row           compare.Row
		before, after float64
		same          bool
		cause         Cause
		want          Outcome
	}{
		{"hooks as before", state, 160, 160, true, HooksWithin, Pass},
		{"hooks within the margin", state, 160, 210, true, HooksWithin, Pass},
		{"hooks above the margin", state, 160, 211, true, HooksSlower, Regression},
		{"fewer", state, 160, 0, true, HooksWithin, Pass},
		{"hooks that differ between boots", state, 160, 160, false, NoGrip, Inconclusive},
		{"nothing disclaimed", still, 160, 160, true, NoGrip, Inconclusive},
		{"decided by all of it", settled, 160, 160, true, Slower, Regression},
		{"nothing to relate it to", nothing, 0, 16, true, NoGrip, Inconclusive},
		{"a time", timed, 160, 160, true, NoGrip, Inconclusive},
	} {
		t.Run(tt.name, func(t *testing.T) {
			figure := func(build string, v float64) compare.Figure {
				return compare.Figure{Environment: dom0, Benchmark: tt.row.Benchmark, Unit: "xsm-instr/op", Build: build, Value: v, N: 2, Same: tt.same}
			}
			c := &compare.Comparison{Base: "before", Figures: []compare.Figure{figure("before", tt.before), figure("after", tt.after)}}
			r := judge(Input{Comparison: c}, tt.row)
			if f := r.Findings[0]; f.Cause != tt.cause || r.Outcome != tt.want {
				t.Errorf("%s, %s; want %s, %s", f.Cause, r.Outcome, tt.cause, tt.want)
			}
			if noted := strings.Contains(strings.Join(r.Notes, "\n"), "1 of 1 rows are judged by the instructions in their hooks"); noted != r.Findings[0].DecidedByHooks() {
				t.Errorf("notes: %q", r.Notes)
			}
		})
	}
	one := &compare.Comparison{Base: "before", Figures: []compare.Figure{{Environment: dom0, Benchmark: state.Benchmark, Unit: "xsm-instr/op", Build: "before", Same: true}}}
	if r := judge(Input{Comparison: one}, state); r.Outcome != Inconclusive {
		t.Errorf("without the build's figure: %s", r.Outcome)
	}
}

// The worst row decides; what is inconclusive hides no regression.
func TestOutcome(t *testing.T) {
	pass, slow, unsure := row("a", 1, compare.Equivalent), row("b", 1.1, compare.Slower), row("c", 1.02, compare.Inconclusive)
	for _, tt := range []struct {
		rows   []compare.Row
		allow  bool
		want   Outcome
		passes bool
	}{
		{nil, false, Unjudged, false},
		{nil, true, Unjudged, false},
		{[]compare.Row{pass}, false, Pass, true},
		{[]compare.Row{pass, unsure}, false, Inconclusive, false},
		{[]compare.Row{pass, unsure}, true, Inconclusive, true},
		{[]compare.Row{unsure, slow, pass}, true, Regression, false},
	} {
		r := judge(Input{AllowInconclusive: tt.allow}, tt.rows...)
		if r.Outcome != tt.want || r.Passes() != tt.passes {
			t.Errorf("%d rows: %s, passes %t; want %s, %t", len(tt.rows), r.Outcome, r.Passes(), tt.want, tt.passes)
		}
	}
	same := row("a", 1, compare.Equivalent) // the images are the same: nothing can have changed
	if r := judge(Input{Comparison: &compare.Comparison{Base: "before", Controls: []compare.Row{same}}}); r.Outcome != Pass || !slices.Equal(r.Identical, []string{"a"}) {
		t.Errorf("identical: %s %q", r.Outcome, r.Identical)
	}
	if r := judge(Input{Only: []string{"a"}}, pass, slow); r.Outcome != Pass || len(r.Findings) != 1 {
		t.Errorf("only a: %s", r.Outcome)
	}
}

func day(t *testing.T, text string) time.Time {
	t.Helper()
	d, err := time.Parse(Day, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestWaivers(t *testing.T) {
	slow, pass := row("flask", 1.1, compare.Slower), row("dummy", 1, compare.Equivalent)
	w := Waiver{Benchmark: "lat_pipe$", Until: day(t, "2027-01-31"), Reason: "known"}
	with := func(change func(*Waiver)) Waiver {
		c := w
		change(&c)
		c, err := NewWaiver(c)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	last := time.Date(2027, 1, 31, 23, 59, 0, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		waiver Waiver
		today  time.Time
		state  State
		want   Outcome
	}{
		{"in force", with(func(*Waiver) {}), day(t, "2026-12-01"), InUse, Pass},
		{"its last minute", with(func(*Waiver) {}), last, InUse, Pass},
		{"the minute after", with(func(*Waiver) {}), last.Add(time.Minute), Expired, Regression},
		{"that build", with(func(w *Waiver) { w.Build = "flask" }), last, InUse, Pass},
		{"a build that passes", with(func(w *Waiver) { w.Build = "dummy" }), last, Idle, Regression},
		{"expired for a build that passes", with(func(w *Waiver) { w.Build = "dummy" }), last.AddDate(1, 0, 0), Expired, Regression},
		{"another domain", with(func(w *Waiver) { w.Domain = "domU" }), last, Nothing, Regression},
		{"another benchmark", with(func(w *Waiver) { w.Benchmark = "^lat_pipe" }), last, Nothing, Regression},
	} {
		r := judge(Input{Waivers: []Waiver{tt.waiver}, Today: tt.today}, slow, pass)
		if r.Waived[0].State != tt.state || r.Outcome != tt.want {
			t.Errorf("%s: %s, %s; want %s, %s", tt.name, r.Waived[0].State, r.Outcome, tt.state, tt.want)
		}
		if len(r.Findings) != 2 {
			t.Errorf("%s: a waiver removed a row", tt.name)
		}
	}
	for _, bad := range []Waiver{
		{Until: w.Until, Reason: "x"}, {Benchmark: "x", Reason: "x"}, {Benchmark: "x", Until: w.Until}, {Benchmark: "(", Until: w.Until, Reason: "x"},
	} {
		if _, err := NewWaiver(bad); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}

// Times of two machines are not judged; counts are.
func TestMachines(t *testing.T) {
	at := func(cpu string) *results.Run {
		return &results.Run{Host: results.Host{CPU: cpu, CPUs: 2, Kernel: "6.1"}, Spec: results.Spec{Builds: []hv.Build{{Name: "after"}}}}
	}
	slower := row("after", 1.1, compare.Slower)
	slower.Base = compare.Earlier("after")
	in := Input{Earlier: "runs/old", Before: at("A"), Run: at("B")}
	r := judge(in, slower, counted(slower))
	if r.Findings[0].Cause != Machine || r.Findings[1].Cause != Slower {
		t.Errorf("%s, %s", r.Findings[0].Cause, r.Findings[1].Cause)
	}
	if text := strings.Join(r.Notes, "\n"); !strings.Contains(text, "processor B, previously A") {
		t.Errorf("notes: %s", text)
	}
	in.Run = at("A")
	in.Run.Host.Kernel = "6.2"
	if r := judge(in, slower); r.Outcome != Regression || !strings.Contains(strings.Join(r.Notes, "\n"), "kernel 6.2, previously 6.1") {
		t.Errorf("%s %v", r.Outcome, r.Notes)
	}
}

// A build that was to be measured and has no sample does not pass.
func TestMissingBuild(t *testing.T) {
	run := &results.Run{Spec: results.Spec{Builds: []hv.Build{{Name: "before"}, {Name: "after"}, {Name: "flask"}},
		Domains: []string{"dom0"}, Benchmarks: []string{"Lmbench/lat_pipe"}}}
	r := judge(Input{Run: run}, row("after", 1, compare.Equivalent))
	if r.Outcome != Incomplete || r.Findings[1].Build != "flask" || r.Findings[1].Cause != Missing {
		t.Errorf("%s: %+v", r.Outcome, r.Findings)
	}
	if r := judge(Input{Run: run, Only: []string{"after"}}, row("after", 1, compare.Equivalent)); r.Outcome != Pass {
		t.Errorf("only after: %s", r.Outcome)
	}
}

func TestAgain(t *testing.T) {
	var asked [][]string
	in := Input{Repeat: func(benchmarks []string) []string {
		asked = append(asked, benchmarks)
		return []string{"measure", "judge"}
	}}
	if got := judge(in, row("after", 1.1, compare.Slower)).Again(); !slices.Equal(got, []string{"measure", "judge"}) {
		t.Errorf("%q", got)
	}
	var many []compare.Row
	for i := range mostRepeated + 1 {
		r := row("after", 1.1, compare.Slower)
		r.Benchmark += fmt.Sprint(i)
		many = append(many, r)
	}
	judge(in, many...).Again()
	if got := judge(in, row("after", 1, compare.Equivalent)).Again(); got != nil {
		t.Errorf("all passes: %q", got)
	}
	if got := judge(Input{}, row("after", 1.1, compare.Slower)).Again(); got != nil {
		t.Errorf("nothing known: %q", got)
	}
	if want := [][]string{{"Lmbench/lat_pipe"}, nil}; !slices.EqualFunc(asked, want, slices.Equal) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}
