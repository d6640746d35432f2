package compare

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/results"
)

func TestSources(t *testing.T) {
	set := &Set{}
	for _, file := range []string{"a/results/x.txt", "a/results/y.txt", "b/results/x.txt", "plain.txt"} {
		take := set.Taker(2)
		for boot := 1; boot <= 2; boot++ {
			for range 3 {
				s := results.Sample{File: file, Run: file[:1]}
				if file != "plain.txt" {
					s.Boot = results.Boot{Boot: boot, Round: boot}
				}
				take(&s, func() []float64 { return nil })
			}
		}
	}
	want := []Source{{"a/results", 2, 12, 2}, {"b/results", 1, 6, 2}, {".", 1, 6, 0}}
	for _, when := range []string{"before", "after"} {
		if d := cmp.Diff(want, set.Sources()); d != "" {
			t.Errorf("%s the parts are joined: %s", when, d)
		}
		set.join()
	}
}
