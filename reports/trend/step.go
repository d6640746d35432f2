package trend

import (
	"slices"

	"xsmbench/hv/git"
	"xsmbench/results/history"
)

// Revised is a revision of a series.
type Revised struct {
	git.Revision
	Run string // ID of the run that has its figures; "" if none has
}

// Step is a revision with which figures changed.
type Step struct {
	Revision git.Revision
	Changes  []StepChange // in the order of the series
}

// StepChange is a figure that changed.
type StepChange struct {
	Moved
	// Runs around the change.
	Before, After history.Run
	// Or are other revisions whose change it may be: those since Before that
	// have no figures, the oldest first.
	Or []git.Revision
}

// ReadSteps reads the figures of revisions, in their order and not in that in
// which they were measured, and says which changed with which. all are the
// revisions of the range, whether they were to be measured or not.
func ReadSteps(s *history.Store, all []git.Revision, revised []Revised, opt Options) (*Trends, []Step, error) {
	return readSteps(s.Each, all, revised, opt)
}

func readSteps(each func(take func(history.Run, []history.Series) error) error, all []git.Revision, revised []Revised, opt Options) (*Trends, []Step, error) {
	type measured struct {
		run    history.Run
		series []history.Series
	}
	wanted := map[string]*measured{}
	for _, r := range revised {
		if r.Run != "" {
			wanted[r.Run] = nil
		}
	}
	err := each(func(run history.Run, series []history.Series) error {
		if _, ok := wanted[run.ID]; ok {
			wanted[run.ID] = &measured{run, series}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	p := path{Trends: New(opt), all: all, revised: revised}
	last := ""
	for i, r := range revised {
		m := wanted[r.Run]
		if m == nil || r.Run == last { // the same image is no other point
			continue
		}
		last = r.Run
		n := len(p.Runs)
		if p.Add(m.run, m.series); len(p.Runs) > n {
			p.of = append(p.of, i)
		}
	}
	p.Analyse()
	return p.Trends, p.steps(), nil
}

// path is a history in the order of revisions.
type path struct {
	*Trends
	all     []git.Revision
	revised []Revised
	of      []int // by run: the revision, an index in revised
}

// steps sorts changes by revision.
func (p *path) steps() []Step {
	byRevision := map[int]*Step{}
	for _, s := range p.Changed() {
		for _, c := range s.Changes {
			before, after := s.Points[c.Before].Run, s.Points[c.After].Run
			at := p.of[after]
			step := byRevision[at]
			if step == nil {
				step = &Step{Revision: p.revised[at].Revision}
				byRevision[at] = step
			}
			step.Changes = append(step.Changes, StepChange{Moved{s, c}, p.Runs[before], p.Runs[after], p.between(p.Runs[before].ID, at)})
		}
	}
	var steps []Step
	for i := range p.revised {
		if s := byRevision[i]; s != nil {
			steps = append(steps, *s)
		}
	}
	return steps
}

// between are the revisions after the last one that has a run's figures, and
// before another.
func (p *path) between(run string, at int) []git.Revision {
	from := at - 1
	for from > 0 && p.revised[from].Run != run {
		from--
	}
	first, last := p.place(p.revised[from].Commit)+1, p.place(p.revised[at].Commit)
	if last < first {
		return nil
	}
	return p.all[first:last]
}

// place is where a commit stands in the range; -1 for the one before it.
func (p *path) place(commit string) int {
	return slices.IndexFunc(p.all, func(r git.Revision) bool { return r.Commit == commit })
}
