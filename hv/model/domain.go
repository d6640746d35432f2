package model

import (
	"sync"
	"sync/atomic"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// Domain is one guest (struct domain). Locks are taken in the order bigLock,
// grant.mu, evtchnLock, pageLock.
type Domain struct {
	xsm.Domain // ID, Privileged, SSID

	machine   *Machine
	vcpus     []*VCPU // up to abi.MaxVCPUs, filled by max_vcpus
	shared    *abi.SharedInfo
	sharedMFN abi.MFN
	handle    [16]byte

	bigLock sync.Mutex // memory management (LOCK_BIGLOCK)

	pageLock sync.Mutex // guards the page list and the counts below
	pages    pageList
	totPages uint64
	maxPages uint64

	evtchnLock sync.Mutex
	evtchns    evtchnTable
	grant      grantTable

	refs               atomic.Int64 // references (get_domain)
	pauseCount         atomic.Int32
	pausedByController bool
	shutdown           domainShutdown
	dying              atomic.Int32 // 0 alive, 1 dying, 2 dead
	arch               domainArch   // privileges on I/O, parameters, debugging, log-dirty
}

// VCPU is a virtual processor of a domain (struct vcpu).
type VCPU struct {
	xsm.VCPU // Domain and CPU, as hooks see them

	ID      int
	dom     *Domain
	machine *Machine

	mmu             mmu // base pointer, TLB: memory accesses of the guest
	ctx             abi.VCPUContext
	sched           vcpuSched // credit scheduler's state, blocking, runstate
	timer           vcpuTimer // set_timer_op, periodic and single-shot timers
	fpuTaskSwitched bool
	userMode        bool // the guest runs in user mode
}
