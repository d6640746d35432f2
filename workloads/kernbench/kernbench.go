// Package kernbench is the macro workload that the suite Kbench is named
// after: the timing of a kernel's compilation, with kernbench's loads and its six
// figures. There are two of it.
//
// Kbench/kernbench/load=… is a job mix, for domains that have no compiler: make, the
// compiler and the linker are programs of the domain that do what such programs ask
// of a kernel (processes, pipes, files, memory), and compute.
//
// Kbench/kernbench/load=…/source=c compiles C. The tree is written by package
// csource, the compiler is the system's own, and the job scheduler is that of this
// package: a process for each file, and one that links.
//
// Hooks are those of Xen 3.2.
package kernbench

import (
	"fmt"
	"strconv"

	"xsmbench/abi"
	"xsmbench/bench"
)

// Runs of a load. kernbench makes five, three in its fast mode; a boot is one
// sample here, so three are enough.
const (
	runs      = 3
	quickRuns = 1
)

// Sizes of the tree that is compiled.
const (
	sources      = 72
	quickSources = 4
	headers      = 32
	sourceSize   = 8 << 10
	headerSize   = 2 << 10
)

// init registers the loads: the job mix, which knows no maximal one, and those with
// a real compiler.
func init() {
	for _, l := range loads {
		if l.name != "maximal" {
			bench.Register(mixed(l))
		}
	}
	for _, l := range loads {
		bench.Register(compiled(l))
	}
}

// mixed is the benchmark of a load with the job mix.
func mixed(l load) bench.Benchmark {
	return bench.Benchmark{
		Suite: "Kbench", Name: "kernbench/load=" + l.name, Unit: "ns/op", Beside: figureUnits[1:], Programs: true,
		Doc:    fmt.Sprintf("compile a tree of %d files with make -j: %s", sources, l.doc),
		Source: "kernbench 0.42, " + l.name + " load",
		Hooks: []bench.Crossing{
			{Hook: "update_va_mapping", Note: "1 per page fault, and twice about T+1 for each of a job's processes"},
			{Hook: "memory_pin_page", Note: "2 for each of a job's processes"},
			{Hook: "mmu_normal_update", Note: "1 per page table that a fault adds"},
		},
		Run: func(d bench.Domain, o bench.Options) ([]bench.Value, error) {
			jobs := l.jobs(cpus(d.Hypercalls()))
			return kernbench(d.OS(), jobs, optimalLoad(cpus(d.Hypercalls())), o)
		},
	}
}

// halfLoad is kernbench's, except that it does not vanish below 4 CPUs.
func halfLoad(cpus int) int {
	switch half := cpus / 2; {
	case half < 2:
		return 1
	case half == 2:
		return 3
	default:
		return half
	}
}

func optimalLoad(cpus int) int { return 4 * cpus }

// cpus counts the domain's vCPUs that are up; they are numbered without gaps.
func cpus(hc bench.Hypercalls) int {
	n := 1
	for ; n < abi.MaxVCPUs; n++ {
		call, err := hc.Prepare(abi.VCPUOp, &abi.Args{R: [4]uint64{uint64(abi.VCPUOPIsUp), uint64(n)}})
		if err != nil || call() != 1 {
			break
		}
	}
	return n
}

// kernbench compiles the tree some number of times, after a run at optimal
// load to warm up, and returns the figures' means. Pages are cached anyway:
// the files are in memory; nothing is synced and nobody sleeps.
func kernbench(os bench.OS, jobs, warmUp int, o bench.Options) ([]bench.Value, error) {
	t := tree{sources: sources, headers: headers}
	times := runs
	if o.Quick {
		t.sources, times = quickSources, quickRuns
	}
	if err := t.create(os); err != nil {
		return nil, err
	}
	defer t.remove(os)
	if _, err := t.build(os, warmUp); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	var all []Figures
	for range times {
		if err := t.clean(os); err != nil {
			return nil, err
		}
		f, err := t.build(os, jobs)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	mean, _ := Mean(all)
	return mean.Values(), nil
}

// tree is what is compiled: sources that include headers.
type tree struct{ sources, headers int }

func (t tree) create(os bench.OS) error {
	for i := range t.headers {
		if err := createFile(os, headerPath(i), headerSize); err != nil {
			return err
		}
	}
	for i := range t.sources {
		if err := createFile(os, sourcePath(i), sourceSize); err != nil {
			return err
		}
	}
	return createFile(os, compilerText, compilerTextSize)
}

func (t tree) remove(os bench.OS) {
	for i := range t.sources {
		os.Unlink(sourcePath(i))
		os.Unlink(objectPath(i))
	}
	for i := range t.headers {
		os.Unlink(headerPath(i))
	}
	os.Unlink(compilerText)
	os.Unlink(imagePath)
}

// clean is make clean.
func (t tree) clean(os bench.OS) error {
	for i := range t.sources {
		if err := os.Unlink(objectPath(i)); err != nil {
			return fmt.Errorf("make clean: unlink %s: %w", objectPath(i), err)
		}
	}
	if err := os.Unlink(imagePath); err != nil {
		return fmt.Errorf("make clean: unlink %s: %w", imagePath, err)
	}
	return nil
}

// build runs make and takes the time, as time(1) does.
func (t tree) build(os bench.OS, jobs int) (Figures, error) {
	args := []string{"make", "-j", strconv.Itoa(jobs), strconv.Itoa(t.sources), strconv.Itoa(t.headers)}
	used, start := os.Rusage(), os.Now()
	pid, err := os.Fork(func(os bench.OS) int { return os.Exec(makePath, args...) })
	if err != nil {
		return Figures{}, fmt.Errorf("start make: %w", err)
	}
	status, err := os.Wait(pid)
	elapsed := os.Now() - start
	if err != nil {
		return Figures{}, fmt.Errorf("wait for make: %w", err)
	}
	if status != 0 {
		return Figures{}, fmt.Errorf("run make -j%d: it ended with status %d", jobs, status)
	}
	return newFigures(elapsed, os.Rusage().Sub(used)), nil
}

func createFile(os bench.OS, path string, size int) error {
	fd, err := os.Open(path, bench.O_WRONLY|bench.O_CREAT|bench.O_TRUNC)
	if err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	defer os.Close(fd)
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i * 7)
	}
	if n, err := os.Write(fd, data); n != size {
		return fmt.Errorf("write %s: %d of %d bytes: %w", path, n, size, cause(err))
	}
	return nil
}

const treeDir = "/tmp/kernbench."

func headerPath(i int) string { return treeDir + "h" + strconv.Itoa(i) }
func sourcePath(i int) string { return treeDir + "c" + strconv.Itoa(i) }
func objectPath(i int) string { return treeDir + "o" + strconv.Itoa(i) }

// imagePath is what the linker makes, compilerText what stands for the pages
// of the compiler's program that a compilation needs.
const (
	imagePath        = treeDir + "image"
	compilerText     = treeDir + "cc1-text"
	compilerTextSize = 256 << 10
)
