package synthetic

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/results"
)

// Nights of the invented history, and what happens in it: revisions change
// every few nights, FLASK's event channels become dearer in one and cheaper
// again in another, a count changes, and the kernel of the machine is replaced.
const (
	Nights = 24

	SlowNight    = 9  // the first with evtchn_send 9 % dearer in flask
	CountNight   = 13 // the first with two instructions more in flask
	MendedNight  = 17 // the first with evtchn_send as before
	KernelNight  = 20 // the first with another kernel
	nightlyTool  = "test"
	nightlyBoots = 3
)

// revision is what a night measured.
func revision(night int) string {
	starts := []int{1, 4, 6, 9, 11, 13, 17, 19, 22}
	n := 0
	for n < len(starts) && night >= starts[n] {
		n++
	}
	return fmt.Sprintf("v1.%d", n)
}

func nightlyBuild(name string, night int) hv.Build {
	return hv.Build{Name: name, Arch: "amd64", Rev: revision(night)}
}

func nightlyImage(b hv.Build) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(b.Name+b.Rev))) }

func nightlyRun(night int) results.Run {
	run := Run(nightlyBoots)
	run.Started = time.Date(2008, 1, night, 2, 0, 0, 0, time.UTC)
	run.Spec.Domains, run.Spec.Builds, run.Images, run.Spec.Dom0Only = []string{"dom0"}, nil, nil, nil
	run.Tool, run.Spec.Benchmarks = nightlyTool, []string{"Kbench/hypercall/op=evtchn_send", "Kbench/hypercall/op=xen_version", "Lmbench/lat_proc/op=fork"}
	if night >= KernelNight {
		run.Host.Kernel = "1"
	}
	for _, name := range []string{"native", "flask"} {
		b := nightlyBuild(name, night)
		run.Spec.Builds = append(run.Spec.Builds, b)
		run.Images = append(run.Images, hv.Image{Build: b, Hash: nightlyImage(b), Dispatch: "table", Toolchain: "go0", Size: 1 << 20})
	}
	return run
}

// WriteNightly makes a folder with a run directory for each night.
func WriteNightly(dir string) error {
	random := rand.New(rand.NewPCG(2006, 2007))
	for night := 1; night <= Nights; night++ {
		d, err := results.Create(nightDir(dir, night), nightlyRun(night))
		if err != nil {
			return err
		}
		if err := writeNight(d, night, random); err != nil {
			return err
		}
		if err := d.Close(); err != nil {
			return err
		}
	}
	return nil
}

func nightDir(dir string, night int) string { return filepath.Join(dir, fmt.Sprintf("%02d", night)) }

func writeNight(d *results.Dir, night int, random *rand.Rand) error {
	weather := 0.004 * random.NormFloat64() // of the whole night
	for boot := range 2 * nightlyBoots {
		b := nightlyBuild([]string{"native", "flask"}[boot%2], night)
		w, err := d.Begin(results.Boot{Boot: boot + 1, Round: boot/2 + 1, Order: boot%2 + 1, Image: nightlyImage(b), Seed: int64(boot)}, b)
		if err != nil {
			return err
		}
		for _, m := range nightlyMeasure(b, night, weather, random) {
			if err := w.Add(m); err != nil {
				return err
			}
		}
		if err := w.End(); err != nil {
			return err
		}
	}
	return nil
}

func nightlyMeasure(b hv.Build, night int, weather float64, random *rand.Rand) []bench.Measurement {
	send, fork, version := 122.0, 152300.0, 935.0
	if b.Name == "flask" {
		send, fork, version = 1.09*send, 1.05*fork, 949
		if night >= SlowNight && night < MendedNight {
			send *= 1.09
		}
		if night >= CountNight {
			version += 2
		}
	}
	noisy := func(v float64) float64 {
		return round4(v * math.Exp(weather+0.004*random.NormFloat64()))
	}
	value := func(name string, v float64, unit string) bench.Measurement {
		return bench.Measurement{Domain: "dom0", Benchmark: name, Iterations: 1000, Values: []bench.Value{{Value: v, Unit: unit}}}
	}
	return []bench.Measurement{
		value("Kbench/hypercall/op=evtchn_send", noisy(send), "ns/op"),
		value("Kbench/hypercall/op=xen_version", version, "xen-instr/op"),
		value("Lmbench/lat_proc/op=fork", noisy(fork), "ns/op"),
	}
}
