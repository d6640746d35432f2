// Package synthetic makes run directories out of a random number generator
// with a fixed seed, to test reports on. Its figures are invented: they were
// measured on no machine, and resemble no hypervisor.
package synthetic

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/results"
)

// Benchmark is an invented cost, and what builds add to it.
type Benchmark struct {
	Name  string
	Unit  string
	Value float64 // the base's, in Unit
	// Added is each build's overhead as a share.
	Added map[string]float64
	Noise float64 // standard deviation of a boot, as a share
	// Dom0 marks what only dom0 measures.
	Dom0 bool
}

// Benchmarks are a few of every kind.
func Benchmarks() []Benchmark {
	b := func(name string, ns, dummy, flask, noise float64) Benchmark {
		return Benchmark{Name: name, Unit: "ns/op", Value: ns, Noise: noise,
			Added: map[string]float64{"dummy": dummy, "flask": flask}}
	}
	all := []Benchmark{
		b("Lmbench/lat_syscall/op=null", 38, 0, 0, 0.004),
		b("Lmbench/lat_pipe", 3120, 0.004, 0.021, 0.006),
		b("Lmbench/lat_proc/op=fork", 152300, 0.008, 0.062, 0.004),
		b("Lmbench/lat_ctx/size=16K/procs=8", 2890, 0.002, 0.008, 0.035),
		b("Lmbench/lat_pagefault", 430, 0.011, 0.083, 0.005),
		b("Kbench/hypercall/op=xen_version", 41, 0, 0, 0.004),
		b("Kbench/hypercall/op=evtchn_send", 122, 0.012, 0.094, 0.004),
		b("Kbench/hypercall/op=grant_copy", 640, 0.005, 0.036, 0.004),
		b("Kbench/hypercall/op=mmu_update/entries=16", 1480, 0.013, 0.155, 0.004),
		b("Kbench/hypercall/op=domctl_pause_unpause", 980, 0.004, 0.031, 0.006),
		b("Kbench/kernbench/load=half", 48200000, 0.004, 0.030, 0.003),
		b("Lmbench/bw_pipe", 2380, -0.001, 0.006, 0.010),
	}
	for i := range all {
		switch all[i].Name {
		case "Lmbench/bw_pipe":
			all[i].Unit = "MB/s"
		case "Kbench/hypercall/op=domctl_pause_unpause":
			all[i].Dom0 = true
		}
	}
	return all
}

// Builds of the run; native2 is native's image again, a control.
func Builds() []hv.Build {
	var all []hv.Build
	for _, name := range []string{"native", "native2", "dummy", "flask"} {
		all = append(all, hv.Build{Name: name, Arch: "amd64"})
	}
	all[1].Kind = "native"
	return all
}

// Run is the run.json of the invented run.
func Run(rounds int) results.Run {
	run := results.Run{
		Schema: results.Schema, Tool: "test", Started: time.Date(2008, 1, 17, 12, 0, 0, 0, time.UTC),
		Command: []string{"xsmbench", "run"},
		Spec: results.Spec{Target: "synthetic", Workload: "idle", Builds: Builds(), Domains: []string{"dom0", "domU"},
			Rounds: rounds, Layouts: 1},
		Host: results.Host{OS: "none", Arch: "amd64", Kernel: "0", CPU: "Invented CPU", CPUs: 2, MemoryMB: 4000},
	}
	for _, b := range Builds() {
		dispatch := map[string]string{"native": "compiled out", "dummy": "table", "flask": "table"}[b.KindOf()]
		run.Images = append(run.Images, hv.Image{Build: b, Hash: hash(b), Dispatch: dispatch, Toolchain: "go0", Size: 1 << 20})
	}
	for _, b := range Benchmarks() {
		run.Spec.Benchmarks = append(run.Spec.Benchmarks, b.Name)
		if b.Dom0 {
			run.Spec.Dom0Only = append(run.Spec.Dom0Only, b.Name)
		}
	}
	return run
}

func hash(b hv.Build) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(b.KindOf()))) }

// Write makes a run directory of that many rounds.
func Write(dir string, rounds int) error {
	d, err := results.Create(dir, Run(rounds))
	if err != nil {
		return err
	}
	defer d.Close()
	random := rand.New(rand.NewPCG(2006, 12))
	boot := 0
	for round := 1; round <= rounds; round++ {
		level := math.Exp(0.01 * random.NormFloat64()) // a round has its weather
		for i := range Builds() {
			b := Builds()[(i+round)%len(Builds())]
			boot++
			w, err := d.Begin(results.Boot{Boot: boot, Round: round, Order: i + 1, Image: hash(b), Seed: int64(boot)}, b)
			if err != nil {
				return err
			}
			for _, m := range measure(random, b, level) {
				if err := w.Add(m); err != nil {
					return err
				}
			}
			if err := w.End(); err != nil {
				return err
			}
		}
	}
	return nil
}

func measure(random *rand.Rand, build hv.Build, level float64) []bench.Measurement {
	var all []bench.Measurement
	for _, domain := range []string{"dom0", "domU"} {
		for _, b := range Benchmarks() {
			if b.Dom0 && domain != "dom0" {
				continue
			}
			cost := (1 + b.Added[build.KindOf()]) * level * math.Exp(b.Noise*random.NormFloat64())
			value := b.Value * cost
			if b.Unit == "MB/s" {
				value = b.Value / cost
			}
			m := bench.Measurement{Domain: domain, Benchmark: b.Name, Iterations: int64(1e8/b.Value) + 11,
				Values: []bench.Value{{Value: round4(value), Unit: b.Unit}}}
			if b.Name == "Kbench/kernbench/load=half" {
				m.Values = append(m.Values, bench.Value{Value: 184, Unit: "percent-cpu"})
			}
			all = append(all, m)
		}
	}
	return all
}

// round4 keeps four figures, as a clock would.
func round4(v float64) float64 {
	scale := math.Pow(10, 3-math.Floor(math.Log10(v)))
	return math.Round(v*scale) / scale
}
