package compare

import (
	"fmt"
	"maps"
	"slices"

	"xsmbench/results"
)

// Renames are the new names of builds and of benchmarks, by the old.
type Renames struct{ Builds, Benchmarks map[string]string }

// Empty reports whether nothing is renamed.
func (n Renames) Empty() bool { return len(n.Builds)+len(n.Benchmarks) == 0 }

// RenameError is a new name that is in use: two series would become one.
type RenameError struct{ What, Old, New string }

// Error says what is wrong with it.
func (e *RenameError) Error() string {
	return fmt.Sprintf("rename %s %s to %s: the run has a %s %s already", e.What, e.Old, e.New, e.What, e.New)
}

// Builds are the names in the samples, in the order of their first
// appearance.
func (s *Set) Builds() []string { return s.names(func(c Cell) string { return c.Build }) }

func (s *Set) names(of func(Cell) string) []string {
	seen := map[string]bool{}
	var all []string
	for _, c := range s.Cells() {
		if name := of(c); !seen[name] {
			seen[name] = true
			all = append(all, name)
		}
	}
	return all
}

// Targets lists the samples' targets in the order in which they appeared.
func (s *Set) Targets() []string { return s.names(func(c Cell) string { return c.Target }) }

// Rename gives builds and benchmarks the names that they have in a later run.
// Names that the input does not have are passed over.
func (in *Input) Rename(n Renames) error {
	for _, one := range []struct {
		what  string
		names map[string]string
		have  []string
	}{{"build", n.Builds, in.Samples.Builds()}, {"benchmark", n.Benchmarks, in.Samples.Benchmarks()}} {
		if err := free(one.what, one.names, one.have); err != nil {
			return err
		}
	}
	in.Samples.rename(n)
	controls := map[string]string{}
	for name, of := range in.controls {
		controls[renamed(n.Builds, name)] = renamed(n.Builds, of)
	}
	in.controls = controls
	if in.Run != nil {
		run := *in.Run
		run.Spec = renameSpec(run.Spec, n)
		in.Run = &run
	}
	return nil
}

// free refuses new names of which two would be one.
func free(what string, names map[string]string, have []string) error {
	taken := map[string]bool{}
	for _, name := range have {
		taken[name] = names[name] == ""
	}
	for _, old := range slices.Sorted(maps.Keys(names)) {
		if !slices.Contains(have, old) {
			continue
		}
		if taken[names[old]] {
			return &RenameError{what, old, names[old]}
		}
		taken[names[old]] = true
	}
	return nil
}

func renamed(names map[string]string, name string) string {
	if to, ok := names[name]; ok {
		return to
	}
	return name
}

func (s *Set) rename(n Renames) {
	for _, p := range s.parts {
		p.builds, p.benchmarks = p.builds.rename(n.Builds), p.benchmarks.rename(n.Benchmarks)
		for _, at := range p.places {
			at.rename(n)
		}
	}
}

func (r ranks) rename(names map[string]string) ranks {
	all := ranks{}
	for name, rank := range r {
		all[renamed(names, name)] = rank
	}
	return all
}

func (p *place) rename(n Renames) {
	p.build = renamed(n.Builds, p.build)
	series := map[what]*sampled{}
	for i, w := range p.order {
		b := p.series[w]
		w.benchmark = renamed(n.Benchmarks, w.benchmark)
		p.order[i], series[w] = w, b
	}
	p.series = series
}

func renameSpec(s results.Spec, n Renames) results.Spec {
	s.Builds, s.Benchmarks, s.Dom0Only, s.DomUOnly = slices.Clone(s.Builds), slices.Clone(s.Benchmarks), slices.Clone(s.Dom0Only), slices.Clone(s.DomUOnly)
	for i, b := range s.Builds {
		s.Builds[i].Kind = b.KindOf()
		s.Builds[i].Name, s.Builds[i].ControlOf = renamed(n.Builds, b.Name), renamed(n.Builds, b.ControlOf)
	}
	for _, names := range [][]string{s.Benchmarks, s.Dom0Only, s.DomUOnly} {
		for i, name := range names {
			names[i] = renamed(n.Benchmarks, name)
		}
	}
	return s
}
