package agent

import (
	"strings"
	"testing"
)

// TestPanicked: a mistake has a place, what is thrown on purpose has none.
func TestPanicked(t *testing.T) {
	caught := func(f func()) (err error) {
		defer func() { err = panicked("B", recover()) }()
		f()
		return nil
	}
	var none map[string]int
	for _, c := range []struct {
		f    func()
		want string // of the error, without the line's number
	}{
		{func() { none["x"] = 1 }, "measure B: panic: assignment to entry in nil map, at "},
		{func() { _ = []int{}[len(none)] }, "measure B: panic: runtime error: index out of range [0] with length 0, at "},
		{func() { panic("lost") }, "measure B: panic: lost"},
	} {
		got := caught(c.f).Error()
		if !strings.HasPrefix(got, c.want) || strings.Contains(got, ", at ") != strings.Contains(got, "agent/panic_test.go:") {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
