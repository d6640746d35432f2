//go:build realxen

package realtest

import (
	"math"
	"slices"
	"strings"
	"testing"

	"xsmbench/bench"
)

// someWorkloads are of each kind of the suite: a domain that is made and ended, both ways
// of a disk, of the network, and both at once.
const someWorkloads = `domain/op=(create_destroy|pause_unpause)$|block/op=(read|write)/order=random/depth=8$|net/op=(send|request)$|serve`

// TestWorkloads runs macro benchmarks under FLASK: each has a figure and moved the bytes
// that it claims, and nothing is denied.
func TestWorkloads(t *testing.T) {
	t.Parallel()
	dir := measure(t, "--aa=false", "--rounds", "1", "--builds", "flask", "--suite", "workloads", "--bench", someWorkloads)
	for _, domain := range []string{"dom0", "domU"} {
		checkWorkloads(t, domain, figuresOf(t, lines(t, dir)["flask-amd64-"+domain+".txt"]))
	}
	for build, text := range consoles(t, dir) {
		checkEnforcing(t, build, text)
	}
}

// TestNeighbour measures beside another domain that works, in either domain: it works to
// the end.
func TestNeighbour(t *testing.T) {
	t.Parallel()
	dir := measure(t, "--aa=false", "--rounds", "1", "--builds", "flask", "--bench", "lat_pipe$", "--workload", "neighbour-memory")
	for build, text := range consoles(t, dir) {
		checkEnforcing(t, build, text)
		for _, domain := range []string{"dom0", "domU"} {
			if did := between(text, "[xsmbench] "+domain+": beside neighbour-memory did ", " pieces of work"); did == "" || figure(t, did) < 2 {
				t.Errorf("%s: beside %s %q pieces of work were done:\n%s", build, domain, did, text)
			}
		}
	}
}

// checkWorkloads looks for all benchmarks that a domain has a part in.
func checkWorkloads(t *testing.T, domain string, got map[string]map[string]float64) {
	t.Helper()
	list, err := bench.SelectSuite(bench.WorkloadSuite, someWorkloads)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list {
		if !b.RunsIn(domain) {
			continue
		}
		f := got[b.FullName()]
		if f["xen-instr/op"] <= 0 || f["hooks/op"] <= 0 {
			t.Errorf("%s: %s has no figure: %v", domain, b.FullName(), f)
		}
		claimed := float64(b.Bytes) / float64(max(1, b.Ops))
		if moved := f[bench.Throughput] * f["instr/op"] / 1000; math.Abs(moved-claimed) > claimed/100 {
			t.Errorf("%s: %s moved %.0f bytes, want %.0f", domain, b.FullName(), moved, claimed)
		}
	}
}

// figuresOf are the figures of result lines, by benchmark and unit.
func figuresOf(t *testing.T, text string) map[string]map[string]float64 {
	t.Helper()
	all := map[string]map[string]float64{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 4 {
			continue
		}
		f := map[string]float64{}
		for pair := range slices.Chunk(words[2:], 2) {
			if len(pair) == 2 {
				f[pair[1]] = figure(t, pair[0])
			}
		}
		all[strings.TrimPrefix(words[0], "Benchmark")] = f
	}
	return all
}

// between is what stands between two texts, "" if they are not there.
func between(text, from, to string) string {
	_, rest, _ := strings.Cut(text, from)
	middle, _, _ := strings.Cut(rest, to)
	return middle
}

// contended are operations of which two domains do the same at once.
const contended = `vm/op=anon_touch$|hypercall/op=(evtchn_send_peer|grant_map_unmap|sched_yield)$`

// TestContended has both domains do one thing at once, each on its processor. Exact rows
// are what they are on one processor, and two boots agree. How long one waits for the
// other depends on where turns end; that domains which yield wait at all does not.
func TestContended(t *testing.T) {
	t.Parallel()
	alone := compareRun(t, threeBuilds(t))
	both := compareRun(t, measure(t, "--aa=false", "--builds", "native,dummy,flask", "--cpus", "2", "--workload", "neighbour-same", "--bench", contended))
	waited := 0.
	for _, domain := range []string{"dom0", "domU"} {
		for _, build := range []string{"dummy", "flask"} {
			for _, name := range []string{"Kbench/hypercall/op=evtchn_send_peer", "Kbench/hypercall/op=grant_map_unmap", "Kbench/vm/op=anon_touch"} {
				k := key(build, domain, name)
				x, y := alone.rows[k], both.rows[k]
				if !y.exact || x.Base == nil || y.Base == nil || *x.Base != *y.Base || *x.Value != *y.Value {
					t.Errorf("%s: alone %+v, both %+v", k, x, y)
				}
			}
		}
		for _, build := range []string{"native", "dummy", "flask"} {
			k := key(build, domain, "Kbench/hypercall/op=sched_yield", "spin-instr/op")
			waits, ok := both.figures[k]
			if !ok {
				t.Errorf("%s has no figure", k)
			}
			t.Logf("%s: waits for %v instructions", k, waits)
			waited += waits
		}
	}
	if waited == 0 {
		t.Error("no domain that yields waited for the other one")
	}
}
