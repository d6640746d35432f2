package series

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"xsmbench/bench"
	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/hv/git"
)

// Hunt is which figure changed, and between which revisions.
type Hunt struct {
	// Each is what is asked of each revision, with one build, one domain and one
	// benchmark. Source is the repository, as in Question.
	Each      experiment.Question
	Good, Bad string
	Unit      string // of the figure; "" for the one to compare by (hv.UnitUnder)
	Dir       string // as in Question
	Again     bool
}

// Hunter is told what a bisection does.
type Hunter interface {
	Attendant
	// Read tells of a revision's figure.
	Read(r Reading)
	// Git tells what git bisect says.
	Git(said string)
}

// Found is what a bisection found.
type Found struct {
	Gauge     Gauge
	Dir       string
	Good, Bad Reading // the revisions that were asked about
	// First is the first revision on the side of Bad, and Before the one before it,
	// on that of Good. First.Commit is empty if revisions that have no figure stand
	// between the two: then it is one of Suspects.
	First, Before Reading
	Suspects      []git.Revision
	Skipped       []Entry // that have no figure
	Log           string  // what "git bisect log" prints; it is in Dir, too
}

// LogFile is the file of Found.Log.
const LogFile = "bisect.log"

// EqualError says that there is nothing to look for.
type EqualError struct {
	Gauge     Gauge
	Good, Bad Reading
}

// Error names both values.
func (e *EqualError) Error() string {
	return fmt.Sprintf("%s in %s of %s does not differ: %s has %g %s, and %s has %g", e.Gauge.Benchmark, e.Gauge.Domain, e.Gauge.Build,
		e.Good.Name, e.Good.Value, e.Gauge.Unit, e.Bad.Name, e.Bad.Value)
}

// InexactError says that a figure differs by less than its boots do.
type InexactError struct {
	Gauge   Gauge
	Reading Reading
}

// Error says what to do.
func (e *InexactError) Error() string {
	return fmt.Sprintf("%s in %s of %s: the boots of %s do not agree, so that no single run tells its sides apart: choose another benchmark, unit or domain, or compare the two revisions with xsmbench run",
		e.Gauge.Benchmark, e.Gauge.Domain, e.Gauge.Build, e.Reading.Name)
}

// Bisect finds the revision that changed a figure. A revision is on the side of
// the end whose value is nearer to its own. What has no figure, or none that is
// exact, is skipped.
func Bisect(ctx context.Context, h Hunt, a Hunter) (*Found, error) {
	if err := h.choose(); err != nil {
		return nil, err
	}
	m, err := newMeasurer(h.Each, h.Dir, "bisect", nil, nil, a)
	if err != nil {
		return nil, err
	}
	defer m.close()
	m.again = h.Again
	b := &bisection{measurer: m, hunter: a, repo: m.each.Source, tell: map[string]Reading{}}
	if b.found.Gauge, err = gaugeOf(h, m); err != nil {
		return nil, err
	}
	b.found.Dir = m.dir
	if err := b.ends(ctx, h); err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "xsmbench-bisect-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	err = b.search(ctx, scratch)
	return &b.found, err
}

// choose finds the one benchmark that is meant: by its name, by its operation, or
// by an expression that matches one.
func (h *Hunt) choose() error {
	list, err := bench.Select(h.Each.Benchmarks)
	if err != nil {
		return err
	}
	t, err := experiment.FindTarget(h.Each.Target)
	if err != nil {
		return err
	}
	var names, exactly []string
	for _, b := range list {
		if name := b.FullName(); t.Offers(b) {
			names = append(names, name)
			if name == h.Each.Benchmarks || strings.HasSuffix(name, "op="+h.Each.Benchmarks) {
				exactly = append(exactly, name)
			}
		}
	}
	if len(exactly) == 1 {
		names = exactly
	}
	if len(names) != 1 {
		return fmt.Errorf("benchmark %s: target %s has %d that match, and it takes one: %s", h.Each.Benchmarks, t.Name(), len(names), strings.Join(names[:min(5, len(names))], ", "))
	}
	h.Each.Benchmarks = "^" + regexp.QuoteMeta(names[0]) + "$"
	return nil
}

// gaugeOf is what is read, if the question has one of everything.
func gaugeOf(h Hunt, m *measurer) (Gauge, error) {
	q := m.each
	_, spec, err := q.Spec()
	if err != nil {
		return Gauge{}, err
	}
	g := Gauge{Unit: h.Unit}
	if g.Unit == "" {
		g.Unit = hv.UnitUnder(m.target, q.Accel)
	}
	if builds := spec.Measured(); len(builds) != 1 || len(spec.Domains) != 1 || len(spec.Benchmarks) != 1 {
		return g, fmt.Errorf("bisect: %d builds, %d domains and %d benchmarks: it needs one of each", len(builds), len(spec.Domains), len(spec.Benchmarks))
	}
	kinds := spec.SampleDomUs()
	if len(kinds) != 1 {
		return g, fmt.Errorf("bisect: %d kinds of domUs: it needs one", len(kinds))
	}
	g.Arch, g.DomU = spec.Builds[0].Arch, kinds[0]
	g.Build, g.Domain, g.Benchmark = spec.Builds[0].Name, spec.Domains[0], spec.Benchmarks[0]
	return g, nil
}

// bisection is a Hunt under way.
type bisection struct {
	*measurer
	hunter Hunter
	repo   string
	git    *git.Bisection
	steps  int
	tell   map[string]Reading // by commit
	found  Found
}

// ends measures the two revisions that were named.
func (b *bisection) ends(ctx context.Context, h Hunt) error {
	for _, end := range []struct {
		rev string
		to  *Reading
	}{{h.Good, &b.found.Good}, {h.Bad, &b.found.Bad}} {
		r, err := git.Show(ctx, b.repo, end.rev)
		if err != nil {
			return err
		}
		reading, e, err := b.reading(ctx, r)
		switch {
		case err != nil:
			return err
		case !e.HasFigures():
			return fmt.Errorf("%s was %s: %s: name another revision", r.Name, e.State, e.Reason)
		case !reading.Exact:
			return &InexactError{b.found.Gauge, reading}
		}
		*end.to = reading
	}
	if b.found.Good.Value == b.found.Bad.Value {
		return &EqualError{b.found.Gauge, b.found.Good, b.found.Bad}
	}
	return nil
}

// reading measures a revision and reads its figure.
func (b *bisection) reading(ctx context.Context, r git.Revision) (Reading, Entry, error) {
	b.hunter.Turn(r, Progress{Done: b.steps})
	b.steps++
	begun := time.Now()
	e, err := b.measure(ctx, r)
	if err != nil {
		return Reading{}, e, err
	}
	b.hunter.Settled(e, time.Since(begun), Progress{Done: b.steps})
	if !e.HasFigures() {
		return Reading{}, e, nil
	}
	reading, err := b.found.Gauge.read(b.runOf(e))
	if err != nil {
		return Reading{}, e, err
	}
	reading.Revision = r
	b.tell[r.Commit] = reading
	b.hunter.Read(reading)
	return reading, e, nil
}

// search lets git choose until it knows.
func (b *bisection) search(ctx context.Context, scratch string) error {
	var said string
	var err error
	if b.git, said, err = git.Bisect(ctx, b.repo, scratch, b.found.Good.Commit, b.found.Bad.Commit); err != nil {
		return err
	}
	b.hunter.Git(said)
	for !b.git.Ended {
		if err := b.step(ctx); err != nil {
			return errors.Join(err, b.keepLog(context.WithoutCancel(ctx)))
		}
	}
	if err := b.keepLog(ctx); err != nil {
		return err
	}
	return b.conclude(ctx)
}

// step finds out about the revision that git names.
func (b *bisection) step(ctx context.Context) error {
	commit, err := b.git.Next(ctx)
	if err != nil {
		return err
	}
	r, err := git.Show(ctx, b.repo, commit)
	if err != nil {
		return err
	}
	reading, e, err := b.reading(ctx, r)
	var missing *MissingError
	if err != nil && !errors.As(err, &missing) {
		return err
	}
	verdict := b.verdict(reading)
	if verdict == git.Skip {
		switch {
		case missing != nil:
			e.Reason = missing.Error()
		case e.HasFigures():
			e.Reason = "its boots do not agree"
		}
		b.found.Skipped = append(b.found.Skipped, e)
	}
	said, err := b.git.Tell(ctx, verdict, commit)
	if err != nil {
		return err
	}
	b.hunter.Git(said)
	return nil
}

// verdict is on which side a reading is.
func (b *bisection) verdict(r Reading) git.Verdict {
	switch {
	case !r.Exact:
		return git.Skip
	case math.Abs(r.Value-b.found.Good.Value) < math.Abs(r.Value-b.found.Bad.Value):
		return git.Good
	}
	return git.Bad
}

// keepLog saves git's log.
func (b *bisection) keepLog(ctx context.Context) error {
	var err error
	if b.found.Log, err = b.git.Log(ctx); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.dir, LogFile), []byte(b.found.Log+"\n"), 0o666)
}

// conclude takes git's answer.
func (b *bisection) conclude(ctx context.Context) error {
	for _, commit := range b.git.Suspects {
		r, err := git.Show(ctx, b.repo, commit)
		if err != nil {
			return err
		}
		b.found.Suspects = append(b.found.Suspects, r)
	}
	if b.git.First == "" {
		return nil
	}
	b.found.First = b.tell[b.git.First]
	parent, err := git.Show(ctx, b.repo, b.git.First+"^")
	if err != nil {
		return err
	}
	var ok bool
	if b.found.Before, ok = b.tell[parent.Commit]; !ok {
		// Of a merge, or of what was good by its place in the history.
		b.found.Before, _, err = b.reading(ctx, parent)
	}
	return err
}
