package xen

import (
	"fmt"
	"slices"
	"strings"

	"xsmbench/hv"
	"xsmbench/hv/xen/symbols"
)

var _ hv.Optioned = (*Target)(nil)

// Options that are not for builds to choose, or not freely.
const (
	chooseModule = "xsm" // xsm/xsm_core.c
	speculation  = "spec-ctrl"
	eagerSwitch  = "eager-fpu" // of speculation's
)

// CheckOptions refuses options that would undo what this package sets, and modes that
// a build's module does not have. Which others this Xen knows is found out when it is
// built.
func (*Target) CheckOptions(b hv.Build) error {
	k, err := kindOf(b)
	if err != nil {
		return err
	}
	for _, o := range b.Options {
		if err := k.checkOption(o); err != nil {
			return err
		}
	}
	m := k.mode(b.Options)
	if len(k.modes) > 0 && !m.loads && (b.Policy != "" || b.Label != "") {
		return fmt.Errorf("%s=%s loads no policy, and knows no labels (--policy and --label take BUILD=… for one of the other builds)", k.option, m.value)
	}
	return nil
}

func (k kind) checkOption(option string) error {
	name := hv.OptionName(option)
	switch {
	case slices.Contains(ownOptions(), name):
		return fmt.Errorf("%s: xsmbench sets %s itself", option, name)
	case name == speculation && strings.Contains(option, eagerSwitch):
		return fmt.Errorf("%s: xsmbench sets %s itself, where this Xen knows it", option, eagerSwitch)
	case name == chooseModule:
		return fmt.Errorf("%s: the kind of the build chooses the security module: name another one in --builds", option)
	case name == k.option:
		return k.checkMode(option)
	}
	for _, other := range kinds() {
		if other.option == name {
			return fmt.Errorf("%s: builds of kind %s know %s, and %s does not (BUILD=NAME=VALUE is for one build)", option, other.Name, name, k.Name)
		}
	}
	return nil
}

// ownOptions are the names of those that machines have.
func ownOptions() []string {
	names := []string{pinDom0}
	for _, o := range fixedOptions() {
		names = append(names, hv.OptionName(o))
	}
	return names
}

// checkMode refuses a mode that the kind does not have: Xen would panic.
func (k kind) checkMode(option string) error {
	var values []string
	for _, m := range k.modes {
		if option == k.option+"="+m.value {
			return nil
		}
		values = append(values, m.value)
	}
	return fmt.Errorf("%s: want %s=%s", option, k.option, strings.Join(values, ", "))
}

// checkKnown refuses options that an image does not know: Xen ignores them without a
// word.
func checkKnown(b hv.Build, syms string) error {
	if len(b.Options) == 0 {
		return nil
	}
	known, err := symbols.Options(syms)
	if err != nil {
		return err
	}
	for _, o := range b.Options {
		if !slices.Contains(known, hv.OptionName(o)) {
			return fmt.Errorf("option %s: this Xen knows no %s (BUILD=NAME=VALUE is for one build)", o, hv.OptionName(o))
		}
	}
	return nil
}
