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
	"sync"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// Machine is one host: memory, processors, and the hypervisor that runs it.
type Machine struct {
	cfg     Config
	mem     []byte     // machine memory
	frames  frameTable // one descriptor per frame of mem
	m2p     []abi.PFN  // machine-to-physical table
	heap    heap       // free frames
	console *console
	sched   *scheduler

	domlist  sync.RWMutex          // guards domains
	domains  map[abi.DomID]*Domain // every domain but the special ones
	domXen   *Domain               // owns frames shared read-only (DOMID_XEN)
	domIO    *Domain               // owns I/O frames (DOMID_IO)
	idle     *Domain               // runs when nothing else does (DOMID_IDLE)
	dom0     *Domain               // the first domain, control domain
	halted   chan struct{}         // closed when dom0 has shut down
	platform platform
}

// Config describes the machine to build.
type Config struct {
	Frames     int // machine memory in frames; at least MinFrames
	CPUs       int // physical CPUs; at least 1
	Dom0Frames int // frames given to dom0
	Dom0VCPUs  int
	Modules    []xsm.BootModule // multiboot modules: 0 is dom0's kernel
	CmdLine    string           // the hypervisor's own: flask_enforcing=…, flask_enabled=…
	Console    func([]byte)     // receives what the console prints
}
