package model

import "xsmbench/abi"

// ldtPages is the number of frames of the largest LDT.
const ldtPages = 16

// Descriptor bits, as in the upper half of the 8 bytes.
const (
	descType   = 0xf << 40
	descSystem = 1 << 44 // clear for a system descriptor
	descDPL    = 3 << 45
	descP      = 1 << 47
)

// allocSegdescPage validates a frame as part of a descriptor table
// (alloc_segdesc_page).
func (m *Machine) allocSegdescPage(mfn abi.MFN) bool {
	for _, desc := range m.table(mfn) {
		if !validDescriptor(desc) {
			return false
		}
	}
	return true
}

// validDescriptor reports whether a guest may have a segment descriptor: none
// that grants ring 0, and of the system descriptors only absent ones
// (check_descriptor).
func validDescriptor(desc uint64) bool {
	switch {
	case desc&descP == 0:
		return true
	case desc&descDPL == 0:
		return false
	}
	return desc&descSystem != 0
}

// setLDT is MMUEXT_SET_LDT: it records base and size; frames become LDT frames
// when they are first used.
func (v *VCPU) setLDT(base, ents uint64) bool {
	if base&(abi.PageSize-1) != 0 || ents > ldtPages*512 || !addressOK(base) {
		return false
	}
	mu := &v.mmu
	if mu.ldtBase == base && mu.ldtEnts == ents {
		return true
	}
	v.invalidateShadowLDT()
	mu.ldtBase, mu.ldtEnts = base, ents
	if ents != 0 {
		v.mapLDTFrame(0)
	}
	return true
}

// mapLDTFrame takes a frame of the guest's LDT into use (map_ldt_shadow_page).
func (v *VCPU) mapLDTFrame(n int) bool {
	l1, i, ok := v.guestL1E(v.mmu.ldtBase + uint64(n)<<abi.PageShift)
	if !ok {
		return false
	}
	e := loadPTE(&v.machine.table(l1)[i])
	mfn := abi.PteMFN(e)
	if e&abi.PtePresent == 0 || !v.machine.getPageAndType(mfn, v.dom, pgtLDT) {
		return false
	}
	v.mmu.ldtFrames[n] = mfn
	return true
}

// invalidateShadowLDT gives up the frames in use as LDT
// (invalidate_shadow_ldt).
func (v *VCPU) invalidateShadowLDT() {
	for i, mfn := range v.mmu.ldtFrames {
		if mfn != 0 {
			v.mmu.ldtFrames[i] = 0
			v.machine.putPageAndType(mfn)
		}
	}
}
