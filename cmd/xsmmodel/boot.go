package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/hv/model"
	"xsmbench/hv/model/guest"
	"xsmbench/xsm"
)

// Sizes in frames.
const (
	dom0Frames  = 12288   // 48 MiB
	domUFrames  = 10240   // 40 MiB
	xenFrames   = 2048    // the hypervisor's own
	mostFrames  = 1 << 18 // 1 GiB, what 32-bit programs can hold
	kernelBytes = 2 << 20 // a kernel image
)

func leastFrames(domUs int) int { return dom0Frames + domUs*domUFrames + xenFrames }

// heapLimit is the memory at which the garbage collector runs although it is
// turned off: between two benchmarks it is made to run, and within one there
// is room enough.
const heapLimit = 1 << 30

// Names of the kernels and, in results, of the domains.
const (
	dom0Kernel = "xenlinux-dom0"
	domUKernel = "xenlinux-domU"
	dom0Name   = "dom0"
	domUName   = "domU"
)

// boot is one boot of the machine, and the debug port by which its domains
// reach this program: the plan comes that way, and results go out. A real
// machine's is an I/O port of the virtual machine monitor's (port 0xe9 of
// Bochs, QEMU's firmware configuration). It is used between measurements only.
type boot struct {
	options
	kind    kind
	plan    bench.Plan
	sec     security
	results io.Writer
	console *consoleTail
	image   []byte                // domU's kernel
	ballast []byte                // shifts what the heap holds after it
	cause   atomic.Pointer[error] // why dom0 gave up
}

func newBoot(o options, k kind, plan bench.Plan, sec security, results, console io.Writer) *boot {
	tail := &consoleTail{to: console}
	if k.module != nil {
		tail.mark = k.module.Denial
	}
	return &boot{options: o, kind: k, plan: plan, sec: sec, results: results, console: tail}
}

// run builds and starts the machine and returns when it has powered off. If it
// fails after a denial, the error names the last one.
func (b *boot) run(ctx context.Context) error {
	err := b.boot(ctx)
	if denial := b.console.lastDenial(); err != nil && denial != "" {
		return fmt.Errorf("%w; the security module's last denial: %s", err, denial)
	}
	return err
}

func (b *boot) boot(ctx context.Context) error {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(heapLimit)
	pages := b.perturb()
	avc := b.kind.module != nil && b.kind.module.About(b.sec.cmdLine).AVC
	model.RegisterKernel(dom0Kernel, guest.Entry(guest.Config{Init: b.dom0, AVC: avc}))
	model.RegisterKernel(domUKernel, guest.Entry(guest.Config{Init: b.domU, AVC: avc}))
	b.image = model.KernelImage(domUKernel, kernelBytes+pages*abi.PageSize)
	modules := append([]xsm.BootModule{{Name: "kernel", Data: model.KernelImage(dom0Kernel, kernelBytes+pages*abi.PageSize)}}, b.sec.modules...)
	m, err := model.New(model.Config{
		Frames: b.frames, CPUs: b.cpus, Dom0Frames: dom0Frames, Dom0VCPUs: min(2, b.cpus), PinDom0: true,
		Modules: modules, CmdLine: b.sec.cmdLine, Console: b.console.write,
	})
	if err != nil {
		return err
	}
	defer m.Stop()
	if err := m.Start(); err != nil {
		return err
	}
	err = m.Wait(ctx)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if cause := b.cause.Load(); err != nil && cause != nil {
		return *cause // dom0 did not crash for nothing
	}
	return err
}

// perturb makes boots of one image differ, as real ones do, in what is not
// under test: when they start, and where in memory things lie. It returns the
// number of frames by which the kernels are larger. Seed 0 perturbs nothing.
func (b *boot) perturb() int {
	if b.seed == 0 {
		return 0
	}
	r := rand.New(rand.NewPCG(uint64(b.seed), 0x78656e))
	time.Sleep(time.Duration(r.IntN(5000)) * time.Microsecond)
	b.ballast = make([]byte, r.IntN(1<<20))
	return r.IntN(64)
}

// measures reports whether the plan has a domain measure.
func (b *boot) measures(domain string) bool { return slices.Contains(b.plan.Domains, domain) }

// between runs before each benchmark.
func (*boot) between() { runtime.GC() }
