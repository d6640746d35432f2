package table

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	"xsmbench/reports/compare"
	"xsmbench/results"
)

// twoArches are counts of two builds on two architectures; a boot each.
func twoArches(t *testing.T) *compare.Comparison {
	t.Helper()
	var samples []results.Sample
	for arch, counts := range map[string][2]float64{"amd64": {200, 216}, "386": {300, 321}} {
		for i, build := range []string{"native", "dummy"} {
			for round := 1; round <= 2; round++ {
				samples = append(samples, results.Sample{
					Boot: results.Boot{Boot: 2*round + i, Round: round, Order: 1 + i}, Target: "model", Arch: arch, Domain: "dom0", Build: build,
					Benchmark: "A/op", Run: "run", Ended: true, Values: []bench.Value{{Value: counts[i], Unit: "xen-instr/op"}},
				})
			}
		}
	}
	c, err := compare.Compare(samples, compare.Options{Base: "native"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestArches(t *testing.T) {
	c := twoArches(t)
	want := ArchTable{
		Head:  []string{"benchmark", "domain", "unit", "build", "native 386", "change 386", "native amd64", "change amd64"},
		Lines: [][]string{{"A/op", "dom0", "xen-instr/op", "dummy", "300", "+21 (+7.00%)", "200", "+16 (+8.00%)"}},
	}
	if d := cmp.Diff(want, Arches(c, c.Rows)); d != "" {
		t.Error(d)
	}
	if a := Arches(c, c.Rows[:1]); a.Lines != nil {
		t.Errorf("of one architecture: %v", a)
	}
	// Rows are compared within an architecture, and named by it where it is needed.
	for _, r := range c.Rows {
		if want := r.Arch + " dom0"; c.Where(r.Environment) != want {
			t.Errorf("where %q, want %q", c.Where(r.Environment), want)
		}
	}
}
