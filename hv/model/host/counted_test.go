package host

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	_ "xsmbench/bench/kbench"
	_ "xsmbench/bench/lmbench"
	"xsmbench/hv"
	"xsmbench/hv/count"
	"xsmbench/hv/process"
	"xsmbench/internal/require"
	"xsmbench/reports/profile"
	"xsmbench/results"
	"xsmbench/workloads"
	_ "xsmbench/workloads/kernbench"
)

// needEmulator is of tests that count instructions.
func needEmulator(t *testing.T) {
	t.Helper()
	for program, pkg := range map[string]string{"qemu-x86_64": "qemu-user", "qemu-i386": "qemu-user", "gcc": "gcc"} {
		require.Program(t, program, pkg)
	}
}

const (
	status  = "Kbench/hypercall/op=evtchn_status"
	version = "Kbench/hypercall/op=xen_version"
	copying = "Kbench/hypercall/op=grant_copy"
	fault   = "Lmbench/lat_pagefault"
	null    = "Lmbench/lat_syscall/op=null"
	kernels = "Kbench/kernbench/load=half"
)

// counted boots an image and counts.
func counted(t *testing.T, tg *Target, img *hv.Image, seed int64, domains, benchmarks []string) map[string]bench.Measurement {
	t.Helper()
	return countedBy(t, tg, img, seed, bench.Plan{Domains: domains, Benchmarks: benchmarks, Options: bench.Options{Windows: windows}})
}

func countedBy(t *testing.T, tg *Target, img *hv.Image, seed int64, plan bench.Plan) map[string]bench.Measurement {
	t.Helper()
	plan.Workload = workloads.Default
	m, err := tg.Boot(context.Background(), img, hv.BootSpec{Accel: icount, Seed: seed, Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	got := map[string]bench.Measurement{}
	if err := m.Measure(context.Background(), func(s bench.Measurement) error {
		if s.Error != "" {
			t.Errorf("%s: %s", s.Benchmark, s.Error)
		}
		got[s.Domain+" "+s.Benchmark] = s
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

func value(t *testing.T, m bench.Measurement, unit string) float64 {
	t.Helper()
	for _, v := range m.Values {
		if v.Unit == unit {
			return v.Value
		}
	}
	t.Errorf("%s has no %s: %v", m.Benchmark, unit, m.Values)
	return 0
}

// TestCounted counts the three builds in both domains: hooks are crossed as
// often as the model has them, and a profile adds up to the count.
func TestCounted(t *testing.T) {
	needEmulator(t)
	tg := newTarget(t)
	hooks := map[string]float64{status: 1, version: 0, copying: 1, null: 0}
	for _, build := range []hv.Build{
		{Name: "native", Arch: "amd64"}, {Name: "dummy", Arch: "amd64"}, {Name: "flask", Arch: "amd64"}, {Name: "flask", Arch: "386"},
		{Name: "dummy", Dispatch: "direct", Arch: "amd64"}, {Name: "flask", Dispatch: "direct", Arch: "386"},
	} {
		t.Run(build.Name+build.Dispatch+" "+build.Arch, func(t *testing.T) {
			img := mustBuild(t, tg, build)
			got := counted(t, tg, img, 1, []string{"dom0", "domU"}, []string{status, version, copying, null})
			// What depends on where memory lies, as a copy does, may differ.
			again := counted(t, tg, img, 2, []string{"dom0"}, []string{status, version, null})
			for _, domain := range []string{"dom0", "domU"} {
				for benchmark, n := range hooks {
					if build.Name == "native" {
						n = 0
					}
					m := got[domain+" "+benchmark]
					if h := value(t, m, count.UnitHooks); h != n {
						t.Errorf("%s %s: %v hooks, want %v", domain, benchmark, h, n)
					}
					checkSum(t, m)
				}
			}
			for name, m := range again {
				if a, b := value(t, m, count.UnitXen), value(t, got[name], count.UnitXen); a != b {
					t.Errorf("%s: %v instructions in one boot, %v in the other", name, b, a)
				}
			}
		})
	}
}

// TestCountedInPlace: an inlined check is a hook that is crossed where it has code.
func TestCountedInPlace(t *testing.T) {
	needEmulator(t)
	tg := newTarget(t)
	want := map[string]float64{status: 1, version: 0, copying: 0, "Kbench/hypercall/op=domctl_max_mem": 1, "Kbench/hypercall/op=mmu_update/entries=16": 16}
	for _, arch := range []string{"amd64", "386"} {
		img := mustBuild(t, tg, hv.Build{Name: "native", Dispatch: "inline", Arch: arch})
		got := counted(t, tg, img, 1, []string{"dom0"}, slices.Collect(maps.Keys(want)))
		for benchmark, n := range want {
			if h := value(t, got["dom0 "+benchmark], count.UnitHooks); h != n {
				t.Errorf("%s %s: %v hooks, want %v", arch, benchmark, h, n)
			}
		}
	}
}

// checkSum: the profile of clean windows has every instruction.
func checkSum(t *testing.T, m bench.Measurement) {
	t.Helper()
	if m.Profile == nil || m.Profile.Windows != 1 {
		t.Errorf("%s: profile %+v", m.Benchmark, m.Profile)
		return
	}
	sum := int64(0)
	for _, x := range m.Profile.Paths {
		sum += x.Instructions
	}
	if total := value(t, m, count.UnitXen); total <= 0 || float64(sum)/float64(m.Profile.Ops) != total {
		t.Errorf("%s: the profile has %d instructions, the count %v", m.Benchmark, sum, total)
	}
}

// TestCounters holds the plug-in's hooks against the counters of a build that
// has them.
func TestCounters(t *testing.T) {
	needEmulator(t)
	tg := newTarget(t)
	for _, kind := range []string{"dummy", "flask"} {
		img := mustBuild(t, tg, hv.Build{Name: kind, Arch: "amd64", Tags: []string{"xsmcount"}})
		list := []string{
			status, version, copying, null, "Kbench/hypercall/op=grant_map_unmap", "Kbench/hypercall/op=mmu_update/entries=16",
			"Kbench/hypercall/op=domctl_getdomaininfo", "Kbench/hypercall/op=sysctl_getdomaininfolist",
		}
		for name, m := range counted(t, tg, img, 1, []string{"dom0"}, list) {
			if plugin, own := value(t, m, count.UnitHooks), value(t, m, bench.WitnessHooks); plugin != own {
				t.Errorf("%s %s: the plug-in counted %v hooks, the build %v", kind, name, plugin, own)
			}
		}
	}
}

// TestWitness holds the plug-in's figures of FLASK's cache, which are entries of
// functions, against FLASK's own.
func TestWitness(t *testing.T) {
	needEmulator(t)
	tg := newTarget(t)
	img := mustBuild(t, tg, hv.Build{Name: "flask", Arch: "amd64"})
	plan := bench.Plan{Domains: []string{"dom0"}, Options: bench.Options{Windows: windows, Witness: true}}
	plan.Benchmarks = []string{version, status, copying, "Kbench/avc/state=cold/op=evtchn_alloc_close", "Kbench/avc/state=thrashed/op=evtchn_status"}
	for _, m := range countedBy(t, tg, img, 1, plan) {
		c := &results.Contents{Samples: []results.Sample{{Domain: m.Domain, Benchmark: m.Benchmark, Build: "flask", Values: m.Values, Ended: true}}}
		run := profile.New(c, []results.Profile{{Domain: m.Domain, Benchmark: m.Benchmark, Build: "flask", Profile: *m.Profile}})
		if len(run.Benchmarks) != 1 {
			t.Fatalf("%s: no profile", m.Benchmark)
		}
		plugin := run.Benchmarks[0].Costs["flask"].AVC()
		lookups, hits, misses := value(t, m, bench.WitnessLookups), value(t, m, bench.WitnessHits), value(t, m, bench.WitnessMisses)
		if plugin.Lookups != lookups || plugin.Misses != misses || lookups != hits+misses {
			t.Errorf("%s: the plug-in counted %+v, FLASK %v look-ups, %v hits, %v misses", m.Benchmark, plugin, lookups, hits, misses)
		}
		if nodes := value(t, m, bench.WitnessNodes); nodes != misses && !strings.Contains(m.Benchmark, "thrashed") {
			t.Errorf("%s: the hash table has %v nodes more after %v misses", m.Benchmark, nodes, misses)
		}
		if asks := m.Benchmark != version; asks != (lookups > 0) || strings.Contains(m.Benchmark, "avc/") != (misses > 0) {
			t.Errorf("%s: %v look-ups, %v misses", m.Benchmark, lookups, misses)
		}
	}
}

// TestNotCounted: what takes its own time has no windows, and is left out.
func TestNotCounted(t *testing.T) {
	p := countable(bench.Plan{Benchmarks: []string{kernels, status, "Lmbench/bw_mem/size=512K/op=rd"}})
	if d := cmp.Diff([]string{status}, p.Benchmarks); d != "" {
		t.Error(d)
	}
}

func TestNoEmulator(t *testing.T) {
	tg := newTarget(t)
	img := mustBuild(t, tg, hv.Build{Name: "native", Arch: "amd64", Source: tree(t, nil)})
	t.Setenv("PATH", t.TempDir())
	_, err := tg.Boot(context.Background(), img, hv.BootSpec{Accel: icount, Plan: bench.Plan{Domains: []string{"dom0"}, Benchmarks: []string{status}}})
	if !errors.Is(err, ErrNoEmulator) {
		t.Errorf("error %v, want %v", err, ErrNoEmulator)
	}
}

// TestDeveloper changes one hook of FLASK in a copy of the source: that hook
// has more instructions in all its benchmarks, and nothing else has.
func TestDeveloper(t *testing.T) {
	needEmulator(t)
	tg := newTarget(t)
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	mine := filepath.Join(t.TempDir(), "mine")
	if err := copySource(root, mine); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(mine, "xsm", "flask", "hook_event.go"), "evtchnStatus(cur *xsm.VCPU, d *xsm.Domain, chn *xsm.Evtchn) abi.Errno {",
		"\n\tstatusAsked.Add(1)", "import (", "\n\t\"sync/atomic\"\n", "", "\nvar statusAsked atomic.Int64\n")
	list := []string{status, copying, version, "Kbench/hypercall/op=evtchn_send", "Kbench/hypercall/op=mmu_update"}
	before := counted(t, tg, mustBuild(t, tg, hv.Build{Name: "before", Kind: "flask", Arch: "amd64", Source: root}), 1, []string{"dom0"}, list)
	after := counted(t, tg, mustBuild(t, tg, hv.Build{Name: "after", Kind: "flask", Arch: "amd64", Source: mine}), 1, []string{"dom0"}, list)
	for name, m := range after {
		p := *m.Profile
		p.Add(*before[name].Profile, -1)
		for _, x := range p.Paths {
			// Go may put a method into the function that passes its receiver on.
			in := strings.TrimSuffix(x.Function, "-fm")
			if x.Hook != "evtchn_status" || in != "flask.(*Module).evtchnStatus" || x.Instructions <= 0 || x.Calls != 0 {
				t.Errorf("%s: %+v", name, x)
			}
		}
		if (len(p.Paths) > 0) != strings.HasSuffix(name, status) {
			t.Errorf("%s: %d functions changed", name, len(p.Paths))
		}
	}
}

// edit inserts texts after others; "" is the end.
func edit(t *testing.T, path string, pairs ...string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := string(text)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(s, pairs[i]) {
			t.Fatalf("%s has no %q", path, pairs[i])
		}
		if pairs[i] == "" {
			s += pairs[i+1]
			continue
		}
		s = strings.Replace(s, pairs[i], pairs[i]+pairs[i+1], 1)
	}
	if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestStandsStill: a program that stands still is started again, and given up
// after some attempts. It needs no emulator.
func TestStandsStill(t *testing.T) {
	tg := newTarget(t)
	tg.emulated = process.Limits{Hello: 300 * time.Millisecond, Silence: 300 * time.Millisecond}
	img := mustBuild(t, tg, hv.Build{Name: "native", Arch: runtime.GOARCH, Source: tree(t, map[string]string{"hang": "noise\n", "die": "noise\n"})})
	for mode, starts := range map[string]int{"hang": attempts, "die": 1} {
		t.Run(mode, func(t *testing.T) {
			var console bytes.Buffer
			c := &counting{target: tg, image: img, emulate: []string{"/usr/bin/env"}, dir: t.TempDir(), release: func() {}, spec: hv.BootSpec{
				Console: &console, Plan: bench.Plan{Domains: []string{"dom0"}, Benchmarks: []string{status}, Workload: mode},
			}}
			var err error
			if c.Machine, err = tg.launch(img, c.spec, c.emulate); err != nil {
				t.Fatal(err)
			}
			err = c.Measure(context.Background(), func(bench.Measurement) error { return nil })
			var failure *hv.BootError
			if !errors.As(err, &failure) || failure.Kind != hv.BootFailed {
				t.Errorf("error %v", err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			if n := strings.Count(console.String(), "booting "+mode); n != starts {
				t.Errorf("started %d times, want %d:\n%s", n, starts, console.String())
			}
		})
	}
}
