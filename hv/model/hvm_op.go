package model

import (
	"encoding/binary"
	"sync"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// hvmState is what the model keeps of an HVM guest's platform: parameters and
// the levels of its interrupt lines. The model runs no HVM guest, but its
// toolstack's operations find what they set.
type hvmState struct {
	lock   sync.Mutex
	params [abi.HVMNrParams]uint64
	intx   [32][4]bool
	isa    [16]bool
	links  [4]uint8
}

// doHVMOp is hvm_op (arch/x86/hvm/hvm.c): R[0] is the command.
func doHVMOp(m *Machine, v *VCPU, a *abi.Args) int64 {
	switch a.R[0] {
	case abi.HVMOPSetParam, abi.HVMOPGetParam:
		if op, _ := a.H.(*abi.HVMParam); op != nil {
			return m.hvmParam(v, a.R[0], op)
		}
	case abi.HVMOPSetPCIIntxLevel:
		if op, _ := a.H.(*abi.HVMIntxLevel); op != nil {
			return m.hvmIntxLevel(v, op)
		}
	case abi.HVMOPSetISAIRQLevel:
		if op, _ := a.H.(*abi.HVMISAIRQLevel); op != nil {
			return m.hvmISALevel(v, op)
		}
	case abi.HVMOPSetPCILinkRoute:
		if op, _ := a.H.(*abi.HVMLinkRoute); op != nil {
			return m.hvmLinkRoute(v, op)
		}
	default:
		return enosys
	}
	return efault
}

func (m *Machine) hvmParam(v *VCPU, cmd uint64, op *abi.HVMParam) int64 {
	if op.Index >= abi.HVMNrParams {
		return einval
	}
	d, rc := m.foreign(v, op.DomID)
	if rc != 0 {
		return rc
	}
	if !d.hvm {
		return einval
	}
	if rc := xsm.HVMParam(&v.VCPU, &d.Domain, cmd); rc != 0 {
		return int64(rc)
	}
	h := &d.arch.hvm
	h.lock.Lock()
	defer h.lock.Unlock()
	if cmd == abi.HVMOPGetParam {
		op.Value = h.params[op.Index]
	} else {
		h.params[op.Index] = op.Value
	}
	return 0
}

// hvmDomain finds the HVM guest that a privileged caller changes the interrupt
// lines of.
func (m *Machine) hvmDomain(id abi.DomID) (*Domain, int64) {
	d := m.domainByID(id)
	switch {
	case d == nil:
		return nil, esrch
	case !d.hvm:
		return nil, einval
	}
	return d, 0
}

func (m *Machine) hvmIntxLevel(v *VCPU, op *abi.HVMIntxLevel) int64 {
	if !v.dom.Privileged {
		return eperm
	}
	if op.Domain > 0 || op.Bus > 0 || op.Device > 31 || op.Intx > 3 {
		return einval
	}
	d, rc := m.hvmDomain(op.DomID)
	if rc != 0 {
		return rc
	}
	if rc := xsm.HVMSetPCIIntxLevel(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	return d.arch.hvm.setLevel(&d.arch.hvm.intx[op.Device][op.Intx], op.Level)
}

func (m *Machine) hvmISALevel(v *VCPU, op *abi.HVMISAIRQLevel) int64 {
	if !v.dom.Privileged {
		return eperm
	}
	if op.IRQ > 15 {
		return einval
	}
	d, rc := m.hvmDomain(op.DomID)
	if rc != 0 {
		return rc
	}
	if rc := xsm.HVMSetISAIRQLevel(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	return d.arch.hvm.setLevel(&d.arch.hvm.isa[op.IRQ], op.Level)
}

func (m *Machine) hvmLinkRoute(v *VCPU, op *abi.HVMLinkRoute) int64 {
	if !v.dom.Privileged {
		return eperm
	}
	if op.Link > 3 || op.IRQ > 15 {
		return einval
	}
	d, rc := m.hvmDomain(op.DomID)
	if rc != 0 {
		return rc
	}
	if rc := xsm.HVMSetPCILinkRoute(&v.VCPU, &d.Domain); rc != 0 {
		return int64(rc)
	}
	d.arch.hvm.lock.Lock()
	defer d.arch.hvm.lock.Unlock()
	d.arch.hvm.links[op.Link] = op.IRQ
	return 0
}

// setLevel drives an interrupt line low or high.
func (h *hvmState) setLevel(line *bool, level uint8) int64 {
	if level > 1 {
		return einval
	}
	h.lock.Lock()
	defer h.lock.Unlock()
	*line = level == 1
	return 0
}

// The context that domctl saves and restores: a magic number and a version,
// then the parameters and link routes.
const (
	hvmContextMagic   = 0x54381286
	hvmContextVersion = 1
	hvmContextSize    = 8 + 8*abi.HVMNrParams + 4
)

// save writes the context.
func (h *hvmState) save() []byte {
	h.lock.Lock()
	defer h.lock.Unlock()
	b := binary.LittleEndian.AppendUint32(nil, hvmContextMagic)
	b = binary.LittleEndian.AppendUint32(b, hvmContextVersion)
	for _, p := range h.params {
		b = binary.LittleEndian.AppendUint64(b, p)
	}
	return append(b, h.links[:]...)
}

// load restores a context, -EINVAL for one that is none.
func (h *hvmState) load(b []byte) int64 {
	if len(b) != hvmContextSize || binary.LittleEndian.Uint32(b) != hvmContextMagic ||
		binary.LittleEndian.Uint32(b[4:]) != hvmContextVersion {
		return einval
	}
	h.lock.Lock()
	defer h.lock.Unlock()
	for i := range h.params {
		h.params[i] = binary.LittleEndian.Uint64(b[8+8*i:])
	}
	copy(h.links[:], b[hvmContextSize-4:])
	return 0
}
