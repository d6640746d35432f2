package model

import (
	"fmt"
	"slices"

	"xsmbench/abi"
)

// StateOf describes what hypercalls of dom0 can change in a machine and in its
// domains, a line each, without what changes by itself. Addresses are left out:
// lines are the same on every architecture.
func StateOf(m *Machine) []string {
	s := describer{}
	s.machine(m)
	for _, d := range m.domainList() {
		s.domain(m, d)
	}
	return s
}

type describer []string

func (s *describer) add(format string, args ...any) { *s = append(*s, fmt.Sprintf(format, args...)) }

func (s *describer) machine(m *Machine) {
	p := &m.platform
	p.lock.Lock()
	s.add("wall clock %d.%09d s", p.wallSec, p.wallNSec)
	s.add("quirks %#x", p.quirks)
	s.add("microcode revision %d", p.microcode.revision)
	for i, t := range p.memtypes {
		if t.users > 0 {
			s.add("memory type register %d: frames %#x+%#x type %d users %d", i, t.first, t.nr, t.typ, t.users)
		}
	}
	p.lock.Unlock()
	for i, v := range p.apic.regs {
		if i >= 16 && i%2 == 0 && v != 1<<16 {
			s.add("interrupt controller register %d: %#x", i, v)
		}
	}
	for irq, v := range p.irq.vectors {
		if v != 0 {
			s.add("interrupt %d has a vector", irq)
		}
	}
	s.add("trace mask %#x, on %v", m.trace.events.Load(), m.trace.on.Load())
	m.profile.lock.Lock()
	s.add("profiler state %d, primary %v", m.profile.state, m.profile.primary != nil)
	m.profile.lock.Unlock()
	s.add("free frames %d", m.heap.available())
}

func (s *describer) domain(m *Machine, d *Domain) {
	add := func(format string, args ...any) {
		s.add("domain %d: "+format, append([]any{d.ID}, args...)...)
	}
	d.pageLock.Lock()
	add("frames %d of at most %d", d.totPages, d.maxPages)
	add("device memory %v, ports %v", d.mm.io.mem, d.mm.io.port)
	d.pageLock.Unlock()
	add("handle %x, time offset %d s", *d.handle.Load(), d.timeOffset.Load())
	add("paused by controller %v, shut down %v for %d", d.pausedByController.Load(), d.shutdown.down.Load(), d.shutdown.code)
	add("debugging %v, HVM %v", d.arch.debugging.Load(), d.hvm)
	if h := &d.arch.hvm; d.hvm {
		add("parameters %v, links %v, lines %v", h.params, h.links, raised(h))
	}
	forbidden := 0
	for irq := range uint32(nrIRQs) {
		if !d.arch.irqPermitted(irq) {
			forbidden++
		}
	}
	add("interrupts permitted %d", nrIRQs-forbidden)
	add("log-dirty %v, translated %v, memory map %v, shared page at %#x", d.mm.dirty.Load() != nil, d.mm.translated(), d.mm.e820, sharedAt(m, d))
	add("weight %d", d.sched.weight)
	s.ports(d, add)
	s.grants(m, d, add)
	d.eachVCPU(func(v *VCPU) {
		add("vCPU %d: initialised %v, has page tables %v, affinity %#x", v.ID, v.initialised.Load(), v.mmu.base != 0, v.affinity.Load())
	})
}

// raised are the interrupt lines of an HVM domain that are high.
func raised(h *hvmState) (lines []string) {
	for device, pins := range h.intx {
		for pin, high := range pins {
			if high {
				lines = append(lines, fmt.Sprintf("PCI %d.%d", device, pin))
			}
		}
	}
	for irq, high := range h.isa {
		if high {
			lines = append(lines, fmt.Sprintf("ISA %d", irq))
		}
	}
	return lines
}

// sharedAt is where a translated domain has its shared page.
func sharedAt(m *Machine, d *Domain) abi.PFN {
	if !d.mm.translated() {
		return 0
	}
	return m.gpfn(d.sharedMFN)
}

func (s *describer) ports(d *Domain, add func(string, ...any)) {
	d.evtchnLock.Lock()
	defer d.evtchnLock.Unlock()
	for p := range abi.Port(abi.NrEventChannels) {
		if chn := d.evtchns.port(p); chn != nil && chn.state != evtchnFree {
			add("port %d: state %d", p, chn.state)
		}
	}
}

// grants are the entries of the shared table, with what a transfer does to them.
func (s *describer) grants(m *Machine, d *Domain, add func(string, ...any)) {
	d.grant.mu.Lock()
	defer d.grant.mu.Unlock()
	for ref := range d.grant.active {
		flags, dom := d.grant.entry(m, abi.GrantRef(ref)).load()
		if flags != 0 {
			add("grant %d: flags %#x for domain %d", ref, flags, dom)
		}
	}
}

// Changed are the lines of one state that another has not, marked - and +.
func Changed(before, after []string) []string {
	var lines []string
	for _, l := range before {
		if !slices.Contains(after, l) {
			lines = append(lines, "- "+l)
		}
	}
	for _, l := range after {
		if !slices.Contains(before, l) {
			lines = append(lines, "+ "+l)
		}
	}
	return lines
}
