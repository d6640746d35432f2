package model

import (
	"sync/atomic"

	"xsmbench/abi"
)

// domainArch is a domain's rights and settings on x86. Its rights to device
// memory and ports are memory management's, in domainMM.
type domainArch struct {
	assist    atomic.Uint32 // vm_assist types in force
	irqs      [nrIRQs / 64]atomic.Uint64
	debugging atomic.Bool
	hvm       hvmState
}

// permitIRQ lets a domain bind a physical interrupt, or not any more.
func (a *domainArch) permitIRQ(pirq uint32, allow bool) {
	word, bit := &a.irqs[pirq/64], uint64(1)<<(pirq%64)
	if allow {
		word.Or(bit)
	} else {
		word.And(^bit)
	}
}

// irqPermitted reports whether the domain may bind a physical interrupt
// (irq_access_permitted).
func (a *domainArch) irqPermitted(pirq uint32) bool {
	return a.irqs[pirq/64].Load()&(1<<(pirq%64)) != 0
}

// permitEverything gives dom0 all interrupts, ports and device memory
// (construct_dom0).
func (d *Domain) permitEverything() {
	for irq := range uint32(nrIRQs) {
		d.arch.permitIRQ(irq, true)
	}
	d.permitIOPorts(0, nrPorts-1, true)
	d.permitIOMem(0, ^abi.MFN(0)>>abi.PageShift, true)
}

// setContext gives a vCPU that does not run the state to start with, or to go
// on with (arch_set_info_guest). Descriptor and page tables are installed the
// first time only; a goroutine that runs the vCPU's former code is ended.
func (v *VCPU) setContext(ctx *abi.VCPUContext) int64 {
	if ctx.Entry == nil {
		return einval
	}
	if !v.initialised.Load() {
		if rc := v.installTables(ctx); rc != 0 {
			return rc
		}
	}
	v.restart()
	base := v.ctx.CR3
	v.ctx = *ctx
	v.ctx.CR3 = base
	v.ctx.KernelSS |= guestKernelRPL
	clear(v.traps[:])
	v.setTraps(ctx.Traps)
	v.userMode = ctx.Flags&abi.VGCFInKernel == 0
	if ctx.EventMask {
		v.info.UpcallMask.Store(1)
	}
	v.initialised.Store(true)
	return 0
}

// installTables takes a context's descriptor and page tables into use.
func (v *VCPU) installTables(ctx *abi.VCPUContext) int64 {
	m := v.machine
	if len(ctx.GDT) > 0 {
		if rc := m.setGDT(v, ctx.GDT, uint64(len(ctx.GDT))*512); rc != 0 {
			return int64(rc)
		}
	}
	if ctx.CR3 == v.mmu.base && ctx.CR3 != 0 {
		return 0 // the domain builder has loaded it
	}
	if !m.newGuestCR3(v, ctx.CR3) {
		m.destroyGDT(v)
		return einval
	}
	return 0
}

// restart ends the goroutine of a vCPU that does not run, so that the next
// time it gets a processor it starts at its entry point.
func (v *VCPU) restart() {
	c := v.machine.lockRun(v)
	started := v.started
	c.lock.Unlock()
	if !started {
		return
	}
	v.kill()
	<-v.gone
	c = v.machine.lockRun(v)
	v.started = false
	v.token = make(chan struct{}, 1)
	v.gone = make(chan struct{})
	v.killed.Store(false)
	c.lock.Unlock()
}

// reset takes a vCPU back to what it was before it was initialised
// (vcpu_reset). Its domain is paused.
func (v *VCPU) reset() int64 {
	v.restart()
	v.pauseFlags.Or(pauseDown)
	v.pauseFlags.And(^uint32(pauseBlocked))
	v.initialised.Store(false)
	v.dropPageTables()
	v.machine.destroyGDT(v)
	v.ctx = abi.VCPUContext{}
	clear(v.traps[:])
	v.fpuTaskSwitched, v.inUpcall, v.userMode = false, false, false
	v.polling.Store(false)
	return 0
}

// context returns the state of a vCPU that does not run
// (arch_get_info_guest).
func (v *VCPU) context() *abi.VCPUContext {
	c := v.ctx
	c.CR3 = v.mmu.base
	c.GDT = append([]abi.MFN(nil), v.mmu.gdtFrames...)
	c.Traps = nil
	for _, t := range v.traps {
		if t.Handler != nil {
			c.Traps = append(c.Traps, t)
		}
	}
	c.EventMask = v.info.UpcallMask.Load() != 0
	if v.userMode {
		c.Flags &^= abi.VGCFInKernel
	}
	return &c
}
