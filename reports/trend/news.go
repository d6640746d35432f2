package trend

import (
	"slices"

	"xsmbench/reports/compare"
	"xsmbench/results/history"
)

// News is what the newest run brought to a history: what the runs before it did
// not show.
type News struct {
	Run history.Run // the newest
	// Changes are those that the history without the run does not show. A
	// change needs runs on both sides, so that it may have come some runs ago
	// and be sure only now.
	Changes []Moved
	// Ended are the series that runs of this kind had and the newest has not,
	// New those that no earlier run had.
	Ended, New []*Series
}

// Moved is a change of a series.
type Moved struct {
	*Series
	Change
}

// Worse reports whether the change is one to a higher cost, or to more.
func (m Moved) Worse() bool {
	v := m.Verdict(m.Change)
	return v == string(compare.Slower) || v == "more"
}

// Lapsed are the series that ended with the newest run: the run before had them.
func (n News) Lapsed(t *Trends) []*Series {
	var all []*Series
	previous := t.previous()
	for _, s := range n.Ended {
		if t.last(s) == previous {
			all = append(all, s)
		}
	}
	return all
}

// ReadNews reads a store as Read does, and what its newest run brought.
func ReadNews(s *history.Store, opt Options) (*Trends, News, error) { return readNews(s.Each, opt) }

func readNews(each func(take func(history.Run, []history.Series) error) error, opt Options) (*Trends, News, error) {
	t := New(opt)
	err := each(func(run history.Run, series []history.Series) error {
		t.Add(run, series)
		return nil
	})
	if err != nil || len(t.Runs) == 0 {
		return t, News{}, err
	}
	return t, t.News(), nil
}

// News looks for changes in what was added, as Analyse does, and for what the
// newest run brought. There must be a run.
func (t *Trends) News() News {
	before := t.before()
	t.Analyse()
	changed := map[key]bool{}
	for _, s := range t.Changed() {
		changed[s.key()] = true
	}
	// Of others there is nothing that the earlier runs may have shown already.
	before.analyse(func(s *Series) bool { return changed[s.key()] })
	return t.news(before)
}

// before is the history without its newest run. It shares the points of the
// others.
func (t *Trends) before() *Trends {
	t.settle()
	b := New(t.opt)
	b.images = t.images
	b.Runs = t.Runs[:len(t.Runs)-1]
	for _, s := range t.Series {
		points := s.Points
		if n := len(points); points[n-1].Run == len(b.Runs) {
			points = points[:n-1]
		}
		if len(points) == 0 {
			continue
		}
		k := s.key()
		o := b.series(k)
		o.Points = points[:len(points):len(points)]
		o.kept = s.kept[:min(len(points), len(s.kept))]
	}
	return b
}

func (t *Trends) news(before *Trends) News {
	n := News{Run: t.Runs[len(t.Runs)-1]}
	kinds, known := t.kinds(), map[key]*Series{}
	for _, s := range before.Series {
		known[s.key()] = s
	}
	for _, s := range t.Series {
		switch newest := len(t.Runs) - 1; {
		case len(s.Points) == 0:
		case t.last(s) != newest && kinds[kindOf(s)]:
			n.Ended = append(n.Ended, s)
		case t.last(s) == newest && len(s.Points) == 1 && newest > 0:
			n.New = append(n.New, s)
		}
		for _, c := range s.Changes {
			if o := known[s.key()]; o == nil || !o.shows(s, c) {
				n.Changes = append(n.Changes, Moved{s, c})
			}
		}
	}
	return n
}

// last is the run of a series' last point.
func (t *Trends) last(s *Series) int { return s.Points[len(s.Points)-1].Run }

// kind is what series have in common that one run would have.
type kind struct {
	host string
	compare.Environment
}

func kindOf(s *Series) kind {
	e := s.Environment
	e.Domain = ""
	return kind{s.Host, e}
}

// kinds are those of the newest run's series. A series of another kind is not one
// that the run would have: it is of another host, target, accelerator and so on.
func (t *Trends) kinds() map[kind]bool {
	all := map[kind]bool{}
	for _, s := range t.Series {
		if len(s.Points) > 0 && t.last(s) == len(t.Runs)-1 {
			all[kindOf(s)] = true
		}
	}
	return all
}

// previous is the last run before the newest that measured one of its series, or
// one of their kind; -1 for none.
func (t *Trends) previous() int {
	at, kinds := -1, t.kinds()
	for _, s := range t.Series {
		if len(s.Points) == 0 || !kinds[kindOf(s)] {
			continue
		}
		for _, p := range s.Points[max(0, len(s.Points)-2):] { // they are in order
			if p.Run < len(t.Runs)-1 {
				at = max(at, p.Run)
			}
		}
	}
	return at
}

// shifts are the runs by which the place of a change may move when there is one
// run more.
const shifts = 2

// shows reports whether the series as it was shows a change that it shows now: to
// the same side, and at about the same run.
func (s *Series) shows(now *Series, c Change) bool {
	return slices.ContainsFunc(s.Changes, func(o Change) bool {
		away := s.Points[o.After].Run - now.Points[c.After].Run
		near := -shifts <= away && away <= shifts
		if now.Exact {
			near = away == 0
		}
		return near && (o.To > o.From) == (c.To > c.From)
	})
}
