package page

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"xsmbench/reports/answer"
	"xsmbench/reports/internal/grid"
	"xsmbench/reports/table"
)

// Markdown writes the report for a wiki or a merge request: the answer, and
// folded below it all rows and the charts that Write puts beside it.
func (r *Report) Markdown(w io.Writer) error {
	r.draw()
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n", grid.Escape(r.Title))
	if r.About.Incomplete != "" {
		fmt.Fprintf(&b, "**%s**\n\n", grid.Escape(r.About.Incomplete))
	}
	if err := answer.Markdown(&b, r.Answer(), max(0, answer.MostWords-len(strings.Fields(b.String())))); err != nil {
		return err
	}
	if n := len(r.Comparison.Warnings) + len(r.About.Problems); n > 0 {
		fmt.Fprintf(&b, "Warnings: %d, in the details.\n\n", n)
	}
	fmt.Fprint(&b, "<details><summary>All rows, and what they were measured on</summary>\n\n")
	if err := table.Markdown(&b, r.Comparison, r.About); err != nil {
		return err
	}
	if c := r.Coverage; c != nil {
		fmt.Fprintf(&b, "\n</details>\n\n<details><summary>%s</summary>\n\n", grid.Escape(c.Title()))
		if err := c.Markdown(&b); err != nil {
			return err
		}
	}
	fmt.Fprint(&b, "\n</details>\n\n<details><summary>Charts</summary>\n")
	for _, ch := range slices.Concat(r.charts, r.trends) {
		fmt.Fprintf(&b, "\n![%s](%s.png)\n", grid.Escape(ch.Title), ch.Name)
	}
	fmt.Fprint(&b, "\n</details>\n")
	_, err := w.Write(b.Bytes())
	return err
}
