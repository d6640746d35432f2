package profile

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/results"
)

const (
	status  = "Kbench/hypercall/op=evtchn_status"
	unmask  = "Kbench/hypercall/op=evtchn_unmask"
	handler = "do_event_channel_op"
)

// world is a run that a test fills with boots.
type world struct {
	contents results.Contents
	profiles []results.Profile
}

func newWorld(builds ...string) *world {
	w := &world{}
	w.contents.Run.Spec = results.Spec{Target: "xen", Domains: []string{"dom0", "domU"}, Benchmarks: []string{unmask, status}}
	for _, b := range builds {
		w.contents.Run.Spec.Builds = append(w.contents.Run.Spec.Builds, hv.Build{Name: b, Arch: "amd64"})
		w.contents.Run.Images = append(w.contents.Run.Images, hv.Image{Hooks: []string{"evtchn_status", "kexec"}})
	}
	return w
}

// boot adds a sample, and its profile.
func (w *world) boot(boot int, build, domain, benchmark string, total float64, p bench.Profile, warnings ...string) *results.Sample {
	at := results.Boot{Boot: boot, Round: boot}
	w.contents.Samples = append(w.contents.Samples, results.Sample{
		Boot: at, Arch: "amd64", Build: build, Domain: domain, Benchmark: benchmark, Warnings: warnings, Ended: true,
		Values: []bench.Value{{Value: total, Unit: unitTotal}},
	})
	w.profiles = append(w.profiles, results.Profile{Boot: at, Arch: "amd64", Build: build, Domain: domain, Benchmark: benchmark, Profile: p})
	return &w.contents.Samples[len(w.contents.Samples)-1]
}

// executed is what one operation of evtchn_status executes, of n windows.
func executed(n, rest, site, body, thunk int64) bench.Profile {
	return bench.Profile{Windows: n, Ops: 1, Paths: []bench.Path{
		{Handler: handler, Function: handler, Part: bench.PartEntry, Calls: n, Instructions: n * rest},
		{Handler: handler, Hook: "evtchn_status", Function: "evtchn_status", Part: bench.PartSite, Calls: n, Instructions: n * site},
		{Handler: handler, Hook: "evtchn_status", Function: "avc_has_perm_noaudit", Part: bench.PartBody, Calls: n, Instructions: n * body},
		{Handler: handler, Hook: "evtchn_status", Function: "__x86_return_thunk", Part: bench.PartThunk, Calls: n, Instructions: n * thunk},
	}}
}

func (w *world) run() *Run { return New(&w.contents, w.profiles) }

// TestMerge checks what boots make of a cost.
func TestMerge(t *testing.T) {
	one := executed(1, 900, 4, 100, 3)
	tests := []struct {
		name  string
		boots func(w *world)
		want  Cost
		per   float64
	}{
		{"boots that agree", func(w *world) {
			w.boot(1, "flask", "dom0", status, 1007, one)
			w.boot(2, "flask", "dom0", status, 1007, one)
		}, Cost{Total: 1007, Boots: 2, Exact: true}, 107},
		{"boots that differ", func(w *world) {
			w.boot(1, "flask", "dom0", status, 1007, one)
			w.boot(2, "flask", "dom0", status, 1009, executed(1, 900, 4, 102, 3))
		}, Cost{Total: 1008, Boots: 2}, 108},
		{"a boot without a clean window", func(w *world) {
			w.boot(1, "flask", "dom0", status, 1007, one)
			s := w.boot(2, "flask", "dom0", status, 0, executed(21, 900, 4, 104, 3), bench.NotExact+"an interrupt came")
			s.Values = nil
		}, Cost{Total: 1007, Boots: 2, Inexact: []string{"an interrupt came"}}, 109},
		{"nothing but interrupted windows", func(w *world) {
			w.boot(1, "flask", "dom0", status, 0, executed(21, 900, 4, 104, 3), bench.NotExact+"an interrupt came").Values = nil
		}, Cost{Total: math.NaN(), Boots: 1, Inexact: []string{"an interrupt came"}}, 111},
		{"other warnings leave it exact", func(w *world) {
			w.boot(1, "flask", "dom0", status, 1007, one, "avc: denied")
		}, Cost{Total: 1007, Boots: 1, Exact: true}, 107},
		{"a boot that did not end", func(w *world) {
			w.boot(1, "flask", "dom0", status, 1007, one)
			w.boot(2, "flask", "dom0", status, 2000, executed(1, 900, 4, 500, 3)).Ended = false
		}, Cost{Total: 1007, Boots: 1, Exact: true}, 107},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld("flask")
			tt.boots(w)
			r := w.run()
			if len(r.Benchmarks) != 1 {
				t.Fatalf("%d benchmarks", len(r.Benchmarks))
			}
			got := *r.Benchmarks[0].Costs["flask"]
			h, ok := got.Hook("evtchn_status")
			if !ok || math.Abs(h.PerCall()-tt.per) > 1e-9 || h.Calls != 1 || !slices.Equal(h.Handlers, []string{handler}) {
				t.Errorf("hook %+v, %v per call, want %v", h, h.PerCall(), tt.per)
			}
			if h.AVC.Lookups != 1 || h.AVC.Misses != 0 {
				t.Errorf("AVC %+v", h.AVC)
			}
			if d := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(Cost{}, "Paths", "Hooks", "Ops"), cmpopts.EquateNaNs()); d != "" {
				t.Error(d)
			}
		})
	}
}

// What depends on the policy is told by functions, those of Xen and of the model.
func TestFlask(t *testing.T) {
	var list []Path
	for i, name := range []string{
		"avc_has_perm_noaudit", "avc.(*Cache).miss", "context_struct_compute_av", "ss.(*policy).typeEnforcement",
		"constraint_expr_eval", "policydb.(*constraintOp).among", "mls_compute_sid", "ebitmap_contains", "policydb.(*constraintOp).compareLevels",
		"security_compute_sid", "ss.(*Server).TransitionSID", "avtab_search_node", "sidtab_search", "policydb.(*avTab).find",
		"flask_evtchn_send", "flask.(*Module).evtchnSend",
		"flask.(*Module).domainHasEvent", "flask.(*Module).ask", "policydb.(*Check).Holds", "ss.(*policy).constrain", "ss.(*matrix).find",
	} {
		list = append(list, Path{Function: name, Instructions: float64(int(1) << i)})
	}
	got := flaskOf(list)
	want := Flask{Cache: 0b11 | 0b11<<16, Rules: 0b1100 | 1<<20, Constraints: 0b110000 | 0b11<<18, MLS: 0b111000000, Labels: 0b11 << 9, Tables: 0b111 << 11}
	if got != want || got.Policy() != 1<<14-1-0b11+0b111<<18 {
		t.Errorf("%+v of %v, want %+v", got, got.Policy(), want)
	}
}

// TestProfileWithoutSample: what a killed boot left behind is not used.
func TestProfileWithoutSample(t *testing.T) {
	w := newWorld("flask")
	w.boot(1, "flask", "dom0", status, 1007, executed(1, 900, 4, 100, 3))
	w.contents.Samples = nil
	if r := w.run(); len(r.Benchmarks) != 0 {
		t.Errorf("%d benchmarks", len(r.Benchmarks))
	}
}

func TestDifference(t *testing.T) {
	w := newWorld("native", "flask", "moved")
	w.boot(1, "native", "dom0", status, 908, executed(1, 900, 8, 0, 0))
	w.boot(2, "flask", "dom0", status, 1011, executed(1, 904, 4, 100, 3))
	w.boot(3, "moved", "dom0", status, 1007, executed(1, 904, 4, 100, 3)) // 4 less than is explained
	costs := w.run().Benchmarks[0].Costs
	d, ok := costs["flask"].Difference(costs["native"])
	want := Difference{
		Total: 103, Site: -4, Body: 100, Thunk: 3, Callers: 4,
		Functions: []Change{
			{"evtchn_status", "avc_has_perm_noaudit", bench.PartBody, 100},
			{"", handler, bench.PartEntry, 4},
			{"evtchn_status", "evtchn_status", bench.PartSite, -4},
			{"evtchn_status", "__x86_return_thunk", bench.PartThunk, 3},
		},
	}
	if diff := cmp.Diff(want, d); diff != "" || !ok {
		t.Error(ok, diff)
	}
	if d.Rest() != 0 {
		t.Errorf("%v is left over", d.Rest())
	}
	if d, _ := costs["moved"].Difference(costs["native"]); d.Rest() != -4 {
		t.Errorf("%v is left over, want -4", d.Rest())
	}
	costs["flask"].Exact = false
	if _, ok := costs["flask"].Difference(costs["native"]); ok {
		t.Error("figures that are not exact are explained")
	}
	if _, ok := costs["flask"].Difference(nil); ok {
		t.Error("explained without a base")
	}
}

func TestVisits(t *testing.T) {
	c := &Cost{Paths: []Path{
		{Function: "lstar_enter", Calls: 3, Instructions: 600},
		{Handler: "do_iret", Function: "do_iret", Part: bench.PartEntry, Calls: 3, Instructions: 60},
		{Handler: "do_mmu_update", Function: "do_mmu_update", Part: bench.PartEntry, Calls: 2, Instructions: 90},
		{Handler: "do_mmu_update", Function: "get_page", Calls: 7, Instructions: 90},
		{Handler: "do_mmu_update", Hook: "mmu_update", Function: "do_mmu_update", Part: bench.PartSite, Calls: 4, Instructions: 9},
		{Handler: "do_mmu_update", Hook: "mmu_update", Function: "flask_mmu_update", Part: bench.PartBody, Calls: 4, Instructions: 9},
		{Handler: "do_xsm_op", Hook: "do_xsm_op", Function: "do_xsm_op", Part: bench.PartSite, Calls: 1, Instructions: 9},
		{Handler: "do_softirq", Function: "do_softirq", Part: bench.PartEntry, Instructions: 9}, // as often as in the baseline
	}}
	want := []Visit{
		{Handler: "do_mmu_update", Times: 2, Hooks: []Crossing{{"mmu_update", 4}}},
		{Handler: "do_xsm_op", Times: 1, Hooks: []Crossing{{"do_xsm_op", 1}}},
		{Handler: "do_iret", Times: 3},
	}
	if d := cmp.Diff(want, c.Visits(), cmpopts.IgnoreUnexported(Visit{})); d != "" {
		t.Error(d)
	}
}

// crossed has two benchmarks in two domains; one crosses a hook.
func crossed() *Run {
	w := newWorld("native", "flask")
	rest := bench.Profile{Windows: 1, Ops: 1, Paths: []bench.Path{{Function: "lstar_enter", Instructions: 232}}}
	for _, domain := range []string{"domU", "dom0"} {
		w.boot(1, "native", domain, status, 1105, executed(1, 900, 8, 0, 0))
		w.boot(2, "flask", domain, status, 1007, executed(1, 900, 4, 100, 3))
		w.boot(1, "native", domain, unmask, 232, rest)
	}
	return w.run()
}

func TestCoverage(t *testing.T) {
	r := crossed()
	var order []string
	for _, b := range r.Benchmarks {
		order = append(order, b.Domain+" "+b.Name)
	}
	if d := cmp.Diff([]string{"dom0 " + unmask, "dom0 " + status, "domU " + unmask, "domU " + status}, order); d != "" {
		t.Errorf("order: %s", d)
	}
	want := Coverage{
		Hooks: []string{"evtchn_status"}, Benchmarks: []string{status}, Never: []string{"kexec"},
		Times: map[[2]string]float64{{"evtchn_status", status}: 1},
	}
	if d := cmp.Diff(want, r.Coverage()); d != "" {
		t.Error(d)
	}
	sums := []Summary{{Hook: "evtchn_status", Benchmarks: 1, Low: map[string]float64{"native": 8, "flask": 107}, High: map[string]float64{"native": 8, "flask": 107}}}
	if d := cmp.Diff(sums, r.Summaries(Where{Arch: "amd64", Domain: "dom0"})); d != "" {
		t.Error(d)
	}
}

func TestSelect(t *testing.T) {
	matches := func(part string) func(string) bool {
		return func(s string) bool { return strings.Contains(s, part) }
	}
	tests := []struct {
		name   string
		filter Filter
		want   []string // builds of a benchmark in a domain
		part   bool
	}{
		{"all", Filter{}, []string{"dom0 unmask native", "dom0 status flask native", "domU unmask native", "domU status flask native"}, false},
		{"a build", Filter{Builds: []string{"flask"}}, []string{"dom0 status flask", "domU status flask"}, false},
		{"a domain", Filter{Domains: []string{"domU"}}, []string{"domU unmask native", "domU status flask native"}, true},
		{"a benchmark", Filter{Benchmark: matches("unmask")}, []string{"dom0 unmask native", "domU unmask native"}, true},
		{"a hook", Filter{Hook: matches("evtchn")}, []string{"dom0 status flask native", "domU status flask native"}, true},
		{"no hook", Filter{Hook: matches("kexec")}, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := crossed()
			r.Select(tt.filter)
			var got []string
			for _, b := range r.Benchmarks {
				var builds []string
				for build := range b.Costs {
					builds = append(builds, build)
				}
				slices.Sort(builds)
				got = append(got, b.Domain+" "+strings.TrimPrefix(b.Name, "Kbench/hypercall/op=evtchn_")+" "+strings.Join(builds, " "))
			}
			if d := cmp.Diff(tt.want, got); d != "" || r.Part != tt.part {
				t.Error(r.Part, d)
			}
		})
	}
}

// TestOpenWithoutProfiles: samples are not read, of which there may be many, where no
// profile is of them.
func TestOpenWithoutProfiles(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); err == nil || errors.Is(err, ErrNone) {
		t.Errorf("no run: %v", err)
	}
	d, err := results.Create(filepath.Join(dir, "run"), results.Run{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	samples := filepath.Join(d.Path(), "results", "native-amd64-dom0.txt")
	if err := os.MkdirAll(samples, 0o755); err != nil { // which cannot be read
		t.Fatal(err)
	}
	if _, err := Open(d.Path()); !errors.Is(err, ErrNone) {
		t.Errorf("no profiles: %v", err)
	}
}
