package experiment

import (
	"slices"
	"strings"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/workloads"
)

// check refuses what nothing can be measured with.
func (r *resolved) check() error {
	for _, check := range []func() error{r.checkDomains, r.checkWords, r.checkNumbers, r.checkWitness, r.checkDomUs, r.checkCPUs, r.checkWorkload} {
		if err := check(); err != nil {
			return err
		}
	}
	return checkLayouts(r.target, r.layouts)
}

func (r *resolved) checkDomains() error {
	if len(r.Domains) == 0 {
		return refuse(FieldDomains, "", "no domain")
	}
	domains := hv.DomainsOf(r.target)
	for i, d := range r.Domains {
		if !slices.Contains(domains, d) {
			return &UnknownError{What: "domain", Word: d, Known: domains}
		}
		if slices.Contains(r.Domains[:i], d) {
			return refuse(FieldDomains, "", "%s twice", d)
		}
	}
	return nil
}

func (r *resolved) checkWords() error {
	if !slices.Contains(workloads.Names(), r.Workload) {
		return &UnknownError{What: "workload", Word: r.Workload, Known: workloads.Names()}
	}
	if r.Suite != "" && !slices.Contains(bench.Suites(), r.Suite) {
		return &UnknownError{What: "suite", Word: r.Suite, Known: bench.Suites()}
	}
	if accels := r.target.Accels(); r.Accel != "" && !slices.Contains(accels, r.Accel) {
		return refuse(FieldAccel, r.Accel, "target %s does not have it", r.target.Name()).among(accels)
	}
	return nil
}

func (r *resolved) checkNumbers() error {
	for _, n := range []struct {
		field    Field
		value    int64
		min, max int64
	}{
		{FieldRounds, int64(r.rounds), 1, 10000},
		{FieldLayouts, int64(r.layouts), 0, 10000},
		{FieldEnoughUS, r.enough, 0, 10_000_000},
		{FieldRepetitions, int64(r.Repetitions), 0, 1001},
	} {
		if n.value < n.min || n.value > n.max {
			return refuse(n.field, n.value, "must be from %d to %d", n.min, n.max)
		}
	}
	return checkTimeout(r.Timeout)
}

// longestBoot is more than any boot takes.
const longestBoot = 240 * time.Hour

func checkTimeout(d time.Duration) error {
	if d < 0 || d > longestBoot {
		return refuse(FieldTimeout, d, "must be from 0 to %s", longestBoot)
	}
	return nil
}

func (r *resolved) checkWitness() error {
	if !r.Witness || r.windows > 0 {
		return nil
	}
	text := "target " + r.target.Name() + " marks no windows"
	if c, ok := r.target.(hv.Counter); ok {
		for _, accel := range r.target.Accels() {
			if c.Windows(accel) > 0 {
				text += " but with {Accel} " + accel
				break
			}
		}
	}
	return refuse(FieldWitness, "", "%s", text)
}

// checkLayouts refuses more relinks than the target makes. The linker's own
// order is a layout, too, so that 1 is never too many.
func checkLayouts(t hv.Target, layouts int) error {
	l, ok := t.(hv.Layouts)
	if !ok || layouts <= max(1, l.MostLayouts()) {
		return nil
	}
	if l.MostLayouts() == 0 {
		return refuse(FieldLayouts, layouts, "target %s does not relink", t.Name())
	}
	return refuse(FieldLayouts, layouts, "target %s has at most %d", t.Name(), l.MostLayouts())
}

// checkDomUs refuses domUs that the target has not.
func (r *resolved) checkDomUs() error {
	name, all := r.target.Name(), strings.Join(r.DomUs, ",")
	d, ok := r.target.(hv.DomUs)
	switch {
	case !ok && r.DomUs != nil:
		return refuse(FieldDomU, all, "target %s has only one kind of domU, and only one domU; %s", name, haveDomUs())
	case !ok && r.Idle != 0:
		return refuse(FieldIdle, r.Idle, "target %s has only one kind of domU, and only one domU; %s", name, haveDomUs())
	case !ok:
		return nil
	case len(r.DomUs) == 0:
		return refuse(FieldDomU, "", "no kind").among(d.DomUKinds())
	case r.Idle < 0 || r.Idle > d.MostIdle():
		return refuse(FieldIdle, r.Idle, "must be from 0 to %d", d.MostIdle())
	}
	for i, kind := range r.DomUs {
		switch {
		case !slices.Contains(d.DomUKinds(), kind):
			return refuse(FieldDomU, kind, "target %s does not have it", name).among(d.DomUKinds())
		case slices.Contains(r.DomUs[:i], kind):
			return refuse(FieldDomU, all, "%s twice", kind)
		}
	}
	return nil
}

// checkCPUs refuses more processors than the target's machines can have.
func (r *resolved) checkCPUs() error {
	if r.CPUs == 0 {
		return nil
	}
	p, ok := r.target.(hv.Processors)
	if !ok {
		return refuse(FieldCPUs, r.CPUs, "target %s cannot choose the processors of its machines", r.target.Name())
	}
	for _, kind := range r.DomUs {
		switch most := p.MostCPUs(kind); {
		case r.CPUs > most && most == 1:
			return refuse(FieldCPUs, r.CPUs, "a machine with domUs of kind %s has one", kind)
		case r.CPUs < 1 || r.CPUs > most:
			return refuse(FieldCPUs, r.CPUs, "must be from 1 to %d", most)
		}
	}
	return nil
}

// checkWorkload refuses a workload that the machine has not the processors for.
func (r *resolved) checkWorkload() error {
	w, err := workloads.Find(r.Workload)
	if err == nil && w.CPUs > max(1, r.CPUs) {
		return refuse(FieldWorkload, r.Workload, "on one processor the two domains never execute at once; give the machine %d: {CPUs} %d", w.CPUs, w.CPUs)
	}
	return nil
}

// haveDomUs says which targets can be told what their domUs are.
func haveDomUs() string {
	var all []string
	for _, name := range hv.Names() {
		if t, err := hv.Lookup(name); err == nil {
			if _, ok := t.(hv.DomUs); ok {
				all = append(all, name)
			}
		}
	}
	if all == nil {
		return "no target has more"
	}
	return "others: {Target} " + strings.Join(all, ", ")
}
