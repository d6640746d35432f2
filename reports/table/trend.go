package table

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"

	"xsmbench/reports/internal/grid"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/trend"
	"xsmbench/results"
	"xsmbench/results/history"
)

// Trends writes a history's changes, its noise and its series for a terminal.
func Trends(w io.Writer, t *trend.Trends, news trend.News) error {
	b := bufio.NewWriter(w)
	writeChanges(b, t)
	writeNews(b, t, news)
	writeMeters(b, t)
	writeSeries(b, t)
	for _, line := range TrendNotes(t) {
		fmt.Fprintln(b, line)
	}
	return b.Flush()
}

// TrendTitle says what runs a history has.
func TrendTitle(t *trend.Trends) string {
	n := len(t.Runs)
	if n == 0 {
		return "no run has a matching series"
	}
	return fmt.Sprintf("%s, %s to %s", number.Count(n, "run"), day(t.Runs[0]), day(t.Runs[n-1]))
}

func day(r history.Run) string { return r.Run.Started.UTC().Format("2006-01-02") }

// RunName is a run in a sentence: its short ID, its label and its day.
func RunName(r history.Run) string {
	name := r.Short()
	if r.Label != "" {
		name += " (" + r.Label + ")"
	}
	return name + " of " + day(r)
}

// ChangeLine is one change as a table shows it.
type ChangeLine struct {
	Benchmark, Build, Where, Before, After, Change, P, Verdict string
	// First is the first run of the new level, Remarks what else differs
	// between it and the run before.
	First   string
	Remarks []string
}

// Changes lists all changes, series by series.
func Changes(t *trend.Trends) []ChangeLine {
	var all []ChangeLine
	for _, s := range t.Changed() {
		for _, c := range s.Changes {
			all = append(all, changeLine(t, s, c))
		}
	}
	return all
}

func changeLine(t *trend.Trends, s *trend.Series, c trend.Change) ChangeLine {
	l := ChangeLine{
		Benchmark: s.Benchmark, Build: s.Build, Where: s.Environment.String() + ", " + s.Scale(),
		Before: LevelValue(s, c.From), After: LevelValue(s, c.To), Change: ChangeText(c), P: P(c.P), Verdict: s.Verdict(c),
		First: RunName(t.Runs[s.Points[c.After].Run]), Remarks: t.Differences(s, c),
	}
	if c.Exact {
		l.P = "exact"
	}
	if c.SameImage {
		l.Remarks = append([]string{"the image is the same, so the cause is not the build"}, l.Remarks...)
	}
	return l
}

// LevelValue is a value of a series in its unit, or as an overhead.
func LevelValue(s *trend.Series, v float64) string {
	if s.Over == "" {
		return Value(v, s.Unit)
	}
	return number.SignedPercent(v-1, 2)
}

// ChangeText is a change's size: a share, a multiple, or what it was from 0.
func ChangeText(c trend.Change) string {
	r := c.Ratio()
	switch {
	case math.IsNaN(r):
		return number.Signed((c.To-c.From)/100, 0)
	case r >= 10:
		return fmt.Sprintf("×%.3g", r)
	}
	return number.SignedPercent(r-1, 2)
}

func writeChanges(w io.Writer, t *trend.Trends) {
	lines := Changes(t)
	many := "no change"
	if len(lines) > 0 {
		many = number.Count(len(lines), "change")
	}
	fmt.Fprintf(w, "%s: %s\n\n", TrendTitle(t), many)
	where := ""
	for _, l := range lines {
		if l.Where != where {
			fmt.Fprintln(w, l.Where)
			where = l.Where
		}
		fmt.Fprintf(w, "  %s, %s: %s to %s, %s, %s (%s)\n", l.Benchmark, l.Build, l.Before, l.After, l.Change, l.Verdict, chance(l.P))
		fmt.Fprintf(w, "    since %s", l.First)
		if len(l.Remarks) > 0 {
			fmt.Fprintf(w, "; %s", strings.Join(l.Remarks, "; "))
		}
		fmt.Fprintln(w)
	}
	if len(lines) > 0 {
		fmt.Fprintln(w)
	}
}

// chance is a p value in a sentence.
func chance(p string) string {
	if p == "exact" {
		return p
	}
	return "p " + p
}

// MeterHead are the columns of MeterLines.
var MeterHead = []string{"noise of one image", "host", "pairs", "typical", "limit", "largest", "in"}

// MeterLines are what runs of one image differ in, a line for each unit.
func MeterLines(t *trend.Trends) [][]string {
	var all [][]string
	for _, m := range t.Meters {
		e, in := m.Environment, "–"
		if m.Largest > 0 {
			in = m.LargestIn.Benchmark + ", " + m.LargestIn.Build
		}
		all = append(all, []string{
			strings.TrimSpace(e.String()) + ", " + m.Scale, m.Host, fmt.Sprint(m.Pairs),
			number.Percent(m.Typical, 2), number.Percent(m.Limit, 2), number.Percent(m.Largest, 2), in,
		})
	}
	return all
}

func writeMeters(w io.Writer, t *trend.Trends) {
	lines := MeterLines(t)
	if len(lines) == 0 {
		return
	}
	g := grid.New(len(MeterHead))
	g.Add(MeterHead...)
	for _, l := range lines {
		g.Add(l...)
	}
	copy(g.Right, []bool{false, false, true, true, true, true, false})
	g.Write(w)
	fmt.Fprintln(w)
}

func writeSeries(w io.Writer, t *trend.Trends) {
	var g *grid.Grid
	title := ""
	flush := func() {
		if g != nil {
			fmt.Fprintln(w, title)
			g.Write(w)
			fmt.Fprintln(w)
		}
	}
	for _, s := range t.Series {
		if of := fmt.Sprintf("%s, %s, host %s", s.Environment, s.Scale(), s.Host); of != title {
			flush()
			title = of
			g = grid.New(7)
			g.Add("benchmark", "build", "runs", "first", "last", "changes", "limit")
			copy(g.Right, []bool{false, false, true, true, true, true, true})
		}
		first, last := s.Points[0], s.Points[len(s.Points)-1]
		g.Add(s.Benchmark, s.Build, fmt.Sprint(len(s.Points)), LevelValue(s, first.Value), LevelValue(s, last.Value), fmt.Sprint(len(s.Changes)), LimitText(s))
	}
	flush()
}

// LimitText is the size below which a series' changes are not shown, and where
// it comes from: * its own repeated runs, † boots alone.
func LimitText(s *trend.Series) string {
	switch {
	case s.Exact:
		return "exact"
	case s.Own:
		return number.Percent(s.Limit, 2) + "*"
	case s.Boots:
		return number.Percent(s.Limit, 2) + "†"
	}
	return number.Percent(s.Limit, 2)
}

// TrendNotes explain the figures.
func TrendNotes(t *trend.Trends) []string {
	notes := []string{
		fmt.Sprintf("A change is a change of level, found by t and a permutation test; the probability that any of them is false is at most %s.", number.Share(t.Alpha, 6)),
		"limit: 19 of 20 pairs of runs of one image differ by less; smaller changes are not shown. *: from repeated runs of this series. †: from boots alone, because no image ran twice.",
		"exact: each boot of a run gave the same count, and every difference is a change.",
	}
	if t.Over != "" {
		notes = append([]string{fmt.Sprintf("A value is a build's cost relative to that of %s, the mean of a run's pairs of boots. A change is the new cost relative to the old one; what affects both builds cancels out.", t.Over)}, notes...)
	}
	if n := t.Hidden(); n > 0 {
		verb := "are"
		if n == 1 {
			verb = "is"
		}
		notes = append(notes, fmt.Sprintf("%s more %s statistically significant but below the limit.", number.Count(n, "change"), verb))
	}
	return notes
}

// Runs lists a history's runs, the newest last.
func Runs(w io.Writer, runs []history.Run) error {
	b := bufio.NewWriter(w)
	g := grid.New(8)
	g.Add("run", "started", "label", "target", "host", "builds", "boots", "samples")
	copy(g.Right, []bool{false, false, false, false, false, false, true, true})
	for _, r := range runs {
		label := r.Label
		if label == "" {
			label = "–"
		}
		target := r.Run.Spec.Target
		if a := r.Run.Spec.Accel; a != "" {
			target += "/" + a
		}
		g.Add(r.Short(), r.Run.Started.UTC().Format("2006-01-02 15:04"), label, target, r.Host, buildsOf(r.Run), fmt.Sprint(r.Boots), fmt.Sprint(r.Samples))
	}
	g.Write(b)
	return b.Flush()
}

// buildsOf are a run's builds with the hashes of their images, short.
func buildsOf(run results.Run) string {
	var words []string
	for _, b := range run.Spec.Builds {
		word, layouts := b.Name, 0
		for _, img := range run.Images {
			if img.Build.Name != b.Name || img.Build.Arch != b.Arch {
				continue
			}
			if layouts++; layouts == 1 {
				word += " " + img.Hash[:min(6, len(img.Hash))]
			}
		}
		if layouts > 1 {
			word += fmt.Sprintf("+%d", layouts-1)
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}
