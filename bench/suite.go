package bench

import (
	"fmt"
	"slices"
	"strings"
)

// Suites are the sets of benchmarks that have a name: what a run measures that
// names no benchmarks, all single operations with kernbench, and the work of a machine,
// whose windows are long and which needs devices and domains that others do without.
const (
	DefaultSuite  = "default"
	FullSuite     = "full"
	WorkloadSuite = "workloads"
)

// Suites lists their names.
func Suites() []string { return []string{DefaultSuite, FullSuite, WorkloadSuite} }

// InSuite reports whether a benchmark is in a suite. The default suite is part of the
// full one.
func (b Benchmark) InSuite(suite string) bool {
	return suite == b.Home() || suite == FullSuite && b.Home() == DefaultSuite
}

// Home is the smallest suite that has a benchmark.
func (b Benchmark) Home() string {
	switch {
	case b.Workload:
		return WorkloadSuite
	case b.Full:
		return FullSuite
	}
	return DefaultSuite
}

// Dynamic reports whether a benchmark needs programs that the dynamic linker
// begins.
func (b Benchmark) Dynamic() bool { return slices.Contains(b.Needs, DynamicPrograms) }

// SelectSuite returns the benchmarks of a suite that match a regular
// expression, in the order of All, those of the default suite before the others:
// what a guest's memory is like after scratch domains came and went can be seen in
// an mmap, and the default suite's figures are to be the same in both suites. With no
// suite, "", an expression selects among all, and the empty expression is the default
// suite.
func SelectSuite(suite, pattern string) ([]Benchmark, error) {
	if suite == "" && pattern == "" {
		suite = DefaultSuite
	}
	list, err := Select(pattern)
	if err != nil {
		return nil, err
	}
	var in []Benchmark
	for _, b := range list {
		if suite == "" || b.InSuite(suite) {
			in = append(in, b)
		}
	}
	if len(in) == 0 {
		return nil, fmt.Errorf("select benchmarks: suite %s has none that match %q; %s", suite, pattern, whereElse(list))
	}
	slices.SortStableFunc(in, func(a, b Benchmark) int { return rank(a) - rank(b) })
	return in, nil
}

func rank(b Benchmark) int { return slices.Index(Suites(), b.Home()) }

// whereElse says which suites have benchmarks.
func whereElse(list []Benchmark) string {
	var have []string
	for _, suite := range Suites() {
		n := 0
		for _, b := range list {
			if b.InSuite(suite) {
				n++
			}
		}
		if n > 0 {
			have = append(have, fmt.Sprintf("suite %s has %d", suite, n))
		}
	}
	return strings.Join(have, ", ")
}
