package cli

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"xsmbench/reports/about"
	"xsmbench/reports/answer"
	"xsmbench/reports/compare"
)

// writeAnswer ends a command with what its reader wants to know first: the last
// lines are those that a terminal still shows.
func (in input) writeAnswer(w io.Writer, c *compare.Comparison) error {
	if len(c.Rows) == 0 {
		return nil
	}
	profiles, err := in.hooks()
	if err != nil {
		return err
	}
	fmt.Fprintln(w)
	origin := about.OfInput(in.Input).WithChanges(in.Input, c.Base, profiles)
	return answer.Text(w, answer.Of(c, origin, profiles), coloured(w))
}

// coloured reports whether a writer is a terminal whose user takes colours (see
// no-color.org).
func coloured(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}
