package compare

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	"xsmbench/results"
)

// at is a sample of native in a round of a run; 0 is none.
func at(run string, round int, benchmark string, value float64) results.Sample {
	return results.Sample{
		Boot: results.Boot{Boot: round + 1, Round: round, Image: "i"}, Build: "native", Domain: "dom0", Benchmark: benchmark,
		Values: []bench.Value{{Value: value, Unit: "ns/op"}}, Run: run, Ended: true,
	}
}

func none() []float64 { return nil }

// describe gives the values of each series with their rounds.
func describe(s *Set) map[string]string {
	all := map[string]string{}
	for _, series := range s.group(nil).series {
		for _, b := range series.builds {
			text := ""
			for i, v := range b.values {
				text += fmt.Sprintf("%s%d=%v ", b.start(i).run, b.start(i).round.round, v)
			}
			all[series.benchmark] += text
		}
	}
	return all
}

func TestSetSettles(t *testing.T) {
	for _, c := range []struct {
		name    string
		samples []results.Sample
		want    map[string]string
	}{
		{"in order", []results.Sample{at("r", 1, "a", 1), at("r", 1, "b", 2), at("r", 2, "a", 3), at("r", 2, "b", 4)},
			map[string]string{"a": "r1=1 r2=3 ", "b": "r1=2 r2=4 "}},
		{"a round that was repeated", []results.Sample{at("r", 2, "a", 3), at("r", 2, "b", 4), at("r", 1, "a", 1), at("r", 1, "b", 2)},
			map[string]string{"a": "r1=1 r2=3 ", "b": "r1=2 r2=4 "}},
		{"a benchmark that is missing", []results.Sample{at("r", 1, "a", 1), at("r", 2, "a", 3), at("r", 2, "b", 4), at("r", 3, "a", 5), at("r", 3, "b", 6)},
			map[string]string{"a": "r1=1 r2=3 r3=5 ", "b": "r2=4 r3=6 "}},
		{"measured twice", []results.Sample{at("r", 1, "a", 1), at("r", 1, "a", 2), at("r", 2, "a", 7), at("r", 1, "a", 6)},
			map[string]string{"a": "r1=3 r2=7 "}},
		{"two runs", []results.Sample{at("s", 1, "a", 1), at("r", 1, "a", 2), at("r", 2, "a", 3)},
			map[string]string{"a": "r1=2 r2=3 s1=1 "}},
		{"no rounds", []results.Sample{at("", 0, "a", 2), at("", 0, "a", 1), at("", 0, "b", 3)},
			map[string]string{"a": "0=2 0=1 ", "b": "0=3 "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, describe(SetOf(c.samples))); diff != "" {
				t.Error(diff)
			}
			// Every way to part the samples gives the same.
			for cut := range len(c.samples) + 1 {
				set := &Set{}
				first, second := set.Taker(0), set.Taker(0)
				for i := cut; i < len(c.samples); i++ {
					second(&c.samples[i], none)
				}
				for i := range cut {
					first(&c.samples[i], none)
				}
				if diff := cmp.Diff(c.want, describe(set)); diff != "" {
					t.Errorf("cut at %d: %s", cut, diff)
				}
				if got, want := set.group(nil).seed(), SetOf(c.samples).group(nil).seed(); got != want {
					t.Errorf("cut at %d: seed %x, want %x", cut, got, want)
				}
				if set.Len() != len(c.samples) {
					t.Errorf("cut at %d: %d samples, want %d", cut, set.Len(), len(c.samples))
				}
			}
		})
	}
}

func TestSeed(t *testing.T) {
	seed := func(samples ...results.Sample) uint64 { return SetOf(samples).group(nil).seed() }
	a, b := at("r", 1, "a", 1), at("r", 2, "a", 3)
	if seed(a, b) != seed(b, a) {
		t.Error("the seed depends on the order")
	}
	moved := at("elsewhere", 1, "a", 1)
	if seed(a) != seed(moved) {
		t.Error("the seed depends on where the run is")
	}
	for _, other := range []results.Sample{at("r", 2, "a", 1), at("r", 1, "b", 1), at("r", 1, "a", 1.5)} {
		if seed(a) == seed(other) {
			t.Errorf("the seed is the same for %+v", other)
		}
	}
}
