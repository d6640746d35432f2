package table

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/grid"
)

// Markdown writes the comparison for a posting or a merge request.
func Markdown(w io.Writer, c *compare.Comparison, a about.About) error {
	b := bufio.NewWriter(w)
	for _, line := range Summary(c) {
		fmt.Fprintf(b, "- %s\n", grid.Escape(line))
	}
	fmt.Fprintln(b)
	notes := &Footnotes{}
	for _, s := range compare.Sections(c.Rows) {
		markdownSection(b, c, s, "", notes)
	}
	for _, s := range compare.Sections(c.Controls) {
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
	for _, text := range compare.Texts(c.Warnings) {
		fmt.Fprintf(b, "- warning: %s\n", grid.Escape(text))
	}
	for _, p := range a.ProblemLines() {
		fmt.Fprintf(b, "- warning: %s\n", grid.Escape(p))
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
	fmt.Fprintf(w, "### %s\n\n", grid.Escape(prefix+s.Title()))
	head := []string{"benchmark", c.Base}
	rule := []string{":--", "--:"}
	for _, build := range s.Builds {
		head = append(head, build, c.LevelText()+" interval", "verdict", "n")
		rule = append(rule, "--:", "--:", ":--", "--:")
	}
	grid.MarkdownLine(w, head)
	fmt.Fprintf(w, "| %s |\n", strings.Join(rule, " | "))
	for _, l := range s.Lines {
		cells := []string{l.Benchmark, Value(l.BaseValue, s.Unit)}
		for _, r := range l.Rows {
			if r == nil {
				cells = append(cells, "–", "", "not measured", "")
				continue
			}
			cells = append(cells, Overhead(*r), Interval(*r), emphasis(*r)+notes.Marks(r.Warnings), fmt.Sprint(r.N))
		}
		grid.MarkdownLine(w, cells)
	}
	for _, m := range MeansOf(c, s) {
		line := []string{strings.TrimSpace(m.Label), ""}
		for _, one := range m.Means {
			line = append(line, one.Overhead, one.Interval, ofRows(one), "")
		}
		grid.MarkdownLine(w, line)
	}
	fmt.Fprintln(w)
}

// emphasis makes alarms stand out.
func emphasis(r compare.Row) string {
	if r.Verdict == compare.Slower || r.Verdict == compare.Faster {
		return "**" + VerdictText(r) + "**"
	}
	return VerdictText(r)
}
