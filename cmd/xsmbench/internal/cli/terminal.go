package cli

import (
	"io"
	"os"

	"golang.org/x/term"

	"xsmbench/reports/table"
)

// narrowest is what a table is given at least, on however narrow a terminal.
const narrowest = 40

// styleOf is what an output offers: a terminal its width, and colours unless
// $NO_COLOR is set (no-color.org) or it is a dumb one; a pipe or a file nothing.
func styleOf(w io.Writer) table.Style {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return table.Style{}
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		width = 80
	}
	return table.Style{
		Width:  max(width, narrowest),
		Colour: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	}
}
