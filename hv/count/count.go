// Package count turns counted windows into samples: what one operation of a
// benchmark costs in instructions, and the profile of where they were executed.
// Its folders hold the parts: code, the map of a hypervisor's code, and window,
// the plug-in that counts by it.
package count

import (
	"fmt"
	"maps"
	"slices"

	"xsmbench/bench"
	"xsmbench/hv/count/code"
	"xsmbench/hv/count/window"
)

// Units of counted samples, the one to compare by first.
const (
	UnitXen   = "xen-instr/op"   // what the hypervisor executed
	UnitXSM   = "xsm-instr/op"   // of that, in hooks: their sites, and all that was called from there
	UnitHooks = "hooks/op"       // entries of hooks
	UnitGuest = "guest-instr/op" // what the guest kernel executed
	UnitAll   = "instr/op"       // all, user space included
	// UnitSpin is what the hypervisor executed while a processor waited for another
	// one, where there are several. It is no part of UnitXen, UnitXSM and UnitAll.
	UnitSpin = "spin-instr/op"
)

// Units lists those that all machines have.
func Units() []string { return []string{UnitXen, UnitXSM, UnitHooks, UnitGuest, UnitAll} }

// Counter makes samples of a hypervisor's windows.
type Counter struct {
	// Processors is how many the machine has; 0 stands for one.
	Processors int

	code   *code.Map
	cells  window.Cells
	leaves map[int]bool // cells of the ways back to a guest
}

// New makes the counter for a hypervisor's code.
func New(m *code.Map) *Counter {
	c := &Counter{code: m, cells: window.Cells{Probes: map[int]bool{}, Handlers: map[int]bool{}}, leaves: map[int]bool{}}
	for _, e := range m.Events {
		if id, ok := m.CellAt(e.At); ok && e.Kind == code.Leave {
			c.leaves[id] = true
		}
	}
	for id, cell := range m.Cells {
		if cell.Probe {
			c.cells.Probes[id] = true
		}
		if cell.Handler != "" {
			c.cells.Handlers[id] = true
		}
	}
	return c
}

// Check fails if a window has places that the map does not: it is of another
// hypervisor.
func (c *Counter) Check(w window.Window) error {
	for p := range w.Counts {
		if p.Cell >= len(c.code.Cells) || p.Handler >= len(c.code.Handlers) || p.Hook >= len(c.code.Hooks) {
			return fmt.Errorf("a window of %s has cell %d, handler %d, hook %d, the map only %d, %d and %d of them",
				w.Domain, p.Cell, p.Handler, p.Hook, len(c.code.Cells), len(c.code.Handlers), len(c.code.Hooks))
		}
	}
	for id := range w.StrangeCells {
		if id >= len(c.code.Cells) {
			return fmt.Errorf("a window of %s has cell %d, the map only %d of them", w.Domain, id, len(c.code.Cells))
		}
	}
	return nil
}

// part is what the windows of one phase say.
type part struct {
	xen, guest, all float64
	spun            float64 // waiting, in the mean of the windows
	windows         int64   // that counts is the sum of
	counts          map[window.Place]window.Count
	clean           bool // nothing but the operation was counted, or all of a job
}

// Fill makes the sample of a benchmark from the windows of its phases; what the
// agent measured is replaced, but for what others counted. Without a clean window only what is attributed
// to hooks is known, as the mean of all.
func (c *Counter) Fill(s *bench.Measurement, b bench.Benchmark, windows func(bench.Phase) []window.Window) {
	others := slices.DeleteFunc(slices.Clone(s.Values), func(v bench.Value) bool { return !bench.IsWitness(v.Unit) })
	s.Values, s.Windows, s.Iterations, s.Profile = nil, nil, 0, nil
	total, profile, clean := part{}, newProfile(b.Ops), true
	executed := map[string]bool{}
	for _, p := range []struct {
		phase bench.Phase
		has   bool
		sign  int64
	}{{bench.PhaseOperation, true, 1}, {bench.PhaseBaseline, b.Baseline != nil, -1}, {bench.PhaseCredit, b.Credit != nil, 1}} {
		if !p.has {
			continue
		}
		list := windows(p.phase)
		if len(list) == 0 {
			s.Error = "no window was marked"
			return
		}
		s.Iterations += int64(len(list))
		c.execute(executed, list)
		f := c.phase(s, p.phase, list, whyWhole(b))
		total.spun += float64(p.sign) * f.spun
		clean = clean && f.clean
		total.xen += float64(p.sign) * f.xen
		total.guest += float64(p.sign) * f.guest
		total.all += float64(p.sign) * f.all
		addScaled(profile, c.profile(f.counts), f.windows, p.sign)
	}
	profile.Executed = slices.Sorted(maps.Keys(executed))
	s.Profile = profile
	s.Values = values(total, profile, clean)
	if c.Processors > 1 {
		s.Values = append(s.Values, bench.Value{Value: total.spun / float64(profile.Ops), Unit: UnitSpin})
	}
	s.Values = append(s.Values, others...)
	if b.Job != nil && b.Bytes > 0 && total.all > 0 {
		s.Values = append(s.Values, bench.Value{Value: 1000 * float64(b.Bytes) / total.all, Unit: bench.Throughput})
	}
}

func newProfile(ops int64) *bench.Profile {
	return &bench.Profile{Windows: 1, Ops: max(1, ops)}
}

// addScaled adds the sum of n windows to a profile. Both become the sum of as
// many as the two have in common.
func addScaled(to *bench.Profile, p bench.Profile, n, sign int64) {
	was := to.Windows
	scaled := bench.Profile{Windows: was * n, Ops: to.Ops}
	scaled.Add(*to, n)
	scaled.Add(p, sign*was)
	*to = scaled
}

// values are the figures of one operation.
func values(t part, p *bench.Profile, clean bool) []bench.Value {
	ops := float64(p.Ops)
	xsm, hooks := p.Attributed()
	list := []bench.Value{{Value: xsm, Unit: UnitXSM}, {Value: hooks, Unit: UnitHooks}}
	if !clean {
		return list
	}
	return append([]bench.Value{{Value: t.xen / ops, Unit: UnitXen}},
		append(list, bench.Value{Value: t.guest / ops, Unit: UnitGuest}, bench.Value{Value: t.all / ops, Unit: UnitAll})...)
}

// phase sums up one phase's windows, and warns where they are not exact. What is
// counted as a whole has the reason for it, "" for what is not.
func (c *Counter) phase(s *bench.Measurement, p bench.Phase, list []window.Window, whole string) part {
	list, spun := c.apart(list)
	f := c.sum(s, p, list, whole)
	f.spun = spun
	return f
}

// sum is phase without what was executed waiting.
func (c *Counter) sum(s *bench.Measurement, p bench.Phase, list []window.Window, whole string) part {
	name := [...]string{"the baseline's ", "the credit's ", ""}[p]
	if text := c.strange(list); text != "" {
		s.Warnings = append(s.Warnings, text)
	}
	if whole != "" {
		return c.whole(s, list, whole)
	}
	sum := window.Summarize(list, c.cells)
	if sum.Clean == 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf(bench.NotExact+"in each of %s%d windows an interrupt came or Xen switched vCPUs; only the instructions of XSM are reported, as a mean%s", name, sum.Windows, c.spreads(list)))
		return part{windows: int64(len(list)), counts: window.Sum(list)}
	}
	if !sum.Exact() {
		s.Warnings = append(s.Warnings, bench.NotExact+whyNotExact(name, sum))
	}
	if !sum.FewOther() {
		s.Warnings = append(s.Warnings, fmt.Sprintf(bench.WindowsLeftOut+"in %d of %s%d without an interrupt, the guest asked Xen for other things than in most", sum.Other, name, sum.Clean+sum.Other))
	}
	return part{
		xen: float64(sum.Mode), guest: float64(sum.Kernel), all: float64(sum.Mode + sum.Kernel + sum.User),
		windows: 1, counts: sum.Counts, clean: true,
	}
}

// whyNotExact says what keeps the windows of a phase, which has a name, from being exact.
func whyNotExact(name string, s window.Summary) string {
	switch {
	case s.Clean == 1:
		return fmt.Sprintf("of %s%d windows one is clean", name, s.Windows)
	case s.AtMode == s.Clean:
		return fmt.Sprintf("%s%d clean windows executed %d instructions each, but not all in the same functions and hooks", name, s.Clean, s.Mode)
	}
	return fmt.Sprintf("of %s%d clean windows %d executed the %d instructions of the mode", name, s.Clean, s.AtMode, s.Mode)
}
