package agent_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/bench/agent"
	"xsmbench/bench/benchtest"
	"xsmbench/bench/wire"
)

var errBroken = errors.New("broken\nin two lines")

// pids are the processes in which the test's benchmarks ran.
var pids = map[string]int{}

func loopOf(name string, f func(bench.OS) error) func(bench.Domain) (bench.Loop, func(), error) {
	return func(d bench.Domain) (bench.Loop, func(), error) {
		os := d.OS()
		pids[name] = os.Getpid()
		return func(n int64) error {
			for ; n > 0; n-- {
				if err := f(os); err != nil {
					return err
				}
			}
			return nil
		}, nil, nil
	}
}

func init() {
	for name, f := range map[string]func(bench.OS) error{
		"good":   func(os bench.OS) error { os.Getpid(); return nil },
		"broken": func(bench.OS) error { return errBroken },
		"lacks":  func(bench.OS) error { return fmt.Errorf("open: %w", bench.Lack("there is no device\nat all")) },
		"panics": func(bench.OS) error { panic("lost") },
		"faults": func(os bench.OS) error { os.Load(0); return nil },
	} {
		b := bench.Benchmark{Suite: "Agent", Name: name, Doc: "d", Source: "s", Unit: "ns/op", Setup: loopOf(name, f)}
		bench.Register(b)
		if name == "good" {
			b.Name, b.Dom0Only = "dom0", true
			bench.Register(b)
			b.Name, b.Dom0Only, b.NeedsPeer = "peer", false, true
			bench.Register(b)
			b.Name, b.NeedsPeer, b.NeedsEcho = "echo", false, true
			bench.Register(b)
		}
	}
}

// run runs benchmarks in a domain and returns the stream's events.
func run(t *testing.T, d *benchtest.Domain, c agent.Config, names ...string) []wire.Event {
	t.Helper()
	for _, n := range names {
		c.Plan.Benchmarks = append(c.Plan.Benchmarks, "Agent/"+n)
	}
	c.Domain = "domU"
	c.Plan.Options.EnoughUS, c.Plan.Options.Repetitions = 1, 2
	var b bytes.Buffer
	w := wire.NewWriter(&b)
	if err := errors.Join(w.Hello(wire.Hello{Domain: c.Domain}), agent.Run(d, c, w), w.End()); err != nil {
		t.Fatal(err)
	}
	r := wire.NewReader(&b)
	var list []wire.Event
	for {
		e, err := r.Next()
		if err != nil {
			if n := d.Processes(); n != 0 {
				t.Errorf("%d processes are left", n)
			}
			return list
		}
		list = append(list, e)
	}
}

// summary writes events as short lines.
func summary(events []wire.Event) string {
	var b strings.Builder
	for _, e := range events {
		switch e := e.(type) {
		case wire.Begin:
			fmt.Fprintf(&b, "begin %s %d/%d\n", e.Benchmark, e.Index, e.Total)
		case wire.Sample:
			fmt.Fprintf(&b, "sample %s %s values=%d error=%q\n", e.Domain, e.Measurement.Benchmark, len(e.Values), e.Error)
		case wire.Skip:
			fmt.Fprintf(&b, "skip %s: %s\n", e.Benchmark, e.Reason)
		}
	}
	return b.String()
}

func TestFailuresDoNotStopTheOthers(t *testing.T) {
	events := run(t, benchtest.New(0), agent.Config{}, "broken", "panics", "faults", "good")
	want := `begin Agent/broken 1/4
sample domU Agent/broken values=0 error="measure Agent/broken: run loop: broken; in two lines"
begin Agent/panics 2/4
sample domU Agent/panics values=0 error="measure Agent/panics: panic: lost"
begin Agent/faults 3/4
sample domU Agent/faults values=0 error="measure Agent/faults: panic: process 4: unhandled signal 11"
begin Agent/good 4/4
sample domU Agent/good values=1 error=""
`
	if got := summary(events); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if _, ok := events[1].(wire.Calibrated); !ok {
		t.Errorf("the first event is %T, not the calibration", events[1])
	}
}

func TestSkips(t *testing.T) {
	d := benchtest.New(1)
	d.Alone = true
	c := agent.Config{Offers: func(b bench.Benchmark) bool { return b.Name != "broken" }}
	got := summary(run(t, d, c, "dom0", "peer", "broken"))
	want := `skip Agent/dom0: only the control domain may
skip Agent/peer: no peer: ESRCH
skip Agent/broken: the target does not offer it
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// silent is a domain whose peer answers no events.
type silent struct{ *benchtest.Domain }

func (s silent) Hypercalls() bench.Hypercalls {
	return struct{ bench.Hypercalls }{s.Domain.Hypercalls()}
}

func TestSkipsWithoutEcho(t *testing.T) {
	var b bytes.Buffer
	w := wire.NewWriter(&b)
	c := agent.Config{Domain: "dom0", Plan: bench.Plan{Benchmarks: []string{"Agent/echo"}, Options: bench.Options{EnoughUS: 1, Repetitions: 2}}}
	if err := agent.Run(silent{benchtest.New(0)}, c, w); err != nil {
		t.Fatal(err)
	}
	if want := "the other domain answers no events"; !strings.Contains(b.String(), want) {
		t.Errorf("the stream is %q, without %q", b.String(), want)
	}
	if got := summary(run(t, benchtest.New(0), agent.Config{}, "echo")); !strings.Contains(got, `error=""`) {
		t.Errorf("with an echo: %s", got)
	}
}

func TestProcesses(t *testing.T) {
	d := benchtest.New(0)
	me := d.OS().Getpid()
	between := 0
	c := agent.Config{
		Between: func() { between++ },
		InPlace: func(b bench.Benchmark) bool { return b.Name == "dom0" },
	}
	run(t, d, c, "good", "dom0", "peer")
	// "dom0" is a copy of "good" and records under its name.
	if pids["good"] == me {
		t.Error("a benchmark ran in the agent's own process")
	}
	if between != 3 {
		t.Errorf("%d times between benchmarks, want 3", between)
	}
	run(t, d, agent.Config{InPlace: func(bench.Benchmark) bool { return true }}, "good")
	if pids["good"] != me {
		t.Errorf("ran in process %d, want the agent's own, %d", pids["good"], me)
	}
	got := summary(run(t, d, agent.Config{InPlace: func(bench.Benchmark) bool { return true }}, "panics", "good"))
	if strings.Count(got, `error=""`) != 1 {
		t.Errorf("in place: %s", got)
	}
}

// TestWorkload: a workload begins before the first benchmark and ends after
// the last, also when the sink fails; one that does not begin ends the agent.
func TestWorkload(t *testing.T) {
	var order []string
	loops := func(bench.Domain) (bench.Load, error) {
		order = append(order, "start")
		return &load{did: []int64{3, 3, 3, 12}, bytes: 100, stop: func() { order = append(order, "stop") }}, nil
	}
	note := func() { order = append(order, "benchmark") }
	events := run(t, benchtest.New(0), agent.Config{Workload: loops, Between: note}, "good", "dom0")
	if w, ok := events[len(events)-2].(wire.Warning); !ok || w.Text != "beside  did 9 pieces of work and moved 900 bytes" {
		t.Errorf("it is said of the workload: %+v", events[len(events)-2])
	}
	if got := strings.Join(order, " "); got != "start benchmark benchmark stop" {
		t.Errorf("in turn: %s", got)
	}
	if c, ok := events[1].(wire.Calibrated); !ok || c.ProbeNS != 0 {
		t.Errorf("calibration %+v: a busy processor is no measure of a quiet one", events[1])
	}
	order = nil
	plan := bench.Plan{Benchmarks: []string{"Agent/good"}, Options: bench.Options{EnoughUS: 1, Repetitions: 1}}
	if err := agent.Run(benchtest.New(0), agent.Config{Plan: plan, Workload: loops}, &deaf{n: 2}); !errors.Is(err, abi.EPIPE) || len(order) != 2 {
		t.Errorf("error %v, %v", err, order)
	}
	fails := func(bench.Domain) (bench.Load, error) { return nil, abi.EAGAIN }
	if err := agent.Run(benchtest.New(0), agent.Config{Plan: plan, Workload: fails}, &deaf{n: 9}); !errors.Is(err, abi.EAGAIN) {
		t.Errorf("error %v, want the workload's", err)
	}
}

// load is a workload that has done so many pieces of work at each look, the last number
// at all others, and then fails if it has an error.
type load struct {
	did   []int64
	bytes int64 // of a piece
	fails error
	stop  func()
}

func (l *load) Did() (bench.Done, error) {
	n := l.did[0]
	if len(l.did) > 1 {
		l.did = l.did[1:]
		return bench.Done{Tasks: n, Bytes: n * l.bytes}, nil
	}
	return bench.Done{Tasks: n, Bytes: n * l.bytes}, l.fails
}

func (l *load) Stop() {
	if l.stop != nil {
		l.stop()
	}
}

// TestStandstill: a workload that stands still or has ended when measuring is over ends
// the agent; one of a single benchmark is that benchmark's error.
func TestStandstill(t *testing.T) {
	plan := bench.Plan{Benchmarks: []string{"Agent/good"}, Options: bench.Options{EnoughUS: 1, Repetitions: 1}}
	gone := errors.New("it is gone")
	for _, tt := range []struct {
		load *load
		want string
	}{
		{&load{did: []int64{7}}, "the workload stood still: 7 pieces of work when measuring began, and no more until 5s after its end"},
		{&load{did: []int64{1, 9}, fails: gone}, "it is gone"},
		{&load{did: []int64{1}, fails: gone}, "it is gone"},
	} {
		again := *tt.load
		err := agent.Run(benchtest.New(0), agent.Config{Plan: plan, Workload: func(bench.Domain) (bench.Load, error) { return tt.load, nil }}, &deaf{n: 99})
		if err == nil || err.Error() != tt.want {
			t.Errorf("error %v, want %s", err, tt.want)
		}
		events := run(t, benchtest.New(0), agent.Config{Beside: func(bench.Benchmark) (bench.Load, error) { return &again, nil }}, "good")
		if got := summary(events); !strings.Contains(got, tt.want) {
			t.Errorf("%s, want the error %s", got, tt.want)
		}
	}
}

// TestBeside: what goes on beside each benchmark begins and ends with it, and skips those
// that it cannot accompany.
func TestBeside(t *testing.T) {
	var order []string
	beside := func(b bench.Benchmark) (bench.Load, error) {
		if b.Name == "dom0" {
			return nil, bench.Lack("it cannot do %s", b.Name)
		}
		order = append(order, "start "+b.Name)
		return &load{did: []int64{1, 2}, stop: func() { order = append(order, "stop "+b.Name) }}, nil
	}
	events := run(t, benchtest.New(0), agent.Config{Beside: beside}, "good", "dom0")
	if got := strings.Join(order, ", "); got != "start good, stop good" {
		t.Error(got)
	}
	said := false
	for _, e := range events {
		if s, ok := e.(wire.Skip); ok {
			said = s.Benchmark == "Agent/dom0" && s.Reason == "it cannot do dom0"
		}
	}
	if !said {
		t.Errorf("%+v", events)
	}
}

// TestLacks: what finds when it is set up that it cannot be measured here is skipped
// with the reason, in a process of its own and in place; a workload that cannot run
// skips all.
func TestLacks(t *testing.T) {
	d := benchtest.New(0)
	const reason = "there is no device\nat all"
	for _, inPlace := range []bool{false, true} {
		events := run(t, d, agent.Config{InPlace: func(bench.Benchmark) bool { return inPlace }}, "lacks", "good")
		skip, ok := events[3].(wire.Skip)
		if !ok || skip.Benchmark != "Agent/lacks" || skip.Reason != reason {
			t.Errorf("in place %v: %+v", inPlace, events[3])
		}
		if got := summary(events); strings.Count(got, `error=""`) != 1 {
			t.Errorf("in place %v: %s", inPlace, got)
		}
	}
	none := func(bench.Domain) (bench.Load, error) { return nil, fmt.Errorf("start: %w", bench.Lack("no disk")) }
	events := run(t, d, agent.Config{Workload: none}, "good", "dom0")
	for _, e := range events[2:4] {
		if skip, ok := e.(wire.Skip); !ok || skip.Reason != "the workload cannot run: no disk" {
			t.Errorf("%+v", e)
		}
	}
}

func TestBadPlans(t *testing.T) {
	tests := []struct {
		plan bench.Plan
		text string
	}{
		{bench.Plan{Benchmarks: []string{"Agent/none"}}, `unknown benchmark "Agent/none"`},
	}
	for _, tt := range tests {
		w := wire.NewWriter(&bytes.Buffer{})
		tt.plan.Options.EnoughUS = 1
		err := agent.Run(benchtest.New(0), agent.Config{Plan: tt.plan}, w)
		if err == nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("error %v, want %q", err, tt.text)
		}
	}
}

// deaf is a sink that fails from its n-th call on.
type deaf struct {
	n     int
	calls []string
}

func (s *deaf) call(name string) error {
	s.calls = append(s.calls, name)
	if len(s.calls) >= s.n {
		return abi.EPIPE
	}
	return nil
}
func (s *deaf) Calibrated(bench.Calibration) error { return s.call("calibrated") }
func (s *deaf) Begin(string, int, int) error       { return s.call("begin") }
func (s *deaf) Sample(bench.Measurement) error     { return s.call("sample") }
func (s *deaf) Skip(string, string) error          { return s.call("skip") }
func (s *deaf) Warning(string) error               { return s.call("warning") }

func TestSinkEndsTheAgent(t *testing.T) {
	all := []string{"calibrated", "begin", "sample", "begin", "sample"}
	for n := 1; n <= len(all); n++ {
		s := &deaf{n: n}
		plan := bench.Plan{Benchmarks: []string{"Agent/good", "Agent/good"}, Options: bench.Options{EnoughUS: 1, Repetitions: 1}}
		err := agent.Run(benchtest.New(0), agent.Config{Plan: plan}, s)
		if !errors.Is(err, abi.EPIPE) || !slices.Equal(s.calls, all[:n]) {
			t.Errorf("after %v: error %v", s.calls, err)
		}
	}
}
