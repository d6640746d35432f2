package experiment

import (
	"slices"
	"strings"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/results"
	"xsmbench/workloads"
)

// Question is what a run is to find out, in values. What is zero or nil was
// not asked for: the target has its own, or a default holds.
type Question struct {
	Inputs
	Base       string // the build that the others are compared with; "" for the first
	Controls   Controls
	Domains    []string // nil: all that the target measures from
	Benchmarks string   // regular expression over full names; "" for the suite
	// Suite is the set of benchmarks to choose from, one of bench.Suites. "" is
	// the target's default suite, or, with an expression, all.
	Suite    string
	Workload string // what else the domain does, one of package workloads

	// Rounds boot every build once each. A Budget, instead, lets the run
	// choose them.
	Rounds  *int
	Budget  *Budget
	Layouts int // relinks of each build; 0: one per round, as far as the target relinks

	EnoughUS    *int64 // shortest timed window
	Repetitions int    // windows per sample
	Quick       bool   // a rough answer soon
	Witness     bool   // also what the hypervisor itself counts

	Accel   string
	DomUs   []string      // kinds of the domUs; nil for the target's first
	Idle    int           // idle domUs beside the measured one
	CPUs    int           // physical processors of a machine; 0 for the target's own
	Timeout time.Duration // of a boot

	// Criteria are what the verdicts are going to be given by. They are
	// written down before the first boot.
	Criteria *results.Criteria
	Output   string // run directory to make; "" for runs/DATE-TIME
	Replace  bool   // remove the run that is there
	// Beside measures times even while another timed run goes on, on the same
	// machine.
	Beside bool

	// Shard is the part that this machine measures, nil for all.
	Shard *Share

	Tool    string   // version of the program that asks
	Command []string // that asked, as it was typed
}

// Budget lets a run choose its rounds.
type Budget struct {
	Time       time.Duration
	MostRounds int
}

// Defaults: with three builds, two domains and all benchmarks they take some
// four minutes on two cores, controls included.
const (
	DefaultRounds     = 10
	DefaultMostRounds = 100 // of a budget
	DefaultEnoughUS   = 1000

	quickRounds = 3
	quickEnough = 100 // µs
)

// Spec resolves the question: what is left open is decided, what cannot be
// measured is refused, and the controls are added.
func (q Question) Spec() (hv.Target, results.Spec, error) {
	t, builds, err := q.Inputs.Resolve()
	if err != nil {
		return nil, results.Spec{}, err
	}
	if err := q.checkBudget(builds); err != nil {
		return nil, results.Spec{}, err
	}
	r := q.resolve(t)
	if err := r.check(); err != nil {
		return nil, results.Spec{}, err
	}
	list, refused, err := r.benchmarks()
	if err != nil {
		return nil, results.Spec{}, err
	}
	if q.Base != "" && index(builds, q.Base) < 0 {
		return nil, results.Spec{}, refuse(FieldBase, q.Base, "not among the builds %s", strings.Join(names(builds), ", "))
	}
	spec := results.Spec{
		Target: t.Name(), Accel: r.Accel, Builds: r.withControls(builds), Domains: r.Domains, Benchmarks: list, Dom0Only: dom0Only(list), DomUOnly: domUOnly(list), Refused: refused,
		Rounds: r.rounds, Layouts: r.layouts, Workload: r.Workload, DomU: r.domU(), MoreDomUs: r.moreDomUs(), Idle: r.Idle, CPUs: r.cpus(), OtherDomU: r.otherDomU(),
		Options:  bench.Options{EnoughUS: r.enough, Repetitions: r.Repetitions, Windows: r.windows, Quick: r.Quick, Witness: r.Witness},
		Criteria: r.Criteria, Budget: r.plan(),
	}
	if spec.Budget != nil {
		spec.Rounds = spec.Budget.Looks[0]
	}
	return t, spec, nil
}

// resolved is a question with nothing left open.
type resolved struct {
	Question
	target  hv.Target
	windows int // that are marked in a sample, 0 if the target times
	rounds  int
	layouts int
	enough  int64
}

// resolve decides what the question leaves to the target, or to Quick.
func (q Question) resolve(t hv.Target) resolved {
	r := resolved{Question: q, target: t}
	if r.Domains == nil {
		r.Domains = hv.DomainsOf(t)
	}
	if u, ok := t.(hv.Usual); ok && r.Suite == "" && r.Benchmarks == "" {
		r.Suite = u.UsualSuite()
	}
	if r.Workload == "" {
		r.Workload = workloads.Default
	}
	r.DomUs = q.domUs(t)
	r.windows = q.markedWindows(t)
	r.rounds = r.defaultRounds()
	r.enough = r.defaultEnough()
	if r.layouts = q.Layouts; r.layouts == 0 {
		r.layouts = r.defaultLayouts()
	}
	return r
}

// countingRounds are enough where counts are exact: the second shows it.
const countingRounds = 2

func (r *resolved) defaultRounds() int {
	if r.Rounds != nil {
		return *r.Rounds
	}
	rounds := DefaultRounds
	if d, ok := r.target.(hv.Defaults); ok {
		rounds = d.Rounds()
	}
	if r.windows > 0 {
		rounds = min(rounds, countingRounds)
	}
	if r.Quick {
		rounds = min(rounds, quickRounds)
	}
	return rounds
}

func (r *resolved) defaultEnough() int64 {
	switch {
	case r.EnoughUS != nil:
		return *r.EnoughUS
	case r.Quick:
		return quickEnough
	}
	return DefaultEnoughUS
}

// defaultLayouts is one for each round that there may be.
func (r *resolved) defaultLayouts() int {
	layouts := r.rounds
	switch {
	case r.windows > 0:
		layouts = 1 // a relink moves code and changes no count
	case r.Budget != nil:
		layouts = r.Budget.MostRounds
	}
	if l, ok := r.target.(hv.Layouts); ok {
		layouts = min(layouts, l.MostLayouts())
	}
	return layouts
}

// markedWindows is how many marked windows a sample has, 0 if the target times.
func (q Question) markedWindows(t hv.Target) int {
	c, ok := t.(hv.Counter)
	if !ok {
		return 0
	}
	accel := q.Accel
	if accel == "" {
		accel = t.Accels()[0]
	}
	n := c.Windows(accel)
	if n > 0 && q.Repetitions > 0 {
		return q.Repetitions
	}
	return n
}

// domUs are the kinds that were asked for, in the target's order, or its first. What
// it does not know stays, to be refused.
func (q Question) domUs(t hv.Target) []string {
	d, ok := t.(hv.DomUs)
	switch {
	case !ok:
		return q.DomUs
	case q.DomUs == nil:
		return d.DomUKinds()[:1]
	}
	kinds := d.DomUKinds()
	all := slices.Clone(q.DomUs)
	slices.SortStableFunc(all, func(a, b string) int { return slices.Index(kinds, a) - slices.Index(kinds, b) })
	return all
}

// domU is the kind of the domUs, the first of several.
func (r *resolved) domU() string {
	if len(r.DomUs) == 0 {
		return ""
	}
	return r.DomUs[0]
}

func (r *resolved) moreDomUs() []string {
	if len(r.DomUs) < 2 {
		return nil
	}
	return r.DomUs[1:]
}

// cpus is 0 for the one that machines have anyway.
func (r *resolved) cpus() int {
	if r.CPUs == 1 {
		return 0
	}
	return r.CPUs
}

// otherDomU tells that the domUs are not what the target takes by itself.
func (r *resolved) otherDomU() bool {
	d, several := r.target.(hv.DomUs)
	return several && r.domU() != d.DomUKinds()[0]
}

// benchmarks are those that were asked for and that the target and the
// domains can run, and those that the target refuses.
func (r *resolved) benchmarks() (all []string, refused []results.Refused, err error) {
	list, err := bench.SelectSuite(r.Suite, r.Benchmarks)
	if err != nil {
		return nil, nil, err
	}
	for _, b := range list {
		switch reason := hv.RefusedBy(r.target, b); {
		case reason != "":
			refused = append(refused, results.Refused{Benchmark: b.FullName(), Reason: reason})
		case slices.ContainsFunc(r.Domains, b.RunsIn):
			all = append(all, b.FullName())
		}
	}
	if len(all) == 0 {
		return nil, nil, refuse(FieldBenchmarks, r.Benchmarks, "target %s runs none of them in %s%s", r.target.Name(), strings.Join(r.Domains, ", "), because(refused))
	}
	return all, refused, nil
}

// because is the reason of the only benchmark that was asked for.
func because(refused []results.Refused) string {
	if len(refused) != 1 {
		return ""
	}
	return ": " + refused[0].Reason
}

// dom0Only are those of the benchmarks that only the control domain may do, domUOnly
// those that only another can.
func dom0Only(list []string) []string {
	return those(list, func(b bench.Benchmark) bool { return b.Dom0Only })
}

func domUOnly(list []string) []string {
	return those(list, func(b bench.Benchmark) bool { return b.DomUOnly })
}

func those(list []string, are func(bench.Benchmark) bool) []string {
	var all []string
	for _, name := range list {
		if b, _ := bench.Find(name); are(b) {
			all = append(all, name)
		}
	}
	return all
}
