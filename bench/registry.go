package bench

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"

	edlib "github.com/hbollon/go-edlib"
)

var (
	registered []Benchmark
	byName     = map[string]int{} // FullName to index in registered
)

var (
	suitePattern = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	namePattern  = regexp.MustCompile(`^[a-z][A-Za-z0-9_.+=-]*(/[A-Za-z0-9_.+=-]+)*$`)
	unitPattern  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9/-]*$`)
	// procsSuffix is what readers of Go's format take for GOMAXPROCS.
	procsSuffix = regexp.MustCompile(`-[0-9]+$`)
)

// Register adds a benchmark; it is called from init functions. It panics if
// the benchmark is malformed or its name is taken, since that is a mistake in
// the program.
func Register(b Benchmark) {
	if err := check(b); err != nil {
		panic(fmt.Sprintf("register benchmark %q: %v", b.FullName(), err))
	}
	byName[b.FullName()] = len(registered)
	registered = append(registered, b)
}

// check states what every benchmark fulfils.
func check(b Benchmark) error {
	switch {
	case !suitePattern.MatchString(b.Suite):
		return fmt.Errorf("suite is not a capitalised word")
	case !namePattern.MatchString(b.Name):
		return fmt.Errorf("name does not fit Go's benchmark format")
	case procsSuffix.MatchString(b.Name):
		return fmt.Errorf("name ends in what Go's benchmark format takes for a number of processors")
	case b.Doc == "" || b.Source == "":
		return fmt.Errorf("no Doc or no Source")
	case b.Run != nil && !unitPattern.MatchString(b.Unit):
		return fmt.Errorf("unit %q does not fit Go's benchmark format", b.Unit)
	case b.Run == nil && b.Unit != "ns/op" && b.Unit != "MB/s":
		return fmt.Errorf("unit %q is neither ns/op nor MB/s", b.Unit)
	case b.Unit == "MB/s" && b.Bytes <= 0:
		return fmt.Errorf("unit MB/s without Bytes")
	case count(b.Setup != nil, b.Intervals != nil, b.Run != nil) != 1:
		return fmt.Errorf("exactly one of Setup, Intervals and Run is needed")
	case b.Job != nil && (b.Run == nil || b.Job.Intervals == nil || b.Job.Windows < 1):
		return fmt.Errorf("a Job without Run, without Intervals or without windows")
	case b.Dom0Only && b.DomUOnly:
		return fmt.Errorf("for dom0 alone and for domU alone")
	case b.Credit != nil && b.Baseline == nil:
		return fmt.Errorf("a credit without a baseline")
	case b.Ops < 0:
		return fmt.Errorf("negative Ops")
	}
	if _, ok := byName[b.FullName()]; ok {
		return fmt.Errorf("already registered")
	}
	return nil
}

func count(conditions ...bool) int {
	n := 0
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

// All returns the registered benchmarks: suites by name, and within a suite
// the order in which they were registered.
func All() []Benchmark {
	list := slices.Clone(registered)
	sort.SliceStable(list, func(i, j int) bool { return list[i].Suite < list[j].Suite })
	return list
}

// Find returns the benchmark with a full name; a leading "Benchmark", as
// results have it, is ignored.
func Find(fullName string) (Benchmark, bool) {
	i, ok := byName[strings.TrimPrefix(fullName, "Benchmark")]
	if !ok {
		return Benchmark{}, false
	}
	return registered[i], true
}

// UnknownError says that no benchmark has a name or matches an expression.
type UnknownError struct {
	Pattern string
	Near    []string // names that resemble it, the best first
}

// Error names what was looked for and what comes near.
func (e *UnknownError) Error() string {
	s := fmt.Sprintf("select benchmarks: nothing matches %q", e.Pattern)
	if len(e.Near) > 0 {
		s += "; did you mean " + strings.Join(e.Near, " or ") + "?"
	}
	return s
}

// Select returns the benchmarks whose full name matches the regular
// expression somewhere, in the order of All; the empty expression matches
// all. It fails with an *UnknownError if there are none.
func Select(pattern string) ([]Benchmark, error) {
	re, err := regexp.Compile(strings.TrimPrefix(pattern, "Benchmark"))
	if err != nil {
		return nil, fmt.Errorf("select benchmarks: %w", err)
	}
	var list []Benchmark
	for _, b := range All() {
		if re.MatchString(b.FullName()) {
			list = append(list, b)
		}
	}
	if len(list) == 0 {
		return nil, &UnknownError{Pattern: pattern, Near: near(pattern)}
	}
	return list, nil
}

// near returns up to three names that resemble the pattern: an edit distance
// of at most a third of the pattern from the name or from a part of it.
func near(pattern string) []string {
	type candidate struct {
		name     string
		distance int
	}
	var found []candidate
	want := strings.ToLower(strings.Trim(pattern, "^$"))
	for _, b := range All() {
		best := edlib.OSADamerauLevenshteinDistance(want, strings.ToLower(b.FullName()))
		for _, part := range parts(strings.ToLower(b.FullName())) {
			best = min(best, edlib.OSADamerauLevenshteinDistance(want, part))
		}
		if best <= max(1, len(want)/3) {
			found = append(found, candidate{b.FullName(), best})
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return found[i].distance < found[j].distance })
	var names []string
	for _, c := range found[:min(3, len(found))] {
		names = append(names, c.name)
	}
	return names
}

// parts cuts a full name as people abbreviate it: with and without the suite,
// elements, and values of key=value.
func parts(name string) []string {
	_, short, _ := strings.Cut(name, "/")
	list := append(strings.Split(name, "/"), short)
	for _, p := range strings.Split(name, "/") {
		if _, value, ok := strings.Cut(p, "="); ok {
			list = append(list, value)
		}
	}
	return list
}
