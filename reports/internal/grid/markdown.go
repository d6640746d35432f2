package grid

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
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

// strong is what a caller emphasised at the start of a cell. A name that looks
// like it is no more than bold.
var strong = regexp.MustCompile(`^\*\*([^*]+)\*\*`)

// MarkdownLine writes a line of a table. Cells are escaped, but for what is bold
// at their start.
func MarkdownLine(w io.Writer, cells []string) {
	escaped := make([]string, len(cells))
	for i, c := range cells {
		if m := strong.FindStringSubmatch(c); m != nil {
			escaped[i] = "**" + Escape(m[1]) + "**" + Escape(c[len(m[0]):])
		} else {
			escaped[i] = Escape(c)
		}
	}
	fmt.Fprintf(w, "| %s |\n", strings.Join(escaped, " | "))
}

// escapes are of what Markdown reads as more than letters; of brackets those that
// would make a link.
var escapes = strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "`", "\\`",
	"](", `]\(`, "][", `]\[`, "]:", `]\:`, "~~", `\~\~`, "$", `\$`)

// heading is a sign that begins a heading, where no number follows.
var heading = regexp.MustCompile(`#([^\pN]|$)`)

// Escape keeps names from being read as Markdown or HTML, in their line, and from being more than
// names where it is posted: a mention, a reference to an issue, a link. Between
// such a sign and what follows it stands a character that nobody sees.
func Escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ReplaceAll(s, "\r\n", " "))
	s = heading.ReplaceAllString(escapes.Replace(s), `\#$1`)
	return inert.ReplaceAllStringFunc(s, func(found string) string {
		return found[:1] + invisible + found[1:]
	})
}

// Fence is a block of code that no line of the text can end.
func Fence(language, text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + language + "\n" + text + "\n" + fence + "\n"
}

const invisible = "\u200b"

// inert finds what a forge makes a link of: @name, #12, !12, GH-12, addresses.
var inert = regexp.MustCompile(`@[\pL\pN]|[#!]\pN|\bGH-\pN|\b(?i:https?|ftp)://|\b(?i:www)\.`)
