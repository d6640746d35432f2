package ci

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"xsmbench/reports/gate"
	"xsmbench/reports/internal/grid"
	"xsmbench/reports/internal/number"
)

// StepSummaryLimit is what GitHub takes of a step's summary, in bytes. A
// longer one is not shown at all.
const StepSummaryLimit = 1 << 20

// StepSummary writes a gate's decision as Markdown of at most limit bytes:
// what does not pass first, then every row. Rows that find no room are
// counted.
func StepSummary(w io.Writer, r *gate.Result, limit int) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "## xsmbench gate: %s\n\n%s.\n\n", r.Outcome, grid.Escape(Headline(r)))
	if r.Damage != "" {
		fmt.Fprintf(&b, "**Damaged input:** %s\n\n", grid.Escape(r.Damage))
	}
	end := summaryEnd(r)
	const reserve = 512 // for what opens and closes tables, and counts the rest
	room := func(line string) bool { return b.Len()+len(line)+len(end)+reserve <= limit }
	rest := 0
	lines := func(findings []gate.Finding) {
		fmt.Fprintf(&b, "| build | domain | benchmark | base | change | interval | | hooks on its path |\n| :-- | :-- | :-- | --: | --: | --: | :-- | :-- |\n")
		for _, f := range findings {
			if line := summaryLine(r, f); room(line) {
				b.WriteString(line)
			} else {
				rest++
			}
		}
		b.WriteString("\n")
	}
	for _, g := range groups(r) {
		fmt.Fprintf(&b, "### %s\n\n", strings.ToUpper(g.heading[:1])+g.heading[1:])
		lines(g.findings)
	}
	if passed := slices.DeleteFunc(r.With(gate.Pass), func(f gate.Finding) bool { return f.Cause == gate.Faster }); len(passed) > 0 {
		fmt.Fprintf(&b, "<details><summary>%s within the margin</summary>\n\n", number.Count(len(passed), "row"))
		lines(passed)
		b.WriteString("</details>\n\n")
	}
	if rest > 0 {
		fmt.Fprintf(&b, "There was no room for another %s.\n\n", number.Count(rest, "row"))
	}
	b.WriteString(end)
	if b.Len() > limit {
		return fmt.Errorf("write summary: %d bytes, of which %d may be used", b.Len(), limit)
	}
	_, err := w.Write(b.Bytes())
	return err
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
		fmt.Fprintf(&b, "\nTo repeat it:\n\n```sh\n%s\n```\n", strings.Join(commands, "\n"))
	}
	return b.String()
}

func summaryLine(r *gate.Result, f gate.Finding) string {
	base, more := change(f)
	text := why(f)
	if f.Waiver != nil {
		text = fmt.Sprintf("waived until %s: %s", f.Waiver.Until.Format(gate.Day), f.Waiver.Reason)
	}
	var b strings.Builder
	grid.MarkdownLine(&b, []string{f.Build, whereOf(r, f), nameOf(f), base, more, effectInterval(f), text, Hooks(r, f)})
	return b.String()
}
