package grid

import (
	"fmt"
	"io"
	"strings"
)

// MarkdownLine writes a line of a table in Markdown. A cell that is emphasised
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
