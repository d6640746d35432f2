package experiment

import (
	"context"
	"fmt"
	"slices"
	"time"

	"xsmbench/results"
)

// growth is by how much rounds grow from one look to the next. Few looks leave
// each a larger share of the level, many stop sooner: at half as many rounds
// again, a run goes on by a fifth too long on average.
const growth = 1.5

// Looks plans looks after growing numbers of rounds, from first to most.
func Looks(first, most int) []int {
	var looks []int
	for at := float64(first); int(at) < most; at *= growth {
		looks = append(looks, int(at))
	}
	return append(looks, most)
}

// Ending is why a run with a budget ended.
type Ending int

const (
	Decided Ending = iota + 1 // no row is open
	Spent                     // the next round would have taken too long
	Capped                    // all looks are taken
)

// Sequence runs a run that has a budget: to its next look, and on from there
// until every row is decided, the time is spent, or no look is left.
type Sequence struct {
	Runner
	// More makes the images of a spec that has got more rounds.
	More func(context.Context, results.Spec) (Images, error)
	// Judge counts the rows of the samples so far, and those that are open.
	Judge func() (rows, open int, err error)
	// Looked is told of each look; it may be nil.
	Looked func(results.Look)

	begun  time.Time
	before time.Duration // spent by earlier processes
	rounds int           // begun
	saving error         // of the last attempt to write down how far the run is
}

// Run goes on with the plan in run.json. The ending is 0 if there is an error.
func (q *Sequence) Run(ctx context.Context) (Outcome, Ending, error) {
	q.begun, q.before, q.rounds = time.Now(), q.budget().Spent, 0
	for place := range q.Dir.Done() {
		q.rounds = max(q.rounds, place.Round)
	}
	if end := q.ending(); end != 0 {
		out, err := q.complete(ctx)
		return out, end, err
	}
	var total Outcome
	for {
		due, _ := q.budget().Next()
		out, cut, err := q.stretch(ctx, due)
		total = total.and(out)
		switch end := q.ending(); {
		case err != nil:
			return total, 0, err
		case end != 0:
			return total, end, nil
		case cut:
			return total, Spent, nil
		}
	}
}

// ending is why there is no look to go on to, 0 if there is one.
func (q *Sequence) ending() Ending {
	_, more := q.budget().Next()
	switch {
	case q.budget().Decided():
		return Decided
	case !more:
		return Capped
	}
	return 0
}

// and is what two parts of a run came to, o the earlier one.
func (o Outcome) and(later Outcome) Outcome {
	later.Failures += o.Failures
	later.Missing += o.Missing
	return later
}

func (q *Sequence) budget() *results.Budget { return q.Dir.Run().Spec.Budget }

// complete boots what is missing of the rounds that are done: boots that
// failed in an earlier process.
func (q *Sequence) complete(ctx context.Context) (Outcome, error) {
	q.MayBegin = nil
	return q.Runner.Run(ctx)
}

// stretch measures up to the next look, or as far as the time goes, and looks.
// It reports whether the time cut it short.
func (q *Sequence) stretch(ctx context.Context, due int) (out Outcome, cut bool, err error) {
	if q.tooLong() {
		due = q.rounds // what is missing of a round that was begun
		cut = true
	}
	if err := q.extend(ctx, due); err != nil {
		return Outcome{Boots: len(Schedule(q.Dir.Run().Spec)), Done: len(q.Dir.Done())}, cut, err
	}
	q.MayBegin, q.saving = q.mayBegin, nil
	out, err = q.Runner.Run(ctx)
	if err = errorOf(err, q.saving); err != nil {
		return out, cut, errorOf(err, q.save(func(*results.Spec) {}))
	}
	if q.rounds < due {
		cut = true
		s := q.Dir.Run().Spec
		s.Rounds = q.rounds
		out.Boots = len(Schedule(s))
	}
	return out, cut, q.look()
}

// look judges the rows, if rounds were measured since the last look.
func (q *Sequence) look() error {
	if last := q.budget().Last(); last != nil && q.rounds <= last.Rounds {
		return q.save(func(s *results.Spec) { s.Rounds = q.rounds })
	}
	rows, open, err := q.Judge()
	if err != nil {
		return errorOf(err, q.save(func(*results.Spec) {}))
	}
	look := results.Look{Rounds: q.rounds, At: time.Now().UTC().Truncate(time.Second), Rows: rows, Open: open}
	err = q.save(func(s *results.Spec) {
		s.Rounds = q.rounds
		s.Budget.Taken = append(slices.Clone(s.Budget.Taken), look)
	})
	if err == nil && q.Looked != nil {
		q.Looked(look)
	}
	return err
}

// errorOf is the first error that there is; a run that failed has said why.
func errorOf(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// extend schedules the rounds up to a look.
func (q *Sequence) extend(ctx context.Context, due int) error {
	run := q.Dir.Run()
	run.Spec.Rounds = due
	images, err := q.More(ctx, run.Spec)
	if err != nil {
		return fmt.Errorf("build for round %d: %w", due, err)
	}
	if err := SameImages(run, images); err != nil {
		return err
	}
	q.Images = images
	return q.save(func(s *results.Spec) { s.Rounds = due })
}

// save writes down how far the run is. Readers of the run's spec have it by
// pointer, so that the budget is replaced and not changed.
func (q *Sequence) save(change func(*results.Spec)) error {
	run := q.Dir.Run()
	budget := *run.Spec.Budget
	budget.Spent = q.spent().Round(time.Millisecond)
	run.Spec.Budget = &budget
	change(&run.Spec)
	if q.Images != nil {
		run.Images = q.Images.List(run.Spec)
	}
	return q.Dir.UpdateRun(run)
}

func (q *Sequence) spent() time.Duration { return q.before + time.Since(q.begun) }

// mayBegin lets a round begin if there is time for one as long as those
// before, or if it was begun already.
func (q *Sequence) mayBegin(round int) bool {
	if round <= q.rounds {
		return true
	}
	if q.tooLong() {
		return false
	}
	if q.saving = q.save(func(*results.Spec) {}); q.saving != nil {
		return false
	}
	q.rounds = round
	return true
}

// tooLong reports whether the next round would go beyond the time. Nothing is
// known of the first, which always begins.
func (q *Sequence) tooLong() bool {
	return q.rounds > 0 && q.spent()+q.perRound() > q.budget().Time
}

// perRound is the mean time of a round, what it took to build and to judge
// included.
func (q *Sequence) perRound() time.Duration { return q.spent() / time.Duration(q.rounds) }
