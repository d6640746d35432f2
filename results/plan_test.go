package results

import (
	"slices"
	"testing"

	"xsmbench/hv"
)

func TestPlaces(t *testing.T) {
	s := Spec{Builds: []hv.Build{{Name: "a", Arch: "amd64"}, {Name: "b"}}, Domains: []string{"dom0", "domU"},
		Benchmarks: []string{"x", "ctl"}, Dom0Only: []string{"ctl"}}
	want := []Place{
		{"a", "amd64", "", "dom0", "x"}, {"a", "amd64", "", "dom0", "ctl"}, {"a", "amd64", "", "domU", "x"},
		{"b", "", "", "dom0", "x"}, {"b", "", "", "dom0", "ctl"}, {"b", "", "", "domU", "x"},
	}
	if got := s.Places(); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	kinds := Spec{Builds: s.Builds[:1], Domains: []string{"domU"}, Benchmarks: []string{"x"}, DomU: "pv", MoreDomUs: []string{"pvh"}}
	missing := []Problem{{File: "r/results/a-amd64-domU-pvh.txt", Note: true, Benchmark: "x", Reason: "forbidden"}}
	for i, p := range []Place{{"a", "amd64", "", "domU", "x"}, {"a", "amd64", "pvh", "domU", "x"}} {
		if got := kinds.Places()[i]; got != p || (kinds.Reason(got, missing) != "") != (p.DomU == "pvh") {
			t.Errorf("%v", got)
		}
	}
	problems := []Problem{
		{File: "r/results/a-amd64-domU.txt", Note: true, Benchmark: "x", Reason: "forbidden"},
		{File: "r/results/b-dom0.txt", Note: true, Benchmark: "ctl", Reason: "none"},
	}
	for i, want := range []string{"", "", "forbidden", "", "none", ""} {
		if got := s.Reason(s.Places()[i], problems); got != want {
			t.Errorf("%v: %q, want %q", s.Places()[i], got, want)
		}
	}
}
