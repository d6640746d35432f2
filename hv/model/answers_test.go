package model

import (
	"testing"

	"xsmbench/abi"
)

// This file says, for every hypercall and sub-operation, what dom0 and what
// domU get. It is the same in every build whose module allows everything.

// world is a machine for one call: dom0, an unprivileged domU that may call
// too, a second PV domain and an HVM domain that nobody has started.
type world struct {
	m          *Machine
	dom0, domU *VCPU
	self       *VCPU // the caller
	domUFrames []abi.MFN
	spare      abi.MFN // a frame of dom0's that nobody maps
	pv, hvm    *Domain
	pvFrames   []abi.MFN
}

const (
	idDomU = abi.DomID(1)
	idPV   = abi.DomID(2)
	idHVM  = abi.DomID(3)
	idNone = abi.DomID(77)
)

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{}
	w.m, w.dom0 = quiet(t)
	var d *Domain
	d, w.domU, w.domUFrames = newDomain(t, w.m, idDomU, 16)
	d.maxPages = 32
	w.pv, _, w.pvFrames = newDomain(t, w.m, idPV, 16)
	w.pv.maxPages = 32
	w.hvm = w.m.createDomain(w.m.hookCPU(), idHVM, createHVM, 0)
	w.m.lastID = idHVM
	w.dom0.dom.maxPages++
	w.spare, _ = w.m.allocDomheapPages(w.dom0.dom, 0)
	if w.hvm == nil {
		t.Fatal("no HVM domain")
	}
	return w
}

// frame is a frame of the caller's that nobody maps.
func (w *world) frame() abi.MFN {
	if w.self == w.dom0 {
		return w.spare
	}
	return w.domUFrames[3]
}

// grant makes the PV domain's entry 9 grant its frame 5 to the caller.
func (w *world) grant(flags uint16) abi.GrantRef {
	e := w.pv.grant.entry(w.m, 9)
	e.frame = uint32(w.pvFrames[5])
	e.flagsDom = uint32(w.self.dom.ID)<<16 | uint32(flags)
	return 9
}

// unbound makes a port of the PV domain's that the caller may bind to.
func (w *world) unbound() abi.Port {
	op := abi.EvtchnAllocUnbound{Dom: w.pv.ID, RemoteDom: w.self.dom.ID}
	if rc := w.m.evtchnAllocUnbound(w.dom0, &op); rc != 0 {
		panic(rc)
	}
	return op.Port
}

// ownPort makes a port of the caller's, for its own IPIs.
func (w *world) ownPort() abi.Port {
	op := abi.EvtchnBindIPI{}
	if rc := w.m.evtchnBindIPI(w.self, &op); rc != 0 {
		panic(rc)
	}
	return op.Port
}

// virgin is a domain identifier that is free.
const virgin = abi.DomID(40)

// call is a row: who gets what from one call. Hook is the hook it crosses in
// both, "" for none or several; denied is what the caller, dom0, gets from the
// hypercall if that hook denies with -EACCES.
type call struct {
	name       string
	nr         abi.Hypercall
	args       func(*world) abi.Args
	dom0, domU answer
	hook       string
	denied     answer
}

// answer is a hypercall's result, and the status of a grant operation.

type answer struct {
	rc     int64
	status int16
}

// Results.
func ret(rc int64) answer    { return answer{rc: rc} }
func status(st int16) answer { return answer{status: st} }
func no(e abi.Errno) answer  { return answer{rc: -int64(e)} }

var ok = answer{}

// statusOf reads a grant operation's status.
func statusOf(h any) int16 {
	switch op := h.(type) {
	case *abi.GnttabMapGrantRef:
		return op.Status
	case *abi.GnttabUnmapGrantRef:
		return op.Status
	case *abi.GnttabUnmapReplace:
		return op.Status
	case *abi.GnttabSetupTable:
		return op.Status
	case *abi.GnttabQuerySize:
		return op.Status
	case *abi.GnttabTransfer:
		return op.Status
	case *abi.GnttabCopy:
		return op.Status
	}
	return 0
}

// Builders of arguments.

func r(words ...uint64) func(*world) abi.Args {
	return func(*world) abi.Args {
		var a abi.Args
		copy(a.R[:], words)
		return a
	}
}

func h(handle func(*world) any, words ...uint64) func(*world) abi.Args {
	return func(w *world) abi.Args {
		a := abi.Args{H: handle(w)}
		copy(a.R[:], words)
		return a
	}
}

// fixed is a handle that needs nothing of the world; it is copied per call.
func fixed[T any](v T) func(*world) any { return func(*world) any { c := v; return &c } }

// domctlOn makes a domctl on a domain.
func domctlOn(id abi.DomID, cmd abi.DomctlCmd, set func(*world, *abi.Domctl)) func(*world) abi.Args {
	return h(func(w *world) any {
		op := &abi.Domctl{Cmd: cmd, Interface: abi.DomctlInterfaceVersion, DomID: id}
		if set != nil {
			set(w, op)
		}
		return op
	})
}

func sysctl(cmd abi.SysctlCmd, set func(*abi.Sysctl)) func(*world) abi.Args {
	return h(func(w *world) any {
		op := &abi.Sysctl{Cmd: cmd, Interface: abi.SysctlInterfaceVersion}
		if set != nil {
			set(op)
		}
		return op
	})
}

func platformCall(cmd uint32, set func(*abi.PlatformOpArgs)) func(*world) abi.Args {
	return h(func(w *world) any {
		op := &abi.PlatformOpArgs{Cmd: cmd, Interface: abi.XENPFInterfaceVersion}
		if set != nil {
			set(op)
		}
		return op
	})
}

func evtchnCall(cmd abi.EvtchnCmd, handle func(*world) any) func(*world) abi.Args {
	return h(handle, uint64(cmd))
}

func grantCall(cmd abi.GrantCmd, handle func(*world) any) func(*world) abi.Args {
	return h(handle, uint64(cmd))
}

func memoryCall(cmd abi.MemoryCmd, handle func(*world) any) func(*world) abi.Args {
	return h(handle, uint64(cmd))
}

func callback() {}

func handler(*abi.TrapFrame) {}

// microcode makes an update for nobody that is well formed.
func microcodeFile() []byte {
	b := make([]byte, 2048)
	b[0], b[20] = 1, 1 // header and loader version
	sum := uint32(2)
	for i := range 4 {
		b[44+i] = byte(-sum >> (8 * i))
	}
	return b
}

var (
	eOK    = ok
	ePerm  = no(abi.EPERM)
	eInval = no(abi.EINVAL)
	eFault = no(abi.EFAULT)
	eSrch  = no(abi.ESRCH)
	eAcces = no(abi.EACCES)
	eNoEnt = no(abi.ENOENT)
	eNoSys = no(abi.ENOSYS)
)

var calls = []call{
	// Traps, events, stacks, descriptors.
	{"set_trap_table", abi.SetTrapTable, h(fixed(abi.TrapTable{Traps: []abi.TrapInfo{{Vector: 13, Handler: handler}}})), eOK, eOK, "", ok},
	{"set_trap_table none", abi.SetTrapTable, r(), eOK, eOK, "", ok},
	{"set_trap_table wrong handle", abi.SetTrapTable, h(fixed(abi.Callbacks{})), eFault, eFault, "", ok},
	{"set_callbacks", abi.SetCallbacks, h(fixed(abi.Callbacks{Event: callback})), eOK, eOK, "", ok},
	{"set_callbacks no handle", abi.SetCallbacks, r(), eFault, eFault, "", ok},
	{"callback_op register", abi.CallbackOp, h(fixed(abi.Callbacks{Event: callback}), 0), eOK, eOK, "", ok},
	{"callback_op unregister", abi.CallbackOp, h(fixed(abi.Callbacks{}), 1), eInval, eInval, "", ok},
	{"callback_op unknown", abi.CallbackOp, r(9), eNoSys, eNoSys, "", ok},
	{"nmi_op register", abi.NMIOp, h(fixed(abi.NMICallback{Handler: callback}), 0), eOK, eInval, "", ok},
	{"nmi_op unregister", abi.NMIOp, r(1), eOK, eOK, "", ok},
	{"nmi_op unknown", abi.NMIOp, r(7), eNoSys, eNoSys, "", ok},
	{"stack_switch", abi.StackSwitch, r(0xe02b, 0x1000), eOK, eOK, "", ok},
	{"fpu_taskswitch", abi.FPUTaskSwitch, r(1), eOK, eOK, "", ok},
	{"iret", abi.Iret, h(fixed(abi.IretFrame{})), eOK, eOK, "", ok},
	{"set_debugreg", abi.SetDebugreg, r(0, 0x1000), eOK, eOK, "", ok},
	{"set_debugreg hypervisor's address", abi.SetDebugreg, r(0, abi.HypervisorStart), ePerm, ePerm, "", ok},
	{"set_debugreg reserved", abi.SetDebugreg, r(4, 0), eInval, eInval, "", ok},
	{"set_debugreg general detect", abi.SetDebugreg, r(7, 1<<13), ePerm, ePerm, "", ok},
	{"get_debugreg", abi.GetDebugreg, r(0), eOK, eOK, "", ok},
	{"get_debugreg reserved", abi.GetDebugreg, r(5), eInval, eInval, "", ok},
	{"set_gdt none", abi.SetGDT, h(fixed(abi.GDTFrames{}), 0), eOK, eOK, "", ok},
	{"set_gdt", abi.SetGDT, h(func(w *world) any { clear(w.m.frame(w.frame())); return &abi.GDTFrames{Frames: []abi.MFN{w.frame()}} }, 512), eOK, eOK, "", ok},
	{"set_gdt too long", abi.SetGDT, h(fixed(abi.GDTFrames{}), 1<<16), eInval, eInval, "", ok},
	{"set_gdt foreign frame", abi.SetGDT, h(func(w *world) any { return &abi.GDTFrames{Frames: w.pvFrames[:1]} }, 512), eInval, eInval, "", ok},
	{"update_descriptor", abi.UpdateDescriptor, func(w *world) abi.Args {
		return abi.Args{R: [4]uint64{uint64(w.frame()) << abi.PageShift, 0}}
	}, eOK, eOK, "", ok},
	{"update_descriptor ring 0", abi.UpdateDescriptor, func(w *world) abi.Args {
		return abi.Args{R: [4]uint64{uint64(w.frame()) << abi.PageShift, 1 << 47}}
	}, eInval, eInval, "", ok},
	{"update_descriptor foreign frame", abi.UpdateDescriptor, func(w *world) abi.Args {
		return abi.Args{R: [4]uint64{uint64(w.pvFrames[0]) << abi.PageShift, 0}}
	}, eInval, eInval, "", ok},
	{"vm_assist enable", abi.VMAssist, r(abi.VMASSTCmdEnable, abi.VMASSTWritablePagetables), eOK, eOK, "", ok},
	{"vm_assist disable", abi.VMAssist, r(abi.VMASSTCmdDisable, abi.VMASSTWritablePagetables), eOK, eOK, "", ok},
	{"vm_assist unknown type", abi.VMAssist, r(abi.VMASSTCmdEnable, 9), eInval, eInval, "", ok},
	{"vm_assist unknown command", abi.VMAssist, r(9, 0), eNoSys, eNoSys, "", ok},

	// Memory.
	{"mmu_update nothing", abi.MMUUpdateOp, h(fixed(abi.MMUUpdateArgs{}), 0, uint64(abi.DomSelf)), eOK, eOK, "", ok},
	{"mmu_update no handle", abi.MMUUpdateOp, r(0, uint64(abi.DomSelf)), eFault, eFault, "", ok},
	{"mmu_update another's memory", abi.MMUUpdateOp, h(fixed(abi.MMUUpdateArgs{}), 0, uint64(idPV)), eOK, eSrch, "", ok},
	{"mmu_update m2p", abi.MMUUpdateOp, h(func(w *world) any {
		return &abi.MMUUpdateArgs{Reqs: []abi.MMUUpdate{{Ptr: uint64(w.frame())<<abi.PageShift | abi.MMUMachphysUpdate, Val: 3}}}
	}, 0, uint64(abi.DomSelf)), eOK, eOK, "mmu_machphys_update", eAcces},
	{"mmu_update entry", abi.MMUUpdateOp, h(func(w *world) any {
		// A frame that is no page table is written as data.
		return &abi.MMUUpdateArgs{Reqs: []abi.MMUUpdate{{Ptr: uint64(w.frame()) << abi.PageShift, Val: 0}}}
	}, 0, uint64(abi.DomSelf)), eOK, eOK, "mmu_normal_update", eAcces},
	{"update_va_mapping no table", abi.UpdateVAMapping, r(0x1000, 0, 0), eInval, eInval, "update_va_mapping", eAcces},
	{"update_va_mapping_otherdomain", abi.UpdateVAMappingOther, r(0x1000, 0, 0, uint64(idPV)), eInval, ePerm, "update_va_mapping", eAcces},
	{"update_va_mapping_otherdomain none", abi.UpdateVAMappingOther, r(0x1000, 0, 0, uint64(idNone)), eSrch, ePerm, "", ok},
	{"mmuext_op flush", abi.MMUExtOp, h(fixed(abi.MMUExtArgs{Ops: []abi.MMUExtOpEntry{{Cmd: abi.TLBFlushLocal}}}), 0, uint64(abi.DomSelf)), eOK, eOK, "", ok},
	{"mmuext_op pin", abi.MMUExtOp, h(func(w *world) any {
		clear(w.m.frame(w.frame()))
		return &abi.MMUExtArgs{Ops: []abi.MMUExtOpEntry{{Cmd: abi.PinL1Table, Arg1: uint64(w.frame())}}}
	}, 0, uint64(abi.DomSelf)), eOK, eOK, "memory_pin_page", eAcces},
	{"mmuext_op another's table", abi.MMUExtOp, h(fixed(abi.MMUExtArgs{}), 0, uint64(idPV)), eOK, eSrch, "", ok},
	{"mmuext_op pin L2 of another's", abi.MMUExtOp, h(func(w *world) any {
		return &abi.MMUExtArgs{Ops: []abi.MMUExtOpEntry{{Cmd: abi.PinL2Table, Arg1: uint64(w.pvFrames[2])}}}
	}, 0, uint64(abi.DomSelf)), eInval, eInval, "memory_pin_page", eAcces},
	{"mmuext_op pin L3 of another's", abi.MMUExtOp, h(func(w *world) any {
		return &abi.MMUExtArgs{Ops: []abi.MMUExtOpEntry{{Cmd: abi.PinL3Table, Arg1: uint64(w.pvFrames[2])}}}
	}, 0, uint64(abi.DomSelf)), eInval, eInval, "memory_pin_page", eAcces},
	{"mmuext_op unpin another's", abi.MMUExtOp, h(func(w *world) any {
		return &abi.MMUExtArgs{Ops: []abi.MMUExtOpEntry{{Cmd: abi.UnpinTable, Arg1: uint64(w.pvFrames[2])}}}
	}, 0, uint64(abi.DomSelf)), eInval, eInval, "", ok},
	{"mmuext_op new base pointer of another's", abi.MMUExtOp, h(func(w *world) any {
		return &abi.MMUExtArgs{Ops: []abi.MMUExtOpEntry{{Cmd: abi.NewBasePtr, Arg1: uint64(w.pvFrames[2])}}}
	}, 0, uint64(abi.DomSelf)), eInval, eInval, "", ok},
	{"mmuext_op flush_cache without devices", abi.MMUExtOp, h(fixed(abi.MMUExtArgs{Ops: []abi.MMUExtOpEntry{{Cmd: abi.FlushCache}}}), 0, uint64(abi.DomSelf)), eInval, eInval, "", ok},
	{"mmuext_op set_ldt none", abi.MMUExtOp, h(fixed(abi.MMUExtArgs{Ops: []abi.MMUExtOpEntry{{Cmd: abi.SetLDT}}}), 0, uint64(abi.DomSelf)), eOK, eOK, "", ok},
	{"mmuext_op unknown", abi.MMUExtOp, h(fixed(abi.MMUExtArgs{Ops: []abi.MMUExtOpEntry{{Cmd: 99}}}), 0, uint64(abi.DomSelf)), eNoSys, eNoSys, "", ok},
	{"mmu_update Xen's memory", abi.MMUUpdateOp, h(fixed(abi.MMUUpdateArgs{}), 0, uint64(abi.DomXen)), eOK, eSrch, "", ok},
	{"mmu_update devices' memory", abi.MMUUpdateOp, h(fixed(abi.MMUUpdateArgs{}), 0, uint64(abi.DomIO)), eOK, eOK, "", ok},
	{"mmu_update unknown command", abi.MMUUpdateOp, h(fixed(abi.MMUUpdateArgs{Reqs: []abi.MMUUpdate{{Ptr: abi.MMUPTUpdatePreserve}}}), 0, uint64(abi.DomSelf)), eNoSys, eNoSys, "", ok},
	{"memory_op decrease", abi.MemoryOp, memoryCall(abi.XENMEMDecreaseReservation, func(w *world) any {
		return &abi.MemoryReservation{ExtentStart: []uint64{uint64(w.frame())}, DomID: abi.DomSelf}
	}), ret(1), ret(1), "memory_adjust_reservation", eAcces},
	{"memory_op increase", abi.MemoryOp, memoryCall(abi.XENMEMIncreaseReservation, func(w *world) any {
		w.self.dom.maxPages += 4
		return &abi.MemoryReservation{ExtentStart: make([]uint64, 2), DomID: abi.DomSelf}
	}), ret(2), ret(2), "memory_adjust_reservation", eAcces},
	{"memory_op increase another's", abi.MemoryOp, memoryCall(abi.XENMEMIncreaseReservation, func(w *world) any {
		return &abi.MemoryReservation{ExtentStart: make([]uint64, 2), DomID: idPV}
	}), ret(2), ret(0), "memory_adjust_reservation", eAcces},
	{"memory_op populate", abi.MemoryOp, memoryCall(abi.XENMEMPopulatePhysmap, func(w *world) any {
		w.self.dom.maxPages += 4
		return &abi.MemoryReservation{ExtentStart: []uint64{3000}, DomID: abi.DomSelf}
	}), ret(1), ret(1), "memory_adjust_reservation", eAcces},
	{"memory_op current", abi.MemoryOp, memoryCall(abi.XENMEMCurrentReservation, fixed(abi.MemoryDomain{DomID: idDomU})), ret(16), ePerm, "memory_stat_reservation", eAcces},
	{"memory_op maximum", abi.MemoryOp, memoryCall(abi.XENMEMMaximumReservation, fixed(abi.MemoryDomain{DomID: idDomU})), ret(32), ePerm, "memory_stat_reservation", eAcces},
	{"memory_op current of none", abi.MemoryOp, memoryCall(abi.XENMEMCurrentReservation, fixed(abi.MemoryDomain{DomID: idNone})), eSrch, ePerm, "", ok},
	{"memory_op machine map", abi.MemoryOp, memoryCall(abi.XENMEMMachineMemoryMap, func(*world) any {
		return &abi.MemoryMap{Entries: make([]abi.E820Entry, 16)}
	}), eOK, eInval, "machine_memory_map", eAcces},
	{"memory_op set map", abi.MemoryOp, memoryCall(abi.XENMEMSetMemoryMap, fixed(abi.MemoryMap{DomID: idPV, Entries: []abi.E820Entry{{Size: 1 << 20, Type: 1}}})), eOK, ePerm, "domain_memory_map", eAcces},
	{"memory_op own map unset", abi.MemoryOp, memoryCall(abi.XENMEMMemoryMap, fixed(abi.MemoryMap{})), eNoSys, eNoSys, "", ok},
	{"memory_op add_to_physmap another's", abi.MemoryOp, memoryCall(abi.XENMEMAddToPhysmap, fixed(abi.AddToPhysmap{DomID: idPV})), eInval, ePerm, "add_to_physmap", ePerm},
	{"memory_op decrease another's", abi.MemoryOp, memoryCall(abi.XENMEMDecreaseReservation, func(w *world) any {
		return &abi.MemoryReservation{ExtentStart: []uint64{uint64(w.pvFrames[6])}, DomID: idPV}
	}), ret(1), ret(0), "memory_adjust_reservation", eAcces},
	{"memory_op populate another's", abi.MemoryOp, memoryCall(abi.XENMEMPopulatePhysmap, func(*world) any {
		return &abi.MemoryReservation{ExtentStart: []uint64{3000}, DomID: idPV}
	}), ret(1), ret(0), "memory_adjust_reservation", eAcces},
	{"memory_op maximum_gpfn", abi.MemoryOp, memoryCall(abi.XENMEMMaximumGPFN, fixed(abi.MemoryDomain{DomID: idPV})), ret(15), ePerm, "memory_stat_reservation", eAcces},
	{"memory_op translate_gpfn_list untranslated", abi.MemoryOp, memoryCall(abi.XENMEMTranslateGPFNList, fixed(abi.TranslateGPFNList{DomID: idPV})), eInval, ePerm, "", ok},
	{"memory_op maximum_ram_page", abi.MemoryOp, r(uint64(abi.XENMEMMaximumRAMPage)), ret(testFrames), ret(testFrames), "", ok},
	{"memory_op machphys_mapping", abi.MemoryOp, memoryCall(abi.XENMEMMachphysMapping, fixed(abi.MachphysMapping{})), eOK, eOK, "", ok},
	{"memory_op machphys_mfn_list", abi.MemoryOp, memoryCall(abi.XENMEMMachphysMFNList, fixed(abi.MachphysMFNList{})), eOK, eOK, "", ok},
	{"memory_op unknown", abi.MemoryOp, memoryCall(60, fixed(abi.MemoryDomain{})), eNoSys, eNoSys, "", ok},

	// Scheduling, timers, vCPUs.
	{"sched_op yield", abi.SchedOp, r(uint64(abi.SCHEDOPYield)), eOK, eOK, "", ok},
	{"sched_op block", abi.SchedOp, r(uint64(abi.SCHEDOPBlock)), eOK, eOK, "", ok},
	{"sched_op poll nothing pending", abi.SchedOp, h(fixed(abi.SchedPoll{Ports: []abi.Port{4}}), uint64(abi.SCHEDOPPoll)), eOK, eOK, "", ok},
	{"sched_op poll no such port", abi.SchedOp, h(fixed(abi.SchedPoll{Ports: []abi.Port{5000}}), uint64(abi.SCHEDOPPoll)), eInval, eInval, "", ok},
	{"sched_op poll too many", abi.SchedOp, h(fixed(abi.SchedPoll{Ports: make([]abi.Port, 129)}), uint64(abi.SCHEDOPPoll)), eInval, eInval, "", ok},
	{"sched_op shutdown", abi.SchedOp, h(fixed(abi.SchedShutdown{}), uint64(abi.SCHEDOPShutdown)), eOK, eOK, "", ok},
	{"sched_op shutdown no handle", abi.SchedOp, r(uint64(abi.SCHEDOPShutdown)), eFault, eFault, "", ok},
	{"sched_op remote_shutdown", abi.SchedOp, h(fixed(abi.SchedRemoteShutdown{Dom: idPV}), uint64(abi.SCHEDOPRemoteShutdown)), eOK, ePerm, "schedop_shutdown", eAcces},
	{"sched_op remote_shutdown none", abi.SchedOp, h(fixed(abi.SchedRemoteShutdown{Dom: idNone}), uint64(abi.SCHEDOPRemoteShutdown)), eSrch, ePerm, "", ok},
	{"sched_op unknown", abi.SchedOp, r(99), eNoSys, eNoSys, "", ok},
	{"sched_op_compat yield", abi.SchedOpCompat, r(uint64(abi.SCHEDOPYield)), eOK, eOK, "", ok},
	{"sched_op_compat shutdown", abi.SchedOpCompat, r(uint64(abi.SCHEDOPShutdown)), eOK, eOK, "", ok},
	{"sched_op_compat poll", abi.SchedOpCompat, r(uint64(abi.SCHEDOPPoll)), eNoSys, eNoSys, "", ok},
	{"set_timer_op stop", abi.SetTimerOp, r(0), eOK, eOK, "", ok},
	{"set_timer_op past", abi.SetTimerOp, r(1), eOK, eOK, "", ok},
	{"vcpu_op is_up", abi.VCPUOp, r(uint64(abi.VCPUOPIsUp), 0), ret(1), ret(0), "", ok},
	{"vcpu_op no such vCPU", abi.VCPUOp, r(uint64(abi.VCPUOPIsUp), 5), eNoEnt, eNoEnt, "", ok},
	{"vcpu_op beyond all vCPUs", abi.VCPUOp, r(uint64(abi.VCPUOPIsUp), abi.MaxVCPUs), eInval, eInval, "", ok},
	{"vcpu_op up uninitialised", abi.VCPUOp, r(uint64(abi.VCPUOPUp), 0), eOK, eInval, "", ok},
	{"vcpu_op down", abi.VCPUOp, r(uint64(abi.VCPUOPDown), 0), eOK, eOK, "", ok},
	{"vcpu_op initialise again", abi.VCPUOp, h(fixed(abi.VCPUContext{}), uint64(abi.VCPUOPInitialise), 0), no(abi.EEXIST), eInval, "", ok},
	{"vcpu_op runstate", abi.VCPUOp, h(fixed(abi.VCPURunstateInfo{}), uint64(abi.VCPUOPGetRunstateInfo), 0), eOK, eOK, "", ok},
	{"vcpu_op runstate area", abi.VCPUOp, h(fixed(abi.VCPURunstateInfo{}), uint64(abi.VCPUOPRegisterRunstate), 0), eOK, eOK, "", ok},
	{"vcpu_op periodic timer", abi.VCPUOp, h(fixed(abi.VCPUSetPeriodicTimer{PeriodNS: 1e9}), uint64(abi.VCPUOPSetPeriodicTimer), 0), eOK, eOK, "", ok},
	{"vcpu_op period too short", abi.VCPUOp, h(fixed(abi.VCPUSetPeriodicTimer{PeriodNS: 10}), uint64(abi.VCPUOPSetPeriodicTimer), 0), eInval, eInval, "", ok},
	{"vcpu_op stop periodic", abi.VCPUOp, r(uint64(abi.VCPUOPStopPeriodicTimer), 0), eOK, eOK, "", ok},
	{"vcpu_op single-shot", abi.VCPUOp, h(fixed(abi.VCPUSetSingleshotTimer{TimeoutAbsNS: 1 << 62}), uint64(abi.VCPUOPSetSingleshotTimer), 0), eOK, eOK, "", ok},
	{"vcpu_op single-shot in the past", abi.VCPUOp, h(fixed(abi.VCPUSetSingleshotTimer{Flags: singleshotFuture}), uint64(abi.VCPUOPSetSingleshotTimer), 0), no(abi.ETIME), no(abi.ETIME), "", ok},
	{"vcpu_op stop single-shot", abi.VCPUOp, r(uint64(abi.VCPUOPStopSingleshotTimer), 0), eOK, eOK, "", ok},
	{"vcpu_op register_vcpu_info", abi.VCPUOp, r(uint64(abi.VCPUOPRegisterVCPUInfo), 0), eNoSys, eNoSys, "", ok},
	{"vcpu_op unknown", abi.VCPUOp, r(88, 0), eNoSys, eNoSys, "", ok},
	{"multicall", abi.Multicall, h(fixed(abi.MulticallList{Calls: []abi.MulticallEntry{{Op: abi.StackSwitch}}})), eOK, eOK, "", ok},
	{"multicall no handle", abi.Multicall, r(), eFault, eFault, "", ok},

	// Event channels.
	{"evtchn alloc_unbound", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPAllocUnbound, fixed(abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: idPV})), eOK, eOK, "evtchn_unbound", eAcces},
	{"evtchn alloc_unbound another's", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPAllocUnbound, fixed(abi.EvtchnAllocUnbound{Dom: idPV, RemoteDom: abi.DomSelf})), eOK, ePerm, "evtchn_unbound", eAcces},
	{"evtchn alloc_unbound of none", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPAllocUnbound, fixed(abi.EvtchnAllocUnbound{Dom: idNone})), eSrch, ePerm, "", ok},
	{"evtchn bind_interdomain", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPBindInterdomain, func(w *world) any {
		return &abi.EvtchnBindInterdomain{RemoteDom: idPV, RemotePort: w.unbound()}
	}), eOK, eOK, "evtchn_interdomain", eAcces},
	{"evtchn bind_interdomain no port", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPBindInterdomain, fixed(abi.EvtchnBindInterdomain{RemoteDom: idPV, RemotePort: 700})), eInval, eInval, "", ok},
	{"evtchn bind_interdomain no domain", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPBindInterdomain, fixed(abi.EvtchnBindInterdomain{RemoteDom: idNone})), eSrch, eSrch, "", ok},
	{"evtchn bind_virq", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPBindVIRQ, fixed(abi.EvtchnBindVIRQ{VIRQ: abi.VIRQTimer})), eOK, eOK, "", ok},
	{"evtchn bind_virq unknown", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPBindVIRQ, fixed(abi.EvtchnBindVIRQ{VIRQ: 99})), eInval, eInval, "", ok},
	{"evtchn bind_virq global on vCPU 1", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPBindVIRQ, fixed(abi.EvtchnBindVIRQ{VIRQ: abi.VIRQDomExc, VCPU: 1})), eInval, eInval, "", ok},
	{"evtchn bind_virq no vCPU", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPBindVIRQ, fixed(abi.EvtchnBindVIRQ{VCPU: 9})), eNoEnt, eNoEnt, "", ok},
	{"evtchn bind_ipi", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPBindIPI, fixed(abi.EvtchnBindIPI{})), eOK, eOK, "", ok},
	{"evtchn bind_ipi no vCPU", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPBindIPI, fixed(abi.EvtchnBindIPI{VCPU: 9})), eNoEnt, eNoEnt, "", ok},
	{"evtchn bind_pirq", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPBindPIRQ, fixed(abi.EvtchnBindPIRQ{PIRQ: 9})), eOK, ePerm, "", ok},
	{"evtchn bind_pirq unknown", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPBindPIRQ, fixed(abi.EvtchnBindPIRQ{PIRQ: nrIRQs})), eInval, eInval, "", ok},
	{"evtchn close", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPClose, func(w *world) any { return &abi.EvtchnClose{Port: w.ownPort()} }), eOK, eOK, "evtchn_close_post", ok},
	{"evtchn close closed", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPClose, fixed(abi.EvtchnClose{Port: 99})), eInval, eInval, "", ok},
	{"evtchn close reserved", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPClose, fixed(abi.EvtchnClose{Port: 0})), eInval, eInval, "", ok},
	{"evtchn send", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPSend, func(w *world) any { return &abi.EvtchnSend{Port: w.ownPort()} }), eOK, eOK, "evtchn_send", eAcces},
	{"evtchn send invalid", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPSend, fixed(abi.EvtchnSend{Port: 1000})), eInval, eInval, "", ok},
	{"evtchn send free", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPSend, fixed(abi.EvtchnSend{Port: 100})), eInval, eInval, "evtchn_send", eAcces},
	{"evtchn status", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPStatus, fixed(abi.EvtchnStatus{Dom: abi.DomSelf})), eOK, eOK, "evtchn_status", eAcces},
	{"evtchn status another's", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPStatus, fixed(abi.EvtchnStatus{Dom: idPV})), eOK, ePerm, "evtchn_status", eAcces},
	{"evtchn unmask", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPUnmask, func(w *world) any { return &abi.EvtchnUnmask{Port: w.ownPort()} }), eOK, eOK, "", ok},
	{"evtchn unmask invalid", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPUnmask, fixed(abi.EvtchnUnmask{Port: 1000})), eInval, eInval, "", ok},
	{"evtchn reset", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPReset, fixed(abi.EvtchnReset{Dom: abi.DomSelf})), eOK, eOK, "evtchn_reset", eAcces},
	{"evtchn reset another's", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPReset, fixed(abi.EvtchnReset{Dom: idPV})), eOK, ePerm, "evtchn_reset", eAcces},
	{"evtchn bind_vcpu", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPBindVCPU, fixed(abi.EvtchnBindVCPU{Port: 1})), eInval, eInval, "", ok},
	{"evtchn bind_vcpu no vCPU", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPBindVCPU, fixed(abi.EvtchnBindVCPU{VCPU: 9})), eNoEnt, eNoEnt, "", ok},
	{"evtchn unknown", abi.EventChannelOp, evtchnCall(77, fixed(abi.EvtchnSend{})), eNoSys, eNoSys, "", ok},
	{"evtchn no handle", abi.EventChannelOp, r(uint64(abi.EVTCHNOPSend)), eFault, eFault, "", ok},
	{"evtchn wrong handle", abi.EventChannelOp, evtchnCall(abi.EVTCHNOPSend, fixed(abi.EvtchnClose{})), eFault, eFault, "", ok},
	{"event_channel_op_compat", abi.EventChannelCompat, evtchnCall(abi.EVTCHNOPBindIPI, fixed(abi.EvtchnBindIPI{})), eOK, eOK, "", ok},

	// Grants.
	{"grant map nothing", abi.GrantTableOp, grantCall(abi.GNTTABOPMapGrantRef, fixed(abi.GnttabMapGrantRef{Dom: idPV})), status(abi.GNTSTBadGntref), status(abi.GNTSTBadGntref), "", ok},
	{"grant map", abi.GrantTableOp, grantCall(abi.GNTTABOPMapGrantRef, func(w *world) any {
		return &abi.GnttabMapGrantRef{Dom: idPV, Ref: w.grant(abi.GTFPermitAccess), Flags: abi.GNTMAPDeviceMap}
	}), ok, ok, "grant_mapref", status(abi.GNTSTPermissionDenied)},
	{"grant map not granted", abi.GrantTableOp, grantCall(abi.GNTTABOPMapGrantRef, fixed(abi.GnttabMapGrantRef{Dom: idPV, Ref: 100, Flags: abi.GNTMAPHostMap})), status(abi.GNTSTGeneralError), status(abi.GNTSTGeneralError), "grant_mapref", status(abi.GNTSTPermissionDenied)},
	{"grant map beyond the table", abi.GrantTableOp, grantCall(abi.GNTTABOPMapGrantRef, fixed(abi.GnttabMapGrantRef{Dom: idPV, Ref: 100000, Flags: abi.GNTMAPHostMap})), status(abi.GNTSTBadGntref), status(abi.GNTSTBadGntref), "", ok},
	{"grant map no domain", abi.GrantTableOp, grantCall(abi.GNTTABOPMapGrantRef, fixed(abi.GnttabMapGrantRef{Dom: idNone, Flags: abi.GNTMAPHostMap})), status(abi.GNTSTBadDomain), status(abi.GNTSTBadDomain), "", ok},
	{"grant map write of a read-only one", abi.GrantTableOp, grantCall(abi.GNTTABOPMapGrantRef, func(w *world) any {
		return &abi.GnttabMapGrantRef{Dom: idPV, Ref: w.grant(abi.GTFPermitAccess | abi.GTFReadonly), Flags: abi.GNTMAPDeviceMap}
	}), status(abi.GNTSTGeneralError), status(abi.GNTSTGeneralError), "", ok},
	{"grant unmap", abi.GrantTableOp, grantCall(abi.GNTTABOPUnmapGrantRef, func(w *world) any {
		op := abi.GnttabMapGrantRef{Dom: idPV, Ref: w.grant(abi.GTFPermitAccess), Flags: abi.GNTMAPDeviceMap}
		w.m.grantMap(w.self, &op)
		return &abi.GnttabUnmapGrantRef{Handle: op.Handle, DevBusAddr: op.DevBusAddr}
	}), ok, ok, "grant_unmapref", status(abi.GNTSTPermissionDenied)},
	{"grant unmap no handle", abi.GrantTableOp, grantCall(abi.GNTTABOPUnmapGrantRef, fixed(abi.GnttabUnmapGrantRef{Handle: 50})), status(abi.GNTSTBadHandle), status(abi.GNTSTBadHandle), "", ok},
	{"grant unmap_and_replace no handle", abi.GrantTableOp, grantCall(abi.GNTTABOPUnmapReplace, fixed(abi.GnttabUnmapReplace{Handle: 50})), status(abi.GNTSTBadHandle), status(abi.GNTSTBadHandle), "", ok},
	{"grant setup", abi.GrantTableOp, grantCall(abi.GNTTABOPSetupTable, fixed(abi.GnttabSetupTable{Dom: abi.DomSelf, NrFrames: 1})), ok, ok, "grant_setup", status(abi.GNTSTPermissionDenied)},
	{"grant setup too long", abi.GrantTableOp, grantCall(abi.GNTTABOPSetupTable, fixed(abi.GnttabSetupTable{Dom: abi.DomSelf, NrFrames: 99})), status(abi.GNTSTGeneralError), status(abi.GNTSTGeneralError), "", ok},
	{"grant setup another's", abi.GrantTableOp, grantCall(abi.GNTTABOPSetupTable, fixed(abi.GnttabSetupTable{Dom: idPV, NrFrames: 1})), ok, status(abi.GNTSTPermissionDenied), "grant_setup", status(abi.GNTSTPermissionDenied)},
	{"grant setup none's", abi.GrantTableOp, grantCall(abi.GNTTABOPSetupTable, fixed(abi.GnttabSetupTable{Dom: idNone, NrFrames: 1})), status(abi.GNTSTBadDomain), status(abi.GNTSTPermissionDenied), "", ok},
	{"grant query_size", abi.GrantTableOp, grantCall(abi.GNTTABOPQuerySize, fixed(abi.GnttabQuerySize{Dom: abi.DomSelf})), ok, ok, "grant_query_size", status(abi.GNTSTPermissionDenied)},
	{"grant query_size another's", abi.GrantTableOp, grantCall(abi.GNTTABOPQuerySize, fixed(abi.GnttabQuerySize{Dom: idPV})), ok, status(abi.GNTSTPermissionDenied), "grant_query_size", status(abi.GNTSTPermissionDenied)},
	{"grant transfer", abi.GrantTableOp, grantCall(abi.GNTTABOPTransfer, func(w *world) any {
		return &abi.GnttabTransfer{MFN: w.frame(), Dom: idPV, Ref: w.grant(abi.GTFAcceptTransfer)}
	}), ok, ok, "grant_transfer", status(abi.GNTSTPermissionDenied)},
	{"grant transfer not accepted", abi.GrantTableOp, grantCall(abi.GNTTABOPTransfer, func(w *world) any {
		return &abi.GnttabTransfer{MFN: w.frame(), Dom: idPV, Ref: 3}
	}), status(abi.GNTSTGeneralError), status(abi.GNTSTGeneralError), "", ok},
	{"grant transfer another's frame", abi.GrantTableOp, grantCall(abi.GNTTABOPTransfer, func(w *world) any {
		return &abi.GnttabTransfer{MFN: w.pvFrames[0], Dom: idPV}
	}), status(abi.GNTSTBadPage), status(abi.GNTSTBadPage), "", ok},
	{"grant copy", abi.GrantTableOp, grantCall(abi.GNTTABOPCopy, func(w *world) any {
		return &abi.GnttabCopy{
			Source: abi.GnttabCopyPtr{UseRef: true, Dom: idPV, Ref: w.grant(abi.GTFPermitAccess)},
			Dest:   abi.GnttabCopyPtr{Dom: abi.DomSelf, GMFN: uint64(w.frame())}, Len: 100,
		}
	}), ok, ok, "grant_copy", status(abi.GNTSTPermissionDenied)},
	{"grant copy another's frame", abi.GrantTableOp, grantCall(abi.GNTTABOPCopy, func(w *world) any {
		return &abi.GnttabCopy{Source: abi.GnttabCopyPtr{Dom: idPV, GMFN: uint64(w.pvFrames[0])}, Dest: abi.GnttabCopyPtr{Dom: abi.DomSelf, GMFN: uint64(w.frame())}, Len: 1}
	}), status(abi.GNTSTPermissionDenied), status(abi.GNTSTPermissionDenied), "", ok},
	{"grant copy over the page's end", abi.GrantTableOp, grantCall(abi.GNTTABOPCopy, fixed(abi.GnttabCopy{Source: abi.GnttabCopyPtr{Offset: 4000}, Len: 200})), status(abi.GNTSTBadCopyArg), status(abi.GNTSTBadCopyArg), "", ok},
	{"grant dump_table", abi.GrantTableOp, r(uint64(abi.GNTTABOPDumpTable)), eNoSys, eNoSys, "", ok},
	{"grant unknown", abi.GrantTableOp, grantCall(99, fixed(abi.GnttabCopy{})), eNoSys, eNoSys, "", ok},
	{"grant no handle", abi.GrantTableOp, r(uint64(abi.GNTTABOPMapGrantRef)), eFault, eFault, "", ok},
	{"grant batch too long", abi.GrantTableOp, grantCall(abi.GNTTABOPCopy, func(*world) any { return &abi.GnttabCopyList{Ops: make([]abi.GnttabCopy, 513)} }), eInval, eInval, "", ok},

	// Control of domains: dom0's alone.
	{"domctl no handle", abi.DomctlOp, r(), eFault, ePerm, "", ok},
	{"domctl wrong version", abi.DomctlOp, h(fixed(abi.Domctl{Cmd: abi.DomctlPauseDomain, Interface: 4, DomID: idPV})), eAcces, ePerm, "", ok},
	{"domctl unknown", abi.DomctlOp, domctlOn(idPV, 999, nil), eNoSys, ePerm, "", ok},
	{"domctl arch_setup", abi.DomctlOp, domctlOn(idPV, abi.DomctlArchSetup, nil), eNoSys, ePerm, "", ok},
	{"domctl real_mode_area", abi.DomctlOp, domctlOn(idPV, abi.DomctlRealModeArea, nil), eNoSys, ePerm, "", ok},
	{"domctl no domain", abi.DomctlOp, domctlOn(idNone, abi.DomctlPauseDomain, nil), eSrch, ePerm, "", ok},
	{"createdomain", abi.DomctlOp, domctlOn(virgin, abi.DomctlCreateDomain, nil), eOK, ePerm, "domain_create", no(abi.ENOMEM)},
	{"createdomain any", abi.DomctlOp, domctlOn(0, abi.DomctlCreateDomain, nil), eOK, ePerm, "domain_create", no(abi.ENOMEM)},
	{"createdomain twice", abi.DomctlOp, domctlOn(idPV, abi.DomctlCreateDomain, nil), eInval, ePerm, "", ok},
	{"createdomain unknown flag", abi.DomctlOp, domctlOn(virgin, abi.DomctlCreateDomain, func(_ *world, op *abi.Domctl) { op.Create.Flags = 1 << 9 }), eInval, ePerm, "", ok},
	{"destroydomain", abi.DomctlOp, domctlOn(idPV, abi.DomctlDestroyDomain, nil), eOK, ePerm, "destroydomain", eAcces},
	{"destroydomain itself", abi.DomctlOp, domctlOn(0, abi.DomctlDestroyDomain, nil), eInval, ePerm, "destroydomain", eAcces},
	{"pausedomain", abi.DomctlOp, domctlOn(idPV, abi.DomctlPauseDomain, nil), eOK, ePerm, "pausedomain", eAcces},
	{"pausedomain itself", abi.DomctlOp, domctlOn(0, abi.DomctlPauseDomain, nil), eInval, ePerm, "pausedomain", eAcces},
	{"unpausedomain", abi.DomctlOp, domctlOn(idPV, abi.DomctlUnpauseDomain, nil), eOK, ePerm, "unpausedomain", eAcces},
	{"resumedomain", abi.DomctlOp, domctlOn(idPV, abi.DomctlResumeDomain, nil), eOK, ePerm, "resumedomain", eAcces},
	{"getdomaininfo", abi.DomctlOp, domctlOn(idPV, abi.DomctlGetDomainInfo, nil), eOK, ePerm, "getdomaininfo", eAcces},
	{"getdomaininfo beyond the last", abi.DomctlOp, domctlOn(idNone, abi.DomctlGetDomainInfo, nil), eSrch, ePerm, "", ok},
	{"getmemlist", abi.DomctlOp, domctlOn(idPV, abi.DomctlGetMemList, func(_ *world, op *abi.Domctl) { op.MemList.MaxPFNs = 5 }), eOK, ePerm, "getmemlist", eAcces},
	{"getpageframeinfo", abi.DomctlOp, domctlOn(idPV, abi.DomctlGetPageFrameInfo, func(w *world, op *abi.Domctl) { op.PageInfo.GMFN = uint64(w.pvFrames[0]) }), eOK, ePerm, "getpageframeinfo", eAcces},
	{"getpageframeinfo another's", abi.DomctlOp, domctlOn(idPV, abi.DomctlGetPageFrameInfo, func(w *world, op *abi.Domctl) { op.PageInfo.GMFN = uint64(w.domUFrames[0]) }), eInval, ePerm, "getpageframeinfo", eAcces},
	{"getpageframeinfo2", abi.DomctlOp, domctlOn(idPV, abi.DomctlGetPageFrameInfo2, func(w *world, op *abi.Domctl) { op.PageInfo2 = []uint64{uint64(w.pvFrames[0])} }), eOK, ePerm, "getpageframeinfo", eOK},
	{"getpageframeinfo2 too many", abi.DomctlOp, domctlOn(idPV, abi.DomctlGetPageFrameInfo2, func(w *world, op *abi.Domctl) { op.PageInfo2 = make([]uint64, 1025) }), no(abi.E2BIG), ePerm, "", ok},
	{"setvcpuaffinity", abi.DomctlOp, domctlOn(idPV, abi.DomctlSetVCPUAffinity, func(_ *world, op *abi.Domctl) { op.Affinity = 2 }), eOK, ePerm, "vcpuaffinity", eAcces},
	{"setvcpuaffinity none", abi.DomctlOp, domctlOn(idPV, abi.DomctlSetVCPUAffinity, nil), eInval, ePerm, "vcpuaffinity", eAcces},
	{"getvcpuaffinity", abi.DomctlOp, domctlOn(idPV, abi.DomctlGetVCPUAffinity, nil), eOK, ePerm, "vcpuaffinity", eAcces},
	{"getvcpuaffinity no vCPU", abi.DomctlOp, domctlOn(idPV, abi.DomctlGetVCPUAffinity, func(_ *world, op *abi.Domctl) { op.VCPU = 9 }), eSrch, ePerm, "vcpuaffinity", eAcces},
	{"getvcpuaffinity beyond all vCPUs", abi.DomctlOp, domctlOn(idPV, abi.DomctlGetVCPUAffinity, func(_ *world, op *abi.Domctl) { op.VCPU = 99 }), eInval, ePerm, "vcpuaffinity", eAcces},
	{"shadow_op", abi.DomctlOp, domctlOn(idPV, abi.DomctlShadowOp, func(_ *world, op *abi.Domctl) { op.Shadow.Op = abi.ShadowOpEnableLogdirty }), eOK, ePerm, "shadow_control", eAcces},
	{"shadow_op itself", abi.DomctlOp, domctlOn(0, abi.DomctlShadowOp, nil), eInval, ePerm, "", ok},
	{"max_mem", abi.DomctlOp, domctlOn(idPV, abi.DomctlMaxMem, func(_ *world, op *abi.Domctl) { op.MaxMemKB = 1024 }), eOK, ePerm, "setdomainmaxmem", eAcces},
	{"max_mem below its memory", abi.DomctlOp, domctlOn(idPV, abi.DomctlMaxMem, func(_ *world, op *abi.Domctl) { op.MaxMemKB = 8 }), eInval, ePerm, "setdomainmaxmem", eAcces},
	{"setvcpucontext without tables", abi.DomctlOp, domctlOn(idPV, abi.DomctlSetVCPUContext, func(_ *world, op *abi.Domctl) {
		op.Context = &abi.VCPUContext{Entry: func(any, *abi.StartInfo) {}}
	}), eInval, ePerm, "setvcpucontext", eAcces},
	{"setvcpucontext itself", abi.DomctlOp, domctlOn(0, abi.DomctlSetVCPUContext, nil), eInval, ePerm, "setvcpucontext", eAcces},
	{"setvcpucontext reset", abi.DomctlOp, domctlOn(idPV, abi.DomctlSetVCPUContext, nil), eOK, ePerm, "setvcpucontext", eAcces},
	{"getvcpucontext", abi.DomctlOp, domctlOn(0, abi.DomctlGetVCPUContext, nil), eOK, ePerm, "getvcpucontext", eAcces},
	{"getvcpucontext uninitialised", abi.DomctlOp, domctlOn(idPV, abi.DomctlGetVCPUContext, nil), no(abi.ENODATA), ePerm, "getvcpucontext", eAcces},
	{"getvcpuinfo", abi.DomctlOp, domctlOn(idPV, abi.DomctlGetVCPUInfo, nil), eOK, ePerm, "getvcpuinfo", eAcces},
	{"max_vcpus", abi.DomctlOp, domctlOn(idPV, abi.DomctlMaxVCPUs, func(_ *world, op *abi.Domctl) { op.MaxVCPUs = 4 }), eOK, ePerm, "max_vcpus", eAcces},
	{"max_vcpus too many", abi.DomctlOp, domctlOn(idPV, abi.DomctlMaxVCPUs, func(_ *world, op *abi.Domctl) { op.MaxVCPUs = 400 }), eInval, ePerm, "max_vcpus", eAcces},
	{"max_vcpus fewer", abi.DomctlOp, domctlOn(idPV, abi.DomctlMaxVCPUs, nil), eInval, ePerm, "max_vcpus", eAcces},
	{"scheduler_op get", abi.DomctlOp, domctlOn(idPV, abi.DomctlSchedulerOp, func(_ *world, op *abi.Domctl) { op.Sched.SchedID = schedulerCredit }), eOK, ePerm, "scheduler", eAcces},
	{"scheduler_op other scheduler", abi.DomctlOp, domctlOn(idPV, abi.DomctlSchedulerOp, func(_ *world, op *abi.Domctl) { op.Sched.SchedID = 4 }), eInval, ePerm, "scheduler", eAcces},
	{"setdomainhandle", abi.DomctlOp, domctlOn(idPV, abi.DomctlSetDomainHandle, nil), eOK, ePerm, "setdomainhandle", eAcces},
	{"setdebugging", abi.DomctlOp, domctlOn(idPV, abi.DomctlSetDebugging, nil), eOK, ePerm, "setdebugging", eAcces},
	{"setdebugging itself", abi.DomctlOp, domctlOn(0, abi.DomctlSetDebugging, nil), eInval, ePerm, "setdebugging", eAcces},
	{"irq_permission", abi.DomctlOp, domctlOn(idPV, abi.DomctlIRQPermission, func(_ *world, op *abi.Domctl) { op.IRQ = abi.DomctlIRQ{PIRQ: 5, Allow: 1} }), eOK, ePerm, "irq_permission", eAcces},
	{"iomem_permission", abi.DomctlOp, domctlOn(idPV, abi.DomctlIOMemPermission, func(_ *world, op *abi.Domctl) { op.IOMem = abi.DomctlIOMem{First: 0xa0, Nr: 16, Allow: 1} }), eOK, ePerm, "iomem_permission", eAcces},
	{"iomem_permission nothing", abi.DomctlOp, domctlOn(idNone, abi.DomctlIOMemPermission, func(_ *world, op *abi.Domctl) { op.IOMem = abi.DomctlIOMem{First: 10, Nr: 0} }), eInval, ePerm, "", ok},
	{"ioport_permission", abi.DomctlOp, domctlOn(idPV, abi.DomctlIOPortPermission, func(_ *world, op *abi.Domctl) { op.IOPort = abi.DomctlIOPort{First: 0x3f8, Nr: 8, Allow: 1} }), eOK, ePerm, "ioport_permission", eAcces},
	{"ioport_permission beyond all ports", abi.DomctlOp, domctlOn(idNone, abi.DomctlIOPortPermission, func(_ *world, op *abi.Domctl) { op.IOPort = abi.DomctlIOPort{First: 0xffff, Nr: 8} }), eInval, ePerm, "", ok},
	{"hypercall_init", abi.DomctlOp, domctlOn(idPV, abi.DomctlHypercallInit, func(w *world, op *abi.Domctl) { op.HyperGMFN = uint64(w.pvFrames[2]) }), eOK, ePerm, "hypercall_init", eAcces},
	{"hypercall_init another's frame", abi.DomctlOp, domctlOn(idPV, abi.DomctlHypercallInit, func(w *world, op *abi.Domctl) { op.HyperGMFN = uint64(w.domUFrames[2]) }), eAcces, ePerm, "hypercall_init", eAcces},
	{"settimeoffset", abi.DomctlOp, domctlOn(idPV, abi.DomctlSetTimeOffset, func(_ *world, op *abi.Domctl) { op.TimeOffset = 3600 }), eOK, ePerm, "domain_settime", eAcces},
	{"gethvmcontext", abi.DomctlOp, domctlOn(idHVM, abi.DomctlGetHVMContext, nil), eOK, ePerm, "hvmcontext", eAcces},
	{"gethvmcontext of a PV domain", abi.DomctlOp, domctlOn(idPV, abi.DomctlGetHVMContext, nil), eInval, ePerm, "hvmcontext", eAcces},
	{"sethvmcontext malformed", abi.DomctlOp, domctlOn(idHVM, abi.DomctlSetHVMContext, nil), eInval, ePerm, "hvmcontext", eAcces},
	{"get_address_size", abi.DomctlOp, domctlOn(idPV, abi.DomctlGetAddressSize, nil), eOK, ePerm, "address_size", eAcces},
	{"set_address_size other", abi.DomctlOp, domctlOn(idPV, abi.DomctlSetAddressSize, func(_ *world, op *abi.Domctl) { op.AddrSize = 16 }), eInval, ePerm, "address_size", eAcces},

	// The machine: dom0's alone.
	{"sysctl no handle", abi.SysctlOp, r(), eFault, ePerm, "", ok},
	{"sysctl wrong version", abi.SysctlOp, h(fixed(abi.Sysctl{Cmd: abi.SysctlSchedID})), eAcces, ePerm, "", ok},
	{"sysctl unknown", abi.SysctlOp, sysctl(99, nil), eNoSys, ePerm, "", ok},
	{"readconsole", abi.SysctlOp, sysctl(abi.SysctlReadConsole, func(op *abi.Sysctl) { op.Console = make([]byte, 100) }), eOK, ePerm, "readconsole", eAcces},
	{"tbuf_op get", abi.SysctlOp, sysctl(abi.SysctlTBufOp, nil), eOK, ePerm, "tbufcontrol", eAcces},
	{"tbuf_op enable without buffers", abi.SysctlOp, sysctl(abi.SysctlTBufOp, func(op *abi.Sysctl) { op.TBufCmd = tbufEnable }), eInval, ePerm, "tbufcontrol", eAcces},
	{"tbuf_op size", abi.SysctlOp, sysctl(abi.SysctlTBufOp, func(op *abi.Sysctl) { op.TBufCmd, op.TBufSize = tbufSetSize, 2 }), eOK, ePerm, "tbufcontrol", eAcces},
	{"physinfo", abi.SysctlOp, sysctl(abi.SysctlPhysInfo, nil), eOK, ePerm, "physinfo", eAcces},
	{"sched_id", abi.SysctlOp, sysctl(abi.SysctlSchedID, nil), eOK, ePerm, "sched_id", eAcces},
	{"perfc_op", abi.SysctlOp, sysctl(abi.SysctlPerfcOp, func(op *abi.Sysctl) { op.PerfcCmd = perfcQuery }), eOK, ePerm, "perfcontrol", eAcces},
	{"perfc_op unknown", abi.SysctlOp, sysctl(abi.SysctlPerfcOp, nil), eInval, ePerm, "perfcontrol", eAcces},
	{"getdomaininfolist", abi.SysctlOp, sysctl(abi.SysctlGetDomainInfoList, func(op *abi.Sysctl) { op.Domains = make([]abi.DomainInfo, 9) }), eOK, ePerm, "getdomaininfo", eAcces},
	{"debug_keys", abi.SysctlOp, sysctl(abi.SysctlDebugKeys, func(op *abi.Sysctl) { op.Keys = []byte("hqrz") }), eOK, ePerm, "", ok},
	{"getcpuinfo", abi.SysctlOp, sysctl(abi.SysctlGetCPUInfo, func(op *abi.Sysctl) { op.CPUIdle = make([]uint64, 8) }), eOK, ePerm, "", ok},
	{"platform no handle", abi.PlatformOp, r(), eFault, ePerm, "", ok},
	{"platform wrong version", abi.PlatformOp, h(fixed(abi.PlatformOpArgs{Cmd: abi.XENPFSettime})), eAcces, ePerm, "", ok},
	{"platform unknown", abi.PlatformOp, platformCall(5, nil), eNoSys, ePerm, "", ok},
	{"platform settime", abi.PlatformOp, platformCall(abi.XENPFSettime, func(op *abi.PlatformOpArgs) { op.Secs = 1e9 }), eOK, ePerm, "xen_settime", eAcces},
	{"platform add_memtype", abi.PlatformOp, platformCall(abi.XENPFAddMemtype, func(op *abi.PlatformOpArgs) { op.MFN, op.NrMFNs, op.Type = 0x1000, 0x100, 1 }), eOK, ePerm, "memtype", eAcces},
	{"platform add_memtype crooked", abi.PlatformOp, platformCall(abi.XENPFAddMemtype, func(op *abi.PlatformOpArgs) { op.MFN, op.NrMFNs, op.Type = 0x1001, 0x100, 1 }), eInval, ePerm, "memtype", eAcces},
	{"platform del_memtype unused", abi.PlatformOp, platformCall(abi.XENPFDelMemtype, nil), eInval, ePerm, "memtype", eAcces},
	{"platform read_memtype", abi.PlatformOp, platformCall(abi.XENPFReadMemtype, nil), eOK, ePerm, "memtype", eAcces},
	{"platform read_memtype beyond", abi.PlatformOp, platformCall(abi.XENPFReadMemtype, func(op *abi.PlatformOpArgs) { op.Reg = 8 }), eInval, ePerm, "memtype", eAcces},
	{"platform microcode short", abi.PlatformOp, platformCall(abi.XENPFMicrocodeUpdate, func(op *abi.PlatformOpArgs) { op.Data = make([]byte, 10) }), eInval, ePerm, "microcode", eAcces},
	{"platform microcode for others", abi.PlatformOp, platformCall(abi.XENPFMicrocodeUpdate, func(op *abi.PlatformOpArgs) { op.Data = microcodeFile() }), eOK, ePerm, "microcode", eAcces},
	{"platform quirk", abi.PlatformOp, platformCall(abi.XENPFPlatformQuirk, func(op *abi.PlatformOpArgs) { op.QuirkID = 1 }), eOK, ePerm, "platform_quirk", eAcces},
	{"platform quirk unknown", abi.PlatformOp, platformCall(abi.XENPFPlatformQuirk, func(op *abi.PlatformOpArgs) { op.QuirkID = 44 }), eInval, ePerm, "platform_quirk", eAcces},
	{"console_io write", abi.ConsoleIO, h(fixed(abi.ConsoleBuf{Data: []byte("hello\n")}), abi.CONSOLEIOWrite), eOK, ePerm, "console_io", eAcces},
	{"console_io read", abi.ConsoleIO, h(fixed(abi.ConsoleBuf{Data: make([]byte, 8)}), abi.CONSOLEIORead), ret(0), ePerm, "console_io", eAcces},
	{"console_io unknown", abi.ConsoleIO, r(9), eNoSys, ePerm, "console_io", eAcces},
	{"kexec get_range", abi.KexecOp, h(fixed(abi.KexecArgs{Range: kexecRangeXen}), abi.KEXECCmdGetRange), eOK, ePerm, "kexec", eAcces},
	{"kexec unload", abi.KexecOp, h(fixed(abi.KexecArgs{}), abi.KEXECCmdUnload), eOK, ePerm, "kexec", eAcces},
	{"kexec load no kernel", abi.KexecOp, h(fixed(abi.KexecArgs{}), abi.KEXECCmdLoad), eInval, ePerm, "kexec", eAcces},
	{"kexec without image", abi.KexecOp, h(fixed(abi.KexecArgs{}), abi.KEXECCmdKexec), eNoEnt, ePerm, "kexec", eAcces},
	{"kexec unknown", abi.KexecOp, h(fixed(abi.KexecArgs{}), 9), eInval, ePerm, "kexec", eAcces},

	// Devices.
	{"physdev eoi unbound", abi.PhysdevOp, h(fixed(abi.PhysdevEOI{IRQ: 5}), abi.PHYSDEVOPEOI), eInval, eInval, "", ok},
	{"physdev irq status", abi.PhysdevOp, h(fixed(abi.PhysdevIRQStatus{IRQ: 5}), abi.PHYSDEVOPIRQStatusQuery), eOK, eOK, "", ok},
	{"physdev irq status unknown", abi.PhysdevOp, h(fixed(abi.PhysdevIRQStatus{IRQ: 500}), abi.PHYSDEVOPIRQStatusQuery), eInval, eInval, "", ok},
	{"physdev apic_read", abi.PhysdevOp, h(fixed(abi.PhysdevApic{APICPhysbase: ioapicBase, Reg: 1}), abi.PHYSDEVOPApicRead), eOK, ePerm, "apic", eAcces},
	{"physdev apic_write", abi.PhysdevOp, h(fixed(abi.PhysdevApic{APICPhysbase: ioapicBase, Reg: 16}), abi.PHYSDEVOPApicWrite), eOK, ePerm, "apic", eAcces},
	{"physdev apic_read no such chip", abi.PhysdevOp, h(fixed(abi.PhysdevApic{}), abi.PHYSDEVOPApicRead), eInval, ePerm, "apic", eAcces},
	{"physdev alloc_irq_vector", abi.PhysdevOp, h(fixed(abi.PhysdevIRQ{IRQ: 9}), abi.PHYSDEVOPAllocIRQVector), eOK, ePerm, "assign_vector", eAcces},
	{"physdev alloc_irq_vector unknown", abi.PhysdevOp, h(fixed(abi.PhysdevIRQ{IRQ: 900}), abi.PHYSDEVOPAllocIRQVector), eInval, ePerm, "assign_vector", eAcces},
	{"physdev free_irq_vector", abi.PhysdevOp, h(fixed(abi.PhysdevIRQ{}), abi.PHYSDEVOPFreeIRQVector), eInval, eInval, "", ok},
	{"physdev set_iopl", abi.PhysdevOp, h(fixed(abi.PhysdevSetIOPL{IOPL: 1}), abi.PHYSDEVOPSetIOPL), eOK, eOK, "", ok},
	{"physdev set_iopl too high", abi.PhysdevOp, h(fixed(abi.PhysdevSetIOPL{IOPL: 4}), abi.PHYSDEVOPSetIOPL), eInval, eInval, "", ok},
	{"physdev set_iobitmap", abi.PhysdevOp, h(fixed(abi.PhysdevSetIOBitmap{NrPorts: 1024}), abi.PHYSDEVOPSetIOBitmap), eOK, eOK, "", ok},
	{"physdev_op_compat", abi.PhysdevOpCompat, h(fixed(abi.PhysdevSetIOPL{}), abi.PHYSDEVOPSetIOPL), eOK, eOK, "", ok},

	// HVM guests: their toolstack's, and their own parameters.
	{"hvm set_param", abi.HVMOp, h(fixed(abi.HVMParam{DomID: idHVM, Index: 1, Value: 7}), abi.HVMOPSetParam), eOK, ePerm, "hvm_param", eAcces},
	{"hvm get_param", abi.HVMOp, h(fixed(abi.HVMParam{DomID: idHVM}), abi.HVMOPGetParam), eOK, ePerm, "hvm_param", eAcces},
	{"hvm get_param of itself", abi.HVMOp, h(fixed(abi.HVMParam{DomID: abi.DomSelf}), abi.HVMOPGetParam), eInval, eInval, "", ok},
	{"hvm get_param unknown", abi.HVMOp, h(fixed(abi.HVMParam{DomID: idHVM, Index: 99}), abi.HVMOPGetParam), eInval, eInval, "", ok},
	{"hvm get_param of none", abi.HVMOp, h(fixed(abi.HVMParam{DomID: idNone}), abi.HVMOPGetParam), eSrch, ePerm, "", ok},
	{"hvm intx level", abi.HVMOp, h(fixed(abi.HVMIntxLevel{DomID: idHVM, Level: 1}), abi.HVMOPSetPCIIntxLevel), eOK, ePerm, "hvm_set_pci_intx_level", eAcces},
	{"hvm intx level of a PV domain", abi.HVMOp, h(fixed(abi.HVMIntxLevel{DomID: idPV, Level: 1}), abi.HVMOPSetPCIIntxLevel), eInval, ePerm, "", ok},
	{"hvm intx no such device", abi.HVMOp, h(fixed(abi.HVMIntxLevel{DomID: idHVM, Device: 40}), abi.HVMOPSetPCIIntxLevel), eInval, ePerm, "", ok},
	{"hvm isa level", abi.HVMOp, h(fixed(abi.HVMISAIRQLevel{DomID: idHVM, IRQ: 4}), abi.HVMOPSetISAIRQLevel), eOK, ePerm, "hvm_set_isa_irq_level", eAcces},
	{"hvm isa level no domain", abi.HVMOp, h(fixed(abi.HVMISAIRQLevel{DomID: idNone}), abi.HVMOPSetISAIRQLevel), eSrch, ePerm, "", ok},
	{"hvm link route", abi.HVMOp, h(fixed(abi.HVMLinkRoute{DomID: idHVM, Link: 1, IRQ: 5}), abi.HVMOPSetPCILinkRoute), eOK, ePerm, "hvm_set_pci_link_route", eAcces},
	{"hvm unknown", abi.HVMOp, r(77), eNoSys, eNoSys, "", ok},

	// Profiling, the module's own hypercall, the version.
	{"xenoprof init", abi.XenoprofOp, h(fixed(abi.XenoprofArgs{}), abi.XENOPROFInit), eOK, eOK, "profile", eAcces},
	{"xenoprof get_buffer", abi.XenoprofOp, h(fixed(abi.XenoprofArgs{DomID: abi.DomSelf}), abi.XENOPROFGetBuffer), eOK, eOK, "profile", eAcces},
	{"xenoprof start before init", abi.XenoprofOp, r(abi.XENOPROFStart), ePerm, ePerm, "", ok},
	{"xenoprof reset_active_list before init", abi.XenoprofOp, h(fixed(abi.XenoprofArgs{}), abi.XENOPROFResetActiveList), ePerm, ePerm, "", ok},
	{"xenoprof reset_passive_list before init", abi.XenoprofOp, h(fixed(abi.XenoprofArgs{}), abi.XENOPROFResetPassiveList), ePerm, ePerm, "", ok},
	{"xenoprof set_active before init", abi.XenoprofOp, h(fixed(abi.XenoprofArgs{}), abi.XENOPROFSetActive), ePerm, ePerm, "", ok},
	{"xenoprof set_passive before init", abi.XenoprofOp, h(fixed(abi.XenoprofArgs{}), abi.XENOPROFSetPassive), ePerm, ePerm, "", ok},
	{"xenoprof reserve_counters before init", abi.XenoprofOp, h(fixed(abi.XenoprofArgs{}), abi.XENOPROFReserveCounters), ePerm, ePerm, "", ok},
	{"xenoprof counter before init", abi.XenoprofOp, h(fixed(abi.XenoprofArgs{}), abi.XENOPROFCounter), ePerm, ePerm, "", ok},
	{"xenoprof setup_events before init", abi.XenoprofOp, h(fixed(abi.XenoprofArgs{}), abi.XENOPROFSetupEvents), ePerm, ePerm, "", ok},
	{"xenoprof stop before init", abi.XenoprofOp, h(fixed(abi.XenoprofArgs{}), abi.XENOPROFStop), ePerm, ePerm, "", ok},
	{"xenoprof release_counters before init", abi.XenoprofOp, h(fixed(abi.XenoprofArgs{}), abi.XENOPROFReleaseCounters), ePerm, ePerm, "", ok},
	{"xenoprof shutdown before init", abi.XenoprofOp, h(fixed(abi.XenoprofArgs{}), abi.XENOPROFShutdown), ePerm, ePerm, "", ok},
	{"xenoprof get_buffer of another", abi.XenoprofOp, h(fixed(abi.XenoprofArgs{DomID: idPV}), abi.XENOPROFGetBuffer), eOK, ePerm, "", ok},
	{"xenoprof disable_virq", abi.XenoprofOp, h(fixed(abi.XenoprofArgs{}), abi.XENOPROFDisableVIRQ), eOK, eOK, "profile", eAcces},
	{"xenoprof unknown", abi.XenoprofOp, r(99), eInval, eInval, "", ok},
	{"xsm_op", abi.XSMOp, h(fixed(abi.XSMOpArgs{})), eNoSys, eNoSys, "__do_xsm_op", ok},
	{"xen_version", abi.XenVersion, r(abi.XENVERVersion), ret(3<<16 | 2), ret(3<<16 | 2), "", ok},
	{"xen_version page size", abi.XenVersion, r(abi.XENVERPagesize), ret(4096), ret(4096), "", ok},
	{"xen_version extraversion", abi.XenVersion, h(fixed(""), abi.XENVERExtraversion), eOK, eOK, "", ok},
	{"xen_version wrong handle", abi.XenVersion, h(fixed(7), abi.XENVERExtraversion), eFault, eFault, "", ok},
	{"xen_version features", abi.XenVersion, h(fixed(abi.FeatureInfo{}), abi.XENVERGetFeatures), eOK, eOK, "", ok},
	{"xen_version no such features", abi.XenVersion, h(fixed(abi.FeatureInfo{SubmapIdx: 3}), abi.XENVERGetFeatures), eInval, eInval, "", ok},
	{"xen_version capabilities", abi.XenVersion, h(fixed(""), abi.XENVERCapabilities), eOK, eOK, "", ok},
	{"xen_version handle", abi.XenVersion, h(fixed([16]byte{}), abi.XENVERGuestHandle), eOK, eOK, "", ok},
	{"xen_version changeset", abi.XenVersion, h(fixed(""), abi.XENVERChangeset), eOK, eOK, "", ok},
	{"xen_version compile_info", abi.XenVersion, h(fixed(abi.CompileInfo{}), abi.XENVERCompileInfo), eOK, eOK, "", ok},
	{"xen_version platform_parameters", abi.XenVersion, h(fixed(uint64(0)), abi.XENVERPlatformParams), eOK, eOK, "", ok},
	{"xen_version unknown", abi.XenVersion, r(77), eNoSys, eNoSys, "", ok},

	{"unused number", 11, r(), eNoSys, eNoSys, "", ok},
	{"number beyond all", abi.NrHypercalls, r(), eNoSys, eNoSys, "", ok},
}

// issue makes a row's call.
func (c *call) issue(w *world, caller *VCPU) answer {
	w.self = caller
	a := c.args(w)
	rc := caller.call(c.nr, &a)
	return answer{rc, statusOf(a.H)}
}

func TestAnswers(t *testing.T) {
	seen := map[abi.Hypercall]bool{}
	for i := range calls {
		c := &calls[i]
		seen[c.nr] = true
		w := newWorld(t)
		if got := c.issue(w, w.dom0); got != c.dom0 {
			t.Errorf("%s from dom0: %v, want %v", c.name, got, c.dom0)
		}
		w = newWorld(t)
		if got := c.issue(w, w.domU); got != c.domU {
			t.Errorf("%s from domU: %v, want %v", c.name, got, c.domU)
		}
	}
	for nr := range abi.NrHypercalls {
		if hypercallTable[nr] != nil && !seen[nr] && nr != abi.SetSegmentBase {
			t.Errorf("no row for hypercall %d", nr)
		}
	}
}

// TestPrivilege runs every control operation as domU: whatever its arguments,
// it is refused, and the machine is as it was.
func TestPrivilege(t *testing.T) {
	refused := map[answer]bool{ePerm: true, status(abi.GNTSTPermissionDenied): true}
	for i := range calls {
		c := &calls[i]
		switch c.nr {
		case abi.DomctlOp, abi.SysctlOp, abi.PlatformOp, abi.KexecOp, abi.ConsoleIO:
			w := newWorld(t)
			info := abi.DomainInfo{}
			w.m.domainInfo(w.dom0, w.pv, &info)
			if got := c.issue(w, w.domU); !refused[got] {
				t.Errorf("%s: domU gets %v", c.name, got)
			}
			after := abi.DomainInfo{}
			w.m.domainInfo(w.dom0, w.pv, &after)
			after.CPUTime = info.CPUTime
			if after != info || len(w.m.domainList()) != 4 {
				t.Errorf("%s: refused, but domain %d changed", c.name, w.pv.ID)
			}
		}
	}
}
