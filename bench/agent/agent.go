// Package agent runs a plan's benchmarks inside one domain. Each runs in a
// process of its own, forked from the agent's, so that none finds the memory,
// descriptors or signal handlers that another left; a benchmark that fails
// leaves a measurement with the error and the agent goes on with the next.
package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"xsmbench/bench"
)

// Sink receives what the agent finds. wire.Writer is one. An error from it
// ends the agent: nobody listens any more.
type Sink interface {
	Calibrated(bench.Calibration) error
	Begin(benchmark string, index, total int) error
	Sample(bench.Measurement) error
	Skip(benchmark, reason string) error
	Warning(text string) error
}

// Config adjusts an agent to its target.
type Config struct {
	Domain string // the domain's name in results: "dom0", "domU"
	Plan   bench.Plan
	// Workload, if not nil, starts what goes on besides the benchmarks. What it does
	// until the last one is over is reported.
	Workload func(bench.Domain) (bench.Load, error)
	// Beside, if not nil, starts what goes on besides one benchmark.
	Beside func(bench.Benchmark) (bench.Load, error)
	// Between, if not nil, runs before each benchmark, outside of any
	// measurement: a target in Go runs the collector there.
	Between func()
	// InPlace, if not nil, tells which benchmarks run in the agent's own
	// process instead of a forked one.
	InPlace func(bench.Benchmark) bool
	// Offers, if not nil, tells which benchmarks the target can run at all.
	Offers func(bench.Benchmark) bool
}

// Run measures the plan's benchmarks in their order and reports to the sink.
// It returns an error if the plan is unknown to this program, if the workload
// cannot be started or does not go on, or if the sink fails; benchmarks that fail are
// reported.
func Run(d bench.Domain, c Config, sink Sink) error {
	list, err := find(c.Plan.Benchmarks)
	if err != nil {
		return err
	}
	a := agent{Config: c, domain: d, sink: sink}
	if c.Plan.Options.Windows == 0 {
		a.calibration = bench.Calibrate(d.OS(), c.Plan.Options)
		if c.Workload != nil {
			// The workload slows the processor at every moment.
			a.calibration.ProbeNS = 0
		}
		if err := sink.Calibrated(a.calibration); err != nil {
			return err
		}
	}
	if c.Workload != nil {
		w, err := watch(func() (bench.Load, error) { return c.Workload(d) })
		var lack *bench.LackError
		if errors.As(err, &lack) {
			return a.skip(list, "the workload cannot run: "+lack.Reason)
		}
		if err != nil {
			return err
		}
		defer w.load.Stop()
		a.workload = w
	}
	for i, b := range list {
		if err := a.one(b, i+1, len(list)); err != nil {
			return err
		}
	}
	return a.account()
}

// account reports what the workload did. It must still do something.
func (a *agent) account() error {
	if a.workload == nil {
		return nil
	}
	done, err := a.workload.goesOn(a.domain.OS())
	if err != nil {
		return err
	}
	return a.sink.Warning(Beside + a.Plan.Workload + " did " + done.String())
}

// skip skips all benchmarks for one reason.
func (a *agent) skip(list []bench.Benchmark, reason string) error {
	for _, b := range list {
		if err := a.sink.Skip(b.FullName(), reason); err != nil {
			return err
		}
	}
	return nil
}

func find(names []string) ([]bench.Benchmark, error) {
	list := make([]bench.Benchmark, 0, len(names))
	for _, n := range names {
		b, ok := bench.Find(n)
		if !ok {
			return nil, fmt.Errorf("read plan: unknown benchmark %q", n)
		}
		list = append(list, b)
	}
	return list, nil
}

type agent struct {
	Config
	domain      bench.Domain
	sink        Sink
	calibration bench.Calibration
	workload    *watched
}

// one measures or skips one benchmark.
func (a *agent) one(b bench.Benchmark, index, total int) error {
	if reason := a.unfit(b); reason != "" {
		return a.sink.Skip(b.FullName(), reason)
	}
	if err := a.sink.Begin(b.FullName(), index, total); err != nil {
		return err
	}
	m, err := a.accompanied(b)
	var lack *bench.LackError
	if errors.As(err, &lack) {
		return a.sink.Skip(b.FullName(), lack.Reason)
	}
	a.calibration = a.calibration.After(m)
	m.Domain = a.Domain
	return a.sink.Sample(m)
}

// accompanied measures with what goes on beside this benchmark.
func (a *agent) accompanied(b bench.Benchmark) (m bench.Measurement, err error) {
	if a.Beside == nil {
		return a.rested(b)
	}
	w, err := watch(func() (bench.Load, error) { return a.Beside(b) })
	if err != nil {
		return bench.Measurement{Benchmark: b.FullName(), Error: err.Error()}, err
	}
	defer w.load.Stop()
	if m, err = a.rested(b); err != nil {
		return m, err
	}
	done, err := w.goesOn(a.domain.OS())
	if err != nil {
		return bench.Measurement{Benchmark: b.FullName(), Error: err.Error()}, err
	}
	return m, a.sink.Warning(Beside + b.FullName() + ", " + a.Plan.Workload + " did " + done.String())
}

// rested measures after what is done between benchmarks.
func (a *agent) rested(b bench.Benchmark) (bench.Measurement, error) {
	if a.Between != nil {
		a.Between()
	}
	return a.measure(b)
}

// unfit says why a benchmark has no place in this domain, "" if it has.
func (a *agent) unfit(b bench.Benchmark) string {
	switch {
	case a.Offers != nil && !a.Offers(b):
		return "the target does not offer it"
	case b.DomUOnly && a.domain.Hypercalls().Privileged():
		return "the control domain serves others with it"
	case b.Lacking(a.has) != "":
		return bench.Missing(a.domain.OS(), b.Lacking(a.has))
	case b.Dom0Only && !a.domain.Hypercalls().Privileged():
		return "only the control domain may"
	case b.NeedsPeer || b.NeedsEcho:
		return a.lonely(b)
	}
	return ""
}

// has reports whether the domain's operating system has a facility.
func (a *agent) has(f bench.Facility) bool { return bench.Has(a.domain.OS(), f) }

// lonely says what a benchmark needs of the other domain and does not have.
func (a *agent) lonely(b bench.Benchmark) string {
	hc := a.domain.Hypercalls()
	if _, err := hc.Peer(); err != nil {
		return fmt.Sprintf("no peer: %v", err)
	}
	if _, ok := hc.(bench.Echoer); b.NeedsEcho && !ok {
		return "the other domain answers no events"
	}
	return ""
}

// measure always returns a measurement, with Error set if there is no sample.
func (a *agent) measure(b bench.Benchmark) (bench.Measurement, error) {
	run := a.forked
	if a.InPlace != nil && a.InPlace(b) {
		run = a.inPlace
	}
	m, err := run(b)
	if err != nil {
		m = bench.Measurement{Benchmark: b.FullName(), Error: err.Error()}
	}
	return m, err
}

// inPlace measures in the agent's own process. A panic is the benchmark's
// failure, not the agent's.
func (a *agent) inPlace(b bench.Benchmark) (bench.Measurement, error) {
	return a.guarded(a.domain, b)
}

func (a *agent) guarded(d bench.Domain, b bench.Benchmark) (m bench.Measurement, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked(b.FullName(), r)
		}
	}()
	return bench.Measure(d, b, a.Plan.Options, a.calibration)
}

// forked measures in a child, which sends the measurement through a pipe:
// a child's memory is its own.
func (a *agent) forked(b bench.Benchmark) (bench.Measurement, error) {
	var m bench.Measurement
	os := a.domain.OS()
	r, w, err := os.Pipe()
	if err != nil {
		return m, fmt.Errorf("measure %s: open pipe: %w", b.FullName(), err)
	}
	pid, err := os.Fork(func(os bench.OS) int {
		os.Close(r)
		return a.child(os, w, b)
	})
	os.Close(w)
	if err != nil {
		os.Close(r)
		return m, fmt.Errorf("measure %s: fork: %w", b.FullName(), err)
	}
	answer, readErr := readAll(os, r)
	os.Close(r)
	status, err := os.Wait(pid)
	switch {
	case readErr != nil:
		return m, fmt.Errorf("measure %s: read result: %w", b.FullName(), readErr)
	case err != nil:
		return m, fmt.Errorf("measure %s: wait for process: %w", b.FullName(), err)
	case status == statusFailed && len(answer) > 0:
		return m, errors.New(string(answer))
	case status == statusLacks:
		return m, &bench.LackError{Reason: string(answer)}
	case status != 0:
		return m, fmt.Errorf("measure %s: its process ended with status %d", b.FullName(), status)
	}
	if err := json.Unmarshal(answer, &m); err != nil {
		return m, fmt.Errorf("measure %s: read result: %w", b.FullName(), err)
	}
	return m, nil
}

// Exit statuses of a child that sends the text of an error, or of a reason to be
// skipped.
const (
	statusFailed = 1
	statusLacks  = 3
)

func (a *agent) child(os bench.OS, w bench.FD, b bench.Benchmark) int {
	status := 0
	m, err := a.guarded(bench.WithOS(a.domain, os), b)
	answer, jsonErr := json.Marshal(m)
	var lack *bench.LackError
	switch err = errors.Join(err, jsonErr); {
	case errors.As(err, &lack):
		answer, status = []byte(lack.Reason), statusLacks
	case err != nil:
		answer, status = []byte(strings.ReplaceAll(err.Error(), "\n", "; ")), statusFailed
	}
	if err := writeAll(os, w, answer); err != nil {
		return statusFailed
	}
	os.Close(w)
	return status
}

func writeAll(os bench.OS, fd bench.FD, b []byte) error {
	for len(b) > 0 {
		n, err := os.Write(fd, b)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// readAll reads until every writer has closed its end.
func readAll(os bench.OS, fd bench.FD) ([]byte, error) {
	var all []byte
	buf := make([]byte, 4096)
	for {
		n, err := os.Read(fd, buf)
		if err != nil {
			return all, err
		}
		if n == 0 {
			return all, nil
		}
		all = append(all, buf[:n]...)
	}
}
