package ranges

import (
	"bufio"
	"fmt"
	"io"
	"slices"
)

// WriteMap writes the ranges as the plug-in of package window reads them: one
// line of totals, then ranges and entries in ascending order.
func (t *Table) WriteMap(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "area %x %x names %d ranges %d entries %d\n", t.Area.Lo, t.Area.Hi, len(t.Names), len(t.Ranges), len(t.Entries))
	for _, r := range t.Ranges {
		fmt.Fprintf(b, "r %x %x %d\n", r.Lo, r.Hi, r.ID)
	}
	at := make([]uint64, 0, len(t.Entries))
	for a := range t.Entries {
		at = append(at, a)
	}
	slices.Sort(at)
	for _, a := range at {
		fmt.Fprintf(b, "e %x %d\n", a, t.Entries[a])
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write map of ranges: %w", err)
	}
	return nil
}
