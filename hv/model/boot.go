package model

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// dom0SSIDRef is the label that dom0 is created with (DOM0_SSIDREF).
const dom0SSIDRef = 0

// Start boots the machine (__start_xen): the security framework and its
// modules, the idle domain, then dom0 from the boot modules. It returns when
// dom0's first vCPU has been given a processor.
func (m *Machine) Start() error {
	if err := m.build(); err != nil {
		return fmt.Errorf("boot: %w", err)
	}
	m.ticker.Add(1)
	go m.tickLoop()
	m.dom0.unpauseByController()
	return nil
}

// build is Start up to the moment before dom0 runs.
func (m *Machine) build() error {
	m.printf(" xsmbench hypervisor model, after Xen version %d.%d\n", versionMajor, versionMinor)
	for _, c := range m.cpus {
		// Hooks and locks name the running vCPU from the first moment.
		c.idle = &VCPU{machine: m, ID: c.id, pcpu: c}
		c.idle.VCPU.Domain = &xsm.Domain{ID: abi.DomIdle}
		c.curr = c.idle
	}
	start := xsm.Boot{
		Modules: m.cfg.Modules, InitrdIdx: 1, CmdLine: m.cfg.CmdLine,
		Printk: func(format string, args ...any) { m.printf(format+"\n", args...) },
	}
	xsm.Init(&start) // Xen goes on whatever it returns
	if err := m.initSpecialDomains(); err != nil {
		return err
	}
	return m.createDom0(start.InitrdIdx)
}

// initSpecialDomains makes the domains that never run as guests: the idle
// one, whose vCPUs stand for idle processors, and the owners of frames that
// belong to no guest.
func (m *Machine) initSpecialDomains() error {
	m.idle = m.createDomain(m.hookCPU(), abi.DomIdle, 0, 0)
	if m.idle == nil {
		return fmt.Errorf("create idle domain: refused")
	}
	for _, c := range m.cpus {
		c.idle = m.newVCPU(m.idle, c.id, c.id)
		c.curr = c.idle
	}
	for _, special := range []struct {
		at **Domain
		id abi.DomID
	}{{&m.domXen, abi.DomXen}, {&m.domIO, abi.DomIO}} {
		d, rc := m.allocDomain(special.id)
		if rc != 0 {
			return fmt.Errorf("create domain %#x: %w", uint16(special.id), -rc)
		}
		*special.at = d
	}
	m.initSpecialPages()
	return nil
}

// createDom0 makes and builds dom0 from module 0 and, unless initrd is 0 or
// there is none, the module it numbers.
func (m *Machine) createDom0(initrd int) error {
	kernel := m.cfg.Modules[0]
	_, entry, err := LookupKernel(kernel.Data)
	if err != nil {
		return err
	}
	d := m.createDomain(m.hookCPU(), 0, 0, dom0SSIDRef)
	if d == nil {
		return fmt.Errorf("create domain 0: refused")
	}
	d.Privileged = true
	m.dom0 = d
	d.permitEverything()
	for id := range m.cfg.Dom0VCPUs {
		m.newVCPU(d, id, id%len(m.cpus))
	}
	var module []byte
	if initrd > 0 && initrd < len(m.cfg.Modules) {
		module = m.cfg.Modules[initrd].Data
	}
	if err := m.constructDom0(d, kernel.Data, module, entry); err != nil {
		return fmt.Errorf("build domain 0: %w", err)
	}
	return nil
}
