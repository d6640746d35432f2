package hv

import (
	"slices"
	"testing"
)

func TestCheckOption(t *testing.T) {
	for option, good := range map[string]bool{
		"flask=permissive":           true,
		"spec-ctrl=pv=off,hvm=on":    true,
		"flask_enforcing=0":          true,
		"noreboot":                   false,
		"=1":                         false,
		"flask=":                     false,
		"":                           false,
		"flask=late com1=9600":       false,
		"flask=late\nx=y":            false,
		"flask=\x00":                 false,
		`extra_guest_idle="flask"`:   false,
		"dom0=verbose=yes,pvh=false": true,
	} {
		if err := CheckOption(option); (err == nil) != good {
			t.Errorf("%q: %v", option, err)
		}
	}
}

func TestJoinOptions(t *testing.T) {
	all := []string{"flask=late", "sched=credit"}
	for _, c := range []struct{ own, want []string }{
		{nil, all},
		{[]string{"flask=permissive"}, []string{"sched=credit", "flask=permissive"}},
		{[]string{"xpti=no", "xpti=yes"}, []string{"flask=late", "sched=credit", "xpti=no", "xpti=yes"}},
	} {
		if got := JoinOptions(all, c.own); !slices.Equal(got, c.want) {
			t.Errorf("with %q: %q, want %q", c.own, got, c.want)
		}
	}
}
