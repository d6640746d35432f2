package answer

import (
	"fmt"
	"io"
	"strings"

	"xsmbench/reports/internal/grid"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/table"
)

// MostWords is how long an answer in Markdown is: what stands before the details
// is read, and more is not.
const MostWords = 280

// Markdown writes the answer in at most so many words: a sentence for each build,
// then the operations that cost the most, and an empty line. What finds no room is
// counted.
func Markdown(w io.Writer, a *Answer, words int) error {
	var b strings.Builder
	left := words
	add := func(text string) bool {
		n := len(strings.Fields(text))
		if n > left {
			return false
		}
		left -= n
		b.WriteString(text)
		return true
	}
	if title := a.Title(); title != "" {
		add(grid.Escape(title) + "\n\n")
	}
	left -= 14 // for the line that counts what is left out
	out := 0
	for _, build := range a.Builds {
		if !add("- " + grid.Escape(build.Sentence()) + "\n") {
			out++
		}
	}
	if out > 0 {
		fmt.Fprintf(&b, "- %s more: see the details.\n", number.Count(out, "build"))
	}
	a.markdownChanges(&b, add)
	a.markdownMost(&b, add)
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownChanges has what was changed, a list for each build. What was not reached
// comes first.
func (a *Answer) markdownChanges(b *strings.Builder, add func(string) bool) {
	for _, build := range a.Builds {
		if build.Changed == nil {
			continue
		}
		lines := build.Changed.Lines()
		last := len(lines) - 1
		add(fmt.Sprintf("\n%s against %s:\n\n- %s\n", grid.Escape(build.Name), grid.Escape(build.Changed.Base), grid.Escape(lines[last])))
		for _, line := range lines[:last] {
			item := "- "
			if strings.HasPrefix(line, "  ") {
				item = "  - "
			}
			add(item + grid.Escape(strings.TrimSpace(line)) + "\n")
		}
	}
}

// markdownMost has the costliest operations of the builds, as long as they find
// room.
func (a *Answer) markdownMost(b *strings.Builder, add func(string) bool) {
	const head = "\n| build | operation | " + "before | more | hook |\n| :-- | :-- | --: | --: | :-- |\n"
	open := false
	for i := len(a.Builds) - 1; i >= 0; i-- { // the last is what the others lead to
		build := a.Builds[i]
		for _, c := range build.Most {
			if !open {
				if open = add(head); !open {
					return
				}
			}
			var line strings.Builder
			grid.MarkdownLine(&line, []string{build.Name, c.Name() + c.at(), table.Value(c.BaseValue, c.Unit), c.Change(), c.Cause.String()})
			if !add(line.String()) {
				return
			}
		}
	}
}

// Change is what the build has more: "+913 (+31.8%)" of counts, "+6.2%" of times.
func (c Cost) Change() string {
	if c.Exact {
		return table.Difference(c.Row)
	}
	return table.Overhead(c.Row) + c.undecided()
}
