package model

import "xsmbench/abi"

// Subsystem state, moved to the subsystem's file as it is written.
type (
	heap        struct{}
	mmu         struct{}
	pageList    struct{}
	platform    struct{}
	grantTable  struct{}
	traceBuffer struct{}
)

const traceSwitch = 0

func (c *pcpu) traceRecord(...uint64) {}

func (m *Machine) initMemory() error {
	m.mem = make([]byte, m.cfg.Frames*abi.PageSize)
	m.frames = make(frameTable, m.cfg.Frames)
	return nil
}

func (m *Machine) initXSM(*int) error { return nil }

func (p *platform) init(*Machine) {}

func (p *platform) bindIRQ(*Domain, uint32, uint32) int64 { return 0 }

func (p *platform) unbindIRQ(*Domain, uint32) {}

func (m *Machine) initSpecialPages() {}

func (m *Machine) grantTableCreate(*Domain) bool { return true }

func (m *Machine) grantTableDestroy(*Domain) {}

func (m *Machine) grantReleaseMappings(*Domain) {}

func (m *Machine) relinquishResources(*VCPU, *Domain) abi.Errno { return 0 }

func (m *Machine) archDomainDestroy(*Domain) {}

func (m *Machine) archDomainCreate(d *Domain) bool {
	d.shared = new(abi.SharedInfo)
	return true
}

func (m *Machine) constructDom0(d *Domain, kernel, module []byte, entry abi.VCPUEntry) error {
	si := &abi.StartInfo{Magic: "xen-3.0-model", Shared: d.shared, Flags: abi.SIFPrivileged | abi.SIFInitDomain, Module: module}
	d.vcpu(0).setContext(&abi.VCPUContext{Entry: entry, StartInfo: si})
	d.vcpu(0).pauseFlags.Store(0)
	return nil
}
