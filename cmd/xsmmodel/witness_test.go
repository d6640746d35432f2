package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"xsmbench/bench"
	"xsmbench/bench/wire"
)

// witnessed are look-ups, hits and misses of FLASK's cache per operation. In
// Xen 3.2's hooks evtchn_status asks once, evtchn_unbound twice.
var witnessed = []struct {
	benchmark             string
	lookups, hits, misses float64
}{
	{"Kbench/hypercall/op=xen_version", 0, 0, 0},
	{"Kbench/hypercall/op=evtchn_status", 1, 1, 0},
	{"Kbench/avc/state=warm/op=evtchn_status", 1, 1, 0},
	{"Kbench/avc/state=cold/op=evtchn_status", 1, 0, 1},
	{"Kbench/avc/state=thrashed/op=evtchn_status", 1, 0, 1},
	{"Kbench/avc/state=warm/op=evtchn_alloc_close", 2, 2, 0},
	{"Kbench/avc/state=cold/op=evtchn_alloc_close", 2, 0, 2},
	{"Kbench/avc/state=thrashed/op=evtchn_alloc_close", 2, 0, 2},
}

// TestWitness asks a model for what FLASK itself counts in windows, which a
// build without FLASK does not, and checks that the states of its cache are what
// they are named after.
func TestWitness(t *testing.T) {
	plan := bench.Plan{Domains: []string{dom0Name, domUName}, Options: bench.Options{Windows: 3, Witness: true}}
	want := map[string][]bench.Value{}
	for _, w := range witnessed {
		plan.Benchmarks = append(plan.Benchmarks, w.benchmark)
		b, _ := bench.Find(w.benchmark)
		for _, domain := range plan.Domains {
			if domain == domUName && b.Dom0Only {
				continue
			}
			want[domain+" "+w.benchmark] = nil
			if built.module != nil && built.module.AVC {
				want[domain+" "+w.benchmark] = []bench.Value{
					{Value: w.lookups, Unit: bench.WitnessLookups}, {Value: w.hits, Unit: bench.WitnessHits}, {Value: w.misses, Unit: bench.WitnessMisses},
				}
			}
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
	got := map[string][]bench.Value{}
	err = wire.Receive(&out, len(plan.Domains), wire.Handler{
		Sample: func(m bench.Measurement) error {
			if m.Error != "" || len(m.Values) == 0 {
				t.Errorf("%s in %s: no sample: %s", m.Benchmark, m.Domain, m.Error)
				return nil
			}
			got[m.Domain+" "+m.Benchmark] = slices.DeleteFunc(m.Values, func(v bench.Value) bool {
				return !bench.IsWitness(v.Unit) || v.Unit == bench.WitnessHooks || v.Unit == bench.WitnessNodes
			})
			return nil
		},
		Skip:  func(wire.Skip) {},
		Noise: func(text string) { t.Errorf("among the results: %q", text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("what FLASK counted (-want +got):\n%s", diff)
	}
}
