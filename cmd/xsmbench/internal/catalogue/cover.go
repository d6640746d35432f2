package catalogue

import (
	"fmt"
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/hv"
)

// Cover is a smallest set of benchmarks of targets that crosses every hook that
// any of their benchmarks crosses. A hook counts as crossed if the benchmark
// says how often.
type Cover struct {
	Hooks      int       `json:"hooks"`     // of the table, the target or the run
	Counted    bool      `json:"counted"`   // by the run
	Crossed    int       `json:"crossed"`   // by the set, and by all benchmarks
	Uncrossed  []string  `json:"uncrossed"` // by any benchmark
	Benchmarks []Covered `json:"benchmarks"`
}

// Covered is a benchmark of the set.
type Covered struct {
	Name  string   `json:"name"`
	Hooks []string `json:"hooks"`
}

// NewCover finds the set for the hooks of a run, as it counted them; without one, for
// those of the target, or of Xen 3.2, as the benchmarks declare them.
func NewCover(targets []hv.Target, run *Run) Catalogue {
	hooks := listHooks(targets, surely(listBenchmarks(targets)), run)
	var names []string
	at := map[string]set{}
	c := &Cover{Hooks: len(hooks), Counted: run != nil, Uncrossed: []string{}}
	for _, h := range hooks {
		if len(h.Benchmarks) == 0 {
			c.Uncrossed = append(c.Uncrossed, h.Name)
			continue
		}
		c.Crossed++
		for _, b := range h.Benchmarks {
			if at[b] == nil {
				at[b] = set{}
				names = append(names, b)
			}
			at[b][h.Name] = true
		}
	}
	sortAsSuite(names)
	sets := make([]set, len(names))
	for i, n := range names {
		sets[i] = at[n]
	}
	for _, i := range smallestCover(sets) {
		c.Benchmarks = append(c.Benchmarks, Covered{names[i], sets[i].sorted()})
	}
	return Catalogue{Cover: c, Run: run}
}

// surely leaves benchmarks the hooks that each crosses whatever comes before.
func surely(benchmarks []Benchmark) []Benchmark {
	for i, b := range benchmarks {
		benchmarks[i].Hooks = slices.DeleteFunc(slices.Clone(b.Hooks), func(c Crossing) bool { return c.PerOp == 0 })
	}
	return benchmarks
}

// sortAsSuite puts benchmarks into the order in which they are measured.
func sortAsSuite(names []string) {
	at := map[string]int{}
	for i, b := range bench.All() {
		at[b.FullName()] = i
	}
	slices.SortFunc(names, func(a, b string) int { return at[a] - at[b] })
}

func (c *Cover) title() string {
	how := "as the benchmarks declare"
	if c.Counted {
		how = "as counted"
	}
	s := fmt.Sprintf("%d benchmarks cross %d of %d hooks, %s; no smaller set does", len(c.Benchmarks), c.Crossed, c.Hooks, how)
	if len(c.Uncrossed) > 0 {
		s += "; no benchmark crosses " + strings.Join(c.Uncrossed, ", ")
	}
	return s
}

// set is a set of hooks by name.
type set map[string]bool

func (s set) sorted() []string {
	var list []string
	for name := range s {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func (s set) within(t set) bool {
	for name := range s {
		if !t[name] {
			return false
		}
	}
	return true
}

// without is what t leaves of s.
func (s set) without(t set) set {
	left := set{}
	for name := range s {
		if !t[name] {
			left[name] = true
		}
	}
	return left
}

// smallestCover returns the indices of as few sets as cover all that any covers,
// rising; of several such choices, that of the first sets. It searches: take the
// element that the fewest sets have, and try each of them. What is left of a set
// that lies within what is left of another need not be tried, so that little is
// left to search in a list like the benchmarks'.
func smallestCover(sets []set) []int {
	s := search{best: nil}
	s.try(sets, nil)
	slices.Sort(s.best)
	return s.best
}

type search struct {
	best  []int
	found bool
}

func (s *search) try(sets []set, chosen []int) {
	sets = undominated(sets)
	rare := rarest(sets)
	switch {
	case rare == nil:
		s.best, s.found = slices.Clone(chosen), true
		return
	case s.found && len(chosen)+1 >= len(s.best):
		return
	}
	for _, i := range rare {
		rest := make([]set, len(sets))
		for j := range sets {
			rest[j] = sets[j].without(sets[i])
		}
		s.try(rest, append(chosen, i))
	}
}

// undominated empties the sets that lie within another; of equal ones the first
// stays.
func undominated(sets []set) []set {
	kept := slices.Clone(sets)
	for i, s := range sets {
		for j, t := range sets {
			if i != j && len(kept[j]) > 0 && s.within(t) && (len(s) < len(t) || j < i) {
				kept[i] = nil
				break
			}
		}
	}
	return kept
}

// rarest are the indices of the sets that have the element which the fewest
// have, nil if no set has any; of several such elements, that of the first by
// name.
func rarest(sets []set) []int {
	having := map[string][]int{}
	all := set{}
	for i, s := range sets {
		for name := range s {
			having[name] = append(having[name], i)
			all[name] = true
		}
	}
	var rare []int
	for _, name := range all.sorted() {
		if list := having[name]; rare == nil || len(list) < len(rare) {
			rare = list
		}
	}
	return rare
}
