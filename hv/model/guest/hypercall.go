package guest

import (
	"fmt"

	"xsmbench/abi"
)

// calls are the arguments of the hypercalls that the kernel makes often, kept
// so that a call allocates nothing. Each is used by one function only, which
// has read its results before another can use it: the events that interrupt a
// hypercall use none of these.
type calls struct {
	uvm     abi.Args
	mmu     abi.Args
	mmuList abi.MMUUpdateArgs
	mmuReq  [1]abi.MMUUpdate
	ext     abi.Args
	extList abi.MMUExtArgs
	extOp   [1]abi.MMUExtOpEntry

	base     abi.Args
	baseList abi.MMUExtArgs
	baseOps  [2]abi.MMUExtOpEntry

	tables     abi.Args
	tableCalls abi.MulticallList
	tableBatch [4]abi.MulticallEntry

	task      abi.Args
	taskCalls abi.MulticallList
	taskBatch [2]abi.MulticallEntry

	iret      abi.Args
	iretFrame abi.IretFrame
	block     abi.Args
	timer     abi.Args
}

func (c *calls) init() {
	c.mmuList.Reqs = c.mmuReq[:]
	c.mmu = abi.Args{R: [4]uint64{0, uint64(abi.DomSelf)}, H: &c.mmuList}
	c.extList.Ops = c.extOp[:]
	c.ext = abi.Args{R: [4]uint64{0, uint64(abi.DomSelf)}, H: &c.extList}
	c.baseOps[0].Cmd, c.baseOps[1].Cmd = abi.NewBasePtr, abi.NewUserBasePtr
	c.baseList.Ops = c.baseOps[:1]
	if userBase {
		c.baseList.Ops = c.baseOps[:2]
	}
	c.base = abi.Args{R: [4]uint64{0, uint64(abi.DomSelf)}, H: &c.baseList}
	c.tables.H = &c.tableCalls
	c.task.H = &c.taskCalls
	c.iretFrame = abi.IretFrame{User: true, EventsOn: true}
	c.iret.H = &c.iretFrame
	c.block.R[0] = uint64(abi.SCHEDOPBlock)
}

// bug stops the domain: the hypervisor refused what a working kernel may
// rely on, or the kernel has lost its way (BUG). What goes wrong while it says
// so is not said.
func (k *Kernel) bug(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !k.dying {
		k.dying = true
		k.printf("kernel BUG: %s\n", text)
	}
	k.shutdown(abi.ShutdownCrash)
	panic("guest: " + text)
}

// must stops the domain if a hypercall failed.
func (k *Kernel) must(name string, rc int64) {
	if rc < 0 {
		k.bug("%s: %v", name, abi.Errno(rc))
	}
}

// updateVAMapping sets the entry of the current page table that maps va.
func (k *Kernel) updateVAMapping(va, e, flags uint64) {
	a := &k.calls.uvm
	a.R = [4]uint64{va, e, flags}
	if rc := k.cpu.Hypercall(abi.UpdateVAMapping, a); rc != 0 {
		k.bug("update_va_mapping(%#x, %#x): %v", va, e, abi.Errno(rc))
	}
}

// updateEntry sets the page-table entry at a machine address.
func (k *Kernel) updateEntry(machine, e uint64) {
	c := &k.calls
	c.mmuReq[0] = abi.MMUUpdate{Ptr: machine | abi.MMUNormalPTUpdate, Val: e}
	if rc := k.cpu.Hypercall(abi.MMUUpdateOp, &c.mmu); rc != 0 {
		k.bug("mmu_update(%#x, %#x): %v", machine, e, abi.Errno(rc))
	}
}

// mmuext does one extended operation on page tables.
func (k *Kernel) mmuext(cmd abi.MMUExtCmd, arg uint64) {
	c := &k.calls
	c.extOp[0] = abi.MMUExtOpEntry{Cmd: cmd, Arg1: arg}
	if rc := k.cpu.Hypercall(abi.MMUExtOp, &c.ext); rc != 0 {
		k.bug("mmuext_op(%d, %#x): %v", cmd, arg, abi.Errno(rc))
	}
}

// newBase makes a top-level page table that of the processor, in kernel and in
// user mode (switch_mm).
func (k *Kernel) newBase(m abi.MFN) {
	c := &k.calls
	c.baseOps[0].Arg1, c.baseOps[1].Arg1 = uint64(m), uint64(m)
	if rc := k.cpu.Hypercall(abi.MMUExtOp, &c.base); rc != 0 {
		k.bug("mmuext_op: new base pointer %#x: %v", m, abi.Errno(rc))
	}
}

func (k *Kernel) flushTLB() { k.mmuext(abi.TLBFlushLocal, 0) }

// protectTables sets how the kernel maps its page tables, four at a time.
func (k *Kernel) protectTables(tables []pfn, flags uint64) {
	c := &k.calls
	for len(tables) > 0 {
		n := min(len(tables), len(c.tableBatch))
		for i, t := range tables[:n] {
			e := &c.tableBatch[i]
			e.Op = abi.UpdateVAMapping
			e.Args.R = [4]uint64{kva(t), k.pte(t, flags), abi.UVMFNone}
		}
		c.tableCalls.Calls = c.tableBatch[:n]
		k.must("multicall", k.cpu.Hypercall(abi.Multicall, &c.tables))
		for i := range n {
			k.must("update_va_mapping of a page table", c.tableBatch[i].Result)
		}
		tables = tables[n:]
	}
}

// switchTask tells the hypervisor of another task: one multicall, which gives
// up the FPU if the last task has used it (__switch_to).
func (k *Kernel) switchTask(usedFPU bool, stack uint64) {
	c := &k.calls
	n := 0
	if usedFPU {
		c.taskBatch[0].Op = abi.FPUTaskSwitch
		c.taskBatch[0].Args.R[0] = 1
		n = 1
	}
	c.taskBatch[n].Op = abi.StackSwitch
	c.taskBatch[n].Args.R = [4]uint64{kernelSS, stack}
	c.taskCalls.Calls = c.taskBatch[:n+1]
	if rc := k.cpu.Hypercall(abi.Multicall, &c.task); rc != 0 {
		k.bug("multicall of a task switch: %v", abi.Errno(rc))
	}
}

// returnToUser ends the handling of a fault or a signal.
func (k *Kernel) returnToUser() {
	if iretReturns {
		k.cpu.Hypercall(abi.Iret, &k.calls.iret)
		return
	}
	k.enableEvents()
}

// enableEvents lets events interrupt the first processor. One that is already
// pending is taken at the next entry to the kernel.
func (k *Kernel) enableEvents() { k.shared.VCPU[0].UpcallMask.Store(0) }

// disableEvents keeps events pending on the first processor.
func (k *Kernel) disableEvents() { k.shared.VCPU[0].UpcallMask.Store(1) }

// shutdown ends the domain.
func (k *Kernel) shutdown(reason uint32) {
	k.cpu.Hypercall(abi.SchedOp, &abi.Args{
		R: [4]uint64{uint64(abi.SCHEDOPShutdown)},
		H: &abi.SchedShutdown{Reason: reason},
	})
}

// kernelSS is the selector of the kernel's stack.
const kernelSS = 0xe02b
