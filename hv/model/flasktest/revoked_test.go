//go:build xsm && flask

package flasktest

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/hv/model"
	"xsmbench/xsm/flask/policy"
	"xsmbench/xsm/flask/policydb"
)

// value is that of a name in one of a policy's tables.
func value[T any](t *testing.T, s *policydb.Symbols[T], name string) uint32 {
	t.Helper()
	v := s.Value(name)
	if v == 0 {
		t.Fatalf("the policy has no %s", name)
	}
	return v
}

// revoke takes permissions out of the allow rule of a compiled policy. A rule
// is its source, target, class and kind, 16 bits each, and the permissions.
func revoke(t *testing.T, pol []byte, rule avc) {
	t.Helper()
	db, err := policydb.Read(pol)
	if err != nil {
		t.Fatal(err)
	}
	class := value(t, &db.Classes, rule.class)
	source, target := value(t, &db.Types, rule.source), value(t, &db.Types, rule.target)
	var key []byte
	for _, v := range []uint32{source, target, class, policydb.Allowed} {
		key = binary.LittleEndian.AppendUint16(key, uint16(v))
	}
	if n := bytes.Count(pol, key); n != 1 {
		t.Fatalf("the rule %v is at %d places of the policy", rule, n)
	}
	datum := pol[bytes.Index(pol, key)+len(key):]
	granted := binary.LittleEndian.Uint32(datum)
	for _, perm := range strings.Fields(rule.perms) {
		bit := uint32(1) << (value(t, &db.Classes.At(class).Permissions, perm) - 1)
		if granted&bit == 0 {
			t.Fatalf("the rule %v does not grant %s", rule, perm)
		}
		granted &^= bit
	}
	binary.LittleEndian.PutUint32(datum, granted)
}

// weak are rules without which dom0 still boots and builds its domains.
var weak = []avc{
	{"settime tbufcontrol readconsole clearconsole perfcontrol mtrr_add mtrr_del mtrr_read microcode physinfo quirk writeconsole readapic writeapic nonprivprofile kexec scheduler", "dom0_t", "xen_t", "xen"},
	{"memorymap", "dom0_t", "xen_t", "mmu"},
	{"pause resume destroy setvcpuaffinity getvcpuaffinity scheduler getvcpuinfo getvcpucontext setdomainhandle setdebugging hypercall settime shutdown setaddrsize getaddrsize", "dom0_t", "domU_t", "domain"},
	{"pageinfo pagelist", "dom0_t", "domU_t", "mmu"},
	{"logdirty", "dom0_t", "domU_t", "shadow"},
	{"remove", "dom0_t", "domU_t", "resource"},
	{"status reset", "dom0_t", "domU_t", "event"},
	{"vector", "dom0_t", "irq_type", "event"},
	{"sethvmc setparam getparam pcilevel irqlevel pciroute", "dom0_t", "nomigrate_t", "hvm"},
	{"adjust stat physmap memorymap", "domU_t", "domU_t", "mmu"},
	{"query", "domU_t", "domU_t", "grant"},
	{"reset", "domU_t", "domU_t", "event"},
}

// onMemory makes a memory_op whose handle, which it may write to, is new.
func onMemory(cmd abi.MemoryCmd, handle func() any) action {
	return memory(cmd, func(*setting) any { return handle() })
}

func onHVM(cmd uint64, handle func(abi.DomID) any) action {
	return func(s *setting, v *model.VCPU) answer { return ret(call(v, abi.HVMOp, cmd, handle(s.hvm))) }
}

func onXen(perms string) avc    { return avc{perms, "dom0_t", "xen_t", "xen"} }
func onDomU(perms string) avc   { return avc{perms, "dom0_t", "domU_t", "domain"} }
func onHVMs(perms string) avc   { return avc{perms, "dom0_t", "nomigrate_t", "hvm"} }
func onItself(perms string) avc { return avc{perms, "domU_t", "domU_t", "mmu"} }

// withoutRules are the answers that hypercalls give when the rules of weak are
// gone from the policy.
var withoutRules = []operation{
	{"console_io write", dom0, simple(abi.ConsoleIO, abi.CONSOLEIOWrite, func() any { return &abi.ConsoleBuf{} }), ok, eAcces, onXen("writeconsole")},
	{"console_io read", dom0, simple(abi.ConsoleIO, abi.CONSOLEIORead, func() any { return &abi.ConsoleBuf{} }), ok, eAcces, onXen("readconsole")},
	{"sysctl readconsole", dom0, sysctl(abi.SysctlReadConsole, nil), ok, eAcces, onXen("readconsole")},
	{"sysctl readconsole and clear", dom0, sysctl(abi.SysctlReadConsole, func(op *abi.Sysctl) { op.ConsoleClear = 1 }), ok, eAcces, onXen("readconsole clearconsole")},
	// 3.2 asks for the permission whose bit is the number of class xen.
	{"sysctl tbuf_op", dom0, sysctl(abi.SysctlTBufOp, nil), ok, eAcces, onXen("scheduler")},
	{"sysctl physinfo", dom0, sysctl(abi.SysctlPhysInfo, nil), ok, eAcces, onXen("physinfo")},
	{"sysctl sched_id", dom0, sysctl(abi.SysctlSchedID, nil), ok, eAcces, onXen("scheduler")},
	{"sysctl perfc_op", dom0, sysctl(abi.SysctlPerfcOp, func(op *abi.Sysctl) { op.PerfcCmd = 2 }), ok, eAcces, onXen("perfcontrol")},
	{"platform_op settime", dom0, platform(abi.XENPFSettime, nil), ok, eAcces, onXen("settime")},
	{"platform_op add_memtype", dom0, platform(abi.XENPFAddMemtype, nil), eInval, eAcces, onXen("mtrr_add")},
	{"platform_op del_memtype", dom0, platform(abi.XENPFDelMemtype, nil), eInval, eAcces, onXen("mtrr_del")},
	{"platform_op read_memtype", dom0, platform(abi.XENPFReadMemtype, nil), ok, eAcces, onXen("mtrr_read")},
	{"platform_op microcode", dom0, platform(abi.XENPFMicrocodeUpdate, nil), eInval, eAcces, onXen("microcode")},
	{"platform_op quirk", dom0, platform(abi.XENPFPlatformQuirk, nil), eInval, eAcces, onXen("quirk")},
	{"kexec_op", dom0, simple(abi.KexecOp, abi.KEXECCmdGetRange, func() any { return &abi.KexecArgs{Range: 1} }), ok, eAcces, onXen("kexec")},
	{"physdev_op apic_read", dom0, simple(abi.PhysdevOp, abi.PHYSDEVOPApicRead, func() any { return &abi.PhysdevApic{} }), eInval, eAcces, onXen("readapic")},
	{"physdev_op apic_write", dom0, simple(abi.PhysdevOp, abi.PHYSDEVOPApicWrite, func() any { return &abi.PhysdevApic{} }), eInval, eAcces, onXen("writeapic")},
	{"physdev_op alloc_irq_vector", dom0, simple(abi.PhysdevOp, abi.PHYSDEVOPAllocIRQVector, func() any { return &abi.PhysdevIRQ{IRQ: 11} }), ok, eAcces,
		avc{"vector", "dom0_t", "nic_irq_t", "event"}},
	{"xenoprof_op init", dom0, simple(abi.XenoprofOp, abi.XENOPROFInit, func() any { return &abi.XenoprofArgs{} }), ok, eAcces, onXen("nonprivprofile")},
	{"machine_memory_map", dom0, onMemory(abi.XENMEMMachineMemoryMap, func() any { return &abi.MemoryMap{Entries: make([]abi.E820Entry, 8)} }), ok, eAcces, avc{"memorymap", "dom0_t", "xen_t", "mmu"}},

	{"pausedomain", dom0, onDomain(domU, abi.DomctlPauseDomain, nil), ok, eAcces, onDomU("pause")},
	{"resumedomain", dom0, onDomain(domU, abi.DomctlResumeDomain, nil), ok, eAcces, onDomU("resume")},
	{"destroydomain", dom0, onDomain(domU, abi.DomctlDestroyDomain, nil), ok, eAcces, onDomU("destroy")},
	{"setvcpuaffinity", dom0, onDomain(domU, abi.DomctlSetVCPUAffinity, nil), eInval, eAcces, onDomU("setvcpuaffinity")},
	{"getvcpuaffinity", dom0, onDomain(domU, abi.DomctlGetVCPUAffinity, nil), ok, eAcces, onDomU("getvcpuaffinity")},
	// Its parameters are the hypervisor's and the domain's: one of two checks.
	{"scheduler_op", dom0, onDomain(domU, abi.DomctlSchedulerOp, nil), eInval, eAcces, onXen("scheduler")},
	{"getvcpuinfo", dom0, onDomain(domU, abi.DomctlGetVCPUInfo, nil), ok, eAcces, onDomU("getvcpuinfo")},
	{"getvcpucontext", dom0, onDomain(domU, abi.DomctlGetVCPUContext, nil), ok, eAcces, onDomU("getvcpucontext")},
	{"setdomainhandle", dom0, onDomain(domU, abi.DomctlSetDomainHandle, nil), ok, eAcces, onDomU("setdomainhandle")},
	{"setdebugging", dom0, onDomain(domU, abi.DomctlSetDebugging, nil), ok, eAcces, onDomU("setdebugging")},
	{"hypercall_init", dom0, onDomain(domU, abi.DomctlHypercallInit, func(s *setting, op *abi.Domctl) { op.HyperGMFN = uint64(s.domU.page(6)) }), ok, eAcces, onDomU("hypercall")},
	{"settimeoffset", dom0, onDomain(domU, abi.DomctlSetTimeOffset, nil), ok, eAcces, onDomU("settime")},
	{"set_address_size", dom0, onDomain(domU, abi.DomctlSetAddressSize, nil), eInval, eAcces, onDomU("setaddrsize")},
	{"get_address_size", dom0, onDomain(domU, abi.DomctlGetAddressSize, nil), ok, eAcces, onDomU("getaddrsize")},
	{"remote_shutdown", dom0, func(s *setting, v *model.VCPU) answer {
		return ret(call(v, abi.SchedOp, abi.SCHEDOPRemoteShutdown, &abi.SchedRemoteShutdown{Dom: s.domU.id}))
	}, ok, eAcces, onDomU("shutdown")},
	{"getmemlist", dom0, onDomain(domU, abi.DomctlGetMemList, nil), ok, eAcces, avc{"pagelist", "dom0_t", "domU_t", "mmu"}},
	{"getpageframeinfo", dom0, onDomain(domU, abi.DomctlGetPageFrameInfo, func(s *setting, op *abi.Domctl) { op.PageInfo.GMFN = uint64(s.domU.page(0)) }), ok, eAcces,
		avc{"pageinfo", "dom0_t", "domU_t", "mmu"}},
	{"shadow_op log-dirty", dom0, onDomain(domU, abi.DomctlShadowOp, func(_ *setting, op *abi.Domctl) { op.Shadow.Op = abi.ShadowOpPeek }), eInval, eAcces,
		avc{"logdirty", "dom0_t", "domU_t", "shadow"}},
	{"irq_permission", dom0, onDomain(domU, abi.DomctlIRQPermission, func(_ *setting, op *abi.Domctl) { op.IRQ = abi.DomctlIRQ{PIRQ: 5} }), ok, eAcces,
		avc{"remove", "dom0_t", "domU_t", "resource"}},
	{"evtchn reset", dom0, onEvtchn(abi.EVTCHNOPReset, func(s *setting) any { return &abi.EvtchnReset{Dom: s.domU.id} }), ok, eAcces,
		avc{"reset", "dom0_t", "domU_t", "event"}},

	{"sethvmcontext", dom0, onDomain(hvm, abi.DomctlSetHVMContext, nil), eInval, eAcces, onHVMs("sethvmc")},
	{"hvm_op set_param", dom0, onHVM(abi.HVMOPSetParam, func(d abi.DomID) any { return &abi.HVMParam{DomID: d} }), ok, eAcces, onHVMs("setparam")},
	{"hvm_op get_param", dom0, onHVM(abi.HVMOPGetParam, func(d abi.DomID) any { return &abi.HVMParam{DomID: d} }), ok, eAcces, onHVMs("getparam")},
	{"hvm_op set_pci_intx_level", dom0, onHVM(abi.HVMOPSetPCIIntxLevel, func(d abi.DomID) any { return &abi.HVMIntxLevel{DomID: d} }), ok, eAcces, onHVMs("pcilevel")},
	{"hvm_op set_isa_irq_level", dom0, onHVM(abi.HVMOPSetISAIRQLevel, func(d abi.DomID) any { return &abi.HVMISAIRQLevel{DomID: d} }), ok, eAcces, onHVMs("irqlevel")},
	{"hvm_op set_pci_link_route", dom0, onHVM(abi.HVMOPSetPCILinkRoute, func(d abi.DomID) any { return &abi.HVMLinkRoute{DomID: d} }), ok, eAcces, onHVMs("pciroute")},

	{"increase_reservation", domU, onMemory(abi.XENMEMIncreaseReservation, func() any { return &abi.MemoryReservation{ExtentStart: make([]uint64, 1), DomID: abi.DomSelf} }), ret(1), eAcces, onItself("adjust")},
	{"decrease_reservation", domU, onMemory(abi.XENMEMDecreaseReservation, func() any { return &abi.MemoryReservation{DomID: abi.DomSelf} }), ok, eAcces, onItself("adjust")},
	{"populate_physmap", domU, onMemory(abi.XENMEMPopulatePhysmap, func() any { return &abi.MemoryReservation{DomID: abi.DomSelf} }), ok, eAcces, onItself("adjust")},
	{"maximum_gpfn", domU, onMemory(abi.XENMEMMaximumGPFN, func() any { return &abi.MemoryDomain{DomID: abi.DomSelf} }), ret(guestFrames - 1), eAcces, onItself("stat")},
	{"set_memory_map", domU, onMemory(abi.XENMEMSetMemoryMap, func() any { return &abi.MemoryMap{DomID: abi.DomSelf} }), ok, eAcces, onItself("memorymap")},
	// The one caller that makes -EPERM of whatever the hook says.
	{"add_to_physmap", domU, onMemory(abi.XENMEMAddToPhysmap, func() any { return &abi.AddToPhysmap{DomID: abi.DomSelf} }), eInval, ePerm, onItself("physmap")},
	{"query its own grant table", domU, onGrant(abi.GNTTABOPQuerySize, func(*setting, *model.VCPU) (any, *int16) {
		op := &abi.GnttabQuerySize{Dom: abi.DomSelf}
		return op, &op.Status
	}), ok, gDeny, avc{"query", "domU_t", "domU_t", "grant"}},
	{"evtchn reset of itself", domU, onEvtchn(abi.EVTCHNOPReset, func(*setting) any { return &abi.EvtchnReset{Dom: abi.DomSelf} }), ok, eAcces,
		avc{"reset", "domU_t", "domU_t", "event"}},
}

// TestRevoked takes rules away that every guest and dom0 have in the project's
// policy, so that call sites that it never denies are seen to be denied too.
func TestRevoked(t *testing.T) {
	pol := slices.Clone(policy.Binary)
	for _, rule := range weak {
		revoke(t, pol, rule)
	}
	s := furnish(t, newWorld(t, "", pol))
	for i := range withoutRules {
		withoutRules[i].check(t, s, true)
	}
	// The same calls are answered where the rules are.
	s = furnish(t, newWorld(t, "", policy.Binary))
	for _, o := range withoutRules {
		switch o.name {
		case "pausedomain", "destroydomain", "remote_shutdown", "evtchn reset":
			continue // others' rows need the domain
		case "irq_permission":
			continue // domU may use no interrupt: TestEnforcing has that
		}
		o.denied, o.audit = o.allowed, avc{}
		o.check(t, s, true)
	}
}
