//go:build realxen

package realtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkWorkloads looks at a run of native and FLASK: each benchmark of each domain was
// measured, FLASK costs something and not much, each operation calls hooks, and nothing
// was denied or skipped.
func checkWorkloads(t *testing.T, dir string, hooks map[string]float64, domains ...string) {
	t.Helper()
	c := compareRun(t, dir)
	for benchmark, least := range hooks {
		for _, domain := range domains {
			r := c.rows[key("flask", domain, benchmark)]
			if r.Unit != "xen-instr/op" || r.Base == nil || r.Value == nil || *r.Value <= *r.Base || *r.Value > 1.5**r.Base {
				t.Errorf("%s in %s: %+v, want FLASK some per cent above native", benchmark, domain, r)
			}
			if got := sampled(t, dir, "flask-amd64-"+domain+".txt", benchmark, "hooks/op"); got < least {
				t.Errorf("%s in %s: %v hooks, want %v or more", benchmark, domain, got, least)
			}
		}
	}
	for build, text := range consoles(t, dir) {
		checkEnforcing(t, build, text)
		for line := range strings.Lines(text) {
			if strings.Contains(line, "skipped in "+domains[0]) {
				t.Errorf("%s: %s", build, line)
			}
		}
	}
}

// sampled is a figure of a sample.
func sampled(t *testing.T, dir, file, benchmark, unit string) float64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "results", file))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "Benchmark"+benchmark+" ") {
			return figure(t, before(line, " "+unit))
		}
	}
	t.Errorf("%s has no sample of %s", file, benchmark)
	return 0
}

// TestDomainLifecycle makes, stops, saves, reboots and ends domains. The benchmark
// itself looks whether they were there, and alive.
func TestDomainLifecycle(t *testing.T) {
	t.Parallel()
	dir := measure(t, "--aa=false", "--rounds", "1", "--builds", "native,flask", "--domains", "dom0", "--bench", "^Workload/domain/")
	checkWorkloads(t, dir, map[string]float64{
		"Workload/domain/op=create_destroy": 1000, "Workload/domain/op=pause_unpause": 10,
		"Workload/domain/op=save_restore": 10000, "Workload/domain/op=reboot": 10000,
	}, "dom0")
}

// TestDevices moves data by a virtual block device and a virtual network. The benchmark
// itself looks at each byte.
func TestDevices(t *testing.T) {
	t.Parallel()
	dir := measure(t, "--aa=false", "--rounds", "1", "--builds", "native,flask", "--bench", "^Workload/(block|net|serve)/")
	checkWorkloads(t, dir, map[string]float64{
		"Workload/block/op=read/order=sequential/depth=1": 2, "Workload/block/op=write/order=random/depth=8": 0.25,
		"Workload/serve/op=disk_and_net": 2,
	}, "domU")
	checkWorkloads(t, dir, map[string]float64{"Workload/net/op=send": 4, "Workload/net/op=receive": 4, "Workload/net/op=request": 2, "Workload/net/op=connect": 4}, "domU", "dom0")
}

// TestNeighbours measures beside a busy domain, and beside traffic in the own one: what
// one hypercall costs in Xen's instructions does not depend on it.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	const benchmark = "Kbench/hypercall/op=evtchn_status"
	quiet := compareRun(t, threeBuilds(t)).rows
	for _, load := range []string{"memory", "network", "neighbour-events", "neighbour-block"} {
		dir := measure(t, "--aa=false", "--rounds", "1", "--builds", "native,flask", "--domains", "dom0", "--workload", load, "--bench", benchmark+"$")
		r := compareRun(t, dir).rows[key("flask", "dom0", benchmark)]
		want := quiet[key("flask", "dom0", benchmark)]
		if r.Base == nil || r.Value == nil || *r.Base != *want.Base || *r.Value != *want.Value {
			t.Errorf("%s: %+v, want %v and %v as without it", load, r, *want.Base, *want.Value)
		}
		for build, text := range consoles(t, dir) {
			checkEnforcing(t, build, text)
		}
	}
}
