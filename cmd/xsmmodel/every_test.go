package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/bench/wire"
)

// TestEveryBenchmark measures every benchmark once, in both domains: each
// gives a sample, dom0 leaves none out, and under FLASK nothing is denied.
func TestEveryBenchmark(t *testing.T) {
	plan := bench.Plan{
		Domains: []string{dom0Name, domUName},
		Options: bench.Options{EnoughUS: 20, Repetitions: 1, Quick: true},
	}
	has := func(f bench.Facility) bool { return f == bench.Seeking }
	for _, b := range bench.All() {
		if !b.NeedsEcho && !b.Later && !b.CLibrary && b.Lacking(has) == "" { // as the target offers them
			plan.Benchmarks = append(plan.Benchmarks, b.FullName())
		}
	}
	text, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	var out, console bytes.Buffer
	if code := run(t.Context(), nil, bytes.NewReader(text), &out, &console); code != exitDone {
		t.Fatalf("exit code %d, console:\n%s", code, console.String())
	}
	got := map[string]int{}
	err = wire.Receive(&out, len(plan.Domains), wire.Handler{
		Sample: func(m bench.Measurement) error {
			got[m.Domain]++
			b, _ := bench.Find(m.Benchmark)
			for _, v := range m.Values {
				if v.Unit != b.Unit && !slices.Contains(b.Beside, v.Unit) {
					t.Errorf("%s in %s: the unit %s is not declared", m.Benchmark, m.Domain, v.Unit)
				}
			}
			if m.Error != "" || len(m.Values) == 0 {
				t.Errorf("%s in %s: no sample: %s", m.Benchmark, m.Domain, m.Error)
			}
			return nil
		},
		Skip: func(s wire.Skip) {
			if b, _ := bench.Find(s.Benchmark); !b.Dom0Only {
				t.Errorf("%s is left out: %s", s.Benchmark, s.Reason)
			}
		},
		Noise: func(text string) { t.Errorf("among the results: %q", text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if got[dom0Name] != len(plan.Benchmarks) {
		t.Errorf("dom0 measured %d of %d benchmarks", got[dom0Name], len(plan.Benchmarks))
	}
	if strings.Contains(console.String(), "denied") {
		t.Errorf("console:\n%s", console.String())
	}
}
