package ci

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"xsmbench/reports/gate"
	"xsmbench/reports/internal/grid"
	"xsmbench/reports/internal/number"
)

// CommentLimit is the length of the longest comment, in bytes: what is longer
// is not read.
const CommentLimit = 4 << 10

// CommentMark begins every comment, so that a pipeline finds its last one and
// replaces it.
const CommentMark = "<!-- xsmbench gate -->"

// mostCommented bounds the rows of a comment; the rest is counted.
const mostCommented = 10

// Comment writes a gate's decision as Markdown for a merge request, shorter
// than CommentLimit. It writes nothing if there is nothing to say.
func Comment(w io.Writer, r *gate.Result) error {
	if r.Silent() {
		return nil
	}
	for rows := mostCommented; ; rows-- {
		text := comment(r, max(rows, 0), rows >= 0)
		if len(text) < CommentLimit {
			_, err := io.WriteString(w, text)
			return err
		}
		if rows < 0 {
			return fmt.Errorf("write comment: %d bytes without any row, of which %d may be used", len(text), CommentLimit)
		}
	}
}

func comment(r *gate.Result, rows int, withCommand bool) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n**xsmbench %s**.\n", CommentMark, grid.Escape(short(Headline(r), 400)))
	if r.Damage != "" {
		fmt.Fprintf(&b, "\nDamaged input: %s\n", grid.Escape(short(r.Damage, 400)))
	}
	for _, g := range groups(r) {
		if g.heading == "waived" || g.heading == allowedHeading {
			continue // agreed upon, and counted above
		}
		commentGroup(&b, r, g, &rows)
	}
	for i, use := range expired(r) {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "- %s\n", grid.Escape(short(WaiverLine(use), 300)))
	}
	if commands := r.Again(); withCommand && commands != nil {
		fmt.Fprintf(&b, "\nTo measure again:\n%s", grid.Fence("sh", strings.Join(commands, "\n")))
	}
	return b.String()
}

// commentGroup writes as many of a group's rows as are left.
func commentGroup(w io.Writer, r *gate.Result, g findingGroup, left *int) {
	lines := linesOf(r, g.findings)
	n := min(*left, len(lines))
	*left -= n
	if n == 0 {
		fmt.Fprintf(w, "\nAlso %s %s.\n", number.Count(len(g.findings), "row"), g.heading)
		return
	}
	fmt.Fprintf(w, "\n| %s | base | change | interval | |\n| :-- | --: | --: | --: | :-- |\n", g.heading)
	rest := len(g.findings)
	for _, l := range lines[:n] {
		f := l.Finding
		rest -= l.findings
		base, more := change(f)
		what := fmt.Sprintf("%s, %s in %s", short(l.names(), 300), l.builds, l.where)
		text := why(r, f)
		if hooks := Hooks(r, f); hooks != "" && f.Outcome() != gate.Inconclusive {
			text += "; hooks: " + hooks
		}
		grid.MarkdownLine(w, []string{what, base, more, effectInterval(f), short(text, 200)})
	}
	if rest > 0 {
		fmt.Fprintf(w, "\nAlso %s %s.\n", number.Count(rest, "row"), g.heading)
	}
}

// mostExpired bounds the expired waivers of a comment.
const mostExpired = 3

func expired(r *gate.Result) []gate.WaiverUse {
	var all []gate.WaiverUse
	for _, use := range r.Waived {
		if use.State == gate.Expired && len(all) < mostExpired {
			all = append(all, use)
		}
	}
	return all
}

// short cuts a text off after n characters.
func short(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return text
}
