package table

import (
	"bufio"
	"fmt"
	"io"

	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/grid"
)

// Markdown writes the comparison for a posting or a merge request.
func Markdown(w io.Writer, c *compare.Comparison, a about.About) error {
	b := bufio.NewWriter(w)
	if a.Incomplete != "" {
		fmt.Fprintf(b, "**%s**\n\n", grid.Escape(a.Incomplete))
	}
	for _, p := range a.Unreadable() {
		fmt.Fprintf(b, "- **not read:** %s\n", grid.Escape(p))
	}
	for _, line := range Summary(c) {
		fmt.Fprintf(b, "- %s\n", grid.Escape(line))
	}
	fmt.Fprintln(b)
	notes := &Footnotes{}
	rows, controls, left := c.Shown()
	if left > 0 {
		fmt.Fprintf(b, "%s\n\n", grid.Escape(leftOut(left)))
	}
	for _, s := range compare.Sections(rows) {
		markdownSection(b, c, s, "", notes)
	}
	markdownBeside(b, c, rows)
	for _, s := range compare.Sections(controls) {
		markdownSection(b, c, s, "Control: ", notes)
	}
	markdownFigures(b, c)
	for _, line := range notes.Lines() {
		fmt.Fprintf(b, "%s  \n", grid.Escape(line))
	}
	if len(notes.texts) > 0 {
		fmt.Fprintln(b)
	}
	for _, line := range Legend(c) {
		fmt.Fprintf(b, "%s  \n", grid.Escape(line))
	}
	fmt.Fprintln(b)
	markdownAbout(b, a)
	for _, text := range warnings(c, a) {
		fmt.Fprintf(b, "- warning: %s\n", grid.Escape(text))
	}
	return b.Flush()
}

func markdownAbout(w io.Writer, a about.About) {
	for _, f := range a.Facts {
		fmt.Fprintf(w, "- %s: %s\n", f.Label, grid.Escape(f.Text))
	}
	for _, b := range a.Builds {
		fmt.Fprintf(w, "- %s: %s\n", grid.Escape(b.Name), grid.Escape(b.Describe()))
	}
	for _, n := range a.Notes {
		fmt.Fprintf(w, "- note: %s\n", grid.Escape(n))
	}
}

func markdownSection(w io.Writer, c *compare.Comparison, s compare.Section, prefix string, notes *Footnotes) {
	if s.Counted() {
		markdownCounts(w, c, s, prefix, notes)
		return
	}
	fmt.Fprintf(w, "### %s\n\n", grid.Escape(sampleTitle(s, prefix)))
	sampleGrid(c, s, notes, emphasis, Style{}).Markdown(w, "")
	fmt.Fprintln(w)
}

// emphasis makes alarms stand out.
func emphasis(r compare.Row) string {
	if r.Verdict == compare.Slower || r.Verdict == compare.Faster {
		return "**" + VerdictText(r) + "**"
	}
	return VerdictText(r)
}
