package trend

import (
	"slices"
	"strings"

	"xsmbench/results/history"
)

// renamed are a run's series under the names that they have now.
func (t *Trends) renamed(run history.Run, series []history.Series) []history.Series {
	if len(t.opt.Rename) == 0 {
		return series
	}
	taken := map[string]bool{}
	for _, m := range series {
		taken[m.Build], taken[m.Benchmark] = true, true
	}
	all := slices.Clone(series)
	for i := range all {
		for _, name := range []*string{&all[i].Build, &all[i].Benchmark} {
			if to, ok := t.opt.Rename[*name]; ok && !taken[to] {
				t.noteRenamed(Renamed{*name, to, run})
				*name = to
			}
		}
	}
	return all
}

func (t *Trends) noteRenamed(r Renamed) {
	i, found := slices.BinarySearchFunc(t.Renamed, r, func(a, b Renamed) int { return strings.Compare(a.Old, b.Old) })
	if found {
		t.Renamed[i] = r
		return
	}
	t.Renamed = slices.Insert(t.Renamed, i, r)
}
