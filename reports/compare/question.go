package compare

import (
	"math"

	"xsmbench/reports/stats"
)

// question is what a row is a test of: does the build do worse in this
// benchmark, here? Several units of one benchmark, ns/op and MB/s, are one thing
// measured, and so one question.
type question struct {
	Environment
	benchmark, base, build string
}

func (r *Row) question() question { return question{r.Environment, r.Benchmark, r.Base, r.Build} }

// correct fills in PHolm by Holm's method over the questions, and returns how
// many there are. In each unit every question stands with its p-value of that
// unit, or where it has none with that of its first row: so a further unit makes
// no other row's alarm harder to raise, and none of its own easier.
func correct(rows []Row) (questions int) {
	index := map[question]int{}
	var first []float64 // p-values, by question
	units := map[string][]int{}
	for i := range rows {
		r := &rows[i]
		k, ok := index[r.question()]
		switch {
		case !ok:
			index[r.question()] = len(first)
			first = append(first, r.P)
		case math.IsNaN(first[k]):
			first[k] = r.P
		}
		units[r.Unit] = append(units[r.Unit], i)
	}
	p := make([]float64, len(first))
	for _, of := range units {
		copy(p, first)
		for _, i := range of {
			p[index[rows[i].question()]] = rows[i].P
		}
		adjusted := stats.Holm(p)
		for _, i := range of {
			rows[i].PHolm = adjusted[index[rows[i].question()]]
		}
	}
	return len(first)
}

func questions(rows []Row) int {
	all := map[question]bool{}
	for i := range rows {
		all[rows[i].question()] = true
	}
	return len(all)
}
