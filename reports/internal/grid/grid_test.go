package grid

import (
	"strings"
	"testing"
)

func TestGrid(t *testing.T) {
	g := New(4)
	g.Right[1] = true
	g.Add("name", "ns", Rule, "verdict")
	g.Add("op=a_b", "12", Rule, "**slower** ¹")
	g.Note("    native: disturbed")
	g.Note("    dummy: disturbed")
	g.Add("  µ", "3", Rule, "a|b")
	var text, markdown strings.Builder
	g.Write(&text)
	g.Markdown(&markdown, "reason")
	const wantText = `name    ns  │  verdict
op=a_b  12  │  **slower** ¹
    native: disturbed
    dummy: disturbed
  µ      3  │  a|b
`
	const wantMarkdown = `| name | ns | verdict | reason |
| :-- | --: | :-- | :-- |
| op=a\_b | 12 | **slower** ¹ | native: disturbed; dummy: disturbed |
| µ | 3 | a\|b |  |
`
	if text.String() != wantText {
		t.Errorf("text:\n%s", text.String())
	}
	if markdown.String() != wantMarkdown {
		t.Errorf("Markdown:\n%s", markdown.String())
	}
}

// No cell opens another cell, a line, an element or a link.
func FuzzMarkdownLine(f *testing.F) {
	for _, s := range []string{"a|b", "**slower** ¹", "**x**|y", "<b>", "[a](b)", "[a][b]", "x\n| y |", `\`, `\|`, "`c`", "@team", "a\u2028b", "<!-- x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		var b strings.Builder
		MarkdownLine(&b, []string{cell, "end"})
		line := strings.TrimSuffix(b.String(), "\n")
		if strings.ContainsAny(line, "\n\r<>`\u2028\u2029") && strings.Count(line, "`") != strings.Count(line, "\\`") || strings.ContainsAny(line, "\n\r<>") {
			t.Fatalf("%q became %q", cell, line)
		}
		bars := 0
		for i := 0; i < len(line); i++ {
			switch line[i] {
			case '\\':
				i++ // what follows is a letter
			case '|':
				bars++
			}
		}
		if bars != 3 || strings.Contains(line, "](") || strings.Contains(line, "@t") {
			t.Fatalf("%q became %q, with %d bars", cell, line, bars)
		}
	})
}

// A block of code ends where it should.
func TestFence(t *testing.T) {
	for text, want := range map[string]string{
		"a":         "```sh\na\n```\n",
		"a\n```\nb": "````sh\na\n```\nb\n````\n",
	} {
		if got := Fence("sh", text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
