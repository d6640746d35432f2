package policydb

// objectContexts reads the contexts of objects that the hypervisor finds
// without one, kind by kind.
func (p *parser) objectContexts() {
	if p.old() {
		p.oldObjectContexts()
		return
	}
	kinds := []struct {
		section string
		read    func()
	}{
		{"initial SIDs", p.initialSIDs},
		{"physical interrupts", func() { p.db.PIRQs = p.ranges(p.one32) }},
		{"I/O ports", func() { p.db.IOPorts = p.ranges(p.two32) }},
		{"I/O memory", func() { p.db.IOMems = p.ranges(p.iomem) }},
		{"PCI devices", func() { p.db.PCIDevices = p.ranges(p.one32) }},
		{"device tree", p.deviceTree},
	}
	for _, k := range kinds[:p.nOCons] {
		p.section = k.section
		k.read()
	}
}

// oldObjectContexts reads initial SIDs. The kinds after it label SELinux's
// objects, of which Xen has none.
func (p *parser) oldObjectContexts() {
	p.section = "initial SIDs"
	p.initialSIDs()
	p.section = "object contexts"
	for range p.nOCons - 1 {
		at := p.off
		if n := p.u32("number of contexts"); n != 0 {
			p.invalid(at, "%d contexts of objects that only SELinux has", n)
			return
		}
	}
}

func (p *parser) initialSIDs() {
	seen := make(map[uint32]bool)
	for range p.count("initial SIDs", 4+contextSize) {
		at := p.off
		s := initialSID{SID: p.u32("SID"), Context: p.context()}
		if p.err == nil && (s.SID == 0 || seen[s.SID]) {
			p.invalid(at, "initial SID %d is null or given twice", s.SID)
		}
		seen[s.SID] = true
		p.db.InitialSIDs = append(p.db.InitialSIDs, s)
	}
}

func (p *parser) one32() (low, high uint64) {
	v := uint64(p.u32("number"))
	return v, v
}

func (p *parser) two32() (low, high uint64) {
	return uint64(p.u32("low end")), uint64(p.u32("high end"))
}

func (p *parser) iomem() (low, high uint64) {
	if p.db.Version < versionXenDeviceTree {
		return p.two32()
	}
	return p.u64("low end"), p.u64("high end")
}

func (p *parser) ranges(ends func() (low, high uint64)) []Range {
	var list []Range
	for range p.count("contexts", 4+contextSize) {
		at := p.off
		low, high := ends()
		r := Range{Low: low, High: high, Context: p.context()}
		if p.err == nil && low > high {
			p.invalid(at, "range from %#x to %#x", low, high)
		}
		if p.err != nil {
			return nil
		}
		list = append(list, r)
	}
	return list
}

func (p *parser) deviceTree() {
	for range p.count("nodes", 4+contextSize) {
		path := p.name(p.count("path", 1), "path")
		p.db.DeviceTree = append(p.db.DeviceTree, deviceNode{path, p.context()})
	}
}
