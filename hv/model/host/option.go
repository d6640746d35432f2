package host

import (
	"fmt"
	"strings"

	"xsmbench/hv"
	"xsmbench/xsm"
)

var _ hv.Optioned = (*Target)(nil)

// commandLine is the hypervisor's.
func commandLine(b hv.Build) string { return strings.Join(b.Options, " ") }

// CheckOptions refuses what the module of a build does not read. A module from outside
// is asked when it is built.
func (*Target) CheckOptions(b hv.Build) error {
	k, err := kindOf(b)
	if err != nil || b.Module != "" {
		return err
	}
	return k.checkOptions(b)
}

// checkOptions refuses options that a build of this kind is not booted with.
func (k kind) checkOptions(b hv.Build) error {
	if len(b.Options) == 0 {
		return nil
	}
	if k.module == nil {
		return fmt.Errorf("%s: only security modules read the model's command line, and %s has none (BUILD=NAME=VALUE is for one build)", b.Options[0], k.Name)
	}
	for _, o := range b.Options {
		if p := k.module.Policy; p != nil && p.Unknown != "" && hv.OptionName(o) == p.Unknown {
			return fmt.Errorf("%s: --unknown sets it", o)
		}
	}
	about := k.module.About(commandLine(b))
	if err := checkOptions(about, b.Options); err != nil {
		return err
	}
	return checkMode(b, registered(about))
}

// checkOptions refuses what a module does not read.
func checkOptions(about xsm.About, options []string) error {
	for _, o := range options {
		if err := about.CheckOption(o); err != nil {
			return err
		}
	}
	return nil
}

// secures tells a build with a policy, or with what depends on one.
func secures(b hv.Build) bool { return b.Policy != "" || b.Label != "" || b.Unknown != "" }

// checkMode refuses a policy that nobody would load.
func checkMode(b hv.Build, k hv.Kind) error {
	if k.Mode == xsm.Disabled && secures(b) {
		return fmt.Errorf("%s disables %s: it would load no policy and know no labels (--policy and --label take BUILD=… for one of the other builds)", commandLine(b), k.Name)
	}
	return nil
}
