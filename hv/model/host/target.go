// Package host is the model as a hypervisor under test: it builds
// cmd/xsmmodel from this module's source, one program per way of building and
// layout, and boots one by starting it as a process.
//
// A built program is kept in the store under the hash of everything that goes
// into it (source, tags, architecture, layout, Go version and settings), so
// that what is there is what would be built. What this process uses of the
// store is held until its end. A
// program's own hash is the image's hash: -trimpath and -buildvcs=false make
// it depend on nothing else.
package host

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/count"
	"xsmbench/hv/gotool"
	"xsmbench/hv/process"
	"xsmbench/hv/store"
)

func init() { hv.Register(New()) }

// Target is the model.
type Target struct {
	compiling chan struct{} // one compilation at a time: each uses all processors
	linking   chan struct{} // as many links at a time as processors
	limits    process.Limits
	emulated  process.Limits // of programs that an emulator runs

	opened func() (*store.Store, error)

	asked  sync.Once // whether the source is ambiguous
	answer error

	mu     sync.Mutex
	held   map[string]*store.Entry // in use until this process ends, by folder
	inputs map[inputsKey]*gotool.Inputs
	fresh  map[store.Key]bool // sources compiled by this process
}

// New returns a target that has the user's store, opened when it is first
// needed, and nothing in memory.
func New() *Target {
	return &Target{
		compiling: make(chan struct{}, 1),
		linking:   make(chan struct{}, processors()),
		limits:    process.Limits{Hello: 60 * time.Second, Silence: 120 * time.Second},
		// A record takes the emulator a second or two; one that hangs is
		// started again, so that patience has a price here.
		emulated: process.Limits{Hello: 60 * time.Second, Silence: 60 * time.Second},
		opened:   sync.OnceValues(store.Default),
		held:     map[string]*store.Entry{},
		inputs:   map[inputsKey]*gotool.Inputs{},
		fresh:    map[store.Key]bool{},
	}
}

// Name is "model".
func (*Target) Name() string { return "model" }

// Doc describes the target in one line.
func (*Target) Doc() string {
	return "a hypervisor in Go, modelled on Xen 3.2's paravirtual control plane; needs only Go"
}

// Kinds lists native, dummy, and those of the modules.
func (*Target) Kinds() []hv.Kind {
	var list []hv.Kind
	for _, k := range kinds() {
		list = append(list, k.Kind)
	}
	return list
}

// Arches lists amd64 (x86_64) and 386 (x86_32 with PAE).
func (*Target) Arches() []string { return []string{"amd64", "386"} }

// Accels has "", the processor itself, and icount, which counts instructions.
func (*Target) Accels() []string { return []string{"", icount} }

// Units are those of the benchmarks, and of a run that counts.
func (t *Target) Units() []string {
	return hv.UnitsOf(t, append([]string{"ns/op", "MB/s"}, count.Units()...)...)
}

// Offers reports true for most: the model's guest kernel has all of bench.OS, and
// its domains all of bench.Hypercalls.
func (t *Target) Offers(b bench.Benchmark) bool { return t.Refuses(b) == "" }

// Refuses says why a benchmark cannot run, "" if it can.
func (*Target) Refuses(b bench.Benchmark) string {
	switch {
	case b.NeedsEcho:
		return "the other domain must answer, and one that waits takes no part"
	case b.CLibrary:
		return "the model's kernel is of 2007 and its programs have no C library: it is the same as " + plain(b)
	case b.Later:
		return "Xen 3.2 has not the operation"
	}
	if f := b.Lacking(has); f != "" {
		return "the model's guest kernel lacks " + string(f)
	}
	return ""
}

// has reports what the model's guest kernel has beside bench.OS. The host does not
// import it: a test of the guest holds the two against each other.
func has(f bench.Facility) bool { return f == bench.Seeking }

// plain is the benchmark of which one that is a C library's is a form.
func plain(b bench.Benchmark) string {
	return b.FullName()[:strings.LastIndexByte(b.FullName(), '/')]
}

// tagsOf are the build tags of a build, its own ones last, without repetition.
func tagsOf(k kind, b hv.Build) []string {
	tags := slices.Clone(k.tags)
	for _, t := range slices.Concat(dispatchTags[b.Dispatch], b.Tags) {
		if !slices.Contains(tags, t) {
			tags = append(tags, t)
		}
	}
	return tags
}

// label names a build in progress lines.
func label(b hv.Build) string {
	s := b.Name
	k := b.KindOf()
	if b.Dispatch != "" {
		k += ":" + b.Dispatch
	}
	if k != b.Name {
		s += " (" + k + ")"
	}
	if b.Arch == "386" {
		s += " on 386"
	}
	if b.Layout != 0 {
		s += fmt.Sprintf(" layout %d", b.Layout)
	}
	return s
}

func processors() int { return max(1, runtime.NumCPU()) }
