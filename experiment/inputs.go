package experiment

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"xsmbench/hv"
	"xsmbench/results"
)

// Inputs say what is built.
type Inputs struct {
	Target string
	Arch   string // a GOARCH; "" for the target's first
	// Builds have a name, and where they differ from the rest a kind, a
	// source and a revision; the first is compared against.
	Builds []hv.Build
	// What all builds share, as far as their kinds take it. Files may be
	// relative to the working directory.
	Source, Rev, Policy string
	Tags, Kconfig       []string
	// Clean asks for builds that use nothing of earlier ones.
	Clean bool
}

// FindTarget looks a target up; the error is an *UnknownError.
func FindTarget(name string) (hv.Target, error) {
	t, err := hv.Lookup(name)
	if err != nil {
		return nil, &UnknownError{What: "target", Word: name, Known: hv.Names()}
	}
	return t, nil
}

// Resolve finds the target and completes the builds.
func (in Inputs) Resolve() (hv.Target, []hv.Build, error) {
	t, err := FindTarget(in.Target)
	if err != nil {
		return nil, nil, err
	}
	if in.Arch == "" {
		in.Arch = t.Arches()[0]
	}
	if !slices.Contains(t.Arches(), in.Arch) {
		return nil, nil, refuse(FieldArch, in.Arch, "target %s does not have it", t.Name()).among(t.Arches())
	}
	builds, err := in.complete(t)
	return t, builds, err
}

// complete gives each build what holds for all, and refuses what none takes.
func (in Inputs) complete(t hv.Target) ([]hv.Build, error) {
	common, err := in.common()
	if err != nil {
		return nil, err
	}
	var builds []hv.Build
	loads, configured := false, false
	for _, b := range in.Builds {
		k, err := kindOf(t, b.KindOf())
		if err != nil {
			return nil, err
		}
		if index(builds, b.Name) >= 0 {
			return nil, refuse(FieldBuilds, strings.Join(names(in.Builds), ","), "name %q twice (give one of them another name)", b.Name)
		}
		builds = append(builds, complete(b, k, common))
		loads, configured = loads || k.Policy, configured || k.Kconfig
	}
	all := strings.Join(names(builds), ", ")
	switch {
	case len(builds) == 0:
		return nil, refuse(FieldBuilds, "", "no build")
	case in.Policy != "" && !loads:
		return nil, refuse(FieldPolicy, in.Policy, "none of the builds %s loads a policy", all)
	case len(in.Kconfig) > 0 && !configured:
		return nil, refuse(FieldKconfig, in.Kconfig[0], "none of the builds %s takes Kconfig settings", all)
	}
	return builds, nil
}

// kindOf finds one of a target's kinds of builds.
func kindOf(t hv.Target, name string) (hv.Kind, error) {
	var known []string
	for _, k := range t.Kinds() {
		if k.Name == name {
			return k, nil
		}
		known = append(known, k.Name)
	}
	return hv.Kind{}, &UnknownError{What: "build", Word: name, Of: "target " + t.Name(), Known: known}
}

// common is what holds for all builds, with the files' full names.
func (in Inputs) common() (hv.Build, error) {
	b := hv.Build{Arch: in.Arch, Rev: in.Rev, Tags: in.Tags, Clean: in.Clean}
	var err error
	if b.Source, err = absolute(FieldSource, in.Source); err != nil {
		return b, err
	}
	if b.Policy, err = absolute(FieldPolicy, in.Policy); err != nil {
		return b, err
	}
	for _, file := range in.Kconfig {
		path, err := absolute(FieldKconfig, file)
		if err != nil {
			return b, err
		}
		b.Kconfig = append(b.Kconfig, path)
	}
	return b, nil
}

// complete gives a build of kind k what holds for all builds. A directory of
// its own is built as it stands.
func complete(b hv.Build, k hv.Kind, common hv.Build) hv.Build {
	b.Arch, b.Tags, b.Clean = common.Arch, common.Tags, common.Clean
	if b.Source == "" {
		b.Source = common.Source
		if b.Rev == "" {
			b.Rev = common.Rev
		}
	}
	if k.Policy {
		b.Policy = common.Policy
	}
	if k.Kconfig {
		b.Kconfig = common.Kconfig
	}
	return b
}

// absolute makes a file's name hold from any directory; a run may be resumed
// from another one.
func absolute(f Field, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	abs, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(abs)
	}
	if err != nil {
		return "", refuse(f, "", "%v", err)
	}
	return abs, nil
}

// Images builds the inputs, each with a number of layouts, and lists the
// images.
func (in Inputs) Images(ctx context.Context, layouts int, progress func(string)) ([]hv.Image, error) {
	if layouts < 1 {
		return nil, refuse(FieldLayouts, layouts, "must be at least 1")
	}
	t, builds, err := in.Resolve()
	if err != nil {
		return nil, err
	}
	if err := checkLayouts(t, layouts); err != nil {
		return nil, err
	}
	spec := results.Spec{Target: t.Name(), Builds: builds, Rounds: layouts, Layouts: layouts}
	images, err := Build(ctx, t, spec, progress)
	if err != nil {
		return nil, err
	}
	return images.List(spec), nil
}

// index is the place of the build with a name, -1 if there is none.
func index(builds []hv.Build, name string) int {
	return slices.IndexFunc(builds, func(b hv.Build) bool { return b.Name == name })
}

func names(builds []hv.Build) []string {
	var all []string
	for _, b := range builds {
		all = append(all, b.Name)
	}
	return all
}
