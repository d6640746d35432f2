package experiment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"xsmbench/hv"
	"xsmbench/results"
)

// Session is a run about to be measured. Its directory is claimed from the
// beginning, before anything is built, until Close.
type Session struct {
	target  hv.Target
	claim   *results.Claim // of path
	path    string
	spec    results.Spec
	resumed bool
	timeout time.Duration
	beside  bool // another timed run
	tool    string
	command []string
	shard   *results.Shard // nil for all of the plan
	images  Images         // nil before Make
	others  Images         // those of other shards that this one compares its own with

	mu   sync.Mutex
	took []results.Took // before there was a directory
	dir  *results.Dir   // nil before Run
}

// HoldsRunError is a directory that was to be made and holds a run.
type HoldsRunError struct{ Path string }

// Error names the directory.
func (e *HoldsRunError) Error() string { return e.Path + " holds a run" }

// Begin is a session of a run that does not exist yet.
func Begin(q Question) (*Session, error) {
	t, spec, err := q.Spec()
	if err != nil {
		return nil, err
	}
	s := &Session{target: t, path: q.Output, spec: spec, timeout: q.Timeout, beside: q.Beside, tool: q.Tool, command: q.Command}
	if q.Shard != nil {
		return beginShard(q, s)
	}
	if s.path == "" {
		s.path = "runs/" + time.Now().Format("2006-01-02-150405")
	}
	if s.claim, err = vacant(s.path, q.Replace); err != nil {
		return nil, err
	}
	return s, nil
}

// vacant claims a directory, and refuses one that holds a run, or removes that.
func vacant(path string, replace bool) (*results.Claim, error) {
	claim, err := results.ClaimDir(path)
	if err != nil {
		return nil, fmt.Errorf("create run: %w", err)
	}
	if replace {
		if err := claim.Clear(); err != nil {
			claim.Release()
			return nil, fmt.Errorf("replace run: %w", err)
		}
	}
	_, err = results.ReadRun(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return claim, nil
	case err == nil:
		err = &HoldsRunError{path}
	}
	claim.Release()
	return nil, err
}

// Continuation is what may be asked of a run that exists: to complete it, and
// to add to it.
type Continuation struct {
	Path    string
	Rounds  *int           // that it is to have, nil for those it has
	Time    *time.Duration // that its budget is to have, in all
	Timeout time.Duration  // of a boot
	Beside  bool           // as in Question
}

// Resume is a session that completes a run.
func Resume(c Continuation) (*Session, error) {
	run, err := results.ReadRun(c.Path)
	if err != nil {
		return nil, err
	}
	t, err := FindTarget(run.Spec.Target)
	if err != nil {
		return nil, fmt.Errorf("resume %s: %w", c.Path, err)
	}
	if run.Shard != nil && (c.Rounds != nil || c.Time != nil) {
		return nil, refuse(FieldRounds, "", "%s is shard %s of a plan, which all shards have in common: merge them first", c.Path, run.Shard)
	}
	if err := c.extend(&run.Spec); err != nil {
		return nil, err
	}
	claim, err := results.ClaimDir(c.Path)
	if err != nil {
		return nil, fmt.Errorf("resume run: %w", err)
	}
	return &Session{target: t, claim: claim, path: c.Path, spec: run.Spec, shard: run.Shard, resumed: true, timeout: c.Timeout, beside: c.Beside}, nil
}

// extend gives a run more rounds, or more time. The looks of a budget stay as
// they were planned.
func (c Continuation) extend(s *results.Spec) error {
	if err := checkTimeout(c.Timeout); err != nil {
		return err
	}
	switch {
	case c.Time != nil && s.Budget == nil:
		return refuse(FieldTime, "", "the run has a fixed number of rounds; add some with {Rounds}")
	case c.Time != nil && *c.Time < s.Budget.Time:
		return refuse(FieldTime, *c.Time, "the run has %s, and time can only be added", s.Budget.Time)
	case c.Rounds != nil && s.Budget != nil:
		return refuse(FieldRounds, "", "the run chooses its rounds by a budget; add time with {%s}", FieldTime)
	case c.Rounds != nil && *c.Rounds < s.Rounds:
		return refuse(FieldRounds, *c.Rounds, "the run has %d, and rounds can only be added", s.Rounds)
	}
	if c.Time != nil {
		budget := *s.Budget
		budget.Time = *c.Time
		s.Budget = &budget
	}
	if c.Rounds != nil {
		s.Rounds = *c.Rounds
	}
	return nil
}

// Shard is the part of a plan that the session measures, nil for all of it.
func (s *Session) Shard() *results.Shard { return s.shard }

// Path is the run's directory.
func (s *Session) Path() string { return s.path }

// Spec is what is measured. A budget's rounds grow while the session runs.
func (s *Session) Spec() results.Spec {
	if s.dir != nil {
		return s.dir.Run().Spec
	}
	return s.spec
}

// Close frees the directory.
func (s *Session) Close() error {
	var err error
	if s.dir != nil {
		err = s.dir.Close()
	}
	s.claim.Release()
	return err
}

// Attendant is told what a session does, from its first build on. Its methods
// are called one at a time, but for Building, which boots call as well.
type Attendant interface {
	Observer
	// Building receives short lines while images are built, and about what a boot
	// has to make that was not there.
	Building(line string)
	// Begins tells that all is built, and the first boot near.
	Begins(path string, spec results.Spec)
	// Looked tells of a look of a run with a budget, the last of those taken.
	Looked(b results.Budget)
	// Ends tells that no boot follows, as soon as Begins was called.
	Ends()
}

// Judge counts the rows that the samples in a run directory give, and those
// that are open. A run with a budget goes by it.
type Judge func(path string) (rows, open int, err error)

// Make builds the images that are measured. Run does it, too, if nobody has asked
// what they are before.
func (s *Session) Make(ctx context.Context, progress func(string)) (Images, error) {
	return s.make(ctx, progress, func(*hv.Image) {})
}

// make is Make; bootable gets each image as soon as it can boot.
func (s *Session) make(ctx context.Context, progress func(string), bootable func(*hv.Image)) (Images, error) {
	if s.images != nil {
		return s.images, nil
	}
	images, err := ready(ctx, s.target, s.spec, s.slots(), progress, func(img *hv.Image, took results.Took) {
		s.mu.Lock()
		s.took = append(s.took, took)
		s.mu.Unlock()
		bootable(img)
	})
	if err == nil {
		s.others, err = s.comparable(ctx, images, progress)
	}
	if err != nil {
		return nil, err
	}
	s.images = images
	return images, nil
}

// slots are the boots of the session.
func (s *Session) slots() []Slot { return shared(Schedule(s.spec), s.shard) }

// Run builds the images and measures what is missing. judge may be nil for a
// run without a budget. The outcome has no boots if none was to begin.
func (s *Session) Run(ctx context.Context, a Attendant, judge Judge) (Outcome, error) {
	var begun *early
	if !s.resumed && s.images == nil {
		begun = newEarly(ctx, s.target, s.spec, s.slots(), s.timeout, a.Building)
	}
	defer begun.abort()
	images, err := s.make(ctx, a.Building, begun.begin)
	if err != nil {
		return Outcome{}, err
	}
	if err := s.open(ctx, images); err != nil {
		return Outcome{}, err
	}
	if err := s.dir.RecordTime(s.took...); err != nil {
		return Outcome{}, err
	}
	s.took = nil
	s.sayShard(a.Building)
	if Timed(s.spec) && !s.beside {
		release, err := holdMachine(ctx, s.path, a.Building)
		if err != nil {
			return Outcome{}, err
		}
		defer release()
	}
	defer s.recordFunctions(ctx, images, a.Building)()
	a.Begins(s.path, s.spec)
	defer a.Ends()
	return s.measure(ctx, Runner{Target: s.target, Dir: s.dir, Images: images, Observer: a, Timeout: s.timeout, Progress: a.Building, early: begun.take()}, a, judge)
}

// measure runs all rounds, or as many as the budget allows.
func (s *Session) measure(ctx context.Context, r Runner, a Attendant, judge Judge) (Outcome, error) {
	if s.spec.Budget == nil {
		return r.Run(ctx)
	}
	q := Sequence{Runner: r,
		Judge: func() (int, int, error) { return judge(s.path) },
		More: func(ctx context.Context, spec results.Spec) (Images, error) {
			return Ready(ctx, s.target, spec, func(string) {})
		},
		Looked: func(results.Look) { a.Looked(*s.dir.Run().Spec.Budget) },
	}
	out, _, err := q.Run(ctx)
	return out, err
}

// recordFunctions records what functions consist of. That takes a processor for a
// second: what is counted does not mind, what is timed waits. wait returns when it is
// done.
func (s *Session) recordFunctions(ctx context.Context, images Images, progress func(string)) (wait func()) {
	var beside sync.WaitGroup
	beside.Go(func() { recordFunctions(ctx, s.target, s.dir, s.spec, images, progress) })
	if Timed(s.spec) {
		beside.Wait()
	}
	return beside.Wait
}

// open makes the run directory, or opens the one to resume.
func (s *Session) open(ctx context.Context, images Images) (err error) {
	if s.resumed {
		return s.reopen(ctx, images)
	}
	run := results.Run{Tool: s.tool, Started: time.Now().UTC(), Command: s.command, Spec: s.spec, Host: describeHost()}
	if s.shard != nil {
		shard := *s.shard
		shard.Told = told(ctx, s.target, s.spec, images)
		run.Shard = &shard
	}
	s.describe(ctx, &run, images)
	s.dir, err = s.claim.Create(run)
	return err
}

// describe records the images, and what the target says of them.
func (s *Session) describe(ctx context.Context, run *results.Run, images Images) {
	all := images.with(s.others)
	run.Images = images.List(s.spec)
	run.Settings = Settings(ctx, s.target, s.spec, images)
	run.Sources = sourceChanges(ctx, s.target, s.spec, all)
	run.Policies = policyChanges(ctx, s.target, s.spec, all)
}

// reopen goes on with a run's own images only.
func (s *Session) reopen(ctx context.Context, images Images) (err error) {
	if s.dir, err = s.claim.Resume(); err != nil {
		return err
	}
	run := s.dir.Run()
	if err := SameImages(run, images); err != nil {
		return fmt.Errorf("resume %s: %w", s.path, err)
	}
	if err := sameSettings(run.Settings, Settings(ctx, s.target, s.spec, images)); err != nil {
		return fmt.Errorf("resume %s: %w", s.path, err)
	}
	list := images.List(s.spec)
	switch {
	case len(list) > len(run.Images) && run.Parts != nil: // its shards did not build all
		s.describe(ctx, &run, images)
	case s.spec.Rounds <= run.Spec.Rounds && s.spec.Budget == nil:
		return nil
	}
	run.Spec = s.spec
	run.Images = list
	if err := s.dir.UpdateRun(run); err != nil {
		return fmt.Errorf("resume %s: %w", s.path, err)
	}
	return nil
}
