package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/reports/compare"
	"xsmbench/results"
)

// budgetFlags let a run choose its rounds.
type budgetFlags struct {
	budget    time.Duration
	maxRounds int
}

// defaultMaxRounds is the last look of a run with a budget.
const defaultMaxRounds = 100

// firstLook is after so many rounds: fewer decide nothing that is timed.
// Counts that are exact are decided by two.
const (
	firstLook         = 4
	firstLookCounting = countingRounds
)

func (f *budgetFlags) register(fs *pflag.FlagSet) {
	fs.DurationVar(&f.budget, "budget", 0, "instead of --rounds: time to measure for, as 10m; ends sooner when every row is decided")
	fs.IntVar(&f.maxRounds, "max-rounds", defaultMaxRounds, "most rounds of a run with a budget")
}

// planned are the rounds that a run has at most.
func (f *runFlags) planned() int {
	if f.budget > 0 {
		return f.maxRounds
	}
	return f.rounds
}

// checkBudget refuses budgets that nothing can be decided with.
func (f *runFlags) checkBudget(fs *pflag.FlagSet, builds []hv.Build) error {
	switch {
	case f.budget < 0 || f.budget == 0 && fs.Changed("budget"):
		return fmt.Errorf("--budget %s: must be above 0", f.budget)
	case f.budget == 0 && fs.Changed("max-rounds"):
		return errors.New("--max-rounds: is of a run with a --budget; --rounds sets how many others have")
	case f.budget == 0:
		return nil
	case fs.Changed("rounds"):
		return errors.New("--budget, --rounds: name one of them (--max-rounds bounds the rounds that a budget takes)")
	case f.maxRounds < firstLook || f.maxRounds > 10000:
		return fmt.Errorf("--max-rounds %d: must be from %d to 10000", f.maxRounds, firstLook)
	case len(builds) < 2:
		return fmt.Errorf("--budget: there is one build, %s, and so nothing to decide; use --rounds", builds[0].Name)
	}
	return nil
}

// plan is the budget that is written down, nil if there is none.
func (f *runFlags) plan(t hv.Target) *results.Budget {
	if f.budget == 0 {
		return nil
	}
	first := firstLook
	if f.windows(t) > 0 {
		first = firstLookCounting
	}
	return &results.Budget{Time: f.budget, Looks: experiment.Looks(first, f.maxRounds)}
}

// resumeBudget gives a resumed run more time, if that is asked for. Its looks
// stay as they were planned.
func (f *runFlags) resumeBudget(fs *pflag.FlagSet, spec *results.Spec) error {
	switch {
	case !fs.Changed("budget"):
		return nil
	case spec.Budget == nil:
		return errors.New("--budget: the run has a fixed number of rounds; add some with --rounds")
	case f.budget < spec.Budget.Time:
		return fmt.Errorf("--budget %s: the run has %s, and time can only be added", f.budget, spec.Budget.Time)
	}
	budget := *spec.Budget
	budget.Time = f.budget
	spec.Budget = &budget
	return nil
}

// judge counts the rows of a run, and those that are open.
func (s *session) judge() (rows, open int, err error) {
	in, err := readInput([]string{s.path})
	if err != nil {
		return 0, 0, err
	}
	c, err := in.compare(s.compare)
	if err != nil {
		return 0, 0, err
	}
	return len(c.Rows), c.Count(compare.Inconclusive), nil
}

// describeLook says what a look showed.
func describeLook(l results.Look, nth, planned int) string {
	text := fmt.Sprintf("look %d of at most %d, after %d rounds: ", nth, planned, l.Rounds)
	if l.Open == 0 {
		return text + fmt.Sprintf("all %d rows are decided", l.Rows)
	}
	return text + fmt.Sprintf("%d of %d rows are open", l.Open, l.Rows)
}

// writeEnding says why a run with a budget ended, which rows stay open, and
// how long they would need.
func writeEnding(w io.Writer, c *compare.Comparison, b *results.Budget, done int, path string) {
	open := openRows(c)
	switch {
	case len(open) == 0:
		fmt.Fprintf(w, "\nAll %d rows are decided, after %d rounds in %s.\n", len(c.Rows), done, minutes(b.Spent))
		return
	case len(b.Taken) >= len(b.Looks):
		fmt.Fprintf(w, "\nAll looks are taken, after %d rounds in %s. %d of %d rows stay open:\n", done, minutes(b.Spent), len(open), len(c.Rows))
	default:
		fmt.Fprintf(w, "\nThe budget of %s is spent, after %d rounds in %s. %d of %d rows stay open:\n", b.Time, done, minutes(b.Spent), len(open), len(c.Rows))
	}
	perRound := b.Spent / time.Duration(max(1, done))
	writeOpen(w, open, perRound)
	longest := open[len(open)-1]
	for i := len(open) - 1; i > 0 && longest.Need.OutOfReach; i-- {
		longest = open[i-1]
	}
	if next, ok := b.Next(); ok && !longest.Need.OutOfReach {
		total := max(done+longest.Need.N, next)
		fmt.Fprintf(w, "to go on: xsmbench run --resume %s --budget %s\n", path, roundUp(perRound*time.Duration(total+1)))
	}
}

// openRows are the inconclusive ones, those that need least first.
func openRows(c *compare.Comparison) []compare.Row {
	var open []compare.Row
	for _, r := range c.Rows {
		if r.Verdict == compare.Inconclusive {
			open = append(open, r)
		}
	}
	slices.SortStableFunc(open, func(a, b compare.Row) int { return a.Need.Compare(b.Need) })
	return open
}

// writeOpen lists rows with the rounds and the time that they still need.
func writeOpen(w io.Writer, open []compare.Row, perRound time.Duration) {
	for _, r := range open {
		need := "no number of rounds within reach"
		if !r.Need.OutOfReach {
			need = fmt.Sprintf("some %d rounds more, %s", r.Need.N, minutes(perRound*time.Duration(r.Need.N)))
		}
		fmt.Fprintf(w, "  %s, %s, %s, %s: %s\n", r.Benchmark, r.Domain, r.Build, r.Unit, need)
	}
}

// roundUp is a time that people would type.
func roundUp(d time.Duration) string {
	step := time.Minute
	switch {
	case d < time.Minute:
		step = time.Second
	case d > 2*time.Hour:
		return fmt.Sprintf("%dh", int(d/time.Hour)+1)
	}
	n := int(d/step) + 1
	if step == time.Second {
		return fmt.Sprintf("%ds", n)
	}
	return fmt.Sprintf("%dm", n)
}
