//go:build xsm && flask

package flasktest

import (
	"fmt"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/hv/model"
	"xsmbench/xsm/flask"
	"xsmbench/xsm/flask/policy"
)

// avc is what an audit must say: permissions, types of source and target,
// class.
type avc struct{ perms, source, target, class string }

func (a avc) in(line string) bool {
	return strings.Contains(line, "avc:  denied  { "+a.perms+" } for ") &&
		strings.Contains(line, "_r:"+a.source+" tcontext=") &&
		strings.HasSuffix(line, "_r:"+a.target+" tclass="+a.class)
}

// operation is a row: what a domain gets from a hypercall that the policy
// denies, and what it would get if it were not denied. A row without an audit
// is allowed, or refused by the hypervisor before it asks.
type operation struct {
	name    string
	caller  func(*world) *guest
	call    func(*setting, *model.VCPU) answer
	allowed answer
	denied  answer
	audit   avc
}

func dom0(w *world) *guest     { return w.dom0 }
func domU(w *world) *guest     { return w.domU }
func isolated(w *world) *guest { return w.isolated }

type action = func(*setting, *model.VCPU) answer

// Actions that rows have in common.

func onEvtchn(cmd abi.EvtchnCmd, handle func(*setting) any) action {
	return func(s *setting, v *model.VCPU) answer { return ret(evtchn(v, cmd, handle(s))) }
}

func allocUnbound(remote func(*world) *guest) action {
	return onEvtchn(abi.EVTCHNOPAllocUnbound, func(s *setting) any {
		return &abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: remote(s.world).id}
	})
}

// onGrant makes a grant operation, whose status the function returns.
func onGrant(cmd abi.GrantCmd, f func(*setting, *model.VCPU) (any, *int16)) action {
	return func(s *setting, v *model.VCPU) answer {
		op, status := f(s, v)
		return answer{call(v, abi.GrantTableOp, cmd, op), *status}
	}
}

func mapGrant(of func(*world) *guest, ref abi.GrantRef, flags uint32) action {
	return onGrant(abi.GNTTABOPMapGrantRef, func(s *setting, _ *model.VCPU) (any, *int16) {
		op := &abi.GnttabMapGrantRef{Dom: of(s.world).id, Ref: ref, Flags: flags}
		return op, &op.Status
	})
}

// transfer hands a frame over that nothing maps.
func transfer(to func(*world) *guest, ref abi.GrantRef) action {
	return onGrant(abi.GNTTABOPTransfer, func(s *setting, v *model.VCPU) (any, *int16) {
		more := &abi.MemoryReservation{ExtentStart: make([]uint64, 1), DomID: abi.DomSelf}
		call(v, abi.MemoryOp, abi.XENMEMIncreaseReservation, more)
		op := &abi.GnttabTransfer{MFN: abi.MFN(more.ExtentStart[0]), Dom: to(s.world).id, Ref: ref}
		return op, &op.Status
	})
}

// copyFrom copies a granted frame into one of the caller's.
func copyFrom(of func(*world) *guest, ref abi.GrantRef, into func(*setting) abi.MFN) action {
	return onGrant(abi.GNTTABOPCopy, func(s *setting, _ *model.VCPU) (any, *int16) {
		op := &abi.GnttabCopy{
			Source: abi.GnttabCopyPtr{UseRef: true, Dom: of(s.world).id, Ref: ref},
			Dest:   abi.GnttabCopyPtr{Dom: abi.DomSelf, GMFN: uint64(into(s))}, Len: 64,
		}
		return op, &op.Status
	})
}

// updates makes requests of mmu_update; the status is the number done, if it
// stopped before the end.
func updates(reqs func(*setting) []abi.MMUUpdate) action {
	return func(s *setting, v *model.VCPU) answer {
		args := &abi.MMUUpdateArgs{Reqs: reqs(s)}
		rc := call(v, abi.MMUUpdateOp, 0, args, uint64(abi.DomSelf))
		if int(args.Done) == len(args.Reqs) {
			return ret(rc)
		}
		return answer{rc, int16(args.Done)}
	}
}

func updateVA(pte func(*setting) uint64) action {
	return func(s *setting, v *model.VCPU) answer {
		return ret(call(v, abi.UpdateVAMapping, va(s.domU.free(3)), nil, pte(s), abi.UVMFINVLPG))
	}
}

func mmuExt(ops func(*setting) []abi.MMUExtOpEntry) action {
	return func(s *setting, v *model.VCPU) answer {
		args := &abi.MMUExtArgs{Ops: ops(s)}
		rc := call(v, abi.MMUExtOp, 0, args, uint64(abi.DomSelf))
		if int(args.Done) == len(args.Ops) {
			return ret(rc)
		}
		return answer{rc, int16(args.Done)}
	}
}

func memory(cmd abi.MemoryCmd, handle func(*setting) any) action {
	return func(s *setting, v *model.VCPU) answer { return ret(call(v, abi.MemoryOp, cmd, handle(s))) }
}

func onDomain(of func(*world) *guest, cmd abi.DomctlCmd, set func(*setting, *abi.Domctl)) action {
	return func(s *setting, v *model.VCPU) answer {
		op := &abi.Domctl{Cmd: cmd, DomID: of(s.world).id}
		if set != nil {
			set(s, op)
		}
		return ret(domctl(v, op))
	}
}

func sysctl(cmd abi.SysctlCmd, set func(*abi.Sysctl)) action {
	return func(_ *setting, v *model.VCPU) answer {
		op := &abi.Sysctl{Cmd: cmd, Interface: abi.SysctlInterfaceVersion}
		if set != nil {
			set(op)
		}
		return ret(call(v, abi.SysctlOp, 0, op))
	}
}

func platform(cmd uint32, set func(*abi.PlatformOpArgs)) action {
	return func(_ *setting, v *model.VCPU) answer {
		op := &abi.PlatformOpArgs{Cmd: cmd, Interface: abi.XENPFInterfaceVersion}
		if set != nil {
			set(op)
		}
		return ret(call(v, abi.PlatformOp, 0, op))
	}
}

// simple is a hypercall whose handle needs nothing of the setting.
func simple[C ~uint32 | ~uint64 | ~int](nr abi.Hypercall, cmd C, handle func() any) action {
	return func(_ *setting, v *model.VCPU) answer { return ret(call(v, nr, cmd, handle())) }
}

func xsmOp(cmd uint32, text string) action {
	return func(_ *setting, v *model.VCPU) answer {
		_, rc := flaskOp(v, cmd, text)
		return ret(rc)
	}
}

func create(typ string) action {
	return func(_ *setting, v *model.VCPU) answer {
		op := &abi.Domctl{Cmd: abi.DomctlCreateDomain}
		if typ != "" {
			op.Create.SSIDRef = sidOf(v, label(typ))
		}
		rc := domctl(v, op)
		if rc == 0 {
			domctl(v, &abi.Domctl{Cmd: abi.DomctlDestroyDomain, DomID: op.DomID})
		}
		return ret(rc)
	}
}

var (
	eAcces = no(abi.EACCES)
	ePerm  = no(abi.EPERM)
	eInval = no(abi.EINVAL)
	eNoSys = no(abi.ENOSYS)
	gDeny  = status(abi.GNTSTPermissionDenied)
)

// A label names a type of this policy's; domU's own page is entry 3 of its
// memory in the rows below.
var operations = []operation{
	// Event channels: domU may talk to dom0 and to its like, isolated to dom0.
	{"alloc_unbound for dom0", domU, allocUnbound(dom0), ok, ok, avc{}},
	{"alloc_unbound for itself", domU, allocUnbound(domU), ok, ok, avc{}},
	{"alloc_unbound for dom0", isolated, allocUnbound(dom0), ok, ok, avc{}},
	{"alloc_unbound for isolated", domU, allocUnbound(isolated), ok, eAcces, avc{"create alloc", "domU_t", "isolated_domU_t", "event"}},
	{"alloc_unbound for domU", isolated, allocUnbound(domU), ok, eAcces, avc{"create alloc", "isolated_domU_t", "domU_t", "event"}},
	{"alloc_unbound for no domain", domU, onEvtchn(abi.EVTCHNOPAllocUnbound, func(*setting) any {
		return &abi.EvtchnAllocUnbound{Dom: abi.DomSelf, RemoteDom: 99}
	}), ePerm, ePerm, avc{}},
	{"alloc_unbound of another's", domU, onEvtchn(abi.EVTCHNOPAllocUnbound, func(s *setting) any {
		return &abi.EvtchnAllocUnbound{Dom: s.isolated.id, RemoteDom: abi.DomSelf}
	}), ePerm, ePerm, avc{}},
	{"bind_interdomain to domU", dom0, onEvtchn(abi.EVTCHNOPBindInterdomain, func(s *setting) any {
		return &abi.EvtchnBindInterdomain{RemoteDom: s.domU.id, RemotePort: s.forDom0}
	}), ok, ok, avc{}},
	{"bind_interdomain to isolated", domU, onEvtchn(abi.EVTCHNOPBindInterdomain, func(s *setting) any {
		return &abi.EvtchnBindInterdomain{RemoteDom: s.isolated.id, RemotePort: s.forDomU}
	}), ok, eAcces, avc{"create", "domU_t", "isolated_domU_t", "event"}},
	{"send to itself", domU, onEvtchn(abi.EVTCHNOPSend, func(s *setting) any { return &abi.EvtchnSend{Port: s.own} }), ok, ok, avc{}},
	{"send to isolated", domU, onEvtchn(abi.EVTCHNOPSend, func(s *setting) any { return &abi.EvtchnSend{Port: s.toIsolated} }), ok, eAcces,
		avc{"send", "domU_t", "isolated_domU_t", "event"}},
	{"status of its own", domU, onEvtchn(abi.EVTCHNOPStatus, func(s *setting) any { return &abi.EvtchnStatus{Dom: abi.DomSelf, Port: s.own} }), ok, ok, avc{}},
	{"status of a channel to isolated", domU, onEvtchn(abi.EVTCHNOPStatus, func(s *setting) any {
		return &abi.EvtchnStatus{Dom: abi.DomSelf, Port: s.toIsolated}
	}), ok, eAcces, avc{"status", "domU_t", "isolated_domU_t", "event"}},
	{"status of dom0's", domU, onEvtchn(abi.EVTCHNOPStatus, func(*setting) any { return &abi.EvtchnStatus{Dom: 0, Port: 1} }), ePerm, ePerm, avc{}},
	{"reset of isolated", domU, onEvtchn(abi.EVTCHNOPReset, func(s *setting) any { return &abi.EvtchnReset{Dom: s.isolated.id} }), ePerm, ePerm, avc{}},

	// Grants. Xen 3.2 turns every refusal into a status.
	{"map dom0's grant", isolated, mapGrant(dom0, refIsolated, abi.GNTMAPDeviceMap), ok, ok, avc{}},
	{"map domU's grant", dom0, mapGrant(domU, refDom0, abi.GNTMAPDeviceMap), ok, ok, avc{}},
	{"map isolated's grant", domU, mapGrant(isolated, refDomU, abi.GNTMAPDeviceMap), ok, gDeny, avc{"map_read map_write", "domU_t", "isolated_domU_t", "grant"}},
	{"map isolated's grant read-only", domU, mapGrant(isolated, refDomU, abi.GNTMAPDeviceMap|abi.GNTMAPReadonly), ok, gDeny, avc{"map_read", "domU_t", "isolated_domU_t", "grant"}},
	{"map domU's grant", isolated, mapGrant(domU, refIsolated, abi.GNTMAPDeviceMap), ok, gDeny, avc{"map_read map_write", "isolated_domU_t", "domU_t", "grant"}},
	{"unmap domU's grant", isolated, onGrant(abi.GNTTABOPUnmapGrantRef, func(s *setting, _ *model.VCPU) (any, *int16) {
		op := &abi.GnttabUnmapGrantRef{Handle: s.mapped}
		return op, &op.Status
	}), ok, gDeny, avc{"unmap", "isolated_domU_t", "domU_t", "grant"}},
	{"unmap and replace domU's grant", isolated, onGrant(abi.GNTTABOPUnmapReplace, func(s *setting, _ *model.VCPU) (any, *int16) {
		op := &abi.GnttabUnmapReplace{Handle: s.mapped}
		return op, &op.Status
	}), ok, gDeny, avc{"unmap", "isolated_domU_t", "domU_t", "grant"}},
	{"transfer to domU", dom0, transfer(domU, refAcceptDom0), ok, ok, avc{}},
	{"transfer to domU", isolated, transfer(domU, refAccept), ok, gDeny, avc{"transfer", "isolated_domU_t", "domU_t", "grant"}},
	{"copy from dom0", isolated, copyFrom(dom0, refIsolated, func(s *setting) abi.MFN { return s.isolated.page(4) }), ok, ok, avc{}},
	{"copy from isolated", domU, copyFrom(isolated, refDomU, func(s *setting) abi.MFN { return s.domU.page(4) }), ok, gDeny, avc{"copy", "isolated_domU_t", "domU_t", "grant"}},
	{"set its own table up", domU, onGrant(abi.GNTTABOPSetupTable, func(*setting, *model.VCPU) (any, *int16) {
		op := &abi.GnttabSetupTable{Dom: abi.DomSelf, NrFrames: 1}
		return op, &op.Status
	}), ok, ok, avc{}},
	{"set isolated's table up", domU, onGrant(abi.GNTTABOPSetupTable, func(s *setting, _ *model.VCPU) (any, *int16) {
		op := &abi.GnttabSetupTable{Dom: s.isolated.id, NrFrames: 1}
		return op, &op.Status
	}), gDeny, gDeny, avc{}},
	{"query dom0's table", domU, onGrant(abi.GNTTABOPQuerySize, func(*setting, *model.VCPU) (any, *int16) {
		op := &abi.GnttabQuerySize{Dom: 0}
		return op, &op.Status
	}), gDeny, gDeny, avc{}},

	// Page tables: a frame has its owner's label, and is looked at before Xen
	// itself looks who owns it.
	{"mmu_update its own frame", domU, updates(func(s *setting) []abi.MMUUpdate {
		return []abi.MMUUpdate{{Ptr: s.domU.entryOf(3), Val: own(s.domU.page(3))}}
	}), ok, ok, avc{}},
	{"mmu_update clear", domU, updates(func(s *setting) []abi.MMUUpdate {
		return []abi.MMUUpdate{{Ptr: s.domU.entryOf(3), Val: 0}}
	}), ok, ok, avc{}},
	{"mmu_update isolated's frame", domU, updates(func(s *setting) []abi.MMUUpdate {
		return []abi.MMUUpdate{{Ptr: s.domU.entryOf(3), Val: own(s.isolated.page(3))}}
	}), eInval, eAcces, avc{"map_read map_write", "domU_t", "isolated_domU_t", "mmu"}},
	{"mmu_update dom0's frame read-only", domU, updates(func(s *setting) []abi.MMUUpdate {
		return []abi.MMUUpdate{{Ptr: s.domU.entryOf(3), Val: readOnly(s.dom0.page(3))}}
	}), eInval, eAcces, avc{"map_read", "domU_t", "dom0_t", "mmu"}},
	{"mmu_update up to isolated's frame", domU, updates(func(s *setting) []abi.MMUUpdate {
		mine := abi.MMUUpdate{Ptr: s.domU.entryOf(3), Val: own(s.domU.page(3))}
		return []abi.MMUUpdate{mine, {Ptr: s.domU.entryOf(3), Val: readOnly(s.isolated.page(3))}, mine}
	}), answer{eInval.rc, 1}, answer{eAcces.rc, 1}, avc{"map_read", "domU_t", "isolated_domU_t", "mmu"}},
	{"mmu_update number of its own frame", domU, updates(func(s *setting) []abi.MMUUpdate {
		return []abi.MMUUpdate{{Ptr: frameAddr(s.domU.page(3)) | abi.MMUMachphysUpdate, Val: uint64(s.domU.free(3))}}
	}), ok, ok, avc{}},
	{"mmu_update number of isolated's frame", domU, updates(func(s *setting) []abi.MMUUpdate {
		return []abi.MMUUpdate{{Ptr: frameAddr(s.isolated.page(3)) | abi.MMUMachphysUpdate, Val: 1}}
	}), eInval, eAcces, avc{"updatemp", "domU_t", "isolated_domU_t", "mmu"}},
	{"update_va_mapping its own frame", domU, updateVA(func(s *setting) uint64 { return own(s.domU.page(3)) }), ok, ok, avc{}},
	{"update_va_mapping isolated's frame", domU, updateVA(func(s *setting) uint64 { return own(s.isolated.page(3)) }), eInval, eAcces,
		avc{"map_read map_write", "domU_t", "isolated_domU_t", "mmu"}},
	{"update_va_mapping dom0's frame read-only", domU, updateVA(func(s *setting) uint64 { return readOnly(s.dom0.page(3)) }), eInval, eAcces,
		avc{"map_read", "domU_t", "dom0_t", "mmu"}},
	{"update_va_mapping_otherdomain", domU, func(s *setting, v *model.VCPU) answer {
		return ret(call(v, abi.UpdateVAMappingOther, va(s.domU.free(3)), nil, own(s.isolated.page(3)), abi.UVMFINVLPG, uint64(s.isolated.id)))
	}, ePerm, ePerm, avc{}},
	{"update_va_mapping_otherdomain", dom0, func(s *setting, v *model.VCPU) answer {
		return ret(call(v, abi.UpdateVAMappingOther, va(s.dom0.free(3)), nil, own(s.isolated.page(3)), abi.UVMFINVLPG, uint64(s.isolated.id)))
	}, ok, ok, avc{}},
	{"pin isolated's frame", domU, mmuExt(func(s *setting) []abi.MMUExtOpEntry {
		return []abi.MMUExtOpEntry{{Cmd: abi.PinL1Table, Arg1: uint64(s.isolated.page(5))}}
	}), answer{eInval.rc, 0}, eAcces, avc{"pinpage", "domU_t", "isolated_domU_t", "mmu"}},
	// A denied pin does not end the batch.
	{"pin isolated's frame, then flush", domU, mmuExt(func(s *setting) []abi.MMUExtOpEntry {
		return []abi.MMUExtOpEntry{{Cmd: abi.TLBFlushLocal}, {Cmd: abi.PinL1Table, Arg1: uint64(s.isolated.page(5))}, {Cmd: abi.TLBFlushLocal}}
	}), answer{eInval.rc, 1}, eAcces, avc{"pinpage", "domU_t", "isolated_domU_t", "mmu"}},

	// Memory.
	{"increase_reservation", domU, memory(abi.XENMEMIncreaseReservation, func(*setting) any {
		return &abi.MemoryReservation{ExtentStart: make([]uint64, 2), DomID: abi.DomSelf}
	}), ret(2), ret(2), avc{}},
	{"increase_reservation of isolated", domU, memory(abi.XENMEMIncreaseReservation, func(s *setting) any {
		return &abi.MemoryReservation{ExtentStart: make([]uint64, 2), DomID: s.isolated.id}
	}), ret(0), ret(0), avc{}},
	{"current_reservation of dom0", domU, memory(abi.XENMEMCurrentReservation, func(*setting) any { return &abi.MemoryDomain{} }), ePerm, ePerm, avc{}},
	{"machine_memory_map", domU, memory(abi.XENMEMMachineMemoryMap, func(*setting) any { return &abi.MemoryMap{Entries: make([]abi.E820Entry, 8)} }), eInval, eInval, avc{}},
	{"machine_memory_map", dom0, memory(abi.XENMEMMachineMemoryMap, func(*setting) any { return &abi.MemoryMap{Entries: make([]abi.E820Entry, 8)} }), ok, ok, avc{}},

	// dom0 has full control of domU, and not of a guest that must not be moved.
	{"pausedomain domU", dom0, func(s *setting, v *model.VCPU) answer {
		a := onDomain(domU, abi.DomctlPauseDomain, nil)(s, v)
		onDomain(domU, abi.DomctlUnpauseDomain, nil)(s, v)
		return a
	}, ok, ok, avc{}},
	{"getdomaininfo domU", dom0, onDomain(domU, abi.DomctlGetDomainInfo, nil), ok, ok, avc{}},
	{"getvcpucontext domU", dom0, onDomain(domU, abi.DomctlGetVCPUContext, nil), ok, ok, avc{}},
	{"getmemlist domU", dom0, onDomain(domU, abi.DomctlGetMemList, func(_ *setting, op *abi.Domctl) { op.MemList.MaxPFNs = 9 }), ok, ok, avc{}},
	{"shadow_op domU", dom0, func(s *setting, v *model.VCPU) answer {
		a := onDomain(domU, abi.DomctlShadowOp, func(_ *setting, op *abi.Domctl) { op.Shadow.Op = abi.ShadowOpEnableLogdirty })(s, v)
		onDomain(domU, abi.DomctlShadowOp, func(_ *setting, op *abi.Domctl) { op.Shadow.Op = abi.ShadowOpOff })(s, v)
		return a
	}, ok, ok, avc{}},
	{"resumedomain", dom0, onDomain(kept, abi.DomctlResumeDomain, nil), ok, eAcces, avc{"resume", "dom0_t", "nomigrate_t", "domain"}},
	{"getvcpucontext", dom0, onDomain(kept, abi.DomctlGetVCPUContext, nil), ok, eAcces, avc{"getvcpucontext", "dom0_t", "nomigrate_t", "domain"}},
	{"setdebugging", dom0, onDomain(kept, abi.DomctlSetDebugging, nil), ok, eAcces, avc{"setdebugging", "dom0_t", "nomigrate_t", "domain"}},
	{"getmemlist", dom0, onDomain(kept, abi.DomctlGetMemList, func(_ *setting, op *abi.Domctl) { op.MemList.MaxPFNs = 9 }), ok, eAcces, avc{"pagelist", "dom0_t", "nomigrate_t", "mmu"}},
	{"getpageframeinfo", dom0, onDomain(kept, abi.DomctlGetPageFrameInfo, func(s *setting, op *abi.Domctl) { op.PageInfo.GMFN = uint64(s.kept.page(0)) }), ok, eAcces,
		avc{"pageinfo", "dom0_t", "nomigrate_t", "mmu"}},
	{"getpageframeinfo2", dom0, onDomain(kept, abi.DomctlGetPageFrameInfo2, func(s *setting, op *abi.Domctl) { op.PageInfo2 = []uint64{uint64(s.kept.page(0))} }), ok, ok,
		avc{"pageinfo", "dom0_t", "nomigrate_t", "mmu"}},
	{"shadow_op log-dirty", dom0, func(s *setting, v *model.VCPU) answer {
		a := onDomain(kept, abi.DomctlShadowOp, func(_ *setting, op *abi.Domctl) { op.Shadow.Op = abi.ShadowOpEnableLogdirty })(s, v)
		onDomain(kept, abi.DomctlShadowOp, func(_ *setting, op *abi.Domctl) { op.Shadow.Op = abi.ShadowOpOff })(s, v)
		return a
	}, ok, eAcces, avc{"logdirty", "dom0_t", "nomigrate_t", "shadow"}},
	{"gethvmcontext", dom0, onDomain(hvm, abi.DomctlGetHVMContext, nil), ok, eAcces, avc{"gethvmc", "dom0_t", "nomigrate_t", "hvm"}},
	{"createdomain domU_t", dom0, create("domU_t"), ok, ok, avc{}},
	// domain_create returns no error number, and its caller makes one up.
	{"createdomain prot_domU_t", dom0, create("prot_domU_t"), ok, no(abi.ENOMEM), avc{"create", "dom0_t", "prot_domU_t", "domain"}},
	{"createdomain without a label", dom0, create(""), ok, no(abi.ENOMEM), avc{"create", "dom0_t", "unlabeled_t", "domain"}},
	{"irq_permission", dom0, onDomain(domU, abi.DomctlIRQPermission, func(_ *setting, op *abi.Domctl) { op.IRQ = abi.DomctlIRQ{PIRQ: 4, Allow: 1} }), ok, eAcces,
		avc{"use", "domU_t", "serial_irq_t", "resource"}},
	{"irq_permission taken away", dom0, onDomain(domU, abi.DomctlIRQPermission, func(_ *setting, op *abi.Domctl) { op.IRQ = abi.DomctlIRQ{PIRQ: 4} }), ok, eAcces,
		avc{"use", "domU_t", "serial_irq_t", "resource"}},
	{"ioport_permission", dom0, onDomain(domU, abi.DomctlIOPortPermission, func(_ *setting, op *abi.Domctl) {
		op.IOPort = abi.DomctlIOPort{First: 0x3f8, Nr: 8, Allow: 1}
	}), ok, eAcces, avc{"use", "domU_t", "serial_ioport_t", "resource"}},
	{"iomem_permission", dom0, onDomain(domU, abi.DomctlIOMemPermission, func(_ *setting, op *abi.Domctl) {
		op.IOMem = abi.DomctlIOMem{First: 0xfee00, Nr: 1, Allow: 1}
	}), ok, eAcces, avc{"use", "domU_t", "apic_iomem_t", "resource"}},

	// The machine is dom0's; domU never comes as far as the module.
	{"console_io write", dom0, simple(abi.ConsoleIO, abi.CONSOLEIOWrite, func() any { return &abi.ConsoleBuf{Data: []byte("dom0\n")} }), ok, ok, avc{}},
	{"console_io write", domU, simple(abi.ConsoleIO, abi.CONSOLEIOWrite, func() any { return &abi.ConsoleBuf{Data: []byte("domU\n")} }), ePerm, ePerm, avc{}},
	{"console_io read", domU, simple(abi.ConsoleIO, abi.CONSOLEIORead, func() any { return &abi.ConsoleBuf{} }), ePerm, ePerm, avc{}},
	{"domctl pausedomain", domU, onDomain(isolated, abi.DomctlPauseDomain, nil), ePerm, ePerm, avc{}},
	{"domctl createdomain", domU, create(""), ePerm, ePerm, avc{}},
	{"sysctl getdomaininfolist", domU, sysctl(abi.SysctlGetDomainInfoList, func(op *abi.Sysctl) { op.Domains = make([]abi.DomainInfo, 8) }), ePerm, ePerm, avc{}},
	{"sysctl getdomaininfolist", dom0, sysctl(abi.SysctlGetDomainInfoList, func(op *abi.Sysctl) { op.Domains = make([]abi.DomainInfo, 8) }), ok, ok, avc{}},
	{"sysctl physinfo", domU, sysctl(abi.SysctlPhysInfo, nil), ePerm, ePerm, avc{}},
	{"platform_op settime", domU, platform(abi.XENPFSettime, nil), ePerm, ePerm, avc{}},
	{"kexec_op get_range", domU, simple(abi.KexecOp, abi.KEXECCmdGetRange, func() any { return &abi.KexecArgs{Range: 1} }), ePerm, ePerm, avc{}},
	{"physdev_op apic_read", domU, simple(abi.PhysdevOp, abi.PHYSDEVOPApicRead, func() any { return &abi.PhysdevApic{} }), ePerm, ePerm, avc{}},
	{"physdev_op alloc_irq_vector", domU, simple(abi.PhysdevOp, abi.PHYSDEVOPAllocIRQVector, func() any { return &abi.PhysdevIRQ{IRQ: 4} }), ePerm, ePerm, avc{}},
	{"sched_op remote_shutdown", domU, func(s *setting, v *model.VCPU) answer {
		return ret(call(v, abi.SchedOp, abi.SCHEDOPRemoteShutdown, &abi.SchedRemoteShutdown{Dom: s.isolated.id}))
	}, ePerm, ePerm, avc{}},
	{"xenoprof_op init", dom0, simple(abi.XenoprofOp, abi.XENOPROFInit, func() any { return &abi.XenoprofArgs{} }), ok, ok, avc{}},
	{"xenoprof_op init", domU, simple(abi.XenoprofOp, abi.XENOPROFInit, func() any { return &abi.XenoprofArgs{} }), ok, eAcces,
		avc{"nonprivprofile", "domU_t", "xen_t", "xen"}},

	// The module's own hypercall: everyone may make it, and the policy says
	// what he gets.
	{"xsm_op getenforce", domU, xsmOp(flask.OpGetEnforce, ""), ok, ok, avc{}},
	{"xsm_op policyvers", domU, xsmOp(flask.OpPolicyVers, ""), ok, ok, avc{}},
	{"xsm_op avc_hashstats", domU, xsmOp(flask.OpAVCHashStats, ""), ok, ok, avc{}},
	{"xsm_op avc_cachestats", domU, xsmOp(flask.OpAVCCacheStats, ""), ok, ok, avc{}},
	{"xsm_op load", domU, xsmOp(flask.OpLoad, "no policy"), eInval, eAcces, avc{"load_policy", "domU_t", "security_t", "security"}},
	{"xsm_op context_to_sid", domU, xsmOp(flask.OpContextToSID, label("domU_t")), ok, eAcces, avc{"check_context", "domU_t", "security_t", "security"}},
	{"xsm_op sid_to_context", domU, xsmOp(flask.OpSIDToContext, "1"), ok, eAcces, avc{"check_context", "domU_t", "security_t", "security"}},
	{"xsm_op access", domU, xsmOp(flask.OpAccess, label("domU_t")+" "+label("domU_t")+" 4 1"), ok, eAcces, avc{"compute_av", "domU_t", "security_t", "security"}},
	{"xsm_op create", domU, xsmOp(flask.OpCreate, label("domU_t")+" "+label("domU_t")+" 4"), ok, eAcces, avc{"compute_create", "domU_t", "security_t", "security"}},
	{"xsm_op setavc_threshold", domU, xsmOp(flask.OpSetAVCThreshold, "500"), ok, eAcces, avc{"setsecparam", "domU_t", "security_t", "security"}},
	{"xsm_op context_to_sid", dom0, xsmOp(flask.OpContextToSID, label("domU_t")), ok, ok, avc{}},
	{"xsm_op relabel", domU, xsmOp(flask.OpRelabel, label("domU_t")+" "+label("domU_t")+" 4"), ok, eAcces, avc{"compute_relabel", "domU_t", "security_t", "security"}},
	{"xsm_op member", domU, xsmOp(flask.OpMember, label("domU_t")+" "+label("domU_t")+" 4"), ok, eAcces, avc{"compute_member", "domU_t", "security_t", "security"}},
	{"xsm_op user", domU, xsmOp(flask.OpUser, label("domU_t")+" system_u"), ok, eAcces, avc{"compute_user", "domU_t", "security_t", "security"}},
	{"xsm_op mls", domU, xsmOp(flask.OpMLS, ""), ok, ok, avc{}},
	{"xsm_op getbool", domU, xsmOp(flask.OpGetBool, "0"), no(abi.EFAULT), no(abi.EFAULT), avc{}},
	{"xsm_op setbool", domU, xsmOp(flask.OpSetBool, "0 1"), no(abi.EFAULT), eAcces, avc{"setbool", "domU_t", "security_t", "security"}},
	{"xsm_op commitbools", domU, xsmOp(flask.OpCommitBools, "0"), ok, eAcces, avc{"setbool", "domU_t", "security_t", "security"}},
	{"xsm_op disable", domU, xsmOp(flask.OpDisable, "1"), eInval, eInval, avc{}},
	{"xsm_op unknown", domU, xsmOp(flask.OpMember+1, ""), eNoSys, eNoSys, avc{}},
}

func kept(w *world) *guest { return w.kept }
func hvm(w *world) *guest  { return &guest{id: w.hvm} }

// check makes a row's call in one of the modes and compares.
func (o *operation) check(t *testing.T, s *setting, enforcing bool) {
	t.Helper()
	s.screen.take()
	who := o.caller(s.world)
	var have answer
	who.do(t, func(v *model.VCPU) { have = o.call(s, v) })
	want := o.allowed
	if enforcing {
		want = o.denied
	}
	name := fmt.Sprintf("%s by %s, enforcing %v", o.name, who.label, enforcing)
	if have != want {
		t.Errorf("%s: %v, want %v", name, have, want)
	}
	lines := s.screen.denials()
	switch {
	case o.audit == avc{}:
		if len(lines) != 0 {
			t.Errorf("%s audited\n%s", name, strings.Join(lines, "\n"))
		}
	case len(lines) == 0 || !o.audit.in(lines[0]) || enforcing && len(lines) != 1:
		t.Errorf("%s audited\n%s\nwant %v", name, strings.Join(lines, "\n"), o.audit)
	}
}

// TestEnforcing makes every call of the table as the policy has it.
func TestEnforcing(t *testing.T) {
	s := furnish(t, newWorld(t, "", policy.Binary))
	for i := range operations {
		operations[i].check(t, s, true)
	}
}

// TestPermissive makes the same calls on a machine that was booted to allow and
// audit what the policy denies.
func TestPermissive(t *testing.T) {
	s := furnish(t, newWorld(t, "flask_enforcing=0", policy.Binary))
	for i := range operations {
		s.setEnforcing(t, false)
		operations[i].check(t, s, false)
	}
}
