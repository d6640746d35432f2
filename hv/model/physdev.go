package model

import (
	"sync"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// Geometry of the machine's interrupts and ports.
const (
	nrIRQs  = 256
	nrPorts = 1 << 16

	firstVector = 0x20 // FIRST_DYNAMIC_VECTOR
	lastVector  = 0xdf
	maxIOPL     = 3
)

// Flags of PhysdevIRQStatus.
const (
	irqNeedsEOI = 1 << 0
	irqShared   = 1 << 1
)

// pirqShare is the flag of bind_pirq that lets others bind the interrupt too.
const pirqShare = 1 << 0

// irqTable is what physical interrupts are assigned to (irq_desc).
type irqTable struct {
	lock    sync.Mutex
	guests  [nrIRQs][]*Domain
	shared  [nrIRQs]bool
	vectors [nrIRQs]uint8 // 0 until assigned
	next    uint8
}

// bindIRQ assigns a physical interrupt to a domain (pirq_guest_bind).
func (p *platform) bindIRQ(d *Domain, pirq, flags uint32) int64 {
	t := &p.irq
	t.lock.Lock()
	defer t.lock.Unlock()
	share := flags&pirqShare != 0
	if len(t.guests[pirq]) != 0 && !(share && t.shared[pirq]) {
		return ebusy
	}
	t.guests[pirq] = append(t.guests[pirq], d)
	t.shared[pirq] = share
	return 0
}

// unbindIRQ undoes bindIRQ.
func (p *platform) unbindIRQ(d *Domain, pirq uint32) {
	t := &p.irq
	t.lock.Lock()
	defer t.lock.Unlock()
	t.guests[pirq] = without(t.guests[pirq], d)
}

// assignVector gives an interrupt a vector of the processors, the same one if
// it has one (assign_irq_vector); -ENOSPC when there are no more.
func (t *irqTable) assignVector(irq uint32) int64 {
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.vectors[irq] == 0 {
		if firstVector+int(t.next) > lastVector {
			return -int64(abi.ENOSPC)
		}
		t.vectors[irq] = firstVector + t.next
		t.next++
	}
	return int64(t.vectors[irq])
}

// isBound reports whether an interrupt is assigned, and to more than one.
func (t *irqTable) isBound(irq uint32) (bound, shared bool) {
	t.lock.Lock()
	defer t.lock.Unlock()
	return len(t.guests[irq]) > 0, t.shared[irq] && len(t.guests[irq]) > 1
}

// ioapic is an I/O interrupt controller behind its index and data registers.
type ioapic struct {
	lock sync.Mutex
	base uint64
	regs [64]uint32
}

const (
	ioapicBase    = 0xfec00000
	ioapicVersion = 0x00170011 // 24 inputs
	ioapicPins    = 24
)

func (a *ioapic) reset() {
	a.base = ioapicBase
	a.regs[1] = ioapicVersion
	for pin := range ioapicPins {
		a.regs[16+2*pin] = 1 << 16 // masked
	}
}

// has reports whether an operation names a register of the controller's.
func (a *ioapic) has(op *abi.PhysdevApic) bool {
	return op.APICPhysbase == a.base && op.Reg < uint32(16+2*ioapicPins)
}

// read reads a register (ioapic_guest_read).
func (a *ioapic) read(op *abi.PhysdevApic) int64 {
	a.lock.Lock()
	defer a.lock.Unlock()
	if !a.has(op) {
		return einval
	}
	op.Value = a.regs[op.Reg]
	return 0
}

// write writes a register (ioapic_guest_write): the identity, the version and
// the destinations are Xen's, and of a redirection entry's delivery mode only
// fixed and lowest-priority are taken.
func (a *ioapic) write(op *abi.PhysdevApic) int64 {
	a.lock.Lock()
	defer a.lock.Unlock()
	if !a.has(op) {
		return einval
	}
	if op.Reg < 16 || op.Reg&1 != 0 {
		return 0
	}
	const deliveryMode = 7 << 8
	if mode := op.Value & deliveryMode; mode > 1<<8 {
		return 0 // SMI, NMI and such: left as they are
	}
	a.regs[op.Reg] = op.Value
	return 0
}

// doPhysdevOp is physdev_op (arch/x86/physdev.c): R[0] is the command.
func doPhysdevOp(m *Machine, v *VCPU, a *abi.Args) int64 {
	irqs := &m.platform.irq
	switch cmd := a.R[0]; cmd {
	case abi.PHYSDEVOPEOI:
		op, _ := a.H.(*abi.PhysdevEOI)
		switch {
		case op == nil:
			return efault
		case op.IRQ >= nrIRQs:
			return einval
		}
		return m.endOfInterrupt(v.dom, op.IRQ)
	case abi.PHYSDEVOPIRQStatusQuery:
		op, _ := a.H.(*abi.PhysdevIRQStatus)
		switch {
		case op == nil:
			return efault
		case op.IRQ >= nrIRQs:
			return einval
		}
		op.Flags = 0
		bound, shared := irqs.isBound(op.IRQ)
		if bound {
			op.Flags |= irqNeedsEOI
		}
		if shared {
			op.Flags |= irqShared
		}
	case abi.PHYSDEVOPApicRead:
		return m.apicRead(v, a)
	case abi.PHYSDEVOPApicWrite:
		return m.apicWrite(v, a)
	case abi.PHYSDEVOPAllocIRQVector:
		return m.allocVector(v, a)
	case abi.PHYSDEVOPSetIOPL:
		op, _ := a.H.(*abi.PhysdevSetIOPL)
		switch {
		case op == nil:
			return efault
		case op.IOPL > maxIOPL:
			return einval
		}
		v.iopl = op.IOPL
	case abi.PHYSDEVOPSetIOBitmap:
		op, _ := a.H.(*abi.PhysdevSetIOBitmap)
		switch {
		case op == nil:
			return efault
		case op.NrPorts > nrPorts:
			return einval
		}
		v.ioBitmapPorts = op.NrPorts
	default:
		return einval
	}
	return 0
}

// endOfInterrupt ends the service of an interrupt that is the domain's.
func (m *Machine) endOfInterrupt(d *Domain, irq uint32) int64 {
	d.evtchnLock.Lock()
	defer d.evtchnLock.Unlock()
	if d.evtchns.pirq[irq] == 0 {
		return einval
	}
	return 0
}

func (m *Machine) apicRead(v *VCPU, a *abi.Args) int64 {
	op, _ := a.H.(*abi.PhysdevApic)
	switch {
	case op == nil:
		return efault
	case !v.dom.Privileged:
		return eperm
	}
	if rc := xsm.APIC(&v.VCPU, &v.dom.Domain, abi.PHYSDEVOPApicRead); rc != 0 {
		return int64(rc)
	}
	return m.platform.apic.read(op)
}

func (m *Machine) apicWrite(v *VCPU, a *abi.Args) int64 {
	op, _ := a.H.(*abi.PhysdevApic)
	switch {
	case op == nil:
		return efault
	case !v.dom.Privileged:
		return eperm
	}
	if rc := xsm.APIC(&v.VCPU, &v.dom.Domain, abi.PHYSDEVOPApicWrite); rc != 0 {
		return int64(rc)
	}
	return m.platform.apic.write(op)
}

func (m *Machine) allocVector(v *VCPU, a *abi.Args) int64 {
	op, _ := a.H.(*abi.PhysdevIRQ)
	switch {
	case op == nil:
		return efault
	case !v.dom.Privileged:
		return eperm
	}
	if rc := xsm.AssignVector(&v.VCPU, &v.dom.Domain, op.IRQ); rc != 0 {
		return int64(rc)
	}
	if op.IRQ >= nrIRQs {
		return einval
	}
	vector := m.platform.irq.assignVector(op.IRQ)
	if vector < 0 {
		return vector
	}
	op.Vector = uint32(vector)
	return 0
}
