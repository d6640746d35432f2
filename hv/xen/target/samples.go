package target

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/xen/guest"
	"xsmbench/hv/xen/ranges"
	"xsmbench/hv/xen/window"
)

// count replaces the times of samples by what the plug-in counted.
func (m *machine) count(w *watched, plan bench.Plan, samples []bench.Measurement) error {
	f, err := os.Open(filepath.Join(w.dir, windowsFile))
	if err != nil {
		return w.failed(hv.BadProtocol, err)
	}
	defer f.Close()
	windows, err := window.Read(f)
	if err != nil {
		return w.failed(hv.BadProtocol, err)
	}
	bySlot := map[string]map[int][]window.Window{}
	for _, win := range windows {
		for id := range win.Ranges {
			if id >= len(m.start.table.Names) {
				return w.failed(hv.BadProtocol, fmt.Errorf("a window of %s has range %d of %d", win.Domain, id, len(m.start.table.Names)))
			}
		}
		if bySlot[win.Domain] == nil {
			bySlot[win.Domain] = map[int][]window.Window{}
		}
		bySlot[win.Domain][win.Slot] = append(bySlot[win.Domain][win.Slot], win)
	}
	c := counter{table: m.start.table, probes: probesOf(m.start.table)}
	for i := range samples {
		s := &samples[i]
		if s.Error != "" {
			continue
		}
		b, ok := bench.Find(s.Benchmark)
		index := slices.Index(plan.Benchmarks, s.Benchmark)
		if !ok || index < 0 {
			return w.failed(hv.BadProtocol, fmt.Errorf("a sample of %s, which the plan does not have", s.Benchmark))
		}
		c.fill(s, b, func(p bench.Phase) []window.Window { return bySlot[s.Domain][guest.Slot(index, p)] })
	}
	return nil
}

// counter turns windows into figures.
type counter struct {
	table  *ranges.Table
	probes []int
}

func probesOf(t *ranges.Table) []int {
	var ids []int
	for id, n := range t.Names {
		if n.Kind == ranges.Probe {
			ids = append(ids, id)
		}
	}
	return ids
}

// figure is what one operation costs: instructions, and entries of hooks.
type figure struct {
	xen, xsm, hooks, guest, all float64
}

func (f figure) plus(g figure, sign float64) figure {
	return figure{f.xen + sign*g.xen, f.xsm + sign*g.xsm, f.hooks + sign*g.hooks, f.guest + sign*g.guest, f.all + sign*g.all}
}

// stateful are benchmarks in which what Xen does depends on more than the
// operation, so that two boots of one image may differ.
var stateful = map[string]string{
	"Kbench/hypercall/op=sched_yield":              "what the scheduler does depends on where its time slices stand",
	"Kbench/hypercall/op=memory_increase_decrease": "what the allocator does depends on the state of Xen's heap, which differs between images",
}

// fill makes the sample of a benchmark from the windows of its phases.
func (c counter) fill(s *bench.Measurement, b bench.Benchmark, windows func(bench.Phase) []window.Window) {
	s.Values, s.Windows, s.Iterations = nil, nil, 0 // the agent's count has the operation's windows already
	total, clean := figure{}, true
	for _, p := range []struct {
		phase bench.Phase
		has   bool
		sign  float64
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
		f, ok := c.phase(s, p.phase, list)
		clean = clean && ok
		total = total.plus(f, p.sign)
	}
	if why := stateful[s.Benchmark]; why != "" {
		s.Warnings = append(s.Warnings, bench.NotExact+why)
	}
	ops := float64(max(1, b.Ops))
	if clean {
		s.Values = append(s.Values, bench.Value{Value: total.xen / ops, Unit: unitXen})
	}
	s.Values = append(s.Values, bench.Value{Value: total.xsm / ops, Unit: unitXSM}, bench.Value{Value: total.hooks / ops, Unit: unitHooks})
	if clean {
		s.Values = append(s.Values, bench.Value{Value: total.guest / ops, Unit: unitGuest}, bench.Value{Value: total.all / ops, Unit: unitAll})
	}
}

// phase is the figure of one phase's windows. It is false if none of them is
// clean: then only what is attributed to XSM is known, as the mean of all.
func (c counter) phase(s *bench.Measurement, p bench.Phase, list []window.Window) (figure, bool) {
	name := [...]string{"the baseline's ", "the credit's ", ""}[p]
	sum := window.Summarize(list, c.probes)
	if sum.Clean == 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf(bench.NotExact+"in each of %s%d windows an interrupt came or Xen switched vCPUs; only what XSM executed is told, as their mean", name, sum.Windows))
		return c.mean(list), false
	}
	if !sum.Exact() {
		s.Warnings = append(s.Warnings, fmt.Sprintf(bench.NotExact+"of %s%d clean windows %d executed the %d instructions of the mode", name, sum.Clean, sum.AtMode, sum.Mode))
	}
	f := c.attributed(sum.Ranges)
	f.xen, f.guest, f.all = float64(sum.Mode), float64(sum.Kernel), float64(sum.Mode+sum.Kernel+sum.User)
	return f, true
}

// attributed sums what hooks and modules executed.
func (c counter) attributed(counts map[int]window.Count) (f figure) {
	for id, n := range counts {
		switch c.table.Names[id].Kind {
		case ranges.Site:
			f.xsm += float64(n.Instructions)
			f.hooks += float64(n.Entries)
		case ranges.Module:
			f.xsm += float64(n.Instructions)
		}
	}
	return f
}

func (c counter) mean(list []window.Window) figure {
	var total figure
	for _, w := range list {
		total = total.plus(c.attributed(w.Ranges), 1)
	}
	n := float64(len(list))
	return figure{xsm: total.xsm / n, hooks: total.hooks / n}
}
