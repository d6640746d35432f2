// Package bench says what a benchmark is and how one is timed. A benchmark is
// written once, against the small interfaces OS and Hypercalls, and runs in
// every domain of every target that offers them; the packages lmbench and
// kbench below register theirs here.
//
// The timing method is lmbench's (lib_timing.c): the clock's resolution
// decides how long a window must be, the number of iterations grows until a
// window is that long, the overhead of the clock and of the loop is
// subtracted, and the median of eleven windows is the sample.
package bench

import "time"

// Domain is the domain a benchmark runs in: a process of its operating
// system, and the hypervisor below.
type Domain interface {
	OS() OS
	Hypercalls() Hypercalls
}

// Marker is what a Domain may also implement if its target counts in marked
// windows instead of timing (Options.Windows): Begin and End stand directly
// around one iteration. A benchmark's baseline and credit have windows of
// their own, told apart by the phase.
type Marker interface {
	Begin(Phase)
	End()
}

// Phase says what a marked window holds.
type Phase int

// Phases of a benchmark, in the order in which they are measured. What one
// operation costs is (operation - baseline + credit) / Ops.
const (
	PhaseBaseline Phase = iota
	PhaseCredit
	PhaseOperation
)

// Loop runs n iterations of an operation.
type Loop func(n int64) error

// Interval is an operation that uses something up, as creating files does:
// Before and After run around the loop, untimed, with the same n.
type Interval struct {
	Before, Loop, After Loop
	// Most is the largest n at a time; a longer window is the sum of
	// several runs. 0 is no limit.
	Most    int64
	Cleanup func() // nil for nothing
}

// Benchmark is one operation to measure.
type Benchmark struct {
	// Suite and Name make the result's name: Suite "Lmbench" and Name
	// "lat_proc/op=fork" are BenchmarkLmbench/lat_proc/op=fork.
	Suite, Name string
	// Doc is one line for people: what one iteration is.
	Doc string
	// Source is where the operation comes from: lmbench's program and
	// arguments, or Xen's function.
	Source string
	// Unit of the sample: "ns/op", or "MB/s" (10^6 bytes) with Bytes per
	// iteration.
	Unit  string
	Bytes int64
	// Beside are the units of the other values that Run gives.
	Beside []string
	// Ops is how many operations one iteration of the loop does, 0 for
	// one: the sample is per operation. Bytes counts a whole iteration.
	Ops int64
	// Enough is the shortest window that the original program asks for,
	// in microseconds; 0 leaves it to the clock.
	Enough int64
	// Hooks are the security hooks of Xen 3.2 that one operation is
	// expected to cross, none for a negative control. Of a later operation,
	// they are those of the releases that have it.
	Hooks []Crossing
	// Later marks an operation that Xen 3.2 has not, and so a hypervisor
	// made after it.
	Later bool
	// Full marks what only the suite "full" has: a run that names no
	// benchmarks leaves it out. See InSuite.
	Full bool
	// Workload marks what the suite "workloads" has alone: work as a machine has it, with
	// devices and domains of its own.
	Workload bool
	// CLibrary marks operations as today's C library and tools make them of what
	// lmbench asks for: other system calls than the plain name says, programs
	// that the dynamic linker begins. A target whose domains have no such calls
	// or programs leaves them out; the plain operation has the same name without
	// the last element.
	CLibrary bool
	// Whole marks an operation that outlasts a timer tick: a target that counts
	// counts its windows with the interrupts in them, as those of a Job.
	Whole bool
	// Programs marks what starts registered executables other than /bin/hello and
	// /bin/sh. They are functions of this module, which the model's guests run.
	Programs bool
	// Dom0Only marks operations that only the control domain may do.
	Dom0Only bool
	// DomUOnly marks what another domain than the control domain is served with.
	DomUOnly bool
	// NeedsPeer marks operations that need the other domain.
	NeedsPeer bool
	// NeedsEcho marks operations that the other domain must answer: the
	// domain's Hypercalls must be an Echoer.
	NeedsEcho bool
	// Needs are the facilities that it needs beside OS. Where the operating
	// system lacks one, the benchmark is left out, with that reason.
	Needs []Facility
	// Setup readies the operation in a process of its own and returns the
	// timed loop, and what to do at the end (nil for nothing).
	Setup func(Domain) (loop Loop, cleanup func(), err error)
	// Intervals, if not nil, is used in place of Setup.
	Intervals func(Domain) (Interval, error)
	// Baseline, if not nil, is measured in the same way and subtracted,
	// as lat_sig and lat_pagefault do it.
	Baseline func(Domain) (loop Loop, cleanup func(), err error)
	// Credit, if not nil, is measured likewise and added back: what the
	// baseline holds beyond what is to be subtracted (lat_sig prot subtracts
	// a signal's handling without the kill that sends the signal).
	Credit func(Domain) (loop Loop, cleanup func(), err error)
	// Run, if not nil, replaces the timing method: a macro benchmark that
	// measures itself (kernbench's job mix).
	Run func(Domain, Options) ([]Value, error)
	// Job, if not nil, is what a target that counts marks in place of Run.
	Job *Job
	// Patience is how much longer than other benchmarks this one may be silent
	// before a target gives up.
	Patience time.Duration
}

// Job is a macro benchmark as one operation in marked windows. Such a window
// outlasts timer ticks and has switches of vCPUs in it; what is counted in it is
// counted as a whole.
type Job struct {
	Intervals func(Domain, Options) (Interval, error)
	// Windows are enough for a sample: each takes long.
	Windows int
}

// FullName is the benchmark's name in results, without "Benchmark".
func (b Benchmark) FullName() string { return b.Suite + "/" + b.Name }

// RunsIn reports whether a domain of a name has a part in the benchmark.
func (b Benchmark) RunsIn(domain string) bool {
	if domain == "dom0" {
		return !b.DomUOnly
	}
	return !b.Dom0Only
}

// Crossing is a hook that an operation crosses, PerOp times.
type Crossing struct {
	Hook  string  // Xen's name
	PerOp float64 // 0 if it depends; Note says on what
	Note  string
}

// Value is one figure with its unit.
type Value struct {
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// Measurement is the sample that one benchmark gave in one domain and boot.
type Measurement struct {
	// ProbeNS is the least time of the speed probe that the measuring
	// process saw, 0 without one.
	ProbeNS float64 `json:"probe_ns,omitempty"`
	// Disturbed is how many windows were kept although the processor was slow.
	Disturbed int `json:"disturbed,omitempty"`

	Domain     string    `json:"domain"`            // "dom0", "domU"
	DomU       string    `json:"domu,omitempty"`    // kind of the domUs, "" for the target's first
	Benchmark  string    `json:"benchmark"`         // FullName
	Iterations int64     `json:"iterations"`        // all windows together
	Values     []Value   `json:"values"`            // the sample: medians
	Windows    []float64 `json:"windows,omitempty"` // every window, in the first value's unit
	Warnings   []string  `json:"warnings,omitempty"`
	// Profile is where the hypervisor executed its instructions, nil if the
	// target does not tell.
	Profile *Profile `json:"profile,omitempty"`
	// Error says why there is no sample; Values is then empty.
	Error string `json:"error,omitempty"`
}

// NotExact begins a warning of a sample whose counts may differ for reasons of
// their own from one boot to the next; what follows says which.
const NotExact = "not exact: "

// WindowsLeftOut begins a warning of a sample whose count leaves out windows in which
// something else than the operation was executed, too.
const WindowsLeftOut = "windows left out: "

// Disturbed begins a warning of a sample with windows that were timed while the
// processor was slow, as often as they were tried; what follows counts them.
const Disturbed = "the processor was slow in "

// Options adjust the timing.
type Options struct {
	EnoughUS    int64 `json:"enough_us"`   // shortest window in µs; 0: what the clock needs
	Repetitions int   `json:"repetitions"` // windows per sample; 0: 11
	// Windows, if not 0, asks for that many marked windows of one
	// iteration each instead of timed ones (targets that count). Macro
	// benchmarks (Run) are not marked unless they have a Job.
	Windows int `json:"windows"`
	// Witness asks for what the hypervisor counts itself while marked windows
	// run, as far as it does.
	Witness bool `json:"witness,omitempty"`
	// Quick shortens macro benchmarks for tests.
	Quick bool `json:"quick"`
}

// Plan is what an agent in a domain is asked to measure.
type Plan struct {
	Domains    []string `json:"domains"`
	Benchmarks []string `json:"benchmarks"` // full names, in the order to run
	Options    Options  `json:"options"`
	Workload   string   `json:"workload"` // what else the domain does, by name; "" for nothing
}
