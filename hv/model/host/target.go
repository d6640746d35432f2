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
	"sync"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/count"
	"xsmbench/hv/gotool"
	"xsmbench/hv/store"
)

func init() { hv.Register(New()) }

// Target is the model.
type Target struct {
	compiling chan struct{} // one compilation at a time: each uses all processors
	linking   chan struct{} // as many links at a time as processors
	limits    limits
	emulated  limits // of programs that an emulator runs

	opened func() (*store.Store, error)

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
		limits:    limits{hello: 60 * time.Second, silence: 120 * time.Second},
		// A record takes the emulator a second or two; one that hangs is
		// started again, so that patience has a price here.
		emulated: limits{hello: 60 * time.Second, silence: 60 * time.Second},
		opened:   sync.OnceValues(store.Default),
		held:     map[string]*store.Entry{},
		inputs:   map[inputsKey]*gotool.Inputs{},
		fresh:    map[store.Key]bool{},
	}
}

// kind is a way of building: the tags that select it.
type kind struct {
	hv.Kind
	tags []string
}

var kinds = []kind{
	{hv.Kind{Name: "native", Doc: "no framework: every hook compiles to nothing", Dispatch: "compiled out"}, nil},
	{hv.Kind{Name: "dummy", Doc: "the framework with the dummy module: every hook is called and allows", Dispatch: "table"}, []string{"xsm"}},
	{hv.Kind{Name: "flask", Doc: "the framework with FLASK registered, enforcing a policy", Dispatch: "table", Policy: true}, []string{"xsm", "flask"}},
}

func findKind(name string) (kind, error) {
	for _, k := range kinds {
		if k.Name == name {
			return k, nil
		}
	}
	return kind{}, fmt.Errorf("unknown kind of build %q: the model has native, dummy and flask", name)
}

// Name is "model".
func (*Target) Name() string { return "model" }

// Doc describes the target in one line.
func (*Target) Doc() string {
	return "a hypervisor in Go after Xen 3.2's paravirtual control plane; needs nothing but Go"
}

// Kinds lists native, dummy and flask.
func (*Target) Kinds() []hv.Kind {
	var list []hv.Kind
	for _, k := range kinds {
		list = append(list, k.Kind)
	}
	return list
}

// Arches lists amd64 (x86_64) and 386 (x86_32 with PAE).
func (*Target) Arches() []string { return []string{"amd64", "386"} }

// Accels has "", the processor itself, and icount, which counts instructions.
func (*Target) Accels() []string { return []string{"", icount} }

// Units are those of the benchmarks, and of a run that counts.
func (*Target) Units() []string { return append([]string{"ns/op", "MB/s"}, count.Units()...) }

// Offers reports true but for what the other domain must answer: the model's
// guest kernel has all of bench.OS, and its domains all of bench.Hypercalls,
// but a domain that waits takes no part.
func (*Target) Offers(b bench.Benchmark) bool { return !b.NeedsEcho }

// tagsOf are the build tags of a build, its own ones last, without repetition.
func tagsOf(k kind, b hv.Build) []string {
	tags := slices.Clone(k.tags)
	for _, t := range b.Tags {
		if !slices.Contains(tags, t) {
			tags = append(tags, t)
		}
	}
	return tags
}

// label names a build in progress lines.
func label(b hv.Build) string {
	s := b.Name
	if k := b.KindOf(); k != b.Name {
		s += " (" + k + ")"
	}
	if b.Layout != 0 {
		s += fmt.Sprintf(" layout %d", b.Layout)
	}
	return s
}

func processors() int { return max(1, runtime.NumCPU()) }
