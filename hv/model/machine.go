// Package model is a hypervisor in Go after the paravirtual control plane of
// Xen 3.2, the release that first carried the security hooks this project
// measures. It is no simulation of costs: every hypercall does the work that
// Xen's does, on structures of the same shape. Guest memory is real memory,
// page tables lie in it and are validated entry by entry, and the hooks of
// package xsm stand where Xen 3.2 has them and are called as often.
//
// What it has no use for is left out: real devices, real interrupts, shadow
// page tables for HVM guests. Processors are goroutines that hand a physical
// CPU from one vCPU to the next; a guest kernel is Go code that reaches the
// hypervisor only through VCPU.Hypercall, the shared page, and memory accesses
// that go through the page tables it installed.
package model

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// Machine is one host: memory, processors, and the hypervisor that runs it.
type Machine struct {
	cfg     Config
	mem     []byte      // machine memory
	frames  frameTable  // one descriptor per frame of mem
	m2p     []abi.PFN   // machine-to-physical table
	heap    heap        // free frames
	tlb     tlbClock    // orders TLB flushes and type changes
	xen     xenMappings // what every guest's address space has of Xen's
	console *console
	cpus    []*pcpu
	sched   *scheduler
	booted  time.Time // origin of system time

	domlist sync.Mutex // taken to change domains
	domains atomic.Pointer[map[abi.DomID]*Domain]
	domXen  *Domain // owns frames shared read-only (DOMID_XEN)
	domIO   *Domain // owns I/O frames (DOMID_IO)
	idle    *Domain // runs when nothing else does (DOMID_IDLE)
	dom0    *Domain // the first domain, control domain

	domctlLock sync.Mutex // one domctl at a time
	sysctlLock sync.Mutex // one sysctl at a time
	lastID     abi.DomID  // the last identifier given out; under domctlLock
	platform   platform
	trace      tracing
	profile    profile
	kexec      kexecState

	vcpus    sync.WaitGroup // goroutines of vCPUs
	ticker   sync.WaitGroup
	stop     chan struct{} // closed to stop the ticker
	stopping atomic.Bool
	halted   chan struct{} // closed when dom0 has shut down
	haltOnce sync.Once
	stopOnce sync.Once
	haltErr  error // why, before halted is closed
}

// Config describes the machine to build.
type Config struct {
	Frames     int // machine memory in frames; at least MinFrames
	CPUs       int // physical CPUs, 2 if 0
	Dom0Frames int // frames given to dom0
	Dom0VCPUs  int // 1 if 0
	PinDom0    bool
	Modules    []xsm.BootModule // multiboot modules: 0 is dom0's kernel
	CmdLine    string           // the hypervisor's own: flask_enforcing=…, flask_enabled=…
	Console    func([]byte)     // receives what the console prints
}

// New builds a machine that has not started.
func New(cfg Config) (*Machine, error) {
	if cfg.CPUs == 0 {
		cfg.CPUs = 2
	}
	if cfg.Dom0VCPUs == 0 {
		cfg.Dom0VCPUs = 1
	}
	switch {
	case cfg.CPUs < 0 || cfg.CPUs > maxCPUs:
		return nil, fmt.Errorf("build machine: %d physical CPUs, want 1 to %d", cfg.CPUs, maxCPUs)
	case cfg.Dom0VCPUs < 0 || cfg.Dom0VCPUs > abi.MaxVCPUs:
		return nil, fmt.Errorf("build machine: %d vCPUs for dom0, want 1 to %d", cfg.Dom0VCPUs, abi.MaxVCPUs)
	case len(cfg.Modules) == 0:
		return nil, errors.New("build machine: no boot modules, module 0 is dom0's kernel")
	}
	m := &Machine{
		cfg:     cfg,
		booted:  time.Now(),
		console: newConsole(cfg.Console),
		stop:    make(chan struct{}),
		halted:  make(chan struct{}),
	}
	m.domains.Store(&map[abi.DomID]*Domain{})
	if err := m.initMemory(); err != nil {
		return nil, fmt.Errorf("build machine: %w", err)
	}
	for id := range cfg.CPUs {
		m.cpus = append(m.cpus, &pcpu{id: id})
	}
	m.sched = newScheduler(m)
	m.platform.init(m)
	return m, nil
}

// SystemTime is the time since the machine was built, in ns (NOW()).
func (m *Machine) SystemTime() uint64 { return uint64(time.Since(m.booted)) }

// Wait returns when dom0 has shut down, or ctx is done. If dom0 crashed, or
// asked for anything but to be powered off or rebooted, that is an error.
func (m *Machine) Wait(ctx context.Context) error {
	select {
	case <-m.halted:
		return m.haltErr
	case <-ctx.Done():
		return ctx.Err()
	}
}

// halt records the end of dom0 (dom0_shutdown).
func (m *Machine) halt(reason uint32, why string) {
	m.haltOnce.Do(func() {
		switch reason {
		case abi.ShutdownPoweroff, abi.ShutdownReboot:
			m.printf("Domain 0 halted: halting machine.\n")
		case abi.ShutdownCrash:
			if why == "" {
				why = "it asked to be shut down for a crash"
			}
			m.haltErr = fmt.Errorf("domain 0 crashed: %s", why)
		default:
			m.haltErr = fmt.Errorf("domain 0 shut down for reason %d", reason)
		}
		close(m.halted)
	})
}

// Stop ends every vCPU and the ticker, and returns when their goroutines have
// ended. A guest that neither makes hypercalls nor opens interrupt windows
// cannot be stopped. It must not be called by a guest.
func (m *Machine) Stop() {
	m.stopOnce.Do(func() {
		m.stopping.Store(true)
		close(m.stop)
		m.ticker.Wait()
		for _, d := range m.domainList() {
			d.pauseNosync()
			d.eachVCPU((*VCPU).kill)
		}
	})
	m.vcpus.Wait()
	for _, d := range m.domainList() {
		d.eachVCPU((*VCPU).stopTimers)
	}
}

// tickLoop is the machine's timer interrupt.
func (m *Machine) tickLoop() {
	defer m.ticker.Done()
	t := time.NewTicker(creditTick * time.Nanosecond)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			m.tickAll()
		case <-m.stop:
			return
		}
	}
}
