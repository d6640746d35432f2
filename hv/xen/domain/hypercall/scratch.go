package hypercall

import "xsmbench/abi"

// Scratch domains are those that the process makes for benchmarks of what dom0
// does to domains. They have one vCPU, never run, and are the only ones whose
// state the process changes.

// Kinds of domains: what 3.2's flags say, and XEN_DOMCTL_CDF_*.
const (
	flagHVM       = 1
	createHVM     = 1 << 0
	createHAP     = 1 << 1
	emulateAll    = "XEN_X86_EMU_ALL"
	emulatePCI    = "XEN_X86_EMU_VPCI" // the hardware domain's
	grantVersion1 = 1
)

// Limits of a scratch domain, of which 3.2 has none.
const (
	scratchVCPUs    = 1
	scratchPorts    = 1023
	scratchGrants   = 4
	scratchMaptrack = 4
)

// createDomain makes a domain. It is asked for by its number, which no other has.
var createDomain = domctlCommand{
	name: "createdomain", structure: "xen_domctl_createdomain", also: []string{emulateAll, emulatePCI},
	encode: func(i *Interface, u record, _ memory, h *abi.Domctl) {
		u.put("ssidref", uint64(h.Create.SSIDRef))
		copy(u.bytes("handle"), h.Create.Handle[:])
		u.put("max_vcpus", scratchVCPUs)
		u.put("max_evtchn_port", scratchPorts)
		u.put("max_grant_frames", scratchGrants)
		u.put("max_maptrack_frames", scratchMaptrack)
		u.put("grant_opts", grantVersion1)
		if h.Create.Flags&flagHVM != 0 {
			u.put("flags", createHVM|createHAP)
			u.put("arch.emulation_flags", uint64(i.Constants[emulateAll]&^i.Constants[emulatePCI]))
		}
	},
}

// domains is a set of domains, by their numbers.
type domains map[abi.DomID]bool

// harmless are the commands that any domain may be named in: they only read, or
// are taken back by themselves.
var harmless = map[abi.DomctlCmd]bool{
	abi.DomctlCreateDomain: true, abi.DomctlGetDomainInfo: true, abi.DomctlPauseDomain: true, abi.DomctlUnpauseDomain: true,
}

// mayChange reports whether a command may be made: a benchmark that lost its
// domain must not change one of somebody else.
func (p *planner) mayChange(h *abi.Domctl) bool {
	return harmless[h.Cmd] || p.domains[h.DomID] || h.DomID == p.self && gives(h)
}

// gives says that a command gives a permission on a device. What a domain gives, it
// has, so that it gives itself nothing new.
func gives(h *abi.Domctl) bool {
	switch h.Cmd {
	case abi.DomctlIRQPermission:
		return h.IRQ.Allow != 0
	case abi.DomctlIOMemPermission:
		return h.IOMem.Allow != 0
	case abi.DomctlIOPortPermission:
		return h.IOPort.Allow != 0
	}
	return false
}

// noting keeps count of the domains that a command makes and ends.
func (p *planner) noting(made plan, h *abi.Domctl) plan {
	switch h.Cmd {
	case abi.DomctlCreateDomain:
		made.decode = func(m memory, _ int64) {
			h.DomID = abi.DomID(m.get16(8))
			p.domains[h.DomID] = true
		}
	case abi.DomctlDestroyDomain:
		made.decode = func(memory, int64) { delete(p.domains, h.DomID) }
	}
	return made
}
