// Package profile tells which hook cost what: it merges the profiles of a run's
// boots and says, for each benchmark, domain and build, which hooks were
// crossed, how often, and what they executed; what a build executes more than
// another, and where; and which hooks no benchmark crossed.
package profile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/results"
)

// ErrNone is the cause when a run has no profiles.
var ErrNone = errors.New("it has no profiles: its target, or the way it was run, does not count instructions")

// Run is the profiles of a run.
type Run struct {
	Path    string
	Target  string
	Accel   string
	Builds  []string // in the run's order
	Domains []string
	// Known are all hooks that the builds say they have, and those met.
	Known      []string
	Benchmarks []*Benchmark // by domain, then as the suite has them
	Problems   []results.Problem
	Unread     []results.Problem // those of them that are of profiles
	Images     map[string]string // hash of each build's image, in the linker's own order
	// Executed are the functions that executed in any window of a build's boots, by
	// build; parts of functions as bench.PartOf names them. Runs of before that was
	// told have those that profiles name.
	Executed map[string]map[string]bool
	Code     map[string]Code // of each build
	// Part tells that benchmarks, hooks or domains were left out.
	Part bool

	misses map[cacheAt]float64 // what a decision executes more that the cache lacks
}

// Where is where something was counted: in a domain of an architecture, with domUs of a
// kind as samples name it.
type Where struct{ Arch, DomU, Domain string }

// String is what tables call it.
func (w Where) String() string {
	words := []string{w.Arch, w.Domain}
	if w.DomU != "" {
		words = append(words, "domu="+w.DomU)
	}
	return strings.Join(words, " ")
}

// Is tells whether it is another.
func (w Where) Is(other Where) bool { return w == other }

// Places are those of the benchmarks, each once.
func (r *Run) Places() []Where {
	var all []Where
	for _, b := range r.Benchmarks {
		if !slices.Contains(all, b.Where) {
			all = append(all, b.Where)
		}
	}
	return all
}

// Benchmark is the profile of one benchmark in one place.
type Benchmark struct {
	Where
	Name  string
	Costs map[string]*Cost // by build
}

// Open reads a run's profiles, and takes those of samples that stand.
func Open(dir string) (*Run, error) {
	list, problems, err := results.ReadProfiles(dir)
	switch {
	case err != nil:
		return nil, err
	case list == nil && problems == nil: // of many samples, none need be read
		if _, err := results.ReadRun(dir); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("read profiles of %s: %w", dir, ErrNone)
	}
	c, err := results.Open(dir)
	if err != nil {
		return nil, err
	}
	r := New(c, list)
	r.Problems, r.Unread = slices.Concat(c.Problems, problems), problems
	switch {
	case len(r.Benchmarks) > 0:
		return r, nil
	case problems != nil:
		return nil, &UnreadableError{dir, problems}
	}
	return nil, fmt.Errorf("read profiles of %s: %w", dir, ErrNone)
}

// UnreadableError tells that a run has profiles, and none can be read.
type UnreadableError struct {
	Dir      string
	Problems []results.Problem // at least one
}

// Error names the first.
func (e *UnreadableError) Error() string {
	more := ""
	if n := len(e.Problems) - 1; n > 0 {
		more = fmt.Sprintf(" (and %d more)", n)
	}
	return fmt.Sprintf("read profiles of %s: none can be read: %s%s", e.Dir, e.Problems[0], more)
}

// key identifies a benchmark's profile of a boot.
type key struct {
	Where
	benchmark string
}

// New merges the profiles of a run's samples.
func New(c *results.Contents, list []results.Profile) *Run {
	r := &Run{Path: c.Path, Target: c.Run.Spec.Target, Accel: c.Run.Spec.SampleAccel(), Problems: c.Problems}
	controls := map[string]bool{} // they have the hooks of what they are controls of
	for _, b := range c.Run.Spec.Builds {
		if controls[b.Name] = b.ControlOf != ""; !controls[b.Name] && !slices.Contains(r.Builds, b.Name) {
			r.Builds = append(r.Builds, b.Name)
		}
	}
	r.Executed = executedIn(list, controls)
	boots := gather(c.Samples, ofKinds(list, c.Run.Spec))
	byKey := map[key]*Benchmark{}
	for k, of := range boots {
		b := &Benchmark{Where: k.Where, Name: k.benchmark, Costs: map[string]*Cost{}}
		for build, list := range of {
			if controls[build] {
				continue
			}
			b.Costs[build] = merge(list)
			if !slices.Contains(r.Builds, build) {
				r.Builds = append(r.Builds, build)
			}
		}
		byKey[k] = b
		r.Benchmarks = append(r.Benchmarks, b)
	}
	r.order(c.Run.Spec)
	r.know(c)
	r.misses = r.missCosts()
	return r
}

// Cost is what one operation of a benchmark executes in a build, nil if the run, which
// may be nil, does not tell.
func (r *Run) Cost(at Where, benchmark, build string) *Cost {
	if r == nil {
		return nil
	}
	for _, b := range r.Benchmarks {
		if b.Where == at && b.Name == benchmark {
			return b.Costs[build]
		}
	}
	return nil
}

// executedIn collects what builds executed; controls are left out.
func executedIn(list []results.Profile, controls map[string]bool) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for _, p := range list {
		if controls[p.Build] {
			continue
		}
		of := all[p.Build]
		if of == nil {
			of = map[string]bool{}
			all[p.Build] = of
		}
		for _, name := range p.Executed {
			of[name] = true
		}
		for _, x := range p.Paths {
			of[x.Function] = true
		}
	}
	return all
}

// boot is what one boot's sample says.
type boot struct {
	profile  bench.Profile
	inexact  []string // what the sample remarks
	measured map[string]float64
}

// ofKinds names the kind of the domUs where profiles of before they did so do not.
func ofKinds(list []results.Profile, s results.Spec) []results.Profile {
	if !s.OtherDomU {
		return list
	}
	list = slices.Clone(list)
	for i := range list {
		list[i].DomU = cmp.Or(list[i].DomU, s.DomU)
	}
	return list
}

// gather joins profiles with the samples that they are of.
func gather(samples []results.Sample, list []results.Profile) map[key]map[string][]boot {
	type place struct {
		key
		build string
		boot  int
	}
	profiles := map[place]bench.Profile{}
	for _, p := range list {
		profiles[place{key{Where{p.Arch, p.DomU, p.Domain}, p.Benchmark}, p.Build, p.Boot.Boot}] = p.Profile
	}
	boots := map[key]map[string][]boot{}
	for _, s := range samples {
		k := key{Where{s.Arch, s.DomU, s.Domain}, s.Benchmark}
		p, ok := profiles[place{k, s.Build, s.Boot.Boot}]
		if !ok || !s.Ended {
			continue
		}
		if boots[k] == nil {
			boots[k] = map[string][]boot{}
		}
		boots[k][s.Build] = append(boots[k][s.Build], bootOf(s, p))
	}
	return boots
}

func bootOf(s results.Sample, p bench.Profile) boot {
	b := boot{profile: named(p), measured: map[string]float64{}}
	for _, v := range s.Values {
		b.measured[v.Unit] = v.Value
	}
	for _, w := range s.Warnings {
		if text, ok := strings.CutPrefix(w, bench.NotExact); ok {
			b.inexact = append(b.inexact, text)
		}
	}
	return b
}

// order sorts by domain, then as the run's plan has the benchmarks.
func (r *Run) order(s results.Spec) {
	for _, b := range r.Benchmarks {
		if !slices.Contains(r.Domains, b.Domain) {
			r.Domains = append(r.Domains, b.Domain)
		}
	}
	place := func(list []string, s string) int {
		if i := slices.Index(list, s); i >= 0 {
			return i
		}
		return len(list)
	}
	slices.SortFunc(r.Domains, func(a, b string) int {
		return cmp.Or(cmp.Compare(place(s.Domains, a), place(s.Domains, b)), cmp.Compare(a, b))
	})
	domUs := s.SampleDomUs()
	slices.SortFunc(r.Benchmarks, func(a, b *Benchmark) int {
		return cmp.Or(cmp.Compare(a.Arch, b.Arch), cmp.Compare(place(domUs, a.DomU), place(domUs, b.DomU)), cmp.Compare(place(r.Domains, a.Domain), place(r.Domains, b.Domain)),
			cmp.Compare(place(s.Benchmarks, a.Name), place(s.Benchmarks, b.Name)), cmp.Compare(a.Name, b.Name))
	})
}

// know collects the hooks.
func (r *Run) know(c *results.Contents) {
	r.Images, r.Code = ImagesOf(c.Run), map[string]Code{}
	for _, img := range c.Run.Images {
		if _, known := r.Code[img.Build.Name]; !known && img.Build.Layout == 0 {
			r.Code[img.Build.Name] = codeOf(img)
		}
		r.Known = append(r.Known, img.Hooks...)
	}
	for _, b := range r.Benchmarks {
		for _, cost := range b.Costs {
			for _, h := range cost.Hooks {
				r.Known = append(r.Known, h.Name)
			}
		}
	}
	slices.Sort(r.Known)
	r.Known = slices.Compact(r.Known)
}

// ImagesOf are the hashes of a run's images, by their builds' names, with the
// architecture where there are several.
func ImagesOf(run results.Run) map[string]string {
	hashes := map[string]string{}
	for _, img := range run.Images {
		name := img.Build.Name
		if img.Build.Arch != run.Images[0].Build.Arch {
			name += " " + img.Build.Arch
		}
		if img.Build.Layout == 0 {
			hashes[name] = img.Hash
		}
	}
	return hashes
}

// Filter says what of a run to look at; empty lists are everything.
type Filter struct {
	Benchmark, Hook func(string) bool // nil for all
	Builds, Domains []string
}

// Select keeps what the filter says. With a filter of hooks, benchmarks that
// cross none of them go.
func (r *Run) Select(f Filter) {
	r.Part = r.Part || f.Benchmark != nil || f.Hook != nil || len(f.Domains) > 0
	keep := func(list []string, s string) bool { return len(list) == 0 || slices.Contains(list, s) }
	r.Builds = slices.DeleteFunc(r.Builds, func(b string) bool { return !keep(f.Builds, b) })
	r.Domains = slices.DeleteFunc(r.Domains, func(d string) bool { return !keep(f.Domains, d) })
	r.Benchmarks = slices.DeleteFunc(r.Benchmarks, func(b *Benchmark) bool {
		for build := range b.Costs {
			if !slices.Contains(r.Builds, build) {
				delete(b.Costs, build)
			}
		}
		return len(b.Costs) == 0 || !slices.Contains(r.Domains, b.Domain) ||
			f.Benchmark != nil && !f.Benchmark(b.Name) || f.Hook != nil && !b.keepHooks(f.Hook)
	})
}

// keepHooks drops other hooks, and reports whether any is left.
func (b *Benchmark) keepHooks(keep func(string) bool) bool {
	left := false
	for _, c := range b.Costs {
		c.Hooks = slices.DeleteFunc(c.Hooks, func(h Hook) bool { return !keep(h.Name) })
		left = left || len(c.Hooks) > 0
	}
	return left
}
