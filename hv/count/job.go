package count

import (
	"fmt"
	"slices"

	"xsmbench/bench"
	"xsmbench/hv/count/window"
)

// whyWhole says why a benchmark's windows are counted as a whole, "" if they are not.
func whyWhole(b bench.Benchmark) string {
	switch {
	case b.Job != nil:
		return "the job outlasts timer ticks, and its processes run in another order each time"
	case b.Whole:
		return "the operation outlasts a timer tick"
	}
	return ""
}

// whole sums up windows that each hold a whole job (bench.Job), or a long operation.
// None of them is clean: interrupts and switches of vCPUs belong to it. All that is in
// them is counted, and the figures are means. How far the windows lie apart is said,
// unless they agree.
func (c *Counter) whole(s *bench.Measurement, list []window.Window, why string) part {
	p := part{windows: int64(len(list)), counts: window.Sum(list), clean: true}
	var xen []float64
	for _, w := range list {
		p.xen += float64(w.Xen) / float64(len(list))
		p.guest += float64(w.Kernel) / float64(len(list))
		p.all += float64(w.Xen+w.Kernel+w.User) / float64(len(list))
		xen = append(xen, float64(w.Xen))
	}
	xsm, hooks := c.attributed(list)
	switch {
	case len(list) < 2:
		s.Warnings = append(s.Warnings, bench.NotExact+"it was counted once")
	case spread(xen)+spread(xsm)+spread(hooks) > 0:
		s.Warnings = append(s.Warnings, fmt.Sprintf(
			bench.NotExact+"%s; means of %d windows, which differ by at most %g %% of Xen's instructions, %g %% of XSM's, %g %% of the calls of hooks",
			why, len(list), bound(xen), bound(xsm), bound(hooks)))
	}
	return p
}

// attributed are the instructions and the calls of hooks in each window.
func (c *Counter) attributed(list []window.Window) (xsm, hooks []float64) {
	for _, w := range list {
		one := c.profile(w.Counts)
		one.Windows, one.Ops = 1, 1
		executed, entered := one.Attributed()
		xsm, hooks = append(xsm, executed), append(hooks, entered)
	}
	return xsm, hooks
}

// spreads says how far what is attributed differs between windows, if it does.
func (c *Counter) spreads(list []window.Window) string {
	xsm, hooks := c.attributed(list)
	if len(list) < 2 || spread(xsm)+spread(hooks) == 0 {
		return ""
	}
	return fmt.Sprintf("; windows differ by at most %g %% of them, and %g %% of the calls of hooks", bound(xsm), bound(hooks))
}

// bound is the power of ten that the spread does not exceed: a rough word, so that all boots of a
// build say the same.
func bound(values []float64) float64 {
	for _, b := range []float64{0.01, 0.1, 1, 10} {
		if spread(values) <= b {
			return b
		}
	}
	return 100
}

// spread is how far values lie apart, in per cent of the greatest.
func spread(values []float64) float64 {
	most := slices.Max(values)
	if most == 0 {
		return 0
	}
	return 100 * (most - slices.Min(values)) / most
}
