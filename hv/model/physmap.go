package model

import "xsmbench/abi"

// physmap is the memory of a domain in translated mode: its PFNs, which the
// hypervisor translates for it, to frames (the P2M of arch/x86/mm/p2m.c).
// Guarded by the domain's bigLock, as is every change to the mode. A domain
// can be put into the mode and filled, not run: its page tables would have to
// be shadowed.
type physmap struct{ mfns map[abi.PFN]abi.MFN }

// translated reports whether the domain is in translated mode
// (paging_mode_translate).
func (mm *domainMM) translated() bool { return mm.physmap.Load() != nil }

// enableTranslation puts a domain that has not started into translated mode.
func (m *Machine) enableTranslation(d *Domain) abi.Errno {
	d.bigLock.Lock()
	defer d.bigLock.Unlock()
	if d.mm.translated() || d.vcpu(0).initialised.Load() {
		return -abi.EINVAL
	}
	p := &physmap{mfns: map[abi.PFN]abi.MFN{}}
	for _, mfn := range d.pageMFNs() {
		if pfn := m.gpfn(mfn); pfn != invalidPFN {
			p.mfns[pfn] = mfn
		}
	}
	d.mm.physmap.Store(p)
	return 0
}

// gmfnToMFN finds the frame of a PFN (gmfn_to_mfn); outside translated mode
// the two are the same.
func (m *Machine) gmfnToMFN(d *Domain, g uint64) abi.MFN {
	p := d.mm.physmap.Load()
	if p == nil {
		return abi.MFN(g)
	}
	d.bigLock.Lock()
	defer d.bigLock.Unlock()
	if mfn, ok := p.mfns[abi.PFN(g)]; ok {
		return mfn
	}
	return abi.InvalidMFN
}

// physmapAdd and physmapRemove put a frame into a domain's memory and take it
// out (guest_physmap_add_page, guest_physmap_remove_page).
func (m *Machine) physmapAdd(d *Domain, pfn abi.PFN, mfn abi.MFN) {
	if p := d.mm.physmap.Load(); p != nil {
		d.bigLock.Lock()
		p.mfns[pfn] = mfn
		d.bigLock.Unlock()
	}
	m.setGPFN(mfn, pfn)
}

func (m *Machine) physmapRemove(d *Domain, pfn abi.PFN, mfn abi.MFN) {
	p := d.mm.physmap.Load()
	if p == nil {
		return
	}
	d.bigLock.Lock()
	delete(p.mfns, pfn)
	d.bigLock.Unlock()
	m.setGPFN(mfn, invalidPFN)
}
