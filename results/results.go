// Package results reads and writes the run directory: run.json, what was
// asked and on what it ran; results/*.txt, the samples in Go's benchmark
// format; profiles/*.pb.gz, of targets that tell where the hypervisor spent its
// instructions; functions/*.tsv.gz, of what the functions of images consist;
// console/*.log; times.jsonl, how long builds and boots took. A run can be read without this program, and
// "benchstat -col build" makes its own table of results/*.txt.
//
// Each build of each domain has a file of its own. What is the same in all of
// a build's boots stands there as configuration keys (target, arch, build,
// domain, accel, workload; domu and idle if they are not what the target
// takes by itself). A run with domUs of several kinds has such files for each kind. What changes from boot to boot would make
// benchstat put every boot in a table of its own, so it stands in lines that
// Go's format leaves to other tools:
//
//	# boot: boot=7 round=3 order=2 layout=3 image=5d41… seed=3
//	BenchmarkLmbench/lat_proc/op=fork 110 152345 ns/op
//	# windows: 152301 152345 152390
//	# warning: the clock ticks every 1 µs
//	# end: boot=7 samples=1 total=2
//
// Samples between a boot line and its end line belong to that boot; samples
// that no end line follows belong to a boot that did not finish. An end line
// counts the boot's samples in this file and in all files together, so that a
// boot cut off between two files is known too. Lines of windows and warnings
// belong to the sample above them.
//
// A line without its line feed was cut off. Reading reports it and every
// other damaged line as a Problem, and uses the rest.
package results

import (
	"fmt"
	"strings"
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
	// Settings are how the target sets its machines up, as far as it tells.
	Settings []hv.Setting `json:"settings,omitempty"`
	// Sources are what differs between the sources of builds of one kind, as far
	// as the target tells.
	Sources []SourceChange `json:"sources,omitempty"`
	// Policies are what differs between the policies of such builds, where one of
	// them loads a policy.
	Policies []PolicyChange `json:"policies,omitempty"`
	// Shard says which part of the plan this run measures, nil for all of it.
	Shard *Shard `json:"shard,omitempty"`
	// Parts are the runs that this one was merged from, nil if it was not. Then
	// Started is the first of theirs, and Host what their machines have in common.
	Parts []Part `json:"parts,omitempty"`
}

// SourceChange is what differs between the sources of two builds.
type SourceChange struct {
	Base  string `json:"base"`
	Build string `json:"build"`
	Arch  string `json:"arch"`
	hv.SourceChange
}

// PolicyChange is what differs between the policies of two builds.
type PolicyChange struct {
	Base  string `json:"base"`
	Build string `json:"build"`
	Arch  string `json:"arch"`
	hv.PolicyChange
}

// Spec is what was asked for.
type Spec struct {
	Target     string     `json:"target"`
	Accel      string     `json:"accel"`
	Builds     []hv.Build `json:"builds"` // without layouts
	Domains    []string   `json:"domains"`
	Benchmarks []string   `json:"benchmarks"` // full names
	// Dom0Only are those of the benchmarks that only dom0 is to measure.
	Dom0Only []string `json:"dom0_only,omitempty"`
	// DomUOnly are those that only another is to measure.
	DomUOnly []string `json:"domu_only,omitempty"`
	// Refused are those that were asked for and that the target does not run.
	Refused  []Refused     `json:"refused,omitempty"`
	Rounds   int           `json:"rounds"`
	Layouts  int           `json:"layouts"` // relinks of each build; round r uses layout r mod Layouts
	Workload string        `json:"workload"`
	Options  bench.Options `json:"options"`
	DomU     string        `json:"domu,omitempty"` // kind of the domUs, where the target has several
	// OtherDomU says that the kind is not the one that the target takes if
	// nothing was said: samples then name it.
	OtherDomU bool `json:"other_domu,omitempty"`
	// MoreDomUs are further kinds: every boot measures with domUs of each of them, too,
	// and samples name them.
	MoreDomUs []string `json:"more_domus,omitempty"`
	Idle      int      `json:"idle,omitempty"` // idle domUs beside the measured one
	// CPUs is how many physical processors the machine has; 0 for the target's own.
	CPUs int `json:"cpus,omitempty"`
	// Criteria are what the verdicts are given by; nil for runs of before
	// they were written down.
	Criteria *Criteria `json:"criteria,omitempty"`
	// Budget says how the rounds are chosen, nil if they were asked for.
	// Then Rounds are those that were begun, or are due at the next look.
	Budget *Budget `json:"budget,omitempty"`
}

// Refused is a benchmark that the target does not run, and why.
type Refused struct {
	Benchmark string `json:"benchmark"`
	Reason    string `json:"reason"`
}

// Host is the machine that measured.
type Host struct {
	OS          string            `json:"os"`
	Arch        string            `json:"arch"`
	Kernel      string            `json:"kernel"`
	CPU         string            `json:"cpu"`
	CPUs        int               `json:"cpus"`
	MHz         float64           `json:"mhz,omitempty"` // of the first processor, when the run began
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
	// DomU is the kind of the domUs, "" for the target's first, and Idle how
	// many were idle beside the measured one.
	DomU string
	Idle int
	Platform

	Benchmark  string // full name
	Iterations int64
	Values     []bench.Value
	Windows    []float64 // every window, in the first value's unit
	Warnings   []string
	Ended      bool // the boot's end line was found

	// Run names the run that the sample is from: rounds of different runs
	// are not pairs. It is the run's directory, or the file's path if the
	// file has no boots; then Round is 0 and nothing is paired.
	Run  string
	File string
	Line int
}

// Platform is where go test ran benchmarks, as it says itself. All of it is empty
// in a run of this program.
type Platform struct{ Pkg, GOOS, GOARCH, CPU string }

// String is the platform in words, without what is empty.
func (p Platform) String() string {
	var words []string
	for _, kv := range [][2]string{{"pkg", p.Pkg}, {"goos", p.GOOS}, {"goarch", p.GOARCH}, {"cpu", p.CPU}} {
		if kv[1] != "" {
			words = append(words, kv[0]+"="+kv[1])
		}
	}
	return strings.Join(words, " ")
}

// Value returns the sample's value in a unit.
func (s *Sample) Value(unit string) (float64, bool) {
	for _, v := range s.Values {
		if v.Unit == unit {
			return v.Value, true
		}
	}
	return 0, false
}

// Key is a place in a run's schedule: each build boots once in each round.
type Key struct {
	Round       int
	Build, Arch string
}

// KeyOf returns the place of a build in a round.
func KeyOf(round int, b hv.Build) Key { return Key{round, b.Name, b.Arch} }

// Problem is a line that could not be used, or only with a reservation.
type Problem struct {
	File string
	Line int // 0 for the whole file
	Text string
	// Note marks a line that is as it was written: what could not be
	// measured, and what is expected after an interruption (samples of an
	// unfinished boot, kept or replaced by a later one).
	Note bool
	// Benchmark is the one that a note says could not be measured, in the build
	// and domain of the file; "" of all others. Reason is why.
	Benchmark, Reason string
}

// String is the problem as file:line: text.
func (p Problem) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Text)
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// Malformed is an error if there are problems besides notes: lines or files that
// could not be used. It names the first.
func Malformed(problems []Problem) error {
	var bad []Problem
	for _, p := range problems {
		if !p.Note {
			bad = append(bad, p)
		}
	}
	switch len(bad) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("read results: %s", bad[0])
	}
	return fmt.Errorf("read results: %s (and %d more)", bad[0], len(bad)-1)
}
