package grid

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Markdown writes the grid as a table in Markdown, its first line as the head.
// Rules are left out; if there are notes, they stand in a last column under the
// heading given.
func (g *Grid) Markdown(w io.Writer, heading string) {
	var lines, notes [][]string
	for _, l := range g.lines {
		switch last := len(lines) - 1; {
		case l.cells != nil:
			lines, notes = append(lines, g.withoutRules(l.cells)), append(notes, nil)
		case last >= 0:
			notes[last] = append(notes[last], strings.TrimSpace(l.note))
		}
	}
	rule := g.alignments()
	if slices.ContainsFunc(notes, func(n []string) bool { return n != nil }) {
		rule = append(rule, ":--")
		for i := range lines {
			lines[i] = append(lines[i], strings.Join(notes[i], "; "))
		}
		lines[0][len(lines[0])-1] = heading
	}
	for i, cells := range lines {
		MarkdownLine(w, cells)
		if i == 0 {
			fmt.Fprintf(w, "| %s |\n", strings.Join(rule, " | "))
		}
	}
}

// withoutRules are the cells of the columns that are not rules.
func (g *Grid) withoutRules(cells []string) []string {
	var kept []string
	for i, c := range cells {
		if !g.lines[0].rule(i) {
			kept = append(kept, strings.TrimSpace(c))
		}
	}
	return kept
}

// alignments are those of the columns that are not rules.
func (g *Grid) alignments() []string {
	var all []string
	for i, right := range g.Right {
		switch {
		case g.lines[0].rule(i):
		case right:
			all = append(all, "--:")
		default:
			all = append(all, ":--")
		}
	}
	return all
}

// MarkdownLine writes a line of a table. A cell that is emphasised
// is escaped already.
func MarkdownLine(w io.Writer, cells []string) {
	escaped := make([]string, len(cells))
	for i, c := range cells {
		if escaped[i] = c; !strings.HasPrefix(c, "**") {
			escaped[i] = Escape(c)
		}
	}
	fmt.Fprintf(w, "| %s |\n", strings.Join(escaped, " | "))
}

// Escape keeps names from being read as Markdown.
func Escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;", "`", "\\`").Replace(s)
}
