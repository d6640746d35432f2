package results

import (
	"slices"

	"xsmbench/hv"
)

// Measured are the builds that are measured for their own sake.
func (s *Spec) Measured() []hv.Build {
	return slices.DeleteFunc(slices.Clone(s.Builds), func(b hv.Build) bool { return b.ControlOf != "" })
}

// Controls are the builds that are others once more.
func (s *Spec) Controls() []hv.Build {
	return slices.DeleteFunc(slices.Clone(s.Builds), func(b hv.Build) bool { return b.ControlOf == "" })
}
