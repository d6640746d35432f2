package table

import (
	"io"
	"strings"
	"testing"

	"xsmbench/reports/internal/golden"
	"xsmbench/reports/synthetic"
)

func TestMailingLists(t *testing.T) {
	for run, file := range map[string]string{"run": "compare", "counted": "counted"} {
		c, a := synthetic.Compare(t, run)
		golden.Matches(t, *update, file+".lkp", func(w io.Writer) error { return LKP(w, c, a) })
		text := golden.Matches(t, *update, file+".mail", func(w io.Writer) error { return Mail(w, c, a) })
		for i, line := range strings.Split(text, "\n") {
			if len(line) > MailWidth {
				t.Errorf("%s.mail:%d: %d characters: %s", file, i+1, len(line), line)
			}
			if strings.IndexFunc(line, func(r rune) bool { return r > 126 || r < ' ' }) >= 0 {
				t.Errorf("%s.mail:%d: not plain ASCII: %q", file, i+1, line)
			}
		}
	}
}
