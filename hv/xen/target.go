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
	"context"
	"runtime"
	"strings"
	"sync"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/count"
	"xsmbench/hv/count/code"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/domain/hypercall"
	"xsmbench/hv/xen/qemu"
	"xsmbench/hv/xen/source"
)

func init() { hv.Register(New()) }

// Target is the real Xen.
type Target struct {
	compiling chan struct{} // so many compilations of Xen at a time; each uses all processors
	running   *places       // as many QEMUs at a time as processors
	limits    limits
	held      held

	opened      func() (*store.Store, error)
	agentSource func(context.Context, *store.Store, func(string)) (dir string, done func(), err error)

	// What this process uses of the store is held until its end.
	trees      once[*source.Tree]
	kernels    once[*kernel]
	toolstacks once[*toolstack]
	extras     once[*guestProgram]
	offered    once[string]       // version of the distribution's
	built      once[*agents]      // by architecture
	images     once[*store.Entry] // dom0's, by architecture and shape
	symbols    once[*code.Map]    // by file
	maps       once[*mapped]      // by image
	around     builtImages
	failed     failedBoots
	told       sync.Map // lines that need not be said of each boot

	mu     sync.Mutex
	madeOf map[string]*source.Tree // builds, by name
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
		compiling:   make(chan struct{}, 2), // while one links, on one processor, another compiles
		running:     newPlaces(processors()),
		limits:      limits{boot: 30 * time.Second, silence: 15 * time.Second, measure: 5 * time.Second},
		opened:      sync.OnceValues(store.Default),
		agentSource: ownSource,
	}
}

func processors() int { return max(1, runtime.NumCPU()) }

// Name is "xen".
func (*Target) Name() string { return "xen" }

// Doc describes the target in one line.
func (*Target) Doc() string {
	return "the real Xen, built from source and booted in QEMU with a Linux dom0 and domU; instructions are counted exactly"
}

// Arches has amd64: Xen 4 runs on nothing older.
func (*Target) Arches() []string { return []string{"amd64"} }

// Accels lists icount, which counts; tcg, for trying things; and kvm, which
// needs a processor that virtualises.
func (*Target) Accels() []string {
	return []string{string(qemu.ICount), string(qemu.TCG), string(qemu.KVM)}
}

// Units of a run that counts, and then of one that times.
func (t *Target) Units() []string {
	return hv.UnitsOf(t, append(count.Units(), count.UnitSpin, "ns/op", "MB/s")...)
}

// refused are benchmarks that make no sense here, by the beginnings of their
// names, and why.
var refused = map[string]string{
	"Kbench/kernbench/load=maximal": "the guests have one processor, and no memory for all compilers at once",

	"Lmbench/bw_pipe":      outlasts,
	"Lmbench/bw_unix":      outlasts,
	"Lmbench/bw_tcp/m=10M": outlasts,

	"Lmbench/bw_mem/":                           noCall,
	"Lmbench/stream/":                           noCall,
	"Lmbench/lat_ops/":                          noCall,
	"Lmbench/par_ops/":                          noCall,
	"Lmbench/lat_rand/":                         noCall,
	"Lmbench/lat_proc/op=procedure":             noCall,
	"Lmbench/lat_mem_rd/":                       noCall,
	"Lmbench/lat_dram_page":                     noCall,
	"Lmbench/par_mem":                           noCall,
	"Lmbench/tlb":                               noCall,
	"Lmbench/line":                              noCall,
	"Lmbench/cache":                             noCall,
	"Lmbench/mhz":                               noCall,
	"Lmbench/timing_o":                          noCall,
	"Lmbench/loop_o":                            noCall,
	"Lmbench/memsize":                           "it takes all memory that a guest has, and measures itself",
	"Lmbench/bw_mmap_rd/size=512K/op=mmap_only": noCall,
	"Lmbench/disk/":                             "the guests have a block device for workloads alone, in memory and with nothing of a disk's ways",
	"Lmbench/lat_ctx/size=4K/":                  ofSize,
	"Lmbench/lat_ctx/size=8K/":                  ofSize,
	"Lmbench/lat_ctx/size=32K/":                 ofSize,
	"Lmbench/lat_ctx/size=64K/":                 ofSize,
	"Lmbench/lat_ctx/size=16K/procs=2":          ofSize,
	"Lmbench/lat_ctx/size=16K/procs=4":          ofSize,
	"Lmbench/lat_ctx/size=16K/procs=16":         ofSize,
	"Lmbench/lat_ctx/size=16K/procs=3":          ofSize,
	"Lmbench/lat_ctx/size=16K/procs=6":          ofSize,
	"Lmbench/lat_ctx/size=16K/procs=9":          ofSize,
}

const (
	outlasts = "one operation outlasts a timer tick: no window is clean"
	ofSize   = "a process's array is summed in the guest, which takes minutes here and shows nothing of Xen: see size=0K"
	noCall   = "it makes no system call: it would measure the processor alone"
)

// Offers reports whether the agent can run a benchmark.
func (t *Target) Offers(b bench.Benchmark) bool { return t.Refuses(b) == "" }

// Refuses says why the agent cannot run a benchmark, "" if it can.
func (*Target) Refuses(b bench.Benchmark) string {
	for prefix, reason := range refused {
		if strings.HasPrefix(b.FullName(), prefix) {
			return reason
		}
	}
	if b.Programs {
		return "its programs exist in the model's guests only"
	}
	return hypercall.Refused(b.FullName())
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

// Counted is the instructions of the hypervisor.
func (*Target) Counted() string { return count.UnitXen }

// AtOnce fills all processors with resumes, of which a boot has one for each
// domain, and has the next boot ready. Where time is measured, it is one.
func (t *Target) AtOnce(spec hv.BootSpec) int {
	if !counts(spec.Accel) {
		return 1
	}
	resumes := max(1, len(spec.Plan.Domains))
	return (t.running.all+resumes-1)/resumes + 1
}

func counts(accel string) bool { return accel == "" || accel == string(qemu.ICount) }

// DomUKinds lists the kinds of domU.
func (*Target) DomUKinds() []string { return []string{"pv", "pvh", hvmKind} }

// MostIdle is how many idle domUs fit beside the measured one.
func (*Target) MostIdle() int { return 8 }

// MostCPUs is 2: one for dom0, one for the domU. A domU in a virtual machine dies on the
// second of QEMU's processors at its first AVX2 instruction, and without these in some
// boots in other ways.
func (*Target) MostCPUs(domU string) int {
	if domU == "pvh" || domU == hvmKind {
		return 1
	}
	return 2
}

// store is the user's store, opened when it is first needed.
func (t *Target) store() (*store.Store, error) { return t.opened() }
