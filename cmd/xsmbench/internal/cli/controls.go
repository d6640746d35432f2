package cli

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/spf13/pflag"

	"xsmbench/hv"
)

// relinkedFrom is how many rounds a run must have for a control that is linked
// anew: it takes turns with that of the same image, and each needs some.
const relinkedFrom = 6

// withControls adds the controls of the base to a run that compares builds, or
// that was asked for them. They share one boot per round.
func (f *runFlags) withControls(t hv.Target, fs *pflag.FlagSet, builds []hv.Build) []hv.Build {
	if !f.aa || len(builds) < 2 && !fs.Changed("aa") {
		return builds
	}
	base := builds[max(0, slices.IndexFunc(builds, func(b hv.Build) bool { return b.Name == f.base }))]
	control := base
	control.Kind, control.ControlOf = base.KindOf(), base.Name
	all := slices.Clone(builds)
	if !hasTwin(builds, base) {
		control.Name = unused(all, base.Name+"2")
		all = append(all, control)
	}
	if f.relinks(t) {
		control.Name, control.Relinked = unused(all, base.Name+"-relinked"), true
		all = append(all, control)
	}
	return all
}

// hasTwin reports whether the user has asked for the base under a second name.
func hasTwin(builds []hv.Build, base hv.Build) bool {
	return slices.ContainsFunc(builds, func(b hv.Build) bool {
		same := b
		same.Name, same.Kind = base.Name, base.Kind
		return b.Name != base.Name && b.KindOf() == base.KindOf() && reflect.DeepEqual(same, base)
	})
}

// unused is a name, with a number if it is taken.
func unused(builds []hv.Build, name string) string {
	free := name
	for n := 2; slices.ContainsFunc(builds, func(b hv.Build) bool { return b.Name == free }); n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	return free
}

// relinks reports whether a control with other layouts can be had and says
// anything: a relink changes no count.
func (f *runFlags) relinks(t hv.Target) bool {
	l, bounded := t.(hv.Layouts)
	return f.windows(t) == 0 && (f.rounds >= relinkedFrom || f.budget > 0) && (!bounded || l.MostLayouts() >= 2*max(1, f.layouts))
}

// controlsOf adds the controls among builds to a table of what they are
// controls of; a table that others have stays as it is.
func controlsOf(known map[string]string, builds []hv.Build) map[string]string {
	table := maps.Clone(known)
	for _, b := range builds {
		if b.ControlOf == "" {
			continue
		}
		if table == nil {
			table = map[string]string{}
		}
		table[b.Name] = b.ControlOf
	}
	return table
}

// measured are the builds that are no controls.
func measured(builds []hv.Build) []hv.Build {
	return slices.DeleteFunc(slices.Clone(builds), func(b hv.Build) bool { return b.ControlOf != "" })
}

// describeBuilds names builds, and their controls apart.
func describeBuilds(builds []hv.Build) string {
	text := buildNames(measured(builds))
	controls := slices.DeleteFunc(slices.Clone(builds), func(b hv.Build) bool { return b.ControlOf == "" })
	if len(controls) > 0 {
		text += ", controls " + buildNames(controls)
	}
	return text
}
