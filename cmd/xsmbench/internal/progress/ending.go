package progress

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/dustin/go-humanize/english"

	"xsmbench/reports/compare"
	"xsmbench/results"
)

// describeLook says what the last look of a budget showed.
func describeLook(b results.Budget) string {
	l := b.Last()
	text := fmt.Sprintf("look %d of at most %d, after %s: ", len(b.Taken), len(b.Looks), rounds(l.Rounds))
	if l.Open == 0 {
		return text + fmt.Sprintf("all %d rows are decided", l.Rows)
	}
	return text + fmt.Sprintf("%d of %d rows are open", l.Open, l.Rows)
}

// WriteEnding says why a run with a budget ended, which rows stay open, and how
// long they would need.
func WriteEnding(w io.Writer, c *compare.Comparison, spec results.Spec, path string) {
	b, done := spec.Budget, spec.Rounds
	open := openRows(c)
	switch {
	case len(open) == 0:
		fmt.Fprintf(w, "\nAll %d rows are decided, after %s in %s.\n", len(c.Rows), rounds(done), minutes(b.Spent))
		return
	case len(b.Taken) >= len(b.Looks):
		fmt.Fprintf(w, "\nAll looks are taken, after %s in %s. %d of %d rows stay open:\n", rounds(done), minutes(b.Spent), len(open), len(c.Rows))
	default:
		fmt.Fprintf(w, "\nThe budget of %s is spent, after %s in %s. %d of %d rows stay open:\n", b.Time, rounds(done), minutes(b.Spent), len(open), len(c.Rows))
	}
	perRound := b.Spent / time.Duration(max(1, done))
	writeOpen(w, open, perRound)
	longest := open[len(open)-1]
	for i := len(open) - 1; i > 0 && longest.Need.OutOfReach; i-- {
		longest = open[i-1]
	}
	if next, ok := b.Next(); ok && !longest.Need.OutOfReach {
		total := max(done+longest.Need.N, next)
		fmt.Fprintf(w, "to continue: xsmbench run --resume %s --budget %s\n", path, roundUp(perRound*time.Duration(total+1)))
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
		need := "no realistic number of rounds"
		if !r.Need.OutOfReach {
			need = fmt.Sprintf("about %d more %s, %s", r.Need.N, english.PluralWord(r.Need.N, "round", ""), minutes(perRound*time.Duration(r.Need.N)))
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
