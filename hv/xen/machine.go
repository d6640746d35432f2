package xen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"xsmbench/bench"
	"xsmbench/bench/agent"
	"xsmbench/bench/wire"
	"xsmbench/hv"
	"xsmbench/hv/count/mark"
	"xsmbench/hv/count/window"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/domain/native"
	"xsmbench/hv/xen/protocol"
	"xsmbench/hv/xen/qemu"
)

// Files of a running machine's directory.
const windowsFile = "windows"

// machine is an image about to measure.
type machine struct {
	target   *Target
	start    *start
	spec     hv.BootSpec
	snapshot *store.Entry // nil if the machine boots

	mu      sync.Mutex // of the console
	dir     string
	release func() // of dir
	running []*watched
	told    []string // lines of tellOnce
}

// Boot readies a machine: under instruction counting, its snapshot.
func (t *Target) Boot(ctx context.Context, img *hv.Image, spec hv.BootSpec) (hv.Machine, error) {
	if n, most := len(spec.Plan.Benchmarks), mark.Fit(native.Slots); n > most {
		return nil, fmt.Errorf("boot %s: %d benchmarks, the marks suffice for %d: choose some with --bench", img.Build.Name, n, most)
	}
	s, err := t.start(ctx, img, spec, spec.Say)
	if err == nil {
		spec.Plan.Domains, err = s.domains(spec.Plan.Domains)
	}
	if err != nil {
		return nil, fmt.Errorf("boot %s: %w", img.Build.Name, err)
	}
	if st, err := t.store(); err == nil && s.accel != qemu.ICount {
		st.Settle(ctx, spec.Say) // what is put into a shared store would be timed, too
	}
	return t.boot(ctx, s, spec)
}

// domains are those of a plan that a start has: without a toolstack it has no
// domU.
func (s *start) domains(wanted []string) ([]string, error) {
	if s.around.tools.missing == "" {
		return wanted, nil
	}
	if !slices.Contains(wanted, "dom0") {
		return nil, fmt.Errorf("there is no domU: %s", s.around.tools.missing)
	}
	return []string{"dom0"}, nil
}

// warnOfNoDomU says beside every sample why there is none of a domU.
func (m *machine) warnOfNoDomU(samples []bench.Measurement) {
	why := m.start.around.tools.missing
	if why == "" {
		return
	}
	for i := range samples {
		samples[i].Warnings = append(samples[i].Warnings, "dom0 runs without a domU: "+why)
	}
}

// boot readies a machine for which everything is there.
func (t *Target) boot(ctx context.Context, s *start, spec hv.BootSpec) (hv.Machine, error) {
	var err error
	m := &machine{target: t, start: s, spec: spec}
	if s.accel == qemu.ICount {
		if m.snapshot, err = t.snapshot(ctx, s, spec.Console, spec.Say); err != nil {
			return nil, err
		}
	}
	st, err := t.store()
	if err == nil {
		m.dir, m.release, err = st.Scratch("a machine of " + s.img.Build.Name)
	}
	if err != nil {
		m.releaseSnapshot()
		return nil, fmt.Errorf("boot %s: %w", s.img.Build.Name, err)
	}
	return m, nil
}

// Prepare makes the image's snapshot. If that fails a word must do: Boot says why
// it fails, and tries again unless the guest would fail in the same way.
func (t *Target) Prepare(ctx context.Context, img *hv.Image, spec hv.BootSpec, progress func(string)) {
	if err := t.prepare(ctx, img, spec, progress); err != nil && ctx.Err() == nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		progress(label(img.Build) + ": no snapshot: " + line)
	}
}

func (t *Target) prepare(ctx context.Context, img *hv.Image, spec hv.BootSpec, progress func(string)) error {
	s, err := t.start(ctx, img, spec, progress)
	if err != nil || s.accel != qemu.ICount {
		return err
	}
	snapshot, err := t.snapshot(ctx, s, nil, progress)
	if err != nil {
		return err
	}
	snapshot.Release()
	return nil
}

// Measure runs the plan. Under instruction counting each domain measures in a
// resume of its own.
func (m *machine) Measure(ctx context.Context, emit func(bench.Measurement) error) error {
	if m.snapshot == nil {
		return m.run(ctx, m.spec.Plan, emit)
	}
	domains := m.spec.Plan.Domains
	found := make([][]bench.Measurement, len(domains))
	var group errgroup.Group // a domain that fails does not stop the other
	for i, d := range domains {
		group.Go(func() error {
			plan := m.spec.Plan
			plan.Domains = []string{d}
			return m.run(ctx, plan, func(s bench.Measurement) error {
				found[i] = append(found[i], s)
				return nil
			})
		})
	}
	failed := group.Wait()
	if err := pass(slices.Concat(found...), emit); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return failed
}

// run starts one QEMU and receives what its domains report.
func (m *machine) run(ctx context.Context, plan bench.Plan, emit func(bench.Measurement) error) error {
	release, err := m.target.running.take(ctx, toResume)
	if err != nil {
		return err
	}
	defer release()
	dir := filepath.Join(m.dir, strings.Join(plan.Domains, "+"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("boot %s: %w", m.start.img.Build.Name, err)
	}
	w, err := m.target.watch(m.start, m.describe(dir, plan), dir)
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.running = append(m.running, w)
	m.mu.Unlock()
	defer m.keepConsole(w, plan)
	defer w.Kill()
	if err := m.resume(ctx, w); err != nil {
		return err
	}
	if err := m.wait(ctx, w, plan); err != nil {
		return errors.Join(err, m.salvage(w, plan, emit))
	}
	return m.collect(w, plan, emit)
}

// resume lets a machine go on that has loaded a snapshot.
func (m *machine) resume(ctx context.Context, w *watched) error {
	if m.snapshot == nil {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, m.target.limits.boot, errTimeOut)
	defer cancel()
	monitor, err := qemu.Dial(w.until(ctx), w.machine.Control)
	if err == nil {
		defer monitor.Close()
		err = monitor.Resume(w.until(ctx))
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() == nil && w.over():
		return m.ended(w)
	}
	return w.broken(ctx, err)
}

// describe is the machine that measures a plan.
func (m *machine) describe(dir string, plan bench.Plan) qemu.Machine {
	s := m.start
	q := s.machine(dir, protocol.Order{Plan: plan, Delay: delay(m.spec.Seed), Build: s.img.Build.Name})
	if m.snapshot == nil {
		return q
	}
	q.Control = filepath.Join(dir, controlFile)
	q.Snapshot = m.snapshot.Path(stateFile)
	if atOnce(plan) {
		q.Turn = shortTurn
	}
	q.Plugin = &qemu.Plugin{Path: s.plugin, Args: append(window.Args(s.codeMap, filepath.Join(dir, windowsFile), s.marks), window.CPUs(s.shape.processors())...)}
	return q
}

// delay is how long a boot sleeps before it measures, so that no two rounds
// have their timer ticks at the same places. The first does not.
func delay(seed int64) time.Duration {
	const step = 1377 * time.Microsecond // no multiple of a tick, which is 4 ms
	return time.Duration(max(0, seed-1)) * step
}

// wait waits until dom0 has ended QEMU.
func (m *machine) wait(ctx context.Context, w *watched, plan bench.Plan) error {
	l := m.target.limits
	slow := time.Duration(m.start.accel.SlowDown())
	limit := m.spec.Timeout
	if limit == 0 {
		n := len(plan.Domains) * len(plan.Benchmarks)
		limit = l.boot*slow + time.Duration(n)*l.measure*slow + patience(plan)
	}
	silence := l.silence*slow + patience(plan)
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	pulse := time.NewTicker(pulseEvery)
	defer pulse.Stop()
	last, seen := time.Now(), int64(-1)
	for {
		select {
		case <-w.Ended:
			return m.ended(w)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-deadline.C:
			return w.failed(hv.TimedOut, fmt.Errorf("not done after %v", limit))
		case <-pulse.C:
			if n := w.life(); n != seen {
				last, seen = time.Now(), n
			} else if time.Since(last) > silence {
				return w.failed(hv.NoProgress, fmt.Errorf("no sign of life for %v", silence))
			}
		}
	}
}

// patience is how much longer than others the most patient benchmark of a plan may be
// silent.
func patience(plan bench.Plan) time.Duration {
	most := time.Duration(0)
	for _, name := range plan.Benchmarks {
		b, _ := bench.Find(name)
		most = max(most, b.Patience)
	}
	return most
}

// ended says what QEMU's end means.
func (m *machine) ended(w *watched) error {
	switch {
	case w.Status() == protocol.StatusDone:
		return nil
	case m.snapshot != nil && strings.Contains(w.Said(), "load of migration failed"):
		err := fmt.Errorf("the snapshot does not fit this QEMU, or is damaged; the next boot makes another: %w", w.Failure())
		return w.failed(hv.BootFailed, errors.Join(err, m.snapshot.Reject(w.Failure().Error())))
	}
	return w.ended()
}

// collect reads the records, and the windows if they were counted. Records
// before a damaged one stand where they hold the times themselves.
func (m *machine) collect(w *watched, plan bench.Plan, emit func(bench.Measurement) error) error {
	samples, err := m.records(w, plan)
	if m.snapshot == nil {
		err = errors.Join(err, w.checkTaken())
	}
	if m.snapshot != nil {
		if err == nil {
			err = m.count(w, plan, samples)
		}
		if err != nil {
			return err
		}
	}
	m.warnOfDenials(w, samples)
	m.warnOfNoDomU(samples)
	return errors.Join(err, pass(samples, emit))
}

// pass passes samples on.
func pass(samples []bench.Measurement, emit func(bench.Measurement) error) error {
	for _, s := range samples {
		if err := emit(s); err != nil {
			return err
		}
	}
	return nil
}

// salvage passes on what a machine measured before it failed. Counted windows
// of a machine that did not end are not used: which of them are whole is not
// known.
func (m *machine) salvage(w *watched, plan bench.Plan, emit func(bench.Measurement) error) error {
	if m.snapshot != nil {
		return nil
	}
	samples, _ := m.records(w, plan)
	return pass(samples, emit)
}

// records reads the stream of records.
func (m *machine) records(w *watched, plan bench.Plan) ([]bench.Measurement, error) {
	f, err := os.Open(w.machine.Results)
	if err != nil {
		return nil, w.failed(hv.BadProtocol, err)
	}
	defer f.Close()
	var samples []bench.Measurement
	var wrong error
	domain, told := "", map[string]bool{}
	err = wire.Receive(f, len(plan.Domains), wire.Handler{
		Hello: func(h wire.Hello) error {
			domain = h.Domain
			told[domain] = false
			if !slices.Contains(plan.Domains, domain) {
				return fmt.Errorf("%s reports, which the plan does not have", domain)
			}
			if h.Plan != plan.Hash() {
				return fmt.Errorf("%s measures plan %s, not %s", h.Domain, h.Plan, plan.Hash())
			}
			return nil
		},
		Sample: func(s bench.Measurement) error { samples = append(samples, s); return nil },
		Skip:   func(s wire.Skip) { m.tell("skipped in %s: %s: %s", domain, s.Benchmark, s.Reason) },
		Warning: func(text string) {
			isFacts, err := m.heed(domain, text)
			told[domain] = told[domain] || isFacts
			wrong = errors.Join(wrong, err)
		},
		Noise: func(text string) {
			if strings.TrimSpace(text) != "" {
				m.tell("%s: %s", domain, text)
			}
		},
	})
	var failure *wire.FailureError
	switch {
	case wrong != nil: // what was measured is something else
		return nil, w.failed(hv.GuestFailed, wrong)
	case errors.As(err, &failure):
		return samples, w.failed(hv.GuestFailed, err)
	case err != nil:
		return samples, w.failed(hv.BadProtocol, err)
	}
	for d, ok := range told {
		if !ok {
			return nil, w.failed(hv.BadProtocol, fmt.Errorf("%s did not tell what Xen it runs on", d))
		}
	}
	return samples, nil
}

// tell writes a line to the boot's console log.
func (m *machine) tell(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.spec.Console != nil {
		fmt.Fprintf(m.spec.Console, "[xsmbench] "+format+"\n", args...)
	}
}

// tellOnce writes a line that is the same for all resumes of a boot.
func (m *machine) tellOnce(line string) {
	m.mu.Lock()
	known := slices.Contains(m.told, line)
	m.told = append(m.told, line)
	m.mu.Unlock()
	if !known {
		m.tell("%s", line)
	}
}

// heed takes the domain's facts, or shows a warning; it reports which it was.
func (m *machine) heed(domain, text string) (isFacts bool, err error) {
	f, ok := protocol.DecodeFacts(text)
	switch {
	case ok:
	case strings.HasPrefix(text, agent.Beside):
		m.tell("%s: %s", domain, text)
		return false, nil
	default:
		m.tell("warning from %s: %s", domain, text)
		return false, nil
	}
	m.tell("%s %s", domain, text)
	return true, m.start.check(domain, f)
}

// keepConsole copies a machine's console to the boot's log.
func (m *machine) keepConsole(w *watched, plan bench.Plan) {
	if m.spec.Console == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.snapshot != nil && len(plan.Domains) > 0 && plan.Domains[0] == m.spec.Plan.Domains[0] {
		fmt.Fprintln(m.spec.Console, "[xsmbench] console of the boot to the snapshot:")
		copyFile(m.spec.Console, m.snapshot.Path(consoleFile))
	}
	fmt.Fprintf(m.spec.Console, "[xsmbench] console while %s measured:\n", strings.Join(plan.Domains, " and "))
	copyFile(m.spec.Console, w.machine.Console)
	if said := w.Said(); said != "" {
		io.WriteString(m.spec.Console, "[xsmbench] QEMU said:\n"+said+"\n")
	}
}

// Close ends what still runs and removes its files.
func (m *machine) Close() error {
	m.mu.Lock()
	running := m.running
	m.running = nil
	m.mu.Unlock()
	for _, w := range running {
		w.Kill()
	}
	m.releaseSnapshot()
	m.release()
	return nil
}

func (m *machine) releaseSnapshot() {
	if m.snapshot != nil {
		m.snapshot.Release()
	}
}
