//go:build realxen

package realtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/reports/profile"
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
	t.Parallel()
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
		got := [3]float64{values[bench.WitnessLookups], values[bench.WitnessHits], values[bench.WitnessMisses]}
		if len(values) != len(got)+1 {
			t.Errorf("%s in %s: FLASK counted %v", b.Name, b.Domain, values)
			continue
		}
		if want, ok := witnessed[b.Name]; ok {
			seen[b.Name] = true
			if got != want {
				t.Errorf("%s in %s: FLASK counted %v look-ups, hits, misses, want %v", b.Name, b.Domain, got, want)
			}
		}
		// What was missed is a node of the hash table then, unless it must reclaim.
		if nodes := values[bench.WitnessNodes]; nodes != got[2] && !strings.Contains(b.Name, "thrashed") {
			t.Errorf("%s in %s: the hash table has %v nodes more after %v misses", b.Name, b.Domain, nodes, got[2])
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

// counted are benchmarks of hypercalls that no fault and no multicall disturbs,
// so that Xen counts as hypercalls what the plug-in sees Xen entered for.
var counted = []string{"xen_version", "xsm_op", "evtchn_status", "evtchn_alloc_close", "sysctl_physinfo"}

// TestPerfCounters compares Xen's performance counters with what the plug-in
// counted. It compiles Xen once more: the builds of the other tests have none.
func TestPerfCounters(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles Xen")
	}
	config := filepath.Join(t.TempDir(), "perfc.config")
	if err := os.WriteFile(config, []byte("CONFIG_PERF_COUNTERS=y\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := measure(t, "--bench", "hypercall/op=("+strings.Join(counted, "|")+")$", "--builds", "flask", "--kconfig", config, "--domains", "dom0", "--witness")
	own := witnessValues(t, dir)
	run, err := profile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Benchmarks) != len(counted) {
		t.Errorf("%d benchmarks were measured, want %d", len(run.Benchmarks), len(counted))
	}
	for _, b := range run.Benchmarks {
		entered := 0.
		for _, v := range b.Costs["flask"].Visits() {
			entered += v.Times
		}
		values := own[key("flask", b.Domain, b.Name)]
		// At least its own, and the return from the system call.
		if xen := values[bench.WitnessHypercalls]; xen != entered || xen < 1 {
			t.Errorf("%s: Xen counted %v hypercalls, the plug-in %v", b.Name, xen, entered)
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
			if !bench.IsWitness(v.Unit) {
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
