package answer

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/table"
)

// Title is what was measured on what, in a line.
func (a *Answer) Title() string {
	s := a.Subject
	var words []string
	add := func(format string, word string) {
		if word != "" {
			words = append(words, fmt.Sprintf(format, word))
		}
	}
	add("%s", s.Name())
	add("%s", a.measured())
	add("%s", s.Machine)
	if !s.Started.IsZero() {
		words = append(words, s.Started.UTC().Format("2006-01-02"))
	}
	add("commit %s", s.Commit)
	if s.Tool != s.Commit {
		add("xsmbench %s", s.Tool)
	}
	return strings.Join(words, " · ")
}

// measured is the unit, and whether it is exact.
func (a *Answer) measured() string {
	if a.Rows == 0 {
		return ""
	}
	var kinds []string
	for _, k := range a.Kinds {
		kinds = append(kinds, string(k))
	}
	what := strings.Join(kinds, " and ")
	if a.Subject.Accel != "" {
		what += " (" + a.Subject.Accel + ")"
	}
	switch a.Exact {
	case a.Rows:
		return what + ", exact"
	case 0:
		return what + ", " + a.Level + " intervals"
	}
	return fmt.Sprintf("%s, exact in %d of %d rows", what, a.Exact, a.Rows)
}

// Free says whether the build is free. That says nothing of code that is not executed.
func (b Build) Free() string {
	text := b.freeInRows()
	if no := b.Changed.unreached(); no != "" {
		text += ", " + no
	}
	return text
}

func (b Build) freeInRows() string {
	in := ""
	if b.Several {
		in = " in " + string(b.Kind)
	}
	rows, above := number.Count(b.Rows, "row"), strings.TrimPrefix(b.Margin, "±")
	slower, open := b.Verdicts[compare.Slower], b.Verdicts[compare.Inconclusive]
	switch {
	case b.Verdicts[compare.Equivalent] == b.Rows:
		return fmt.Sprintf("free%s within %s in all %s", in, b.Margin, rows)
	case slower > 0 && open > 0:
		return fmt.Sprintf("not free%s: %d of %s %s more than %s, %d undecided", in, slower, rows, costs(slower), above, open)
	case slower > 0:
		return fmt.Sprintf("not free%s: %d of %s %s more than %s", in, slower, rows, costs(slower), above)
	case open > 0:
		return fmt.Sprintf("not shown to be free%s: none of %s is slower, but %d undecided", in, rows, open)
	}
	return fmt.Sprintf("free%s: none of %s is slower, and %d faster", in, rows, b.Verdicts[compare.Faster])
}

// costs is the verb of so many rows.
func costs(rows int) string {
	if rows == 1 {
		return "costs"
	}
	return "cost"
}

// Average says what the rows cost that cross a hook: "+9.2% instructions where a
// hook is crossed (59 rows)".
func (b Build) Average() string {
	var parts []string
	rows, crossing := 0, true
	for _, m := range b.Means {
		r := compare.Row{Ratio: m.Ratio, Lo: m.Lo, Hi: m.Hi, Exact: m.Exact}
		text := table.Overhead(r)
		if m.Exact {
			text = percent(m.Ratio - 1)
		} else {
			text += " " + table.Interval(r)
		}
		if len(parts) == 0 {
			text += " " + string(b.Kind)
		}
		if m.Where != "" {
			text += " in " + m.Where
		}
		parts = append(parts, text)
		rows += m.Rows
		crossing = crossing && m.Crossing
	}
	if len(parts) == 0 {
		return ""
	}
	of := "on average"
	if crossing {
		of = "where a hook is crossed"
	}
	row := "row"
	if b.Inexact > 0 {
		row = "exact row"
	}
	return fmt.Sprintf("%s %s (%s)", strings.Join(parts, ", "), of, number.Count(rows, row))
}

// percent is a figure with as many places as are worth reading.
func percent(share float64) string {
	if math.Abs(share) >= 0.0995 {
		return number.SignedPercent(share, 1)
	}
	return number.SignedPercent(share, 2)
}

// String says what the rows show that cross no hook, empty if there are none.
func (e Elsewhere) String() string {
	if e.Rows == 0 {
		return ""
	}
	decided := e.Rows - e.Open
	var text string
	switch {
	case e.Beyond > 0:
		text = fmt.Sprintf("elsewhere %d of %s beyond the margin, although they cross no hook", e.Beyond, number.Count(e.Rows, "row"))
	case decided == 0:
		text = fmt.Sprintf("elsewhere none of %s decided", number.Count(e.Rows, "row"))
	case e.Largest == 0:
		text = fmt.Sprintf("nothing elsewhere (%s)", number.Count(decided, "row"))
	default:
		text = fmt.Sprintf("within ±%s elsewhere (%s)", strings.TrimPrefix(percent(math.Abs(e.Largest)), "+"), number.Count(decided, "row"))
	}
	if e.Open > 0 && decided > 0 {
		text += fmt.Sprintf(", %d undecided", e.Open)
	}
	return text
}

// Figure is a cost's difference as a share, or in its unit where the base has
// nothing.
func (c Cost) Figure() string {
	if math.IsNaN(c.Ratio) {
		return table.Difference(c.Row)
	}
	if c.Exact {
		return percent(c.Overhead())
	}
	return table.Overhead(c.Row) + c.undecided()
}

// undecided marks a cost that is not shown beyond chance over all rows.
func (c Cost) undecided() string {
	if c.Verdict == compare.Inconclusive {
		return ", undecided"
	}
	return ""
}

// Name is the operation, without what all of a suite have in common.
func (c Cost) Name() string { return Short(c.Benchmark) }

// Short is a benchmark's name in a sentence: Kbench/hypercall/op=evtchn_send is
// evtchn_send, Lmbench/lat_proc/op=fork is lat_proc fork.
func Short(benchmark string) string {
	parts := strings.Split(benchmark, "/")
	if len(parts) > 1 {
		parts = parts[1:]
	}
	if len(parts) > 1 && parts[0] == "hypercall" {
		parts = parts[1:]
	}
	for i, p := range parts {
		parts[i] = strings.TrimPrefix(p, "op=")
	}
	return strings.Join(parts, " ")
}

// at is where the cost is found.
func (c Cost) at() string {
	if c.Where == "" {
		return ""
	}
	return " in " + c.Where
}

// Sentence is the answer for a build.
func (b Build) Sentence() string {
	text := b.Brief()
	if len(b.Most) > 0 {
		if cause := b.Most[0].Cause.String(); cause != "" {
			text += " (" + cause + ")"
		}
	}
	return text + "."
}

// Brief is the sentence without the cause of the largest cost, and without its
// full stop.
func (b Build) Brief() string {
	var parts []string
	for _, p := range []string{b.Average(), b.Elsewhere.String()} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	text := fmt.Sprintf("%s is %s", b.Name, b.Free())
	if len(parts) > 0 {
		text += ". " + upper(strings.Join(parts, ", "))
	}
	if len(b.Most) > 0 {
		top := b.Most[0]
		text += fmt.Sprintf("; most: %s%s %s", top.Name(), top.at(), top.Figure())
	}
	return text
}

// Provoked says what a state costs that was brought about on purpose, empty if
// there is none.
func (b Build) Provoked() string {
	if b.Worst == nil {
		return ""
	}
	return fmt.Sprintf("%s, in a state that the benchmark forces: %s%s %s", b.Name, Short(b.Worst.Benchmark), b.Worst.at(), b.Worst.Figure())
}

func upper(s string) string {
	if s == "" {
		return s
	}
	first, size := utf8.DecodeRuneInString(s) // a figure may begin with a minus sign
	return string(unicode.ToUpper(first)) + s[size:]
}
