package gate

import "slices"

// mostRepeated bounds the benchmarks of a run that is repeated in part: beyond
// it, the whole run is as easily repeated.
const mostRepeated = 6

// Again is the commands that measure the rows of the gravest kind there is
// again, and judge them; nil if all passes as before, or nobody knows any.
func (r *Result) Again() []string {
	gravest := r.gravest()
	if r.Repeat == nil || gravest == nil {
		return nil
	}
	var names []string
	for _, f := range gravest {
		if f.Benchmark != "" && !slices.Contains(names, f.Benchmark) {
			names = append(names, f.Benchmark)
		}
	}
	if len(names) > mostRepeated {
		names = nil
	}
	return r.Repeat(names)
}

// gravest are the regressions, or what comes next if there are none.
func (r *Result) gravest() []Finding {
	for _, some := range [][]Finding{r.With(Incomplete), r.With(Regression), r.With(Unjudged), r.With(Inconclusive), r.Improved()} {
		if len(some) > 0 {
			return some
		}
	}
	return nil
}
