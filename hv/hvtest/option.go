package hvtest

import (
	"fmt"
	"slices"
	"strings"

	"xsmbench/hv"
)

var _ hv.Optioned = (*Target)(nil)

// modeOption is the one option that machines read, if their build loads a policy.
const modeOption = "mode"

// CheckOptions refuses all but that.
func (*Target) CheckOptions(b hv.Build) error {
	for _, o := range b.Options {
		if name := hv.OptionName(o); name != modeOption || !slices.ContainsFunc(kinds, func(k kind) bool { return k.Name == b.KindOf() && k.Policy }) {
			return fmt.Errorf("it knows no option %s", name)
		}
	}
	return nil
}

// modeOf is the mode that a build's options ask for.
func modeOf(b hv.Build) string {
	mode := "enforcing"
	for _, o := range b.Options {
		mode = strings.TrimPrefix(o, modeOption+"=")
	}
	return mode
}
