package table

import (
	"fmt"
	"slices"
	"strings"

	"xsmbench/reports/compare"
	"xsmbench/reports/internal/grid"
)

// wayTitle heads the hooks that an operation crosses.
const wayTitle = "hooks of one operation"

// anyWay says that the column has no bound, leastWay is how wide it must be to tell
// something, and markdownWay bounds it where nothing else does.
const (
	noWay       = 0
	anyWay      = -1
	leastWay    = 30
	markdownWay = 90
)

// Way lists the hooks that an operation crosses, with how often: "28
// update_va_mapping, 10 memory_pin_page". Hooks for which there is no room are
// counted; room is in columns, below 0 without bound. It is empty if none was
// counted.
func Way(l compare.Line, room int) string {
	var words []string
	for _, h := range l.Way() {
		words = append(words, h.String())
	}
	whole := strings.Join(words, ", ")
	if room < 0 || grid.Width(whole) <= room {
		return whole
	}
	for n := len(words) - 1; n > 0; n-- {
		if text := fmt.Sprintf("%s, %d more", strings.Join(words[:n], ", "), len(words)-n); grid.Width(text) <= room {
			return text
		}
	}
	return fmt.Sprintf("%d hooks", len(words))
}

// hasWay tells whether hooks were counted in any line of a section.
func hasWay(s compare.Section) bool {
	return slices.ContainsFunc(s.Lines, func(l compare.Line) bool { return len(l.Way()) > 0 })
}

// fittingGrid is the widest table of a section that counts for which there is room:
// with its hooks, with some of them, or without.
func fittingGrid(c *compare.Comparison, s compare.Section, notes *Footnotes, style Style) *grid.Grid {
	narrow := countGrid(c, s, notes, style, noWay)
	if !hasWay(s) {
		return narrow
	}
	if g := countGrid(c, s, notes, style, anyWay); style.fits(g) {
		return g
	}
	if room := style.Width - narrow.Width() - grid.Width(grid.Rule+"  "); room >= leastWay {
		return countGrid(c, s, notes, style, room)
	}
	return narrow
}
