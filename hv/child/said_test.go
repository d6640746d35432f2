package child

import (
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	isError := func(line string) bool { return strings.HasPrefix(line, "E:") }
	for _, c := range []struct{ said, first, last string }{
		{"", "", ""},
		{"\n \n", "", ""},
		{"one\n", "", "one"},
		{"W: a\n  E: b \r\nE: c\n d \n\n", "E: b", "d"},
		{"E: " + strings.Repeat("x", 100000), "E: " + strings.Repeat("x", 100000), "E: " + strings.Repeat("x", 100000)},
	} {
		if got := FirstLine(c.said, isError); got != c.first {
			t.Errorf("the first error of %.40q is %.40q, want %.40q", c.said, got, c.first)
		}
		if got := LastLine(c.said); got != c.last {
			t.Errorf("the last line of %.40q is %.40q, want %.40q", c.said, got, c.last)
		}
	}
}
