package gate

import (
	"fmt"
	"maps"
	"strings"

	"xsmbench/results"
)

// machines lists in what the machines of two runs differ, as far as times
// depend on it. Where a run is not known there is nothing to compare.
func (r *Result) machines() []string {
	if r.Run == nil || r.Before == nil {
		return nil
	}
	return differences(r.Before.Host, r.Run.Host)
}

// differences are those that make a time another time: the processor, how
// many, and what lies below.
func differences(before, now results.Host) []string {
	var all []string
	differ := func(what, a, b string) {
		if a != b {
			all = append(all, fmt.Sprintf("%s %s, previously %s", what, orNone(b), orNone(a)))
		}
	}
	differ("processor", before.CPU, now.CPU)
	differ("number of processors", fmt.Sprint(before.CPUs), fmt.Sprint(now.CPUs))
	differ("architecture", before.Arch, now.Arch)
	differ("system", before.OS, now.OS)
	differ("virtual machine of", before.Virtual, now.Virtual)
	return all
}

// drifts are differences that may change times a little.
func drifts(before, now results.Host) []string {
	var all []string
	if before.Kernel != now.Kernel {
		all = append(all, fmt.Sprintf("kernel %s, previously %s", orNone(now.Kernel), orNone(before.Kernel)))
	}
	if before.Governor != now.Governor {
		all = append(all, fmt.Sprintf("governor %s, previously %s", orNone(now.Governor), orNone(before.Governor)))
	}
	if !maps.Equal(before.Mitigations, now.Mitigations) {
		all = append(all, "mitigations differ")
	}
	return all
}

func orNone(s string) string {
	if strings.TrimSpace(s) == "" {
		return "none"
	}
	return s
}
