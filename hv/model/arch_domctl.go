package model

import (
	"encoding/binary"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// The domctls of x86 (arch/x86/domctl.c).

// maxPageInfo is the most frames that getpageframeinfo2 takes.
const maxPageInfo = 1024

func shadowDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	return int64(m.shadowOp(v, d, &op.Shadow))
}

func ioportDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	p := &op.IOPort
	if rc := xsm.IOPortPermission(&v.VCPU, &d.Domain, p.First, p.Allow); rc != 0 {
		return int64(rc)
	}
	if p.Nr != 0 {
		d.permitIOPorts(p.First, p.First+p.Nr-1, p.Allow != 0)
	}
	return 0
}

// pageInfoDomctl tells what a frame of a domain's is used as. The hook sees
// the frame before it is known to be the domain's.
func (m *Machine) pageInfoDomctl(v *VCPU, op *abi.Domctl) int64 {
	mfn := abi.MFN(op.PageInfo.GMFN)
	page := m.page(mfn)
	d := m.domainByID(op.DomID)
	if page == nil || d == nil {
		return einval
	}
	if rc := xsm.GetPageFrameInfo(&v.VCPU, &page.Page); rc != 0 {
		return int64(rc)
	}
	if !m.getPage(mfn, d) {
		return einval
	}
	defer m.putPage(mfn)
	op.PageInfo.Type = page.tableType()
	return 0
}

// tableType says what a referenced frame is used as, as a toolstack wants to
// know it: which page table, and whether it is pinned.
func (pg *PageInfo) tableType() uint32 {
	x := pg.typeInfo.Load()
	if x&pgtCountMask == 0 {
		return abi.DomctlPFNoTab
	}
	typ := uint32(tableLevel(x)) * abi.DomctlPFL1Tab
	if x&pgtPinned != 0 {
		typ |= abi.DomctlPFLPinTab
	}
	return typ
}

// pageInfo2Domctl is getpageframeinfo for a list: each frame's type is or-ed
// into its high bits. A frame that the caller may not ask about is left as it
// is.
func pageInfo2Domctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if len(op.PageInfo2) > maxPageInfo {
		return -int64(abi.E2BIG)
	}
	for i, frame := range op.PageInfo2 {
		mfn := abi.MFN(frame &^ abi.DomctlPFXTab)
		page := m.page(mfn)
		if page == nil {
			op.PageInfo2[i] |= abi.DomctlPFXTab
			continue
		}
		if xsm.GetPageFrameInfo(&v.VCPU, &page.Page) != 0 {
			continue
		}
		if !m.getPage(mfn, d) {
			op.PageInfo2[i] |= abi.DomctlPFXTab
			continue
		}
		op.PageInfo2[i] |= uint64(page.tableType())
		m.putPage(mfn)
	}
	return 0
}

func memListDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if rc := xsm.GetMemList(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	if d.dying.Load() != domAlive {
		return einval
	}
	list := d.pageMFNs()
	n := min(uint64(len(list)), op.MemList.MaxPFNs)
	op.MemList.Buffer = list[:n]
	op.MemList.Num = n
	return 0
}

func hypercallInitDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if rc := xsm.HypercallInit(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	mfn := abi.MFN(op.HyperGMFN)
	if !m.getPageAndType(mfn, d, pgtWritable) {
		return eacces
	}
	defer m.putPageAndType(mfn)
	fillHypercallPage(m.frame(mfn))
	m.markDirty(d, mfn)
	return 0
}

// fillHypercallPage writes the page of hypercall stubs, 32 bytes each
// (hypercall_page_initialise): on x86_64 push rcx, push r11, mov eax, syscall,
// pop r11, pop rcx, ret; on x86_32 mov eax, int 0x82, ret.
func fillHypercallPage(page []byte) {
	const stub = 32
	for i := range abi.PageSize / stub {
		b := page[i*stub : i*stub : (i+1)*stub]
		if abi.PTLevels == 4 {
			b = append(b, 0x51, 0x41, 0x53, 0xb8)
			b = binary.LittleEndian.AppendUint32(b, uint32(i))
			b = append(b, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3)
		} else {
			b = append(b, 0xb8)
			b = binary.LittleEndian.AppendUint32(b, uint32(i))
			b = append(b, 0xcd, 0x82, 0xc3)
		}
		clear(b[len(b):cap(b)])
	}
}

// setHVMContextDomctl restores an HVM guest's platform. The hook comes before
// the test that the domain is one.
func setHVMContextDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if rc := xsm.HVMContext(&v.VCPU, &d.Domain, uint32(op.Cmd)); rc != 0 {
		return int64(rc)
	}
	if !d.hvm {
		return einval
	}
	d.pause()
	defer d.unpause()
	return d.arch.hvm.load(op.HVM)
}

// getHVMContextDomctl saves an HVM guest's platform, or says how much room
// that takes.
func getHVMContextDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if rc := xsm.HVMContext(&v.VCPU, &d.Domain, uint32(op.Cmd)); rc != 0 {
		return int64(rc)
	}
	if !d.hvm {
		return einval
	}
	saved := d.arch.hvm.save()
	switch {
	case op.HVM == nil: // asks for the size
		op.HVM = make([]byte, len(saved))
		return 0
	case len(op.HVM) < len(saved):
		return -int64(abi.ENOSPC)
	}
	op.HVM = op.HVM[:copy(op.HVM, saved)]
	return 0
}

// addressSize is the width of every domain's addresses in bits: PAE's or that
// of four levels. The model runs guests of its own width only, as a Xen built
// without CONFIG_COMPAT.
const addressSize = 32 * (abi.PTLevels - 2)

func setAddressSizeDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if rc := xsm.AddressSize(&v.VCPU, &d.Domain, uint32(op.Cmd)); rc != 0 {
		return int64(rc)
	}
	if op.AddrSize != addressSize {
		return einval
	}
	return 0
}

func getAddressSizeDomctl(m *Machine, v *VCPU, d *Domain, op *abi.Domctl) int64 {
	if rc := xsm.AddressSize(&v.VCPU, &d.Domain, uint32(op.Cmd)); rc != 0 {
		return int64(rc)
	}
	op.AddrSize = addressSize
	return 0
}
