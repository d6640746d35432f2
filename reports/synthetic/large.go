package synthetic

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/results"
	"xsmbench/results/history"
)

// Large is a history of many runs of one machine: half of its benchmarks are
// timed, half counted. Every fifth run has another revision. Some benchmarks change
// their level in the middle of the runs.
type Large struct {
	Runs, Benchmarks int
	Builds           []string
}

// Boots of each build in a run, and runs of each revision.
const (
	largeBoots     = 2
	largeRevisions = 5
)

// Store makes the history in a file.
func (l Large) Store(path string) (err error) {
	s, err := history.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	temp, err := os.MkdirTemp(filepath.Dir(path), "runs-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	const chunk = 100
	for from := 0; from < l.Runs; from += chunk {
		if err := l.add(s, temp, from, min(from+chunk, l.Runs)); err != nil {
			return err
		}
	}
	return nil
}

// add makes some runs and adds them.
func (l Large) add(s *history.Store, temp string, from, to int) error {
	var dirs []string
	for i := from; i < to; i++ {
		dir := filepath.Join(temp, fmt.Sprint(i))
		if err := l.run(dir, i); err != nil {
			return err
		}
		dirs = append(dirs, dir)
	}
	if err := s.AddAll(dirs, "main", func(string, history.Added) {}); err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// LargeName is a benchmark's name. Even ones are timed, odd ones counted.
func LargeName(i int) string { return fmt.Sprintf("Kbench/hypercall/op=call_%03d", i) }

// LargeChanges tells the benchmarks whose level changes: a timed and a counted one
// of ten.
func LargeChanges(i int) bool { return i%10 < 2 }

func (l Large) run(dir string, i int) error {
	random := rand.New(rand.NewPCG(2006, uint64(i)))
	run := Run(largeBoots)
	run.Started = time.Date(2008, 1, 1, i, 0, 0, 0, time.UTC)
	run.Spec.Domains, run.Spec.Dom0Only, run.Spec.Builds, run.Images, run.Spec.Benchmarks = []string{"dom0"}, nil, nil, nil, nil
	for b := range l.Benchmarks {
		run.Spec.Benchmarks = append(run.Spec.Benchmarks, LargeName(b))
	}
	for _, name := range l.Builds {
		b := hv.Build{Name: name, Arch: "amd64", Rev: fmt.Sprintf("r%d", i/largeRevisions)}
		run.Spec.Builds = append(run.Spec.Builds, b)
		run.Images = append(run.Images, hv.Image{Build: b, Hash: largeImage(b), Toolchain: "go0"})
	}
	d, err := results.Create(dir, run)
	if err != nil {
		return err
	}
	for boot := range largeBoots * len(run.Spec.Builds) {
		b := run.Spec.Builds[boot%len(run.Spec.Builds)]
		w, err := d.Begin(results.Boot{Boot: boot + 1, Round: boot/len(run.Spec.Builds) + 1, Order: boot%len(run.Spec.Builds) + 1, Image: largeImage(b)}, b)
		if err != nil {
			return err
		}
		for j := range l.Benchmarks {
			if err := w.Add(bench.Measurement{Domain: "dom0", Benchmark: LargeName(j), Iterations: 1000, Values: []bench.Value{l.value(i, j, b, random)}}); err != nil {
				return err
			}
		}
		if err := w.End(); err != nil {
			return err
		}
	}
	return d.Close()
}

func largeImage(b hv.Build) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(b.Name+b.Rev))) }

// value is what a boot of a run measures.
func (l Large) value(run, benchmark int, b hv.Build, random *rand.Rand) bench.Value {
	level := float64(1000 + 50*benchmark)
	if b.Name != l.Builds[0] {
		level = math.Round(1.05 * level)
	}
	if LargeChanges(benchmark) && run >= l.Runs/2 {
		level = math.Round(1.04 * level)
	}
	if benchmark%2 == 1 {
		return bench.Value{Value: level, Unit: "xen-instr/op"}
	}
	return bench.Value{Value: round4(level * math.Exp(0.004*random.NormFloat64())), Unit: "ns/op"}
}
