package ci

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"xsmbench/reports/about"
	"xsmbench/reports/answer"
	"xsmbench/reports/gate"
	"xsmbench/reports/internal/grid"
	"xsmbench/reports/internal/number"
)

// StepSummaryLimit is what GitHub takes of a step's summary, in bytes. A
// longer one is not shown at all.
const StepSummaryLimit = 1 << 20

// mostWords is how long a summary is above its fold: more is not read.
const mostWords = 300

// summaryHead heads a table of findings.
const summaryHead = "| build | domain | benchmark | base | change | interval | | hooks on its path |\n| :-- | :-- | :-- | --: | --: | --: | :-- | :-- |\n"

// StepSummary writes a gate's decision as Markdown of at most limit bytes:
// in at most mostWords what does not pass, the gravest first, and folded below it
// every row. Rows that find no room are counted.
func StepSummary(w io.Writer, r *gate.Result, limit int) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "## xsmbench gate: %s\n\n%s.\n\n", r.Outcome, grid.Escape(short(Headline(r), 800)))
	if r.Damage != "" {
		fmt.Fprintf(&b, "**Damaged input:** %s\n\n", grid.Escape(short(r.Damage, 400)))
	}
	summaryFirst(&b, r)
	end := summaryEnd(r)
	const reserve = 512 // for what opens and closes tables, and counts the rest
	room := func(line string) bool { return b.Len()+len(line)+len(end)+reserve <= limit }
	rest := 0
	lines := func(findings []gate.Finding) {
		b.WriteString(summaryHead)
		for _, l := range linesOf(r, findings) {
			if text := summaryLine(r, l); room(text) {
				b.WriteString(text)
			} else {
				rest += l.findings
			}
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "<details><summary>All %s</summary>\n\n", number.Count(len(r.Findings), "row"))
	for _, g := range groups(r) {
		fmt.Fprintf(&b, "### %s\n\n", strings.ToUpper(g.heading[:1])+g.heading[1:])
		lines(g.findings)
	}
	if passed := slices.DeleteFunc(r.With(gate.Pass), func(f gate.Finding) bool { return f.Cause == gate.Faster }); len(passed) > 0 {
		fmt.Fprintf(&b, "### %s within the margin\n\n", number.Count(len(passed), "row"))
		lines(passed)
	}
	if rest > 0 {
		fmt.Fprintf(&b, "There was no room for another %s.\n\n", number.Count(rest, "row"))
	}
	b.WriteString(end)
	b.WriteString("\n</details>\n")
	if b.Len() > limit {
		return fmt.Errorf("write summary: %d bytes, of which %d may be used", b.Len(), limit)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// summaryFirst has the gravest rows, as long as they find room above the fold.
func summaryFirst(b *bytes.Buffer, r *gate.Result) {
	const reserve = 30 // for the count of the rest, and the fold's own line
	left := mostWords - reserve - len(strings.Fields(b.String())) - len(strings.Fields(summaryHead))
	for i, s := range sentences(r) {
		line := "- " + grid.Escape(s) + "\n"
		if n := len(strings.Fields(line)); n <= left {
			left -= n
			b.WriteString(line)
		}
		if i == mostSentences-1 {
			break
		}
	}
	b.WriteString("\n")
	shown, rest := 0, 0
	for _, g := range groups(r) {
		if slices.Contains([]string{"waived", allowedHeading, "faster"}, g.heading) {
			continue
		}
		for _, l := range linesOf(r, g.findings) {
			line := summaryLine(r, l)
			if left -= len(strings.Fields(line)); left < 0 {
				rest += l.findings
				continue
			}
			if shown++; shown == 1 {
				b.WriteString(summaryHead)
			}
			b.WriteString(line)
		}
	}
	if shown > 0 {
		b.WriteString("\n")
	}
	if rest > 0 {
		fmt.Fprintf(b, "Another %s did not pass: see below.\n\n", number.Count(rest, "row"))
	}
}

// mostSentences bounds the builds that have one above the fold.
const mostSentences = 3

// sentences say what each build costs against the base, of the builds that were
// judged. Against an earlier run the rows alone say what changed.
func sentences(r *gate.Result) []string {
	if r.Earlier != "" {
		return nil
	}
	var all []string
	for _, b := range answer.Of(r.Comparison, about.About{}, nil).Builds {
		if slices.ContainsFunc(r.Findings, func(f gate.Finding) bool { return f.Build == b.Name }) {
			all = append(all, b.Sentence())
		}
	}
	return all
}

// mostEnd bounds the lines of waivers and notes, in bytes.
const mostEnd = 1 << 16

// summaryEnd is what follows the tables.
func summaryEnd(r *gate.Result) string {
	var b strings.Builder
	for _, use := range r.Waived {
		fmt.Fprintf(&b, "- %s\n", grid.Escape(WaiverLine(use)))
	}
	for _, n := range r.Notes {
		if b.Len() < mostEnd {
			fmt.Fprintf(&b, "- %s\n", grid.Escape(n))
		}
	}
	if commands := r.Again(); commands != nil {
		fmt.Fprintf(&b, "\nTo repeat it:\n\n%s", grid.Fence("sh", strings.Join(commands, "\n")))
	}
	return b.String()
}

func summaryLine(r *gate.Result, l line) string {
	f := l.Finding
	base, more := change(f)
	text := why(r, f)
	if f.Waiver != nil {
		text = fmt.Sprintf("waived until %s: %s", f.Waiver.Until.Format(gate.Day), f.Waiver.Reason)
	}
	var b strings.Builder
	grid.MarkdownLine(&b, []string{l.builds, l.where, l.names(), base, more, effectInterval(f), text, Hooks(r, f)})
	return b.String()
}
