package progress

import (
	"fmt"
	"io"
	"strings"
	"time"

	"xsmbench/experiment/series"
	"xsmbench/hv/git"
	"xsmbench/reports/table"
)

// Revisions is a screen for runs of one revision after another. It is a
// series.Attendant and a series.Hunter.
type Revisions struct {
	*Screen
	w io.Writer
}

// NewRevisions is such a screen.
func NewRevisions(w io.Writer) *Revisions { return &Revisions{New(w), w} }

// Turn prints which revision's turn it is.
func (r *Revisions) Turn(rev git.Revision, p series.Progress) {
	fmt.Fprintf(r.w, "%s %s: %s\n", turn(p), rev.Name, table.Harmless(rev.Subject))
}

func turn(p series.Progress) string {
	if p.All == 0 {
		return fmt.Sprintf("[%d]", p.Done+1)
	}
	return fmt.Sprintf("[%d/%d]", p.Done+1, p.All)
}

// Settled prints what became of it.
func (r *Revisions) Settled(e series.Entry, took time.Duration, p series.Progress) {
	line := fmt.Sprintf("%s: %s", e.Name, e.State)
	if e.Reason != "" {
		line += ": " + e.Reason
	}
	if took >= time.Second {
		line += fmt.Sprintf(" (%s)", minutes(took))
	}
	if p.Left > 0 {
		line += ", " + minutes(p.Left) + " left"
	}
	fmt.Fprintln(r.w, line)
}

// Read prints a figure.
func (r *Revisions) Read(x series.Reading) {
	note := ""
	if !x.Exact {
		note = " (its boots do not agree)"
	}
	fmt.Fprintf(r.w, "%s: %s %s%s\n", x.Name, table.Value(x.Value, x.Unit), x.Unit, note)
}

// Git prints what git bisect says.
func (r *Revisions) Git(said string) {
	for line := range strings.Lines(said) {
		fmt.Fprintln(r.w, "git: "+strings.TrimRight(line, "\n"))
	}
}
