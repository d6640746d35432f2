package bench

import (
	"fmt"
	"slices"
	"strings"
)

// Suites are the sets of benchmarks that have a name: what a run measures that
// names no benchmarks, and all that there are.
const (
	DefaultSuite = "default"
	FullSuite    = "full"
)

// Suites lists their names.
func Suites() []string { return []string{DefaultSuite, FullSuite} }

// InSuite reports whether a benchmark is in a suite. The full suite has all; the
// default one leaves out what is marked Full.
func (b Benchmark) InSuite(suite string) bool {
	return suite == FullSuite || !b.Full
}

// Dynamic reports whether a benchmark needs programs that the dynamic linker
// begins.
func (b Benchmark) Dynamic() bool { return b.CLibrary && strings.HasSuffix(b.Name, "/process=dynamic") }

// SelectSuite returns the benchmarks of a suite that match a regular
// expression, in the order of All, those of the default suite before the others:
// what a guest's memory is like after scratch domains came and went can be seen in
// an mmap, and the default suite's figures are to be the same in both suites. With no
// suite, "", an expression selects among all, and the empty expression is the default
// suite.
func SelectSuite(suite, pattern string) ([]Benchmark, error) {
	if suite == "" {
		suite = FullSuite
		if pattern == "" {
			suite = DefaultSuite
		}
	}
	list, err := Select(pattern)
	if err != nil {
		return nil, err
	}
	var in []Benchmark
	for _, b := range list {
		if b.InSuite(suite) {
			in = append(in, b)
		}
	}
	if len(in) == 0 {
		return nil, fmt.Errorf("select benchmarks: suite %s has none that match %q; suite %s has %d", suite, pattern, FullSuite, len(list))
	}
	slices.SortStableFunc(in, func(a, b Benchmark) int { return rank(a) - rank(b) })
	return in, nil
}

func rank(b Benchmark) int {
	if b.Full {
		return 1
	}
	return 0
}
