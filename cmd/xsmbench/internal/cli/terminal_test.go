package cli

import (
	"bytes"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"xsmbench/reports/table"
)

// TestStyle: a pipe has no style; a terminal has its width, and colours unless
// somebody asked for none.
func TestStyle(t *testing.T) {
	if got := styleOf(&bytes.Buffer{}); got != (table.Style{}) {
		t.Errorf("a buffer: %+v", got)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if got := styleOf(w); got != (table.Style{}) {
		t.Errorf("a pipe: %+v", got)
	}
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer terminal.Close()
	for _, tt := range []struct {
		columns       uint16
		noColor, term string
		want          table.Style
	}{
		{132, "", "xterm", table.Style{Width: 132, Colour: true}},
		{80, "1", "xterm", table.Style{Width: 80}},
		{80, "", "dumb", table.Style{Width: 80}},
		{0, "", "xterm", table.Style{Width: 80, Colour: true}},
		{10, "", "xterm", table.Style{Width: narrowest, Colour: true}},
	} {
		t.Setenv("NO_COLOR", tt.noColor)
		t.Setenv("TERM", tt.term)
		if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: tt.columns}); err != nil {
			t.Skip(err)
		}
		if got := styleOf(terminal); got != tt.want {
			t.Errorf("%d columns, NO_COLOR=%q, TERM=%s: %+v, want %+v", tt.columns, tt.noColor, tt.term, got, tt.want)
		}
	}
}
