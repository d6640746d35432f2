package model

import (
	"sync"
	"sync/atomic"

	"xsmbench/abi"
)

// nrIRQs is the number of physical interrupts.
const nrIRQs = 256

// domainArch is a domain's rights and settings on x86.
type domainArch struct {
	assist    atomic.Uint32 // vm_assist types in force
	lock      sync.Mutex    // guards the rest
	irqs      [nrIRQs / 64]uint64
	debugging bool
}

// irqPermitted reports whether the domain may bind a physical interrupt.
func (a *domainArch) irqPermitted(pirq uint32) bool {
	a.lock.Lock()
	defer a.lock.Unlock()
	return a.irqs[pirq/64]&(1<<(pirq%64)) != 0
}

// setContext gives a vCPU the state to start with (arch_set_info_guest).
func (v *VCPU) setContext(ctx *abi.VCPUContext) int64 {
	if ctx.Entry == nil {
		return einval
	}
	v.ctx = *ctx
	v.setTraps(ctx.Traps)
	v.initialised.Store(true)
	return 0
}
