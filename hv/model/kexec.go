package model

import (
	"sync"

	"xsmbench/abi"
	"xsmbench/xsm"
)

// Ranges of memory that KEXEC_CMD_kexec_get_range tells of.
const (
	kexecRangeCrash = 0
	kexecRangeXen   = 1
	kexecRangeCPU   = 2
)

// Image types.
const (
	kexecDefault = 0
	kexecCrash   = 1
)

// kexecState is the images to go on with after the machine's end
// (common/kexec.c).
type kexecState struct {
	lock   sync.Mutex
	images [2][]byte
}

// doKexecOp is kexec_op: R[0] is the command, R[1] the image's type.
func doKexecOp(m *Machine, v *VCPU, a *abi.Args) int64 {
	if !v.dom.Privileged {
		return eperm
	}
	if rc := xsm.Kexec(&v.VCPU); rc != 0 {
		return int64(rc)
	}
	op, _ := a.H.(*abi.KexecArgs)
	if op == nil {
		return efault
	}
	typ := a.R[1]
	switch a.R[0] {
	case abi.KEXECCmdGetRange:
		return m.kexecRange(op)
	case abi.KEXECCmdLoad, abi.KEXECCmdUnload:
		if typ > kexecCrash {
			return einval
		}
		if a.R[0] == abi.KEXECCmdUnload {
			return m.kexec.store(typ, nil)
		}
		if _, _, err := LookupKernel(op.Image); err != nil {
			return einval
		}
		return m.kexec.store(typ, append([]byte(nil), op.Image...))
	case abi.KEXECCmdKexec:
		if typ > kexecCrash {
			return einval
		}
		return m.kexecExec(typ)
	}
	return einval
}

// store replaces an image.
func (k *kexecState) store(typ uint64, image []byte) int64 {
	k.lock.Lock()
	defer k.lock.Unlock()
	k.images[typ] = image
	return 0
}

// kexecExec leaves this kernel for the image: dom0, which makes the call, is
// taken down, and the machine halts as for a reboot.
func (m *Machine) kexecExec(typ uint64) int64 {
	m.kexec.lock.Lock()
	loaded := m.kexec.images[typ] != nil
	m.kexec.lock.Unlock()
	if !loaded {
		return enoent
	}
	reason := uint32(abi.ShutdownReboot)
	if typ == kexecCrash {
		reason = abi.ShutdownCrash
	}
	m.dom0.shutDown(reason, "kexec of the crash image")
	return 0
}

// kexecRange tells where a range of memory lies. The model sets no memory
// aside for a crash kernel; its own is the frames below the first guest's.
func (m *Machine) kexecRange(op *abi.KexecArgs) int64 {
	switch op.Range {
	case kexecRangeCrash:
		op.Start, op.Size = 0, 0
	case kexecRangeXen:
		op.Start, op.Size = 0, abi.PageSize
	case kexecRangeCPU:
		if op.Nr >= uint32(len(m.cpus)) {
			return -int64(abi.ERANGE)
		}
		const notes = 1024
		op.Start, op.Size = uint64(op.Nr)*notes, notes
	default:
		return einval
	}
	return 0
}
