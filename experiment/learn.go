package experiment

import (
	"slices"
	"time"

	"xsmbench/hv"
	"xsmbench/results"
)

// Experience is how much longer, or shorter, past runs of a target took than its costs
// say. Costs are known to differ with what is measured; how far a machine is off them
// does so less.
type Experience struct {
	builds []float64           // ratios, one of each run
	later  []float64           // the same of runs whose builds were made in the tree of others
	boots  map[[2]string]ratio // by kind and architecture
	Runs   []string            // that told something
}

// ratio are those of one kind of build.
type ratio []float64

// Learn takes what a run directory tells, if it is of the target and measured as the
// spec asks for. Builds of one revision after another (later) are made of what the one
// before left, and say nothing of builds from nothing.
func (e *Experience) Learn(t hv.Target, spec results.Spec, dir string, later bool) error {
	run, err := results.ReadRun(dir)
	if err != nil {
		return err
	}
	if run.Spec.Target != spec.Target || run.Spec.Accel != spec.Accel || run.Spec.Budget != nil {
		return nil
	}
	p, err := NewPlan(t, run.Spec, nil)
	if err != nil {
		return err
	}
	var spent sums
	if err := results.ReadTimes(dir, func(took results.Took) error {
		spent.add(p, took)
		return nil
	}); err != nil {
		return err
	}
	if e.take(&spent, later) {
		e.Runs = append(e.Runs, dir)
	}
	return nil
}

// sums are what a run took, and what it should have taken.
type sums struct {
	built, plannedBuilds   time.Duration
	booted, plannedBooting map[[2]string]time.Duration
}

func (s *sums) add(p *Plan, took results.Took) {
	i := slices.IndexFunc(p.Makes, func(m Make) bool {
		return m.Build.Name == took.Build && m.Build.Arch == took.Arch && m.Build.Layout == took.Layout
	})
	switch {
	case i < 0:
	case took.What == results.Building && !took.Cached:
		s.built += took.Turn
		s.plannedBuilds += p.Makes[i].Takes
	case took.What == results.Booting && took.Samples > 0:
		if s.booted == nil {
			s.booted, s.plannedBooting = map[[2]string]time.Duration{}, map[[2]string]time.Duration{}
		}
		key := [2]string{took.Kind, took.Arch}
		costs := p.Costs.row(p.Makes[i].Build)
		s.booted[key] += took.Turn
		s.plannedBooting[key] += time.Duration(len(p.Spec.SampleDomUs()))*costs.Boot + time.Duration(took.Samples)*costs.Sample
	}
}

// take makes ratios of sums, and tells whether there were any.
func (e *Experience) take(s *sums, later bool) bool {
	found := false
	if s.built > 0 && s.plannedBuilds > 0 {
		to := &e.builds
		if later {
			to = &e.later
		}
		*to = append(*to, float64(s.built)/float64(s.plannedBuilds))
		found = true
	}
	for key, booted := range s.booted {
		if planned := s.plannedBooting[key]; booted > 0 && planned > 0 {
			if e.boots == nil {
				e.boots = map[[2]string]ratio{}
			}
			e.boots[key] = append(e.boots[key], float64(booted)/float64(planned))
			found = true
		}
	}
	return found
}

// Costs are the target's own as experience has them. What nobody has seen stays.
func (e *Experience) Costs(t hv.Target, spec results.Spec) *CostTable {
	table := documented(t, spec)
	for i := range table.Rows {
		r := &table.Rows[i]
		if len(e.builds) > 0 {
			scale(e.builds, &r.Build, &r.Relink, &r.Ready)
			r.Runs = len(e.builds)
		}
		if boots := e.boots[[2]string{r.Kind, r.Arch}]; len(boots) > 0 {
			scale(boots, &r.Boot, &r.Sample)
			r.Runs = max(r.Runs, len(boots))
		}
	}
	return table
}

// LaterCosts are Costs of a revision after another one. Without experience they are
// those of builds from nothing.
func (e *Experience) LaterCosts(t hv.Target, spec results.Spec) *CostTable {
	if len(e.later) == 0 {
		return e.Costs(t, spec)
	}
	other := *e
	other.builds = e.later
	return other.Costs(t, spec)
}

// scale multiplies times by the median of ratios.
func scale(ratios []float64, times ...*time.Duration) {
	sorted := slices.Sorted(slices.Values(ratios))
	middle := (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
	for _, t := range times {
		*t = time.Duration(float64(*t) * middle).Round(10 * time.Microsecond)
	}
}
