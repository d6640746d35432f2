package merge

import (
	"maps"
	"slices"
	"strings"

	"xsmbench/results"
)

// joined is what runs say besides samples, images and settings.
type joined struct {
	host     results.Host
	any      bool
	sources  map[change]results.SourceChange
	policies map[change]results.PolicyChange
}

// change is between two builds.
type change struct{ base, build, arch string }

func (j *joined) add(run results.Run) {
	if !j.any {
		j.any, j.host = true, run.Host
		j.sources, j.policies = map[change]results.SourceChange{}, map[change]results.PolicyChange{}
	} else {
		j.host = common(j.host, run.Host)
	}
	for _, s := range run.Sources {
		if key := (change{s.Base, s.Build, s.Arch}); unknown(j.sources, key, func(c results.SourceChange) string { return c.Unknown }) {
			j.sources[key] = s
		}
	}
	for _, p := range run.Policies {
		if key := (change{p.Base, p.Build, p.Arch}); unknown(j.policies, key, func(c results.PolicyChange) string { return c.Unknown }) {
			j.policies[key] = p
		}
	}
}

// unknown reports whether nobody has told of a change, or not why it is unknown.
func unknown[C any](all map[change]C, key change, why func(C) string) bool {
	c, ok := all[key]
	return !ok || why(c) != ""
}

// common is what two machines have in common. Words that differ stand side by side, so
// that no figure seems to be of one of them; numbers that differ are not known.
func common(a, b results.Host) results.Host {
	h := results.Host{
		OS: both(a.OS, b.OS), Arch: both(a.Arch, b.Arch), Kernel: both(a.Kernel, b.Kernel), CPU: both(a.CPU, b.CPU),
		Governor: both(a.Governor, b.Governor), Virtual: both(a.Virtual, b.Virtual),
	}
	if a.CPUs == b.CPUs {
		h.CPUs = a.CPUs
	}
	if a.MemoryMB == b.MemoryMB {
		h.MemoryMB = a.MemoryMB
	}
	for name, text := range a.Mitigations {
		if b.Mitigations[name] == text {
			if h.Mitigations == nil {
				h.Mitigations = map[string]string{}
			}
			h.Mitigations[name] = text
		}
	}
	return h
}

const (
	between = " and "
	none    = "none"
)

// both are the words of two lists, each once, in alphabetical order.
func both(a, b string) string {
	if a == b {
		return a
	}
	all := map[string]bool{}
	for _, list := range []string{a, b} {
		for _, word := range strings.Split(list, between) {
			if word == "" {
				word = none
			}
			all[word] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(all)), between)
}
