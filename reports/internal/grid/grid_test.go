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
