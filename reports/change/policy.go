package change

import (
	"slices"

	"xsmbench/hv"
	"xsmbench/results"
)

// policyOf is what the run says of the policies of two builds, in whatever order it
// compared them.
func policyOf(run *results.Run, base, build, arch string) *hv.PolicyChange {
	for _, p := range run.Policies {
		switch {
		case p.Arch != arch:
		case p.Base == base && p.Build == build:
			return &p.PolicyChange
		case p.Base == build && p.Build == base:
			back := policyBack(p.PolicyChange)
			return &back
		}
	}
	return nil
}

// policyBack is the change back.
func policyBack(c hv.PolicyChange) hv.PolicyChange {
	c.Parts = slices.Clone(c.Parts)
	for i := range c.Parts {
		p := &c.Parts[i]
		p.Before, p.After = p.After, p.Before
		p.Added, p.Removed = p.Removed, p.Added
		p.New, p.Gone = p.Gone, p.New
	}
	return c
}
