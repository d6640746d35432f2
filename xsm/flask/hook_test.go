package flask

import (
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/xsm"
)

const (
	roPTE0 = abi.PtePresent
	rwPTE0 = abi.PtePresent | abi.PteRW
)

// hookCase calls a hook for two callers, one that the policy allows and one
// that it does not, and says which permission the second one is denied.
type hookCase struct {
	hook    string
	call    func(h *host, cur *xsm.VCPU) abi.Errno
	allowed string
	denied  string // "" for a hook that denies no one
	perm    string // permissions and class of the denial
}

// on makes a call on a fixed domain.
func on(name string, call func(op *xsm.Operations, cur *xsm.VCPU, d *xsm.Domain) abi.Errno) func(*host, *xsm.VCPU) abi.Errno {
	return func(h *host, cur *xsm.VCPU) abi.Errno { return call(h.op, cur, h.byName(name)) }
}

// xen makes a call on the hypervisor.
func xen(call func(op *xsm.Operations, cur *xsm.VCPU) abi.Errno) func(*host, *xsm.VCPU) abi.Errno {
	return func(h *host, cur *xsm.VCPU) abi.Errno { return call(h.op, cur) }
}

type (
	ops  = *xsm.Operations
	vcpu = *xsm.VCPU
	dom  = *xsm.Domain
)

var hookCases = []hookCase{
	// Control of domains.
	{"setvcpucontext", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.SetVCPUContext(c, d) }), "dom0", "domU", "setvcpucontext domain"},
	{"pausedomain", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.PauseDomain(c, d) }), "dom0", "isolated_domU", "pause domain"},
	{"unpausedomain", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.UnpauseDomain(c, d) }), "dom0", "domU", "unpause domain"},
	{"resumedomain", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.ResumeDomain(c, d) }), "dom0", "domU", "resume domain"},
	{"resumedomain", on("nomigrate", func(o ops, c vcpu, d dom) abi.Errno { return o.ResumeDomain(c, d) }), "dombuild", "dom0", "resume domain"},
	{"domain_create", func(h *host, c vcpu) abi.Errno { return h.op.DomainCreate(c, h.alloc(40, false), sidDomU) }, "dom0", "domU", "create domain"},
	{"max_vcpus", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.MaxVCPUs(c, d) }), "dom0", "domU", "max_vcpus domain"},
	{"destroydomain", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.DestroyDomain(c, d) }), "dom0", "unlabeled", "destroy domain"},
	{"vcpuaffinity", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.VCPUAffinity(c, int(abi.DomctlSetVCPUAffinity), d) }), "dom0", "domU", "setvcpuaffinity domain"},
	{"vcpuaffinity", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.VCPUAffinity(c, int(abi.DomctlGetVCPUAffinity), d) }), "dom0", "domU", "getvcpuaffinity domain"},
	{"scheduler", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.Scheduler(c, d) }), "dom0", "domU", "scheduler xen"},
	{"scheduler", on("unlabeled", func(o ops, c vcpu, d dom) abi.Errno { return o.Scheduler(c, d) }), "", "dom0", "scheduler domain"},
	{"getdomaininfo", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.GetDomainInfo(c, d) }), "dom0", "isolated_domU", "getdomaininfo domain"},
	{"getvcpucontext", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.GetVCPUContext(c, d) }), "dom0", "domU", "getvcpucontext domain"},
	{"getvcpucontext", on("prot_domU", func(o ops, c vcpu, d dom) abi.Errno { return o.GetVCPUContext(c, d) }), "dombuild", "dom0", "getvcpucontext domain"},
	{"getvcpuinfo", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.GetVCPUInfo(c, d) }), "dom0", "nicdom", "getvcpuinfo domain"},
	{"domain_settime", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.DomainSettime(c, d) }), "dom0", "domU", "settime domain"},
	{"setdomainmaxmem", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.SetDomainMaxMem(c, d) }), "dom0", "domU", "setdomainmaxmem domain"},
	{"setdomainhandle", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.SetDomainHandle(c, d) }), "dom0", "domU", "setdomainhandle domain"},
	{"setdebugging", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.SetDebugging(c, d) }), "dom0", "domU", "setdebugging domain"},
	{"hypercall_init", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.HypercallInit(c, d) }), "dom0", "domU", "hypercall domain"},
	{"address_size", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.AddressSize(c, d, uint32(abi.DomctlSetAddressSize)) }), "dom0", "domU", "setaddrsize domain"},
	{"address_size", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.AddressSize(c, d, uint32(abi.DomctlGetAddressSize)) }), "dom0", "domU", "getaddrsize domain"},
	{"schedop_shutdown", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.SchedopShutdown(c, c.Domain, d) }), "dom0", "domU", "shutdown domain"},
	{"shadow_control", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.ShadowControl(c, d, abi.ShadowOpOff) }), "dom0", "domU", "disable shadow"},
	{"shadow_control", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.ShadowControl(c, d, abi.ShadowOpEnable) }), "dom0", "domU", "enable shadow"},
	{"shadow_control", on("nomigrate", func(o ops, c vcpu, d dom) abi.Errno { return o.ShadowControl(c, d, abi.ShadowOpEnableLogdirty) }), "dombuild", "dom0", "logdirty shadow"},

	// Hardware-virtualised guests.
	{"hvmcontext", on("hvm_domU", func(o ops, c vcpu, d dom) abi.Errno { return o.HVMContext(c, d, uint32(abi.DomctlSetHVMContext)) }), "dom0", "domU", "sethvmc hvm"},
	{"hvmcontext", on("hvm_domU", func(o ops, c vcpu, d dom) abi.Errno { return o.HVMContext(c, d, uint32(abi.DomctlGetHVMContext)) }), "dom0", "domU", "gethvmc hvm"},
	{"hvm_param", on("hvm_domU", func(o ops, c vcpu, d dom) abi.Errno { return o.HVMParam(c, d, abi.HVMOPSetParam) }), "hvm_domU", "domU", "setparam hvm"},
	{"hvm_param", on("hvm_domU", func(o ops, c vcpu, d dom) abi.Errno { return o.HVMParam(c, d, abi.HVMOPGetParam) }), "dom0", "domU", "getparam hvm"},
	{"hvm_set_pci_intx_level", on("hvm_domU", func(o ops, c vcpu, d dom) abi.Errno { return o.HVMSetPCIIntxLevel(c, d) }), "dom0", "hvm_domU", "pcilevel hvm"},
	{"hvm_set_isa_irq_level", on("hvm_domU", func(o ops, c vcpu, d dom) abi.Errno { return o.HVMSetISAIRQLevel(c, d) }), "dom0", "hvm_domU", "irqlevel hvm"},
	{"hvm_set_pci_link_route", on("hvm_domU", func(o ops, c vcpu, d dom) abi.Errno { return o.HVMSetPCILinkRoute(c, d) }), "dom0", "hvm_domU", "pciroute hvm"},

	// The hypervisor.
	{"tbufcontrol", xen(func(o ops, c vcpu) abi.Errno { return o.TBufControl(c) }), "dom0", "domU", "scheduler xen"},
	{"readconsole", xen(func(o ops, c vcpu) abi.Errno { return o.ReadConsole(c, 0) }), "dom0", "domU", "readconsole xen"},
	{"readconsole", xen(func(o ops, c vcpu) abi.Errno { return o.ReadConsole(c, 1) }), "dom0", "domU", "readconsole clearconsole xen"},
	{"sched_id", xen(func(o ops, c vcpu) abi.Errno { return o.SchedID(c) }), "dom0", "domU", "scheduler xen"},
	{"perfcontrol", xen(func(o ops, c vcpu) abi.Errno { return o.PerfControl(c) }), "dom0", "domU", "perfcontrol xen"},
	{"console_io", xen(func(o ops, c vcpu) abi.Errno { return o.ConsoleIO(c, c.Domain, abi.CONSOLEIORead) }), "dom0", "domU", "readconsole xen"},
	{"console_io", xen(func(o ops, c vcpu) abi.Errno { return o.ConsoleIO(c, c.Domain, abi.CONSOLEIOWrite) }), "dom0", "domU", "writeconsole xen"},
	{"profile", xen(func(o ops, c vcpu) abi.Errno { return o.Profile(c, c.Domain, abi.XENOPROFInit) }), "dom0", "domU", "nonprivprofile xen"},
	{"profile", xen(func(o ops, c vcpu) abi.Errno { return o.Profile(c, c.Domain, abi.XENOPROFStart) }), "dom0", "domU", "privprofile xen"},
	{"kexec", xen(func(o ops, c vcpu) abi.Errno { return o.Kexec(c) }), "dom0", "domU", "kexec xen"},
	{"apic", xen(func(o ops, c vcpu) abi.Errno { return o.APIC(c, c.Domain, abi.PHYSDEVOPApicRead) }), "dom0", "domU", "readapic xen"},
	{"apic", xen(func(o ops, c vcpu) abi.Errno { return o.APIC(c, c.Domain, abi.PHYSDEVOPApicWrite) }), "dom0", "domU", "writeapic xen"},
	{"xen_settime", xen(func(o ops, c vcpu) abi.Errno { return o.XenSettime(c) }), "dom0", "domU", "settime xen"},
	{"memtype", xen(func(o ops, c vcpu) abi.Errno { return o.Memtype(c, abi.XENPFAddMemtype) }), "dom0", "domU", "mtrr_add xen"},
	{"memtype", xen(func(o ops, c vcpu) abi.Errno { return o.Memtype(c, abi.XENPFDelMemtype) }), "dom0", "domU", "mtrr_del xen"},
	{"memtype", xen(func(o ops, c vcpu) abi.Errno { return o.Memtype(c, abi.XENPFReadMemtype) }), "dom0", "domU", "mtrr_read xen"},
	{"microcode", xen(func(o ops, c vcpu) abi.Errno { return o.Microcode(c) }), "dom0", "domU", "microcode xen"},
	{"physinfo", xen(func(o ops, c vcpu) abi.Errno { return o.PhysInfo(c) }), "dom0", "domU", "physinfo xen"},
	{"platform_quirk", xen(func(o ops, c vcpu) abi.Errno { return o.PlatformQuirk(c, 1) }), "dom0", "domU", "quirk xen"},
	{"machine_memory_map", xen(func(o ops, c vcpu) abi.Errno { return o.MachineMemoryMap(c) }), "dom0", "domU", "memorymap mmu"},

	// Devices.
	{"irq_permission", on("nicdom", func(o ops, c vcpu, d dom) abi.Errno { return o.IRQPermission(c, d, 11, 1) }), "dom0", "domU", "add resource"},
	{"irq_permission", on("nicdom", func(o ops, c vcpu, d dom) abi.Errno { return o.IRQPermission(c, d, 11, 0) }), "dom0", "domU", "remove resource"},
	{"irq_permission", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.IRQPermission(c, d, 11, 1) }), "", "dom0", "use resource"},
	{"irq_permission", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.IRQPermission(c, d, 11, 0) }), "", "dom0", "use resource"},
	{"irq_permission", on("nicdom", func(o ops, c vcpu, d dom) abi.Errno { return o.IRQPermission(c, d, 11, 0) }), "dom0", "", ""},
	{"iomem_permission", on("nicdom", func(o ops, c vcpu, d dom) abi.Errno { return o.IOMemPermission(c, d, 0xfebc0, 1) }), "dom0", "domU", "add resource"},
	{"iomem_permission", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.IOMemPermission(c, d, 0xfebc0, 0) }), "", "dom0", "use resource"},
	{"ioport_permission", on("nicdom", func(o ops, c vcpu, d dom) abi.Errno { return o.IOPortPermission(c, d, 0xc000, 1) }), "dom0", "domU", "add resource"},
	{"ioport_permission", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.IOPortPermission(c, d, 0x60, 1) }), "", "dom0", "use resource"},
	{"ioport_permission", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.IOPortPermission(c, d, 0x60, 0) }), "", "dom0", "use resource"},
	{"ioport_permission", on("nicdom", func(o ops, c vcpu, d dom) abi.Errno { return o.IOPortPermission(c, d, 0xc000, 0) }), "dom0", "domU", "remove resource"},
	{"assign_vector", xen(func(o ops, c vcpu) abi.Errno { return o.AssignVector(c, c.Domain, 11) }), "nicdom", "blkdom", "vector event"},
	{"assign_vector", xen(func(o ops, c vcpu) abi.Errno { return o.AssignVector(c, c.Domain, 200) }), "dom0", "nicdom", "vector event"},

	// Event channels.
	{"evtchn_unbound", func(h *host, c vcpu) abi.Errno { return h.op.EvtchnUnbound(c, c.Domain, h.evtchn(), 0) }, "isolated_domU", "unlabeled", "create alloc event"},
	{"evtchn_unbound", func(h *host, c vcpu) abi.Errno { return h.op.EvtchnUnbound(c, c.Domain, h.evtchn(), abi.DomSelf) }, "domU", "isolated_domU", "create alloc event"},
	{"evtchn_unbound", func(h *host, c vcpu) abi.Errno { return h.op.EvtchnUnbound(c, c.Domain, h.evtchn(), 102) }, "dom0", "domU", "create alloc event"},
	{"evtchn_unbound", func(h *host, c vcpu) abi.Errno { return h.op.EvtchnUnbound(c, h.byName("domU"), h.evtchn(), 0) }, "dom0", "isolated_domU", "create alloc event"},
	{"evtchn_unbound", func(h *host, c vcpu) abi.Errno { return h.op.EvtchnUnbound(c, h.byName("prot_domU"), h.evtchn(), 0) }, "dombuild", "dom0", "create alloc event"},
	{"evtchn_interdomain", func(h *host, c vcpu) abi.Errno {
		return h.op.EvtchnInterdomain(c, c.Domain, h.evtchn(), h.byName("domU2"), h.evtchn())
	}, "domU", "isolated_domU", "create event"},
	{"evtchn_send", func(h *host, c vcpu) abi.Errno { return h.op.EvtchnSend(c, c.Domain, h.channel("domU", "dom0")) }, "domU", "isolated_domU", "send event"},
	{"evtchn_send", func(h *host, c vcpu) abi.Errno { return h.op.EvtchnSend(c, c.Domain, h.evtchn()) }, "domU", "unlabeled", "send event"},
	{"evtchn_status", func(h *host, c vcpu) abi.Errno { return h.op.EvtchnStatus(c, c.Domain, h.channel("dom0", "domU")) }, "dom0", "domU", "status event"},
	{"evtchn_reset", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.EvtchnReset(c, c.Domain, d) }), "dom0", "isolated_domU", "reset event"},

	// Grants.
	{"grant_mapref", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.GrantMapref(c, c.Domain, d, abi.GNTMAPHostMap) }), "dom0", "isolated_domU", "map_read map_write grant"},
	{"grant_mapref", on("isolated_domU", func(o ops, c vcpu, d dom) abi.Errno {
		return o.GrantMapref(c, c.Domain, d, abi.GNTMAPHostMap|abi.GNTMAPReadonly)
	}), "dom0", "domU", "map_read grant"},
	{"grant_unmapref", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.GrantUnmapref(c, c.Domain, d) }), "domU", "isolated_domU", "unmap grant"},
	{"grant_setup", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.GrantSetup(c, c.Domain, d) }), "domU", "unlabeled", "setup grant"},
	{"grant_transfer", on("dom0", func(o ops, c vcpu, d dom) abi.Errno { return o.GrantTransfer(c, c.Domain, d) }), "domU", "unlabeled", "transfer grant"},
	{"grant_copy", on("dom0", func(o ops, c vcpu, d dom) abi.Errno { return o.GrantCopy(c, c.Domain, d) }), "domU", "unlabeled", "copy grant"},
	{"grant_copy", on("isolated2", func(o ops, c vcpu, d dom) abi.Errno { return o.GrantCopy(c, c.Domain, d) }), "dom0", "isolated_domU", "copy grant"},
	{"grant_query_size", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.GrantQuerySize(c, c.Domain, d) }), "domU", "isolated_domU", "query grant"},

	// Memory. Frame n is domain n's, 0 a device's, 50 dom0's, 51 Xen's, 52 no
	// one's; 0xa0 does not exist and is the display's.
	{"translate_gpfn_list", xen(func(o ops, c vcpu) abi.Errno { return o.TranslateGPFNList(c, c.Domain, 1) }), "dom0", "isolated_domU", "translategp mmu"},
	{"memory_adjust_reservation", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.MemoryAdjustReservation(c, c.Domain, d) }), "domU", "isolated_domU", "adjust mmu"},
	{"memory_stat_reservation", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.MemoryStatReservation(c, c.Domain, d) }), "domU", "isolated_domU", "stat mmu"},
	{"memory_pin_page", func(h *host, c vcpu) abi.Errno { return h.op.MemoryPinPage(c, c.Domain, h.Page(1)) }, "domU", "isolated_domU", "pinpage mmu"},
	{"memory_pin_page", func(h *host, c vcpu) abi.Errno { return h.op.MemoryPinPage(c, c.Domain, h.Page(52)) }, "", "domU", "pinpage mmu"},
	{"getpageframeinfo", func(h *host, c vcpu) abi.Errno { return h.op.GetPageFrameInfo(c, h.Page(1)) }, "dom0", "domU", "pageinfo mmu"},
	{"getpageframeinfo", func(h *host, c vcpu) abi.Errno { return h.op.GetPageFrameInfo(c, h.Page(51)) }, "dom0", "domU", "pageinfo mmu"},
	{"getmemlist", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.GetMemList(c, d) }), "dom0", "domU", "pagelist mmu"},
	{"domain_memory_map", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.DomainMemoryMap(c, d) }), "domU", "isolated_domU", "memorymap mmu"},
	{"add_to_physmap", on("domU", func(o ops, c vcpu, d dom) abi.Errno { return o.AddToPhysmap(c, c.Domain, d) }), "domU", "isolated_domU", "physmap mmu"},
	{"mmu_normal_update", xen(func(o ops, c vcpu) abi.Errno { return o.MMUNormalUpdate(c, c.Domain, abi.MkPte(1, rwPTE0)) }), "domU", "isolated_domU", "map_read map_write mmu"},
	{"mmu_normal_update", xen(func(o ops, c vcpu) abi.Errno { return o.MMUNormalUpdate(c, c.Domain, abi.MkPte(1, roPTE0)) }), "dom0", "isolated_domU", "map_read mmu"},
	{"mmu_normal_update", xen(func(o ops, c vcpu) abi.Errno { return o.MMUNormalUpdate(c, c.Domain, 0) }), "domU", "unlabeled", "map_read mmu"},
	{"mmu_normal_update", func(h *host, c vcpu) abi.Errno {
		h.frames[0].Owner = nil // as where frame 0 is memory that no one has
		return h.op.MMUNormalUpdate(c, c.Domain, 0)
	}, "domU", "unlabeled", "map_read mmu"},
	{"mmu_normal_update", xen(func(o ops, c vcpu) abi.Errno { return o.MMUNormalUpdate(c, c.Domain, abi.MkPte(0xa0, rwPTE0)) }), "dom0", "domU", "map_read map_write mmu"},
	{"mmu_normal_update", xen(func(o ops, c vcpu) abi.Errno { return o.MMUNormalUpdate(c, c.Domain, abi.MkPte(3, roPTE0)) }), "dombuild", "dom0", "map_read mmu"},
	{"mmu_machphys_update", xen(func(o ops, c vcpu) abi.Errno { return o.MMUMachphysUpdate(c, c.Domain, 1) }), "domU", "isolated_domU", "updatemp mmu"},
	{"update_va_mapping", xen(func(o ops, c vcpu) abi.Errno { return o.UpdateVAMapping(c, c.Domain, abi.MkPte(1, rwPTE0)) }), "domU", "unlabeled", "map_read map_write mmu"},
	{"update_va_mapping", xen(func(o ops, c vcpu) abi.Errno { return o.UpdateVAMapping(c, c.Domain, abi.MkPte(50, roPTE0)) }), "dom0", "domU", "map_read mmu"},
}

// TestHooks calls every hook that can deny: the allowed caller gets 0 and
// nothing is printed; the denied one gets -EACCES and one line that names what
// it lacked, or, in permissive mode, 0 and the same line.
func TestHooks(t *testing.T) {
	for _, enforcing := range []bool{true, false} {
		for _, c := range hookCases {
			h := newHost(t, enforcing)
			if c.allowed != "" {
				if rc := c.call(h, h.vcpu(c.allowed)); rc != 0 {
					t.Errorf("%s by %s: %v", c.hook, c.allowed, rc)
				}
				if s := h.said(); len(s) != 0 {
					t.Errorf("%s by %s printed %q", c.hook, c.allowed, s)
				}
			}
			if c.denied == "" {
				continue
			}
			want := abi.Errno(0)
			if enforcing {
				want = -abi.EACCES
			}
			if rc := c.call(h, h.vcpu(c.denied)); rc != want {
				t.Errorf("%s by %s (enforcing %v): %v, want %v", c.hook, c.denied, enforcing, rc, want)
			}
			perms, class := c.perm[:strings.LastIndex(c.perm, " ")], c.perm[strings.LastIndex(c.perm, " ")+1:]
			s := h.said()
			if len(s) == 0 || enforcing && len(s) != 1 || !strings.HasPrefix(s[0], "avc:  denied  { "+perms+" } ") || !strings.HasSuffix(s[0], " tclass="+class) {
				t.Errorf("%s by %s (enforcing %v) printed %q, want a denial of { %s } on class %s", c.hook, c.denied, enforcing, s, perms, class)
			}
		}
	}
}

// TestUnknownCommand checks that hooks refuse commands they do not know.
func TestUnknownCommand(t *testing.T) {
	h := newHost(t, true)
	d := h.byName("domU")
	for hook, rc := range map[string]abi.Errno{
		"vcpuaffinity":   h.op.VCPUAffinity(h.dom0, 99, d),
		"console_io":     h.op.ConsoleIO(h.dom0, d, 99),
		"profile":        h.op.Profile(h.dom0, d, 99),
		"shadow_control": h.op.ShadowControl(h.dom0, d, 99),
		"hvmcontext":     h.op.HVMContext(h.dom0, d, 99),
		"address_size":   h.op.AddressSize(h.dom0, d, 99),
		"hvm_param":      h.op.HVMParam(h.dom0, d, 99),
		"apic":           h.op.APIC(h.dom0, d, 99),
		"memtype":        h.op.Memtype(h.dom0, 99),
		"evtchn_unbound": h.op.EvtchnUnbound(h.dom0, h.dom0.Domain, h.evtchn(), 999),
	} {
		if rc != -abi.EPERM {
			t.Errorf("%s: %v, want -EPERM", hook, rc)
		}
	}
}
