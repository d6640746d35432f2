package account

import (
	"slices"
	"strings"
	"testing"

	"xsmbench/hv"
	"xsmbench/reports/compare"
	"xsmbench/results"
)

// cells makes them of words "build/domain/benchmark/unit".
func cells(words ...string) []compare.Cell {
	var all []compare.Cell
	for _, w := range words {
		p := strings.Split(w, "/")
		unit := map[string]string{"ns": "ns/op", "xen": "xen-instr/op", "hooks": "hooks/op"}[p[3]]
		all = append(all, compare.Cell{Environment: compare.Environment{Target: "xen", Arch: "amd64", Domain: p[1]}, Build: p[0], Benchmark: p[2], Unit: unit})
	}
	return all
}

func describe(all []Difference) string {
	var text []string
	for _, d := range all {
		word := strings.TrimSuffix(d.Build+"/"+d.Domain+"/"+d.Benchmark+"/"+d.Unit, "/") + " " + string(d.Kind)
		if d.Reason != "" {
			word += " (" + d.Reason + ")"
		}
		text = append(text, word)
	}
	return strings.Join(text, ", ")
}

func TestAgainst(t *testing.T) {
	for _, tt := range []struct {
		name            string
		measured, other []compare.Cell
		saysWhy         bool
		want            string
	}{
		{"the same", cells("f/d/a/ns"), cells("f/d/a/ns"), false, ""},
		{"ended and new", cells("f/d/a/ns", "f/d/b/ns"), cells("f/d/a/ns", "f/d/c/ns"), false, "f/d/b/ns/op new, f/d/c/ns/op ended"},
		{"another domain", cells("f/u/a/ns"), cells("f/d/a/ns"), false, "f/u/a/ns/op new, f/d/a/ns/op ended"},
		{"another unit", cells("f/d/a/ns"), cells("f/d/a/xen"), false, "f/d/a/ns/op new, f/d/a/xen-instr/op ended"},
		{"a unit more", cells("f/d/a/ns", "f/d/a/xen"), cells("f/d/a/ns"), false, "f/d/a/xen-instr/op new"},
		{"what describes alone is no matter", cells("f/d/a/ns", "f/d/a/hooks"), cells("f/d/a/ns"), false, ""},
		{"counted there alone", cells("f/d/a/hooks"), cells("f/d/a/hooks", "f/d/a/xen"), false, "f/d/a not counted"},
		{"counted here alone", cells("f/d/a/hooks", "f/d/a/xen"), cells("f/d/a/hooks"), false, "f/d/a/xen-instr/op not counted"},
		{"counted nowhere, and the samples say why", cells("f/d/a/hooks"), cells("f/d/a/hooks"), true, "f/d/a never counted"},
		{"counted nowhere, and nothing says why", cells("f/d/a/hooks"), cells("f/d/a/hooks"), false, "f/d/a no cost"},
		{"not counted, and new", cells("f/d/a/hooks"), nil, true, "f/d/a new"},
		{"not counted, and ended", nil, cells("f/d/a/hooks"), true, "f/d/a ended"},
		{"nothing", nil, nil, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := describe(Against(tt.measured, tt.other, func(compare.Cell) bool { return tt.saysWhy })); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func spec() *results.Spec {
	return &results.Spec{Target: "xen", Domains: []string{"dom0", "domU"}, Benchmarks: []string{"a", "b", "ctl"}, Dom0Only: []string{"ctl"},
		Builds: []hv.Build{{Name: "native", Arch: "amd64"}, {Name: "flask", Arch: "amd64"}}}
}

// whole are samples of all of the plan.
func whole() []compare.Cell {
	var all []compare.Cell
	for _, build := range []string{"native", "flask"} {
		all = append(all, cells(build+"/dom0/a/ns", build+"/dom0/b/ns", build+"/dom0/ctl/ns", build+"/domU/a/ns", build+"/domU/b/ns")...)
	}
	return all
}

func TestGaps(t *testing.T) {
	without := func(is func(compare.Cell) bool) []compare.Cell { return slices.DeleteFunc(whole(), is) }
	forbidden := []results.Problem{{File: "run/results/flask-amd64-domU.txt", Note: true, Benchmark: "b", Reason: "forbidden"}}
	for _, tt := range []struct {
		name     string
		measured []compare.Cell
		problems []results.Problem
		gaps     int
		line     string
	}{
		{"whole", whole(), nil, 0, ""},
		{"build", without(func(c compare.Cell) bool { return c.Build == "flask" }), nil, 5, "planned, but without a sample: build flask"},
		{"domain", without(func(c compare.Cell) bool { return c.Domain == "domU" }), nil, 4, "planned, but without a sample: domain domU"},
		{"benchmark", without(func(c compare.Cell) bool { return c.Benchmark == "b" }), nil, 4, "planned, but without a sample: benchmark b"},
		{"one of dom0's", without(func(c compare.Cell) bool { return c.Benchmark == "ctl" && c.Build == "flask" }), nil, 1, "planned, but without a sample: ctl in dom0 of flask"},
		{"a domain of a build", without(func(c compare.Cell) bool { return c.Domain == "domU" && c.Build == "flask" }), nil, 2,
			"planned, but without a sample: a in domU of flask, b in domU of flask"},
		{"forbidden", without(func(c compare.Cell) bool { return c == cells("flask/domU/b/ns")[0] }), forbidden, 1, "could not be measured: b in domU of flask"},
		{"forbidden, and another build's", without(func(c compare.Cell) bool { return c.Domain == "domU" && c.Benchmark == "b" }), forbidden, 2,
			"planned, but without a sample: b in domU of native; could not be measured: b in domU of flask"},
		{"two", without(func(c compare.Cell) bool { return c.Build == "flask" || c.Domain == "domU" }), nil, 7, "planned, but without a sample: build flask, domain domU"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			gaps := Gaps(spec(), tt.measured, tt.problems)
			if got := Line(spec(), gaps); len(gaps) != tt.gaps || got != tt.line {
				t.Errorf("%s\n%q, want %q", describe(gaps), got, tt.line)
			}
		})
	}
}

func TestUnplanned(t *testing.T) {
	got := Unplanned(spec(), append(whole(), cells("flask/domU/ctl/ns", "mine/dom0/a/ns", "mine/dom0/a/xen")...))
	if len(got) != 2 || got[0].Benchmark != "ctl" || got[1].Build != "mine" {
		t.Errorf("%+v", got)
	}
}
