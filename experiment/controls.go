package experiment

import (
	"fmt"
	"reflect"
	"slices"

	"xsmbench/hv"
)

// Controls say whether a run measures its base a second time, under other
// names, to see what the measurement gets wrong.
type Controls int

const (
	ControlsIfCompared Controls = iota // if the run compares builds
	WithControls
	WithoutControls
)

// relinkedFrom is how many rounds a run must have for a control that is linked
// anew: it takes turns with that of the same image, and each needs some.
const relinkedFrom = 6

// withControls adds the controls of the base, for each architecture. They share
// one boot per round there.
func (r *resolved) withControls(builds []hv.Build) []hv.Build {
	if r.Controls == WithoutControls || r.Controls == ControlsIfCompared && len(names(builds)) < 2 {
		return builds
	}
	var all []hv.Build
	for len(builds) > 0 {
		n := slices.IndexFunc(builds, func(b hv.Build) bool { return b.Arch != builds[0].Arch })
		if n < 0 {
			n = len(builds)
		}
		all = append(all, r.controlled(builds[:n])...)
		builds = builds[n:]
	}
	return all
}

// controlled adds the controls to the builds of one architecture.
func (r *resolved) controlled(builds []hv.Build) []hv.Build {
	base := builds[max(0, index(builds, r.Base))]
	control := base
	control.Kind, control.ControlOf = base.KindOf(), base.Name
	all := slices.Clone(builds)
	if !hasTwin(builds, base) {
		control.Name = unused(all, again(base.Name))
		all = append(all, control)
	}
	if r.relinks() {
		control.Name, control.Relinked = unused(all, base.Name+"-relinked"), true
		all = append(all, control)
	}
	return all
}

// again names a build's control of the same image. After a digit another one
// would be read as part of it: 4.20 would become 4.202.
func again(name string) string {
	if last := name[len(name)-1]; last >= '0' && last <= '9' {
		return name + "-again"
	}
	return name + "2"
}

// hasTwin reports whether the base was asked for under a second name, too.
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
	for n := 2; index(builds, free) >= 0; n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	return free
}

// relinks reports whether a control with other layouts can be had and says
// anything: a relink changes no count.
func (r *resolved) relinks() bool {
	l, bounded := r.target.(hv.Layouts)
	return r.windows == 0 && (r.rounds >= relinkedFrom || r.Budget != nil) && (!bounded || l.MostLayouts() >= 2*max(1, r.layouts))
}
