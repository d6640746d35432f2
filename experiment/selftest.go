package experiment

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"

	"xsmbench/hv"
	"xsmbench/results"
)

// beside are benchmarks that do not cross the hook, or others as well: what is
// put into the hook must not be seen there.
const beside = `Kbench/hypercall/op=(xen_version|evtchn_send_peer|evtchn_alloc_close)$`

// Selftest puts known work into one hook of a target, and measures builds with
// it and without. Whether the work is found is for others to say.
type Selftest struct {
	Target string
	Trees  string // directory for copies of the source
	Runs   string // directory for the runs
	// TimedRounds is how often delays are booted; each round has another
	// layout.
	TimedRounds int

	Criteria *results.Criteria // as a Question's
	Tool     string
	Command  []string
}

// Injected is a build with work in a hook.
type Injected struct {
	Build string
	Work  hv.Work
}

// InjectedRun is what was measured of builds with work in a hook.
type InjectedRun struct {
	Path   string
	Base   string     // the build without work
	Builds []Injected // the others
}

// Injection says where the target takes work.
func (s Selftest) Injection() (hv.Injection, error) {
	i, err := s.injector()
	if err != nil {
		return hv.Injection{}, err
	}
	if s.TimedRounds < 2 || s.TimedRounds > 1000 {
		return hv.Injection{}, refuse(FieldRounds, s.TimedRounds, "must be from 2 to 1000")
	}
	return i.Injection(), nil
}

func (s Selftest) injector() (hv.Injector, error) {
	t, err := FindTarget(s.Target)
	if err != nil {
		return nil, err
	}
	injector, ok := t.(hv.Injector)
	if !ok {
		return nil, fmt.Errorf("selftest: target %s cannot be given work in a hook", t.Name())
	}
	return injector, nil
}

// Count counts builds with more and more instructions in the hook.
func (s Selftest) Count(ctx context.Context, a Attendant) (InjectedRun, error) {
	in, err := s.Injection()
	if err != nil {
		return InjectedRun{}, err
	}
	q := s.question("counted", in)
	q.Accel, q.Controls = in.Accel, WithoutControls
	return s.measure(ctx, a, q, "count", works(false, in.Instructions))
}

// Time times builds with longer and longer delays in the hook, the last of
// them one that nothing hides.
func (s Selftest) Time(ctx context.Context, a Attendant) (InjectedRun, error) {
	in, err := s.Injection()
	if err != nil {
		return InjectedRun{}, err
	}
	q := s.question("timed", in)
	q.Quick, q.Rounds = true, &s.TimedRounds
	return s.measure(ctx, a, q, "delay", works(true, append(slices.Clone(in.Delays), in.Long)))
}

// question asks for the benchmark that crosses the hook and for those beside it.
func (s Selftest) question(run string, in hv.Injection) Question {
	return Question{
		Inputs: Inputs{Target: s.Target}, Benchmarks: "^(" + regexp.QuoteMeta(in.Benchmark) + "$|" + beside + ")",
		Criteria: s.Criteria, Output: filepath.Join(s.Runs, run), Tool: s.Tool, Command: s.Command,
	}
}

func works(delay bool, amounts []int) []hv.Work {
	var all []hv.Work
	for _, n := range amounts {
		all = append(all, hv.Work{Delay: delay, Amount: n})
	}
	return all
}

// measure makes a build without work and one with each amount of it, named
// after the amount, and measures them all.
func (s Selftest) measure(ctx context.Context, a Attendant, q Question, prefix string, works []hv.Work) (InjectedRun, error) {
	injector, err := s.injector()
	if err != nil {
		return InjectedRun{}, err
	}
	none := hv.Work{Delay: works[0].Delay}
	r := InjectedRun{Path: q.Output, Base: buildWith(prefix, none)}
	for _, w := range append([]hv.Work{none}, works...) {
		name := buildWith(prefix, w)
		b, err := injector.Inject(ctx, w, filepath.Join(s.Trees, name), a.Building)
		if err != nil {
			return r, err
		}
		q.Builds = append(q.Builds, hv.Build{Name: name, Kind: b.KindOf(), Source: b.Source})
		if w != none {
			r.Builds = append(r.Builds, Injected{name, w})
		}
	}
	return r, measured(ctx, q, a)
}

func buildWith(prefix string, w hv.Work) string { return fmt.Sprintf("%s%d", prefix, w.Amount) }

// measured runs a question as a whole: with a boot missing it says nothing.
func measured(ctx context.Context, q Question, a Attendant) (err error) {
	session, err := Begin(q)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	out, err := session.Run(ctx, a, nil)
	if err == nil && !out.Complete() {
		err = fmt.Errorf("selftest: %d of %d boots failed", out.Boots-out.Done, out.Boots)
	}
	return err
}
