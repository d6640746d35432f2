package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"xsmbench/hv"
)

// defaults sets what was not given and depends on the target, or on --quick.
func (f *runFlags) defaults(t hv.Target, fs *pflag.FlagSet) {
	if d, ok := t.(hv.Defaults); ok && !fs.Changed("rounds") {
		f.rounds = d.Rounds()
	}
	if f.windows(t) > 0 && !fs.Changed("rounds") {
		f.rounds = min(f.rounds, countingRounds)
	}
	if f.quick {
		if !fs.Changed("rounds") {
			f.rounds = min(f.rounds, quickRounds)
		}
		if !fs.Changed("enough") {
			f.enough = quickEnough
		}
	}
	if f.layouts == 0 {
		f.layouts = f.planned()
		if f.windows(t) > 0 {
			f.layouts = 1 // a relink moves code and changes no count
		}
		if l, ok := t.(hv.Layouts); ok {
			f.layouts = min(f.layouts, l.MostLayouts())
		}
	}
	if d, ok := t.(hv.DomUs); ok && f.domU == "" {
		f.domU = d.DomUKinds()[0]
	}
}

// countingRounds are enough where counts are exact: the second shows it.
const countingRounds = 2

// windows is how many marked windows a sample has, 0 if the target times.
func (f *runFlags) windows(t hv.Target) int {
	c, ok := t.(hv.Counter)
	if !ok {
		return 0
	}
	accel := f.accel
	if accel == "" {
		accel = t.Accels()[0]
	}
	n := c.Windows(accel)
	if n > 0 && f.repetitions > 0 {
		return f.repetitions
	}
	return n
}

// countingAccels says with which accelerator a target counts.
func countingAccels(t hv.Target) string {
	c, ok := t.(hv.Counter)
	if !ok {
		return ""
	}
	for _, accel := range t.Accels() {
		if c.Windows(accel) > 0 {
			return " but with --accel " + accel
		}
	}
	return ""
}

// checkLayouts refuses more relinks than the target makes. The linker's own
// order is a layout, too, so that 1 is never too many.
func checkLayouts(t hv.Target, layouts int) error {
	l, ok := t.(hv.Layouts)
	if !ok || layouts <= max(1, l.MostLayouts()) {
		return nil
	}
	if l.MostLayouts() == 0 {
		return fmt.Errorf("--layouts %d: target %s relinks nothing", layouts, t.Name())
	}
	return fmt.Errorf("--layouts %d: target %s has at most %d", layouts, t.Name(), l.MostLayouts())
}

// checkDomUs refuses domUs that the target has not.
func (f *runFlags) checkDomUs(t hv.Target, fs *pflag.FlagSet) error {
	d, ok := t.(hv.DomUs)
	if !ok {
		for _, name := range []string{"domu", "domus"} {
			if fs.Changed(name) {
				return fmt.Errorf("--%s %s: target %s has one kind of domU, and one domU; %s", name, fs.Lookup(name).Value, t.Name(), haveDomUs())
			}
		}
		return nil
	}
	if !slices.Contains(d.DomUKinds(), f.domU) {
		return fmt.Errorf("--domu %s: target %s does not have it%s", f.domU, t.Name(), suggest(f.domU, d.DomUKinds()))
	}
	if f.idle < 0 || f.idle > d.MostIdle() {
		return fmt.Errorf("--domus %d: must be from 0 to %d", f.idle, d.MostIdle())
	}
	return nil
}

// haveDomUs says which targets can be told what their domUs are.
func haveDomUs() string {
	var names []string
	for _, name := range hv.Names() {
		if t, err := hv.Lookup(name); err == nil {
			if _, ok := t.(hv.DomUs); ok {
				names = append(names, name)
			}
		}
	}
	if names == nil {
		return "no target has others"
	}
	return "others: --target " + strings.Join(names, ", ")
}
