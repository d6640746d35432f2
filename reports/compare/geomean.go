package compare

import (
	"math"
	"slices"

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
	Exact         bool
}

func geoMeans(rows []Row, confidence float64, seed uint64) []GeoMean {
	type key struct {
		Environment
		build, unit string
	}
	var order []key
	families := map[key][]Row{}
	for _, r := range rows {
		k := key{r.Environment, r.Build, r.Unit}
		if families[k] == nil {
			order = append(order, k)
		}
		families[k] = append(families[k], r)
	}
	var all []GeoMean
	for _, k := range order {
		matched := matched(families[k])
		if len(matched) < 2 {
			continue
		}
		logs := make([][]float64, len(matched))
		for i, r := range matched {
			logs[i] = r.logs
		}
		mean, ci, err := stats.GeoMean(logs, confidence, seed)
		if err != nil {
			continue // one round has no spread
		}
		all = append(all, GeoMean{
			Environment: k.Environment, Build: k.build, Unit: k.unit,
			Ratio: math.Exp(mean), Lo: math.Exp(ci.Lo), Hi: math.Exp(ci.Hi),
			Rows: len(matched), Rounds: len(logs[0]), Left: len(families[k]) - len(matched),
			Exact: !slices.ContainsFunc(matched, func(r Row) bool { return !r.Exact }),
		})
	}
	return all
}

// matched takes the largest number of rows that have the same rounds.
func matched(rows []Row) []Row {
	var best []Row
	for _, first := range rows {
		var same []Row
		for _, r := range rows {
			if r.Paired && !r.Linear && slices.Equal(r.rounds, first.rounds) {
				same = append(same, r)
			}
		}
		if len(same) > len(best) {
			best = same
		}
	}
	return best
}
