// Package results reads and writes the run directory: run.json, what was
// asked and on what it ran; results/*.txt, the samples in Go's benchmark
// format; console/*.log. A run can be read without this program, and
// "benchstat -col build" makes its own table of results/*.txt.
//
// Each build of each domain has a file of its own. What is the same in all of
// a build's boots stands there as configuration keys (target, arch, build,
// domain, accel, workload). What changes from boot to boot would make
// benchstat put every boot in a table of its own, so it stands in lines that
// Go's format leaves to other tools:
//
//	# boot: boot=7 round=3 order=2 layout=3 image=5d41… seed=3
//	BenchmarkLmbench/lat_proc/op=fork 110 152345 ns/op
//	# end: boot=7 samples=1
//
// Samples between a boot line and its end line belong to that boot; samples
// that no end line follows belong to a boot that did not finish.
package results

import (
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
)

// Schema is the version of run.json and of the lines above.
const Schema = 1

// Run is what run.json holds.
type Run struct {
	Schema  int        `json:"schema"`
	Tool    string     `json:"tool"` // xsmbench's version
	Started time.Time  `json:"started"`
	Command []string   `json:"command"` // as the user gave it
	Spec    Spec       `json:"spec"`
	Host    Host       `json:"host"`
	Images  []hv.Image `json:"images"`
}

// Spec is what was asked for.
type Spec struct {
	Target     string        `json:"target"`
	Accel      string        `json:"accel"`
	Builds     []hv.Build    `json:"builds"` // without layouts
	Domains    []string      `json:"domains"`
	Benchmarks []string      `json:"benchmarks"` // full names
	Rounds     int           `json:"rounds"`
	Layouts    int           `json:"layouts"` // relinks of each build; round r uses layout r mod Layouts
	Workload   string        `json:"workload"`
	Options    bench.Options `json:"options"`
}

// Host is the machine that measured.
type Host struct {
	OS          string            `json:"os"`
	Arch        string            `json:"arch"`
	Kernel      string            `json:"kernel"`
	CPU         string            `json:"cpu"`
	CPUs        int               `json:"cpus"`
	MemoryMB    int64             `json:"memory_mb"`
	Governor    string            `json:"governor,omitempty"`
	Mitigations map[string]string `json:"mitigations,omitempty"`
	Virtual     string            `json:"virtual,omitempty"` // hypervisor that the CPU reports
}

// Boot identifies one start of one image.
type Boot struct {
	Boot   int // counted over the whole run, from 1
	Round  int // from 1
	Order  int // place in its round, from 1
	Layout int
	Image  string // hash
	Seed   int64
}

// Sample is one figure: a benchmark in a domain of a boot.
type Sample struct {
	Boot
	Target, Arch, Build, Domain, Accel, Workload string

	Benchmark  string // full name
	Iterations int64
	Values     []bench.Value
	Ended      bool // the boot's end line was found
}
