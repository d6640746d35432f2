// Package xen is the real Xen as a hypervisor under test. It builds Xen
// from source, composes what dom0 and a domU boot from, boots that in QEMU,
// and has the domains measure themselves.
//
// Under instruction counting (the accelerator "icount") each image is booted
// once, up to the moment when both domains are ready, and saved as a snapshot.
// A boot in the sense of package experiment then is a resume of that snapshot, with
// a delay of its own before measuring starts: two boots that agree show that a
// figure does not depend on where timer ticks fall. What dom0 and domU measure
// is counted in two resumes of the same snapshot, side by side. Under the other
// accelerators a boot is a boot, and the domains time their benchmarks.
//
// Products of every stage are kept in the store (package store).
package xen

import (
	"runtime"
	"strings"
	"sync"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/count"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/domain/hypercall"
	"xsmbench/hv/xen/qemu"
	"xsmbench/hv/xen/source"
)

func init() { hv.Register(New()) }

// Target is the real Xen.
type Target struct {
	compiling chan struct{} // so many compilations of Xen at a time; each uses all processors
	running   chan struct{} // as many QEMUs at a time as processors
	limits    limits

	opened func() (*store.Store, error)

	// What this process uses of the store is held until its end.
	trees  once[*source.Tree]
	guests once[*parts]
	built  once[*agents]      // by architecture
	images once[*store.Entry] // dom0's, by architecture and shape
}

// limits are the times after which a machine is given up, on a processor as
// slow as an accelerator may make it. They are far above what a loaded computer
// needs, since giving up costs a sample.
type limits struct {
	boot    time.Duration // to the snapshot, or to the first record
	silence time.Duration // without any sign of life
	measure time.Duration // for each benchmark
}

// New returns the target.
func New() *Target {
	return &Target{
		compiling: make(chan struct{}, 2), // while one links, on one processor, another compiles
		running:   make(chan struct{}, processors()),
		limits:    limits{boot: 30 * time.Second, silence: 15 * time.Second, measure: 5 * time.Second},
		opened:    sync.OnceValues(store.Default),
	}
}

func processors() int { return max(1, runtime.NumCPU()) }

// Name is "xen".
func (*Target) Name() string { return "xen" }

// Doc describes the target in one line.
func (*Target) Doc() string {
	return "the real Xen, built from source and booted in QEMU with a Linux dom0 and domU; instructions are counted exactly"
}

// Kinds lists native, dummy, flask and silo.
func (*Target) Kinds() []hv.Kind {
	return []hv.Kind{
		{Name: "native", Doc: "CONFIG_XSM off: privilege checks are inlined into their callers", Dispatch: "inlined", Kconfig: true},
		{Name: "dummy", Doc: "CONFIG_XSM with the dummy module alone: every hook is called and makes native's check", Dispatch: "patched direct call", Kconfig: true},
		{Name: "flask", Doc: "CONFIG_XSM with FLASK, enforcing the policy that Xen's source carries", Dispatch: "patched direct call", Kconfig: true},
		{Name: "silo", Doc: "CONFIG_XSM with SILO, which keeps unprivileged domains apart", Dispatch: "patched direct call", Kconfig: true},
	}
}

// Arches has amd64: Xen 4 runs on nothing older.
func (*Target) Arches() []string { return []string{"amd64"} }

// Accels lists icount, which counts; tcg, for trying things; and kvm, which
// needs a processor that virtualises.
func (*Target) Accels() []string {
	return []string{string(qemu.ICount), string(qemu.TCG), string(qemu.KVM)}
}

// Units of a run that counts, and then of one that times.
func (*Target) Units() []string {
	return append(count.Units(), "ns/op", "MB/s")
}

// refused are benchmarks that make no sense here.
var refused = []string{
	"Kbench/kernbench/", // its programs exist in the model's guests only
	"Lmbench/bw_mem/",   // no system call: the processor alone
	"Lmbench/bw_pipe",   // one operation outlasts a timer tick: no window is clean
	"Lmbench/bw_unix",
}

// Offers reports whether the agent can run a benchmark.
func (*Target) Offers(b bench.Benchmark) bool {
	for _, prefix := range refused {
		if strings.HasPrefix(b.FullName(), prefix) {
			return false
		}
	}
	return hypercall.Offers(b.FullName())
}

// Rounds is 2: counts are exact, and the second round shows it.
func (*Target) Rounds() int { return 2 }

// MostLayouts is 0: nothing is relinked.
func (*Target) MostLayouts() int { return 0 }

// windows is how many windows a sample has. In clean windows Xen executes one
// number of instructions; a dozen clean ones of these show it.
const windows = 21

// Windows is how many windows count for a sample under an accelerator.
func (*Target) Windows(accel string) int {
	if counts(accel) {
		return windows
	}
	return 0
}

func counts(accel string) bool { return accel == "" || accel == string(qemu.ICount) }

// DomUKinds lists the kinds of domU.
func (*Target) DomUKinds() []string { return []string{"pv", "pvh"} }

// MostIdle is how many idle domUs fit beside the measured one.
func (*Target) MostIdle() int { return 8 }

// store is the user's store, opened when it is first needed.
func (t *Target) store() (*store.Store, error) { return t.opened() }
