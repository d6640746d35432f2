package results

import (
	"fmt"
	"slices"
	"strings"

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

// SampleDomUs are the kinds of the domUs as samples name them: the one that the target
// takes if nothing was said is "".
func (s *Spec) SampleDomUs() []string {
	first := ""
	if s.OtherDomU {
		first = s.DomU
	}
	return append([]string{first}, s.MoreDomUs...)
}

// DomUKinds are the kinds of the domUs by their names; nil where the target has no kinds.
func (s *Spec) DomUKinds() []string {
	if s.DomU == "" {
		return nil
	}
	return append([]string{s.DomU}, s.MoreDomUs...)
}

// SampleAccel is what samples say of what executes the machine: its accelerator and, if
// they are not the target's own, how many processors it has.
func (s *Spec) SampleAccel() string {
	if s.CPUs == 0 {
		return s.Accel
	}
	return strings.TrimSpace(fmt.Sprintf("%s cpus=%d", s.Accel, s.CPUs))
}
