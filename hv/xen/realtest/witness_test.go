//go:build realxen

package realtest

import (
	"testing"

	"xsmbench/bench"
	"xsmbench/hv/count"
	"xsmbench/profile"
	"xsmbench/results"
)

// witnessed are benchmarks and the look-ups, hits and misses of FLASK's cache
// that an operation of each must have: evtchn_status asks once, evtchn_unbound
// twice (xsm/flask/hooks.c).
var witnessed = map[string][3]float64{
	"Kbench/hypercall/op=xen_version":                 {0, 0, 0},
	"Kbench/hypercall/op=evtchn_status":               {1, 1, 0},
	"Kbench/hypercall/op=evtchn_alloc_close":          {2, 2, 0},
	"Kbench/avc/state=warm/op=evtchn_status":          {1, 1, 0},
	"Kbench/avc/state=cold/op=evtchn_status":          {1, 0, 1},
	"Kbench/avc/state=thrashed/op=evtchn_status":      {1, 0, 1},
	"Kbench/avc/state=cold/op=evtchn_alloc_close":     {2, 0, 2},
	"Kbench/avc/state=thrashed/op=evtchn_alloc_close": {2, 0, 2},
}

const witnessedSuite = `avc/|op=(xen_version|evtchn_status|evtchn_alloc_close)$`

// TestWitness compares what FLASK counts of itself with what the benchmarks are
// meant to be, and with what the plug-in counted of FLASK's functions. Neither
// disturbs the other: with the option off, every count is the same.
func TestWitness(t *testing.T) {
	args := []string{"--bench", witnessedSuite, "--builds", "native,flask"}
	dir := measure(t, append(args, "--witness")...)
	own := witnessValues(t, dir)
	run, err := profile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, b := range run.Benchmarks {
		if values := own[key("native", b.Domain, b.Name)]; len(values) > 0 {
			t.Errorf("%s in %s: native has no AVC, and counted %v", b.Name, b.Domain, values)
		}
		values := own[key("flask", b.Domain, b.Name)]
		got := [3]float64{values[bench.UnitAVCLookups], values[bench.UnitAVCHits], values[bench.UnitAVCMisses]}
		if len(values) != len(got) {
			t.Errorf("%s in %s: FLASK counted %v", b.Name, b.Domain, values)
			continue
		}
		if want, ok := witnessed[b.Name]; ok {
			seen[b.Name] = true
			if got != want {
				t.Errorf("%s in %s: FLASK counted %v look-ups, hits, misses, want %v", b.Name, b.Domain, got, want)
			}
		}
		plugin := b.Costs["flask"].AVC()
		if plugin.Lookups != got[0] || plugin.Misses != got[2] {
			t.Errorf("%s in %s: FLASK counted %v look-ups, hits, misses, the plug-in %+v", b.Name, b.Domain, got, plugin)
		}
	}
	if len(seen) != len(witnessed) {
		t.Errorf("of %d benchmarks only these were measured: %v", len(witnessed), seen)
	}
	without, with := compareRun(t, measure(t, args...)), compareRun(t, dir)
	for name, r := range with.rows {
		if o := without.rows[name]; r.exact && (!o.exact || *o.Base != *r.Base || *o.Value != *r.Value) {
			t.Errorf("%s: %v and %v with the witness, %v and %v without", name, *r.Base, *r.Value, o.Base, o.Value)
		}
	}
}

// witnessValues are what the hypervisor counted itself, by build, domain and
// benchmark, and by unit; all boots must agree.
func witnessValues(t *testing.T, dir string) map[string]map[string]float64 {
	t.Helper()
	c, err := results.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]float64{}
	for _, s := range c.Samples {
		k := key(s.Build, s.Domain, s.Benchmark)
		if all[k] == nil {
			all[k] = map[string]float64{}
		}
		for _, v := range s.Values {
			if !count.Witness(v.Unit) {
				continue
			}
			if before, ok := all[k][v.Unit]; ok && before != v.Value {
				t.Errorf("%s: %v %s in one boot, %v in another", k, before, v.Unit, v.Value)
			}
			all[k][v.Unit] = v.Value
		}
	}
	return all
}
