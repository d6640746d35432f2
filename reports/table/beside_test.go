package table

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	"xsmbench/reports/compare"
	"xsmbench/results"
)

// several are counts of two builds in two environments; two boots each.
func several(t *testing.T, in map[string][2]float64, set func(*results.Sample, string)) *compare.Comparison {
	t.Helper()
	var samples []results.Sample
	for value, counts := range in {
		for i, build := range []string{"native", "dummy"} {
			for round := 1; round <= 2; round++ {
				s := results.Sample{
					Boot: results.Boot{Boot: 2*round + i, Round: round, Order: 1 + i}, Target: "some", Domain: "dom0", Build: build,
					Benchmark: "A/op", Run: "run", Ended: true, Values: []bench.Value{{Value: counts[i], Unit: "xen-instr/op"}},
				}
				set(&s, value)
				samples = append(samples, s)
			}
		}
	}
	c, err := compare.Compare(samples, compare.Options{Base: "native", UsualDomU: "pv"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Rows are compared within an architecture, or with domUs of one kind, and named by that
// where it is needed.
func TestBeside(t *testing.T) {
	for _, tt := range []struct {
		name   string
		in     map[string][2]float64
		set    func(*results.Sample, string)
		head   []string
		line   []string
		places []string
	}{
		{"architectures", map[string][2]float64{"amd64": {200, 216}, "386": {300, 321}},
			func(s *results.Sample, arch string) { s.Arch = arch },
			[]string{"native 386", "change 386", "native amd64", "change amd64"},
			[]string{"300", "+21 (+7.00%)", "200", "+16 (+8.00%)"}, []string{"386 dom0", "amd64 dom0"}},
		{"kinds of domUs", map[string][2]float64{"": {200, 216}, "pvh": {300, 321}},
			func(s *results.Sample, kind string) { s.DomU = kind },
			[]string{"native pv", "change pv", "native pvh", "change pvh"},
			[]string{"200", "+16 (+8.00%)", "300", "+21 (+7.00%)"}, []string{"dom0", "domu=pvh dom0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := several(t, tt.in, tt.set)
			all := Beside(c, c.Rows)
			if len(all) != 1 {
				t.Fatalf("%d tables", len(all))
			}
			want := BesideTable{all[0].Title, append([]string{"benchmark", "domain", "unit", "build"}, tt.head...),
				[][]string{append([]string{"A/op", "dom0", "xen-instr/op", "dummy"}, tt.line...)}}
			if d := cmp.Diff(want, all[0]); d != "" {
				t.Error(d)
			}
			if all := Beside(c, c.Rows[:1]); all != nil {
				t.Errorf("of one: %v", all)
			}
			var places []string
			for _, r := range c.Rows {
				places = append(places, c.Where(r.Environment))
			}
			if d := cmp.Diff(tt.places, places); d != "" {
				t.Error(d)
			}
		})
	}
}
