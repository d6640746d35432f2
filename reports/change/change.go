// Package change says what was changed between two builds of one kind, and what of
// it was measured: the files of the source and the options of the configuration that
// differ, the functions of the image that do, which of them a benchmark executed, and
// which hooks and functions explain what an operation costs more or less. A row of no
// difference says nothing of code that no benchmark executes.
package change

import (
	"cmp"
	"slices"
	"strings"

	"xsmbench/hv"
	"xsmbench/reports/profile"
	"xsmbench/results"
)

// Side is one of two builds: a run that measured it, and its name there.
type Side struct {
	Run   *results.Run
	Dir   string // of the run
	Build string
	Arch  string
	// Profile is the run's; nil if it has none.
	Profile *profile.Run
}

// Change is what was changed between two builds.
type Change struct {
	Base, Build string
	Arch        string
	Kind        string // of both
	// Earlier tells that the base is the same build of an earlier run.
	Earlier bool
	// Source is nil if the runs do not tell.
	Source *hv.SourceChange
	// Policy is nil if both enforce one policy, or the runs do not tell.
	Policy *hv.PolicyChange
	// Config are the options that differ, "NAME: a → b", and Options those of the
	// hypervisors' command lines.
	Config    []string
	Options   []string
	Functions Functions
	// Gone are hooks that an operation crossed in the base, and does not cross in
	// the build; New are the opposite.
	Gone, New []profile.Crossed
	// Hooks are those whose cost of a call changed, and Movers what changed
	// outside of them, over all domains; only where it is exact.
	Hooks  []profile.HookChange
	Movers []profile.Mover
}

// Of are the changes of a run's builds against a base that is one of them. Builds of
// other kinds than the base's, of its image, and controls have none.
func Of(run *results.Run, dir, base string, r *profile.Run) []Change {
	if run == nil {
		return nil
	}
	var all []Change
	for _, b := range run.Spec.Measured() {
		if b.Name == base {
			continue
		}
		c := Between(Side{run, dir, base, b.Arch, r}, Side{run, dir, b.Name, b.Arch, r})
		if c != nil {
			all = append(all, *c)
		}
	}
	return all
}

// Since are the changes of a run's builds since an earlier run.
func Since(earlier, now Side) []Change {
	if earlier.Run == nil || now.Run == nil {
		return nil
	}
	var all []Change
	for _, b := range now.Run.Spec.Measured() {
		earlier.Build, now.Build, earlier.Arch, now.Arch = b.Name, b.Name, b.Arch, b.Arch
		if c := Between(earlier, now); c != nil {
			c.Earlier = true
			all = append(all, *c)
		}
	}
	return all
}

// Between is nil if the builds are not of one kind and dispatch, or are the same
// image.
func Between(base, build Side) *Change {
	before, after := base.image(), build.image()
	if before == nil || after == nil || before.Hash == after.Hash || before.Build.KindOf() != after.Build.KindOf() || before.Build.Dispatch != after.Build.Dispatch {
		return nil
	}
	c := &Change{
		Base: base.Build, Build: build.Build, Arch: build.Arch, Kind: after.Build.KindOf(),
		Config: configChanges(before.Config, after.Config), Options: optionChanges(before.Build.Options, after.Build.Options),
		Functions: functionsOf(base, build),
	}
	if base.Run == build.Run && before.Path == after.Path && before.Path != "" {
		c.Functions = Functions{Counted: true} // one program, with two policies or command lines
	}
	if base.Run == build.Run {
		c.Source = sourceOf(build.Run, base.Build, build.Build, build.Arch)
		c.Policy = policyOf(build.Run, base.Build, build.Build, build.Arch)
	}
	if base.Profile != nil && base.Profile == build.Profile {
		c.explain(build.Profile)
	}
	return c
}

// image is the build's, in the linker's own order.
func (s Side) image() *hv.Image {
	i := slices.IndexFunc(s.Run.Images, func(img hv.Image) bool {
		return img.Build.Name == s.Build && img.Build.Arch == s.Arch && img.Build.Layout == 0
	})
	if i < 0 {
		return nil
	}
	return &s.Run.Images[i]
}

// sourceOf is what the run says of two builds, in whatever order it compared them.
func sourceOf(run *results.Run, base, build, arch string) *hv.SourceChange {
	for _, s := range run.Sources {
		switch {
		case s.Arch != arch:
		case s.Base == base && s.Build == build:
			return &s.SourceChange
		case s.Base == build && s.Build == base:
			back := turned(s.SourceChange)
			return &back
		}
	}
	return nil
}

// turned is the change back.
func turned(c hv.SourceChange) hv.SourceChange {
	c.Added, c.Removed = c.Removed, c.Added
	c.Files = slices.Clone(c.Files)
	for i := range c.Files {
		f := &c.Files[i]
		f.Added, f.Removed = f.Removed, f.Added
		switch f.State {
		case hv.FileNew:
			f.State = hv.FileGone
		case hv.FileGone:
			f.State = hv.FileNew
		}
	}
	return c
}

// configChanges compares configurations, which are words of the form NAME=value. What
// names the source is no option.
func configChanges(before, after string) []string {
	was, is := options(before), options(after)
	var all []string
	for name, v := range was {
		if w, ok := is[name]; !ok || w != v {
			all = append(all, name+": "+v+" → "+cmp.Or(w, unset))
		}
	}
	for name, v := range is {
		if _, ok := was[name]; !ok {
			all = append(all, name+": "+unset+" → "+v)
		}
	}
	slices.Sort(all)
	return all
}

// unset is the value of an option that is not set.
const unset = "n"

func options(config string) map[string]string {
	all := map[string]string{}
	for _, word := range words(config) {
		if name, value, ok := strings.Cut(word, "="); ok && name != "source" {
			all[name] = value
		}
	}
	return all
}

// words splits at spaces, but not within quotation marks.
func words(s string) []string {
	quoted := false
	return strings.FieldsFunc(s, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
}
