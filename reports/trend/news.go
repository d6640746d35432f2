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
	for _, s := range n.Ended {
		if t.last(s) == t.previous() {
			all = append(all, s)
		}
	}
	return all
}

// ReadNews reads a store as Read does, and what its newest run brought.
func ReadNews(s *history.Store, opt Options) (*Trends, News, error) { return readNews(s.Each, opt) }

func readNews(each func(take func(history.Run, []history.Series) error) error, opt Options) (*Trends, News, error) {
	t, before := New(opt), New(opt)
	var newest *history.Run
	var of []history.Series
	err := each(func(run history.Run, series []history.Series) error {
		n := len(t.Runs)
		t.Add(run, series)
		if len(t.Runs) == n {
			return nil
		}
		if newest != nil {
			before.Add(*newest, of)
		}
		newest, of = &run, series
		return nil
	})
	if err != nil || newest == nil {
		return t, News{}, err
	}
	t.Analyse()
	before.Analyse()
	return t, t.news(before), nil
}

func (t *Trends) news(before *Trends) News {
	n := News{Run: t.Runs[len(t.Runs)-1]}
	for _, s := range t.Series {
		switch newest := len(t.Runs) - 1; {
		case len(s.Points) == 0:
		case t.last(s) != newest && t.ofKind(s):
			n.Ended = append(n.Ended, s)
		case t.last(s) == newest && len(s.Points) == 1 && newest > 0:
			n.New = append(n.New, s)
		}
		for _, c := range s.Changes {
			if !before.shows(t, s, c) {
				n.Changes = append(n.Changes, Moved{s, c})
			}
		}
	}
	return n
}

// last is the run of a series' last point.
func (t *Trends) last(s *Series) int { return s.Points[len(s.Points)-1].Run }

// ofKind reports whether the newest run would have a series, were it still
// measured: it is of the same host, target, accelerator and so on.
func (t *Trends) ofKind(s *Series) bool {
	return slices.ContainsFunc(t.Series, func(o *Series) bool {
		return len(o.Points) > 0 && t.last(o) == len(t.Runs)-1 && o.Host == s.Host && kind(o) == kind(s)
	})
}

func kind(s *Series) compare.Environment {
	e := s.Environment
	e.Domain = ""
	return e
}

// previous is the last run before the newest that measured one of its series, or
// one of their kind; -1 for none.
func (t *Trends) previous() int {
	at := -1
	for _, s := range t.Series {
		if len(s.Points) == 0 || !t.ofKind(s) {
			continue
		}
		for _, p := range s.Points {
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

// shows reports whether a history shows another one's change: in the same series,
// to the same side, and at about the same run.
func (t *Trends) shows(of *Trends, s *Series, c Change) bool {
	i := slices.IndexFunc(t.Series, func(o *Series) bool { return o.key() == s.key() })
	if i < 0 {
		return false
	}
	return slices.ContainsFunc(t.Series[i].Changes, func(o Change) bool {
		away := t.Series[i].Points[o.After].Run - s.Points[c.After].Run
		near := -shifts <= away && away <= shifts
		if s.Exact {
			near = away == 0
		}
		return near && (o.To > o.From) == (c.To > c.From)
	})
}
