package model

import "xsmbench/abi"

// destroyGDT gives up the frames of a vCPU's descriptor table (destroy_gdt).
func (m *Machine) destroyGDT(v *VCPU) {
	for _, mfn := range v.mmu.gdtFrames {
		m.putPageAndType(mfn)
	}
	v.mmu.gdtFrames = nil
}

// setGDT installs the frames of a vCPU's descriptor table, 512 descriptors in
// each (set_gdt).
func (m *Machine) setGDT(v *VCPU, frames []abi.MFN, entries uint64) abi.Errno {
	if entries > maxGDTEntries || uint64(len(frames)) < (entries+511)/512 {
		return -abi.EINVAL
	}
	frames = append([]abi.MFN(nil), frames[:(entries+511)/512]...)
	for i, mfn := range frames {
		if !m.getPageAndType(mfn, v.dom, pgtGDT) {
			for _, got := range frames[:i] {
				m.putPageAndType(got)
			}
			return -abi.EINVAL
		}
	}
	m.destroyGDT(v)
	v.mmu.gdtFrames = frames
	return 0
}

// maxGDTEntries is the number of descriptors that a guest may have; Xen's own
// follow (FIRST_RESERVED_GDT_ENTRY).
const maxGDTEntries = 14 * 512
