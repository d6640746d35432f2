package change

import (
	"slices"
	"strings"
	"testing"
)

func TestOptionChanges(t *testing.T) {
	for _, c := range []struct {
		before, after string
		want          []string
	}{
		{"", "", nil},
		{"flask=late", "flask=late", nil},
		{"", "flask=permissive", []string{"flask: not given → permissive"}},
		{"flask=permissive sched=null", "sched=null", []string{"flask: permissive → not given"}},
		{"flask=permissive", "flask=disabled", []string{"flask: permissive → disabled"}},
		{"a=1 a=2 flask=late", "a=2 flask_enabled=0 flask=late", []string{"a: 1 2 → 2", "flask_enabled: not given → 0"}},
	} {
		if got := optionChanges(strings.Fields(c.before), strings.Fields(c.after)); !slices.Equal(got, c.want) {
			t.Errorf("%q, %q: %q, want %q", c.before, c.after, got, c.want)
		}
	}
}
