package experiment

import (
	"cmp"
	"context"
	"fmt"
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
	// Arches are GOARCHes, for each of which all is built; nil for the target's
	// first.
	Arches []string
	// Builds have a name, and where they differ from the rest a kind, a
	// source, a revision, a policy and a label; the first is compared against.
	Builds []hv.Build
	// What all builds share, as far as their kinds take it. Files may be
	// relative to the working directory.
	Source, Rev, Policy string
	Tags, Kconfig       []string
	// Label and Unknown are those of hv.Build.
	Label, Unknown string
	// Options are for the command lines of all builds' hypervisors.
	Options  []string
	Packages hv.Packages
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
	if in.Arches == nil {
		in.Arches = t.Arches()[:1]
	}
	for i, arch := range in.Arches {
		switch {
		case !slices.Contains(t.Arches(), arch):
			return nil, nil, refuse(FieldArch, arch, "target %s does not have it", t.Name()).among(t.Arches())
		case slices.Contains(in.Arches[:i], arch):
			return nil, nil, refuse(FieldArch, strings.Join(in.Arches, ","), "%s twice", arch)
		}
	}
	if err := in.checkPackages(t); err != nil {
		return nil, nil, err
	}
	completed, err := in.complete(t)
	if err != nil {
		return nil, nil, err
	}
	var builds []hv.Build
	for _, arch := range in.Arches {
		builds = append(builds, ofArch(completed, arch)...)
	}
	return t, builds, nil
}

// ofArch are the builds, for an architecture.
func ofArch(builds []hv.Build, arch string) []hv.Build {
	builds = slices.Clone(builds)
	for i := range builds {
		builds[i].Arch = arch
	}
	return builds
}

// checkPackages refuses what the target takes no packages from.
func (in Inputs) checkPackages(t hv.Target) error {
	taker, takes := t.(hv.Packager)
	for _, from := range []struct {
		field Field
		value string
		check func(hv.Packager, string) error
	}{
		{FieldRelease, in.Packages.Source, hv.Packager.CheckRelease},
		{FieldGuests, in.Packages.Guests, hv.Packager.CheckRelease},
		{FieldArchive, in.Packages.Archive, hv.Packager.CheckArchive},
		{FieldToolstack, in.Packages.Toolstack, hv.Packager.CheckToolstack},
	} {
		if from.value == "" {
			continue
		}
		if !takes {
			return refuse(from.field, from.value, "target %s takes no packages of a distribution", t.Name())
		}
		if err := from.check(taker, from.value); err != nil {
			return refuse(from.field, "", "%v", err)
		}
	}
	return nil
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
		k, err := kindOf(t, b)
		if err != nil {
			return nil, err
		}
		if b.Dispatch, err = dispatchOf(k, b); err != nil {
			return nil, err
		}
		if index(builds, b.Name) >= 0 {
			return nil, refuse(FieldBuilds, spelled(in.Builds), "%q is used twice (give one of them another name)", b.Name)
		}
		if b, err = complete(b, k, common); err != nil {
			return nil, err
		}
		if err := checkOptions(t, b); err != nil {
			return nil, err
		}
		builds = append(builds, b)
		loads, configured = loads || k.Policy, configured || k.Kconfig
	}
	all := strings.Join(names(builds), ", ")
	switch {
	case len(builds) == 0:
		return nil, refuse(FieldBuilds, "", "no build")
	case in.Policy != "" && !loads:
		return nil, refuse(FieldPolicy, in.Policy, "none of the builds %s loads a policy", all)
	case in.Label != "" && !loads:
		return nil, refuse(FieldLabel, in.Label, "none of the builds %s knows labels", all)
	case in.Unknown != "" && !loads:
		return nil, refuse(FieldUnknown, in.Unknown, "none of the builds %s loads a policy", all)
	case !slices.Contains([]string{"", "reject", "deny", "allow"}, in.Unknown):
		return nil, refuse(FieldUnknown, in.Unknown, "want reject, deny or allow")
	case len(in.Kconfig) > 0 && !configured:
		return nil, refuse(FieldKconfig, in.Kconfig[0], "none of the builds %s takes Kconfig settings", all)
	}
	return builds, nil
}

// kindOf finds a build's kind: one of the target's, or a module's.
func kindOf(t hv.Target, b hv.Build) (hv.Kind, error) {
	if b.Module != "" {
		return moduleKind(t, b)
	}
	name := b.KindOf()
	var known []string
	for _, k := range t.Kinds() {
		if k.Name == name {
			return k, nil
		}
		known = append(known, k.Name)
	}
	return hv.Kind{}, &UnknownError{What: "build", Word: name, Of: "target " + t.Name(), Known: known}
}

// dispatchOf is the dispatch that a build asks for, "" for its kind's first.
func dispatchOf(k hv.Kind, b hv.Build) (string, error) {
	if _, ok := k.Reach(b.Dispatch); !ok {
		return "", refuse(FieldBuilds, b.Name, "%s", noDispatch(k, b.Dispatch))
	}
	if len(k.Dispatches) > 0 && b.Dispatch == k.Dispatches[0].Name {
		return "", nil
	}
	return b.Dispatch, nil
}

// noDispatch says what a kind has instead of a dispatch.
func noDispatch(k hv.Kind, dispatch string) string {
	if len(k.Dispatches) == 0 {
		why := ""
		if k.OneWay != "" {
			why = ", since " + k.OneWay
		}
		return fmt.Sprintf("hooks of %s are reached in one way only (%s)%s: leave out :%s", k.Name, k.Dispatch, why, dispatch)
	}
	var all []string
	for _, d := range k.Dispatches {
		all = append(all, k.Name+":"+d.Name)
	}
	return fmt.Sprintf("there is no %s:%s: use %s", k.Name, dispatch, strings.Join(all, " or "))
}

// moduleKind is the kind of a build with a module from outside.
func moduleKind(t hv.Target, b hv.Build) (hv.Kind, error) {
	taker, ok := t.(hv.Extensible)
	if !ok {
		return hv.Kind{}, refuse(FieldBuilds, b.Name, "target %s takes no modules from outside its source", t.Name())
	}
	k, err := taker.ModuleKind(b)
	if err != nil {
		return k, refuse(FieldBuilds, b.Name, "%v", err)
	}
	return k, nil
}

// common is what holds for all builds, with the files' full names.
func (in Inputs) common() (hv.Build, error) {
	b := hv.Build{Rev: in.Rev, Tags: in.Tags, Packages: in.Packages, Clean: in.Clean, Label: in.Label, Unknown: in.Unknown, Options: in.Options}
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
func complete(b hv.Build, k hv.Kind, common hv.Build) (hv.Build, error) {
	b.Tags, b.Packages, b.Clean = common.Tags, common.Packages, common.Clean
	b.Options = hv.JoinOptions(common.Options, b.Options)
	if b.Source == "" {
		b.Source = common.Source
		if b.Rev == "" {
			b.Rev = common.Rev
		}
	}
	if k.Kconfig {
		b.Kconfig = common.Kconfig
	}
	return secure(b, k, common)
}

// secure gives a build of kind k the policy and the label that it does not have of
// its own, if its kind takes some.
func secure(b hv.Build, k hv.Kind, common hv.Build) (hv.Build, error) {
	switch {
	case k.Policy:
		own, err := absolute(FieldPolicy, b.Policy)
		b.Policy, b.Label = cmp.Or(own, common.Policy), cmp.Or(b.Label, common.Label)
		b.Unknown = common.Unknown
		return b, err
	case b.Policy != "":
		return b, refuse(FieldPolicy, b.Policy, "the build %s loads no policy", b.Name)
	case b.Label != "":
		return b, refuse(FieldLabel, b.Label, "the build %s knows no labels", b.Name)
	}
	return b, nil
}

// checkOptions refuses options of a command line that a build cannot be booted with.
func checkOptions(t hv.Target, b hv.Build) error {
	if b.Options == nil {
		return nil
	}
	taker, ok := t.(hv.Optioned)
	if !ok {
		return refuse(FieldOptions, strings.Join(b.Options, " "), "target %s has no command line of a hypervisor", t.Name())
	}
	for _, o := range b.Options {
		if err := hv.CheckOption(o); err != nil {
			return refuse(FieldOptions, "", "%v", err)
		}
	}
	if err := taker.CheckOptions(b); err != nil {
		return refuse(FieldOptions, "", "build %s: %v", b.Name, err)
	}
	return nil
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

// spelled are the builds' names as they were given.
func spelled(builds []hv.Build) string {
	var all []string
	for _, b := range builds {
		all = append(all, b.Name)
	}
	return strings.Join(all, ",")
}

// index is the place of the first build with a name, -1 if there is none.
func index(builds []hv.Build, name string) int {
	return slices.IndexFunc(builds, func(b hv.Build) bool { return b.Name == name })
}

// names are those of builds, each once though it may be of several
// architectures.
func names(builds []hv.Build) []string {
	var all []string
	for _, b := range builds {
		if !slices.Contains(all, b.Name) {
			all = append(all, b.Name)
		}
	}
	return all
}
