package compare

import (
	"math"
	"slices"
	"strings"

	"xsmbench/reports/stats"
)

// GeoMean is the geometric mean of a build's ratios in one environment and
// unit, over the rows that have the same rounds. It is never shown alone: a
// mean hides the row that matters.
type GeoMean struct {
	Environment
	Build, Unit   string
	Ratio, Lo, Hi float64
	Rows          int // that it covers
	Rounds        int
	Left          int // rows left out, since their rounds do not match
	// Exact tells that all rows are: then the mean is no estimate, and Lo and Hi
	// are the ratio itself.
	Exact bool
	// Inexact are rows left out since the others are exact: a mean of those is
	// the same in every run.
	Inexact int
	// Drift is the trend over the rounds of the rows' mean, which shows what
	// the noise of single rows hides.
	Drift stats.Trend
	// Crossing is the mean of those of the rows that cross a hook, nil if all
	// do or too few.
	Crossing *GeoMean
}

func geoMeans(rows []Row, confidence float64, seed uint64) []GeoMean {
	type key struct {
		Environment
		build, unit string
	}
	var order []key
	families := map[key][]Row{}
	for _, r := range rows {
		if IsVariant(r.Benchmark) {
			continue
		}
		k := key{r.Environment, r.Build, r.Unit}
		if families[k] == nil {
			order = append(order, k)
		}
		families[k] = append(families[k], r)
	}
	var all []GeoMean
	for _, k := range order {
		rows, inexact := exactOf(families[k])
		matched := matched(rows)
		g := geoMean(matched, confidence, seed)
		if g == nil {
			continue
		}
		g.Left, g.Inexact = len(rows)-len(matched), inexact
		crossing := slices.DeleteFunc(slices.Clone(matched), func(r Row) bool { return !r.Crosses })
		if len(crossing) < len(matched) {
			g.Crossing = geoMean(crossing, confidence, seed)
		}
		all = append(all, *g)
	}
	return all
}

// exactOf leaves out the rows that are not exact if most are, and says how many
// that were.
func exactOf(rows []Row) (exact []Row, left int) {
	exact = slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return !r.Exact })
	if left = len(rows) - len(exact); left > len(exact) {
		return rows, 0
	}
	return exact, left
}

// IsVariant tells an operation that was brought into a state which it does not
// meet by itself (a cold cache): "avc/state=cold/op=evtchn_status". It is a
// row of its own, and no part of a mean, in which its operation is already.
func IsVariant(benchmark string) bool { return strings.Contains(benchmark, "/state=") }

// geoMean is the mean of rows of a build that have the same rounds, nil if
// they are too few.
func geoMean(rows []Row, confidence float64, seed uint64) *GeoMean {
	if len(rows) < 2 {
		return nil
	}
	logs := make([][]float64, len(rows))
	for i, r := range rows {
		logs[i] = r.differences
	}
	mean, ci, err := stats.GeoMean(logs, rows[0].pairing.layouts, confidence, seed)
	if err != nil {
		return nil // one round has no spread
	}
	return &GeoMean{
		Environment: rows[0].Environment, Build: rows[0].Build, Unit: rows[0].Unit,
		Ratio: math.Exp(mean), Lo: math.Exp(ci.Lo), Hi: math.Exp(ci.Hi),
		Rows: len(rows), Rounds: len(logs[0]),
		Drift: driftOf(rows, len(logs[0])),
		Exact: !slices.ContainsFunc(rows, func(r Row) bool { return !r.Exact }),
	}
}

// matched takes the largest number of rows that have the same rounds.
func matched(rows []Row) []Row {
	type rounds struct {
		set roundSet
		n   int
	}
	of := func(r *Row) rounds {
		if r.pairing == nil {
			return rounds{}
		}
		return rounds{r.pairing.rounds, len(r.differences)}
	}
	count := map[rounds]int{}
	var most rounds // of those that are as many, the first
	for i := range rows {
		if r := &rows[i]; r.Paired && !r.Linear {
			count[of(r)]++
		}
	}
	for i := range rows {
		if k := of(&rows[i]); count[k] > count[most] {
			most = k
		}
	}
	return slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return !r.Paired || r.Linear || of(&r) != most })
}

// driftOf is the trend of the mean of rows that have the same rounds.
func driftOf(rows []Row, rounds int) stats.Trend {
	if rows[0].pairing.severalRuns {
		return stats.Trend{Tau: math.NaN(), P: math.NaN()}
	}
	mean := make([]float64, rounds)
	for _, r := range rows {
		for i, d := range r.residuals() {
			mean[i] += d / float64(len(rows))
		}
	}
	return stats.Drift(mean)
}
