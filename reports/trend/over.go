package trend

import "xsmbench/reports/compare"

// over replaces each build's series by its cost as a multiple of the base's in
// the same run. What moves both (a kernel, a warmer day) cancels: a change is
// one of the build against the base. Builds that never ran beside the base
// have no such series.
func (t *Trends) over(base string) {
	var all []*Series
	for _, s := range t.Series {
		k := s.key()
		k.build = base
		b := t.index[k]
		if s.Build == base || b == nil {
			continue
		}
		if o := s.against(b, t.images); len(o.Points) > 0 {
			all = append(all, o)
		}
	}
	t.Series = all
	t.keepRuns()
}

// against pairs a build's points with the base's, run by run.
func (s *Series) against(base *Series, images *imageLists) *Series {
	o := &Series{Host: s.Host, Environment: s.Environment, Benchmark: s.Benchmark, Build: s.Build, Unit: s.Unit, Over: base.Build}
	at := map[int]int{}
	for i, p := range base.Points {
		at[p.Run] = i
	}
	for k, p := range s.Points {
		i, ok := at[p.Run]
		if !ok {
			continue
		}
		pairs := ratios(base.kept[i], s.kept[k], compare.IsRate(s.Unit))
		if len(pairs) == 0 {
			continue
		}
		b := base.Points[i]
		o.Points = append(o.Points, Point{Run: p.Run, Exact: p.Exact && b.Exact, Images: images.both(b.Images, p.Images)})
		o.kept = append(o.kept, pairs)
	}
	return o
}

// ratios are the costs of a build's boots as multiples of those of the base in
// the same round. Boots without a partner tell nothing; values that are not
// above 0 have no ratio.
func ratios(base, build []boot, rate bool) []boot {
	var all []boot
	of := byRound(base)
	for _, b := range build {
		partners := of[b.round]
		if len(partners) == 0 {
			continue
		}
		// A round holds one boot of a build, but for runs put together.
		of[b.round] = partners[1:]
		x, y := partners[0].value, b.value
		if rate {
			x, y = y, x
		}
		if x > 0 && y > 0 {
			all = append(all, boot{b.round, y / x})
		}
	}
	return all
}

func byRound(boots []boot) map[int][]boot {
	of := map[int][]boot{}
	for _, b := range boots {
		of[b.round] = append(of[b.round], b)
	}
	return of
}

// keepRuns drops the runs that no series has a point in.
func (t *Trends) keepRuns() {
	used := map[int]bool{}
	for _, s := range t.Series {
		for _, p := range s.Points {
			used[p.Run] = true
		}
	}
	now := make([]int, len(t.Runs))
	kept := t.Runs[:0:0]
	for i, r := range t.Runs {
		if now[i] = len(kept); used[i] {
			kept = append(kept, r)
		}
	}
	t.Runs = kept
	for _, s := range t.Series {
		for i := range s.Points {
			s.Points[i].Run = now[s.Points[i].Run]
		}
	}
}
