// Package workloads is what the rest of the machine does while benchmarks run
// in it: nothing, or something that takes the processor, memory or a device. A run
// names one (bench.Plan.Workload); the agent of a domain starts it before the first
// benchmark and ends it after the last. A neighbour's workload is started by the
// domain that is not measured.
//
// The packages below are macro workloads: benchmarks whose one operation is a
// whole job of a machine, as kernbench's compilation of a kernel. They register
// themselves with package bench, as the suites of single operations do.
package workloads

import (
	"fmt"
	"slices"
	"strings"

	"xsmbench/bench"
)

// Workload is one thing that a domain may do besides the benchmarks.
type Workload struct {
	Name string
	Doc  string
	// Needs are the facilities that it uses beside bench.OS.
	Needs []bench.Facility
	// Neighbour marks what the other domain does, the one that is not measured.
	Neighbour bool
	// Same marks a neighbour's that is begun for each benchmark (Same).
	Same bool
	// CPUs is how many physical processors the machine must have; 0 if one does.
	CPUs int
	// Start begins it; nil if nothing is done, or nothing before there is a benchmark.
	// Its error is a *bench.LackError if the domain has not what it needs.
	Start func(bench.Domain) (bench.Load, error)
}

// Default is the workload of runs that name none.
const Default = "idle"

// all are the workloads, the default one first.
var all = slices.Concat(
	[]Workload{{Name: Default, Doc: "nothing"}},
	active,
	neighbours(active...),
	[]Workload{same},
)

// active are those that do something.
var active = []Workload{busy, memory, events, blockTraffic, networkTraffic}

// Find returns the workload with a name; "" is the default.
func Find(name string) (Workload, error) {
	if name == "" {
		name = Default
	}
	i := slices.IndexFunc(all, func(w Workload) bool { return w.Name == name })
	if i < 0 {
		return Workload{}, fmt.Errorf("unknown workload %q: have %s", name, strings.Join(Names(), ", "))
	}
	return all[i], nil
}

// All returns the workloads, the default one first.
func All() []Workload { return slices.Clone(all) }

// Names are those of all workloads, the default's first.
func Names() []string {
	var names []string
	for _, w := range all {
		names = append(names, w.Name)
	}
	return names
}
